"""A branch of the shop: one bot with everything that is its own. Branches know nothing of each other."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass

from aiogram import Bot, Dispatcher

from kiosk.assortment import assortment, patience
from kiosk.bot.ears import Polling
from kiosk.bot.files import CustomerFiles
from kiosk.bot.filing import FilingDesk
from kiosk.bot.handlers import Handlers
from kiosk.bot.intake import BotIntake
from kiosk.bot.messenger import TelegramMessenger
from kiosk.bot.opening import make_bot
from kiosk.bot.presence import Ear, Presence
from kiosk.bot.reception import Reception
from kiosk.bot.voice import read_voice
from kiosk.bot.webhook import Expected, Webhook
from kiosk.bot.words import SHOP_VOICE, Voice
from kiosk.bots import BadBots, BotProfile
from kiosk.catalog.quote import Rates
from kiosk.catalog.shelf import CatalogError, Shelf
from kiosk.delivery.send import Courier
from kiosk.generations.confirm import Till
from kiosk.generations.draft import Wizard
from kiosk.ids import webhook_secret
from kiosk.leadership.leader import Leader
from kiosk.leadership.lease import Terms
from kiosk.money import to_kopecks
from kiosk.settings import Settings
from kiosk.wiring.parts import UPLOAD_LIMIT_BYTES, Parts


@dataclass(frozen=True, slots=True)
class Goods:
    """What a bot sells, and in which words."""

    profile: BotProfile
    shelf: Shelf
    voice: Voice


@dataclass(frozen=True, slots=True)
class Branch:
    bot: Bot
    intake: BotIntake
    presence: Presence
    messenger: TelegramMessenger
    courier: Courier
    files: CustomerFiles


def goods_of(settings: Settings) -> tuple[Goods, ...]:
    """What the files of all bots hold.

    Errors: CatalogError for prices that all bots share, BadBots with every flaw of what a bot has for itself.
    """
    flaws: list[str] = []
    found = [_goods(settings, index, profile, flaws) for index, profile in enumerate(settings.bots)]
    if flaws:
        raise BadBots(flaws)
    return tuple(found)


def _goods(settings: Settings, index: int, profile: BotProfile, flaws: list[str]) -> Goods:
    where = f"bots[{index - bool(settings.telegram_bot_token)}]"
    voice = read_voice(profile.texts, f"{where}.texts", flaws) if profile.texts else SHOP_VOICE
    try:
        shelf = assortment(
            profile.prices_file,
            single_model_only=profile.single_model_only,
            called_back=settings.webhook_base_url is not None,
        )
    except (CatalogError, OSError, UnicodeDecodeError) as error:
        if profile.prices_file == settings.prices_file:
            raise
        told = str(error).splitlines() if isinstance(error, CatalogError) else ["cannot be read"]
        flaws += [f"{where}.prices_file: {line}" for line in told]
        shelf = assortment(None, single_model_only=False, called_back=False)
    return Goods(profile, shelf, voice)


async def open_branches(stack: contextlib.AsyncExitStack, parts: Parts, goods: Sequence[Goods]) -> tuple[Branch, ...]:
    """One for each bot, the owner's first; their connections close with `stack`."""
    settings, branches = parts.settings, []
    for one in goods:
        client = make_bot(one.profile.token, settings.telegram_base_url, settings.telegram_messages_per_s)
        bot = await stack.enter_async_context(client)
        branches.append(open_branch(parts, one, bot, alone=len(goods) == 1))
    return tuple(branches)


def open_branch(parts: Parts, goods: Goods, bot: Bot, *, alone: bool) -> Branch:
    """Puts one together; nothing here waits or talks to anyone."""
    settings, profile = parts.settings, goods.profile
    wizard = Wizard(goods.shelf, Rates(rub_per_usd=settings.rub_per_usd, multiplier=profile.price_multiplier))
    desk = FilingDesk(
        db=parts.db,
        shelf=goods.shelf,
        wizard=wizard,
        till=Till(parts.db, wizard, patience(settings), settings.open_orders_per_customer, parts.keeper.key_name),
        settler=parts.settler,
        welcome_kopecks=to_kopecks(profile.welcome_balance_rub),
        support=profile.support,
        admins=profile.admins,
    )
    files = CustomerFiles(bot, parts.links)
    dispatcher = Dispatcher(disable_fsm=True)
    dispatcher.include_router(Handlers(desk, Reception(desk, files)).router())
    intake = BotIntake(bot, dispatcher, webhook_secret(profile.token), goods.voice)
    messenger = TelegramMessenger(bot, goods.shelf, goods.voice)
    return Branch(
        bot=bot,
        intake=intake,
        presence=Presence(bot, parts.db, _ear(parts, intake), alone, goods.voice),
        messenger=messenger,
        courier=Courier(messenger, parts.fetcher, UPLOAD_LIMIT_BYTES),
        files=files,
    )


def _ear(parts: Parts, intake: BotIntake) -> Ear | None:
    settings, bot = parts.settings, intake.bot
    if not parts.role.takes_in:
        return None
    if settings.bot_mode == "polling":
        return Polling(intake, Leader(parts.db, bot.id, parts.holder, Terms.of(settings.lease_ttl_s)))
    return Webhook(bot, parts.db, Expected(f"{settings.webhook_base_url}/telegram/{bot.id}", intake.secret))
