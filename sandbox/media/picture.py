"""A picture for a prompt: a seeded landscape or night sky of the asked proportions, with the prompt written on it."""

import colorsys
import hashlib
import io
import math
import random
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter, ImageFont

# Roboto, Apache License 2.0, from the package font-roboto: Pillow's own default font has no Cyrillic letters.
_FONT = Path(__file__).with_name("fonts") / "Roboto-Medium.ttf"
PIXELS = 1024 * 1024
_STEP = 16
_SCALE = 2
_MAX_LINES = 5
_FORMATS = {"png": "PNG", "jpeg": "JPEG", "jpg": "JPEG", "webp": "WEBP"}

Colour = tuple[int, int, int]


def size_of(ratio: str, pixels: int = PIXELS) -> tuple[int, int]:
    """Width and height of a ratio such as "16:9", both multiples of 16 and exact: 1280 x 720 for about a megapixel."""
    try:
        across, down = (int(part) for part in ratio.split(":"))
        times = math.isqrt(pixels // (across * down)) // _STEP * _STEP
    except (ValueError, ZeroDivisionError):
        return size_of("1:1", pixels)
    if across < 1 or down < 1:
        return size_of("1:1", pixels)
    return across * max(times, _STEP), down * max(times, _STEP)


def scene(prompt: str, size: tuple[int, int], variant: int = 0) -> Image.Image:
    """The artwork alone; another `variant` of the same prompt is another one."""
    chance = random.Random(hashlib.sha256(f"{variant}/{prompt}".encode()).digest())
    paint = chance.choice((_landscape, _landscape, _night))
    return paint(chance, size)


def encoded(image: Image.Image, extension: str) -> bytes:
    """The file's bytes; `extension` is png, jpeg, jpg or webp."""
    out = io.BytesIO()
    image.save(out, _FORMATS[extension], **({"compress_level": 3} if extension == "png" else {"quality": 88}))
    return out.getvalue()


def _colour(hue: float, saturation: float, value: float) -> Colour:
    red, green, blue = colorsys.hsv_to_rgb(hue % 1.0, min(max(saturation, 0.0), 1.0), min(max(value, 0.0), 1.0))
    return round(red * 255), round(green * 255), round(blue * 255)


def _gradient(size: tuple[int, int], colours: Sequence[Colour]) -> Image.Image:
    strip = Image.new("RGB", (1, len(colours)))
    strip.putdata(list(colours))
    return strip.resize(size, Image.Resampling.BICUBIC, box=(0, 0.4, 1, len(colours) - 0.4))


def _glow(image: Image.Image, centre: tuple[float, float], radius: float, colour: Colour, strength: float) -> None:
    """Lay a soft round light over the picture, computed small and enlarged since it has no edges."""
    small = 8
    mask = Image.new("L", (image.width // small, image.height // small))
    x, y, reach = centre[0] / small, centre[1] / small, radius / small
    ImageDraw.Draw(mask).ellipse((x - reach, y - reach, x + reach, y + reach), fill=round(255 * strength))
    mask = mask.filter(ImageFilter.GaussianBlur(reach * 0.6)).resize(image.size, Image.Resampling.BILINEAR)
    image.paste(colour, (0, 0, *image.size), mask)


def _disc(image: Image.Image, centre: tuple[float, float], radius: float, colour: Colour) -> None:
    x, y = centre
    ImageDraw.Draw(image).ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)


def _landscape(chance: random.Random, size: tuple[int, int]) -> Image.Image:
    """A low sun behind mist and rows of hills, each row darker than the one behind it."""
    width, height = size[0] * _SCALE, size[1] * _SCALE
    hue, warm = chance.random(), chance.choice((0.02, 0.06, 0.09, 0.92))
    sky = [_colour(hue, 0.55, 0.45), _colour(hue + 0.03, 0.45, 0.75), _colour(warm, 0.45, 0.96), _colour(warm, 0.3, 1)]
    image = _gradient((width, height), sky)
    sun = (chance.uniform(0.2, 0.8) * width, chance.uniform(0.28, 0.42) * height)
    radius = chance.uniform(0.06, 0.1) * min(width, height)
    _glow(image, sun, radius * 4, _colour(warm + 0.03, 0.35, 1), 0.75)
    _disc(image, sun, radius, _colour(warm + 0.04, 0.16, 1))
    rows = 6
    for row in range(rows):
        depth = row / (rows - 1)
        line = (0.46 + 0.4 * depth) * height
        _hills(image, chance, line, depth, _colour(hue + 0.02 * depth, 0.25 + 0.4 * depth, 0.78 - 0.62 * depth))
    return image.reduce(_SCALE)


def _hills(image: Image.Image, chance: random.Random, line: float, depth: float, colour: Colour) -> None:
    rise = image.height * (0.05 + 0.05 * (1 - depth))
    waves = [(chance.uniform(0.6, 1.4) * 2**octave, chance.uniform(0, math.tau), 0.55**octave) for octave in range(6)]

    def height(x: int) -> float:
        return sum(part * math.sin(math.tau * pace * x / image.width + shift) for pace, shift, part in waves)

    ridge = [(x, line + rise * height(x)) for x in range(0, image.width + 8, 8)]
    ImageDraw.Draw(image).polygon([*ridge, (image.width + 8, image.height), (0, image.height)], fill=colour)


def _night(chance: random.Random, size: tuple[int, int]) -> Image.Image:
    """Stars, clouds of coloured light and a ringed planet."""
    width, height = size[0] * _SCALE, size[1] * _SCALE
    hue = chance.uniform(0.5, 0.95)
    image = _gradient((width, height), [_colour(hue, 0.8, 0.1), _colour(hue + 0.05, 0.7, 0.22), _colour(hue, 0.6, 0.3)])
    for _ in range(6):
        place = chance.uniform(0, width), chance.uniform(0, height * 0.9)
        tint = _colour(hue + chance.uniform(-0.18, 0.18), 0.65, 0.85)
        _glow(image, place, chance.uniform(0.12, 0.3) * max(width, height), tint, chance.uniform(0.15, 0.4))
    draw = ImageDraw.Draw(image)
    for _ in range(240):
        x, y, spot = chance.uniform(0, width), chance.uniform(0, height), chance.choice((1, 1, 2, 2, 3)) * _SCALE / 2
        draw.ellipse((x - spot, y - spot, x + spot, y + spot), fill=_colour(hue, chance.uniform(0, 0.3), 1))
    _planet(image, chance, hue)
    return image.reduce(_SCALE)


def _planet(image: Image.Image, chance: random.Random, hue: float) -> None:
    radius = chance.uniform(0.14, 0.2) * min(image.size)
    x, y = chance.uniform(0.3, 0.7) * image.width, chance.uniform(0.28, 0.42) * image.height
    warm = hue + chance.uniform(0.3, 0.4)
    _glow(image, (x, y), radius * 1.5, _colour(warm, 0.5, 1), 0.35)
    ring = (x - radius * 1.8, y - radius * 0.34, x + radius * 1.8, y + radius * 0.4)
    draw, band = ImageDraw.Draw(image), round(radius * 0.07)
    draw.arc(ring, 180, 360, fill=_colour(warm, 0.35, 0.7), width=band)
    side = round(radius * 2)
    shades = [_colour(warm + 0.04 * step, 0.3 + 0.12 * step, 1 - 0.14 * step) for step in range(5)]
    ball = _gradient((side, side), shades).rotate(25, Image.Resampling.BICUBIC, fillcolor=shades[2])
    mask = Image.new("L", (side, side))
    ImageDraw.Draw(mask).ellipse((0, 0, side - 1, side - 1), fill=255)
    image.paste(ball, (round(x - radius), round(y - radius)), mask)
    draw.arc(ring, 0, 180, fill=_colour(warm, 0.18, 1), width=band)


def caption(image: Image.Image, prompt: str) -> None:
    """Write the prompt in white on a darkened foot of the picture, as large as fits in a few lines."""
    margin = round(min(image.size) * 0.06)
    text_size = max(round(min(image.size) * 0.05), 12)
    lines = _wrapped(prompt, _font(text_size), image.width - 2 * margin)
    line_height = round(text_size * 1.3)
    top = image.height - margin - line_height * len(lines)
    shade = Image.new("L", (1, image.height))
    start = max(top - 2 * margin, 0)
    shade.putdata([round(165 * min(max(y - start, 0) / (2 * margin), 1.0)) for y in range(image.height)])
    image.paste((8, 8, 16), (0, 0, *image.size), shade.resize(image.size))
    draw = ImageDraw.Draw(image)
    for number, line in enumerate(lines):
        draw.text((margin, top + number * line_height), line, font=_font(text_size), fill="white")


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(_FONT), size)


def _wrapped(prompt: str, font: ImageFont.FreeTypeFont, width: int) -> list[str]:
    """At most a few lines no wider than `width`, the last one ending in an ellipsis when words are left over."""
    lines = [""]
    for word in _drawable(prompt).split():
        grown = f"{lines[-1]} {word}".strip()
        if font.getlength(grown) <= width:
            lines[-1] = grown
        elif len(lines) == _MAX_LINES:
            lines[-1] = _shortened(lines[-1] + " ", font, width)
            break
        else:
            lines.append(word if font.getlength(word) <= width else _shortened(word, font, width))
    return [line for line in lines if line]


def _shortened(text: str, font: ImageFont.FreeTypeFont, width: int) -> str:
    while text and font.getlength(f"{text}…") > width:
        text = text[:-1]
    return f"{text.rstrip()}…"


def _drawable(text: str) -> str:
    """Leave out what the font cannot draw: it knows Latin, Greek, Cyrillic and common punctuation."""
    return "".join(letter if ord(letter) < 0x530 or 0x2010 <= ord(letter) <= 0x2122 else " " for letter in text[:1000])
