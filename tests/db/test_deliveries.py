"""Rows for everything that must reach the chat: taken in order, by one at a time, and taken over from the dead."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
import structlog

from kiosk.db import Database, Tx
from kiosk.delivery import store as deliveries
from kiosk.delivery.plan import Media, Output, Parcel, Part, result_parcels
from kiosk.delivery.send import Courier
from kiosk.delivery.store import Delivery
from kiosk.generations import store
from kiosk.generations.deliver import Deliverer
from kiosk.generations.original import KEPT_FOR, Owed, owe_originals
from kiosk.generations.settle import Settler
from kiosk.generations.states import Failure, State
from kiosk.generations.store import Generation
from tests.scripted import ScriptedFiles, ScriptedMessenger
from tests.shopkeeping import BOT, a_customer, running

EDIT_S, SEND_S = 25.0, 90.0
MB = 1024 * 1024
FILES = [Output(Media.IMAGE, f"https://files.example/{n}.png") for n in range(3)]


@pytest.fixture
async def order(database: Database) -> int:
    """A done generation without any delivery yet."""
    async with database.transaction() as tx:
        number = await running(tx, await a_customer(tx, kopecks=1000), price=10)
        assert await store.settle_done(tx, number, was=State.RUNNING, wake_s=20)
    return number


async def claim(tx: Tx, order: int) -> Delivery | None:
    return await deliveries.claim_next(tx, order, edit_lease_s=EDIT_S, send_lease_s=SEND_S)


async def taken(tx: Tx, order: int) -> Delivery:
    parcel = await claim(tx, order)
    assert parcel is not None
    return parcel


async def begun_ago(tx: Tx, parcel: Delivery, seconds: float) -> None:
    """Whoever took it did so that long ago, and was not heard of again."""
    await tx.execute(
        "UPDATE deliveries SET claimed_at = now() - make_interval(secs => $2) WHERE id = $1", parcel.id, seconds
    )


async def test_parcels_come_in_the_order_in_which_they_appear(database: Database, order: int) -> None:
    """The result, the further files in their order, the notice last; then nothing."""
    async with database.transaction() as tx:
        await deliveries.insert(tx, order, tuple(reversed(result_parcels(FILES))))
        seen = []
        while parcel := await claim(tx, order):
            seen.append((parcel.part, parcel.position))
            await deliveries.mark_sent(tx, parcel.id, message_id=1, file_id=None)
        assert await store.delivered(tx, order)
    assert seen == [(Part.RESULT, 0), (Part.EXTRA, 1), (Part.EXTRA, 2), (Part.NOTICE, 0)]


async def test_only_one_has_a_parcel_in_hand(database: Database, order: int) -> None:
    """Ten deliverers at once: one gets the first parcel, the others nothing, not even the next one."""
    async with database.transaction() as tx:
        await deliveries.insert(tx, order, result_parcels(FILES))

    async def try_to_claim() -> Delivery | None:
        async with database.transaction() as tx:
            return await claim(tx, order)

    got = [parcel for parcel in await asyncio.gather(*(try_to_claim() for _ in range(10))) if parcel]
    assert [parcel.part for parcel in got] == [Part.RESULT]
    assert got[0].tries == 0


@pytest.mark.parametrize(
    ("parcel", "lease_s"),
    [
        (Parcel(Part.RESULT, 0, Media.IMAGE, "x"), EDIT_S),
        (Parcel(Part.EXTRA, 1, Media.IMAGE, "x"), SEND_S),
        (Parcel(Part.NOTICE, 0, Media.TEXT, ""), EDIT_S),
        (Parcel(Part.FAILURE, 0, Media.TEXT, ""), EDIT_S),
    ],
    ids=lambda value: value.part.value if isinstance(value, Parcel) else None,
)
async def test_parcel_of_the_dead_is_taken_over_after_its_lease(
    database: Database, order: int, parcel: Parcel, lease_s: float
) -> None:
    """Soon where a repetition leaves the chat as it is, late where it would be seen; and the attempt is counted."""
    async with database.transaction() as tx:
        await deliveries.insert(tx, order, [parcel])
        mine = await taken(tx, order)
        await begun_ago(tx, mine, lease_s - 1)
        assert await claim(tx, order) is None
        await begun_ago(tx, mine, lease_s + 1)
        again = await taken(tx, order)
    assert (again.id, again.tries) == (mine.id, 1)


async def test_parcel_put_back_need_not_wait(database: Database, order: int) -> None:
    """The attempt counts, unless it surely was not shown."""
    async with database.transaction() as tx:
        await deliveries.insert(tx, order, result_parcels(FILES[:1]))
        await deliveries.put_back(tx, (await taken(tx, order)).id)
        second = await taken(tx, order)
        assert second.tries == 1
        await deliveries.put_back(tx, second.id, untried=True)
        assert (await taken(tx, order)).tries == 1


async def test_sent_parcel_stays_sent(database: Database, order: int) -> None:
    """One that was overtaken and comes back late changes nothing."""
    async with database.transaction() as tx:
        await deliveries.insert(tx, order, result_parcels(FILES[:1]))
        parcel = await taken(tx, order)
        await deliveries.mark_sent(tx, parcel.id, message_id=11, file_id="a")
        await deliveries.put_back(tx, parcel.id)
        await deliveries.mark_sent(tx, parcel.id, message_id=12, file_id="b")
        assert await deliveries.result_message(tx, order) == 11


async def test_planned_twice_is_planned_once(database: Database, order: int) -> None:
    """A plan made again adds nothing and changes nothing."""
    async with database.transaction() as tx:
        await deliveries.insert(tx, order, result_parcels(FILES))
        await deliveries.insert(tx, order, result_parcels([Output(Media.VIDEO, "https://other.example")]))
        rows = await tx.fetch("SELECT media FROM deliveries WHERE part = 'result'")
        assert [row["media"] for row in rows] == ["image"]
        assert await tx.fetchval("SELECT count(*) FROM deliveries") == len(FILES) + 1


async def test_generation_is_delivered_only_when_everything_is(database: Database, order: int) -> None:
    """One parcel in the hands of another keeps it unfinished."""
    async with database.transaction() as tx:
        await deliveries.insert(tx, order, result_parcels(FILES[:1]))
        result = await taken(tx, order)
        assert not await store.delivered(tx, order)
        await deliveries.mark_sent(tx, result.id, message_id=11, file_id=None)
        assert not await store.delivered(tx, order)
        await deliveries.mark_sent(tx, (await taken(tx, order)).id, message_id=12, file_id=None)
        assert await store.delivered(tx, order)
        assert not await store.delivered(tx, order)


async def a_failed_order(database: Database) -> int:
    async with database.transaction() as tx:
        order = await running(tx, await a_customer(tx, kopecks=1000), price=10)
    await Settler(database).fail(await found(database, order), Failure.TIMEOUT, was=State.RUNNING)
    return order


async def found(database: Database, order: int) -> Generation:
    async with database.reading() as tx:
        row = await store.get(tx, order)
    assert row is not None
    return row


async def test_overtaken_failure_is_not_told(database: Database) -> None:
    """A late success: nobody is told any more that it failed, and the result goes out as the gift that it is."""
    order, chat = await a_failed_order(database), ScriptedMessenger()
    assert await Settler(database).succeed(await found(database, order), FILES[:1])
    await Deliverer(database, {BOT: Courier(chat, ScriptedFiles(), MB)})(order)
    assert chat.failures == {}
    assert [to.late for to in chat.results[order]] == [True]
    assert (await found(database, order)).delivered_at is not None


async def test_order_of_a_bot_that_is_not_here_waits(database: Database) -> None:
    """No parcel is claimed or counted; a process that has the bot delivers it later."""
    order, chat = await a_failed_order(database), ScriptedMessenger()
    with structlog.testing.capture_logs() as lines:
        await Deliverer(database, {BOT + 1: Courier(chat, ScriptedFiles(), MB)})(order)
    assert [(line["event"], line["bot_id"]) for line in lines] == [("delivery.bot_away", BOT)]
    async with database.reading() as tx:
        parcels = await tx.fetch("SELECT state, tries FROM deliveries WHERE generation_id = $1", order)
        assert await tx.fetchval("SELECT next_at > now() FROM generations WHERE id = $1", order)
    assert [(parcel["state"], parcel["tries"]) for parcel in parcels] == [("pending", 0)]
    await Deliverer(database, {BOT: Courier(chat, ScriptedFiles(), MB)})(order)
    assert len(chat.failures[order]) == 1


async def test_success_that_comes_while_the_failure_is_told_is_shown_after_it(database: Database) -> None:
    """Another worker does not overtake the edit that is on its way, and what comes after it is a gift."""
    order, chat = await a_failed_order(database), ScriptedMessenger()
    deliver = Deliverer(database, {BOT: Courier(chat, ScriptedFiles(), MB)})

    async def it_succeeds_and_another_worker_delivers() -> None:
        assert await Settler(database).succeed(await found(database, order), FILES[:1])
        await deliver(order)
        assert chat.results == {}

    chat.meanwhile = it_succeeds_and_another_worker_delivers
    await deliver(order)
    assert len(chat.failures[order]) == 1
    assert [to.late for to in chat.results[order]] == [True]
    assert chat.stands[order] == "result"
    assert (await found(database, order)).delivered_at is not None


async def test_original_asked_for_at_the_last_moment_is_not_forgotten(database: Database, order: int) -> None:
    """Whoever ends the delivery waits for whoever asks for the originals, and then finds them owed."""
    async with database.transaction() as tx:
        await deliveries.insert(tx, order, result_parcels(FILES[:1]))
        while parcel := await claim(tx, order):
            await deliveries.mark_sent(tx, parcel.id, message_id=1, file_id=None)

    async def end() -> bool:
        async with database.transaction() as tx:
            return await store.delivered(tx, order)

    async with database.transaction() as tx:
        found = await store.get(tx, order)
        assert found is not None
        assert await store.lock(tx, order, found.customer_id)
        ending = asyncio.create_task(end())
        async with asyncio.timeout(20):
            while not await tx.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
                await asyncio.sleep(0.01)
        assert await owe_originals(tx, found) is Owed.NOW
        assert await owe_originals(tx, found) is Owed.ALREADY
    assert not await ending
    async with database.transaction() as tx:
        parcel = await taken(tx, order)
    assert (parcel.part, parcel.source) == (Part.ORIGINAL, FILES[0].url)


async def test_originals_are_owed_after_everything_was_brought(database: Database, order: int) -> None:
    """A delivered order has something to bring once more, at a time of its own; one that failed has nothing."""
    async with database.transaction() as tx:
        await deliveries.insert(tx, order, result_parcels([*FILES, Output(Media.TEXT, "data:x")]))
        while parcel := await claim(tx, order):
            await deliveries.mark_sent(tx, parcel.id, message_id=1, file_id=None)
        assert await store.delivered(tx, order)
        found = await store.get(tx, order)
        assert found is not None
        assert await owe_originals(tx, replace(found, state=State.FAILED)) is Owed.ALREADY
        assert await owe_originals(tx, found) is Owed.NOW
        seen = []
        while parcel := await claim(tx, order):
            seen.append((parcel.part, parcel.position))
            assert not await store.delivered(tx, order)
            await deliveries.mark_sent(tx, parcel.id, message_id=1, file_id=None)
        assert seen == [(Part.ORIGINAL, 0), (Part.ORIGINAL, 1), (Part.ORIGINAL, 2)]
        assert await store.delivered(tx, order)
        assert await owe_originals(tx, found) is Owed.ALREADY


async def test_original_is_not_promised_once_the_provider_has_deleted_it(database: Database, order: int) -> None:
    """To the last moment of two weeks it is owed; then the customer is told at once, and nothing is tried in vain."""
    async with database.transaction() as tx:
        await deliveries.insert(tx, order, result_parcels(FILES[:1]))
        found = await store.get(tx, order)
        assert found is not None
        assert found.settled_at is not None
        late = replace(found, read_at=found.settled_at + KEPT_FOR + timedelta(microseconds=1))
        assert await owe_originals(tx, late) is Owed.EXPIRED
        assert await owe_originals(tx, replace(found, read_at=found.settled_at + KEPT_FOR)) is Owed.NOW


LIKE = [Media.IMAGE, Media.VIDEO, Media.AUDIO, Media.AUDIO, Media.IMAGE, Media.TEXT, Media.IMAGE]


async def albums(database: Database, order: int) -> list[list[int]]:
    """The positions that are taken together, all of them sent at once."""
    seen = []
    async with database.transaction() as tx:
        while parcel := await claim(tx, order):
            album = await deliveries.claim_with(tx, order, parcel)
            seen.append([one.position for one in album])
            for one in album:
                await deliveries.mark_sent(tx, one.id, message_id=1, file_id=None)
    return seen


async def test_files_that_go_together_are_taken_together(database: Database, order: int) -> None:
    """Pictures and clips mix, sounds go among themselves, words and the first file by themselves, ten at most."""
    outputs = [Output(media, f"https://files.example/{n}") for n, media in enumerate([Media.IMAGE, *LIKE])]
    async with database.transaction() as tx:
        await deliveries.insert(tx, order, result_parcels(outputs)[:-1])
    assert await albums(database, order) == [[0], [1, 2], [3, 4], [5], [6], [7]]
    async with database.transaction() as tx:
        await tx.execute("DELETE FROM deliveries")
        many = [replace(FILES[0], exact=True)] * 13
        await deliveries.insert(tx, order, result_parcels(many))
    assert await albums(database, order) == [
        [0],
        [*range(1, 11)],
        [11, 12],
        [0],  # the notice
        [*range(10)],  # the files behind them
        [10, 11, 12],
    ]


async def test_file_that_no_album_takes_divides_the_others(database: Database, order: int) -> None:
    """Their order stays, and the attempt in which nothing was shown does not count."""
    async with database.transaction() as tx:
        await deliveries.insert(tx, order, result_parcels(FILES + FILES)[1:-1])
        first = await taken(tx, order)
        album = await deliveries.claim_with(tx, order, first)
        assert [one.position for one in album] == [1, 2, 3, 4, 5]
        for one in album:
            if one.position == 3:
                await deliveries.send_alone(tx, one.id)
            else:
                await deliveries.put_back(tx, one.id, untried=True)
        assert await tx.fetchval("SELECT sum(tries) FROM deliveries") == 0
    assert await albums(database, order) == [[1, 2], [3], [4, 5]]


async def test_album_is_in_one_pair_of_hands(database: Database, order: int) -> None:
    """Whoever comes second gets none of its files, and all of them when whoever had them is taken for dead."""
    async with database.transaction() as tx:
        await deliveries.insert(tx, order, result_parcels(FILES)[1:-1])
        album = await deliveries.claim_with(tx, order, await taken(tx, order))
        assert await claim(tx, order) is None
        for one in album:
            await begun_ago(tx, one, SEND_S + 1)
        again = await deliveries.claim_with(tx, order, await taken(tx, order))
    assert [(one.id, one.tries) for one in again] == [(one.id, 1) for one in album]
