"""A shop is killed right after each effect that it has, one point after the other, and another one goes on."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from chaos.breakages import Change, changed_copy
from chaos.effects import COMMIT
from chaos.points import points_of_code
from chaos.starter import Starter
from kiosk.generations.states import State
from tests.conftest import fresh_database
from tests.crashstage import FUNDS, PRICE, Stage, a_stage
from tests.crashstories import STORIES, UNREACHED, WORDS, Story, bare, fits, stories_of

POINTS = [point.name for point in points_of_code()]
CASES = [(moment, story) for point in POINTS if point not in UNREACHED for story, moment in stories_of(point)]
RING = "смотрите выше"
MONEY_IS_BACK = "вернулись на баланс"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def starter() -> AsyncIterator[Starter]:
    async with Starter(hooks=["chaos.points"]) as running:
        yield running


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("moment", "story"), CASES, ids=[f"{moment} ({story})" for moment, story in CASES])
async def test_killed_there_another_shop_makes_it_good(
    starter: Starter, postgres: str, migrated: str, tmp_path: Path, moment: str, story: str
) -> None:
    """Whole transactions or nothing, one result or the money back, and nobody who has to look after it."""
    async with fresh_database(postgres, migrated) as dsn, a_stage(dsn, starter, tmp_path) as stage:
        await survive(stage, STORIES[story], moment)


async def survive(stage: Stage, story: Story, moment: str) -> None:
    """The story with a death in it."""
    await story.begins(stage)
    async with beside(story.outside, stage) as outside:
        death = await stage.killed_at(moment, story.ends, outside)
        assert (death.code, death.point) == (-signal.SIGKILL, bare(moment))
        if death.transaction:
            whole = bare(moment).partition(":")[2].startswith(COMMIT)
            assert await stage.fate_of(death.transaction) == ("committed" if whole else "aborted")
        assert await stage.broken_invariants() == []
        await story.meanwhile(stage)
        await stage.an_hour_passes(nobody_at_work=True)
        await stage.finished(story.ends, outside)
    await judge(stage, story)


@contextlib.asynccontextmanager
async def beside(act: Callable[[Stage], Any], stage: Stage) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(act(stage))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def judge(stage: Stage, story: Story) -> None:
    """Chat, money, books and the provider's bill."""
    order = await stage.generation()
    assert order.state in story.ends
    charged = PRICE if order.state is State.DONE and not order.late else 0
    assert await stage.money() == (FUNDS - charged, 0)
    assert await stage.broken_invariants() == []
    assert stage.kie.provider.desk.created <= order.submits
    assert await stage.parked_jobs() == 0
    shown = stage.shown()
    texts = (stage.kie.result_url, WORDS)
    results = [item for item in shown if item["media"] or any(text in (item["text"] or "") for text in texts)]
    reasons = [item for item in shown if MONEY_IS_BACK in (item["text"] or "")]
    told = {State.DONE: results, State.FAILED: reasons}.get(order.state, [])
    assert not results or told is results
    assert not reasons or order.state is not State.DONE
    wanted = 1 + story.extras if order.state in (State.DONE, State.FAILED) and story.has_chat else 0
    assert wanted <= len(told) <= wanted + story.may_repeat
    if story.own_message and told:
        assert [item["message_id"] for item in told].count(stage.message_id) == 1
    assert sum(RING in (item["text"] or "") for item in shown) <= 1


MONEY_APART = Change(
    "generations/settle.py",
    '                await ledger.resolve(tx, order.id, "capture")\n',
    '                await ledger.resolve(tx, order.id, "capture")\n        async with self.db.transaction() as tx:\n',
)


@pytest.mark.asyncio(loop_scope="module")
async def test_settling_in_two_transactions_is_found_out(
    postgres: str, migrated: str, tmp_path: Path, open_folder: Path
) -> None:
    """A copy of the shop that commits between the money and what it is for: whoever dies there leaves half a truth."""
    copy = changed_copy([MONEY_APART], open_folder)
    between = "settle.Settler.succeed:commit"
    assert {between, f"{between}#2"} <= {point.name for point in points_of_code(copy)}
    async with (
        Starter(pythonpath=[copy], hooks=["chaos.points"]) as broken,
        fresh_database(postgres, migrated) as dsn,
        a_stage(dsn, broken, tmp_path) as stage,
    ):
        with pytest.raises(AssertionError, match="done_has_a_result"):
            await survive(stage, STORIES["plain"], between)


def test_every_pattern_of_a_story_fits_a_point() -> None:
    """A story that is for nothing any more is forgotten."""
    meant = {pattern for story in STORIES.values() for pattern in story.passes}
    fitting = {pattern for pattern in meant if any(fits(point, pattern) for point in POINTS)}
    assert meant - fitting == set()


def test_what_is_left_out_is_a_point() -> None:
    """A reason for what is gone excuses nothing."""
    assert UNREACHED.keys() - {*POINTS} == set()
