"""The provider's stand-in as a process of its own: it starts, remembers, stops, and refuses real settings."""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from sandbox.guard import ProductionSettings
from sandbox.kie import KieSandbox
from sandbox.kie.options import KieOptions
from tests.kie_stand_in import KEY, Delivery, running_kie, running_receiver

ROOT = Path(__file__).parents[2]
REAL_KEY = "4d2f8a6b0c1e4f7a9b3d5c7e9f1a2b3c"


async def process(*arguments: str, **environ: str) -> asyncio.subprocess.Process:
    clean = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "KIE_API_KEY"}}
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "sandbox.kie",
        *arguments,
        cwd=ROOT,
        env=clean | environ,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


def authorised() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(headers={"Authorization": f"Bearer {KEY}"})


async def test_process_serves_and_stops() -> None:
    """It prints its three addresses, answers, and ends without an error when told to."""
    run = await process("--credits", "12.5")
    assert run.stdout is not None
    lines = [(await asyncio.wait_for(run.stdout.readline(), 20)).decode().split() for _ in range(3)]
    async with authorised() as session, session.get(f"{dict(lines)['api']}/api/v1/chat/credit") as answer:
        assert (await answer.json())["data"] == 12.5
    run.send_signal(signal.SIGTERM)
    _, errors = await asyncio.wait_for(run.communicate(), 20)
    assert (run.returncode, errors) == (0, b"")


async def test_process_refuses_production() -> None:
    """One line that names the variable and not its value, and no port."""
    run = await process(KIE_API_KEY=REAL_KEY)
    out, errors = await asyncio.wait_for(run.communicate(), 20)
    assert (run.returncode, out) == (1, b"")
    assert errors.decode().count("\n") == 1
    assert b"KIE_API_KEY" in errors
    assert REAL_KEY.encode() not in errors


async def test_stand_in_refuses_production_in_process_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody gets past the guard by starting it from Python."""
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:p@db.example.com/shop")
    with pytest.raises(ProductionSettings):
        await KieSandbox().start()


async def test_failed_start_leaves_nothing_open() -> None:
    """A port that is taken is an error, and the other ports are free again."""
    async with running_kie() as kie:
        taken = int(kie.kie.api_url.rsplit(":", 1)[1])
        second = KieSandbox(KieOptions(api_port=taken))
        with pytest.raises(OSError, match="address already in use"):
            await second.start()
        with pytest.raises(aiohttp.ClientConnectorError):
            await kie.session.get(f"{second.result_url}/x")


def kept(folder: Path, **options: Any) -> dict[str, Any]:
    return {"state_dir": folder} | options


async def test_tasks_files_and_money_survive_a_restart(tmp_path: Path) -> None:
    """A new process knows the old tasks, serves their files and uploads, and counts on."""
    async with running_kie(**kept(tmp_path, credits=10.0)) as kie:
        before = await kie.ended(await kie.created())
        upload = {"base64Data": "aGVsbG8=", "uploadPath": "x", "fileName": "hello.txt"}
        url = f"{kie.kie.upload_url}/api/file-base64-upload"
        async with kie.session.post(url, json=upload, headers=kie.headers()) as answer:
            path = (await answer.json())["data"]["filePath"]
        old_base = kie.kie.result_url
    async with running_kie(**kept(tmp_path, credits=10.0)) as kie:
        assert (await kie.info(before["taskId"]))["data"] == before
        picture = before["resultJson"].split('"')[3].replace(old_base, kie.kie.result_url)
        async with kie.session.get(picture) as answer:
            assert (answer.status, answer.content_type) == (200, "image/png")
        async with kie.session.get(f"{kie.kie.result_url}/{path}") as answer:
            assert await answer.read() == b"hello"
        assert (await kie.get("/api/v1/chat/credit"))[1]["data"] == 9.2
        assert await kie.created() != before["taskId"]
        assert (await kie.stats())["tasks_created"] == 2


async def test_running_task_goes_on_after_a_restart(tmp_path: Path) -> None:
    """A task that was running ends in the next process, and its callback is sent there."""
    async with running_receiver() as shop:
        async with running_kie(**kept(tmp_path, time_scale=0.04)) as kie:
            task_id = await kie.created(shop.order())
            assert (await kie.info(task_id))["data"]["state"] == "waiting"
        assert not shop.deliveries
        async with running_kie(**kept(tmp_path)) as kie:
            assert (await shop.next()).task_id == task_id
            assert (await kie.ended(task_id))["state"] == "success"


async def test_unacknowledged_callback_is_sent_again_after_a_restart(tmp_path: Path) -> None:
    """A callback that nobody has acknowledged when the process stops is not forgotten."""

    async def refuse(_delivery: Delivery) -> int:
        return 500

    async with running_receiver() as shop:
        shop.answer = refuse
        async with running_kie(**kept(tmp_path, time_scale=0.01, callback_spacing_s=100_000.0)) as kie:
            task_id = await kie.created(shop.order())
            await shop.next()
        async with running_kie(**kept(tmp_path)) as kie:
            assert (await shop.next()).task_id == task_id


async def test_killed_process_has_kept_what_it_promised(tmp_path: Path) -> None:
    """A create that was answered is on disk: SIGKILL right after the reply loses no task."""
    run = await process("--state-dir", str(tmp_path), "--time-scale", "0.02")
    assert run.stdout is not None
    lines = [(await asyncio.wait_for(run.stdout.readline(), 20)).decode().split() for _ in range(3)]
    body = {"model": "z-image", "input": {"prompt": "кот", "aspect_ratio": "1:1"}}
    url = f"{dict(lines)['api']}/api/v1/jobs/createTask"
    async with authorised() as session, session.post(url, json=body) as answer:
        task_id = (await answer.json())["data"]["taskId"]
    run.kill()
    await run.communicate()
    async with running_kie(**kept(tmp_path)) as kie:
        assert (await kie.ended(task_id))["state"] == "success"
