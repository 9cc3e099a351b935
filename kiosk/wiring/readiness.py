"""What is asserted of a running process: the loops that its role has, each by its name, and nothing else."""

from collections.abc import Awaitable, Callable
from functools import partial

from kiosk.web.front import BotState, Running
from kiosk.wiring.branch import Branch
from kiosk.wiring.shop import Shop

Check = Callable[[], Awaitable[bool]]


def running(shop: Shop) -> Running:
    """What requests may use from now on."""
    settings, takes_in = shop.parts.settings, shop.parts.role.takes_in
    key = settings.kie_webhook_hmac_key
    return Running(
        db=shop.parts.db,
        callbacks=shop.callbacks,
        intakes={branch.bot.id: branch.intake for branch in shop.branches} if takes_in else {},
        hmac_key=key.get_secret_value() if key else None,
        checks=checks(shop),
        bots=lambda: [_state(branch) for branch in shop.branches],
        role=shop.parts.role,
        mode=settings.bot_mode,
        holder=shop.parts.holder,
        key_name=shop.parts.keeper.key_name,
    )


def checks(shop: Shop) -> dict[str, Check]:
    """By the names under which /ready tells them."""
    found: dict[str, Check] = {"database": partial(_database_answers, shop)}
    if shop.worker:
        found["worker"] = partial(_worker_lives, shop)
    if shop.parts.role.takes_in:
        found["updates"] = partial(_updates_come, shop)
    if shop.rounds:
        found |= {name: partial(_goes_round, shop, name) for name in shop.rounds.rounds}
    return found


async def _database_answers(shop: Shop) -> bool:
    await shop.parts.db.ping()
    return True


async def _worker_lives(shop: Shop) -> bool:
    return shop.worker is not None and shop.worker.alive and not shop.loops["worker"].done()


async def _updates_come(shop: Shop) -> bool:
    """To every bot that Telegram accepts, and there is one: a refused token is no reason to send nobody here."""
    accepted = [branch.presence for branch in shop.branches if not branch.presence.refused]
    alive = all(not shop.loops[f"bot {branch.bot.id}"].done() for branch in shop.branches)
    return alive and bool(accepted) and all(presence.hears for presence in accepted)


async def _goes_round(shop: Shop, name: str) -> bool:
    return shop.rounds is not None and shop.rounds.alive(name)


def _state(branch: Branch) -> BotState:
    presence = branch.presence
    return BotState(
        id=branch.bot.id,
        username=presence.username,
        accepted=presence.met and not presence.refused,
        active=presence.active,
        hears=presence.hears,
    )
