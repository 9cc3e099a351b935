"""Crash points: a name for every moment right after an effect in the life of an order, and a way to die exactly there.

The list is read from the source, so a new effect is a new point by itself. No hook stands in `kiosk/`: a process that
is to die calls `install` before it imports the shop, and sets KIOSK_CRASH_AT.
"""

import importlib.util
import os
import signal
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from contextvars import ContextVar
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, MappingProxyType, ModuleType, TracebackType
from typing import Any, Final, Generic, TypeVar

from chaos.effects import COMMIT, LEAVING, REACHED, Point, Source, wrapped

ROOT: Final = Path(__file__).resolve().parent.parent
CRASH_AT: Final = "KIOSK_CRASH_AT"  # the point at which this process kills itself; with @2: the second time it is there
TRACE: Final = "KIOSK_CRASH_TRACE"  # a file that is told of every point reached, and in which transaction

# What carries an order from the press on "Create" to the chat.
MODULES: Final = (
    "kiosk.generations.confirm",
    "kiosk.generations.submit",
    "kiosk.media.luggage",
    "kiosk.generations.gatekeeper",
    "kiosk.generations.usher",
    "kiosk.generations.callback",
    "kiosk.generations.observe",
    "kiosk.generations.settle",
    "kiosk.generations.deliver",
    "kiosk.delivery.send",
    "kiosk.generations.sweep",
    "kiosk.generations.original",
)
# Their packages; whatever else has effects there is named below.
PACKAGES: Final = ("kiosk.delivery", "kiosk.generations", "kiosk.media", "kiosk.queue")
# Their functions are given a transaction and open none: each is one effect, where it is called.
STATEMENTS: Final = (
    "kiosk.delivery.store",
    "kiosk.generations.drafts",
    "kiosk.generations.follow",
    "kiosk.generations.gates",
    "kiosk.generations.late_looks",
    "kiosk.generations.line",
    "kiosk.generations.results",
    "kiosk.generations.store",
    "kiosk.generations.tasks",
    "kiosk.media.store",
    "kiosk.queue.jobs",
)
LEFT_OUT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "kiosk.delivery.keep": "only reads, and writes files of whoever ordered",
        "kiosk.generations.direct": "one transaction makes an order or none; files handed in before it owe nothing",
        "kiosk.generations.drive": "runs the acts above by itself, as the worker does",
        "kiosk.generations.inspection": "only reads what was given with a direct order",
        "kiosk.media.given": "uploads before there is an order: free, and done again by whoever orders again",
        "kiosk.delivery.fetch": "only reads what the provider keeps",
        "kiosk.generations.draft": "a draft owes nobody anything, and an update that was not answered comes again",
        "kiosk.generations.reconcile": "each of its transactions wakes what it found; the next round finds the rest",
        "kiosk.generations.strays": "as reconcile",
        "kiosk.generations.refund": "one transaction of an operator, who sees whether it was made and may repeat it",
        "kiosk.generations.report": "only reads",
        "kiosk.media.links": "only reads what lies at a customer's address",
        "kiosk.media.source": "only reads a customer's file",
        "kiosk.queue.rounds": "nightly work may be done twice, and is taken over when it was not ended",
        "kiosk.queue.turns": "as rounds",
        "kiosk.queue.worker": "runs the jobs and keeps nothing of them",
    }
)

T = TypeVar("T")
# The number of the transaction that is open here, so that PostgreSQL can be asked afterwards what became of it.
_transaction: ContextVar[str | None] = ContextVar("transaction", default=None)
_times: Counter[str] = Counter()


class TooLate(Exception):  # noqa: N818 - it states a fact
    """The module that the message names was imported before its points were put in."""


def points_of_code(root: Path = ROOT) -> tuple[Point, ...]:
    """Every point of the `kiosk` in this folder, module by module in the order of the source.

    Errors: NotUnderstood.
    """
    return points_of(MODULES, root)


def points_of(modules: Sequence[str], root: Path = ROOT) -> tuple[Point, ...]:
    """The points of these modules when all of them are scanned. Errors: NotUnderstood."""
    sources = sources_of(modules, root)
    functions = functions_of(sources)
    return tuple(point for source in sources for point in wrapped(source, functions)[1])


def sources_of(modules: Sequence[str], root: Path) -> tuple[Source, ...]:
    return tuple(Source.read(name, root.joinpath(*name.split(".")).with_suffix(".py")) for name in modules)


def functions_of(sources: Sequence[Source]) -> frozenset[str]:
    """Whose effects are counted where they stand."""
    return frozenset(function for source in sources for function in source.functions)


def install() -> None:
    """From here on the modules are imported with their points in them. Errors: TooLate."""
    for name in MODULES:
        if name in sys.modules:
            raise TooLate(f"{name} is imported already")
    sys.meta_path.insert(0, _Finder())


def reached(name: str, value: T) -> T:
    """What stands behind every effect: the end if this is the point, else the effect's own value."""
    if trace := os.environ.get(TRACE):
        with Path(trace).open("a", encoding="utf-8") as file:
            file.write(f"{name} {_transaction.get() or '-'}\n")
    point, _, time = os.environ.get(CRASH_AT, "").partition("@")
    if point == name:
        _times[name] += 1
        if _times[name] == int(time or 1):
            os.kill(os.getpid(), signal.SIGKILL)
    return value


@dataclass(slots=True)
class Leaving(Generic[T]):
    """A context whose end is a point; not one that an error ends, for that undoes it."""

    name: str
    inner: AbstractAsyncContextManager[T]

    async def __aenter__(self) -> T:
        entered = await self.inner.__aenter__()
        if os.environ.get(TRACE) and self.name.partition(":")[2].startswith(COMMIT):
            connection: Any = entered
            _transaction.set(await connection.fetchval("SELECT pg_current_xact_id()::text"))
        return entered

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        try:
            swallowed = await self.inner.__aexit__(kind, error, traceback)
            if error is None:
                reached(self.name, None)
            return swallowed
        finally:
            _transaction.set(None)


class _Finder(MetaPathFinder):
    """Asked before Python's own, for these modules alone."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        spec = PathFinder.find_spec(fullname, path, target) if fullname in MODULES else None
        if spec is None or spec.origin is None:
            return None
        return importlib.util.spec_from_file_location(fullname, spec.origin, loader=_Loader(fullname, spec.origin))


class _Loader(SourceFileLoader):
    """Compiles a module with its points; past the cache of bytecode, which honest processes read too."""

    def get_code(self, fullname: str) -> CodeType:
        sources = sources_of(MODULES, Path(self.path).parents[fullname.count(".")])
        (source,) = (source for source in sources if source.name == fullname)
        tree, _ = wrapped(source, functions_of(sources))
        return compile(tree, self.path, "exec", dont_inherit=True)

    def exec_module(self, module: ModuleType) -> None:
        vars(module).update({REACHED: reached, LEAVING: Leaving})
        super().exec_module(module)


if __name__ == "__main__":
    for point in points_of_code():
        sys.stdout.write(f"{point.name:<60} {point.where}\n")
