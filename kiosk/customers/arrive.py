"""A person writes to a bot: known or new, with accounts and the welcome bonus."""

from dataclasses import dataclass

from kiosk.customers import store
from kiosk.customers.store import Customer, Language
from kiosk.db import Tx
from kiosk.ledger import store as ledger

NAME_LIMIT = 128


@dataclass(frozen=True, slots=True)
class Visitor:
    """What Telegram tells about the sender of an update."""

    bot_id: int
    telegram_id: int
    first_name: str
    username: str | None
    language_code: str | None

    @property
    def language(self) -> Language:
        """Russian unless the person's Telegram is set to English: the shop's first language is Russian."""
        return "en" if (self.language_code or "").startswith("en") else "ru"


async def arrive(tx: Tx, visitor: Visitor, welcome_kopecks: int) -> Customer:
    """Finds the customer, or makes one with both accounts and the bonus, in the caller's transaction."""
    known = await store.find(tx, visitor.bot_id, visitor.telegram_id)
    if known:
        return known
    new = await store.insert(
        tx, visitor.bot_id, visitor.telegram_id, visitor.first_name[:NAME_LIMIT], visitor.username, visitor.language
    )
    if new is None:
        found = await store.find(tx, visitor.bot_id, visitor.telegram_id)
        assert found is not None  # noqa: S101 - the conflicting row is committed: the insert waited for it
        return found
    await ledger.open_accounts(tx, new.id)
    if welcome_kopecks:
        await ledger.welcome(tx, new.id, welcome_kopecks)
    return new
