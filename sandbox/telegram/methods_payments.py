"""Methods for Telegram Stars: an invoice, the last word before a payment, refunds and the list of both."""

from dataclasses import replace
from typing import Any

from sandbox.telegram.bots import Bot, StarPayment, unix_now
from sandbox.telegram.calls import Call
from sandbox.telegram.content import read_reply
from sandbox.telegram.errors import QUERY_EXPIRED, BadRequest
from sandbox.telegram.markup import INLINE, read_inline_markup
from sandbox.telegram.world import Method, World

STARS = "XTR"
_TITLE_CHARS = range(1, 33)
_DESCRIPTION_CHARS = range(1, 256)
_PAYLOAD_BYTES = range(1, 129)
_AMOUNTS = range(1, 100_001)
_TRANSACTIONS_PER_CALL = 100


async def send_invoice(world: World, bot: Bot, call: Call) -> Any:
    """https://core.telegram.org/bots/api#sendinvoice, in Stars only: there is no payment provider here."""
    _check_words(call)
    stars = _price(call)
    markup = read_inline_markup(call.json("reply_markup"))
    if markup is None:
        markup = {INLINE: [[{"text": f"Заплатить ⭐️{stars}", "pay": True}]]}
    elif not markup[INLINE][0][0].get("pay"):
        raise BadRequest("the first button of the keyboard must be a Pay button")
    chat = world.open_chat(bot, call)
    invoice = {
        "title": call.text("title"),
        "description": call.text("description"),
        "start_parameter": call.text("start_parameter"),
        "currency": STARS,
        "total_amount": stars,
    }
    reply_to = read_reply(call, chat)
    message = world.send(chat, {"invoice": invoice}, markup=markup, reply_to=reply_to, payload=call.text("payload"))
    return world.as_message(chat, message)


async def answer_pre_checkout_query(_world: World, bot: Bot, call: Call) -> Any:
    """https://core.telegram.org/bots/api#answerprecheckoutquery: within ten seconds, and once."""
    checkout = bot.checkouts.pop(call.text("pre_checkout_query_id"), None)
    if checkout is None or checkout.verdict.done():
        raise BadRequest(QUERY_EXPIRED)
    if call.flag("ok"):
        checkout.verdict.set_result(None)
        return True
    if not call.text("error_message"):
        bot.checkouts[call.text("pre_checkout_query_id")] = checkout
        raise BadRequest("error message is empty")
    checkout.verdict.set_result(call.text("error_message"))
    return True


async def refund_star_payment(world: World, bot: Bot, call: Call) -> Any:
    """https://core.telegram.org/bots/api#refundstarpayment"""
    user_id, charge_id = call.integer("user_id"), call.text("telegram_payment_charge_id")
    payment = next((paid for paid in bot.payments if (paid.charge_id, paid.user_id) == (charge_id, user_id)), None)
    if payment is None:
        raise BadRequest("CHARGE_NOT_FOUND")
    if payment.refunded_at is not None:
        raise BadRequest("CHARGE_ALREADY_REFUNDED")
    bot.payments[bot.payments.index(payment)] = replace(payment, refunded_at=unix_now())
    world.say(world.chat(bot.id, user_id), {"refunded_payment": payment_fields(payment)})
    return True


async def get_star_transactions(world: World, bot: Bot, call: Call) -> Any:
    """https://core.telegram.org/bots/api#getstartransactions: oldest first, a refund as a transaction of its own."""
    offset = max(call.integer("offset"), 0)
    limit = min(max(call.integer("limit", _TRANSACTIONS_PER_CALL), 1), _TRANSACTIONS_PER_CALL)
    transactions = [_transaction(world, payment, payment.paid_at, "source") for payment in bot.payments]
    transactions += [
        _transaction(world, payment, payment.refunded_at, "receiver")
        for payment in bot.payments
        if payment.refunded_at is not None
    ]
    transactions.sort(key=lambda transaction: int(transaction["date"]))
    return {"transactions": transactions[offset : offset + limit]}


def payment_fields(payment: StarPayment) -> dict[str, Any]:
    """The fields that SuccessfulPayment and RefundedPayment share."""
    return {
        "currency": STARS,
        "total_amount": payment.stars,
        "invoice_payload": payment.payload,
        "telegram_payment_charge_id": payment.charge_id,
        "provider_payment_charge_id": f"{payment.user_id}_{payment.paid_at}",
    }


def _transaction(world: World, payment: StarPayment, date: int | None, side: str) -> dict[str, Any]:
    partner = {
        "type": "user",
        "transaction_type": "invoice_payment",
        "user": world.user(payment.user_id).as_user(),
        "invoice_payload": payment.payload,
    }
    return {"id": payment.charge_id, "amount": payment.stars, "date": date, side: partner}


def _check_words(call: Call) -> None:
    if len(call.text("title")) not in _TITLE_CHARS:
        raise BadRequest("INVOICE_TITLE_INVALID")
    if len(call.text("description")) not in _DESCRIPTION_CHARS:
        raise BadRequest("INVOICE_DESCRIPTION_INVALID")
    if len(call.text("payload").encode()) not in _PAYLOAD_BYTES:
        raise BadRequest("INVOICE_PAYLOAD_INVALID")


def _price(call: Call) -> int:
    if call.text("currency") != STARS or call.text("provider_token"):
        raise BadRequest("PAYMENT_PROVIDER_INVALID")
    prices = call.items("prices")
    if len(prices) != 1 or not isinstance(prices[0], dict):
        raise BadRequest("CURRENCY_TOTAL_AMOUNT_INVALID")
    amount = prices[0].get("amount")
    if not isinstance(amount, int) or not prices[0].get("label") or amount not in _AMOUNTS:
        raise BadRequest("CURRENCY_TOTAL_AMOUNT_INVALID")
    return amount


METHODS: dict[str, Method] = {
    "sendInvoice": send_invoice,
    "answerPreCheckoutQuery": answer_pre_checkout_query,
    "refundStarPayment": refund_star_payment,
    "getStarTransactions": get_star_transactions,
}
