"""What stops a command with one line instead of a traceback, and what passes by itself.

CannotStart
├── BadSettings       a setting is missing or malformed
└── (DatabaseUnavailable and MigrationError live beside what they speak of)
TryLater              whoever asked is to come again
"""


class CannotStart(Exception):  # noqa: N818 - it states a fact
    """The program cannot start, or cannot go on; the message says why and what to do."""


class BadSettings(CannotStart):
    """A setting is missing or malformed; the message names it."""

    def __init__(self, name: str, problem: str) -> None:
        self.name = name
        self.problem = problem
        super().__init__(f"{name}: {problem}")


class TryLater(Exception):  # noqa: N818 - it states a fact
    """Not now, and nobody here can help it; nothing is lost by coming again after `retry_after_s`."""

    def __init__(self, why: str, retry_after_s: float) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(why)
