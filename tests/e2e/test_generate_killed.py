"""`kiosk generate` is killed right after each effect that it has, and `--resume` goes on: made once, charged once."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from chaos.points import CRASH_AT, TRACE
from chaos.starter import Starter
from kiosk.db import Database
from kiosk.ledger.audit import audit
from sandbox.kie import KieSandbox
from sandbox.kie.options import KieOptions
from tests.conftest import fresh_database
from tests.shopprocess import KEY

# One for each step on the way of an order; what the shop's own processes pass is killed in test_crash_points.py.
POINTS = (
    "confirm.Till._accept:enqueue",
    "gatekeeper.Gatekeeper.let_through:commit",
    "submit.Submitter._create:kie.create_task",
    "submit.Submitter._created:commit",
    "observe.Observer._record_credits:commit",
    "settle.Settler.succeed:ledger.resolve",
    "settle.Settler.succeed:commit",
    "deliver.put_at_hand:store.delivered",
)
KILLED = -9


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def starter() -> AsyncIterator[Starter]:
    async with Starter(hooks=["chaos.points"]) as running:
        yield running


async def ran(starter: Starter, folder: Path, *arguments: str, **environment: str) -> tuple[int, str]:
    """Exit code and stdout."""
    with (folder / "out").open("wb") as out, (folder / "err").open("wb") as err:
        process = await starter.start(
            *arguments,
            folder=folder,
            environment={"PATH": os.environ["PATH"], **environment},
            stdout=out.fileno(),
            stderr=err.fileno(),
        )
        code = await process.wait()
    return code, (folder / "out").read_text(encoding="utf-8")


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("point", POINTS)
async def test_killed_there_resume_goes_on(
    starter: Starter, postgres: str, migrated: str, tmp_path: Path, point: str
) -> None:
    """Whoever died before the order was written has ordered nothing; whoever died later finds it and its file."""
    options = KieOptions(time_scale=0.001, create_limit=None, poll_limit_per_s=None, newer_keys=True)
    async with fresh_database(postgres, migrated) as dsn, KieSandbox(options) as kie:
        environment = {
            "KIE_API_KEY": KEY,
            "KIE_BASE_URL": kie.api_url,
            "KIE_UPLOAD_URL": kie.upload_url,
            "DATABASE_URL": dsn,
            "POLL_FIRST_S": "0.1",
            "SUBMIT_GRACE_S": "0.5",
        }
        dying = {CRASH_AT: point, TRACE: str(tmp_path / "trace")}
        words = ("generate", "z-image", "-i", "prompt=x", "-i", "aspect_ratio=1:1")
        code, _ = await ran(starter, tmp_path, *words, **environment, **dying)
        assert code == KILLED, (tmp_path / "err").read_text(encoding="utf-8")
        async with await Database.connect(dsn, max_size=2) as db:
            await leave_no_lease(db)
            if point == POINTS[0]:
                assert await rows(db) == (0, 0)
                return
            code, out = await ran(starter, tmp_path, "generate", "--resume", "1", **environment)
            assert (code, out) == (0, "z-image-1.png\n"), (tmp_path / "err").read_text(encoding="utf-8")
            assert await rows(db) == (1, 3)
            async with db.reading() as tx:
                assert [finding.invariant.name for finding in await audit(tx) if finding.broken] == []
        # One task, or a second where nobody could know of the first.
        assert kie.provider.desk.created == 1 + (point == "submit.Submitter._create:kie.create_task")


async def leave_no_lease(db: Database) -> None:
    """The time passes for which the dead one had it in hand."""
    async with db.transaction() as tx:
        await tx.execute("UPDATE generations SET next_at = now() WHERE next_at IS NOT NULL")


async def rows(db: Database) -> tuple[int, int]:
    """Generations and transfers."""
    async with db.reading() as tx:
        row = await tx.fetchrow("SELECT (SELECT count(*) FROM generations), (SELECT count(*) FROM transfers)")
    assert row is not None
    return row[0], row[1]
