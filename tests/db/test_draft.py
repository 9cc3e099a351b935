"""The wizard as a row: answers, repetitions and returns, each message and each origin with one draft."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from kiosk.catalog.form import ProblemKind
from kiosk.catalog.quote import Rates
from kiosk.catalog.shelf import Shelf, default_shelf
from kiosk.catalog.vocabulary import Output
from kiosk.db import Database, Tx
from kiosk.generations import drafts, store
from kiosk.generations.confirm import Confirmed, InsufficientFunds, PriceChanged, Till
from kiosk.generations.deadlines import Patience
from kiosk.generations.draft import Answered, Missing, Passed, Wizard, Wrong
from kiosk.generations.states import State
from kiosk.generations.store import Generation
from kiosk.ledger import store as ledger
from tests.shopkeeping import PROMPT, a_customer, a_draft

PRICE = 80
CHAT, MESSAGE = 1001, 5


def a_wizard(*, multiplier: int = 2, shelf: Shelf | None = None) -> Wizard:
    """With twice the cost, Z-Image is 80 kopecks."""
    return Wizard(shelf or default_shelf(), Rates(rub_per_usd=Decimal(100), multiplier=Decimal(multiplier)))


WIZARD = a_wizard()
PATIENCE = Patience(600, dict.fromkeys(Output, 600.0))


async def begun(tx: Tx, customer: int, **changes: Any) -> Generation:
    """A draft of Z-Image in a message."""
    model = default_shelf().get("z-image")
    return await WIZARD.begin(
        tx, **{"customer_id": customer, "model": model, "chat_id": CHAT, "message_id": MESSAGE, **changes}
    )


async def answered(tx: Tx, draft: Generation, field: str, raw: Any, update_id: int) -> Generation:
    answer = await WIZARD.answer(tx, draft, field, raw, update_id)
    assert isinstance(answer, Answered)
    return answer.generation


async def count_of_drafts(tx: Tx) -> int:
    count: int = await tx.fetchval("SELECT count(*) FROM generations WHERE state = 'draft'")
    return count


async def test_answers_lead_to_a_priced_card(database: Database) -> None:
    """Question by question; only the complete draft has a price."""
    async with database.transaction() as tx:
        draft = await begun(tx, await a_customer(tx, kopecks=0))
        assert (draft.asking, draft.price_kopecks) == ("prompt", None)
        draft = await answered(tx, draft, "prompt", " кот ", 1)
        assert (draft.asking, draft.price_kopecks) == ("aspect_ratio", None)
        draft = await answered(tx, draft, "aspect_ratio", "16:9", 2)
        assert (draft.asking, draft.price_kopecks) == (None, PRICE)
        assert draft.inputs == {"prompt": "кот", "aspect_ratio": "16:9"}


@pytest.mark.parametrize(
    ("raw", "kind"), [("", ProblemKind.EMPTY), ("а" * 1001, ProblemKind.TOO_LONG), (" \n", ProblemKind.EMPTY)]
)
async def test_unfitting_answer_changes_nothing(database: Database, raw: str, kind: ProblemKind) -> None:
    """The question stays, and says what was wrong."""
    async with database.transaction() as tx:
        draft = await begun(tx, await a_customer(tx, kopecks=0))
        wrong = await WIZARD.answer(tx, draft, "prompt", raw, 1)
        assert isinstance(wrong, Wrong)
        assert wrong.problem.kind is kind
        assert await store.get(tx, draft.id) == draft


@pytest.mark.parametrize(
    "raw",
    [
        "кот\x00",
        "\ud83d",
        "\\u0000 \\ud800",
        '"}{\\"',
        "'; DROP TABLE generations; --",
        "👩‍🚀",
        "a\u2028b\nc",
        "NaN",
        "$1",
    ],
)
async def test_awkward_words_are_kept_or_refused(database: Database, raw: str) -> None:
    """Nothing that somebody can write breaks the draft: it is read back as it was accepted, or it was refused."""
    async with database.transaction() as tx:
        draft = await begun(tx, await a_customer(tx, kopecks=0))
        match await WIZARD.answer(tx, draft, "prompt", raw, 1):
            case Answered(generation=kept):
                found = await store.get(tx, draft.id)
                assert found is not None
                assert found.inputs == kept.inputs
                assert set(kept.inputs["prompt"]) <= set(raw)
                assert kept.inputs["prompt"]
            case outcome:
                assert isinstance(outcome, Wrong)
                assert await store.get(tx, draft.id) == draft


async def test_update_given_again_is_not_applied_again(database: Database) -> None:
    """Telegram repeats an update: the same text never answers the next question too."""
    async with database.transaction() as tx:
        draft = await begun(tx, await a_customer(tx, kopecks=0))
        once = await answered(tx, draft, "prompt", "16:9", 1)
        assert await WIZARD.answer(tx, once, "aspect_ratio", "16:9", 1) == Passed(once)
        found = await drafts.answered_by(tx, once.customer_id, 1)
        assert found == once


async def test_answer_to_another_question_is_passed(database: Database) -> None:
    """A button of a question that is over, or not yet asked, changes nothing."""
    async with database.transaction() as tx:
        draft = await begun(tx, await a_customer(tx, kopecks=0))
        assert await WIZARD.answer(tx, draft, "aspect_ratio", "16:9", 1) == Passed(draft)


async def test_asking_again_keeps_the_answer_until_there_is_a_new_one(database: Database) -> None:
    """Back to a question: the price goes, the answers stay, and a new answer prices it anew."""
    async with database.transaction() as tx:
        draft = await begun(tx, await a_customer(tx, kopecks=0), inputs=PROMPT)
        assert draft.price_kopecks == PRICE
        again = await WIZARD.ask_again(tx, draft, "prompt")
        assert isinstance(again, Answered)
        assert (again.generation.asking, again.generation.price_kopecks) == ("prompt", None)
        assert again.generation.inputs == PROMPT
        changed = await answered(tx, again.generation, "prompt", "пёс", 1)
        assert (changed.asking, changed.price_kopecks) == (None, PRICE)


async def test_asking_again_about_nothing_is_passed(database: Database) -> None:
    """A field that the model does not have, or a draft that is no more."""
    async with database.transaction() as tx:
        draft = await begun(tx, await a_customer(tx, kopecks=0))
        assert await WIZARD.ask_again(tx, draft, "seed") == Passed(draft)
        await store.cancel(tx, draft.id, was=State.DRAFT)
        canceled = await store.get(tx, draft.id)
        assert canceled is not None
        assert await WIZARD.ask_again(tx, canceled, "prompt") == Passed(canceled)
        assert await WIZARD.answer(tx, canceled, "prompt", "кот", 1) == Passed(canceled)


async def test_beginning_twice_in_one_message_is_one_draft(database: Database) -> None:
    """The same press again finds what was answered meanwhile."""
    async with database.transaction() as tx:
        customer = await a_customer(tx, kopecks=0)
        draft = await answered(tx, await begun(tx, customer), "prompt", "кот", 1)
        assert await begun(tx, customer) == draft
        assert await count_of_drafts(tx) == 1


async def test_beginning_at_the_same_moment_is_one_draft(database: Database) -> None:
    """Two clicks in two transactions, each seeing no draft: the second takes the first one's."""
    async with database.transaction() as tx:
        customer = await a_customer(tx, kopecks=0)

    async def click() -> int:
        async with database.transaction() as tx:
            return (await begun(tx, customer)).id

    assert len(set(await asyncio.gather(*(click() for _ in range(10))))) == 1


async def test_other_model_in_the_same_message_replaces_the_draft(database: Database) -> None:
    """The message shows one wizard: the earlier one is canceled."""
    async with database.transaction() as tx:
        customer = await a_customer(tx, kopecks=0)
        other = await a_draft(tx, customer, model_id="qwen/text-to-image", chat_id=CHAT, message_id=MESSAGE)
        draft = await begun(tx, customer)
        found = await store.get(tx, other)
        assert found is not None
        assert (found.state, draft.state) == (State.CANCELED, State.DRAFT)


async def test_two_messages_are_two_drafts(database: Database) -> None:
    """Words answer the one that was touched last; both stay."""
    async with database.transaction() as tx:
        customer = await a_customer(tx, kopecks=0)
        first, second = await begun(tx, customer), await begun(tx, customer, message_id=6)
    assert first.id != second.id
    async with database.transaction() as tx:  # one more, since time stands still within a transaction
        await answered(tx, first, "prompt", "кот", 1)
        assert await latest_id(tx, customer, CHAT) == first.id


async def latest_id(tx: Tx, customer: int, chat: int) -> int | None:
    found = await drafts.latest(tx, customer, chat)
    return found.id if found else None


async def test_same_number_in_two_chats_is_two_messages(database: Database) -> None:
    """Groups number their messages on their own: each chat has its draft, and words answer the chat's own."""
    async with database.transaction() as tx:
        customer = await a_customer(tx, kopecks=0)
        private, group = await begun(tx, customer), await begun(tx, customer, chat_id=-100)
        assert (private.chat_id, group.chat_id) == (CHAT, -100)
        assert await latest_id(tx, customer, CHAT) == private.id
        assert await latest_id(tx, customer, -100) == group.id
        assert await latest_id(tx, customer, -200) is None


async def test_origin_has_one_draft(database: Database) -> None:
    """ "Once more" pressed twice, even at the same moment, is one new card with the same answers."""
    async with database.transaction() as tx:
        customer = await a_customer(tx, kopecks=0)
        origin = await a_draft(tx, customer)
        await store.cancel(tx, origin, was=State.DRAFT)

    async def press() -> Generation:
        async with database.transaction() as tx:
            return await begun(tx, customer, message_id=None, inputs=PROMPT, origin_id=origin)

    drafts = await asyncio.gather(*(press() for _ in range(5)))
    assert {draft.id for draft in drafts} != {origin}
    assert len({draft.id for draft in drafts}) == 1
    assert drafts[0].inputs == PROMPT


async def test_model_off_the_shelf_is_missing(database: Database) -> None:
    """What is no longer sold takes no answers."""
    async with database.transaction() as tx:
        draft = await begun(tx, await a_customer(tx, kopecks=0))
        closed = a_wizard(shelf=default_shelf().single("qwen/text-to-image"))
        assert await closed.answer(tx, draft, "prompt", "кот", 1) == Missing()
        assert await closed.ask_again(tx, draft, "prompt") == Missing()


async def quoted(database: Database, *, kopecks: int = 1000, age: str = "0 s") -> Generation:
    """A complete draft whose card was shown so long ago."""
    async with database.transaction() as tx:
        draft = await begun(tx, await a_customer(tx, kopecks=kopecks), inputs=PROMPT)
        await tx.execute(f"UPDATE generations SET quoted_at = now() - interval '{age}' WHERE id = {draft.id}")
    return draft


async def press_create(database: Database, draft: Generation, *, multiplier: int, price: int = PRICE) -> Any:
    till = Till(database, a_wizard(multiplier=multiplier), PATIENCE, open_at_most=5, key_name="gate")
    return await till.confirm(draft.customer_id, draft.id, price_pressed=price, message_id=MESSAGE)


async def test_expired_quote_is_shown_again_with_the_new_price(database: Database) -> None:
    """A card of two hours ago, prices went up: nothing is ordered before the new price was shown and pressed."""
    draft = await quoted(database, age="2 hours")
    changed = await press_create(database, draft, multiplier=3)
    assert isinstance(changed, PriceChanged)
    assert (changed.generation.state, changed.generation.price_kopecks) == (State.DRAFT, 120)
    confirmed = await press_create(database, draft, multiplier=3, price=120)
    assert isinstance(confirmed, Confirmed)
    async with database.reading() as tx:
        assert await ledger.wallet(tx, draft.customer_id) == ledger.Wallet(880, 120)


async def test_fresh_quote_holds_though_prices_went_up(database: Database) -> None:
    """The price that was shown is the price that is held."""
    draft = await quoted(database, age="50 minutes")
    assert isinstance(await press_create(database, draft, multiplier=3), Confirmed)
    async with database.reading() as tx:
        assert await ledger.wallet(tx, draft.customer_id) == ledger.Wallet(1000 - PRICE, PRICE)


async def test_refused_order_leaves_the_draft_as_it_was(database: Database) -> None:
    """Not enough money: the draft, its price and its answers stay for after the top-up."""
    draft = await quoted(database, kopecks=PRICE - 1)
    refused = await press_create(database, draft, multiplier=2)
    assert isinstance(refused, InsufficientFunds)
    assert (refused.generation.state, refused.generation.price_kopecks) == (State.DRAFT, PRICE)
    async with database.reading() as tx:
        assert await tx.fetchval("SELECT count(*) FROM pgqueuer") == 0


async def test_order_of_another_customer_cannot_be_confirmed(database: Database) -> None:
    """A guessed number leads nowhere and touches nothing."""
    draft = await quoted(database)
    async with database.transaction() as tx:
        stranger = await a_customer(tx, kopecks=1000)
    till = Till(database, WIZARD, PATIENCE, open_at_most=5, key_name="gate")
    result = await till.confirm(stranger, draft.id, price_pressed=PRICE, message_id=MESSAGE)
    assert type(result).__name__ == "NotSold"
    async with database.reading() as tx:
        assert await ledger.wallet(tx, stranger) == ledger.Wallet(1000, 0)
