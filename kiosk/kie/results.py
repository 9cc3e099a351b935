"""What a finished task produced, read from each of the shapes in which the provider says it."""

from collections.abc import Iterator
from dataclasses import dataclass

from kiosk.kie.document import JSON, NotJson, number_of, object_of, parse_json, text_of, url_of

MAX_FILES = 64
MAX_ID_CHARS = 200

_URL_KEYS = ("resultUrls", "result_urls", "urls")
_URL_KEYS_IN_OBJECT = (*_URL_KEYS, "mask_urls", "maskUrls")
_TRACK_LISTS = ("data", "sunoData")
_AUDIO_KEYS = ("audio_url", "audioUrl")


@dataclass(frozen=True, slots=True)
class Track:
    """One piece of music, with what a player shows beside it; `id` is its name in later tasks, "" where it has none."""

    url: str
    title: str
    duration_s: float | None
    cover_url: str | None
    id: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """Addresses of the files (they expire: download at once), or the object of a model that answers in words."""

    urls: tuple[str, ...] = ()
    object: JSON = None
    tracks: tuple[Track, ...] = ()
    first_frame_urls: tuple[str, ...] = ()
    last_frame_urls: tuple[str, ...] = ()

    @property
    def usable(self) -> bool:
        """False for a success that delivers nothing, which counts as a failure."""
        return bool(self.urls) or bool(self.object)


NOTHING = Result()


def read_result(record: dict[str, JSON]) -> Result:
    """The result in `resultJson` (JSON text or object), else in `response`, else in the record itself."""
    for place in (record.get("resultJson"), record.get("response"), record):
        result = _read_place(object_of(place))
        if result.usable:
            return result
    return NOTHING


def _read_place(place: dict[str, JSON]) -> Result:
    tracks = _read_tracks(place)
    said = _read_object(place.get("resultObject"))
    urls = _find_urls(place, _URL_KEYS) or _find_urls(object_of(said), _URL_KEYS_IN_OBJECT)
    return Result(
        urls=urls or tuple(track.url for track in tracks),
        object=said,
        tracks=tracks,
        first_frame_urls=_read_urls(place.get("firstFrameUrl")),
        last_frame_urls=_read_urls(place.get("lastFrameUrl")),
    )


def _find_urls(place: dict[str, JSON], keys: tuple[str, ...]) -> tuple[str, ...]:
    return next((found for key in keys if (found := _read_urls(place.get(key)))), ())


def _read_object(value: JSON) -> JSON:
    # Like resultJson itself, it may arrive as the text of JSON; a plain text is a result too.
    if not isinstance(value, str):
        return value
    try:
        return parse_json(value)
    except NotJson:
        return value


def _read_urls(value: JSON) -> tuple[str, ...]:
    """Addresses out of a list, a single text, or the JSON text of a list; without repeats, in order, bounded."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        value = _read_object(value)
    items = value if isinstance(value, list) else [value]
    found = dict.fromkeys(url for item in items if (url := url_of(item)) is not None)
    return tuple(found)[:MAX_FILES]


def _read_tracks(place: dict[str, JSON]) -> tuple[Track, ...]:
    found = {track.url: track for track in _tracks(place)}
    return tuple(found.values())[:MAX_FILES]


def _tracks(place: dict[str, JSON]) -> Iterator[Track]:
    for entry in _track_entries(place):
        url = _first_url(entry, _AUDIO_KEYS)
        if url is not None:
            duration = number_of(entry.get("duration"))
            yield Track(
                url=url,
                title=text_of(entry.get("title")),
                duration_s=float(duration) if duration is not None and duration > 0 else None,
                cover_url=_first_url(entry, ("image_url", "imageUrl")),
                id=_id_of(entry),
            )


def _id_of(entry: dict[str, JSON]) -> str:
    found = text_of(entry.get("id"))
    return found if len(found) <= MAX_ID_CHARS else ""


def _track_entries(place: dict[str, JSON]) -> Iterator[dict[str, JSON]]:
    for key in _TRACK_LISTS:
        entries = place.get(key)
        if isinstance(entries, list):
            yield from (entry for entry in entries if isinstance(entry, dict))


def _first_url(entry: dict[str, JSON], keys: tuple[str, ...]) -> str | None:
    return next((url for key in keys if (url := url_of(entry.get(key))) is not None), None)
