"""The house: the customer that orders for the shop itself. It is no user of Telegram, and owns nothing.

Every price is lent to it together with the hold, out of the adjustments, and goes back there with the resolution: see
the functions of migration 0018.
"""

from typing import Final

from kiosk.customers.arrive import Visitor, arrive
from kiosk.customers.store import Customer, remember_bot
from kiosk.db import Tx

# The constraint `customers_house` knows this number, for the house and for the bot that is none.
NUMBER: Final = 0
_HOUSE: Final = Visitor(NUMBER, NUMBER, "house", None, "en")


async def the_house(tx: Tx) -> Customer:
    """There is one in a database, made when it is first asked for."""
    await remember_bot(tx, NUMBER, "house")
    return await arrive(tx, _HOUSE, welcome_kopecks=0)


def is_house(customer: Customer) -> bool:
    return customer.telegram_id == NUMBER
