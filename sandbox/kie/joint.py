"""What the inputs of one task must be to each other; each rule is a mapping of rules.yaml, told apart by its first key.

any_of, exactly_one_of: names. exclusive: groups of names, of which one may be used. forbid: a combination.
requires: names that are needed `when` something holds. only: a name that is allowed only `when` something holds.
together: names that share max_items, max_chars (`list.key` counts that key of every object) or max_seconds, always or
`when` something holds.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Inputs = Mapping[str, Any]
Rule = Mapping[str, Any]


def broken(rules: Sequence[Rule], given: Inputs, meant: Inputs) -> str | None:
    """The first broken rule in words, None when there is none; `meant` is `given` with defaults.

    Playing times are not known before files are fetched, see inspection.py.
    """
    return next((told for rule in rules if (told := _TOLD[next(iter(rule))](rule, given, meant))), None)


def is_given(given: Inputs, name: str) -> bool:
    """A switch that is off, and a list of nothing, count as nothing."""
    return given.get(name) not in (None, False, "", [])


def holds(when: Mapping[str, Any], given: Inputs, meant: Inputs) -> bool:
    """Every input has the value, or one of the values, or is present or absent."""
    return all(_fits(name, wanted, given, meant) for name, wanted in when.items())


def _fits(name: str, wanted: Any, given: Inputs, meant: Inputs) -> bool:
    if wanted in ("present", "absent"):
        return is_given(given, name) is (wanted == "present")
    value = meant.get(name)
    return any(value == one and type(value) is type(one) for one in (wanted if isinstance(wanted, list) else [wanted]))


def _any_of(rule: Rule, given: Inputs, _meant: Inputs) -> str | None:
    names = rule["any_of"]
    return None if any(is_given(given, name) for name in names) else f"{' or '.join(names)} is required"


def _exactly_one_of(rule: Rule, given: Inputs, _meant: Inputs) -> str | None:
    names = rule["exactly_one_of"]
    count = sum(is_given(given, name) for name in names)
    return None if count == 1 else f"exactly one of {', '.join(names)} is required"


def _exclusive(rule: Rule, given: Inputs, _meant: Inputs) -> str | None:
    used = [name for group in rule["exclusive"] for name in group if is_given(given, name)]
    groups = [group for group in rule["exclusive"] if any(name in used for name in group)]
    return f"{', '.join(used)} cannot be used together" if len(groups) > 1 else None


def _requires(rule: Rule, given: Inputs, meant: Inputs) -> str | None:
    missing = [name for name in rule["requires"] if not is_given(given, name)]
    return f"{missing[0]} is required here" if missing and holds(rule["when"], given, meant) else None


def _forbid(rule: Rule, given: Inputs, meant: Inputs) -> str | None:
    combination = rule["forbid"]
    return f"{' with '.join(combination)} is not supported" if holds(combination, given, meant) else None


def _only(rule: Rule, given: Inputs, meant: Inputs) -> str | None:
    allowed = not is_given(given, rule["only"]) or holds(rule["when"], given, meant)
    return None if allowed else f"{rule['only']} is not supported with this {', '.join(rule['when'])}"


def _together(rule: Rule, given: Inputs, meant: Inputs) -> str | None:
    names = rule["together"]
    if not holds(rule.get("when", {}), given, meant):
        return None
    if "max_items" in rule and sum(_items(given.get(name)) for name in names) > rule["max_items"]:
        return f"{', '.join(names)} exceed the maximum of {rule['max_items']} items"
    if "max_chars" in rule and sum(characters(given, name) for name in names) > rule["max_chars"]:
        return f"{', '.join(names)} exceed the maximum length of {rule['max_chars']}"
    return None


def _items(value: Any) -> int:
    return len(value) if isinstance(value, list) else int(value not in (None, ""))


def characters(given: Inputs, name: str) -> int:
    """The length of a text, or of one key in every object of a list: `dialogue.text`."""
    field, _, key = name.partition(".")
    value = given.get(field)
    texts = [item.get(key) for item in value if isinstance(item, dict)] if isinstance(value, list) else [value]
    return sum(len(text) for text in texts if isinstance(text, str))


_TOLD: Mapping[str, Callable[[Rule, Inputs, Inputs], str | None]] = {
    "any_of": _any_of,
    "exactly_one_of": _exactly_one_of,
    "exclusive": _exclusive,
    "requires": _requires,
    "forbid": _forbid,
    "only": _only,
    "together": _together,
}
