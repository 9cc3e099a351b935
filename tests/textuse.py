"""Which texts the bot's code asks for, read from its syntax tree: plain keys, and families such as failed-…"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

WORDS_METHODS = {"plain", "markup", "has"}
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Use:
    """One place that asks for a text; in `key` a `*` stands for what is only known at run time.

    `values`: the names that are given with it, None where they cannot be told.
    """

    place: str
    key: str
    values: frozenset[str] | None
    only_looks: bool  # whether there is such a text


class Opaque(Exception):  # noqa: N818 - it states a fact
    """A key that is put together in a way that this module cannot read: write it more plainly."""


def uses(folder: Path) -> Iterator[Use]:
    """Every use in the Python files of a folder. Errors: Opaque."""
    for path in sorted(folder.glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for function in (node for node in ast.walk(tree) if isinstance(node, Function)):
            for call in (node for node in ast.walk(function) if isinstance(node, ast.Call)):
                if asked := key_of(call):
                    place = f"{path.name}:{call.lineno}"
                    for key in sorted(readings(asked, function, place)):
                        yield Use(place, key, values_of(call), only_looks(call))


def key_of(call: ast.Call) -> ast.expr | None:
    """The expression of the key, when the call asks for a text."""
    match call.func:
        case ast.Attribute(value=owner, attr=name) if name in WORDS_METHODS and speaks(owner):
            return call.args[0]
        case ast.Attribute(value=ast.Name(id="screens"), attr="plain") | ast.Name(id="plain"):
            return call.args[1]
        case function if speaks(function):
            return call.args[0]
        case _:
            return None


def speaks(expression: ast.expr) -> bool:
    """Whether it is a `Words`: called `say`, or made by `words(...)`."""
    match expression:
        case ast.Name(id="say") | ast.Call(func=ast.Name(id="words")):
            return True
        case _:
            return False


def only_looks(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Attribute) and call.func.attr == "has"


def values_of(call: ast.Call) -> frozenset[str] | None:
    if any(keyword.arg is None for keyword in call.keywords):
        return None
    return frozenset(keyword.arg for keyword in call.keywords if keyword.arg)


def readings(expression: ast.expr, function: Function, place: str) -> set[str]:
    """All keys that the expression can be; the parameter `key` is read where the function is called."""
    match expression:
        case ast.Constant(value=str(text)):
            return {text}
        case ast.IfExp(body=one, orelse=other):
            return readings(one, function, place) | readings(other, function, place)
        case ast.JoinedStr(values=parts):
            pieces = [parts_of(part, function) for part in parts]
            return {"".join(chosen) for chosen in product(*pieces)}
        case ast.Name(id="key") if "key" in {argument.arg for argument in function.args.args}:
            return set()
        case ast.Name(id=name) if assigned := assignments(name, function):
            return {key for value in assigned for key in readings(value, function, place)}
        case _:
            raise Opaque(place)


def parts_of(part: ast.expr, function: Function) -> set[str]:
    match part:
        case ast.Constant(value=str(text)):
            return {text}
        case ast.FormattedValue(value=ast.Name(id=name)):
            texts = {text for value in assignments(name, function) for text in constants(value)}
            return texts or {"*"}
        case _:
            return {"*"}


def constants(expression: ast.expr) -> set[str]:
    match expression:
        case ast.Constant(value=str(text)):
            return {text}
        case ast.IfExp(body=one, orelse=other):
            return constants(one) | constants(other)
        case _:
            return set()


def assignments(name: str, function: Function) -> list[ast.expr]:
    """What a local name is set to."""
    return [
        node.value
        for node in ast.walk(function)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name) and target.id == name
    ]
