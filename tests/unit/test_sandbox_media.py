"""The stand-ins hand out real files: pictures of the asked proportions, clips that play, sounds that are heard."""

import io
from fractions import Fraction

import av
import pytest
from PIL import Image, ImageChops, ImageFont

from sandbox.media import MAX_DURATION_S, MediaOrder, Studio, make
from sandbox.media.picture import caption, scene, size_of

RUSSIAN = "Рыжий кот в шляпе пьёт чай на веранде у моря"
FONT_PATH = "sandbox/media/fonts/Roboto-Medium.ttf"


def opened(order: MediaOrder) -> Image.Image:
    image = Image.open(io.BytesIO(make(order)))
    image.load()
    return image


@pytest.mark.parametrize(
    ("ratio", "size"),
    [
        ("1:1", (1024, 1024)),
        ("16:9", (1280, 720)),
        ("9:16", (720, 1280)),
        ("4:3", (1152, 864)),
        ("3:4", (864, 1152)),
        ("21:9", (1344, 576)),
    ],
)
def test_pictures_have_the_asked_proportions(ratio: str, size: tuple[int, int]) -> None:
    """About a megapixel, and exactly the ratio."""
    across, down = (int(part) for part in ratio.split(":"))
    assert size_of(ratio) == size
    assert Fraction(*size) == Fraction(across, down)


@pytest.mark.parametrize("ratio", ["", "auto", "0:1", "4:0", "-1:-1", "1:2:3", "x:y"])
def test_unreadable_proportions_are_square(ratio: str) -> None:
    """What is no ratio gives a square instead of an error."""
    assert size_of(ratio) == (1024, 1024)


@pytest.mark.parametrize(("extension", "kind"), [("png", "PNG"), ("jpeg", "JPEG"), ("jpg", "JPEG"), ("webp", "WEBP")])
def test_pictures_come_in_the_asked_format(extension: str, kind: str) -> None:
    """The bytes are what the extension says."""
    image = opened(MediaOrder("image", RUSSIAN, "16:9", extension))
    assert (image.format, image.size) == (kind, (1280, 720))


def test_same_order_gives_the_same_picture() -> None:
    """A prompt has one picture; another prompt or variant has another."""
    first = make(MediaOrder("image", RUSSIAN))
    assert first == make(MediaOrder("image", RUSSIAN))
    assert first != make(MediaOrder("image", f"{RUSSIAN}!"))
    assert first != make(MediaOrder("image", RUSSIAN, variant=1))


def test_picture_is_artwork_and_not_one_colour() -> None:
    """Bright and dark places, many colours."""
    image = scene(RUSSIAN, (640, 352))
    darkest, brightest = image.convert("L").getextrema()
    assert darkest < 80
    assert brightest > 150
    assert len(image.getcolors(maxcolors=640 * 352) or []) > 1000


def test_prompt_is_written_at_the_foot() -> None:
    """The words change the lower part of the picture, leave the upper half alone, and stay inside the margins."""
    plain = Image.new("RGB", (720, 1280), "black")
    written = plain.copy()
    caption(written, RUSSIAN)
    box = ImageChops.difference(plain, written).point(lambda value: 255 if value > 200 else 0).getbbox()
    assert box is not None
    left, top, right, bottom = box
    assert top > 640
    assert (left >= 40, right <= 680, bottom <= 1280) == (True, True, True)


def test_long_prompts_are_cut_short() -> None:
    """A prompt of a thousand words, or one endless word, leaves most of the picture free."""
    for prompt in ("слово " * 1000, "ж" * 1000):
        plain = Image.new("RGB", (1280, 720), "black")
        written = plain.copy()
        caption(written, prompt)
        box = ImageChops.difference(plain, written).point(lambda value: 255 if value > 200 else 0).getbbox()
        assert box is not None
        assert box[1] > 360
        assert box[2] <= 1280 - 40


def test_empty_and_undrawable_prompts_are_no_problem() -> None:
    """Nothing to write is fine, and what the font lacks is left out."""
    for prompt in ("", "🦊🦊", "漢字"):
        assert opened(MediaOrder("image", prompt, "9:16")).size == (720, 1280)


def test_font_draws_cyrillic() -> None:
    """Every Russian letter has a shape of its own, which a missing letter would not."""
    font = ImageFont.truetype(FONT_PATH, 40)
    letters = "АБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯабвгдежзийклмнопрстуфхцчшщъыьэюяЁё«»—№…"
    shapes = {bytes(font.getmask(letter)) for letter in letters}
    missing = bytes(font.getmask("\uffff"))
    assert missing not in shapes
    assert len(shapes) == len(letters)


@pytest.mark.parametrize(("ratio", "proportions"), [("16:9", Fraction(16, 9)), ("9:16", Fraction(9, 16))])
def test_clips_play(ratio: str, proportions: Fraction) -> None:
    """An MP4 with an H.264 picture of the asked proportions and length, and with sound."""
    content = make(MediaOrder("video", RUSSIAN, ratio, "mp4", duration_s=2))
    with av.open(io.BytesIO(content)) as clip:
        frames = [frame.to_image() for frame in clip.decode(video=0)]
        codecs = [stream.codec_context.name for stream in clip.streams]
    assert codecs == ["h264", "aac"]
    assert len(frames) == 48
    assert Fraction(*frames[0].size) == proportions
    assert ImageChops.difference(frames[0], frames[-1]).getbbox() is not None


@pytest.mark.parametrize(("extension", "codec"), [("mp3", "mp3float"), ("wav", "pcm_s16le")])
def test_sounds_are_heard(extension: str, codec: str) -> None:
    """A melody of the asked length that is not silence."""
    content = make(MediaOrder("audio", RUSSIAN, extension=extension, duration_s=3))
    with av.open(io.BytesIO(content)) as sound:
        assert sound.streams.audio[0].codec_context.name == codec
        assert sound.duration is not None
        assert round(sound.duration / av.time_base) == 3
        loudest = max(max(bytes(frame.planes[0])) for frame in sound.decode(audio=0))
    assert loudest > 0


def test_length_is_bounded() -> None:
    """However long a clip is asked for, it stays small."""
    content = make(MediaOrder("audio", RUSSIAN, extension="mp3", duration_s=10_000))
    with av.open(io.BytesIO(content)) as sound:
        assert sound.duration is not None
        assert round(sound.duration / av.time_base) == MAX_DURATION_S


async def test_studio_makes_pictures_of_the_asked_size() -> None:
    """Small ones for who wants many; the proportions stay."""
    small = await Studio(picture_pixels=256 * 256).get(MediaOrder("image", RUSSIAN, "16:9"))
    assert Image.open(io.BytesIO(small)).size == size_of("16:9", 256 * 256)


async def test_studio_keeps_what_it_made() -> None:
    """The same order again is not made again; what is too much is dropped, the oldest first."""
    first, second = MediaOrder("audio", "a", extension="mp3", duration_s=1), MediaOrder("audio", "b", extension="mp3")
    studio = Studio(max_kept_bytes=10)
    made = await studio.get(first)
    assert await studio.get(first) is made
    await studio.get(second)
    again = await studio.get(first)
    assert again is not made
    assert again == made
