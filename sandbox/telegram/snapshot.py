"""Keeps the stand-in's state in one JSON file, so that a restart goes on where it stopped."""

import asyncio
import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sandbox.telegram.bots import Bot
from sandbox.telegram.chats import Chat, User
from sandbox.telegram.world import World

FILE_NAME = "telegram.json"
_VERSION = 1
_QUIET_S = 0.3
# A large state is written less often: at most this share of the time goes into writing.
_SHARE = 0.1


class Saver:
    """Writes the state a moment after it changed, and once more at the end; an interrupted write changes nothing."""

    def __init__(self, world: World, folder: Path) -> None:
        self._world = world
        self._path = folder / FILE_NAME
        self._dirty = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._writing: asyncio.Future[None] | None = None

    def start(self) -> None:
        """Reads what is there and begins to watch for changes."""
        if self._path.exists():
            _load(self._world, json.loads(self._path.read_text()))
        self._world.changed = self._dirty.set
        self._task = asyncio.ensure_future(self._keep_saving())

    async def stop(self) -> None:
        """Writes the last state."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._writing is not None:
            # A thread cannot be cancelled: an older state must not land after the last one.
            await self._writing
        self._write(_dump(self._world))

    async def _keep_saving(self) -> None:
        pause_s = _QUIET_S
        while True:
            await self._dirty.wait()
            await asyncio.sleep(pause_s)
            self._dirty.clear()
            began_s = time.monotonic()
            text = _dump(self._world)
            self._writing = asyncio.ensure_future(asyncio.to_thread(self._write, text))
            await asyncio.shield(self._writing)
            pause_s = max(_QUIET_S, (time.monotonic() - began_s) / _SHARE)

    def _write(self, text: str) -> None:
        scratch = self._path.with_suffix(".new")
        scratch.write_text(text)
        scratch.replace(self._path)


def _dump(world: World) -> str:
    return json.dumps(
        {
            "version": _VERSION,
            "bots": [bot.dump() for bot in world.bots.values()],
            "users": [asdict(user) for user in world.users.values()],
            "chats": [chat.dump() for chat in world.chats.values()],
            "files": world.files.dump(),
        },
        ensure_ascii=False,
    )


def _load(world: World, state: dict[str, Any]) -> None:
    """Raises ValueError for a file of another version."""
    if state.get("version") != _VERSION:
        raise ValueError(f"unknown version of {FILE_NAME}: {state.get('version')}")
    world.bots.update({row["id"]: Bot.load(row) for row in state["bots"]})
    world.users.update({row["id"]: User(**row) for row in state["users"]})
    for row in state["chats"]:
        world.chats[row["bot_id"], row["user_id"]] = Chat.load(row, world.users[row["user_id"]])
    world.files.load(state["files"])
