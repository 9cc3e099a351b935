"""Orders made through the shop's own statements, without a chat or a provider around them."""

from dataclasses import dataclass

from kiosk.customers.arrive import Visitor, arrive
from kiosk.customers.store import remember_bot
from kiosk.db import Tx
from kiosk.delivery import store as deliveries
from kiosk.delivery.plan import Media, Output, result_parcels
from kiosk.generations import drafts, store, tasks
from kiosk.generations.states import State
from kiosk.ids import new_callback_token
from kiosk.ledger import store as ledger
from kiosk.queue.jobs import Act, Job, enqueue

BOT = 7000001
PRICE = 80
PROMPT = "a cat in a space suit looks at the Earth from the window of a small station, oil on canvas, warm light"
INPUTS = {"prompt": PROMPT, "aspect_ratio": "16:9"}
FILE = "https://files.example/kiosk/2026/11/28/0123456789abcdef0123456789abcdef.png"
FILE_ID = "AgACAgIAAxkBAAIBZWdJ" + "x" * 60  # as long as Telegram's


@dataclass(frozen=True, slots=True)
class Customer:
    id: int
    telegram_id: int


async def customer(tx: Tx, number: int, *, kopecks: int) -> Customer:
    """Somebody who came and was given money."""
    await remember_bot(tx, BOT, "kiosk_bench_bot")
    who = await arrive(tx, Visitor(BOT, number, "Anna", "anna", "ru"), 0)
    await ledger.adjust(tx, who.id, kopecks, "bench")
    return Customer(who.id, number)


async def card(tx: Tx, buyer: Customer, message: int) -> int:
    """A draft that only waits for its "create": its number."""
    draft = await drafts.insert(
        tx,
        customer_id=buyer.id,
        model_id="z-image",
        inputs=INPUTS,
        chat_id=buyer.telegram_id,
        message_id=message,
        callback_token=new_callback_token(),
        origin_id=None,
    )
    assert draft is not None  # noqa: S101 - each message is used once
    await drafts.save(
        tx, draft.id, inputs=INPUTS, asking=None, update_id=None, price_kopecks=PRICE, credits_quoted=None
    )
    return draft.id


async def confirm(tx: Tx, buyer: Customer, draft: int, message: int) -> None:
    """The transaction of the press on "create": wallet, order, hold, job."""
    await ledger.lock(tx, buyer.id)
    await store.confirm(tx, draft, message_id=message, line_s=600, run_s=600, wake_s=600)
    await ledger.hold(tx, draft)
    await enqueue(tx, Job(Act.SUBMIT, draft))


async def start(tx: Tx, order: int) -> None:
    """Its task runs at the provider, and nobody looks for ten minutes."""
    await store.claim_submit(tx, order, grace_s=60, submits_at_most=2)
    task = f"{order:032x}"
    await tasks.add(tx, order, task, at_most=5)
    await store.start_running(tx, order, task, poll_s=600)


async def finish(tx: Tx, buyer: Customer, order: int) -> None:
    """Settled, taken and delivered."""
    await ledger.lock(tx, buyer.id)
    await store.settle_done(tx, order, was=State.RUNNING, wake_s=600)
    await ledger.resolve(tx, order, "capture")
    await deliveries.insert(tx, order, result_parcels([Output(Media.IMAGE, FILE)]))
    while (parcel := await deliveries.claim_next(tx, order, edit_lease_s=60, send_lease_s=60)) is not None:
        await deliveries.mark_sent(tx, parcel.id, message_id=order, file_id=FILE_ID)
    await store.delivered(tx, order)
