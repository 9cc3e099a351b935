"""`kiosk backup` and `kiosk restore`: everything comes back, or nothing is changed."""

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk import backup
from kiosk.backup import BackupFailed
from kiosk.db import Database, Tx
from kiosk.generations.states import State
from kiosk.ledger.audit import audit
from kiosk.migrate import migrate
from kiosk.postgres.clients import apart
from tests.breakages import a_busy_shop
from tests.conftest import administer
from tests.shopkeeping import a_customer
from tests.shopprocess import ran
from tests.workshop import a_workshop


def nobody(_done: int) -> None:
    """Who is told of the progress."""


async def everything(dsn: str) -> dict[str, str]:
    """Every row of every table, by table."""
    async with await Database.connect(dsn, max_size=1) as db, db.transaction(readonly=True) as tx:
        names = await tx.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
        return {name: await _rows(tx, name) for (name,) in names}


async def _rows(tx: Tx, table: str) -> str:
    return str(await tx.fetchval(f"SELECT string_agg(t::text, E'\\n' ORDER BY t::text) FROM {table} t"))


def files(folder: Path) -> dict[str, bytes]:
    """Names and contents."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def damaged(whole: bytes) -> Iterator[bytes]:
    """One bit turned, here and there."""
    for at in range(3, len(whole), len(whole) // 7):
        yield whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :]


def incomplete(whole: bytes) -> Iterator[bytes]:
    """Cut off, empty, of something else, with something behind its end."""
    yield from (whole[:-1], whole[: len(whole) // 2], b"", b"PGDMP of somebody", whole + b"\n")


async def why_refused(path: Path, content: bytes) -> str:
    with path.open("wb") as file:
        file.write(content)
    with pytest.raises(BackupFailed) as refused:
        await backup.check(path, nobody)
    return str(refused.value).removeprefix(f"{path} ")


async def is_clean(dsn: str) -> bool:
    async with await Database.connect(dsn, max_size=1) as db, db.reading() as tx:
        return {finding.broken for finding in await audit(tx)} == {0}


@pytest.fixture
async def saved(tmp_path: Path, database: Database, dsn: str) -> Path:
    """A backup of a busy shop."""
    await a_busy_shop(database)
    await backup.write(dsn, tmp_path / "shop.backup", nobody)
    return tmp_path / "shop.backup"


async def test_shop_comes_back_as_it_was(tmp_path: Path, database: Database, dsn: str, empty_dsn: str) -> None:
    """Orders in every state and a real one, bought and settled: row by row the same, and the books add up."""
    await a_busy_shop(database)
    async with a_workshop(database) as shop:
        bought = await shop.ordered()
        while (await shop.order(bought)).state is State.PENDING:
            await shop.submit(bought)  # others are first in line
        assert (await shop.ended(bought)).settled_at
    before = await everything(dsn)
    assert before["tasks"] != "None"
    made = await ran(tmp_path, "backup", "shop.backup", DATABASE_URL=dsn)
    assert (made.code, made.told) == (0, [])
    assert stat.S_IMODE((tmp_path / "shop.backup").stat().st_mode) == 0o600
    assert files(tmp_path).keys() == {"shop.backup"}
    back = await ran(tmp_path, "restore", "shop.backup", DATABASE_URL=empty_dsn)
    assert (back.code, back.told) == (0, [])
    assert back.out.startswith("Restored, and all ")
    assert await everything(empty_dsn) == before
    assert await everything(dsn) == before


async def test_restored_shop_is_guarded_as_before(saved: Path, empty_dsn: str) -> None:
    """Triggers and constraints come back, too, and new rows get new numbers."""
    await backup.read(saved, empty_dsn, replacing=False)
    async with await Database.connect(empty_dsn, max_size=1) as db:
        with pytest.raises(Exception, match="append-only"):
            async with db.transaction() as tx:
                await tx.execute("DELETE FROM transfers")
        async with db.transaction() as tx:
            await a_customer(tx, kopecks=100)
    assert await is_clean(empty_dsn)


async def test_schema_without_customers_is_room_enough(saved: Path, dsn: str, empty_dsn: str) -> None:
    """A shop that was started once and sold nothing is replaced."""
    await migrate(empty_dsn)
    async with await Database.connect(empty_dsn, max_size=1) as db, db.reading() as tx:
        assert await backup.room(tx)
    await backup.read(saved, empty_dsn, replacing=True)
    assert await everything(empty_dsn) == await everything(dsn)


async def test_database_with_a_shop_is_never_overwritten(tmp_path: Path, saved: Path, dsn: str) -> None:
    """One line, exit code 2, every row as it was."""
    before = await everything(dsn)
    ended = await ran(tmp_path, "restore", saved.name, DATABASE_URL=dsn)
    assert (ended.code, ended.told) == (2, ["kiosk: the database holds a shop: restore into an empty one"])
    assert await everything(dsn) == before


async def test_database_of_somebody_else_is_left_alone(empty_dsn: str) -> None:
    """Tables that are not ours are nobody's to drop."""
    await administer(empty_dsn, "CREATE TABLE precious (id integer)")
    async with await Database.connect(empty_dsn, max_size=1) as db, db.reading() as tx:
        with pytest.raises(BackupFailed, match="no shop"):
            await backup.room(tx)


async def test_no_file_is_overwritten(tmp_path: Path, dsn: str) -> None:
    """What is there stays, and no half of anything remains."""
    tmp_path.joinpath("mine").write_bytes(b"mine")
    ended = await ran(tmp_path, "backup", "mine", DATABASE_URL=dsn)
    assert (ended.code, ended.told) == (2, ["kiosk: mine exists: nothing is overwritten"])
    assert files(tmp_path) == {"mine": b"mine"}


async def test_database_that_is_away_leaves_no_file(tmp_path: Path) -> None:
    """A backup that could not be made is not there, and the password is not told."""
    away = "postgresql://kiosk:password-of-nobody@127.0.0.1:1/kiosk"
    with pytest.raises(BackupFailed, match=r"[Cc]onnection refused") as failed:
        await backup.write(away, tmp_path / "shop.backup", nobody)
    assert "password-of-nobody" not in str(failed.value)
    assert files(tmp_path) == {}


async def test_damaged_file_is_refused(saved: Path) -> None:
    """One bit anywhere, an end that is missing, a file of something else: each is found before anything is touched."""
    whole = files(saved.parent)[saved.name]
    await backup.check(saved, nobody)
    for content in damaged(whole):
        assert await why_refused(saved, content) in ("is damaged", "is no whole file of `kiosk backup`")
    for content in incomplete(whole):
        assert await why_refused(saved, content) == "is no whole file of `kiosk backup`"
    with pytest.raises(BackupFailed, match="is no file"):
        await backup.check(saved.with_name("nowhere"), nobody)


async def test_damaged_file_changes_nothing(tmp_path: Path, saved: Path, empty_dsn: str) -> None:
    """The command says so in one line."""
    assert await why_refused(saved, files(saved.parent)[saved.name][:-100])
    ended = await ran(tmp_path, "restore", saved.name, DATABASE_URL=empty_dsn)
    assert (ended.code, ended.told) == (2, [f"kiosk: {saved.name} is no whole file of `kiosk backup`"])
    assert await everything(empty_dsn) == {}


async def test_restoration_that_fails_on_the_way_leaves_nothing(saved: Path, empty_dsn: str) -> None:
    """Something in the way is met in the middle: the tables before it are gone again."""
    await administer(empty_dsn, "CREATE TABLE turns (name text)")  # the last by its name
    with pytest.raises(BackupFailed, match='"turns" already exists'):
        await backup.read(saved, empty_dsn, replacing=False)
    assert (await everything(empty_dsn)).keys() == {"turns"}


@pytest.mark.parametrize(
    ("dsn", "address", "password"),
    [
        ("postgresql://a:p%40ss@h:1/d?sslmode=require", "postgresql://a@h:1/d?sslmode=require", "p@ss"),
        ("postgres://a@h/d?password=secret&x=1", "postgres://a@h/d?x=1", "secret"),
        ("postgresql://a:b@h1:1,h2:2/d", "postgresql://a@h1:1,h2:2/d", "b"),
        ("postgresql://h/d", "postgresql://h/d", ""),
    ],
)
def test_no_password_is_on_a_command_line(dsn: str, address: str, password: str) -> None:
    """It goes by the environment, which no other user can read."""
    assert apart(dsn) == (address, {"PGPASSWORD": password} if password else {})
