"""What the stand-in of the provider takes for a task: the row of its price list that fits, times what it counts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.kie.joint import characters, holds, is_given
from sandbox.kie.rules import ModelRule, with_defaults

# What only the real provider could tell: files that lie elsewhere, lengths left to the model, spoken tokens.
UNKNOWN_FILE_S = 5.0
UNSTATED_S = 5.0
_TOKENS_PER_CHARACTER = 2.0
_SIDES = {
    "square": (512, 512),
    "square_hd": (1024, 1024),
    "portrait_4_3": (768, 1024),
    "portrait_16_9": (576, 1024),
    "landscape_4_3": (1024, 768),
    "landscape_16_9": (1024, 576),
}
_UNSTATED_SIDES = (1024, 1024)


@dataclass(frozen=True, slots=True)
class Known:
    """What a price hangs on besides the input: seconds of files by the input that names them, an earlier task's input.

    `made` is how many files the task will make.
    """

    seconds: Mapping[str, float] = field(default_factory=dict)
    earlier: Mapping[str, Any] = field(default_factory=dict)
    made: int = 1


def price(rule: ModelRule, given: Mapping[str, Any], known: Known) -> float:
    """Credits; the price with default inputs where no row fits, 0 where no price is known."""
    meant = with_defaults(rule, given) | {f"task.{name}": value for name, value in known.earlier.items()}
    rows = rule.prices or ({"credits": rule.credits},)
    row = next((row for row in rows if holds(row.get("when", {}), given, meant)), None)
    if row is None:
        return rule.credits
    count = _COUNTS.get(row.get("per", "task"), _quantity)(rule, meant, known)
    return round(float(row["credits"]) * count + _surcharge(rule, given), 4)


def _quantity(rule: ModelRule, meant: Mapping[str, Any], known: Known) -> float:
    terms = rule.quantity.split(" + ") if rule.quantity else []
    return sum(_term(term, meant, known) for term in terms) or 1.0


def _term(term: str, meant: Mapping[str, Any], known: Known) -> float:
    name, _, of = term.partition(".")
    if of in ("seconds", "minutes"):
        files = meant.get(name) or []
        unknown_s = UNKNOWN_FILE_S * (len(files) if isinstance(files, list) else 1)
        seconds = known.seconds.get(name, unknown_s)
        return seconds / 60 if of == "minutes" else seconds
    dividend, _, divisor = term.partition("/")
    return _number(meant, dividend) / (_number(meant, divisor) if divisor else 1)


def _number(meant: Mapping[str, Any], name: str) -> float:
    try:
        value = float(meant.get(name, UNSTATED_S))
    except (TypeError, ValueError):
        value = 0.0
    return value if value > 0 else UNSTATED_S


def _surcharge(rule: ModelRule, given: Mapping[str, Any]) -> float:
    if rule.surcharge is None:
        return 0.0
    values = [given[name] for name in rule.surcharge["of"] if is_given(given, name)]
    items = sum(len(value) if isinstance(value, list) else 1 for value in values)
    return float(rule.surcharge["credits"] * max(items - rule.surcharge.get("after", 0), 0))


def _thousands(rule: ModelRule, meant: Mapping[str, Any], _known: Known) -> float:
    return characters(meant, rule.quantity) / 1000


def _megapixels(rule: ModelRule, meant: Mapping[str, Any], known: Known) -> float:
    width, height = _SIDES.get(str(meant.get("image_size")), _UNSTATED_SIDES)
    return width * height / 1_000_000 * _quantity(rule, meant, known)


def _million_tokens(rule: ModelRule, meant: Mapping[str, Any], _known: Known) -> float:
    said = sum(characters(meant, field.name) for field in rule.inputs if field.type == "string")
    return said * _TOKENS_PER_CHARACTER / 1_000_000


_COUNTS: Mapping[str, Callable[[ModelRule, Mapping[str, Any], Known], float]] = {
    "task": lambda _rule, _meant, _known: 1.0,
    "output_image": lambda _rule, _meant, known: float(known.made),
    "megapixel": _megapixels,
    "1000_characters": _thousands,
    "1M_output_tokens": _million_tokens,
}
