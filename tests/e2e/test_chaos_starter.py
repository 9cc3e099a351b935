"""Forked processes of `kiosk` are as real as executed ones: number, environment, folder, log, signals, exit code."""

import asyncio
import os
import shutil
import signal
from collections.abc import Mapping
from pathlib import Path

import aiohttp
import pytest

from chaos.starter import ROOT, Started, Starter, StarterDied
from sandbox.shopkeeper import free_port
from tests.shopprocess import PATIENCE_S, TOKEN, SilentTelegram, a_telegram


async def ran(starter: Starter, folder: Path, *command: str, **settings: str) -> tuple[int, str]:
    """The exit code and everything that a command wrote."""
    log = folder / "said.log"
    with log.open("wb") as output:
        process = await starter.start(*command, folder=folder, environment=settings, stdout=output.fileno())
    async with asyncio.timeout(PATIENCE_S):
        return await process.wait(), log.read_text(encoding="utf-8")


async def a_shop(starter: Starter, folder: Path, telegram: SilentTelegram, dsn: str) -> tuple[Started, Path]:
    """A `kiosk run` that is ready, and its log."""
    settings: Mapping[str, str] = {
        "TELEGRAM_BOT_TOKEN": TOKEN,
        "TELEGRAM_BASE_URL": telegram.url,
        "BOT_MODE": "webhook",
        "WEBHOOK_BASE_URL": "https://shop.example",
        "KIE_API_KEY": "sandbox-key",
        "DATABASE_URL": dsn,
        "HOST": "127.0.0.1",
        "PORT": str(free_port()),
    }
    log = folder / f"{settings['PORT']}.log"
    with log.open("wb") as output:
        process = await starter.start("run", folder=folder, environment=settings, stdout=output.fileno())
    async with asyncio.timeout(PATIENCE_S), aiohttp.ClientSession() as session:
        while True:
            try:
                async with session.get(f"http://127.0.0.1:{settings['PORT']}/ready") as answer:
                    if answer.ok:
                        return process, log
            except aiohttp.ClientError:
                assert process.returncode is None, log.read_text(encoding="utf-8")
            await asyncio.sleep(0.05)


async def test_forked_shops_live_side_by_side_and_end_as_asked(tmp_path: Path, dsn: str) -> None:
    """SIGTERM closes in order with 0, SIGKILL is told as -9 while another is not touched, SIGSTOP stops one alone."""
    async with a_telegram() as telegram, Starter() as starter:
        (first, log), (second, _) = [await a_shop(starter, tmp_path, telegram, dsn) for _ in range(2)]
        assert first.pid != second.pid
        assert [os.getsid(process.pid) for process in (first, second)] == [first.pid, second.pid]
        second.send_signal(signal.SIGSTOP)
        second.kill()
        async with asyncio.timeout(PATIENCE_S):
            assert await second.wait() == -signal.SIGKILL
            assert first.returncode is None
            first.terminate()
            assert await first.wait() == 0
        assert '"shop.closed"' in log.read_text(encoding="utf-8")


async def test_nothing_is_inherited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings come from the request and the folder's own .env: never from whoever started the starter."""
    monkeypatch.setenv("TELEGRAM_BOT_TOKEN", TOKEN)
    monkeypatch.setenv("KIE_API_KEY", "sandbox-key")
    async with Starter() as starter:
        code, said = await ran(starter, tmp_path, "run")
        assert code == 2
        assert "TELEGRAM_BOT_TOKEN" in said
        (tmp_path / ".env").write_text(f"TELEGRAM_BOT_TOKEN={TOKEN}\n", encoding="utf-8")
        code, said = await ran(starter, tmp_path, "run")
        assert code == 2
        assert "KIE_API_KEY" in said


async def test_changed_copy_runs_with_a_hook_before_it(tmp_path: Path) -> None:
    """A folder on the path stands before the source tree, and a hook is installed before anything is imported."""
    shutil.copytree(ROOT / "kiosk", tmp_path / "kiosk", ignore=shutil.ignore_patterns("__pycache__"))
    package = tmp_path / "kiosk" / "__init__.py"
    package.write_text(package.read_text(encoding="utf-8") + '\n__version__ = "changed"\n', encoding="utf-8")
    (tmp_path / "early.py").write_text(
        "import builtins, sys\ndef install():\n    assert 'kiosk' not in sys.modules\n    builtins.hooked = True\n",
        encoding="utf-8",
    )
    with package.open("a", encoding="utf-8") as text:
        text.write('import builtins\n__version__ += " and hooked" * builtins.hooked\n')
    async with Starter(pythonpath=[tmp_path], hooks=["early"]) as starter:
        assert await ran(starter, tmp_path, "version") == (0, "changed and hooked\n")


async def test_children_end_with_their_starter(tmp_path: Path, dsn: str) -> None:
    """Nobody is left behind, and nobody waits for ever."""
    async with a_telegram() as telegram:
        async with Starter() as starter:
            process, _ = await a_shop(starter, tmp_path, telegram, dsn)
        assert await process.wait() == -signal.SIGKILL
        with pytest.raises(StarterDied):
            await starter.start("version", folder=tmp_path, environment={}, stdout=2)


async def test_starter_that_does_not_come_up_says_so(tmp_path: Path) -> None:
    """A hook that cannot be imported, for example: an error, not a silence."""
    async with Starter(hooks=["no_such_module"]) as starter:
        async with asyncio.timeout(PATIENCE_S):
            with pytest.raises(StarterDied):
                await starter.start("version", folder=tmp_path, environment={}, stdout=2)
