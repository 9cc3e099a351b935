"""What stops a command with one line instead of a traceback.

CannotStart
├── BadSettings       a setting is missing or malformed
└── (DatabaseUnavailable and MigrationError live beside what they speak of)
"""


class CannotStart(Exception):  # noqa: N818 - it states a fact
    """The program cannot start, or cannot go on; the message says why and what to do."""


class BadSettings(CannotStart):
    """A setting is missing or malformed; the message names it."""

    def __init__(self, name: str, problem: str) -> None:
        self.name = name
        self.problem = problem
        super().__init__(f"{name}: {problem}")
