"""Crash points are read from the source: nothing with an effect is without one, and a process dies exactly there."""

import ast
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import CodeType

import pytest

from chaos import points
from chaos.effects import NotUnderstood, Source, wrapped
from chaos.points import CRASH_AT, LEFT_OUT, MODULES, PACKAGES, STATEMENTS, TRACE

ROOT = Path(__file__).parents[2]

SAMPLE = """
from shop.till import Till, pay


class Clerk:
    till: Till

    async def __call__(self, number):
        async with self.db.transaction() as tx:
            row = await store.get(tx, number)
            if row is None:
                return
            await store.put(tx, await self._look(row))
            await store.put(tx, row)
        async with self.db.reading() as tx, lock:
            await (await self.http.get(tx)).read()
        await pay(row)
        await self.till.close()
        await self.till.drawer.open()

    async def _look(self, row):
        return await Reader(row).read()


async def walk():
    async def step():
        await feet.move()

    await step()
"""
TILL = """
class Till:
    async def close(self):
        await door.shut()


async def pay(row):
    await purse.open()
"""


def a_package(folder: Path, clerk: str = SAMPLE) -> Path:
    shop = folder / "shop"
    shop.mkdir()
    (shop / "clerk.py").write_text(clerk, encoding="utf-8")
    (shop / "till.py").write_text(TILL, encoding="utf-8")
    return folder


def test_every_effect_has_a_name_in_the_order_of_the_source(tmp_path: Path) -> None:
    """A repeated one is numbered, a transaction ends in its commit, an inner effect comes before the outer."""
    found = points.points_of(["shop.clerk"], a_package(tmp_path))
    assert [point.name for point in found] == [
        "clerk.Clerk.__call__:store.get",
        "clerk.Clerk.__call__:store.put",
        "clerk.Clerk.__call__:store.put#2",
        "clerk.Clerk.__call__:commit",
        "clerk.Clerk.__call__:http.get",
        "clerk.Clerk.__call__:http.get.read",
        "clerk.Clerk.__call__:lock",
        "clerk.Clerk.__call__:reading",
        "clerk.Clerk.__call__:pay",
        "clerk.Clerk.__call__:till.close",
        "clerk.Clerk.__call__:till.drawer.open",
        "clerk.Clerk._look:Reader.read",
        "clerk.walk.step:feet.move",
        "clerk.walk:step",
    ]
    assert found[0].where == "shop/clerk.py:10"


def test_a_scanned_function_is_counted_once(tmp_path: Path) -> None:
    """Waiting for a function whose own effects are points is no effect of its own."""
    names = [point.name for point in points.points_of(["shop.clerk", "shop.till"], a_package(tmp_path))]
    assert "clerk.Clerk.__call__:pay" not in names
    assert "clerk.Clerk.__call__:till.close" not in names
    assert {"till.pay:purse.open", "till.Till.close:door.shut", "clerk.Clerk.__call__:till.drawer.open"} <= {*names}


@pytest.mark.parametrize("body", ["    async for row in rows: pass", "    return [row async for row in rows]"])
def test_an_effect_that_is_not_understood_is_named(tmp_path: Path, body: str) -> None:
    """No point is left out in silence."""
    with pytest.raises(NotUnderstood, match=r"shop/clerk\.py:2"):
        points.points_of(["shop.clerk"], a_package(tmp_path, f"async def walk(rows):\n{body}\n"))


def test_names_are_unique() -> None:
    """A name stands for one moment."""
    counts = Counter(point.name for point in points.points_of_code())
    assert [name for name, count in counts.items() if count > 1] == []


def modules() -> list[str]:
    paths = (path for package in PACKAGES for path in ROOT.joinpath(*package.split(".")).rglob("*.py"))
    return sorted(".".join(path.relative_to(ROOT).with_suffix("").parts) for path in paths)


def has_effects(module: str) -> bool:
    text = ROOT.joinpath(*module.split(".")).with_suffix(".py").read_text(encoding="utf-8")
    return any(isinstance(node, ast.Await | ast.AsyncWith | ast.AsyncFor) for node in ast.walk(ast.parse(text)))


def test_no_module_with_effects_is_overlooked() -> None:
    """A new module beside those that carry an order has points, or a reason why not."""
    named = {*MODULES, *STATEMENTS, *LEFT_OUT}
    assert [module for module in modules() if module not in named and has_effects(module)] == []


def test_every_module_that_is_named_has_effects() -> None:
    """A list that names what is gone tells of nothing."""
    assert [module for module in (*MODULES, *STATEMENTS, *LEFT_OUT) if not has_effects(module)] == []


@pytest.mark.parametrize("module", STATEMENTS)
def test_statements_are_within_the_transaction_of_their_caller(module: str) -> None:
    """What counts as one effect where it is called takes place with that transaction, or not at all."""
    tree = ast.parse(ROOT.joinpath(*module.split(".")).with_suffix(".py").read_text(encoding="utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.AsyncFunctionDef)]
    assert [node.name for node in functions if not node.args.args or node.args.args[0].arg != "tx"] == []
    assert [node.lineno for node in ast.walk(tree) if isinstance(node, ast.AsyncWith)] == []


def lines(code: CodeType) -> list[tuple[str, int]]:
    """Names and first lines of all functions."""
    inner = [found for const in code.co_consts if isinstance(const, CodeType) for found in lines(const)]
    return [(code.co_qualname, code.co_firstlineno), *inner]


@pytest.mark.parametrize("module", MODULES)
def test_lines_stay_where_they_are(module: str) -> None:
    """A traceback out of a process with points reads as any other."""
    sources = points.sources_of(MODULES, ROOT)
    source = next(source for source in sources if source.name == module)
    tree, _ = wrapped(source, points.functions_of(sources))
    path = str(source.path)
    assert lines(compile(tree, path, "exec")) == lines(compile(source.text, path, "exec"))
    assert {node.lineno for node in ast.walk(tree) if isinstance(node, ast.Await)} == {
        node.lineno for node in ast.walk(ast.parse(source.text)) if isinstance(node, ast.Await)
    }


RING = """
import asyncio, sys
from chaos.points import install
install()
from kiosk.delivery.messenger import Sent
from kiosk.delivery.plan import Media, Part
from kiosk.delivery.send import Courier
from kiosk.delivery.store import Delivery

class Bell:
    async def ring(self, to):
        print("rung", flush=True)
        return Sent(1)

asyncio.run(Courier(Bell(), None, 0).hand_over(None, Delivery(1, Part.NOTICE, 0, Media.TEXT, "", 0)))
print("told", flush=True)
"""
POINT = "send.Courier._ring_once:messenger.ring"


def run(code: str, folder: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(  # noqa: S603 - ourselves
        [sys.executable, "-c", code],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_process_dies_right_after_the_effect(tmp_path: Path) -> None:
    """What was done is done, and nothing after it."""
    ended = run(RING, tmp_path, **{CRASH_AT: POINT, TRACE: "trace"})
    assert (ended.returncode, ended.stdout) == (-signal.SIGKILL, "rung\n"), ended.stderr
    assert (tmp_path / "trace").read_text(encoding="utf-8") == f"{POINT} -\n"


def test_process_lives_past_every_other_point(tmp_path: Path) -> None:
    """Points that are not meant change nothing."""
    ended = run(RING, tmp_path, **{CRASH_AT: "send.Courier._climb:show"})
    assert (ended.returncode, ended.stdout) == (0, "rung\ntold\n"), ended.stderr


def test_points_are_not_left_behind(tmp_path: Path) -> None:
    """The cache of bytecode, from which the next process would take them, holds none of these modules."""
    assert run(RING, tmp_path, PYTHONPYCACHEPREFIX=str(tmp_path)).returncode == 0
    cached = {path.name.partition(".")[0] for path in tmp_path.rglob("*.pyc")}
    assert "messenger" in cached
    assert "send" not in cached


def test_points_cannot_come_too_late(tmp_path: Path) -> None:
    """A process that would not die is not let go on."""
    ended = run("import kiosk.generations.sweep\n" + RING, tmp_path)
    assert "TooLate: kiosk.generations." in ended.stderr


def test_source_knows_what_its_names_stand_for(tmp_path: Path) -> None:
    """Its imports by their dotted names, everything else as its own."""
    source = Source.read("shop.clerk", a_package(tmp_path) / "shop" / "clerk.py")
    assert source.meant_by("pay") == "shop.till.pay"
    assert source.meant_by("Clerk") == "shop.clerk.Clerk"
