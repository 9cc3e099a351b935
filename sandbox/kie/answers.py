"""What models that answer in words say: the object under resultObject, in the shape of each family.

Lyrics, transcriptions and timings have the keys of the vendors' own pages; where no record of a shape is known, it is
this stand-in's own.
"""

from collections.abc import Callable, Mapping

from sandbox.faults import JSON

_WORD_S = 0.4


def answer(model: str, prompt: str) -> JSON:
    """An answer that repeats the prompt, so that each order can be told from the others."""
    return _ANSWERS.get(model, _text)(prompt)


def _text(prompt: str) -> JSON:
    return {"text": prompt}


def _transcript(prompt: str) -> JSON:
    spoken: list[JSON] = [
        {"text": word, "start": start, "end": end, "type": "word", "speaker_id": "speaker_0"}
        for word, start, end in _timed(prompt)
    ]
    return {"language_code": "en", "language_probability": 1.0, "text": prompt, "words": spoken}


def _lyrics(prompt: str) -> JSON:
    verses = [f"[Verse]\n{prompt}\n\n[Chorus]\n{prompt}, {prompt}", f"[Verse]\n{prompt}…\n\n[Outro]\n{prompt}"]
    songs: list[JSON] = [
        {"text": verse, "title": f"{prompt[:40]} {number}", "status": "complete", "error_message": ""}
        for number, verse in enumerate(verses, start=1)
    ]
    return {"lyricsData": songs}


def _timings(prompt: str) -> JSON:
    aligned: list[JSON] = [
        {"word": f"{word} ", "success": True, "startS": start, "endS": end, "palign": 0}
        for word, start, end in _timed(prompt)
    ]
    return {"alignedWords": aligned, "waveformData": [0, 0.5, 1, 0.5], "hootCer": 0.1, "isStreamed": False}


def _midi(_prompt: str) -> JSON:
    notes: list[JSON] = [
        {"pitch": 60 + step, "start": f"{step * 0.25:.2f}", "end": f"{step * 0.25 + 0.2:.2f}", "velocity": 1}
        for step in (0, 2, 4, 7, 9)
    ]
    return {"state": "complete", "instruments": [{"name": "Piano", "notes": notes}]}


def _people(_prompt: str) -> JSON:
    return {"has_human": True, "count": 1, "boxes": [{"x": 0.3, "y": 0.2, "width": 0.4, "height": 0.7}]}


def _timed(text: str) -> list[tuple[str, float, float]]:
    return [
        (word, round(number * _WORD_S, 2), round((number + 1) * _WORD_S, 2)) for number, word in enumerate(text.split())
    ]


_ANSWERS: Mapping[str, Callable[[str], JSON]] = {
    "elevenlabs/speech-to-text": _transcript,
    "ai-music-api/generate-lyrics": _lyrics,
    "ai-music-api/timeStamped-lyrics": _timings,
    "ai-music-api/generate-midi-from-audio": _midi,
    "ai-music-api/boost-music-style": lambda prompt: {"result": f"{prompt}, warm analog synths, 96 bpm"},
    "ai-music-api/generate-persona": lambda prompt: {"personaId": "a" * 32, "name": prompt[:40], "description": prompt},
    "ai-music-api/validation-phrase": lambda _prompt: {"validateInfo": "The quick brown fox jumps over the lazy dog"},
    "ai-music-api/regenerate-phrase": lambda _prompt: {"validateInfo": "Pack my box with five dozen liquor jugs"},
    "ai-music-api/create-voice": lambda _prompt: {"voiceId": "b" * 32},
    "ai-music-api/check-voice": lambda _prompt: {"isAvailable": True},
    "omnihuman-1-5/human-identification": _people,
}
