"""Models of every kind of output, bought from the provider's stand-in: the quote covers it, what is made is owed."""

from decimal import Decimal
from typing import Any

import pytest

from kiosk.db import Database
from kiosk.generations import store, tasks
from kiosk.generations.states import State
from tests.shopkeeping import a_customer, a_draft
from tests.workshop import a_workshop


@pytest.mark.parametrize(
    ("model", "inputs", "outputs"),
    [
        ("wan/2-7-image", {"prompt": "кот", "n": 3}, [("image", "")] * 3),
        (
            "minimax-h3/text-to-video",
            {"prompt": "кот", "duration": 4, "resolution": "768P", "aspect_ratio": "16:9"},
            [("video", "")],
        ),
        ("elevenlabs/text-to-speech-turbo-2-5", {"text": "Раз, два, три."}, [("audio", "")]),
        (
            "ai-music-api/generate",
            {"prompt": "дождь", "custom_mode": False, "instrumental": False, "model": "V6"},
            [("audio", "дождь")] * 2,
        ),
    ],
)
async def test_model_is_made_at_its_price(
    database: Database, model: str, inputs: dict[str, Any], outputs: list[tuple[str, str]]
) -> None:
    """The provider took no more credits than were quoted, and every file it made stands among the deliveries."""
    async with a_workshop(database) as shop:
        async with database.transaction() as tx:
            customer = await a_customer(tx, kopecks=1_000_000)
            draft = await a_draft(tx, customer, model_id=model, inputs=inputs)
            found = await store.lock(tx, draft, customer)
            assert found is not None
            quoted = await shop.wizard.requote(tx, found)
        await shop.till.confirm(customer, draft, price_pressed=quoted.price, message_id=quoted.status_message)
        await shop.submit(draft)
        assert (await shop.ended(draft)).state is State.DONE
        assert await shop.money(draft) == (1_000_000 - quoted.price, 0)
        async with database.reading() as tx:
            (task,) = await tasks.of_generation(tx, draft)
            credits_quoted = await tx.fetchval("SELECT credits_quoted FROM generations WHERE id = $1", draft)
            owed = await tx.fetch(
                "SELECT media, title FROM deliveries WHERE generation_id = $1 AND part IN ('result', 'extra')", draft
            )
        made = shop.kie.provider.desk.tasks[task.task_id]
        assert 0 < Decimal(str(made.credits)) <= credits_quoted
        assert [tuple(row) for row in owed] == outputs
        assert await shop.broken_invariants() == []
