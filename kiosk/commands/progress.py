"""How an order goes, for whoever waits at a terminal: a bar; anywhere else: a line when something has changed."""

from types import TracebackType
from typing import Final, Self

from rich.console import Console
from rich.progress import BarColumn, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from kiosk.generations.drive import Seen
from kiosk.generations.states import State

SAID: Final = {
    State.DRAFT: "not ordered yet",
    State.PENDING: "in line",
    State.SUBMITTING: "being handed over",
    State.RUNNING: "being made",
    State.DONE: "done",
    State.FAILED: "failed",
    State.CANCELED: "canceled",
}


def said(seen: Seen) -> str:
    """Where it stands, in a few words."""
    place = f", place {seen.place}" if seen.place else ""
    return f"{SAID[seen.order.state]}{place}"


class Progress:
    """Inside `with`: shows on `console` what it is told."""

    def __init__(self, console: Console, *, quiet: bool) -> None:
        self.generation: int | None = None
        self._console = console
        self._usual_s: int | None = None
        self._quiet = quiet
        self._shown = ""
        self._task: TaskID | None = None
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
        bar = Bar(*columns, TextColumn("{task.fields[usual]}"), console=console, transient=True)
        self._bar = bar if console.is_terminal and not quiet else None

    def __enter__(self) -> Self:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar:
            self._bar.stop()

    def begins(self, generation_id: int, cost: str, *, usual_s: int | None) -> None:
        """It is ordered; from here on whoever stops can go on with it. `usual_s`: how long the model takes at most."""
        self.generation, self._usual_s = generation_id, usual_s
        if not self._quiet:
            self._console.print(f"Generation {generation_id}: {cost}", soft_wrap=True)
        if self._bar:
            usual = f"usually up to {usual_s} s" if usual_s else ""
            self._task = self._bar.add_task("", total=usual_s, usual=usual)

    def sees(self, seen: Seen) -> None:
        words = said(seen)
        if self._bar and self._task is not None:
            self._bar.update(self._task, description=words, completed=self._elapsed_s(seen))
        elif words != self._shown and not self._quiet:
            self._console.print(f"Generation {seen.order.id}: {words}", soft_wrap=True)
        self._shown = words

    def _elapsed_s(self, seen: Seen) -> float:
        """Never quite full before it is over."""
        begun = seen.order.confirmed_at or seen.order.read_at
        elapsed_s = (seen.order.read_at - begun).total_seconds()
        return min(elapsed_s, (self._usual_s or 0) * 0.97)
