"""What `kiosk generate` answers before it needs a database or a key."""

import io
import json
from pathlib import Path

import pytest

from kiosk.commands.ordering import Wish, carry_out
from kiosk.commands.progress import Progress, said
from kiosk.generations.drive import Seen
from kiosk.generations.states import State
from tests.values import a_generation, later

NOTHING = Wish(None, (), None, Path(), False, True, None, None, None, False, False)


@pytest.fixture(autouse=True)
def without_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No `.env`, no key, no database."""
    monkeypatch.chdir(tmp_path)
    for name in ("KIE_API_KEY", "DATABASE_URL", "TELEGRAM_BOT_TOKEN"):
        monkeypatch.delenv(name, raising=False)


def wish(*given: str, model: str | None = "z-image", **changes: object) -> Wish:
    return Wish(
        **{**{name: getattr(NOTHING, name) for name in Wish.__slots__}, "model_id": model, "given": given, **changes}
    )


@pytest.mark.parametrize(
    ("asked", "said_of_it"),
    [
        (wish(model=None), "name a model"),
        (wish(model="z-imag"), "is it z-image"),
        (wish("prompt"), "name=value"),
        (wish("prompt=x", "prompt=y"), "given 2 times"),
        (wish("prompt=x", "aspect_ratio=1:1", inputs_file=Path("nowhere.json")), "nowhere.json cannot be read"),
        (wish("prompt=x", "aspect_ratio=1:1", only_price=False), "KIE_API_KEY"),
        (wish("prompt=x", "aspect_ratio=1:1", only_price=False, customer=5), "TELEGRAM_BOT_TOKEN"),
        (wish(resume=5), "give --resume alone"),
        (wish(model=None, resume=5), "KIE_API_KEY"),
    ],
)
def test_bad_wish_is_refused(capsys: pytest.CaptureFixture[str], asked: Wish, said_of_it: str) -> None:
    """Exit code 2, and lines that say what is expected."""
    assert carry_out(asked) == 2
    told = capsys.readouterr()
    assert (told.out, said_of_it in told.err) == ("", True)
    assert all(line.startswith("kiosk: ") for line in told.err.splitlines())


def test_every_problem_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever got three things wrong is told three times; programs get them as a list."""
    assert carry_out(wish("promt=x", as_json=True)) == 2
    told = capsys.readouterr()
    assert len(told.err.splitlines()) == 3
    assert json.loads(told.out)["reasons"] == [line.removeprefix("kiosk: ") for line in told.err.splitlines()]


def test_price_is_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """For people and programs; what is written wins over the file of inputs."""
    file = tmp_path / "inputs.json"
    file.write_text('{"prompt": "кот", "aspect_ratio": "nonsense"}', encoding="utf-8")
    assert carry_out(wish("aspect_ratio=1:1", inputs_file=file)) == 0
    assert capsys.readouterr().out.startswith("0.80 ₽")
    assert carry_out(wish("aspect_ratio=1:1", inputs_file=file, as_json=True)) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["state"], told["price_rub"], told["cost_rub"], told["credits"]) == ("priced", "0.80", "0.40", "0.8")


def test_inputs_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """The form as a table and as JSON, of a model that is not sold, too, with the reason."""
    assert carry_out(wish(list_inputs=True)) == 0
    assert "aspect_ratio" in capsys.readouterr().out
    assert carry_out(wish(model="veo/extend", list_inputs=True, as_json=True)) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["sold"], told["why_not_sold"]) == (False, "needs_earlier_task")


def test_progress_is_said_when_it_changes() -> None:
    """Where there is no terminal: a line for each state and place, none for a look that brought nothing new."""
    from rich.console import Console  # noqa: PLC0415 - of this test alone

    console = Console(file=io.StringIO(), width=80)
    waiting = a_generation(state=State.PENDING, confirmed_at=later())
    made = a_generation(state=State.RUNNING, confirmed_at=later())
    with Progress(console, quiet=False) as progress:
        progress.begins(7, "0.80 ₽", usual_s=20)
        for seen in (Seen(waiting, 2), Seen(waiting, 2), Seen(waiting, 1), Seen(made, None), Seen(made, None)):
            progress.sees(seen)
    assert isinstance(console.file, io.StringIO)
    lines = console.file.getvalue().splitlines()
    assert lines[1:] == [f"Generation 7: {words}" for words in ("in line, place 2", "in line, place 1", "being made")]
    assert said(Seen(made, None)) == "being made"
