"""What is known of a value. None: nothing. A Symbol: nothing, but it stays the same.

What a program can change in place (lists, networks, objects, tensors) keeps its contents in a
Store, which all its names share. Nothing else of a value changes; `frozen` is left out of those
that are made at every step, since it doubles the time that takes.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property, reduce
from typing import Any

from .syntax import assigned

Facts = frozenset[tuple[Any, bool]]  # which tests came out how
MISSING: Any = type("Missing", (), {"__repr__": lambda _: "MISSING"})()
MANY = 4  # alternatives of one value that are kept apart


class Store(dict[Any, Any]):
    """Contents that can change: equal to itself alone."""

    __hash__ = object.__hash__
    __eq__ = object.__eq__
    __ne__ = object.__ne__


@dataclass(frozen=True, order=True)
class Place:
    """Where code stands: lines count from 1 in the file, or in the cell of a notebook."""

    file: str
    line: int
    column: int
    cell: int = 0
    end: int = field(default=0, compare=False)  # the last line

    def __str__(self) -> str:
        cell = f":cell {self.cell}" if self.cell else ""
        return f"{self.file}{cell}:{self.line}:{self.column}"


@dataclass(unsafe_hash=True)
class Symbol:
    """An unknown value that has a name, so that two tests of it are known to agree."""

    key: Any


LOADED = Symbol("loaded")  # from a file: most likely what it was when it was saved


@dataclass(unsafe_hash=True)
class Const:
    value: Any


@dataclass(unsafe_hash=True)
class Outside:
    """A thing of another package, by its full name."""

    name: str


@dataclass(frozen=True)
class Import:
    """An import, followed when it is first used."""

    module: str
    name: str | None
    level: int
    origin: Scope


@dataclass(frozen=True)
class Loss:
    name: str
    reduction: str | None = "mean"  # None: not known


@dataclass(frozen=True)
class Result:
    """What a loss gave, and the findings about it, in case it was meant so."""

    keys: tuple[Any, ...]


@dataclass(frozen=True)
class Either:
    """One of several values, and the facts under which it is."""

    options: tuple[tuple[Facts, Any], ...]


@dataclass(unsafe_hash=True)
class Row:
    """The items of a list; `open`: there may be others before them."""

    items: tuple[Any, ...] = ()
    open: bool = False

    def __add__(self, other: Row) -> Row:
        return other if other.open else Row(self.items + other.items, self.open)

    def item(self, index: Any) -> Any:
        if isinstance(index, int) and -len(self.items) <= index < len(self.items):
            return self.items[index] if index < 0 or not self.open else None
        return None


@dataclass(frozen=True, eq=False)
class Tensor:
    """A tensor: the operation it came out of ("op"), and what that was taken of."""

    store: Store
    at: Place
    home: ast.AST
    source: Any = None


@dataclass(frozen=True, eq=False)
class Layer:
    """A module with one operation ("op"); "same" for those that only move numbers."""

    store: Store
    at: Place


@dataclass(eq=False)
class Items:
    """A list, a tuple, or an nn.Sequential (`net`): its "row"."""

    store: Store
    net: bool = False


@dataclass(eq=False)
class Dict:
    """A dict, or named fields: its ("k", key)s; "open": there may be others."""

    store: Store

    def entries(self) -> dict[Any, Any]:
        return {key[1]: value for key, value in self.store.items() if isinstance(key, tuple)}


@dataclass(frozen=True, eq=False)
class Zoo:
    """A network of torchvision; "head": what its last layer was replaced with."""

    store: Store


@dataclass(frozen=True)
class Super:
    owner: Class
    me: Any


@dataclass(frozen=True)
class Partial:
    called: Any
    args: tuple[Any, ...]
    keywords: tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class Fields:
    """What namedtuple gives: a class with these fields."""

    names: tuple[str, ...]


@dataclass(unsafe_hash=True)
class Function:
    node: Any
    scope: Scope
    owner: Class | None = None
    bound: Any = None


@dataclass(frozen=True)
class Property:
    function: Any


@dataclass(eq=False)
class Scope:
    """The names of a module, a class body or one call."""

    module: Any
    parent: Scope | None
    home: ast.AST | None
    owner: Class | None = None
    me: Any = None
    env: Store = field(default_factory=Store)
    elsewhere: dict[str, Scope] = field(default_factory=dict)  # global and nonlocal names
    returns: list[Any] = field(default_factory=list)
    exits: list[Any] = field(default_factory=list)
    mark: int = 0  # how long the journal was when it began
    loop: int = 0  # and when the loop began

    def find(self, name: str) -> Scope | None:
        """The scope that has this name."""
        scope: Scope | None = self.elsewhere.get(name, self)
        while scope is not None and name not in scope.env:
            scope = scope.parent
        return scope


@dataclass(eq=False)
class Class:
    node: ast.ClassDef
    scope: Scope
    bases: list[Any]
    env: Store = field(default_factory=Store)

    @cached_property
    def mro(self) -> list[Any]:
        """The classes that an attribute is looked for in, in Python's order."""
        rows = [list(b.mro) if isinstance(b, Class) else [b] for b in self.bases]
        rows, order = [*rows, list(self.bases)], [self]
        while rows := [row for row in rows if row]:
            tails = [item for row in rows for item in row[1:]]
            head = next((row[0] for row in rows if row[0] not in tails), rows[0][0])
            order.append(head)
            rows = [[item for item in row if item != head] for row in rows]
        return order

    def lineage(self, after: Class | None = None) -> Iterator[Any]:
        """The classes, or those that `super()` in `after` means."""
        skip = self.mro.index(after) + 1 if after and after in self.mro else 0
        return iter(self.mro[skip:])

    def find(self, name: str, after: Class | None = None) -> Any:
        """A method, or a class attribute that is no mere setting; Outside of another package."""
        for kind in self.lineage(after):
            if isinstance(kind, Class) and name in kind.env:
                value = kind.env[name]
                return None if isinstance(value, Const) else value
            if isinstance(kind, Outside) and name in ("forward", "__call__", "__init__"):
                return Outside(f"{kind.name}.{name}")
        return None

    @property
    def root(self) -> str:
        """The name of the class of another package that it comes from."""
        outside = [kind.name for kind in self.mro if isinstance(kind, Outside)]
        return outside[0] if outside else ""

    @cached_property
    def setters(self) -> dict[str, list[Function]]:
        """The methods besides __init__ that assign self.x, by x."""
        found: dict[str, list[Function]] = {}
        for kind in self.mro:
            for name, method in kind.env.items() if isinstance(kind, Class) else ():
                if isinstance(method, Function) and name != "__init__":
                    for path in assigned(method.node):
                        if path.startswith("self."):
                            found.setdefault(path[5:], []).append(method)
        return found


@dataclass(frozen=True, eq=False)
class Object:
    """An instance: its attributes."""

    of: Class
    store: Store


NETWORKS = (Items, Layer, Object, Zoo, Dict)  # what a function may change in place


def unknown(value: Any) -> bool:
    return value is None or isinstance(value, Symbol)


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, Tensor) and isinstance(b, Tensor):
        return a.at == b.at and a.store.items() == b.store.items()
    if isinstance(a, Layer) and isinstance(b, Layer):
        return a.store.items() == b.store.items()
    return type(a) is type(b) and bool(a == b)


def consistent(a: Facts, b: Any) -> bool:
    if not a:
        return True
    known = b if isinstance(b, dict) else dict(b)
    return all(known.get(key, truth) == truth for key, truth in a)


def join(options: list[tuple[Facts, Any]]) -> Any:
    """What is known of a value that is one of these. A name that one way lacks is taken from the
    others."""
    found: list[tuple[Facts, Any]] = []
    for facts, value in options:
        for more, one in value.options if isinstance(value, Either) else ((frozenset(), value),):
            if one is MISSING or not consistent(more, facts):
                continue
            for index, (known, other) in enumerate(found):
                if one is other or _same(one, other):
                    found[index] = known & (facts | more), other
                    break
            else:
                found.append((facts | more, one))
    if len(found) <= 1:
        return found[0][1] if found else MISSING
    values = [value for _, value in found]
    if all(isinstance(value, Row) for value in values):
        return reduce(_join_rows, values)
    useless = any(unknown(value) and value != LOADED and not facts for facts, value in found)
    if len(found) > MANY or useless or all(map(unknown, values)):
        return None
    return Either(tuple(found))


def _join_rows(a: Row, b: Row) -> Row:
    both: Facts = frozenset()
    if not a.open and not b.open and len(a.items) == len(b.items):
        pairs = zip(a.items, b.items, strict=True)
        return Row(tuple(join([(both, one), (both, other)]) for one, other in pairs))
    if a.items and b.items:
        return Row((join([(both, a.items[-1]), (both, b.items[-1])]),), True)
    return Row((), True)
