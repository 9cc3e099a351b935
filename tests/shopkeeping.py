"""Builders: the shop's rows in the states that tests start from."""

import itertools
from collections.abc import Sequence
from typing import Any

from kiosk.customers.arrive import Visitor, arrive
from kiosk.customers.store import remember_bot
from kiosk.db import Tx
from kiosk.delivery import store as deliveries
from kiosk.delivery.plan import Output, result_parcels
from kiosk.generations import drafts, store, tasks
from kiosk.generations.states import State
from kiosk.ledger import store as ledger
from kiosk.payments.topup import TopUp, top_up

BOT = 7000001
_numbers = itertools.count(1001)

PROMPT = {"prompt": "кот-космонавт", "aspect_ratio": "16:9"}


def a_visitor(telegram_id: int | None = None) -> Visitor:
    """Somebody new to the shop."""
    return Visitor(BOT, telegram_id or next(_numbers), "Анна", "anna", "ru")


async def a_customer(tx: Tx, *, kopecks: int) -> int:
    """A customer's number, with this much money from an operator."""
    await remember_bot(tx, BOT, "kiosk_sandbox_bot")
    customer = await arrive(tx, a_visitor(), 0)
    if kopecks:
        await ledger.adjust(tx, customer.id, kopecks, "test")
    return customer.id


async def paid(tx: Tx, customer_id: int, kopecks: int, *, reference: str | None = None) -> TopUp:
    """A payment by bank, with a number of its own unless told which."""
    return await top_up(
        tx, customer_id, method="bank", reference=reference or f"payment {next(_numbers)}", amount_kopecks=kopecks
    )


async def a_draft(tx: Tx, customer_id: int, **changes: Any) -> int:
    """A draft's number; nothing is asked any more and nothing is priced yet."""
    draft = await drafts.insert(
        tx,
        **{
            "customer_id": customer_id,
            "model_id": "z-image",
            "inputs": PROMPT,
            "chat_id": customer_id,
            "message_id": next(_numbers),
            "callback_token": "token-of-a-test",
            "origin_id": None,
            **changes,
        },
    )
    assert draft is not None
    return draft.id


async def a_card(tx: Tx, customer_id: int, *, price: int, **changes: Any) -> int:
    """A draft that only waits for its "create", at this price."""
    draft = await a_draft(tx, customer_id, **changes)
    await drafts.save(tx, draft, inputs=PROMPT, asking=None, update_id=None, price_kopecks=price, credits_quoted=None)
    return draft


async def ordered_directly(tx: Tx, customer_id: int, *, price: int) -> int:
    """A pending order without a chat."""
    return await confirm(tx, await a_card(tx, customer_id, price=price, chat_id=None, message_id=None))


async def confirmed(tx: Tx, customer_id: int, *, price: int) -> int:
    """An order in state pending, its price on hold."""
    return await confirm(tx, await a_card(tx, customer_id, price=price))


async def confirm(tx: Tx, draft: int, *, line_s: float = 600, run_s: float = 600) -> int:
    """The card's draft becomes an order that nobody has been woken for."""
    card = await store.get(tx, draft)
    assert card is not None
    await store.confirm(tx, draft, message_id=card.message_id, line_s=line_s, run_s=run_s, wake_s=600)
    await ledger.hold(tx, draft)
    return draft


async def submitting(tx: Tx, customer_id: int, *, price: int, order: int | None = None) -> int:
    """An order, a new one or this, whose createTask is on its way."""
    order = order or await confirmed(tx, customer_id, price=price)
    assert await store.claim_submit(tx, order, grace_s=60, submits_at_most=2)
    return order


async def running(tx: Tx, customer_id: int, *, price: int, task_id: str | None = None, order: int | None = None) -> int:
    """An order, a new one or this, with a task at the provider."""
    order = await submitting(tx, customer_id, price=price, order=order)
    task = task_id or f"task{order:028d}"
    await tasks.add(tx, order, task, at_most=5)
    assert await store.start_running(tx, order, task, poll_s=600)
    return order


async def delivered(
    tx: Tx, customer_id: int, *, price: int, outputs: Sequence[Output], model_id: str = "z-image", **changes: Any
) -> int:
    """An order whose result is in the chat; `changes` are those of its draft."""
    order = await running(tx, customer_id, price=price)
    await tx.execute("UPDATE generations SET model_id = $2 WHERE id = $1", order, model_id)
    for column, value in changes.items():
        await tx.execute(f"UPDATE generations SET {column} = $2 WHERE id = $1", order, value)
    assert await store.settle_done(tx, order, was=State.RUNNING, wake_s=600)
    await ledger.resolve(tx, order, "capture")
    await deliveries.insert(tx, order, result_parcels(outputs))
    await tx.execute("UPDATE deliveries SET state = 'sent', sent_at = now() WHERE generation_id = $1", order)
    assert await store.delivered(tx, order)
    return order


async def state_of(tx: Tx, generation_id: int) -> State:
    found = await store.get(tx, generation_id)
    assert found is not None
    return found.state
