"""The stand-in's rules and the shop's catalog were written apart: where they say the same, both are likely right."""

from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import pytest
import yaml

from sandbox.kie.rules import Field, ModelRule, rules

CATALOG: dict[str, dict[str, Any]] = {
    entry["id"]: entry
    for entry in yaml.load(
        files("kiosk.catalog").joinpath("models.yaml").read_text(encoding="utf-8"),
        yaml.CSafeLoader,
    )["models"]
}
# Where the two differ on purpose: what differs, and why.
WHOLE_MEGAPIXELS = "the shop counts the megapixels of each size whole, the stand-in as they are"
KNOWN_DIFFERENCES = {
    ("qwen/text-to-image", "prices"): WHOLE_MEGAPIXELS,
    ("qwen/text-to-image", "credits"): WHOLE_MEGAPIXELS,
    ("qwen/image-edit", "prices"): WHOLE_MEGAPIXELS,
    ("topaz/image-upscale", "prices"): (
        "the provider takes 10 or 20 credits by the size of the result: the shop says that the inputs do not tell, the "
        "stand-in always takes 10"
    ),
    ("kling-3.0-omni/text-to-video", "customize_multi_shots: default"): (
        "the provider's default demands scenes of every order, which its own prompt does without: the shop says no"
    ),
}
FILE_LIMITS = ("media", "formats", "max_size_mb", "min_seconds", "max_seconds")


def as_joint(rule: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A rule of the catalog in the words of the stand-in."""
    ((kind, said),) = rule.items()
    match kind:
        case "requires":
            yield {"requires": said["inputs"], "when": said["when"]}
        case "requires_input":
            yield from ({"requires": needs, "when": {name: "present"}} for name, needs in said.items())
        case "only_when":
            yield {"only": said["input"], "when": {name: value for name, value in said.items() if name != "input"}}
        case "max_total_items":
            when = {"when": said["when"]} if "when" in said else {}
            yield {"together": said["inputs"], "max_items": said["max"], **when}
        case "total_seconds":
            yield from ({"together": [name], "max_seconds": most} for name, most in said.items())
        case "total_chars":
            yield from ({"together": [name], "max_chars": most} for name, most in said.items())
        case _:
            yield rule


def ordered(things: Any) -> list[str]:
    return sorted(map(repr, things))


def differences(rule: ModelRule, entry: dict[str, Any]) -> Iterator[str]:
    """The aspects in which the two do not say the same of one model."""
    joint = [one for said in entry.get("rules", ()) for one in as_joint(said)]
    if ordered(joint) != ordered(dict(one) for one in rule.joint):
        yield "joint"
    if ordered(_row(row) for row in _rows(entry)) != ordered(_row(row) for row in rule.prices):
        yield "prices"
    if entry.get("price_quantity", "") != rule.quantity:
        yield "quantity"
    if ([dict(rule.surcharge)] if rule.surcharge else []) != entry.get("surcharges", []):
        yield "surcharge"
    if (entry.get("credits") or 0) != rule.credits:
        yield "credits"
    for field in rule.inputs:
        # A catalog entry may send an input under another key.
        spec = next((spec for name, spec in entry["inputs"].items() if spec.get("api_name", name) == field.name), None)
        yield from (f"{field.name}: {aspect}" for aspect in _of_input(field, spec))


def _rows(entry: dict[str, Any]) -> list[dict[str, Any]]:
    per = entry.get("credits_per", "task")
    plain = [] if per == "task" else [{"credits": entry["credits"], "per": per}]
    return list(entry.get("pricing", plain))


def _row(row: Any) -> dict[str, Any]:
    return {"when": row.get("when", {}), "credits": row["credits"], "per": row.get("per", "task")}


def _of_input(field: Field, spec: dict[str, Any] | None) -> Iterator[str]:
    if spec is None:
        yield "missing"
        return
    pairs = {
        "required": (field.required, spec.get("required", False)),
        "default": (field.default, spec.get("default")),
        "task_ref": (bool(field.task_ref), "task_ref" in spec),
    }
    for name in FILE_LIMITS:
        mine = getattr(field, name)
        pairs[name] = (
            list(mine) if isinstance(mine, tuple) else mine,
            spec.get(name, [] if name == "formats" else None),
        )
    yield from (name for name, (mine, theirs) in pairs.items() if mine != theirs)


def test_both_know_the_same_models() -> None:
    """No model is missing on either side."""
    assert set(rules()) == set(CATALOG)


@pytest.mark.parametrize("model", sorted(rules()))
def test_stand_in_and_catalog_say_the_same(model: str) -> None:
    """Joint rules, prices, defaults and limits of files agree, but for what is listed with a reason."""
    known = {aspect for name, aspect in KNOWN_DIFFERENCES if name == model}
    assert set(differences(rules()[model], CATALOG[model])) == known
