"""The embedded server as a program of its own: for whoever wants a database and no shop."""

import asyncio
import signal
import sys
from pathlib import Path

import asyncpg
import pytest

PATIENCE_S = 120


async def test_server_alone_says_its_address_and_stops_when_told(open_folder: Path) -> None:
    """One line on stdout, a server that answers there, and none after SIGTERM."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "kiosk.postgres", str(open_folder / "postgres"), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    async with asyncio.timeout(PATIENCE_S):
        dsn = (await process.stdout.readline()).decode().strip()
        connection = await asyncpg.connect(dsn)
        assert await connection.fetchval("SELECT 1") == 1
        await connection.close()
        process.send_signal(signal.SIGTERM)
        rest, _ = await process.communicate()
    assert (process.returncode, rest) == (0, b"")
    with pytest.raises(OSError, match=r"onnect"):
        await asyncpg.connect(dsn, timeout=5)
