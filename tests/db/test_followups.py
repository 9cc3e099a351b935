"""References to earlier results in the database: a customer's own, done, remembered; nobody else's, nothing made up."""

from typing import Any

import asyncpg
import pytest

from kiosk.catalog.model import MediaType
from kiosk.catalog.shelf import default_shelf
from kiosk.db import Database, Tx
from kiosk.delivery.plan import Media, Output
from kiosk.generations import drafts, store
from kiosk.generations.draft import Passed
from kiosk.generations.drafts import Follows
from kiosk.generations.follow import earlier_task, is_gone, resolved
from kiosk.generations.results import pieces
from kiosk.media import store as media
from kiosk.media.fit import MIB, Facts
from kiosk.media.store import Source
from tests.shopkeeping import a_customer, a_draft, delivered, running
from tests.workshop import a_workshop

SHELF = default_shelf()
WAV, VEO_EXTEND = SHELF.get("ai-music-api/convert-to-wav-format"), SHELF.get("veo/extend")
SONG = [
    Output(
        Media.AUDIO,
        f"https://files.example/{number}.mp3",
        "Вальс",
        20,
        task_id="task-of-song",
        track_id=f"track-{number}",
    )
    for number in range(2)
]
PICTURE = Facts(MediaType.IMAGE, "png", "image/png", MIB)


async def a_song(tx: Tx, customer: int, outputs: list[Output] = SONG) -> int:
    return await delivered(tx, customer, price=80, outputs=outputs, model_id="ai-music-api/generate")


def inputs_of(order: int, number: int = 1) -> dict[str, Any]:
    return {"task_id": f"task:{order}:{number}", "audio_id": f"task:{order}:{number}"}


async def test_references_become_the_providers_ids(database: Database) -> None:
    """The task that made it and the track of this very file, whatever task the order began with."""
    async with database.transaction() as tx:
        customer = await a_customer(tx, kopecks=1000)
        order = await a_song(tx, customer)
        known = await resolved(tx, customer, WAV, inputs_of(order))
        assert known == {"task_id": "task-of-song", "audio_id": "track-1"}
        assert not await is_gone(tx, customer, WAV, inputs_of(order))


async def test_references_to_what_is_not_there_are_none(database: Database) -> None:
    """Another customer's, an unfinished one's, another model's, no such file, a track without id, too long ago."""
    async with database.transaction() as tx:
        customer, other = await a_customer(tx, kopecks=1000), await a_customer(tx, kopecks=1000)
        order = await a_song(tx, customer)
        under_way = await running(tx, customer, price=80)
        nameless = await a_song(tx, customer, [Output(Media.AUDIO, "https://files.example/x.mp3")])
        assert await resolved(tx, other, WAV, inputs_of(order)) is None
        assert await resolved(tx, customer, WAV, inputs_of(under_way, 0)) is None
        assert await resolved(tx, customer, VEO_EXTEND, {"task_id": f"task:{order}:0"}) is None
        assert await resolved(tx, customer, WAV, inputs_of(order, 2)) is None
        assert await resolved(tx, customer, WAV, inputs_of(nameless, 0)) is None
        assert await resolved(tx, customer, WAV, inputs_of(order)) is not None
        await tx.execute("UPDATE generations SET settled_at = now() - interval '15 days' WHERE id = $1", order)
        assert await resolved(tx, customer, WAV, inputs_of(order)) is None
        (first, _) = await pieces(tx, customer, order)
        assert earlier_task(SHELF, first) is None


async def test_older_results_are_known_by_the_task_of_their_order(database: Database) -> None:
    """What was delivered before tasks were remembered with it."""
    async with database.transaction() as tx:
        customer = await a_customer(tx, kopecks=1000)
        order = await delivered(
            tx, customer, price=80, outputs=[Output(Media.VIDEO, "https://x.example/1.mp4")], model_id="veo-3-1"
        )
        found = await store.get(tx, order)
        assert found
        assert await resolved(tx, customer, VEO_EXTEND, {"task_id": f"task:{order}:0"}) == {"task_id": found.task_id}


async def test_draft_cannot_follow_what_is_somebody_elses(database: Database) -> None:
    """The schema itself refuses it."""
    async with database.transaction() as tx:
        customer, other = await a_customer(tx, kopecks=1000), await a_customer(tx, kopecks=1000)
        order = await a_song(tx, customer)
        own = await a_draft(tx, customer, follows=Follows(order, {"model": "V6"}))
        found = await store.get(tx, own)
        assert found
        assert (found.follows_id, found.earlier) == (order, {"model": "V6"})
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        async with database.transaction() as tx:
            await a_draft(tx, other, follows=Follows(order))


async def test_result_is_one_file_however_often_it_is_looked_at(database: Database) -> None:
    """Looked at twice, it is one file with one number; somebody else's is none."""
    async with database.transaction() as tx:
        customer, other = await a_customer(tx, kopecks=1000), await a_customer(tx, kopecks=1000)
        order = await delivered(tx, customer, price=80, outputs=[Output(Media.IMAGE, "https://x.example/1.png")])
        (piece,) = await pieces(tx, customer, order)
        await media.add_result(tx, other, piece.delivery_id, PICTURE)
        assert await media.of_delivery(tx, other, piece.delivery_id) is None
        await media.add_result(tx, customer, piece.delivery_id, PICTURE)
        number = await media.of_delivery(tx, customer, piece.delivery_id)
        await media.add_result(tx, customer, piece.delivery_id, PICTURE)
        assert number is not None
        assert await media.of_delivery(tx, customer, piece.delivery_id) == number
        assert await media.find(tx, other, [number]) == {}


async def test_result_is_read_where_it_still_is(database: Database) -> None:
    """At the provider for two weeks, then in the chat, the original before the photo; too big for that, nowhere."""
    link = "https://x.example/1.png"
    async with database.transaction() as tx:
        customer = await a_customer(tx, kopecks=1000)
        order = await delivered(tx, customer, price=80, outputs=[Output(Media.IMAGE, link)])
        await tx.execute("UPDATE deliveries SET file_id = 'photo' WHERE generation_id = $1 AND part = 'result'", order)
        (piece,) = await pieces(tx, customer, order)
        await media.add_result(tx, customer, piece.delivery_id, PICTURE)
        number = await media.of_delivery(tx, customer, piece.delivery_id)
        assert number is not None

        async def sources() -> tuple[Source, ...]:
            return (await media.find(tx, customer, [number]))[number].sources

        assert await sources() == (Source(link=link), Source(file_id="photo"))
        await tx.execute("UPDATE generations SET settled_at = now() - interval '15 days' WHERE id = $1", order)
        assert await sources() == (Source(file_id="photo"),)
        await tx.execute(
            "INSERT INTO deliveries (generation_id, part, media, file_id) VALUES ($1, 'original', 'image', 'exact')",
            order,
        )
        assert await sources() == (Source(file_id="exact"), Source(file_id="photo"))
        inputs = {"image": f"media:{number}"}
        remover = SHELF.get("recraft/remove-background")
        assert not await is_gone(tx, customer, remover, inputs)
        await tx.execute("UPDATE media SET size_bytes = $1", 21 * MIB)
        assert await sources() == ()
        assert await is_gone(tx, customer, remover, inputs)


async def test_reference_is_neither_typed_nor_taken_back(database: Database) -> None:
    """Whatever a customer writes or presses, an input that refers to a task holds what the shop put there."""
    async with a_workshop(database) as shop:
        async with database.transaction() as tx:
            customer = await a_customer(tx, kopecks=1000)
            order = await a_song(tx, customer)
            number = await a_draft(tx, customer, model_id=WAV.id, inputs=inputs_of(order), follows=Follows(order, {}))
            draft = await store.lock(tx, number, customer)
            assert draft
            assert isinstance(await shop.wizard.take_back(tx, draft, "task_id"), Passed)
            assert isinstance(await shop.wizard.ask_again(tx, draft, "task_id"), Passed)
            await drafts.save(
                tx,
                number,
                inputs={},
                asking="task_id",
                update_id=None,
                price_kopecks=None,
                credits_quoted=None,
            )
            asking = await store.lock(tx, number, customer)
            assert asking
            assert isinstance(await shop.wizard.answer(tx, asking, "task_id", "0" * 32, 5), Passed)
            kept = await store.get(tx, number)
        assert kept
        assert kept.inputs == {}
