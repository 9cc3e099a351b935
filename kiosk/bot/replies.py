"""What the desk is told of a press, what it waits for, and what it answers; values only."""

from dataclasses import dataclass

from kiosk.bot.screens import Screen
from kiosk.catalog.form import Question
from kiosk.catalog.model import Media
from kiosk.generations.store import Generation
from kiosk.media.fit import Facts
from kiosk.media.store import Source


@dataclass(frozen=True, slots=True)
class Reply:
    """What the visitor is to see.

    `screen` None: nothing but the toast. `draft`: the wizard that this screen shows, to be told where it landed.
    `order_id`: the order whose status this is, to be looked at once more after it was shown. `replaces`: the message
    of the wizard's earlier screen, to be taken away.
    """

    screen: Screen | None
    toast: str | None = None
    draft: Generation | None = None
    order_id: int | None = None
    replaces: int | None = None


@dataclass(frozen=True, slots=True)
class Pressed:
    """A button was pressed under this message, by this update."""

    chat_id: int
    message_id: int
    update_id: int
    data: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a draft asks for. `media`: what each file has to be, None: no file; `timed`: its length must be known."""

    draft_id: int
    asked: Question
    media: Media | None
    timed: bool


@dataclass(frozen=True, slots=True)
class Brought:
    """A file that was looked at. `album`: what the messages of an album have in common; `caption`: words beside it."""

    source: Source
    facts: Facts
    album: str | None = None
    caption: str = ""
