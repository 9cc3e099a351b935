"""What the stand-in of the provider accepts for each model: the rules of rules.yaml and their refusals."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import yaml

from sandbox.kie import joint

MODEL_NOT_SUPPORTED = (
    "The model name you specified is not supported. Please verify your input and use one of the supported models "
    "provided by KIE."
)
_DATA = Path(__file__).with_name("rules.yaml")

Output = Literal["image", "video", "audio", "text"]


@dataclass(frozen=True, slots=True)
class Field:
    """One input of a model; lengths count characters, items count array elements. rules.yaml explains every key."""

    name: str
    type: str
    required: bool = False
    enum: tuple[Any, ...] | None = None
    value_type: str = "string"
    min: float | None = None
    max: float | None = None
    special_values: tuple[float, ...] = ()
    min_length: int = 0
    max_length: int | None = None
    items: str | None = None
    min_items: int = 0
    max_items: int | None = None
    numeric_text: bool = False
    listed: bool = False
    default: Any = None
    media: str | None = None
    formats: tuple[str, ...] = ()
    max_size_mb: float | None = None
    min_seconds: float | None = None
    max_seconds: float | None = None
    task_ref: tuple[str, ...] = ()
    ref_of: Literal["task", "audio", "file"] = "task"
    ref_when: Mapping[str, Any] | None = None
    item_keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelRule:
    """One model of the provider; `credits` is the price with default inputs, `usual_s` a task's usual seconds.

    `prices` and `surcharge` are read by prices.py, `joint` by joint.py.
    """

    id: str
    name: str
    vendor: str
    type: str
    output: Output
    credits: float
    usual_s: float
    inputs: tuple[Field, ...]
    callback_required: bool = False
    accepts_anything: bool = False
    results: int = 1
    prices: tuple[Mapping[str, Any], ...] = ()
    quantity: str = ""
    surcharge: Mapping[str, Any] | None = None
    joint: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """A business error: the body's `code` and `msg`."""

    code: int
    msg: str


@cache
def rules() -> Mapping[str, ModelRule]:
    """All models by id, read once."""
    document = yaml.load(_DATA.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return MappingProxyType({model: _rule(model, facts) for model, facts in document.items()})


def _rule(model: str, facts: Mapping[str, Any]) -> ModelRule:
    inputs = tuple(_field(name, spec) for name, spec in facts["inputs"].items())
    lists = {name: tuple(facts.get(name, ())) for name in ("prices", "joint")}
    return ModelRule(model, **{**facts, **lists, "inputs": inputs, "credits": float(facts["credits"] or 0.0)})


def _field(name: str, spec: Mapping[str, Any]) -> Field:
    facts: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in spec.items()}
    return Field(name, **facts)


def check(rule: ModelRule, given: Any, missing_code: int) -> Refusal | None:
    """The first thing wrong with a task's `input`, or None.

    The provider answers missing fields as "X is required" with body code 500, some models with 422: `missing_code`.
    The texts for a wrong type, range, length or combination are not recorded anywhere and are this stand-in's own.
    """
    if rule.accepts_anything:
        return None
    if not isinstance(given, dict):
        return Refusal(422, "The input cannot be null")
    extra = sorted(set(given) - {field.name for field in rule.inputs})
    if extra and rule.type == "text_to_speech":
        return Refusal(422, f"{extra[0]} is not a supported parameter")
    for field in rule.inputs:
        value = given.get(field.name)
        if value in (None, "", []):
            if field.required:
                return Refusal(missing_code, f"{field.name} is required")
        elif complaint := _complaint(field, _coerced(field, value)):
            return Refusal(422, f"{field.name} {complaint}")
    broken = joint.broken(rule.joint, given, with_defaults(rule, given))
    return Refusal(422, broken) if broken else None


def with_defaults(rule: ModelRule, given: Mapping[str, Any]) -> dict[str, Any]:
    """The input as the provider understands it: its default where nothing is sent."""
    return {field.name: field.default for field in rule.inputs if field.default is not None} | dict(given)


def coerced(rule: ModelRule, given: Mapping[str, Any]) -> dict[str, Any]:
    """The input as the provider echoes it: the same keys, numbers sent as text turned into numbers where recorded."""
    fields = {field.name: field for field in rule.inputs}
    return {name: _coerced(fields[name], value) if name in fields else value for name, value in given.items()}


def _coerced(field: Field, value: Any) -> Any:
    return int(value) if field.numeric_text and isinstance(value, str) and value.isdecimal() else value


def _complaint(field: Field, value: Any) -> str | None:
    kind = field.value_type if field.type == "enum" else field.type
    if field.listed and isinstance(value, list):
        return None
    if not _is_a(kind, value):
        return f"must be of type {kind}"
    if field.enum is not None and value not in field.enum:
        return "is not within the range of allowed options"
    return _LIMITS.get(field.type, _no_limit)(field, value)


def _is_a(kind: str, value: Any) -> bool:
    if kind in {"integer", "number"}:
        return isinstance(value, int if kind == "integer" else int | float) and not isinstance(value, bool)
    return isinstance(value, {"boolean": bool, "array": list}.get(kind, str))


def _range_limit(field: Field, value: float) -> str | None:
    if value in field.special_values:
        return None
    if field.min is not None and value < field.min:
        return f"must not be less than {field.min}"
    if field.max is not None and value > field.max:
        return f"must not be greater than {field.max}"
    return None


def _length_limit(field: Field, value: str) -> str | None:
    if field.max_length is not None and len(value) > field.max_length:
        return f"exceeds the maximum length of {field.max_length}"
    if len(value) < field.min_length:
        return f"is shorter than {field.min_length}"
    return None


def _items_limit(field: Field, value: list[Any]) -> str | None:
    if field.max_items is not None and len(value) > field.max_items:
        return f"exceeds the maximum of {field.max_items} items"
    if len(value) < field.min_items:
        return f"needs at least {field.min_items} items"
    kind = field.items or "object"
    wanted = {"object": dict, "array": list, "integer": int}.get(kind, str)
    if not all(isinstance(item, wanted) for item in value):
        return f"must hold items of type {kind}"
    missing = [key for item in value for key in field.item_keys if item.get(key) in (None, "", [])]
    return f"needs {missing[0]} in every item" if missing else None


def _no_limit(_field: Field, _value: Any) -> None:
    return None


_LIMITS: Mapping[str, Callable[[Field, Any], str | None]] = {
    "integer": _range_limit,
    "number": _range_limit,
    "string": _length_limit,
    "url": _length_limit,
    "array": _items_limit,
}
