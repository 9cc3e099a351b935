"""Outputs to parcels, and files to the forms in which they may be sent."""

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.delivery.plan import (
    PHOTO_LIMIT_BYTES,
    Media,
    Output,
    Part,
    Rung,
    failure_parcels,
    ladder,
    result_parcels,
)

MB = 1024 * 1024
LIMIT = 50 * MB
ALL, BULKY, LINK = (Rung.KIND, Rung.DOCUMENT, Rung.LINK), (Rung.DOCUMENT, Rung.LINK), (Rung.LINK,)


@pytest.mark.parametrize(
    ("media", "size_bytes", "rungs"),
    [
        (Media.IMAGE, 1, ALL),
        (Media.IMAGE, PHOTO_LIMIT_BYTES, ALL),
        (Media.IMAGE, PHOTO_LIMIT_BYTES + 1, BULKY),
        (Media.IMAGE, LIMIT, BULKY),
        (Media.IMAGE, LIMIT + 1, LINK),
        (Media.VIDEO, PHOTO_LIMIT_BYTES + 1, ALL),
        (Media.VIDEO, LIMIT, ALL),
        (Media.VIDEO, LIMIT + 1, LINK),
        (Media.AUDIO, LIMIT, ALL),
        (Media.TEXT, LIMIT + 1, LINK),
    ],
)
def test_ladder_at_the_limits(media: Media, size_bytes: int, rungs: tuple[Rung, ...]) -> None:
    """A photo is at most 10 MB, an upload at most the server's limit; what is over both is a link."""
    assert ladder(media, size_bytes, LIMIT) == rungs


@given(st.sampled_from(Media), st.integers(0, 10**10), st.integers(1, 2000 * MB))
def test_ladder_always_ends_with_a_link(media: Media, size_bytes: int, limit_bytes: int) -> None:
    """No file is so awkward that the customer gets nothing; what is too big is never uploaded in vain."""
    rungs = ladder(media, size_bytes, limit_bytes)
    assert rungs[-1] is Rung.LINK
    assert len(set(rungs)) == len(rungs)
    assert (rungs == LINK) == (size_bytes > limit_bytes)


@given(st.lists(st.builds(Output, st.sampled_from(Media), st.text(min_size=1)), min_size=1, max_size=12))
def test_every_output_is_one_parcel(outputs: list[Output]) -> None:
    """The first turns into the message, each other follows, one notice comes last; no place is used twice."""
    parcels = result_parcels(outputs)
    assert [parcel.part for parcel in parcels] == [Part.RESULT, *[Part.EXTRA] * (len(outputs) - 1), Part.NOTICE]
    assert [(parcel.media, parcel.source) for parcel in parcels[:-1]] == [(one.media, one.url) for one in outputs]
    assert len({(parcel.part, parcel.position) for parcel in parcels}) == len(parcels)


def test_failure_is_told_once_and_rings_nobody() -> None:
    """The message says why; the money is back, so there is nothing to hurry for."""
    (parcel,) = failure_parcels()
    assert parcel.part is Part.FAILURE
    known = {"part", "position", "media", "source", "title", "duration_s", "cover", "task_id", "track_id"}
    assert {field.name for field in fields(parcel)} == known
