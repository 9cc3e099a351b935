"""The promises hold while replicas are killed and neighbours misbehave, and a broken shop does not pass for whole."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from chaos.balancer import Balancer
from chaos.breakages import BREAKAGES, broken_copy
from chaos.proxy import TcpProxy
from sandbox.shopkeeper import free_port

ROOT = Path(__file__).parents[2]
PATIENCE_S = 400


async def chaos(folder: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    """The exit code and the last line of a run."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "chaos.run",
        "--data",
        str(folder / "run"),
        *arguments,
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(PATIENCE_S):
        out, err = await process.communicate()
    assert out, err.decode()
    assert process.returncode is not None
    return process.returncode, json.loads(out.decode().splitlines()[-1]) | {"said": err.decode()}


async def test_nothing_is_lost_or_doubled_under_fire(open_folder: Path) -> None:
    """Three replicas, kill -9, crash points, sleep, cut and frozen connections, a crashing database, hostility."""
    code, report = await chaos(open_folder, "--seed", "7", "--generations", "60", "--customers", "24")
    assert code == 0, report["complaints"]
    assert report["generations"] == report["final"] >= 60
    assert report["generations"] == report["delivered_once"] + report["failed_told"] + report["canceled"]
    assert (report["delivered_twice"], report["lost"], report["kopecks_unexplained"]) == (0, 0, 0)
    assert report["audit"] == "clean"
    assert report["kills"] >= 2


async def is_found_out(folder: Path, breakage: str, count: str, *arguments: str) -> None:
    """A copy of the shop with one thing broken: the verdict says so, or it would be worth nothing."""
    code, report = await chaos(folder, "--seed", "3", "--calm", "--break", breakage, *arguments)
    assert code == 1, report
    assert report[count] > 0, report
    assert report["kept"] is False


FEW = ("--generations", "24", "--customers", "12")


@pytest.mark.parametrize(
    ("breakage", "count", "rest_s"),
    [
        ("no-state-guard", "kopecks_unexplained", 60),
        ("double-capture", "kopecks_unexplained", 60),
        ("enqueue-apart", "lost", 8),
        ("plain-send", "delivered_elsewhere", 20),
    ],
)
async def test_broken_shop_is_found_out(open_folder: Path, breakage: str, count: str, rest_s: int) -> None:
    """Money that moves twice, wake-ups that belong to no transaction, results that are sent instead of edited."""
    await is_found_out(open_folder, breakage, count, *FEW, "--rest-s", str(rest_s))


@pytest.mark.chaos
@pytest.mark.parametrize(
    ("breakage", "count", "generations"), [("no-sweep", "lost", 24), ("blind-repeat", "uncounted_tasks", 150)]
)
async def test_rarer_breakage_is_found_out_by_a_longer_run(
    open_folder: Path, breakage: str, count: str, generations: int
) -> None:
    """Nobody brings what has no wake-up; a second task is bought that nobody counts."""
    await is_found_out(open_folder, breakage, count, "--generations", str(generations), "--rest-s", "60")


@pytest.mark.parametrize("name", sorted(BREAKAGES))
def test_every_breakage_still_fits_the_source(tmp_path: Path, name: str) -> None:
    """What a breakage changes is there to be changed, and the copy is one of the package."""
    copy = broken_copy(name, tmp_path / "copy") / "kiosk"
    changed = {
        path.relative_to(copy)
        for path in copy.rglob("*")
        if path.is_file() and path.read_bytes() != (ROOT / "kiosk" / path.relative_to(copy)).read_bytes()
    }
    assert {str(path) for path in changed} == {change.file for change in BREAKAGES[name]}


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(100):
        writer.write(data)
    writer.close()


async def test_frozen_connection_is_silent_and_open() -> None:
    """Half-open: nothing passes and nobody is told, while new connections work."""
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    async with server, TcpProxy(server.sockets[0].getsockname()[1]) as proxy:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.listens_on)
        writer.write(b"one")
        assert await reader.readexactly(3) == b"one"
        assert proxy.freeze(11)
        assert not proxy.freeze(11)
        writer.write(b"two")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(3), 0.3)
        other, other_writer = await asyncio.open_connection("127.0.0.1", proxy.listens_on)
        other_writer.write(b"six")
        assert await other.readexactly(3) == b"six"
        for end in (writer, other_writer):
            end.close()
            await end.wait_closed()


async def test_balancer_passes_over_the_dead_and_the_closed() -> None:
    """A refused connection and a 503 have done nothing: the next replica is asked, with the same words."""

    async def closed(_request: web.Request) -> web.Response:
        return web.Response(status=503)

    async def lively(request: web.Request) -> web.Response:
        return web.json_response({"said": await request.text(), "secret": request.headers["X-Secret"]})

    runners = []
    ports = [free_port()]
    for handler in (closed, lively):
        application = web.Application()
        application.router.add_post("/somewhere", handler)
        runner = web.AppRunner(application)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        runners.append(runner)
        ports.append(runner.addresses[0][1])
    async with Balancer(ports) as balancer, aiohttp.ClientSession() as session:
        for _ in range(len(ports)):
            async with session.post(f"{balancer.url}/somewhere", data="hello", headers={"X-Secret": "s"}) as answer:
                assert answer.status == 200
                assert await answer.json() == {"said": "hello", "secret": "s"}
    for runner in runners:
        await runner.cleanup()
