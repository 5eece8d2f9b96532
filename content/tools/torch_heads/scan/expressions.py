"""Expressions: a visitor for each gives what is known of its value."""

from __future__ import annotations

import ast
from functools import partial
from typing import Any

from ..rules import LOSSES
from .calls import Arguments, Calls
from .syntax import children, path
from .values import (
    LOADED,
    NETWORKS,
    Class,
    Const,
    Dict,
    Facts,
    Function,
    Items,
    Layer,
    Loss,
    Object,
    Outside,
    Property,
    Result,
    Row,
    Scope,
    Store,
    Super,
    Symbol,
    Tensor,
    Zoo,
    unknown,
)

USUAL = {"torch": "torch", "nn": "torch.nn", "F": "torch.nn.functional"}
OPPOSITES = {"NotEq": "Eq", "IsNot": "Is", "NotIn": "In"}
NO_FACTS: Facts = frozenset()


class Expressions(Calls):
    """Follows expressions; each is followed once."""

    def value(self, node: ast.expr | None) -> Any:
        visit = self.visits.get(type(node))
        return visit(node) if visit else self.parts(node) if node else None

    def parts(self, node: ast.AST) -> None:
        for child in children(node):
            if isinstance(child, ast.expr):
                self.value(child)

    def visit_Constant(self, node: ast.Constant) -> Any:
        return Const(node.value)

    def visit_Name(self, node: ast.Name) -> Any:
        name, owner = node.id, self.scope.find(node.id)
        if owner is not None:
            value = self.lookup(name, owner)
            return self.narrow(value) if self.facts else value
        if name == "__name__":
            return Const("__main__")
        star = self.scope.find("*")
        if star and isinstance(star.env["*"], Outside):
            return Outside(f"{star.env['*'].name}.{name}")
        return Outside(USUAL[name]) if name in USUAL else None

    def visit_Attribute(self, node: ast.Attribute) -> Any:
        base = self.value(node.value)
        return self.narrow(self.each(base, lambda one: self.attribute(one, node.attr)))

    def visit_Subscript(self, node: ast.Subscript) -> Any:
        base, index = self.value(node.value), self.value(node.slice)
        return self.narrow(self.each(base, lambda one: self.item(one, index, node.slice)))

    def item(self, base: Any, index: Any, node: ast.expr) -> Any:
        match base, index:
            case Items(), Const(value=key):
                return self.row(base).item(key)
            case Items(), _ if isinstance(node, ast.Slice):
                return self.slice(base, node)
            case Dict(store=store), Const(value=key):
                values = [*base.entries().values()]
                if ("k", key) not in store and isinstance(key, int) and "fields" in store:
                    return values[key] if key < len(values) else None
                return store.get(("k", key))
            case ((Tensor() | Zoo()), _):
                return base
            case Symbol(key=key), Const(value=at):
                return LOADED if base == LOADED else Symbol((key, "[]", at))
        return None

    def slice(self, base: Items, node: ast.Slice) -> Any:
        limits = [self.value(limit) if limit else Const(None) for limit in (node.lower, node.upper)]
        row, whole = self.row(base), node.step is None
        if whole and all(isinstance(limit, Const) for limit in limits):
            low, high = (limit.value for limit in limits)
            if not row.open:
                return self.items(row.items[low:high], net=base.net)
            if high is None:
                return self.items(row.items, True, base.net)
            if isinstance(high, int) and -len(row.items) < high < 0:
                return self.items(row.items[:high], True, base.net)
        return self.items((), True, base.net)

    def visit_Tuple(self, node: ast.Tuple | ast.List) -> Any:
        _, row = self.spread(node.elts)
        return self.items(row.items, row.open)

    visit_List = visit_Tuple

    def spread(self, nodes: list[ast.expr]) -> tuple[list[Any], Row]:
        """The items of a list, or arguments: those at the start, as far as known, and all."""
        items: list[Any] = []
        head, is_open = items, False
        for node in nodes:
            value = self.value(node)
            if isinstance(node, ast.Starred):
                row = self.row(value)
                if row.open:
                    items, is_open = [], True
                items += row.items
            else:
                items.append(value)
        return head, Row(tuple(items), is_open)

    def visit_Dict(self, node: ast.Dict) -> Any:
        store = Store()
        for key, item in zip(node.keys, node.values, strict=True):
            value = self.value(item)
            name = self.value(key) if key else None
            if key is None and isinstance(value, Dict):
                store.update(value.store)
            elif isinstance(name, Const):
                store["k", name.value] = value
            else:
                store["open"] = True
        return Dict(store)

    def visit_BinOp(self, node: ast.BinOp) -> Any:
        left, right = self.value(node.left), self.value(node.right)
        self.meant(right, isinstance(node.op, ast.Sub) or is_sum(node.op) and is_number(left))
        self.meant(left, is_sum(node.op) and is_number(right))
        for one, other in ((left, right), (right, left)):
            self.meant(one, isinstance(node.op, ast.Mult) and is_number(other) and other.value < 0)
        if isinstance(left, Items) or isinstance(right, Items):
            row = self.row(left) + self.row(right)
            return self.items(row.items, row.open) if isinstance(node.op, ast.Add) else None
        ops = [one.store.get("op") if isinstance(one, Tensor) else None for one in (left, right)]
        if isinstance(node.op, ast.MatMult) and ops == ["softmax", "one_hot"]:
            return left  # still probabilities
        for one, op in zip((left, right), ops, strict=True):
            if isinstance(node.op, ast.Mult) and op == "log_softmax(softmax)":
                self.check(Loss("written out", None), one, node)
        return None

    def visit_UnaryOp(self, node: ast.UnaryOp) -> Any:
        value = self.value(node.operand)
        self.meant(value, isinstance(node.op, ast.USub))
        match node.op, value:
            case ast.USub(), Const(value=int(number) | float(number)):
                return Const(-number)
            case ast.Not(), Const(value=what):
                return Const(not what)
            case ast.Not(), Symbol(key=("not", key)):
                return Symbol(key)
            case ast.Not(), Symbol(key=key) if value != LOADED:
                return Symbol(("not", key))
        return None

    def meant(self, value: Any, known: bool) -> None:
        """-nll_loss(p), 1 + nll_loss(p): somebody knows that it is -p."""
        if known and isinstance(value, Result):
            for key in value.keys:
                if key[1] == "nll-probabilities":
                    self.found.pop(key, None)

    def visit_BoolOp(self, node: ast.BoolOp) -> Any:
        decisive = isinstance(node.op, ast.Or)
        first, *rest = node.values
        value = self.value(first)
        more = ast.copy_location(ast.BoolOp(node.op, rest), node) if len(rest) > 1 else rest[0]
        match value:
            case Const(value=what):
                return value if bool(what) is decisive else self.value(more)
            case Symbol():
                yes, no = self.outcomes(value)
                stay, go = (yes, no) if decisive else (no, yes)
                return self.either([(stay, lambda: value), (go, partial(self.value, more))])
            case None:
                return self.either([(NO_FACTS, lambda: None), (NO_FACTS, lambda: self.value(more))])
        return value if decisive and not isinstance(value, Tensor) else self.value(more)

    def visit_Compare(self, node: ast.Compare) -> Any:
        left, *right = [self.value(item) for item in (node.left, *node.comparators)]
        if len(right) > 1:
            return None
        op, other = node.ops[0], right[0]
        truth = not isinstance(op, (ast.NotEq, ast.IsNot, ast.NotIn))
        kind = OPPOSITES.get(type(op).__name__, type(op).__name__)
        match kind, left, other:
            case (("Eq" | "Is"), Const(), Const()):
                return Const((left == other) is truth)
            case (("Eq" | "Is"), _, Const(value=None)):
                if not unknown(left):
                    return Const(not truth)
            case (("Eq" | "Is"), Outside(), Outside()):
                return Const((left == other) is truth)
            case "In", Const(value=key), Items() if not self.row(other).open:
                if all(isinstance(item, Const) for item in self.row(other).items):
                    return Const((left in self.row(other).items) is truth)
            case "In", Const(value=key), Dict(store=store):
                if ("k", key) in store or "open" not in store:
                    return Const((("k", key) in store) is truth)
        if isinstance(left, Symbol) and isinstance(other, (Const, Symbol)) and left != LOADED:
            symbol = Symbol((kind, left.key, other))
            return symbol if truth else Symbol(("not", symbol.key))
        return None

    def outcomes(self, test: Any) -> tuple[Facts, Facts]:
        """What is known where a test holds, and where it does not."""
        match test:
            case Symbol(key=("not", key)):
                return frozenset({(key, False)}), frozenset({(key, True)})
            case Symbol(key=key) if test != LOADED:
                return frozenset({(key, True)}), frozenset({(key, False)})
        return NO_FACTS, NO_FACTS

    def either(self, ways: list[Any]) -> Any:
        ends = self.ways(ways)
        self.merge(ends)
        return self.joined([(end.facts, end.result) for end in ends])

    def visit_IfExp(self, node: ast.IfExp) -> Any:
        test = self.value(node.test)
        if isinstance(test, Const):
            return self.value(node.body if test.value else node.orelse)
        yes, no = self.outcomes(test)
        bodies = [(yes, partial(self.value, node.body)), (no, partial(self.value, node.orelse))]
        return self.either(bodies)

    def visit_Lambda(self, node: ast.Lambda) -> Any:
        return Function(node, self.scope, self.scope.owner)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> Any:
        value = self.value(node.value)
        self.assign(node.target, value)
        return value

    def visit_Starred(self, node: ast.Starred | ast.Await) -> Any:
        return self.value(node.value)

    visit_Await = visit_Starred

    def visit_ListComp(self, node: Any) -> Any:
        outer = self.scope
        self.scope = Scope(outer.module, outer, outer.home, outer.owner, outer.me, mark=outer.mark)
        for part in node.generators:
            self.value(part.iter)
            self.assign(part.target, None)
        self.parts(node)
        self.scope = outer
        return self.items((), True) if isinstance(node, ast.ListComp) else None

    visit_SetComp = visit_GeneratorExp = visit_DictComp = visit_ListComp

    # Names and attributes

    def attribute(self, base: Any, name: str) -> Any:
        """What is known of base.name"""
        match base:
            case None:
                return None
            case Symbol(key=key):
                return LOADED if base == LOADED else Symbol((key, name))
            case Outside(name=full):
                return self.member(full, name)
            case Scope() if name in base.env:
                return self.lookup(name, base)
            case Scope():
                return self.resolve(name, 1, base)
            case Class():
                if name == "__name__":
                    return Const(base.node.name)
                value = base.find(name)
                decorators = getattr(getattr(value, "node", None), "decorator_list", ())
                is_class = any(path(item) == "classmethod" for item in decorators)
                return self.bind(value, base) if is_class else value
            case Object(store=store):
                return self.member_of(base, store, name)
            case Dict(store=store) if ("k", name) in store:
                return store["k", name]
            case Tensor() if name in ("data", "T", "mT"):
                return base
            case Zoo() | Items(net=True) if name in ("module", "classifier", "fc", "head", "heads"):
                return base
            case Loss() | Layer() | Items() | Tensor() if name == "__class__":
                return self.type_of(base)
            case Super(owner=owner, me=me):
                kind = me.of if isinstance(me, Object) else owner
                return self.bind(kind.find(name, owner), me)
        itself = name in ("module", "forward", "__call__", "_modules")
        return base if itself and isinstance(base, (*NETWORKS, Loss)) else None

    def member_of(self, base: Object, store: Store, name: str) -> Any:
        if "forgotten" in store and name not in store:
            return None
        if name in store:
            return store[name]
        if name == "__class__":
            return base.of
        value = base.of.find(name)
        if name == "__call__" and not isinstance(value, Function):
            return base
        value = self.bind(value, base)
        if value is None and name in base.of.setters:
            value = self.built(base, name)
        if value is None and name == "module":
            return base
        return Symbol((id(store), name)) if value is None else value

    def bind(self, value: Any, me: Any) -> Any:
        match value:
            case Function(node=node, scope=scope, owner=owner, bound=None):
                return Function(node, scope, owner, me)
            case Property(function=function):
                return self.call(self.bind(function, me), Arguments())
        return value

    def type_of(self, value: Any) -> Any:
        match value:
            case Object():
                return value.of
            case Loss(name=name) if name in LOSSES:
                return Outside(f"torch.nn.{LOSSES[name]}")
            case Items(net=True):
                return Outside("torch.nn.Sequential")
        return None


def is_sum(op: ast.operator) -> bool:
    return isinstance(op, (ast.Add, ast.Sub))


def is_number(value: Any) -> bool:
    return isinstance(value, Const) and isinstance(value.value, (int, float)) and value.value != 0
