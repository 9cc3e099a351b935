"""Inputs written on a command line become the values that the catalog wants; the rest is told what would be right."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kiosk.catalog.form import Valid, validate
from kiosk.catalog.model import Choice, Flag, Group, Input, Listing, Media, MediaType, Model, Number, Text, ValueType
from kiosk.catalog.outline import described, outline
from kiosk.catalog.shelf import default_shelf
from kiosk.catalog.written import Illegible, read_inputs, read_object

KINDS = {
    "text": Text(),
    "size": Choice(("1K", "2K")),
    "count": Choice((1, 2), value_type=ValueType.INTEGER),
    "scale": Number(whole=False, minimum=0, maximum=2),
    "seconds": Number(whole=True, minimum=1, maximum=10),
    "loop": Flag(),
    "picture": Media(MediaType.IMAGE),
    "pictures": Listing(Media(MediaType.IMAGE)),
    "words": Listing(Text()),
    "box": Group((Input("x", Number(whole=True)), Input("file", Media(MediaType.IMAGE)))),
    "lines": Listing(Group((Input("text", Text()),))),
}
INPUTS = tuple(Input(name, kind) for name, kind in KINDS.items())
MODEL = replace(default_shelf().get("z-image"), inputs=INPUTS, rules=())


@pytest.mark.parametrize(
    ("written", "value"),
    [
        (["text=a=b, c"], "a=b, c"),
        (["text=@home"], "@home"),
        (["text=5"], "5"),
        (["size=2K"], "2K"),
        (["count=2"], 2),
        (["scale=0.5"], 0.5),
        (["scale=1,5"], 1.5),
        (["seconds=5"], 5),
        (["seconds=five"], "five"),
        (["loop=yes"], True),
        (["loop=on"], True),
        (["loop=0"], False),
        (["picture=@a b.png"], Path("a b.png")),
        (["picture=https://host.example/a"], "https://host.example/a"),
        (["pictures=@a.png", "pictures=https://host.example/b"], [Path("a.png"), "https://host.example/b"]),
        (['pictures=["@a.png"]'], [Path("a.png")]),
        (["words=one"], ["one"]),
        (["words=one", "words=two"], ["one", "two"]),
        (['box={"x": 1, "file": "@a.png"}'], {"x": 1, "file": Path("a.png")}),
        (['lines={"text": "a"}', 'lines={"text": "b"}'], [{"text": "a"}, {"text": "b"}]),
        (['lines=[{"text": "a"}]'], [{"text": "a"}]),
    ],
)
def test_value_is_read_by_the_type_of_its_input(written: list[str], value: Any) -> None:
    """A number where a number is wanted, a path behind an @ where a file is, JSON for objects."""
    (read,) = read_inputs(MODEL, written).values()
    assert (read, type(read)) == (value, type(value))


@pytest.mark.parametrize(
    ("written", "said"),
    [(["prompt"], "name=value"), (["=5"], "name=value"), (["size=1K", "size=2K"], "size"), (["box=x"], "JSON")],
)
def test_what_cannot_be_read_is_said(written: list[str], said: str) -> None:
    """One sentence that names the input, or the form that is wanted."""
    with pytest.raises(Illegible, match=said):
        read_inputs(MODEL, written)


@pytest.mark.parametrize("text", ["", "[]", "{", "5", "[" * 100_000])
def test_object_that_is_none_is_refused(text: str) -> None:
    """Whatever a file of inputs holds, there is an answer."""
    with pytest.raises(Illegible):
        read_object(MODEL, text)


def test_object_names_files_behind_an_at() -> None:
    """In JSON, too, `@path` is a file where one is wanted, and a text where not; unknown names are kept."""
    read = read_object(MODEL, '{"text": "@a", "picture": "@b", "pictures": ["@c"], "nothing": 5}')
    assert read == {"text": "@a", "picture": Path("b"), "pictures": [Path("c")], "nothing": 5}


@pytest.mark.parametrize("model", default_shelf().models, ids=lambda model: model.id)
def test_outline_holds_every_input(model: Model) -> None:
    """Each by name with its type; what is only suggested is not called a default, for it has to be given."""
    told = outline(model, default_shelf().why_not_sold(model))
    assert [one["name"] for one in told["inputs"]] == [item.name for item in model.inputs]
    assert all(one["type"] for one in told["inputs"])
    assert not any(one["required"] and "default" in one for one in told["inputs"])


def test_outline_states_limits() -> None:
    """Ranges, choices, formats and items, and nothing where the catalog says nothing."""
    assert described(MODEL.inputs[4]) == {
        "name": "seconds",
        "required": False,
        "type": "integer",
        "minimum": 1,
        "maximum": 10,
    }
    assert described(MODEL.inputs[6]) == {"name": "picture", "required": False, "type": "file", "media": "image"}
    assert described(MODEL.inputs[10])["items"]["fields"][0]["type"] == "text"


def test_written_example_is_valid() -> None:
    """What a person types for a real model passes its form."""
    model = default_shelf().get("z-image")
    read = read_inputs(model, ["prompt=кот", "aspect_ratio=1:1", "nsfw_checker=off"])
    assert isinstance(validate(model, read), Valid)
