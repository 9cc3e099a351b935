"""`kiosk sanity` against the provider's stand-in: every model is made, or refused for a stated reason."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from kiosk.catalog.report import WHY_NOT
from kiosk.catalog.shelf import default_shelf
from kiosk.db import Database
from kiosk.ledger.audit import audit
from sandbox.faults import Fault
from sandbox.kie import KieSandbox
from sandbox.kie.options import KieOptions
from tests.shopprocess import KEY, Ended, kiosk

SHELF = default_shelf()
PATIENCE: dict[str, Any] = {"time_scale": 0.0005, "create_limit": None, "poll_limit_per_s": None}


@pytest.fixture
async def kie() -> AsyncIterator[KieSandbox]:
    options = KieOptions(**PATIENCE, newer_keys=True, credits=10_000.0, picture_pixels=256 * 256)
    async with KieSandbox(options) as running:
        yield running


async def sanity(kie: KieSandbox, folder: Path, dsn: str, *arguments: str, **more: str) -> tuple[Ended, dict[str, Any]]:
    """How the command ended, and its last line."""
    environment = {
        "KIE_API_KEY": KEY,
        "KIE_BASE_URL": kie.api_url,
        "KIE_UPLOAD_URL": kie.upload_url,
        "DATABASE_URL": dsn,
        "POLL_FIRST_S": "0.1",
        "PROVIDER_CREATES": "1000",
        "WEBHOOK_BASE_URL": "http://127.0.0.1:9",
        **more,
    }
    async with kiosk(folder, "sanity", *arguments, COLUMNS="200", **environment) as process:
        ended = await process.ended(patience_s=900)
    lines = ended.out.splitlines()
    return ended, json.loads(lines[-1]) if lines else {}


async def test_every_model_is_made_or_refused_for_its_reason(
    kie: KieSandbox, tmp_path: Path, database: Database, dsn: str
) -> None:
    """All 188: what is on sale is made, within its quote; the rest is refused with the shelf's words; clean books."""
    ended, told = await sanity(kie, tmp_path, dsn, "--all", "--yes", "--budget", "10000", "--at-once", "30")
    reasons = {model.id: why for model in SHELF.models if (why := SHELF.why_not_sold(model))}
    assert told["not_done"] == {model: WHY_NOT[why] for model, why in reasons.items()}, ended.err
    assert (ended.code, told["models"], told["failed"]) == (0, len(SHELF.models), 0)
    assert (told["done"], told["refused"]) == (len(SHELF.sellable()), len(reasons))
    assert 0 < float(told["credits_taken"]) <= float(told["credits_quoted"])
    assert kie.provider.desk.created == told["done"]
    async with database.reading() as tx:
        assert [finding.invariant.name for finding in await audit(tx) if finding.broken] == []


async def test_budget_is_kept(kie: KieSandbox, tmp_path: Path, dsn: str) -> None:
    """What would go over it is refused, and the rest is made."""
    ended, told = await sanity(
        kie, tmp_path, dsn, "-m", "z-image", "-m", "omnihuman-1-5", "--budget", "1", "--yes", "--out", "kept"
    )
    assert (ended.code, told["done"], told["refused"], told["credits_taken"]) == (0, 1, 1, "0.8"), ended.err
    assert "budget" in told["not_done"]["omnihuman-1-5"]
    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["z-image-1.png"]


async def test_failure_is_an_exit_code(kie: KieSandbox, tmp_path: Path, dsn: str) -> None:
    """The model, and what became of it."""
    kie.faults.add(Fault("task_empty_urls", "createTask"))
    ended, told = await sanity(kie, tmp_path, dsn, "-m", "z-image", "--yes")
    assert (ended.code, told["failed"], told["not_done"]) == (1, 1, {"z-image": "no_result"})


async def test_nothing_is_spent_unasked(kie: KieSandbox, tmp_path: Path, dsn: str) -> None:
    """Where nobody can be asked it says so; an unknown model and a budget that is none are refused, too."""
    for arguments, said in (
        (("-m", "z-image"), "--yes"),
        (("-m", "z-imag", "--yes"), "is it z-image"),
        (("--budget", "much"), "number of credits"),
    ):
        ended, _ = await sanity(kie, tmp_path, dsn, *arguments)
        assert (ended.code, said in ended.err) == (2, True), ended.err
    assert kie.provider.desk.created == 0
