"""Direct orders, by function and by command: a real database, the provider's stand-in over HTTP, files on disk."""

import asyncio
import contextlib
import json
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import filetype
import pytest

import kiosk
from kiosk.customers.house import the_house
from kiosk.db import Database
from kiosk.delivery.keep import NotKept
from kiosk.direct import Workbench, nobody_watches, open_workbench
from kiosk.generations import store
from kiosk.generations.direct import _renamed
from kiosk.generations.refund import NothingTaken, NotTaken, refund
from kiosk.generations.report import last_day
from kiosk.generations.settle import Settler
from kiosk.generations.states import State
from kiosk.ledger import store as ledger
from kiosk.ledger.audit import audit
from kiosk.samples import FILES
from kiosk.settings import Settings, load_settings
from sandbox.faults import Fault
from sandbox.kie import KieSandbox
from sandbox.kie.options import KieOptions
from tests.shopkeeping import BOT, a_customer, confirmed
from tests.shopprocess import KEY, TOKEN, Ended, a_telegram, ran
from tests.shopprocess import kiosk as a_process

PICTURE = FILES[next(iter(FILES))]
SOUND = FILES[[*FILES][2]]
CAT = {"prompt": "кот", "aspect_ratio": "1:1"}
WRITTEN = ("z-image", "-i", "prompt=кот", "-i", "aspect_ratio=1:1")
PRICE = 80  # of the cat, kopecks
FLAGGED = {"code": "400", "msg": "Your prompt was flagged by Website as violating content policies."}


@dataclass
class Counter:
    """The provider's stand-in, and what a command or a program is told of it."""

    kie: KieSandbox
    db: Database
    environment: dict[str, str]
    folder: Path

    @property
    def settings(self) -> Settings:
        return load_settings({name.lower(): value for name, value in self.environment.items()}, env_file=None)

    async def generate(self, model: str, inputs: dict[str, Any], **options: Any) -> kiosk.Generated:
        return await kiosk.generate(model, inputs, settings=self.settings, **options)

    async def command(self, *arguments: str, **more: str) -> Ended:
        return await ran(self.folder, *arguments, **self.environment, **more)

    def bench(self) -> contextlib.AbstractAsyncContextManager[Workbench]:
        return open_workbench(self.settings)

    async def transfers(self, generation: int) -> list[str]:
        """Kinds of all transfers from the price's loan to its end, in their order."""
        async with self.db.reading() as tx:
            rows = await tx.fetch(
                "SELECT kind FROM transfers WHERE generation_id = $1 OR note = 'house' ORDER BY id", generation
            )
        return [row["kind"] for row in rows]

    async def count(self, table: str) -> int:
        async with self.db.reading() as tx:
            return int(await tx.fetchval(f"SELECT count(*) FROM {table}"))

    async def broken(self) -> list[str]:
        async with self.db.reading() as tx:
            return [finding.invariant.name for finding in await audit(tx) if finding.broken]


@pytest.fixture
async def counter(database: Database, dsn: str, tmp_path: Path) -> AsyncIterator[Counter]:
    """Tasks of the provider take moments."""
    async with a_counter(database, dsn, tmp_path, time_scale=0.001) as ready:
        yield ready


@contextlib.asynccontextmanager
async def a_counter(database: Database, dsn: str, folder: Path, **options: Any) -> AsyncIterator[Counter]:
    sandbox = KieSandbox(KieOptions(create_limit=None, poll_limit_per_s=None, newer_keys=True, **options))
    async with sandbox:
        environment = {
            "KIE_API_KEY": KEY,
            "KIE_BASE_URL": sandbox.api_url,
            "KIE_UPLOAD_URL": sandbox.upload_url,
            "DATABASE_URL": dsn,
            "DATABASE_POOL_SIZE": "4",
            "POLL_FIRST_S": "0.1",
            "ALLOW_PRIVATE_LINKS": "true",
        }
        yield Counter(sandbox, database, environment, folder)


def kind_of(path: Path) -> str:
    found = filetype.guess(path)
    return found.extension if found else ""


# The function


async def test_function_makes_a_file_and_the_house_pays(counter: Counter) -> None:
    """A picture in the folder, its price lent and given back, nothing sold, and books that are proved."""
    made = await counter.generate("z-image", CAT, out=counter.folder / "pictures")
    (file,) = made.files
    assert (made.state, made.failure, made.is_done, str(made.price_rub)) == ("done", None, True, "0.80")
    assert file.path == counter.folder / "pictures" / f"z-image-{made.generation}.png"
    assert (kind_of(file.path), file.size_bytes) == ("png", file.path.stat().st_size)
    assert made.credits_taken == made.credits
    assert await counter.transfers(made.generation) == ["adjust", "hold", "capture"]
    async with counter.db.reading() as tx:
        totals = await ledger.totals(tx)
        order = await store.get(tx, made.generation)
    assert {kind for kind, rub in totals.items() if rub} == set()
    assert order is not None
    assert (order.is_direct, order.delivered_at is not None) == (True, True)
    assert await counter.broken() == []


async def test_result_in_several_files_and_in_words(counter: Counter) -> None:
    """Every picture has a name of its own; words are a text file, and come with the answer."""
    several = await counter.generate("wan/2-7-image", {"prompt": "кот", "n": 3}, out=counter.folder)
    names = [file.path.name for file in several.files if file.path]
    assert names == [f"wan-2-7-image-{several.generation}-{number}.png" for number in (1, 2, 3)]
    words = await counter.generate("ai-music-api/generate-lyrics", {"prompt": "дождь"}, out=counter.folder)
    assert [file.media for file in words.files] == ["text"] * len(words.files)
    assert all(file.path and file.path.read_text(encoding="utf-8") == file.text for file in words.files)


async def test_nothing_is_written_over(counter: Counter) -> None:
    """Fetched twice into one folder, the second file stands beside the first."""
    made = await counter.generate("z-image", CAT, out=counter.folder)
    async with counter.bench() as bench:
        again = await bench.finish(made.generation, out=counter.folder, watch=nobody_watches)
    paths = [made.files[0].path, again.files[0].path]
    assert [path.name for path in paths if path] == [f"z-image-{made.generation}{end}.png" for end in ("", "_2")]


async def test_files_of_this_machine_are_handed_over(counter: Counter) -> None:
    """A picture and a sound from disk, uploaded, measured and priced by their seconds; an address is read by us."""
    speaks = await counter.generate("infinitalk/from-audio", {"prompt": "x", "image_url": PICTURE, "audio_url": SOUND})
    assert (speaks.state, str(speaks.credits), speaks.files[0].path) == ("done", "9", None)
    drawn = await counter.generate("z-image", CAT)
    linked = await counter.generate("recraft/remove-background", {"image": drawn.files[0].url})
    assert linked.state == "done"
    assert await counter.broken() == []


BAD: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("z-imag", CAT, "is it z-image"),
    ("veo/extend", CAT, "goes on from an earlier task"),
    ("topaz/image-upscale", CAT, "not known beforehand"),
    ("kling-3.0/motion-control", {}, "WEBHOOK_BASE_URL"),
    ("z-image", {**CAT, "prompt": "x" * 1001}, "1001 characters are too many; it must be text of 1 to 1000"),
    ("z-image", {**CAT, "aspect_ratio": "5:5"}, "not among the choices; it must be one of 1:1"),
    ("z-image", {**CAT, "nsfw_checker": "no"}, "nsfw_checker: of the wrong type; it must be on or off"),
    ("z-image", {**CAT, "size": 5}, "there is no input size"),
    ("z-image", {"prompt": "кот"}, "aspect_ratio is missing"),
    ("z-image", {**CAT, "prompt": PICTURE}, "prompt takes no file"),
    ("recraft/remove-background", {"image": Path("nowhere.png")}, "nowhere.png cannot be read"),
    ("recraft/remove-background", {"image": Path(__file__)}, "is no image file"),
    ("recraft/remove-background", {"image": SOUND}, "is no image file"),
    ("recraft/remove-background", {"image": "http://127.0.0.1:9/nobody"}, "cannot be read"),
    ("recraft/remove-background", {"image": "media:1"}, "must be image file"),
    ("infinitalk/from-audio", {"prompt": "x", "image_url": PICTURE, "audio_url": PICTURE}, "is no audio file"),
)


async def test_bad_input_is_refused_and_changes_nothing(counter: Counter) -> None:
    """What is wrong and what is expected, of each; no order, no money, nothing asked of the provider."""
    async with counter.bench() as bench:
        for model, inputs, said in BAD:
            with pytest.raises(kiosk.NotOrdered) as refused:
                await bench.generate(model, inputs)
            assert said in str(refused.value)
    assert [await counter.count(table) for table in ("generations", "transfers", "media")] == [0, 0, 0]
    assert counter.kie.provider.desk.created == 0


async def test_price_needs_neither_database_nor_key() -> None:
    """The quote that an order would have, from the catalog alone."""
    ready = await kiosk.price("z-image", CAT, settings=load_settings({"database_url": None}, env_file=None))
    assert ready.quote.price_kopecks == PRICE


async def test_failure_gives_back_what_was_lent(counter: Counter) -> None:
    """The reason by its name, no file, and the house as poor as before."""
    counter.kie.faults.add(Fault("task_fail", "createTask", times=1, args=FLAGGED))
    made = await counter.generate("z-image", CAT, out=counter.folder)
    assert (made.state, made.failure, made.files) == ("failed", "moderation", ())
    assert await counter.transfers(made.generation) == ["adjust", "hold", "release", "adjust"]
    assert await counter.broken() == []


async def test_customer_pays_when_named(counter: Counter) -> None:
    """From their balance, at their price; who has too little is refused and keeps it, and nothing is left behind."""
    async with counter.db.transaction() as tx:
        rich, poor = await a_customer(tx, kopecks=100), await a_customer(tx, kopecks=PRICE - 1)
        numbers = {row["id"]: row["telegram_id"] for row in await tx.fetch("SELECT id, telegram_id FROM customers")}
    made = await counter.generate("z-image", CAT, customer=numbers[rich], bot=BOT)
    with pytest.raises(kiosk.NotOrdered, match=r"0\.80 ₽.*0\.79 ₽"):
        await counter.generate("z-image", CAT, customer=numbers[poor], bot=BOT)
    with pytest.raises(kiosk.NotOrdered, match="no customer"):
        await counter.generate("z-image", CAT, customer=5, bot=BOT)
    assert await counter.transfers(made.generation) == ["hold", "capture"]
    async with counter.db.reading() as tx:
        assert (await ledger.wallet(tx, rich)).available_kopecks == 100 - PRICE
        assert (await last_day(tx, BOT)).revenue_kopecks == PRICE
    assert await counter.count("generations") == 1
    assert await counter.broken() == []


async def test_house_is_no_customer_in_reports(counter: Counter) -> None:
    """No bot's day counts an order of the house; and there is nobody to refund."""
    made = await counter.generate("z-image", CAT)
    async with counter.db.reading() as tx:
        day = await last_day(tx, BOT)
    assert (day.done, day.revenue_kopecks, day.credits) == (0, 0, 0)
    answer = await refund(counter.db, made.generation, "a mistake")
    assert isinstance(answer, NothingTaken)
    assert answer.why is NotTaken.HOUSE


async def test_line_is_fair_and_chats_are_left_to_the_shop(counter: Counter) -> None:
    """A customer's order ahead is neither taken nor overtaken; once it is out of the line, ours is served."""
    async with counter.db.transaction() as tx:
        customer = await a_customer(tx, kopecks=1000)
        ahead = await confirmed(tx, customer, price=PRICE)
    async with counter.bench() as bench:
        order = await bench.orders.place(await bench.inspector.check("z-image", CAT), await bench.payer(None, None))
        await bench.driver.submit(order.id)
        states = [await state_and_submits(counter, number) for number in (ahead, order.id)]
        assert states == [(State.PENDING, 0)] * 2
        assert await Settler(counter.db).cancel(customer, ahead)
        assert (await bench.finish(order.id, out=None, watch=nobody_watches)).is_done
    assert counter.kie.provider.desk.created == 1


async def state_and_submits(counter: Counter, generation: int) -> tuple[State, int]:
    async with counter.db.reading() as tx:
        order = await store.get(tx, generation)
    assert order is not None
    return order.state, order.submits


async def test_sales_that_pause_go_on_without_a_shop(counter: Counter) -> None:
    """Nothing is ordered while nothing can be bought; when there are credits again, whoever orders finds that out."""
    account = counter.kie.provider.account
    account.balance, had = 0, account.balance
    assert (await counter.generate("z-image", CAT)).failure == "unavailable"
    with pytest.raises(kiosk.NotOrdered, match="nothing can be bought"):
        await counter.generate("z-image", CAT)
    account.balance = had
    async with counter.db.transaction() as tx:
        await tx.execute("UPDATE provider_gates SET check_at = now()")
    assert (await counter.generate("z-image", CAT)).is_done
    assert await counter.broken() == []


async def test_text_that_looks_like_a_file_stays_a_text(counter: Counter) -> None:
    """What the house writes names no file by its number, and no number is put in its place."""
    async with counter.bench() as bench:
        ready = await bench.inspector.check("recraft/remove-background", {"image": PICTURE})
        assert ready.inputs["image"] == "media:1"
        assert _renamed(ready, {1: "media:57"}) == {"image": "media:57"}
        drawn = await bench.inspector.check("z-image", {**CAT, "prompt": "media:1"})
        assert _renamed(drawn, {1: "media:57"})["prompt"] == "media:1"


async def test_two_drivers_make_one_task(counter: Counter) -> None:
    """Driven twice at once, and fetched twice: ordered once, charged once."""
    async with counter.bench() as bench, counter.bench() as other:
        order = await bench.orders.place(await bench.inspector.check("z-image", CAT), await bench.payer(None, None))
        both = await asyncio.gather(*(one.finish(order.id, out=None, watch=nobody_watches) for one in (bench, other)))
    assert [made.is_done for made in both] == [True, True]
    assert counter.kie.provider.desk.created == 1
    assert await counter.transfers(order.id) == ["adjust", "hold", "capture"]


async def test_file_that_cannot_be_fetched_is_said(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    """The order is done, the folder has no half of a file, and it can be fetched when the host is back."""
    monkeypatch.setattr("kiosk.delivery.keep.AGAIN_S", 0)
    made = await counter.generate("z-image", CAT)
    counter.kie.faults.add(Fault("file_404", "*", times=3))
    async with counter.bench() as bench:
        with pytest.raises(NotKept):
            await bench.finish(made.generation, out=counter.folder, watch=nobody_watches)
        assert [*counter.folder.iterdir()] == []
        assert (await bench.finish(made.generation, out=counter.folder, watch=nobody_watches)).files[0].path


async def test_orders_of_chats_are_not_taken_over(counter: Counter) -> None:
    """Only what was ordered directly can be gone on with here."""
    async with counter.db.transaction() as tx:
        order = await confirmed(tx, await a_customer(tx, kopecks=1000), price=PRICE)
    async with counter.bench() as bench:
        for number in (order, 999):
            with pytest.raises(kiosk.NotOrdered):
                await bench.find(number)


async def test_there_is_one_house(counter: Counter) -> None:
    """Asked for at once from many sides."""

    async def ask() -> int:
        async with counter.db.transaction() as tx:
            return (await the_house(tx)).id

    assert len(set(await asyncio.gather(*(ask() for _ in range(8))))) == 1


# The command


async def test_command_needs_nothing_but_a_key(counter: Counter, open_folder: Path) -> None:
    """With a PostgreSQL of its own; the path of the file on stdout, everything else on stderr; the books are clean."""
    del counter.environment["DATABASE_URL"]
    counter.environment["DATA_DIR"] = str(open_folder / "data")
    ended = await counter.command("generate", *WRITTEN, "--out", "pictures")
    assert (ended.code, ended.out) == (0, "pictures/z-image-1.png\n"), ended.err
    assert kind_of(counter.folder / "pictures" / "z-image-1.png") == "png"
    assert "Generation 1: done" in ended.told
    assert (await counter.command("audit")).code == 0


async def test_command_for_programs(counter: Counter) -> None:
    """One JSON object, nothing else on stdout, and an exit code for each way to end."""
    done = await counter.command("generate", *WRITTEN, "--json")
    counter.kie.faults.add(Fault("task_fail", "createTask", times=1, args=FLAGGED))
    failed = await counter.command("generate", *WRITTEN, "--json")
    refused = await counter.command("generate", *WRITTEN, "-i", "size=5", "--json")
    assert [one.code for one in (done, failed, refused)] == [0, 1, 2], done.err + failed.err
    told = [json.loads(one.out) for one in (done, failed, refused)]
    assert [one["state"] for one in told] == ["done", "failed", "refused"]
    assert (told[0]["price_rub"], told[0]["credits"], told[0]["credits_taken"]) == ("0.80", "0.8", "0.8")
    assert (counter.folder / told[0]["files"][0]["path"]).is_file()
    assert told[1]["failure"] == "moderation"
    assert "size" in told[2]["reasons"][0]
    assert {"generation", "model", "price_rub", "credits", "state", "files", "seconds", "failure"} <= set.intersection(
        *(set(one) for one in told)
    )


async def test_command_that_was_left_goes_on(database: Database, dsn: str, tmp_path: Path) -> None:
    """Ctrl-C tells how, a kill tells nothing; either way the order is gone on with, and made once."""
    async with a_counter(database, dsn, tmp_path, time_scale=0.3) as counter:
        async with a_process(tmp_path, "generate", *WRITTEN, **counter.environment) as first:
            await says(first.process, "being made")
            first.process.send_signal(signal.SIGINT)
            ended = await first.ended()
        assert ended.code == 130
        assert "kiosk generate --resume 1" in ended.err
        async with a_process(tmp_path, "generate", "--resume", "1", **counter.environment) as second:
            await says(second.process, "being made")
            second.process.kill()
        resumed = await counter.command("generate", "--resume", "1", "--out", "late")
        assert (resumed.code, resumed.out) == (0, "late/z-image-1.png\n")
        assert counter.kie.provider.desk.created == 1
        assert await counter.transfers(1) == ["adjust", "hold", "capture"]
        assert await counter.broken() == []


async def says(process: asyncio.subprocess.Process, words: str) -> None:
    """Reads on until it does."""
    assert process.stderr
    async with asyncio.timeout(120):
        while words not in (line := (await process.stderr.readline()).decode()):
            assert line


async def test_command_beside_a_running_shop(counter: Counter) -> None:
    """Both work on the order: it is made once, and the shop says nothing of it in any chat."""
    async with a_telegram() as telegram:
        more = {"TELEGRAM_BOT_TOKEN": TOKEN, "TELEGRAM_BASE_URL": telegram.url, "PORT": "0", "HOST": "127.0.0.1"}
        async with a_process(counter.folder, "run", **counter.environment, **more) as shop:
            await shop.hears("shop.open")
            ended = await counter.command("generate", *WRITTEN, "--json")
            closed = await shop.ended(told_to=True)
    made = json.loads(ended.out)
    assert (ended.code, closed.code, made["state"]) == (0, 0, "done"), ended.err
    assert counter.kie.provider.desk.created == 1
    assert not {"sendMessage", "editMessageText", "sendPhoto"} & telegram.called.keys()
    assert await counter.broken() == []
