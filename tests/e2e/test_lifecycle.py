"""The life of a generation against the provider's sandbox: every branch, with the money at its end."""

import asyncio
import json

import pytest

from kiosk.db import Database
from kiosk.delivery.wording import Wording
from kiosk.generations import store
from kiosk.generations.callback import Taken
from kiosk.generations.confirm import Confirmation, Confirmed
from kiosk.generations.states import Failure, State
from tests.shopkeeping import a_customer, a_draft
from tests.workshop import a_workshop

PRICE = 80
UNTOUCHED = (1000, 0)
HELD = (1000 - PRICE, PRICE)
PAID = (1000 - PRICE, 0)


async def test_order_ends_done_and_captured(database: Database) -> None:
    """A plain order: held at confirmation, captured with the result, one delivery job, clean books."""
    async with a_workshop(database) as shop:
        order = await shop.ordered()
        assert await shop.money(order) == HELD
        await shop.submit(order)
        assert (await shop.order(order)).state is State.RUNNING
        assert (await shop.ended(order)).state is State.DONE
        assert await shop.money(order) == PAID
        assert await shop.transfers(order) == ["hold", "capture"]
        assert await shop.jobs("deliver") == 1
        assert await shop.broken_invariants() == []
        assert await shop.alerts() == []


async def test_confirm_twenty_times_is_one_order(database: Database) -> None:
    """Twenty clicks at once on a card: one hold, one job, and everybody is told that it is ordered."""
    async with a_workshop(database) as shop:
        async with database.transaction() as tx:
            customer = await a_customer(tx, kopecks=1000)
            draft = await a_draft(tx, customer)
            found = await store.lock(tx, draft, customer)
            assert found is not None
            await shop.wizard.requote(tx, found)
        all_here = asyncio.Barrier(20)

        async def click() -> Confirmation:
            await all_here.wait()
            return await shop.till.confirm(customer, draft, price_pressed=PRICE, message_id=found.status_message)

        answers = await asyncio.gather(*(click() for _ in range(20)))
        assert {type(answer) for answer in answers} == {Confirmed}
        assert await shop.transfers(draft) == ["hold"]
        assert await shop.jobs("submit") == 1
        assert await shop.money(draft) == HELD
        assert await shop.broken_invariants() == []


async def test_submit_job_twice_makes_one_task(database: Database) -> None:
    """A job that the engine runs twice finds the order taken."""
    async with a_workshop(database, grace_s=600) as shop:
        order = await shop.ordered()
        await asyncio.gather(shop.submit(order), shop.submit(order), shop.submit(order))
        assert len(shop.kie.provider.desk.tasks) == 1


async def test_callback_before_the_create_reply_starts_the_order(database: Database) -> None:
    """The provider calls back before it has answered: the order is found by its address and ends once."""
    async with a_workshop(database) as shop:
        shop.fault("callback_before_reply", "createTask")
        order = await shop.ordered()
        await shop.submit(order)
        assert (await shop.ended(order)).state is State.DONE
        assert await shop.transfers(order) == ["hold", "capture"]


async def test_lost_reply_is_resolved_by_the_callback(database: Database) -> None:
    """The reply is lost, the task exists: its callback names it and no second one is bought."""
    async with a_workshop(database, grace_s=600) as shop:
        shop.fault("lost_reply", "createTask")
        order = await shop.ordered()
        await shop.submit(order)
        while (await shop.order(order)).state is not State.RUNNING:
            await asyncio.sleep(0.01)
        assert (await shop.ended(order)).state is State.DONE
        assert len(shop.kie.provider.desk.tasks) == 1
        assert await shop.transfers(order) == ["hold", "capture"]


async def test_lost_reply_without_callback_is_tried_once_more(database: Database) -> None:
    """Nobody knows what became of the first task: after the grace period a second one serves, charged once."""
    async with a_workshop(database) as shop:
        shop.fault("lost_reply", "createTask")
        shop.fault("callback_never", "createTask", times=2)
        order = await shop.ordered()
        await shop.submit(order)
        assert (await shop.order(order)).state is State.SUBMITTING
        await shop.submit(order)
        assert (await shop.ended(order)).state is State.DONE
        assert len(shop.kie.provider.desk.tasks) == 2
        assert await shop.transfers(order) == ["hold", "capture"]


async def test_two_lost_replies_end_in_release(database: Database) -> None:
    """Never a third task: after two unknown outcomes the money goes back."""
    async with a_workshop(database) as shop:
        shop.fault("lost_reply", "createTask", times=2)
        shop.fault("callback_never", "createTask", times=2)
        order = await shop.ordered()
        for _ in range(4):
            await shop.submit(order)
        assert (await shop.order(order)).failure is Failure.PROVIDER
        assert len(shop.kie.provider.desk.tasks) == 2
        assert await shop.money(order) == UNTOUCHED


async def test_late_success_is_delivered_free(database: Database) -> None:
    """A task given up for lost calls back after all: the result is a gift, the released money stays released."""
    async with a_workshop(database) as shop:
        shop.fault("lost_reply", "createTask", times=2)
        shop.fault("callback_never", "createTask", times=2)
        order = await shop.ordered()
        for _ in range(3):
            await shop.submit(order)
        task, *_ = shop.kie.provider.desk.tasks
        token = (await shop.order(order)).callback_token
        assert await shop.desk.by_token(order, token, task) is Taken.WOKEN
        for _ in range(200):
            await shop.observe(order)
        found = await shop.order(order)
        assert (found.state, found.late) == (State.DONE, True)
        assert await shop.transfers(order) == ["hold", "release"]
        assert sorted(await shop.alerts()) == ["late", "lost"]
        assert await shop.broken_invariants() == []


@pytest.mark.parametrize("fault", ["code_429", "code_455", "http_429", "code_500"])
async def test_definite_not_now_goes_back_in_line(database: Database, fault: str) -> None:
    """The provider made no task and says so: the order waits and is submitted again, as its first attempt."""
    async with a_workshop(database) as shop:
        shop.fault(fault, "createTask")
        order = await shop.ordered()
        await shop.submit(order)
        found = await shop.order(order)
        assert (found.state, found.submits) == (State.PENDING, 0)
        assert await shop.money(order) == HELD
        await shop.wait_is_over()
        await shop.submit(order)
        assert (await shop.ended(order)).state is State.DONE


@pytest.mark.parametrize("fault", ["code_402", "code_433", "code_505"])
async def test_refusal_gives_the_money_back(database: Database, fault: str) -> None:
    """The provider refuses for good: failed at once, nothing kept."""
    async with a_workshop(database) as shop:
        shop.fault(fault, "createTask")
        order = await shop.ordered()
        await shop.submit(order)
        found = await shop.order(order)
        assert (found.state, found.failure) == (State.FAILED, Failure.UNAVAILABLE)
        assert await shop.money(order) == UNTOUCHED
        assert await shop.jobs("deliver") == 1


async def test_credits_refusal_by_text_gives_the_money_back(database: Database) -> None:
    """ "No credits" also comes under code 500 and is not taken for a passing trouble."""
    async with a_workshop(database, no_credit_code=500) as shop:
        shop.fault("code_402", "createTask")
        order = await shop.ordered()
        await shop.submit(order)
        assert (await shop.order(order)).failure is Failure.UNAVAILABLE


@pytest.mark.parametrize("fault", ["task_fail", "task_fail_text", "task_fail_envelope"])
async def test_failed_task_gives_the_money_back(database: Database, fault: str) -> None:
    """A task that fails, in any of its shapes, is a failure with release."""
    async with a_workshop(database) as shop:
        shop.fault(fault, "createTask")
        order = await shop.ordered()
        await shop.submit(order)
        assert (await shop.ended(order)).state is State.FAILED
        assert await shop.money(order) == UNTOUCHED
        assert await shop.broken_invariants() == []


@pytest.mark.parametrize("fault", ["task_empty_urls", "task_malformed_result"])
async def test_success_without_result_is_a_failure(database: Database, fault: str) -> None:
    """A success that holds nothing is not charged."""
    async with a_workshop(database) as shop:
        shop.fault(fault, "createTask")
        order = await shop.ordered()
        await shop.submit(order)
        assert (await shop.ended(order)).failure is Failure.NO_RESULT
        assert await shop.money(order) == UNTOUCHED


@pytest.mark.parametrize("fault", ["file_404", "file_html"])
async def test_dead_result_is_not_charged(database: Database, fault: str) -> None:
    """A result address that never holds a file: waited for until the deadline, then released."""
    async with a_workshop(database) as shop:
        shop.fault(fault, "result", times=None)
        order = await shop.ordered()
        await shop.submit(order)
        for _ in range(50):
            await shop.observe(order)
        assert (await shop.order(order)).state is State.RUNNING
        async with database.transaction() as tx:
            await tx.execute("UPDATE generations SET deadline_at = now() WHERE id = $1", order)
        assert (await shop.ended(order)).failure is Failure.NO_RESULT
        assert await shop.money(order) == UNTOUCHED


async def test_dead_result_that_comes_alive_is_charged_once(database: Database) -> None:
    """A file that is not there yet is looked for again."""
    async with a_workshop(database) as shop:
        shop.fault("file_404", "result", times=2)
        order = await shop.ordered()
        await shop.submit(order)
        assert (await shop.ended(order)).state is State.DONE
        assert await shop.transfers(order) == ["hold", "capture"]


async def test_stuck_task_is_released_at_the_deadline(database: Database) -> None:
    """A task that waits for ever ends with the order's deadline."""
    async with a_workshop(database) as shop:
        shop.fault("task_stuck", "createTask")
        order = await shop.ordered()
        await shop.submit(order)
        async with database.transaction() as tx:
            await tx.execute("UPDATE generations SET deadline_at = now() WHERE id = $1", order)
        assert (await shop.ended(order)).failure is Failure.TIMEOUT
        assert await shop.money(order) == UNTOUCHED
        assert await shop.alerts() == ["stuck"]


async def test_observers_in_parallel_settle_once(database: Database) -> None:
    """Callback and polling look at the same moment, thirty times over: one capture, one set of deliveries."""
    async with a_workshop(database) as shop:
        shop.fault("task_seconds", "createTask", seconds=0)
        order = await shop.ordered()
        await shop.submit(order)
        await asyncio.gather(*(shop.observe(order) for _ in range(30)))
        assert (await shop.ended(order)).state is State.DONE
        assert await shop.transfers(order) == ["hold", "capture"]
        assert await shop.jobs("deliver") == 1


async def test_all_results_are_planned(database: Database) -> None:
    """Twelve results are one edit, eleven extras and one notice."""
    async with a_workshop(database) as shop:
        shop.fault("task_many_results", "createTask", count=12)
        order = await shop.ordered()
        await shop.submit(order)
        await shop.ended(order)
        async with database.reading() as tx:
            rows = await tx.fetch("SELECT part, count(*) FROM deliveries GROUP BY part ORDER BY part")
        assert [tuple(row) for row in rows] == [("extra", 11), ("notice", 1), ("result", 1)]


async def test_callback_with_a_wrong_token_wakes_nothing(database: Database) -> None:
    """Whoever does not know the secret changes nothing."""
    async with a_workshop(database) as shop:
        order = await shop.ordered()
        before = await shop.jobs("observe")
        assert await shop.desk.by_token(order, "guessed", "f" * 32) is Taken.FORGED
        assert await shop.desk.by_token(order + 1, "guessed", "f" * 32) is Taken.FORGED
        assert await shop.jobs("observe") == before


async def test_orphan_callback_is_matched_when_its_task_becomes_known(database: Database) -> None:
    """A callback without token comes before its task is known: kept, then tied to its order."""
    async with a_workshop(database) as shop:
        order = await shop.ordered()
        shop.fault("task_stuck", "createTask")
        await shop.submit(order)
        task = (await shop.order(order)).task_id
        assert task is not None
        assert await shop.desk.by_task("e" * 32, "{}") is Taken.KEPT
        assert await shop.desk.by_task(task, "{}") is Taken.WOKEN
        async with database.reading() as tx:
            kept = await tx.fetchval("SELECT count(*) FROM orphan_callbacks WHERE matched_at IS NULL")
        assert kept == 1


async def test_cost_is_recorded_with_the_task(database: Database) -> None:
    """What the provider says it took stands beside what was quoted."""
    async with a_workshop(database, newer_keys=True) as shop:
        order = await shop.ordered()
        await shop.submit(order)
        await shop.ended(order)
        async with database.reading() as tx:
            row = await tx.fetchrow(
                "SELECT t.credits, g.credits_quoted FROM tasks t JOIN generations g ON g.id = t.generation_id"
            )
        assert row is not None
        assert row["credits"] == row["credits_quoted"]


async def test_second_paid_task_is_told_once(database: Database) -> None:
    """An answer was lost and both tasks ran: operators hear of it when the lost one turns up, and only then."""
    async with a_workshop(database, newer_keys=True) as shop:
        shop.fault("lost_reply", "createTask")
        shop.fault("callback_never", "createTask", times=2)
        order = await shop.ordered()
        await shop.submit(order)
        await shop.submit(order)
        await shop.ended(order)
        assert await shop.alerts() == []
        found = await shop.order(order)
        (lost,) = shop.kie.provider.desk.tasks.keys() - {found.task_id}
        assert await shop.desk.by_token(order, found.callback_token, lost) is Taken.WOKEN
        for _ in range(3):
            await shop.observe(order)
        assert await shop.alerts() == ["second_task"]
        assert await shop.transfers(order) == ["hold", "capture"]


async def outputs_of(database: Database, order: int) -> list[tuple[str, str, str, int | None]]:
    async with database.reading() as tx:
        rows = await tx.fetch(
            "SELECT media, source, title, duration_s FROM deliveries WHERE generation_id = $1 AND part <> 'notice' "
            "ORDER BY part = 'result' DESC, position",
            order,
        )
    return [tuple(row) for row in rows]


async def test_result_in_words_is_owed_to_the_chat(database: Database) -> None:
    """A transcript without any file: paid like a picture, its text and its timings stand among the deliveries."""
    said = {"text": "раз два", "words": [{"text": "раз", "start": 0, "end": 0.4}]}
    async with a_workshop(database) as shop:
        shop.fault("task_malformed_result", "createTask", text=json.dumps({"resultObject": said}))
        order = await shop.ordered()
        await shop.submit(order)
        assert (await shop.ended(order)).state is State.DONE
        assert await shop.money(order) == PAID
        owed = await outputs_of(database, order)
        wordings = [Wording.of(source) for _media, source, _title, _seconds in owed]
        assert [media for media, *_rest in owed] == ["text", "text"]
        assert wordings[0] == Wording("раз два")
        assert wordings[1] is not None
        assert json.loads(wordings[1].text) == said
        assert await shop.broken_invariants() == []


async def test_result_keeps_the_title_that_the_provider_gives(database: Database) -> None:
    """A song's name and length reach the row from which it is sent."""
    async with a_workshop(database) as shop:
        first = await shop.ordered()
        await shop.submit(first)
        await shop.ended(first)
        (_media, url, _title, _seconds), *_ = await outputs_of(database, first)
        song = {"audio_url": url, "title": "Утро", "duration": 198.44}
        shop.fault("task_malformed_result", "createTask", text=json.dumps({"data": [song]}))
        order = await shop.ordered()
        await shop.submit(order)
        await shop.ended(order)
        ((_media, source, title, seconds),) = await outputs_of(database, order)
        assert (source, title, seconds) == (url, "Утро", 198)
