"""A Dockerfile's stages as data, read by a parser of the format."""

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import Final

from dockerfile_parse import DockerfileParser

VARIABLE: Final = re.compile(r"\$\{?(\w+)\}?")
OPTION: Final = re.compile(r"--(\w[\w-]*)=(\S+)\s*")


@dataclass(frozen=True, slots=True)
class Step:
    """`RUN`, `COPY`, `ENV` and the like with what follows; `options` are those with two dashes in front."""

    word: str
    value: str
    options: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Stage:
    """From one FROM to the next; `name` is "" where it has none."""

    base: str
    name: str
    steps: list[Step] = field(default_factory=list)

    def last(self, word: str) -> str:
        """The value that holds in the end. Errors: LookupError."""
        return [step.value for step in self.steps if step.word == word][-1]


def read(text: str) -> list[Stage]:
    """The stages in order. Errors: ValueError where a step comes before the first FROM."""
    stages: list[Stage] = []
    for found in DockerfileParser(fileobj=BytesIO(text.encode())).structure:
        word, value = found["instruction"].upper(), found["value"]
        if word == "COMMENT":
            continue
        if word == "FROM":
            base, _, name = value.partition(" AS ")
            stages.append(Stage(base.strip(), name.strip()))
        elif stages:
            stages[-1].steps.append(_step(word, value))
        else:
            raise ValueError(f"{word} before the first FROM")
    return stages


def _step(word: str, value: str) -> Step:
    options = {}
    while found := OPTION.match(value):
        options[found[1]] = found[2]
        value = value[found.end() :]
    return Step(word, value, options)


def settings(value: str, known: Mapping[str, str]) -> dict[str, str]:
    """What an ENV sets, with variables put in."""
    pairs = (part.partition("=") for part in shlex.split(value))
    return {name: VARIABLE.sub(lambda found: known.get(found[1], ""), said) for name, _, said in pairs}


def command(value: str) -> list[str]:
    """The words of an ENTRYPOINT, CMD or HEALTHCHECK in its JSON form. Errors: ValueError for the other form."""
    words = json.loads(value.removeprefix("CMD").strip())
    if not isinstance(words, list):
        raise ValueError(f"not a list of words: {value}")  # noqa: TRY004 - of the text, not of an argument
    return [str(word) for word in words]
