"""One price from the card to the books, for every model on the shelf: through the wizard, the till and the settler."""

import pytest

from kiosk.bot import cards
from kiosk.bot.words import words
from kiosk.catalog.form import QuestionKind
from kiosk.catalog.model import Media as Wanted
from kiosk.catalog.model import Model
from kiosk.catalog.reference import Reference
from kiosk.catalog.shelf import default_shelf
from kiosk.db import Database, Tx
from kiosk.delivery.plan import Media, Output
from kiosk.generations import store, tasks
from kiosk.generations.confirm import Confirmed, Till
from kiosk.generations.draft import Answered
from kiosk.generations.settle import Settler
from kiosk.generations.states import State
from kiosk.generations.store import Generation
from kiosk.ledger import store as ledger
from kiosk.ledger.audit import audit
from kiosk.media import store as media
from kiosk.media.fit import Facts
from kiosk.media.store import Source
from tests.answers import SECONDS, first_answer
from tests.db.test_draft import CHAT, PATIENCE, WIZARD
from tests.shopkeeping import a_customer

SOLD = default_shelf().sellable()
SAY = words("ru")
RICH = 10**9
SHARES = 4  # the shelf is dealt into so many tests, to be run side by side


async def walked_to_the_card(tx: Tx, customer: int, model: Model) -> Generation:
    """Every question answered as a chat does it: words and presses, files, and "go on" where a list may grow."""
    draft = await WIZARD.begin(tx, customer_id=customer, model=model, chat_id=CHAT, message_id=None)
    update = draft.id * 1000
    while asked := WIZARD.question(draft):
        update += 1
        if asked.kind is QuestionKind.OBJECTS:
            draft = await WIZARD.go_on(tx, draft)
            continue
        if asked.kind is QuestionKind.MEDIA:
            for _ in range(int(asked.minimum or 1)):
                update += 1
                assert asked.media
                file = await a_file(tx, customer, asked.media, update)
                answer = await WIZARD.attach(tx, draft, asked.field, file, update)
                assert isinstance(answer, Answered)
                draft = answer.generation
            draft = await WIZARD.go_on(tx, draft) if draft.asking == asked.field else draft
            continue
        answer = await WIZARD.answer(tx, draft, asked.field, first_answer(model, asked), update)
        assert isinstance(answer, Answered), (model.id, asked.field)
        draft = answer.generation
    return draft


async def a_file(tx: Tx, customer: int, wanted: Wanted, number: int) -> Reference:
    """One of the customer's own that would do."""
    extension = wanted.formats[0] if wanted.formats else "bin"
    facts = Facts(wanted.media, extension, f"{wanted.media}/{extension}", 1000, SECONDS)
    file = await media.add(tx, customer, number, Source(file_id=f"file-{number}"), facts)
    assert file
    return Reference(file, SECONDS)


async def at_the_provider(tx: Tx, order: int) -> Generation:
    """The order with a task that runs."""
    assert await store.claim_submit(tx, order, grace_s=60, submits_at_most=2)
    await tasks.add(tx, order, f"task{order:028d}", at_most=5)
    assert await store.start_running(tx, order, f"task{order:028d}", poll_s=600)
    found = await store.get(tx, order)
    assert found
    return found


@pytest.mark.parametrize("share", range(SHARES))
async def test_price_shown_is_held_and_taken(database: Database, share: int) -> None:
    """The card says it, the hold has it, the capture takes it, the balance lost it; and the books are clean."""
    till = Till(database, WIZARD, PATIENCE, open_at_most=5, key_name="gate")
    settler, left = Settler(database), RICH
    async with database.transaction() as tx:
        customer = await a_customer(tx, kopecks=RICH)
    for model in SOLD[share::SHARES]:
        async with database.transaction() as tx:
            draft = await walked_to_the_card(tx, customer, model)
            shown = cards.card(SAY, model, draft, await ledger.wallet(tx, customer))
        assert f"Цена: <b>{SAY.money(draft.price)}</b>" in shown.text, model.id
        confirmed = await till.confirm(customer, draft.id, price_pressed=draft.price, message_id=draft.id)
        assert isinstance(confirmed, Confirmed), model.id
        async with database.transaction() as tx:
            assert await ledger.wallet(tx, customer) == ledger.Wallet(left - draft.price, draft.price)
            running = await at_the_provider(tx, draft.id)
        assert await settler.succeed(running, [Output(Media(model.output.value), "https://files.example/1")])
        left -= draft.price
        async with database.transaction() as tx:
            assert await ledger.wallet(tx, customer) == ledger.Wallet(left, 0)
            rows = await tx.fetch(
                "SELECT kind, amount_kopecks FROM transfers WHERE generation_id = $1 ORDER BY id", draft.id
            )
            assert [tuple(row) for row in rows] == [("hold", draft.price), ("capture", draft.price)]
            ended = await store.get(tx, draft.id)
            assert ended
            assert ended.state is State.DONE
    async with database.reading() as tx:
        assert [finding.invariant.name for finding in await audit(tx) if finding.broken] == []
