"""Small files to order with where any will do: a picture, a clip of three seconds, a sound of as many."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from kiosk.catalog.example import SAMPLES
from kiosk.catalog.model import MediaType
from kiosk.catalog.reference import read_reference

_HERE: Final = Path(__file__).parent
FILES: Final[Mapping[MediaType, Path]] = {
    MediaType.IMAGE: _HERE / "picture.jpg",
    MediaType.VIDEO: _HERE / "clip.mp4",
    MediaType.AUDIO: _HERE / "sound.mp3",
}
_BY_NUMBER: Final = {sample.media_id: FILES[media] for media, sample in SAMPLES.items()}


def with_samples(value: Any) -> Any:
    """An input of an example, with the files that it names."""
    if isinstance(value, list):
        return [with_samples(one) for one in value]
    found = read_reference(value)
    return _BY_NUMBER[found.media_id] if found else value
