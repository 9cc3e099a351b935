"""The form of a model for whoever fills it in without the wizard: a row for each input, and the same as JSON; pure."""

from collections.abc import Mapping
from typing import Any, assert_never

from kiosk.catalog.model import (
    UNSTATED_MAX_NUMBER,
    Choice,
    Flag,
    Group,
    Input,
    Kind,
    Listing,
    Media,
    Model,
    Number,
    Text,
)
from kiosk.catalog.report import rules_said
from kiosk.catalog.shelf import NotSoldReason


def outline(model: Model, why_not_sold: NotSoldReason | None) -> dict[str, Any]:
    """What `kiosk generate MODEL --list-inputs --json` prints."""
    return {
        "model": model.id,
        "name": model.name,
        "vendor": model.vendor,
        "type": model.type.value,
        "output": model.output.value,
        "usual_seconds": model.usual_seconds,
        "sold": why_not_sold is None,
        "why_not_sold": why_not_sold.value if why_not_sold else None,
        "inputs": [described(item) for item in model.inputs],
        "rules": list(rules_said(model)),
    }


def described(item: Input) -> dict[str, Any]:
    """One input; a key is there only where the catalog says something. What is only suggested has to be given."""
    about: dict[str, Any] = {"name": item.name, "required": item.required, **_kind(item.kind)}
    if item.preset is not None:
        about["suggested" if item.required else "default"] = item.preset
    if item.task_ref:
        about["earlier_task_of"] = list(item.task_ref.models)
    return about


def _kind(kind: Kind) -> dict[str, Any]:
    match kind:
        case Text(min_length=least, max_length=most, pattern=pattern):
            return {"type": "text", **_stated(min_length=least, max_length=most, pattern=pattern)}
        case Choice(values=values, value_type=value_type):
            labels = _stated(labels=dict(kind.labels) or None, open=kind.is_open or None)
            return {"type": value_type.value, "choices": list(values), **labels}
        case Number():
            return {"type": "integer" if kind.whole else "number", **_bounds(kind)}
        case Flag():
            return {"type": "boolean"}
        case Media():
            limits = _stated(max_size_mb=kind.max_size_mb, min_seconds=kind.min_seconds, max_seconds=kind.max_seconds)
            return {"type": "file", "media": kind.media.value, **_stated(formats=list(kind.formats) or None), **limits}
        case Listing(of=of, min_items=least, max_items=most):
            return {"type": "list", "min_items": least, "max_items": most, "items": _kind(of)}
        case Group(fields=fields):
            return {"type": "object", "fields": [described(part) for part in fields]}
        case _:
            assert_never(kind)


def _bounds(kind: Number) -> Mapping[str, Any]:
    least = None if kind.minimum == -UNSTATED_MAX_NUMBER else kind.minimum
    most = None if kind.maximum == UNSTATED_MAX_NUMBER else kind.maximum
    return _stated(minimum=least, maximum=most, step=kind.step, special=list(kind.special) or None)


def _stated(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
