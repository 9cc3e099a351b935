"""Outputs to parcels, and a file to the ways of sending it; pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from kiosk.catalog.vocabulary import ModelType


class Media(StrEnum):
    """The CHECK `deliveries_media` lists the same words."""

    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    TEXT = "text"


# Of these the file itself is what was paid for: a photo of it would undo the work.
EXACT: Final = frozenset({ModelType.UPSCALE, ModelType.BACKGROUND_REMOVAL})


class Part(StrEnum):
    """The CHECK `deliveries_part` lists the same words."""

    RESULT = "result"  # goes into the status message
    EXTRA = "extra"  # further files, in reply to it
    NOTICE = "notice"  # the short reply that rings
    ORIGINAL = "original"  # the file behind a picture, for whoever asked for it
    FAILURE = "failure"  # the status message says why there is no result


@dataclass(frozen=True, slots=True)
class Output:
    """One file of a result, where the provider keeps it.

    `title`, whole seconds and the address of a `cover` where the provider tells them. `exact`: the file itself is what
    was paid for, so a compressed picture of it is not enough. `task_id` made it; `track_id` is the
    provider's name for this piece of music, None where it has none.
    """

    media: Media
    url: str
    title: str = ""
    duration_s: int | None = None
    cover: str = ""
    exact: bool = False
    task_id: str | None = None
    track_id: str | None = None


@dataclass(frozen=True, slots=True)
class Parcel:
    """One thing that must reach the chat, once."""

    part: Part
    position: int
    media: Media
    source: str
    title: str = ""
    duration_s: int | None = None
    cover: str = ""
    task_id: str | None = None
    track_id: str | None = None


def result_parcels(outputs: Sequence[Output], *, rings: bool = True) -> tuple[Parcel, ...]:
    """The first output turns the status message into the result, the others follow, then the notice.

    Last come the files behind pictures of which a compressed copy is not enough. Without a chat (`rings` is False)
    there is neither: whoever fetches a picture fetches its file.
    """
    first, *others = outputs
    return (
        _parcel(Part.RESULT, 0, first),
        *(_parcel(Part.EXTRA, n, output) for n, output in enumerate(others, start=1)),
        *(
            (
                Parcel(Part.NOTICE, 0, Media.TEXT, ""),
                *(
                    Parcel(Part.ORIGINAL, n, output.media, output.url)
                    for n, output in enumerate(outputs)
                    if output.exact and output.media is Media.IMAGE
                ),
            )
            if rings
            else ()
        ),
    )


def _parcel(part: Part, position: int, output: Output) -> Parcel:
    return Parcel(
        part,
        position,
        output.media,
        output.url,
        output.title,
        output.duration_s,
        output.cover,
        output.task_id,
        output.track_id,
    )


def failure_parcels() -> tuple[Parcel, ...]:
    """The status message tells of the failure; there is nothing else to send."""
    return (Parcel(Part.FAILURE, 0, Media.TEXT, ""),)


class Rung(StrEnum):
    """A way of showing a file, best first."""

    KIND = "kind"  # as a photo, video or audio
    DOCUMENT = "document"
    LINK = "link"


PHOTO_LIMIT_BYTES: Final = 10 * 1024 * 1024


def ladder(media: Media, size_bytes: int, upload_limit_bytes: int, *, photo: bool = True) -> tuple[Rung, ...]:
    """The rungs to try in turn (Bot API, "Sending files"); the last one cannot be refused for its file.

    `photo`: whether a picture is one that Telegram can show.
    """
    if size_bytes > upload_limit_bytes:
        return (Rung.LINK,)
    if media is Media.IMAGE and (size_bytes > PHOTO_LIMIT_BYTES or not photo):
        return (Rung.DOCUMENT, Rung.LINK)
    return (Rung.KIND, Rung.DOCUMENT, Rung.LINK)


ALBUM_AT_MOST: Final = 10  # Bot API, sendMediaGroup


class Like(StrEnum):
    """Files that one album may hold (Bot API, sendMediaGroup): sounds and documents go among themselves."""

    SEEN = "seen"
    HEARD = "heard"
    FILES = "files"


def like(part: Part, media: Media, source: str) -> Like | None:
    """None: it goes by itself. Words, a `data:` address, may be a message, and the first file is an edit."""
    if part is Part.ORIGINAL:
        return Like.FILES
    if part is not Part.EXTRA or source.startswith("data:"):
        return None
    return {Media.IMAGE: Like.SEEN, Media.VIDEO: Like.SEEN, Media.AUDIO: Like.HEARD}.get(media)
