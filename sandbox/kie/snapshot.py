"""The memory of the provider's stand-in across restarts: one JSON file, replaced atomically."""

import asyncio
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from sandbox.faults import Fault
from sandbox.kie.records import Task
from sandbox.kie.scripts import Script


class Snapshot:
    """Saves what `dump` returns to `path`; without a path it does nothing."""

    def __init__(self, path: Path | None, dump: Callable[[], Mapping[str, Any]]) -> None:
        self._path = path
        self._dump = dump
        self._writing = asyncio.Lock()
        self._wanted = 0
        self._written = 0

    async def save(self) -> None:
        """Return when the present state is on disk; calls made meanwhile share one write."""
        if self._path is None:
            return
        self._wanted += 1
        wanted = self._wanted
        async with self._writing:
            if self._written < wanted:
                covered = self._wanted
                await _in_thread(_replace, self._path, json.dumps(self._dump()))
                self._written = covered


async def _in_thread(work: Callable[[Path, str], None], path: Path, text: str) -> None:
    """Run it to its end even when the caller is cancelled, so that no two writes ever overlap."""
    running = asyncio.create_task(asyncio.to_thread(work, path, text))
    try:
        await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait([running])
        raise


def read(path: Path | None) -> dict[str, Any] | None:
    """The saved state, None when there is none."""
    if path is None or not path.exists():
        return None
    saved: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return saved


def task_as_json(task: Task) -> dict[str, Any]:
    return asdict(task)


def task_from_json(saved: Mapping[str, Any]) -> Task:
    script = Script(**saved["script"])
    script = replace(script, states=tuple((share, state) for share, state in script.states))
    faults = tuple(Fault(**fault) for fault in saved["callback_faults"])
    return Task(**{**saved, "script": script, "callback_faults": faults})


def _replace(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    with new.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
