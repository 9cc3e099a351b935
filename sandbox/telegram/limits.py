"""How much Telegram takes: sizes and counts of the Bot API, and the pace at which a bot may write."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

from sandbox.telegram.errors import TooManyRequests

MIB = 1024 * 1024

# https://core.telegram.org/bots/api#sending-files
UPLOAD_BYTES = 50 * MIB
PHOTO_BYTES = 10 * MIB
PHOTO_SIDES_SUM = 10_000
PHOTO_RATIO = 20
URL_PHOTO_BYTES = 5 * MIB
URL_FILE_BYTES = 20 * MIB
# https://core.telegram.org/bots/api#getfile
DOWNLOAD_BYTES = 20 * MIB

TEXT_CHARS = 4096
CAPTION_CHARS = 1024
CALLBACK_DATA_BYTES = 64
CALLBACK_ANSWER_CHARS = 200
KEYBOARD_BUTTONS = 100
ALBUM_ITEMS = range(2, 11)
# "thumbnail" of sendVideo, sendAudio and sendDocument.
COVER_BYTES = 200 * 1024
COVER_SIDE = 320
COMMANDS = 100
UPDATES_PER_CALL = 100
LONG_POLL_S = 50
UPDATES_KEPT_S = 24 * 3600

# Bounds of the stand-in itself, so that a run-away test ends with an error instead of a full machine.
CUSTOMER_FILE_BYTES = 64 * MIB
STORED_BYTES = 4096 * MIB
PENDING_UPDATES = 100_000
MESSAGES_PER_CHAT = 5_000
EVENTS_PER_CHAT = 500

SENDING = frozenset(
    {
        "copyMessage",
        "sendAnimation",
        "sendAudio",
        "sendDocument",
        "sendInvoice",
        "sendMediaGroup",
        "sendMessage",
        "sendPhoto",
        "sendVideo",
        "sendVoice",
    }
)


@dataclass(frozen=True, slots=True)
class FloodLimits:
    """The pace a bot may keep: messages per second overall and per chat, each with a burst on top."""

    overall_per_s: float = 30
    overall_burst: int = 30
    chat_per_s: float = 1
    chat_burst: int = 5


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at_s: float


class FloodGate:
    """Counts what each bot sends and refuses with 429 when it is too fast; without limits it lets all pass.

    It remembers who was told to wait, be it for a limit or on purpose, and notices who does not.
    """

    _CHATS_REMEMBERED = 10_000

    def __init__(self, limits: FloodLimits | None, clock: Callable[[], float]) -> None:
        self._limits = limits
        self._clock = clock
        self._buckets: OrderedDict[tuple[int, str], _Bucket] = OrderedDict()
        self._told: OrderedDict[tuple[int, str], float] = OrderedDict()

    def tell_to_wait(self, bot_id: int, chat_id: str, wait_s: float) -> None:
        """The bot is being told so."""
        self._told[bot_id, chat_id] = self._clock() + wait_s
        while len(self._told) > self._CHATS_REMEMBERED:
            self._told.popitem(last=False)

    def too_early(self, bot_id: int, chat_id: str) -> bool:
        """Whether the bot has come although it was told to wait with this chat."""
        return self._clock() < self._told.get((bot_id, chat_id), 0.0)

    def pass_or_refuse(self, bot_id: int, method: str, chat_id: str, messages: int = 1) -> None:
        """Counts what one call sends; raises TooManyRequests when the pace is exceeded, and then counts nothing.

        An album passes when a single message would, and whatever comes next waits for each of its messages.
        """
        if self._limits is None or method not in SENDING:
            return
        overall = self._bucket((bot_id, ""), self._limits.overall_per_s, self._limits.overall_burst)
        chat = self._bucket((bot_id, chat_id), self._limits.chat_per_s, self._limits.chat_burst)
        pause_s = max(
            (1 - overall.tokens) / self._limits.overall_per_s,
            (1 - chat.tokens) / self._limits.chat_per_s,
        )
        if pause_s > 0:
            raise TooManyRequests(ceil(pause_s))
        overall.tokens -= messages
        chat.tokens -= messages

    def _bucket(self, key: tuple[int, str], per_s: float, burst: int) -> _Bucket:
        now_s = self._clock()
        bucket = self._buckets.setdefault(key, _Bucket(burst, now_s))
        bucket.tokens = min(burst, bucket.tokens + (now_s - bucket.at_s) * per_s)
        bucket.at_s = now_s
        self._buckets.move_to_end(key)
        while len(self._buckets) > self._CHATS_REMEMBERED:
            self._buckets.popitem(last=False)
        return bucket
