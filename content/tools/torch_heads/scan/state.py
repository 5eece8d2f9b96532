"""What has been written, so that it can be taken back: branches, and what is left after them."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from .values import MISSING, Either, Facts, Scope, Store, consistent, join

Changes = dict[tuple[Store, Any], Any]


@dataclass
class End:
    """How one way ended: the facts it adds, what it gave, what it changed."""

    facts: Facts
    result: Any
    changes: Changes


class State:
    """The state of the program that is followed."""

    def __init__(self) -> None:
        self.journal: list[tuple[Store, Any, Any]] = []
        self.facts: dict[Any, bool] = {}
        names = [name for name in dir(self) if name.startswith("visit_")]
        self.visits = {getattr(ast, name[6:]): getattr(self, name) for name in names}
        self.scope: Scope = None  # type: ignore[assignment]

    def write(self, store: Store, key: Any, value: Any) -> None:
        self.journal.append((store, key, store.get(key, MISSING)))
        if value is MISSING:
            store.pop(key, None)
        else:
            store[key] = value

    def end(self, value: Any, mark: int, without: Store | None = None) -> End:
        """The state here, as the end of something that began at `mark`."""
        return End(frozenset(self.facts.items()), value, self.changes(mark, without))

    def changes(self, mark: int, without: Store | None = None) -> Changes:
        return {
            (store, key): store.get(key, MISSING)
            for store, key, _ in self.journal[mark:]
            if store is not without
        }

    def take_back(self, mark: int) -> None:
        for store, key, old in reversed(self.journal[mark:]):
            if old is MISSING:
                store.pop(key, None)
            else:
                store[key] = old
        del self.journal[mark:]

    def ways(self, ways: list[tuple[Facts, Callable[[], Any]]]) -> list[End]:
        """Follow each way from the present state; all of them leave it as it is."""
        ends, before = [], self.facts
        for facts, way in ways:
            if consistent(facts, before):
                mark, self.facts = len(self.journal), {**before, **dict(facts)} if facts else before
                result = way()
                ends.append(End(facts, result, self.changes(mark)))
                self.take_back(mark)
        self.facts = before
        return ends

    def merge(self, ends: list[End]) -> None:
        """Be in one of these states."""
        for change in dict.fromkeys(change for end in ends for change in end.changes):
            store, key = change
            now = store.get(key, MISSING)
            values = [end.changes.get(change, now) for end in ends]
            first = values[0]
            if isinstance(first, Either) or any(value is not first for value in values):
                first = join([(end.facts, value) for end, value in zip(ends, values, strict=True)])
            self.write(store, key, first)

    def each(self, value: Any, act: Callable[[Any], Any]) -> Any:
        """`act` of a value, or of each of its alternatives."""
        value = self.narrow(value)
        if not isinstance(value, Either):
            return act(value)
        ends = self.ways([(facts, partial(act, one)) for facts, one in value.options])
        self.merge(ends)
        return self.joined([(end.facts, end.result) for end in ends])

    def joined(self, options: list[tuple[Facts, Any]]) -> Any:
        value = join(options)
        return None if value is MISSING else value

    def narrow(self, value: Any) -> Any:
        """A value without the alternatives that the facts rule out."""
        if not isinstance(value, Either) or not self.facts:
            return value
        left = tuple(option for option in value.options if consistent(option[0], self.facts))
        return left[0][1] if len(left) == 1 else Either(left) if left else None
