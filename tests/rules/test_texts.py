"""The texts: the same in both languages, each used, and every one that the bot can ask for is there."""

from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

import pytest
from fluent.syntax import FluentParser, ast
from fluent.syntax.visitor import Visitor

from kiosk.bot.labels import OPTION
from kiosk.bot.opening import COMMANDS
from kiosk.bot.words import LANGUAGES
from kiosk.catalog.form import questions, settings
from kiosk.catalog.model import Choice, MediaType
from kiosk.catalog.objects import group_of
from kiosk.catalog.shelf import default_shelf
from kiosk.catalog.vocabulary import ModelType, Output
from kiosk.delivery.plan import Media
from kiosk.generations.gate import Why
from kiosk.generations.original import Owed
from kiosk.generations.states import Failure
from kiosk.operators.alerts import VALUES_OF, Kind
from tests.textuse import Use, uses

BOT = Path(__file__).parents[2] / "kiosk" / "bot"
INPUTS = {item.name for model in default_shelf().models for item in model.inputs}
# A part of an object is called by its own name, or where that means something else, by its list's name and its own.
PARTS = {
    name
    for model in default_shelf().models
    for item in model.inputs
    if (group := group_of(item))
    for part in group.fields
    for name in (part.name, f"{item.name}-{part.name}")
}
OPTIONS = {
    str(value).translate(OPTION)
    for model in default_shelf().models
    for item in model.inputs
    if isinstance(item.kind, Choice)
    for value in item.kind.values
}
# What stands for the * of a family: each of these has its text.
COMPLETE = {
    "failed-*": {failure.value for failure in Failure},
    "command-*": set(COMMANDS),
    "line-why-*": {why.value for why in Why},
    "alert-*": {kind.value for kind in Kind},
    "create-*": {output.value for output in Output},
    "ask-file-*": {one.value for one in MediaType},
    "original-owed-*": {one.value for one in Owed},
    "media-*": {one.value for one in MediaType},
    "type-*": {one.value for one in ModelType},
}
# In these families a missing text is replaced by a general one, so any input may have one and none must.
KINDS = {"", *(f"-{kind.value}" for kind in (*ModelType, *Output))}
ASKED = {f"{name}{kind}" for name in INPUTS for kind in KINDS} | PARTS
OPTIONAL = {"ask-*": ASKED, "ask-*-hint": ASKED, "field-*": INPUTS | PARTS, "option-*": OPTIONS}


class Variables(Visitor):
    """Collects the names that a message wants values for."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def visit_VariableReference(self, node: ast.VariableReference) -> None:  # noqa: N802 - the visitor's name
        self.names.add(node.id.name)


def texts(language: str) -> dict[str, frozenset[str]]:
    """The variables of every text by its key."""
    source = (BOT / "texts" / f"{language}.ftl").read_text(encoding="utf-8")
    found = {}
    for entry in FluentParser().parse(source).body:
        assert not isinstance(entry, ast.Junk), entry.content
        if isinstance(entry, ast.Message):
            assert entry.id.name not in found, f"{entry.id.name} stands there twice"
            variables = Variables()
            variables.visit(entry)
            found[entry.id.name] = frozenset(variables.names)
    return found


@cache
def asked() -> list[Use]:
    found = list(uses(BOT))
    assert len(found) > 50  # the syntax tree was read, and the bot does talk
    return found


def families() -> set[str]:
    return {use.key for use in asked() if "*" in use.key}


def members(family: str) -> set[str]:
    stems = {**COMPLETE, **OPTIONAL}[family]
    return {family.replace("*", stem) for stem in stems}


def test_languages_have_the_same_texts_and_values() -> None:
    """Whatever is said in one language is said in all, with the same values in it."""
    first, *others = (texts(language) for language in LANGUAGES)
    for other in others:
        assert first == other


def test_every_family_of_texts_is_accounted_for() -> None:
    """A text whose key is put together at run time belongs to a family whose members are known."""
    assert families() == COMPLETE.keys() | OPTIONAL.keys()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_that_is_asked_for_exists(language: str) -> None:
    """No customer meets a missing text."""
    there = texts(language).keys()
    plain = {use.key for use in asked() if "*" not in use.key}
    complete = {key for family in COMPLETE for key in members(family)}
    assert (plain | complete) - there == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_input_that_customers_meet_has_a_name(language: str) -> None:
    """Whatever a sold model asks, or offers as a setting, is called something."""
    shelf = default_shelf()
    met = {
        one.field for model in (*shelf.sellable(), *shelf.follow_ups()) for one in questions(model) + settings(model)
    }
    assert {f"field-{field}" for field in met} - texts(language).keys() == set()
    inside = {
        (asked.field, part.field)
        for model in shelf.sellable()
        for asked in questions(model) + settings(model)
        for part in asked.parts
    }
    there = texts(language).keys()
    assert [pair for pair in inside if not {f"field-{pair[1]}", f"field-{'-'.join(pair)}"} & there] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_used(language: str) -> None:
    """A text that nothing asks for is somebody's forgotten work."""
    plain = {use.key for use in asked() if "*" not in use.key}
    known = plain | {key for family in families() for key in members(family)}
    assert texts(language).keys() - known == set()


def test_every_value_that_a_text_wants_is_given() -> None:
    """Each place that asks for a text brings along what stands in it."""
    there = texts(LANGUAGES[0])
    short = [
        (use.place, key)
        for use in asked()
        if use.values is not None
        for key, wanted in there.items()
        if fnmatchcase(key, use.key) and wanted - use.values and asks_for_value(use, key)
    ]
    assert short == []


def test_every_value_that_an_alert_wants_is_given() -> None:
    """Whoever raises an alert brings along what stands in its text; the count is there always."""
    there = texts(LANGUAGES[0])
    assert {kind: there[f"alert-{kind}"] - {"count"} for kind in Kind} == VALUES_OF


def asks_for_value(use: Use, key: str) -> bool:
    """`has` only looks whether there is such a text; a family matches only its own members."""
    return not use.only_looks and ("*" not in use.key or key in members(use.key))


def test_outputs_of_models_and_parcels_are_the_same_words() -> None:
    """What a model makes is what can be delivered."""
    assert {output.value for output in Output} == {media.value for media in Media}
