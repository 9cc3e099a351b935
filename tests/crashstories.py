"""Ways of an order that together pass every crash point, each from shortly before the moments that it is for."""

import asyncio
import base64
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import Any, TypeAlias

import aiohttp

from kiosk.bot.buttons import Cancel, Create, Original
from kiosk.catalog.model import MediaType
from kiosk.delivery import store as deliveries
from kiosk.delivery.plan import Media, Output, failure_parcels
from kiosk.delivery.wording import Wording
from kiosk.generations import gates, results, store, tasks
from kiosk.generations.gate import FLIGHT_S
from kiosk.generations.settle import Settler
from kiosk.generations.states import SUBMITS_AT_MOST, Failure, State
from kiosk.generations.store import Generation
from kiosk.ids import key_name
from kiosk.kie.codes import RefusalReason
from kiosk.kie.pacing import Waits
from kiosk.ledger import store as ledger
from kiosk.media import store as media
from kiosk.media.fit import Facts
from kiosk.media.store import Source
from kiosk.queue.jobs import Act
from sandbox.media import MediaOrder
from sandbox.shopkeeper import BOT_ID, KIE_KEY
from sandbox.telegram.calls import Upload
from sandbox.telegram.media import store as keep_file
from tests.crashstage import CREATES, PRICE, Stage
from tests.shopkeeping import delivered

Part: TypeAlias = Callable[[Stage], Awaitable[None]]


WORDS = "Кот летит на Луну"
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x02\x00\x00\x00"
CLEAR_PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAQAAAAECAYAAACp8Z5+AAAAFUlEQVR42mPkTD5RwYAEmBjQAGEBAG39AbSNUW3kAAAAAElFTkSuQmCC"
)
FOR_EVER_MS = 2**53
SLOW_S = 3  # long enough for something else to happen meanwhile


async def nothing(_stage: Stage) -> None:
    """Nobody does anything."""


@dataclass(frozen=True)
class Story:
    """`passes` are patterns of points, without `but_not`; with @2 at the end: the second time the shop is there."""

    begins: Part
    passes: Sequence[str] = ()
    but_not: str = ""
    ends: frozenset[State] = frozenset({State.DONE})
    meanwhile: Part = nothing  # what people do while no shop runs
    outside: Part = nothing  # what goes on beside the shop until it dies
    extras: int = 0  # files beside the first
    own_message: bool = True  # whether there is an order's message to show the end in
    has_chat: bool = True  # whether anything is shown at all
    may_repeat: int = 0  # messages that may appear twice, because they cannot be edits


def stories_of(point: str) -> list[tuple[str, str]]:
    """Names of stories, each with the moment in it: the point itself, or a later time at it."""
    moments = [
        (name, point + time)
        for name, story in STORIES.items()
        for time in sorted({pattern.removeprefix(bare(pattern)) for pattern in story.passes if fits(point, pattern)})
        if not fnmatchcase(point, story.but_not)
    ]
    if all(moment != point for _, moment in moments):
        moments.insert(0, (PLAIN, point))
    return moments


def fits(point: str, pattern: str) -> bool:
    return fnmatchcase(point, bare(pattern))


def bare(moment: str) -> str:
    """A point without the time at it."""
    return moment.partition("@")[0]


async def plain(stage: Stage) -> None:
    """Create is pressed, and all goes well."""
    stage.press(Create(stage.order, PRICE))


async def price_was_another(stage: Stage) -> None:
    stage.press(Create(stage.order, PRICE - 1))


async def canceled_in_line(stage: Stage) -> None:
    await stage.confirmed()
    await stage.sql("UPDATE generations SET next_at = now() + interval '5 hours'")
    stage.press(Cancel(stage.order))


async def callback_is_faster(stage: Stage) -> None:
    """The provider calls back before it has answered."""
    stage.kie_fault("callback_before_reply", "createTask", times=None)
    stage.press(Create(stage.order, PRICE))


async def not_accepted(stage: Stage) -> None:
    stage.kie_fault("code_455", "createTask")
    stage.press(Create(stage.order, PRICE))


async def refused(stage: Stage) -> None:
    """The model was taken out of the catalog after the order."""
    await stage.sql("UPDATE generations SET model_id = 'gone'")
    await never_woken(stage)


async def asked_twice_in_vain(stage: Stage) -> None:
    """Whatever became of both attempts was never known, and that was long ago."""
    await stage.confirmed()
    async with stage.db.transaction() as tx:
        for _ in range(SUBMITS_AT_MOST):
            assert await store.claim_submit(tx, stage.order, grace_s=0, submits_at_most=SUBMITS_AT_MOST)
    await stage.an_hour_passes(nobody_at_work=True)


async def overdue_in_line(stage: Stage) -> None:
    await stage.confirmed()
    await stage.sql("UPDATE generations SET deadline_at = now(), next_at = now()")


async def ordered_directly(stage: Stage) -> None:
    """Without a chat, by somebody who was killed right behind the order."""
    await stage.confirmed()
    await stage.sql("UPDATE generations SET chat_id = NULL, message_id = NULL, next_at = now()")


async def unknown_outcome(stage: Stage) -> None:
    """The provider made a task, and its answer is lost."""
    stage.kie_fault("lost_reply", "createTask")
    stage.press(Create(stage.order, PRICE))


async def no_credits(stage: Stage) -> None:
    stage.kie_fault("code_402", "createTask")
    stage.press(Create(stage.order, PRICE))


async def the_gate(stage: Stage, **changes: Any) -> None:
    """The row of the provider's key says this."""
    async with stage.db.transaction() as tx:
        gate, _ = await gates.lock(tx, key_name(KIE_KEY))
        await gates.save(tx, key_name(KIE_KEY), replace(gate, **changes))


async def in_line(stage: Stage) -> None:
    """As many as the provider takes at once are being asked for, all by others."""
    await never_woken(stage)
    async with stage.db.reading() as tx:
        now = await gates.clock(tx)
    await the_gate(stage, counted=(now + timedelta(seconds=FLIGHT_S),) * CREATES)


async def in_line_and_unheard(stage: Stage) -> None:
    """The place is told, but what Telegram says of it is lost."""
    await in_line(stage)
    stage.telegram_fault("drop_after", "editMessageText")


async def in_line_and_told_slowly(stage: Stage) -> None:
    await in_line(stage)
    stage.telegram_fault("slow", "editMessageText", delay_s=SLOW_S)


async def being_told_its_place(stage: Stage) -> Generation:
    while (order := await stage.generation()).place_told is None:
        await asyncio.sleep(0.05)
    return order


async def leaves_meanwhile(stage: Stage) -> None:
    """The customer leaves the line while the place is on its way to them."""
    order = await being_told_its_place(stage)
    assert await Settler(stage.db).cancel(order.customer_id, order.id)


async def ends_meanwhile(stage: Stage) -> None:
    """Another replica gives the order up and says so while the place is on its way to the same message."""
    order = await being_told_its_place(stage)
    async with stage.db.transaction() as tx:  # as Settler.fail does, but without a job that the first one could take
        await ledger.lock(tx, order.customer_id)
        failure = Failure.UNAVAILABLE
        assert await store.settle_failed(tx, order.id, was=State.PENDING, failure=failure, wake_s=20, late_look_s=None)
        await ledger.resolve(tx, order.id, "release")
        await deliveries.insert(tx, order.id, failure_parcels())
    await stage.own.worker.handlers[Act.DELIVER](order.id)
    assert (await stage.generation()).delivered_at


async def paused(stage: Stage) -> None:
    """There were no credits, and there are some by now."""
    await never_woken(stage)
    async with stage.db.reading() as tx:
        now = await gates.clock(tx)
    await the_gate(stage, paused_since=now, paused_why=RefusalReason.NO_CREDITS.value, check_at=now, pauses=1)


async def with_a_file(stage: Stage) -> None:
    """The customer sent a picture that is to be worked on."""
    upload = Upload("cat.png", "image/png", PNG)
    kept = await keep_file(stage.telegram.world, BOT_ID, "document", upload)
    await with_the_file(stage, kept.file_id)


async def with_the_file(stage: Stage, file_id: str) -> None:
    facts = Facts(MediaType.IMAGE, "png", "image/png", len(PNG))
    customer = (await stage.generation()).customer_id
    async with stage.db.transaction() as tx:
        number = await media.add(tx, customer, 1, Source(file_id=file_id), facts)
    await stage.sql(
        "UPDATE generations SET model_id = $1, inputs = jsonb_build_object('image', $2::text)",
        "recraft/remove-background",
        f"media:{number}",
    )
    await never_woken(stage)


async def host_is_away(stage: Stage) -> None:
    """The provider takes no files at first."""
    await with_a_file(stage)
    stage.kie_fault("http_502", "upload-stream", times=Waits().tries)


async def file_lost(stage: Stage) -> None:
    """Telegram does not know the customer's file any more."""
    await with_the_file(stage, "gone")


async def from_a_result(stage: Stage) -> None:
    """The order goes on from a picture that the provider made before, and still has."""
    address = f"{stage.kie.result_url}/s/earlier.png"
    stage.kie.provider.files.put_order("s/earlier.png", MediaOrder("image", "cat", extension="png"), FOR_EVER_MS)
    customer = (await stage.generation()).customer_id
    async with stage.db.transaction() as tx:
        await ledger.adjust(tx, customer, PRICE, "for the earlier one")
        earlier = await delivered(tx, customer, price=PRICE, outputs=[Output(Media.IMAGE, address)])
        (piece,) = await results.pieces(tx, customer, earlier)
        await media.add_result(tx, customer, piece.delivery_id, Facts(MediaType.IMAGE, "png", "image/png", len(PNG)))
        number = await media.of_delivery(tx, customer, piece.delivery_id)
    await stage.sql(
        "UPDATE generations SET model_id = $2, inputs = jsonb_build_object('image', $3::text) WHERE id = $1",
        stage.order,
        "recraft/remove-background",
        f"media:{number}",
    )
    await never_woken(stage)


async def original_asked(stage: Stage) -> None:
    """The result is in the chat, and the file behind it is asked for."""
    await stage.settled()
    await stage.own.worker.handlers[Act.DELIVER](stage.order)
    stage.press(Original(stage.order))


async def task_fails(stage: Stage) -> None:
    stage.kie_fault("task_fail", "createTask", times=None, code="500", msg="Internal Error")
    stage.press(Create(stage.order, PRICE))


async def not_ready_yet(stage: Stage) -> None:
    """The first look finds nothing; no callback was heard."""
    await stage.submitted()
    stage.kie_fault("record_null", "recordInfo")
    await stage.an_hour_passes(nobody_at_work=True)


async def never_woken(stage: Stage) -> None:
    """No wake-up is left, only the time at which to look."""
    await stage.confirmed()
    await stage.an_hour_passes(nobody_at_work=True)


async def given_up(stage: Stage) -> None:
    """The money has gone back with a task that had not ended; by now it has."""
    await stage.submitted()
    order = await stage.generation()
    assert await Settler(stage.db).fail(order, Failure.TIMEOUT, was=State.RUNNING, unended=True)


async def late(stage: Stage) -> None:
    """The customer was told that there is no result, and there is one after all."""
    await given_up(stage)
    await stage.own.worker.handlers[Act.DELIVER](stage.order)


async def late_and_untold(stage: Stage) -> None:
    """The customer was not told yet, and the wake-up for it is lost."""
    await given_up(stage)
    await stage.sql("DELETE FROM pgqueuer; UPDATE generations SET next_at = now() + interval '5 hours'")


async def looked_at_late(stage: Stage) -> None:
    """No callback was heard."""
    await late(stage)
    await stage.an_hour_passes(nobody_at_work=True)


async def failed_for_good(stage: Stage) -> None:
    """What had not ended has failed as well."""
    stage.kie_fault("task_fail", "createTask", code="500", msg="Internal Error")
    await looked_at_late(stage)


async def two_tasks(stage: Stage) -> None:
    """The first attempt's reply and callback were lost; the second one's result is in the chat."""
    stage.kie_fault("lost_reply", "createTask")
    stage.kie_fault("callback_never", "createTask", times=2)
    await stage.submitted()
    await stage.an_hour_passes(nobody_at_work=True)
    await stage.own.worker.handlers[Act.SUBMIT](stage.order)
    await stage.looked_at_until_settled()
    await stage.own.worker.handlers[Act.DELIVER](stage.order)


async def orphan(stage: Stage) -> None:
    """A callback without token was kept before its task was known."""
    await stage.submitted()
    async with stage.db.transaction() as tx:
        assert await tasks.keep_orphan(tx, (await stage.generation()).task_id or "", "{}")


async def old_draft(stage: Stage) -> None:
    await stage.sql("UPDATE generations SET touched_at = now() - interval '31 days'")


async def being_delivered(stage: Stage) -> None:
    """Settled a moment ago."""
    await stage.settled()
    await stage.an_hour_passes(nobody_at_work=True)


async def two_files(stage: Stage) -> None:
    stage.kie_fault("task_many_results", "createTask", times=None, count=2)
    await being_delivered(stage)


async def several_files(stage: Stage) -> None:
    """The second and the third are an album."""
    stage.kie_fault("task_many_results", "createTask", times=None, count=3)
    await being_delivered(stage)


async def album_refused(stage: Stage) -> None:
    await several_files(stage)
    stage.telegram_fault("refuse_file", "sendMediaGroup")


async def album_unheard(stage: Stage) -> None:
    """Nothing of it was shown, and nobody knows."""
    await several_files(stage)
    stage.telegram_fault("drop_before", "sendMediaGroup")


async def see_through(stage: Stage) -> str:
    """The address of a picture that a photo would spoil."""
    upload = Upload("cat.png", "image/png", CLEAR_PNG)
    kept = await keep_file(stage.telegram.world, BOT_ID, "document", upload)
    return f"{stage.telegram.base_url}/customer/files/{kept.unique_id}"


async def spoiled_by_a_photo(stage: Stage) -> None:
    await being_delivered(stage)
    await stage.sql("UPDATE deliveries SET source = $1 WHERE part = 'result'", await see_through(stage))


async def owed_as_a_file(stage: Stage) -> None:
    """The file itself is owed besides, and Telegram takes the picture as a file only."""
    await being_delivered(stage)
    await stage.sql(
        """
        INSERT INTO deliveries (generation_id, part, position, media, source)
        SELECT generation_id, 'original', position, media, source FROM deliveries WHERE part = 'result'
        """
    )
    stage.telegram_fault("refuse_file", "editMessageMedia")


async def refused_with_its_cover(stage: Stage) -> None:
    await being_delivered(stage)
    await stage.sql("UPDATE deliveries SET cover = $1 WHERE part = 'result'", await see_through(stage))
    stage.telegram_fault("refuse_file", "editMessageMedia")


async def in_words(stage: Stage) -> None:
    """The result is no file."""
    await being_delivered(stage)
    await stage.sql("UPDATE deliveries SET media = 'text', source = $1 WHERE part = 'result'", Wording(WORDS).source())


async def big_file(stage: Stage) -> None:
    """Too big for Telegram."""
    await being_delivered(stage)
    stage.kie_fault("file_big", "result", times=None, mb=60)


async def message_deleted(stage: Stage) -> None:
    await being_delivered(stage)
    stage.delete_message()


async def message_deleted_then_failed(stage: Stage) -> None:
    stage.kie_fault("task_fail", "createTask", times=None, code="500", msg="Internal Error")
    await message_deleted(stage)


async def blocked(stage: Stage) -> None:
    """The customer has blocked the bot, and the shop does not know it yet."""
    await being_delivered(stage)
    stage.block(blocked=True)
    stage.telegram.world.bots[BOT_ID].queue.clear()


async def known_to_be_blocked(stage: Stage) -> None:
    await being_delivered(stage)
    stage.block(blocked=True)
    await stage.sql("UPDATE customers SET blocked_at = now()")


async def comes_back(stage: Stage) -> None:
    stage.block(blocked=False)
    stage.write("/start")


async def file_away(stage: Stage) -> None:
    """The file was there when it was looked at, and is not when it is fetched."""
    await being_delivered(stage)
    stage.kie_fault("file_404", "result")


async def reply_lost(stage: Stage) -> None:
    await being_delivered(stage)
    stage.telegram_fault("drop_after", "editMessageMedia")


async def calls_without_token(stage: Stage) -> None:
    """The provider tells of the task at the address that names no order."""
    order = await stage.generation()
    await knock(stage, f"{stage.settings['WEBHOOK_BASE_URL']}/callbacks/kie", order.task_id or "")


async def calls_for_an_unknown_task(stage: Stage) -> None:
    await knock(stage, f"{stage.settings['WEBHOOK_BASE_URL']}/callbacks/kie", "e" * 32)


async def calls_with_token(stage: Stage) -> None:
    """The provider tells of the first task that it made."""
    order = await stage.generation()
    first = next(iter(stage.kie.provider.desk.tasks))
    await knock(stage, f"{stage.settings['WEBHOOK_BASE_URL']}/callbacks/kie/{order.id}/{order.callback_token}", first)


async def knock(stage: Stage, url: str, task_id: str) -> None:
    """Again and again until it is taken."""
    body = {"code": 200, "msg": "success", "data": {"taskId": task_id}}
    async with aiohttp.ClientSession() as session:
        while True:
            try:
                async with session.post(url, json=body) as answer:
                    if answer.ok:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.05)


FAILED = frozenset({State.FAILED})
CANCELED = frozenset({State.CANCELED})
SUCCEED = "settle.Settler.succeed:*"
FAIL = "settle.Settler.fail:*"
ALERT = "*:raise_alert"
HOPELESS = "submit.Submitter._given_up:*"
RECORD = "deliver.Deliverer._record:"
SHOWN = "deliver.Deliverer._record_shown:"
PUT_BACK = "deliver.Deliverer._put_back:deliveries.put_back"
PLAIN = "plain"
NO_GROUPS = "only a group can move, and the stand-in for Telegram has none; tests/e2e/test_supergroup.py moves one"
UNREACHED = {
    f"{RECORD}deliveries.forget_result_message": NO_GROUPS,
    f"{RECORD}store.move": NO_GROUPS,
    f"{RECORD}store.deliver_again#2": NO_GROUPS,
}
STORIES = {
    # Whatever no other story asks for happens here.
    PLAIN: Story(
        plain,
        (SUCCEED, "deliver.Deliverer._claim:commit@2", f"{SHOWN}deliveries.mark_sent@2", f"{RECORD}commit@2"),
        but_not=ALERT,
    ),
    "price changed": Story(price_was_another, ("confirm.Till.sell:wizard.requote",), ends=frozenset({State.DRAFT})),
    "canceled": Story(canceled_in_line, ("settle.Settler.cancel:*",), ends=CANCELED),
    "callback faster": Story(
        callback_is_faster,
        ("callback.CallbackDesk.by_token:*", "callback.CallbackDesk._wake:*", "submit.Submitter._created:enqueue"),
    ),
    "not accepted": Story(not_accepted, ("submit.Submitter._put_back:*",)),
    "refused": Story(
        refused,
        ("settle.Settler.fail:ledger.*", "settle.Settler.fail:commit", "submit.Submitter._conclude:commit"),
        ends=FAILED,
    ),
    "no credits": Story(
        no_credits, ("submit.Submitter._conclude:commit", "gatekeeper.Gatekeeper._change:raise_alert"), ends=FAILED
    ),
    "unknown outcome": Story(unknown_outcome, ("submit.Submitter._conclude:commit#2",)),
    "in line": Story(
        in_line,
        (
            "gatekeeper.Gatekeeper.line_up:*",
            "usher.Usher.tell:*",
            "usher.Usher.under_way:*",
            "usher.Usher._forget:*",
            "usher.Usher._read:*",
            "usher.Usher._put:messenger.put_status",
            "usher.Usher._put:messenger.put_status@2",
        ),
    ),
    "in line, unheard": Story(in_line_and_unheard, ("usher.Usher._forget:*",)),
    "in line, leaves": Story(
        in_line_and_told_slowly, ("usher.Usher._put:messenger.put_canceled",), ends=CANCELED, outside=leaves_meanwhile
    ),
    "in line, ends": Story(
        in_line_and_told_slowly,
        ("usher.Usher._put:messenger.put_status", "usher.Usher._deliver_again:*"),
        ends=FAILED,
        outside=ends_meanwhile,
    ),
    "paused": Story(
        paused,
        (
            "gatekeeper.Gatekeeper.reopen:*",
            "gatekeeper.Gatekeeper._claim_check:*",
            "gatekeeper.Gatekeeper._change:line.wake",
            "gatekeeper.Gatekeeper._change:raise_alert",
        ),
    ),
    # The model removes backgrounds, so the file of its result follows by itself.
    "file": Story(with_a_file, ("luggage.Luggage.*:*",), but_not="luggage.Luggage._stands_there:*", extras=1),
    "result": Story(from_a_result, ("luggage.Luggage._stands_there:*",), extras=1),
    "host away": Story(
        host_is_away, ("submit.Submitter._packed:line.hold_back", "submit.Submitter._packed:commit"), extras=1
    ),
    "file lost": Story(file_lost, ("settle.Settler.fail:commit",), ends=FAILED),
    "original": Story(original_asked, ("original.owe_originals:*",), extras=1),
    "task failed": Story(
        task_fails, (FAIL, "send.Courier._say_failure:messenger.put_failure"), but_not=ALERT, ends=FAILED
    ),
    "asked in vain": Story(asked_twice_in_vain, (FAIL, HOPELESS), ends=FAILED),
    "overdue in line": Story(overdue_in_line, (HOPELESS, "settle.Settler.fail:commit"), ends=FAILED),
    "not ready": Story(not_ready_yet, ("observe.Observer._act:*",)),
    "two tasks": Story(
        two_tasks,
        ("observe.Observer._complete_costs:*", "observe.Observer._record_credits:raise_alert"),
        outside=calls_with_token,
    ),
    "direct": Story(ordered_directly, ("deliver.put_at_hand:*",), own_message=False, has_chat=False),
    "never woken": Story(never_woken, ("sweep.Sweeper.sweep:*",)),
    "orphan": Story(orphan, ("sweep.Sweeper.match_orphans:*",)),
    "old draft": Story(old_draft, ("sweep.Sweeper.tidy:*",), ends=CANCELED),
    "no token": Story(
        not_ready_yet,
        ("callback.CallbackDesk.by_task:enqueue", "callback.CallbackDesk.by_task:commit"),
        outside=calls_without_token,
    ),
    "unknown task": Story(
        not_ready_yet,
        (
            "callback.CallbackDesk.by_task:tasks.*",
            "callback.CallbackDesk.by_task:commit",
        ),
        outside=calls_for_an_unknown_task,
    ),
    "late": Story(late, (SUCCEED,), but_not="*:ledger.resolve", outside=calls_with_token),
    "looked at late": Story(looked_at_late, ("sweep.Sweeper.look_late:*",)),
    "failed for good": Story(failed_for_good, ("observe.Observer._look_no_more:*",), ends=FAILED),
    "late, untold": Story(
        late_and_untold,
        ("deliver.Deliverer._claim:deliveries.mark_sent", "deliver.Deliverer._next:deliveries.claim_next@2"),
        outside=calls_with_token,
    ),
    "two files": Story(two_files, ("send.Courier._climb:show@2", f"{RECORD}commit@2"), extras=1, may_repeat=1),
    "several files": Story(
        several_files,
        (
            "deliver.Deliverer._hand_over:courier.hand_over_album",
            "deliver.Deliverer._claim:deliveries.claim_with@2",
            "deliver.Deliverer._claim:commit@2",
            "send.Courier.hand_over_album:messenger.send_album",
            f"{SHOWN}deliveries.mark_sent@2",
            f"{SHOWN}deliveries.mark_sent@3",
            f"{RECORD}commit@2",
        ),
        extras=2,
        may_repeat=2,
    ),
    "album refused": Story(
        album_refused,
        (f"{SHOWN}deliveries.send_alone", f"{SHOWN}deliveries.send_alone@2", f"{RECORD}commit@2"),
        extras=2,
    ),
    "album unheard": Story(album_unheard, (PUT_BACK, f"{PUT_BACK}@2", f"{RECORD}store.deliver_again#4"), extras=2),
    "spoiled by a photo": Story(spoiled_by_a_photo, (f"{SHOWN}deliveries.insert_original",), extras=1),
    "owed as a file": Story(owed_as_a_file, (f"{SHOWN}deliveries.original_is_there",), may_repeat=1),
    "refused with its cover": Story(
        refused_with_its_cover, ("send.Courier._fetch:fetcher.cover", "send.Courier._climb:show#2")
    ),
    "in words": Story(in_words, ("send.Courier._bring_words:*",)),
    "big file": Story(big_file, ("send.Courier._give:show",)),
    "deleted": Story(
        message_deleted, ("send.Courier._show_result:messenger.send_result",), own_message=False, may_repeat=1
    ),
    "deleted, failed": Story(
        message_deleted_then_failed,
        ("send.Courier._say_failure:messenger.send_failure",),
        ends=FAILED,
        own_message=False,
        may_repeat=1,
    ),
    "blocked": Story(
        blocked,
        (f"{RECORD}customers.mark_blocked", PUT_BACK, f"{RECORD}store.deliver_again"),
        meanwhile=comes_back,
    ),
    "known to be blocked": Story(
        known_to_be_blocked, ("deliver.Deliverer.__call__:store.deliver_again",), meanwhile=comes_back
    ),
    "file away": Story(file_away, (PUT_BACK, f"{RECORD}store.deliver_again#3")),
    "reply lost": Story(
        reply_lost,
        (PUT_BACK, f"{RECORD}store.deliver_again#4"),
    ),
}
