"""Files against what inputs want, references against texts, and addresses against our own network."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.catalog.model import Media, MediaType
from kiosk.catalog.reference import Reference, playing_time, read_reference
from kiosk.catalog.shelf import default_shelf
from kiosk.media.fit import MIB, Facts, Flaw, is_timed, misfit, too_long_together
from kiosk.media.links import is_public

PICTURE = Facts(MediaType.IMAGE, "jpg", "image/jpeg", 3 * MIB)
CLIP = Facts(MediaType.VIDEO, "mp4", "video/mp4", 3 * MIB, 12)


@pytest.mark.parametrize(
    ("wanted", "facts", "flaw"),
    [
        (Media(MediaType.IMAGE), PICTURE, None),
        (Media(MediaType.IMAGE, ("jpeg",)), PICTURE, None),
        (Media(MediaType.IMAGE, ("png",)), PICTURE, Flaw.WRONG_FORMAT),
        (Media(MediaType.VIDEO), PICTURE, Flaw.WRONG_KIND),
        (Media(MediaType.IMAGE, max_size_mb=3), PICTURE, None),
        (Media(MediaType.IMAGE, max_size_mb=2), PICTURE, Flaw.TOO_BIG),
        (Media(MediaType.VIDEO, max_seconds=12), CLIP, None),
        (Media(MediaType.VIDEO, max_seconds=11), CLIP, Flaw.TOO_LONG),
        (Media(MediaType.VIDEO, min_seconds=13), CLIP, Flaw.TOO_SHORT),
        (Media(MediaType.VIDEO, max_seconds=12), Facts(MediaType.VIDEO, "mp4", "", 1), Flaw.UNKNOWN_LENGTH),
        (Media(MediaType.VIDEO), Facts(MediaType.VIDEO, "mp4", "", 1), None),
        (Media(MediaType.VIDEO, max_size_mb=500), Facts(MediaType.VIDEO, "mp4", "", 21 * MIB, 1), Flaw.TOO_BIG),
    ],
)
def test_files_fit_or_say_why_not(wanted: Media, facts: Facts, flaw: Flaw | None) -> None:
    """Kind, format, size and length, in this order; and never more than we can carry."""
    found = misfit(wanted, facts, timed=False, most_bytes=20 * MIB)
    assert (found.flaw if found else None) is flaw


def test_length_is_wanted_where_it_decides() -> None:
    """By the second, or by a rule: then a file that hides its length does not do."""
    shelf = default_shelf()
    assert is_timed(shelf.get("wan/2-2-animate-move"), "video_url")
    assert not is_timed(shelf.get("wan/2-2-animate-move"), "image_url")
    timed = shelf.get("wan/3-0-video")
    assert is_timed(timed, "reference_video_urls")
    wanted = Media(MediaType.VIDEO)
    together = ["media:1:8", "media:2:7"]
    assert too_long_together(timed, "reference_video_urls", wanted, together) is None
    assert too_long_together(timed, "reference_video_urls", wanted, [*together, "media:3:1"]) is not None
    assert misfit(wanted, Facts(MediaType.VIDEO, "mp4", "", 1), timed=True, most_bytes=MIB) is not None


@given(st.integers(1, 10**18 - 1), st.none() | st.integers(0, 999_999))
def test_reference_is_read_back(media_id: int, seconds: int | None) -> None:
    """What is written into the inputs is read back the same."""
    reference = Reference(media_id, seconds)
    assert read_reference(str(reference)) == reference


@pytest.mark.parametrize(
    "text", ["", "media:", "media:0", "media:x", " media:1", "media:1:", "https://x/media:1", None]
)
def test_other_texts_are_no_reference(text: str | None) -> None:
    """An address is an address."""
    assert read_reference(text) is None


def test_playing_time_is_known_of_all_files_or_not_at_all() -> None:
    """A sum with a gap would be a wrong price."""
    assert playing_time("media:1:7") == 7
    assert playing_time(["media:1:7", "media:2:5"]) == 12
    assert playing_time(["media:1:7", "media:2"]) is None
    assert playing_time([]) is None
    assert playing_time("https://x.example/a.mp4") is None


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1:248:1893:25c8:1946", True),
        ("127.0.0.1", False),
        ("10.0.0.1", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),  # noqa: S104 - to be refused
        ("224.0.0.1", False),
        ("::1", False),
        ("::", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("2002:7f00:1::", False),
        ("::127.0.0.1", False),
        ("64:ff9b::7f00:1", False),
    ],
)
def test_addresses_inside_are_not_public(address: str, public: bool) -> None:
    """Loopback, private, link-local, shared, multicast, and IPv4 wrapped in IPv6."""
    assert is_public(address) is public
