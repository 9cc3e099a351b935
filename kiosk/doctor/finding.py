"""What a look found: how bad it is, in a sentence, and how to mend it; pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    OK = "ok"
    WARNING = "warning"  # the shop works, but somebody should look at it
    FAILED = "failed"  # customers cannot be served, or soon cannot
    SKIPPED = "skipped"  # could not be looked at, or does not concern this shop


@dataclass(frozen=True, slots=True)
class Finding:
    """`check` names what was looked at; `mend` is "" where there is nothing to do."""

    check: str
    status: Status
    said: str
    mend: str = ""


def ok(check: str, said: str) -> Finding:
    return Finding(check, Status.OK, said)


def warning(check: str, said: str, mend: str) -> Finding:
    return Finding(check, Status.WARNING, said, mend)


def failed(check: str, said: str, mend: str) -> Finding:
    return Finding(check, Status.FAILED, said, mend)


def skipped(check: str, said: str) -> Finding:
    return Finding(check, Status.SKIPPED, said)


def is_well(findings: Iterable[Finding]) -> bool:
    """Warnings are no failure: what works is not stopped for them."""
    return all(finding.status is not Status.FAILED for finding in findings)
