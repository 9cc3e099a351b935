"""What operators are told of the cost of an order once the provider has named it; pure."""

from collections.abc import Iterator
from decimal import Decimal

from kiosk.catalog.quote import Rates
from kiosk.generations.store import Generation
from kiosk.generations.tasks import Paid
from kiosk.money import to_kopecks, to_rub
from kiosk.operators.alerts import Alert, Kind


def alerts(order: Generation, consumed: Decimal, paid: Paid, rates: Rates) -> Iterator[Alert]:
    """`consumed`: credits of the task that has just ended; `paid`: of all tasks of the order, that one included."""
    if paid.tasks > 1:
        yield Alert(Kind.SECOND_TASK, values={"generation": str(order.id)})
    about = {"model": order.model_id, "generation": str(order.id)}
    if order.credits_quoted is not None and consumed > order.credits_quoted:
        told = {"consumed": plain(consumed), "quoted": plain(order.credits_quoted)}
        yield Alert(Kind.COST_ABOVE_QUOTE, order.model_id, {**about, **told})
    cost = to_kopecks(paid.credits * rates.usd_per_credit * rates.rub_per_usd)
    if order.price_kopecks is not None and cost > order.price_kopecks:
        told = {"cost": str(to_rub(cost)), "price": str(to_rub(order.price_kopecks))}
        yield Alert(Kind.COST_ABOVE_PRICE, order.model_id, {**about, **told})


def plain(amount: Decimal) -> str:
    """Without an exponent or zeros at the end."""
    return f"{amount.normalize():f}"
