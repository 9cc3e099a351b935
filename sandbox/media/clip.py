"""Clips and sounds for a prompt: a slow flight into its picture as H.264, and a seeded melody as WAV or MP3."""

import hashlib
import io
import math
import random
import wave
from array import array
from fractions import Fraction

import av
from PIL import Image

from sandbox.media.picture import caption, scene, size_of

RATE = 22050
_FRAMES_PER_S = 24
_CLIP_PIXELS = 640 * 400
_SCALE_NOTES = (0, 2, 4, 7, 9, 12, 14, 16)
_NOTE_S = 0.25


def clip(prompt: str, ratio: str, duration_s: float, variant: int = 0) -> bytes:
    """An MP4 file with a picture track of exactly the asked proportions and a quiet melody."""
    size = size_of(ratio, _CLIP_PIXELS)
    artwork = scene(prompt, size, variant)
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as container:
        video = container.add_stream("libx264", rate=_FRAMES_PER_S, options={"preset": "veryfast", "crf": "27"})
        video.width, video.height, video.pix_fmt = *size, "yuv420p"
        audio = container.add_stream("aac", rate=RATE, layout="mono")
        count = round(duration_s * _FRAMES_PER_S)
        for number in range(count):
            picture = _zoomed(artwork, prompt, number / count)
            frame = av.VideoFrame.from_image(picture)  # type: ignore[no-untyped-call]  # PyAV leaves it untyped
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        _encode_sound(container, audio, melody(prompt, duration_s, variant))
    return out.getvalue()


def sound(prompt: str, extension: str, duration_s: float, variant: int = 0) -> bytes:
    """A melody as a file; `extension` is wav or mp3."""
    samples = melody(prompt, duration_s, variant)
    out = io.BytesIO()
    if extension == "wav":
        with wave.open(out, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes(samples.tobytes())
        return out.getvalue()
    with av.open(out, "w", format="mp3") as container:
        _encode_sound(container, container.add_stream("libmp3lame", rate=RATE, layout="mono"), samples)
    return out.getvalue()


def melody(prompt: str, duration_s: float, variant: int = 0) -> "array[int]":
    """16-bit mono samples at 22,050 Hz: plucked notes of a pentatonic scale, in an order the prompt decides."""
    chance = random.Random(hashlib.sha256(f"{variant}/{prompt}".encode()).digest())
    base = chance.choice((196.0, 220.0, 246.9, 261.6))
    notes = [_note(base * 2 ** (step / 12)) for step in _SCALE_NOTES]
    samples, wanted = array("h"), round(duration_s * RATE)
    place = 0
    while len(samples) < wanted:
        place = min(max(place + chance.choice((-2, -1, 1, 1, 2, 3)), 0), len(notes) - 1)
        samples.extend(notes[place])
    return samples[:wanted]


def _note(frequency: float) -> "array[int]":
    turn = math.tau * frequency / RATE
    length = round(_NOTE_S * RATE)
    fade = RATE / 100
    return array(
        "h",
        (
            round(
                9000
                * math.exp(-4 * at / length)
                * min(1.0, at / fade, (length - at) / fade)
                * (math.sin(turn * at) + 0.4 * math.sin(2 * turn * at))
            )
            for at in range(length)
        ),
    )


def _zoomed(artwork: Image.Image, prompt: str, progress: float) -> Image.Image:
    cut = 0.1 * progress
    box = (artwork.width * cut, artwork.height * cut, artwork.width * (1 - cut), artwork.height * (1 - cut))
    frame = artwork.resize(artwork.size, Image.Resampling.BILINEAR, box=box)
    caption(frame, prompt)
    return frame


def _encode_sound(container: av.container.OutputContainer, stream: av.AudioStream, samples: "array[int]") -> None:
    resampler = av.AudioResampler(format=stream.format, layout="mono", rate=RATE)
    frame = av.AudioFrame(format="s16", layout="mono", samples=len(samples))
    frame.planes[0].update(samples.tobytes())
    frame.sample_rate, frame.time_base, frame.pts = RATE, Fraction(1, RATE), 0
    fifo = av.AudioFifo()
    for part in resampler.resample(frame):
        fifo.write(part)
    for part in fifo.read_many(1024):
        container.mux(stream.encode(part))
    if (rest := fifo.read()) is not None:
        container.mux(stream.encode(rest))
    container.mux(stream.encode(None))
