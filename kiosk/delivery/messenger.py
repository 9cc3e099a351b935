"""What delivery needs of a messenger: nine things to show, and a closed set of answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias

from kiosk.delivery.fetch import Download
from kiosk.delivery.wording import Wording


@dataclass(frozen=True, slots=True)
class Recipient:
    """Where a generation is shown, and what its texts need."""

    chat_id: int
    message_id: int  # the status message; 0: there is none any more
    language: Literal["ru", "en"]
    generation_id: int
    model_id: str
    price_kopecks: int
    late: bool
    failure: str | None
    shown_as: int | None  # the message that holds the result, once there is one


@dataclass(frozen=True, slots=True)
class Standing:
    """What an unfinished order is, and where it stands: `place` in line, counted from 1, or None while it is made.

    `why` it waits is one of `busy`, `trouble`, `paused`.
    """

    generation_id: int
    model_id: str
    inputs: Mapping[str, Any]
    place: int | None
    why: str | None


@dataclass(frozen=True, slots=True)
class Link:
    """A result too big to upload: its address, which expires."""

    url: str


@dataclass(frozen=True, slots=True)
class Expired:
    """A file that its maker has deleted by now; what Telegram showed of it is all that is left."""


Content: TypeAlias = Download | Wording | Link | Expired


@dataclass(frozen=True, slots=True)
class Sent:
    """It is in the chat. `suffers`: as a photo that lacks what was paid for, so the file itself has to follow.

    `as_file`: as the file itself, so nothing has to. `seconds`: how long it plays there.
    """

    message_id: int
    file_id: str | None = None
    suffers: bool = False
    as_file: bool = False
    seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Blocked:
    """Nothing can reach this customer until they come back: they blocked the bot, or the chat is gone."""


@dataclass(frozen=True, slots=True)
class Moved:
    """Not shown: the group became a supergroup, which has another number and messages of its own."""

    chat_id: int


@dataclass(frozen=True, slots=True)
class StatusGone:
    """The status message cannot be edited: deleted, or not of a kind that takes this."""


@dataclass(frozen=True, slots=True)
class FileRefused:
    """This file is not accepted in this form: try the next rung."""

    why: str


@dataclass(frozen=True, slots=True)
class Busy:
    """Certainly not shown; again after `retry_after_s`. Only a download that failed counts as a try."""

    retry_after_s: float
    counts: bool = False


@dataclass(frozen=True, slots=True)
class Unknown:
    """It may or may not be in the chat: the reply was lost."""

    why: str


NotShown: TypeAlias = Blocked | Moved | StatusGone | FileRefused | Busy | Unknown
Shown: TypeAlias = Sent | NotShown


AlbumShown: TypeAlias = tuple[Sent, ...] | NotShown


class Messenger(Protocol):
    """Implemented by `kiosk.bot.messenger`; repeating an edit leaves the chat as it is."""

    async def put_status(self, to: Recipient, standing: Standing) -> Shown:
        """Says in the status message where an unfinished order stands."""

    async def put_canceled(self, to: Recipient) -> Shown:
        """Says there that it was canceled, and that the money is back."""

    async def put_result(self, to: Recipient, content: Content, *, as_document: bool) -> Shown:
        """Turns the status message into the result."""

    async def send_result(self, to: Recipient, content: Content, *, as_document: bool) -> Shown:
        """The result as a new message, when the status message is gone."""

    async def send_extra(self, to: Recipient, content: Content, *, as_document: bool) -> Shown:
        """A further file in reply to the result."""

    async def send_album(self, to: Recipient, files: Sequence[Download], *, as_documents: bool) -> AlbumShown:
        """Two to ten further files in one reply: all of them or none."""

    async def ring(self, to: Recipient) -> Shown:
        """A short message that makes the phone ring: an edit does not."""

    async def put_failure(self, to: Recipient) -> Shown:
        """Turns the status message into the reason and a way to try again."""

    async def send_failure(self, to: Recipient) -> Shown:
        """The same as a new message, when the status message is gone."""
