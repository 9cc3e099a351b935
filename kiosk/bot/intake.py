"""Updates of one bot, from a webhook or by polling: dealt with before they are acknowledged."""

import asyncio
import contextlib
from collections import OrderedDict, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog
from aiogram import Bot, Dispatcher
from aiogram.exceptions import (
    ClientDecodeError,
    TelegramAPIError,
    TelegramConflictError,
    TelegramNetworkError,
    TelegramRetryAfter,
    TelegramServerError,
)
from aiogram.types import Update
from pydantic import ValidationError

from kiosk.bot.buttons import Create, unpack
from kiosk.bot.kinds import ALLOWED_UPDATES
from kiosk.bot.refusals import TOKEN_REFUSED, TokenRefused, says
from kiosk.bot.stopping import pause, unless_stopped
from kiosk.bot.turnstile import answering
from kiosk.bot.words import SHOP_VOICE, Voice, speaking
from kiosk.db import DatabaseUnavailable
from kiosk.errors import TryLater
from kiosk.leadership.leader import Leader, LeadershipLost
from kiosk.log import correlated
from kiosk.metrics import OTHER, UPDATES, timed
from kiosk.tracing import span

log = structlog.get_logger()

# What an update cannot help: Telegram is away (a gateway that answers in its place cannot be decoded), or does not
# accept our token any more; or the database is away.
TELEGRAM_AWAY: Final = (
    TelegramRetryAfter,
    TelegramNetworkError,
    TelegramServerError,
    ClientDecodeError,
    *TOKEN_REFUSED,
)
NOT_ITS_FAULT: Final = (DatabaseUnavailable, *TELEGRAM_AWAY)
FAILURES_AT_MOST: Final = 5
FAILURES_REMEMBERED: Final = 1000
AGAIN_S: Final = 5.0
POLL_S: Final = 25
POLL_ENDS_EARLIER_S: Final = 1.0  # than the lease, so that no poll outlives it
CONFIRM_S: Final = 5
WEBHOOK_STANDS: Final = "webhook"  # in a 409 for that: "webhook is active", "terminated by setWebhook request"
RETRY_S: Final = 2.0


@dataclass(slots=True)
class BotIntake:
    """`take` for the webhook, `poll` for polling; both end in the same handlers."""

    bot: Bot
    dispatcher: Dispatcher
    secret: str
    voice: Voice = SHOP_VOICE
    active: bool = False
    retry_s: float = RETRY_S
    _failures: OrderedDict[int, int] = field(default_factory=OrderedDict)

    async def take(self, body: bytes) -> bool:
        """One webhook request. False: no update.

        Errors: TryLater and DatabaseUnavailable, for which the caller says when to come again; bugs of a handler.
        """
        try:
            update = Update.model_validate_json(body, context={"bot": self.bot})
        except ValidationError:
            return False
        try:
            await self.handle(update)
        except TELEGRAM_AWAY as away:
            raise TryLater(type(away).__name__, _retry_after_s(away, AGAIN_S)) from away
        return True

    async def handle(self, update: Update) -> None:
        """Deals with an update; one that fails again and again is given up, or it would block its chat for a day."""
        kind = _kind_of(update)
        with (
            correlated(update_id=update.update_id, bot_id=self.bot.id),
            span("update", generation_id=_ordered_by(update), kind=kind, update_id=update.update_id),
            timed(UPDATES, str(self.bot.id), kind) as dealing,
            speaking(self.voice),
        ):
            try:
                with answering():
                    await self.dispatcher.feed_update(self.bot, update)
                dealing.outcome = "done"
            except NOT_ITS_FAULT:
                dealing.outcome = "again"
                raise  # it is worth any number of tries
            except Exception:
                dealing.outcome = "failed"
                log.exception("update.failed", failures=self._count_failure(update.update_id))
                if self._failures.get(update.update_id, 0) < FAILURES_AT_MOST:
                    raise
                dealing.outcome = "given_up"
                log.error("update.given_up")  # noqa: TRY400 - its traceback was logged a line before
            self._failures.pop(update.update_id, None)

    def _count_failure(self, update_id: int) -> int:
        self._failures[update_id] = self._failures.get(update_id, 0) + 1
        while len(self._failures) > FAILURES_REMEMBERED:
            self._failures.popitem(last=False)
        return self._failures[update_id]

    async def poll(self, leader: Leader, stopping: asyncio.Event) -> None:
        """Asks for updates until `stopping`, while this replica leads; the offset moves only past what was dealt with.

        Nothing is asked for or dealt with once the lease is over; whoever leads next is given it again.
        Errors: TokenRefused.
        """
        try:
            async with leader.standing():
                while not stopping.is_set():
                    await unless_stopped(stopping, leader.until_leading())
                    with contextlib.suppress(LeadershipLost):
                        await self._poll_as_leader(leader, stopping)
                    self.active = False
        finally:
            self.active = False

    async def _poll_as_leader(self, leader: Leader, stopping: asyncio.Event) -> None:
        """Errors: LeadershipLost, TokenRefused."""
        offset: int | None = None
        if leader.leads and not stopping.is_set():
            await leader.while_leading(self._take_webhook_away(stopping))
        while leader.leads and not stopping.is_set():
            updates = await leader.while_leading(self._get_updates(leader, offset, stopping))
            done = await leader.while_leading(self._handle_all(updates, stopping))
            if updates and done:
                offset = updates[-1].update_id + 1
        self.active = False
        if offset is not None:
            await leader.while_leading(self._confirm(offset))

    async def _take_webhook_away(self, stopping: asyncio.Event) -> None:
        """Polling would meet it as a conflict; what waits for it is kept. Errors: TokenRefused."""
        try:
            await unless_stopped(stopping, self.bot.delete_webhook(drop_pending_updates=False))
        except TOKEN_REFUSED as refusal:
            raise TokenRefused from refusal
        except (TelegramAPIError, ClientDecodeError) as error:  # if it stands, the next poll says so
            log.warning("polling.webhook_stays", error=type(error).__name__)

    async def _confirm(self, offset: int) -> None:
        """Tells Telegram what was dealt with, so that the next process is not given it again; repeats do no harm."""
        try:
            await self.bot.get_updates(offset=offset, limit=1, timeout=0, request_timeout=CONFIRM_S)
        except (TelegramAPIError, ClientDecodeError) as error:
            log.info("polling.not_confirmed", error=type(error).__name__)

    async def _get_updates(self, leader: Leader, offset: int | None, stopping: asyncio.Event) -> Sequence[Update]:
        patience_s = int(min(POLL_S, leader.left_s - POLL_ENDS_EARLIER_S))
        if patience_s < 1:  # a poll would outlive the lease, and asking without waiting would be a storm
            await pause(stopping, leader.left_s)
            return ()
        if not self.active:  # the first answer says that we may poll: it is not waited for
            patience_s = 0
        asking = self.bot.get_updates(
            offset=offset,
            timeout=patience_s,
            allowed_updates=list(ALLOWED_UPDATES),
            request_timeout=patience_s + 10,
        )
        try:
            updates = await unless_stopped(stopping, asking)
        except TOKEN_REFUSED as refusal:
            raise TokenRefused from refusal
        except TelegramConflictError as conflict:
            await self._give_way(conflict, leader, stopping)
        except TelegramRetryAfter as wait:
            await pause(stopping, wait.retry_after)
        except (TelegramAPIError, ClientDecodeError) as error:  # the latter is a gateway's page in place of JSON
            log.warning("polling.failed", error=type(error).__name__)
            await pause(stopping, self.retry_s)
        else:
            self.active = updates is not None
            return updates or ()
        return ()

    async def _give_way(self, conflict: TelegramConflictError, leader: Leader, stopping: asyncio.Event) -> None:
        """To another poller for a while; a webhook that somebody set is none, and goes. Errors: TokenRefused."""
        self.active = False
        if says(conflict, WEBHOOK_STANDS):
            log.warning("polling.webhook_found")
            await self._take_webhook_away(stopping)
            await pause(stopping, self.retry_s)
        else:
            log.warning("polling.conflict", wait_s=leader.terms.ttl_s)
            await leader.step_back()

    async def _handle_all(self, updates: Sequence[Update], stopping: asyncio.Event) -> bool:
        """Chats side by side, each in order. False: stopped with some undone; Telegram will give them all again."""
        by_chat: defaultdict[int | None, list[Update]] = defaultdict(list)
        for update in updates:
            by_chat[_chat_of(update)].append(update)
        return all(await asyncio.gather(*(self._handle_in_order(queue, stopping) for queue in by_chat.values())))

    async def _handle_in_order(self, updates: Sequence[Update], stopping: asyncio.Event) -> bool:
        return all([await self._handle_until_done(update, stopping) for update in updates])

    async def _handle_until_done(self, update: Update, stopping: asyncio.Event) -> bool:
        """Once at least, also when stopping: a batch is confirmed as a whole, or given to the next one as a whole."""
        while True:
            try:
                await self.handle(update)
            except TOKEN_REFUSED:
                return False  # the next poll meets it, too
            except Exception as error:  # noqa: BLE001 - the boundary: `handle` has logged it and counts to its end
                log.info("update.again", update_id=update.update_id, error=type(error).__name__)
                if stopping.is_set():
                    return False
                await pause(stopping, _retry_after_s(error, self.retry_s))
            else:
                return True


def _kind_of(update: Update) -> str:
    kinds = (kind for kind in ALLOWED_UPDATES if getattr(update, kind, None) is not None)
    return next(kinds, OTHER)


def _ordered_by(update: Update) -> int | None:
    """The order that this press makes: its trace begins here."""
    press = unpack(update.callback_query.data or "") if update.callback_query else None
    return press.generation_id if isinstance(press, Create) else None


def _chat_of(update: Update) -> int | None:
    event = update.event
    message = getattr(event, "message", None) or event
    chat = getattr(message, "chat", None)
    return chat.id if chat else None


def _retry_after_s(error: Exception, otherwise_s: float) -> float:
    return error.retry_after if isinstance(error, TelegramRetryAfter) else otherwise_s
