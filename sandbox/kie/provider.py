"""The parts that the three sites of the provider's stand-in share."""

from dataclasses import dataclass

from sandbox.faults import Faults
from sandbox.kie.account import Account, Window
from sandbox.kie.callbacks import Callbacks
from sandbox.kie.files import FileShelf
from sandbox.kie.options import Clock, KieOptions
from sandbox.kie.snapshot import Snapshot
from sandbox.kie.tasks import TaskDesk
from sandbox.media import Studio


@dataclass(frozen=True, slots=True)
class Provider:
    """One provider: its account, tasks, files, limits and armed faults."""

    options: KieOptions
    clock: Clock
    faults: Faults
    account: Account
    files: FileShelf
    callbacks: Callbacks
    desk: TaskDesk
    studio: Studio
    snapshot: Snapshot
    creates: Window
    polls: Window
    discoveries: Window

    def now_s(self) -> float:
        return self.clock.now_ms() / 1000
