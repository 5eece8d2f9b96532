"""Statements: what each does to what is known. A visitor returns True where nothing goes on."""

from __future__ import annotations

import ast
import re
from functools import partial
from typing import Any

from .expressions import Expressions
from .state import End
from .syntax import assigned, names_alone, path
from .values import (
    MISSING,
    NETWORKS,
    Class,
    Const,
    Dict,
    Facts,
    Function,
    Import,
    Items,
    Loss,
    Object,
    Outside,
    Property,
    Row,
    Scope,
    Symbol,
    Tensor,
    Zoo,
    unknown,
)

NO_FACTS: Facts = frozenset()
HEADS = ("fc", "classifier", "head", "heads")  # the last layer of torchvision's models
# Decorators that leave a function what it is.
PLAIN = re.compile(
    r"(^|\.)(no_grad|enable_grad|inference_mode|staticmethod|classmethod|wraps|cache|lru_cache|"
    r"compile|script|jit|override|overload|abstractmethod|main|autocast|custom_fwd|export|command|"
    r"fixture|parametrize|record|profile|typechecked|jaxtyped|beartype|contextmanager|register\w*|"
    r"task|on_trace|ignore|unused|\w*_docstrings?\w*|deprecated\w*|add_\w+)$"
)
ASKED = (*NETWORKS, Loss, Outside, Function, Class)
ON_PURPOSE = re.compile(r"(^|\.)(raises|assertRaises\w*|warns|assertWarns\w*|deprecated_call)$")


class Statements(Expressions):
    """Follows statements."""

    def block(self, body: list[ast.stmt]) -> bool:
        for node in body:
            visit = self.visits.get(type(node))
            if visit and visit(node):
                return True
        return False

    # Assignments

    def visit_Assign(self, node: ast.Assign) -> None:
        value = self.named(self.value(node.value), node)
        for target in node.targets:
            self.assign(target, value)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        value = self.named(self.value(node.value), node) if node.value else None
        if unknown(value):
            value = self.annotated(node.annotation) or value
        if node.value or value is not None:
            self.assign(node.target, value)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        left, right = self.value(node.target), self.value(node.value)
        if isinstance(left, Items) and isinstance(node.op, ast.Add):
            self.write(left.store, "row", self.row(left) + self.row(right))
        else:
            self.spoil(left)
            self.assign(node.target, self.named(None, node))

    def visit_Delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            match target:
                case ast.Name(id=name):
                    self.write(self.scope.env, name, None)
                case ast.Subscript():
                    self.each(self.value(target.value), partial(self.delete, target))
                case ast.Attribute():
                    self.spoil(self.value(target.value))

    def delete(self, target: ast.Subscript, base: Any) -> None:
        index = self.value(target.slice)
        row = self.row(base)
        if isinstance(base, Items) and isinstance(index, Const) and row.item(index.value):
            where = index.value % len(row.items) if index.value >= 0 else index.value
            items = list(row.items)
            del items[where]
            self.write(base.store, "row", Row(tuple(items), row.open))
        else:
            self.spoil(base)

    def named(self, value: Any, node: ast.AST) -> Any:
        """An unknown value gets a name: from here on it stays the same."""
        self.names += value is None
        return Symbol(self.names) if value is None else value

    def assign(self, target: ast.expr, value: Any) -> None:
        match target:
            case ast.Name(id=name):
                scope = self.scope.elsewhere.get(name, self.scope)
                if scope is scope.module and scope.env.get(name, value) != value:
                    scope.module.rebound.add(name)
                self.write(scope.env, name, value)
            case ast.Tuple(elts=items) | ast.List(elts=items):
                for index, item in enumerate(items):
                    self.assign(item, self.each(value, partial(self.part, index, items)))
            case ast.Starred():
                self.assign(target.value, None)
            case ast.Subscript():
                self.each(self.value(target.value), partial(self.put_item, target, value))
            case ast.Attribute():
                self.each(self.value(target.value), partial(self.put, target.attr, value))

    def part(self, index: int, items: list[ast.expr], value: Any) -> Any:
        """What the item of a tuple of targets gets."""
        if isinstance(value, Tensor):  # a, b = softmax(z).chunk(2)
            return value
        if isinstance(value, Symbol):
            return Symbol((value.key, index))
        stars = [n for n, item in enumerate(items) if isinstance(item, ast.Starred)]
        row = self.row(value)
        if stars and index >= stars[0]:
            return row.item(index - len(items)) if index > stars[0] else None
        return row.item(index)

    def put_item(self, target: ast.Subscript, value: Any, base: Any) -> None:
        index = self.value(target.slice)
        key = index.value if isinstance(index, Const) else MISSING
        match base:
            case Items() if isinstance(key, int) and self.row(base).item(key) is not None:
                items = list(self.row(base).items)
                items[key] = value
                self.write(base.store, "row", Row(tuple(items), self.row(base).open))
            case Dict() if key is not MISSING:
                self.write(base.store, ("k", key), value)
            case Zoo():  # model.classifier[6] = ...
                self.write(base.store, "head", value)
            case _:
                self.spoil(base)

    def put(self, name: str, value: Any, base: Any) -> None:
        """base.name = value"""
        match base:
            case Object(store=store):
                self.write(store, name, value)
            case Class(env=env):
                self.write(env, name, value)
            case Zoo(store=store):
                if name in HEADS:
                    self.write(store, "head", value)
            case Items() | Dict() | Tensor() if name not in ("requires_grad", "grad", "training"):
                self.spoil(base)
            case Outside(name=full) | Symbol(key=("self", full)):
                self.replaced.add(f"{full}.{name}")
            case _ if name == "forward":
                self.spoil(base)

    # Control

    def visit_Return(self, node: ast.Return) -> bool:
        value = self.value(node.value) if node.value else Const(None)
        self.scope.returns.append(self.end(value, self.scope.mark, self.scope.env))
        return True

    def visit_Raise(self, node: ast.Raise) -> bool:
        return True

    def visit_Break(self, node: ast.AST) -> bool:
        self.scope.exits.append(self.end(None, self.scope.loop))
        return True

    visit_Continue = visit_Break

    def visit_Expr(self, node: ast.Expr) -> None:
        self.value(node.value)

    def visit_Assert(self, node: ast.Assert) -> None:
        self.value(node.test)

    def visit_If(self, node: ast.If) -> bool:
        test = self.value(node.test)
        if isinstance(test, Const):
            return self.block(node.body if test.value else node.orelse)
        yes, no = self.outcomes(test)
        asked = [] if isinstance(test, Symbol) else self.asked(node.test)
        bodies = [(yes, node.body), (no, node.orelse)]
        return self.branches([(f, partial(self.branch, asked, body)) for f, body in bodies])

    def branch(self, asked: list[str], body: list[ast.stmt]) -> bool:
        for name in asked:
            self.write(self.scope.env, name, None)
        return self.block(body)

    def asked(self, test: ast.expr) -> list[str]:
        """Known values that a test asks about, in a way that is not understood."""
        env = self.scope.env
        return [name for name in names_alone(test) if isinstance(env.get(name), ASKED)]

    def branches(self, ways: list[Any]) -> bool:
        """Follow each; then what is known is what the ways that go on have left."""
        ends = [end for end in self.ways(ways) if not end.result]
        self.merge(ends)
        if len(ends) == 1:
            self.facts = {**self.facts, **dict(ends[0].facts)}
        return not ends

    def visit_Match(self, node: ast.Match) -> bool:
        self.value(node.subject)
        names = sorted(assigned(node))

        def case(body: list[ast.stmt], captured: ast.AST | None) -> bool:
            for name in assigned(captured) if captured else ():
                self.write(self.scope.env, name, None)
            return self.block(body)

        last = node.cases[-1].pattern
        whole = isinstance(last, ast.MatchAs) and last.pattern is None and not node.cases[-1].guard
        ways = [(NO_FACTS, partial(case, each.body, each.pattern)) for each in node.cases]
        return self.branches(ways if whole and names else [*ways, (NO_FACTS, lambda: False)])

    def visit_Try(self, node: ast.Try) -> bool:
        """The handlers know nothing of what the body changes."""
        (end,) = self.ways([(NO_FACTS, lambda: self.block(node.body) or self.block(node.orelse))])

        def handle(body: list[ast.stmt]) -> bool:
            for store, key in end.changes:
                self.write(store, key, None)
            return self.block(body)

        handlers = self.ways([(NO_FACTS, partial(handle, each.body)) for each in node.handlers])
        ends = [each for each in (end, *handlers) if not each.result]
        self.merge(ends)
        return self.block(node.finalbody) or not ends

    visit_TryStar = visit_Try

    def visit_While(self, node: ast.While) -> None:
        self.value(node.test)
        self.loop(node, None)

    def visit_For(self, node: ast.For) -> None:
        self.value(node.iter)
        self.loop(node, node.target)

    visit_AsyncFor = visit_For

    def loop(self, node: Any, target: ast.expr | None) -> None:
        """The body once, knowing nothing of what the body itself changes."""
        lost = sorted(assigned(node))
        outer, mark, self.scope.exits = self.scope.exits, self.scope.loop, []

        def once() -> bool:
            self.scope.loop = len(self.journal)
            for name in lost:
                self.lose(name)
            if target is not None:
                self.assign(target, self.named(None, node))
            return self.block(node.body)

        ends = [end for end in self.ways([(NO_FACTS, once)]) if not end.result]
        ends += [End(NO_FACTS, None, end.changes) for end in self.scope.exits]
        self.scope.exits, self.scope.loop = outer, mark
        self.merge([End(NO_FACTS, None, {}), *ends])
        self.block(node.orelse)

    def lose(self, name: str) -> None:
        """Forget a name, or what a path leads to."""
        before, _, last = name.rpartition(".")
        base = self.scope.find(before or last)
        if base is None:
            return
        value = base.env[before or last]
        if before:
            if isinstance(value, Object):
                inner = value.store.get(last)
                if isinstance(inner, Items) and not inner.net:
                    self.write(inner.store, "row", Row((), True))
                else:
                    self.write(value.store, last, None)
        elif isinstance(value, Items):
            self.write(value.store, "row", Row((), True))
        elif base is self.scope:
            self.write(base.env, last, self.named(None, base.home))

    def visit_With(self, node: ast.With) -> bool:
        meant = False
        for item in node.items:
            value = self.value(item.context_expr)
            call = item.context_expr
            meant |= isinstance(call, ast.Call) and bool(ON_PURPOSE.search(path(call.func)))
            if item.optional_vars is not None:
                self.assign(item.optional_vars, value if isinstance(value, Object) else None)
        self.muted += meant
        dead = self.block(node.body)
        self.muted -= meant
        return dead

    visit_AsyncWith = visit_With

    # Definitions

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        value: Any = Function(node, self.scope, self.scope.owner)
        for item in reversed(node.decorator_list):
            name = path(item.func if isinstance(item, ast.Call) else item)
            if name == "property" or name.endswith("cached_property"):
                value = Property(value)
            elif not PLAIN.search(name) and not name.endswith(".setter"):
                self.decorated += [value] if isinstance(value, Function) else []
                decorator = self.value(item)
                value = self.apply_to(decorator, value, node)
        self.write(self.scope.env, node.name, value)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        bases = [each.value if isinstance(each, ast.Subscript) else each for each in node.bases]
        known = [self.value(each) for each in bases if path(each) != "object"]  # Generic[T], object
        kind = Class(node, self.scope, known)
        outer = self.scope
        self.scope = body = Scope(outer.module, outer, node, kind, mark=outer.mark)
        self.block(node.body)
        self.scope = outer
        for name, value in body.env.items():  # a method does not see the names of its class
            kind.env[name] = self.moved(value, body, outer)
        self.write(outer.env, node.name, kind)

    def moved(self, value: Any, body: Scope, outer: Scope) -> Any:
        match value:
            case Function(node=node, scope=scope) if scope is body:
                return Function(node, outer, value.owner)
            case Property(function=inner):
                return Property(self.moved(inner, body, outer))
        return value

    def visit_Global(self, node: ast.Global) -> None:
        module = self.scope.module
        if self.scope is not module:
            self.scope.elsewhere |= dict.fromkeys(node.names, module)

    def visit_Nonlocal(self, node: ast.Nonlocal) -> None:
        for name in node.names:
            if self.scope.parent and (scope := self.scope.parent.find(name)):
                self.scope.elsewhere[name] = scope

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            name = alias.name if alias.asname else alias.name.partition(".")[0]
            self.write(
                self.scope.env, alias.asname or name, Import(name, None, 0, self.scope.module)
            )

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        source = node.module or ""
        for alias in node.names:
            if alias.name != "*":
                value = Import(source, alias.name, node.level, self.scope.module)
                self.write(self.scope.env, alias.asname or alias.name, value)
            elif module := self.resolve(source, node.level, self.scope.module):
                for name, value in list(module.env.items()):
                    self.write(self.scope.env, name, value)
            elif source.startswith("torch"):
                self.write(self.scope.env, "*", Outside(source))
