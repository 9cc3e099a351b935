"""The effects in a module's source: every `await`, and the end of every `async with`; named, and wrapped in calls."""

import ast
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

REACHED: Final = "_crash_point_reached"
LEAVING: Final = "_crash_point_leaving"
TRANSACTION: Final = "transaction"
COMMIT: Final = "commit"  # what the end of a transaction is called


class NotUnderstood(Exception):  # noqa: N818 - it states a fact
    """The source holds an effect of a kind that gets no point; the message says where."""


@dataclass(frozen=True, slots=True)
class Point:
    """Right after one effect; `name` is module.Class.method:effect, and stays while the code around it moves."""

    name: str
    where: str  # file:line


@dataclass(frozen=True, slots=True)
class Source:
    """A module, and what has to be known of it to tell calls of its functions from effects."""

    name: str  # dotted
    path: Path
    text: str
    imported: Mapping[str, str]  # name here -> dotted name of what it stands for
    functions: frozenset[str]  # dotted names of its async functions and methods
    fields: Mapping[str, Mapping[str, str]]  # class -> field -> name of its type

    @classmethod
    def read(cls, name: str, path: Path) -> "Source":
        text = path.read_text(encoding="utf-8")
        tree = ast.parse(text, str(path))
        owners = [node for node in tree.body if isinstance(node, ast.ClassDef)]
        methods = [f"{owner.name}.{method}" for owner in owners for method in _async_names(owner.body)]
        return cls(
            name=name,
            path=path,
            text=text,
            imported=dict(_imports(tree)),
            functions=frozenset(f"{name}.{function}" for function in [*_async_names(tree.body), *methods]),
            fields={owner.name: dict(_fields(owner)) for owner in owners},
        )

    def meant_by(self, name: str) -> str:
        """The dotted name of something that is called `name` here."""
        return self.imported.get(name, f"{self.name}.{name}")


def wrapped(source: Source, functions: frozenset[str]) -> tuple[ast.Module, tuple[Point, ...]]:
    """The module's tree with a call behind each effect, and these effects in the order in which they take place.

    To wait for one of `functions` is no effect: its own are counted where they stand. Errors: NotUnderstood.
    """
    wrapper = _Wrapper(source, functions)
    tree = wrapper.visit(ast.parse(source.text, str(source.path)))
    return ast.fix_missing_locations(tree), tuple(wrapper.points)


class _Wrapper(ast.NodeTransformer):
    """Innermost first, as effects take place."""

    def __init__(self, source: Source, functions: frozenset[str]) -> None:
        self.points: list[Point] = []
        self._source = source
        self._functions = functions
        self._scope: list[str] = []
        self._counts: Counter[str] = Counter()

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        return self._within(node.name, node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._within(node.name, node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._within(node.name, node)

    def visit_Await(self, node: ast.Await) -> ast.AST:
        self.generic_visit(node)
        if self._is_scanned(node.value):
            return node
        return _call(REACHED, self._new_point(_spoken(node.value), node), node)

    def visit_AsyncWith(self, node: ast.AsyncWith) -> ast.AST:
        self.generic_visit(node)
        for item in reversed(node.items):
            last = _spoken(item.context_expr).rpartition(".")[2]
            name = self._new_point(COMMIT if last == TRANSACTION else last, item.context_expr)
            item.context_expr = _call(LEAVING, name, item.context_expr)
        return node

    def visit_AsyncFor(self, node: ast.AsyncFor) -> ast.AST:
        raise NotUnderstood(f"{self._where(node)}: async for")

    def visit_comprehension(self, node: ast.comprehension) -> ast.AST:
        if node.is_async:
            raise NotUnderstood(f"{self._where(node.target)}: an async comprehension")
        return self.generic_visit(node)

    def _within(self, name: str, node: ast.AST) -> ast.AST:
        self._scope.append(name)
        try:
            return self.generic_visit(node)
        finally:
            self._scope.pop()

    def _new_point(self, effect: str, node: ast.AST) -> str:
        short = self._source.name.rpartition(".")[2]
        name = f"{'.'.join([short, *self._scope])}:{effect}"
        self._counts[name] += 1
        if self._counts[name] > 1:
            name = f"{name}#{self._counts[name]}"
        self.points.append(Point(name, self._where(node)))
        return name

    def _where(self, node: ast.AST) -> str:
        return f"{'/'.join(self._source.name.split('.'))}.py:{getattr(node, 'lineno', 0)}"

    def _is_scanned(self, awaited: ast.expr) -> bool:
        """Only what can be told for sure; of anything else the worst is a point that says the same twice."""
        return isinstance(awaited, ast.Call) and self._callee(awaited.func) in self._functions

    def _callee(self, function: ast.expr) -> str | None:
        owner = self._scope[0] if self._scope else ""
        match function:
            case ast.Name(id=name):
                return self._source.meant_by(name)
            case ast.Attribute(value=ast.Name(id="self"), attr=method):
                return f"{self._source.name}.{owner}.{method}"
            case ast.Attribute(value=ast.Attribute(value=ast.Name(id="self"), attr=field), attr=method):
                kind = self._source.fields.get(owner, {}).get(field)
                return f"{self._source.meant_by(kind)}.{method}" if kind else None
            case ast.Attribute(value=ast.Name(id=module), attr=name):
                return f"{self._source.meant_by(module)}.{name}"
            case _:
                return None


def _async_names(body: Sequence[ast.stmt]) -> list[str]:
    return [node.name for node in body if isinstance(node, ast.AsyncFunctionDef)]


def _imports(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        match node:
            case ast.ImportFrom(module=str(module), names=names):
                yield from ((alias.asname or alias.name, f"{module}.{alias.name}") for alias in names)
            case ast.Import(names=names):
                yield from ((alias.asname, alias.name) for alias in names if alias.asname)
            case _:
                pass


def _fields(owner: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for node in owner.body:
        match node:
            case ast.AnnAssign(target=ast.Name(id=field), annotation=ast.Name(id=kind)):
                yield field, kind
            case ast.AnnAssign(
                target=ast.Name(id=field),
                annotation=ast.BinOp(left=ast.Name(id=kind), op=ast.BitOr(), right=ast.Constant(value=None)),
            ):
                yield field, kind
            case _:
                pass


def _spoken(node: ast.expr) -> str:
    """What an effect is called: the dotted name of what is waited for, without `self` and arguments."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=ast.Name(id="self"), attr=name):
            return name
        case ast.Attribute(value=value, attr=name):
            return f"{_spoken(value)}.{name}"
        case ast.Call(func=ast.Name(id=name), args=[_, inner]) if name == REACHED:
            return _spoken(inner)
        case ast.Call(func=function):
            return _spoken(function)
        case ast.Await(value=value):
            return _spoken(value)
        case _:
            return type(node).__name__.lower()


def _call(function: str, point: str, value: ast.expr) -> ast.Call:
    """`function(point, value)`, where the value stood."""
    call = ast.Call(ast.Name(function, ast.Load()), [ast.Constant(point), value], [])
    for part in (call, call.func, call.args[0]):
        ast.copy_location(part, value)
    return call
