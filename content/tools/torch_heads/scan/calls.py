"""Calls: of functions and classes of the tree, of networks and losses."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from .losses import Losses
from .state import End
from .syntax import last, path
from .values import (
    MISSING,
    Class,
    Const,
    Dict,
    Either,
    Fields,
    Function,
    Items,
    Layer,
    Loss,
    Object,
    Outside,
    Partial,
    Row,
    Scope,
    Store,
    Super,
    Symbol,
    Zoo,
    unknown,
)

DEPTH, CALLS = 8, 1000  # calls are followed eight deep, a thousand of them per file


@dataclass
class Arguments:
    """What a call is given; `vague`: there may be more."""

    head: tuple[Any, ...] = ()
    row: Row = Row()
    keywords: dict[str, Any] = field(default_factory=dict)
    vague: bool = False

    def get(self, index: int, *names: str) -> Any:
        """An argument by position or name; MISSING if it is not given, None if that is unclear."""
        if index < len(self.head):
            return self.head[index]
        given = [self.keywords[name] for name in names if name in self.keywords]
        return given[0] if given else None if self.vague else MISSING

    @property
    def first(self) -> Any:
        value = self.get(0, "input")
        return None if value is MISSING else value

    @property
    def all(self) -> tuple[Any, ...]:
        return (*self.head, *self.keywords.values())


class Calls(Losses):
    """Follows calls."""

    def arguments(self, node: ast.Call | None = None) -> Arguments:
        if node is None:
            return Arguments(vague=True)
        head, row = self.spread(node.args)
        vague = row.open
        keywords: dict[str, Any] = {}
        for word in node.keywords:
            value = self.value(word.value)
            if word.arg is not None:
                keywords[word.arg] = value
            elif isinstance(value, Dict):
                keywords |= {str(key): one for key, one in value.entries().items()}
                vague |= "open" in value.store
            else:
                vague = True
        return Arguments(tuple(head), row, keywords, vague)

    def visit_Call(self, node: ast.Call) -> Any:
        function = node.func
        if isinstance(function, ast.Attribute):
            base = self.value(function.value)
            args = self.arguments(node)
            return self.each(base, lambda one: self.send(one, function.attr, args, node))
        if isinstance(function, ast.Name) and self.scope.find(function.id) is None:
            if function.id == "super":
                return Super(self.scope.owner, self.scope.me) if self.scope.owner else None
            builtin = getattr(self, f"builtin_{function.id}", None)
            if builtin:
                return builtin(self.arguments(node), node)
        called = self.value(function)
        return self.apply(called, self.arguments(node), node)

    def send(self, base: Any, name: str, args: Arguments, node: ast.Call) -> Any:
        """base.name(...)"""
        called = self.narrow(self.attribute(base, name))
        if unknown(called):
            return self.method(base, name, args, node)
        return self.apply(called, args, node)

    def apply(self, called: Any, args: Arguments, node: ast.AST) -> Any:
        """What calling `called` gives."""
        if isinstance(node, ast.Call) and args.head and last(node.func) == "guard":
            return args.first  # of this package
        match called:
            case None | Symbol():
                pass
            case Either(options=options):
                if any(isinstance(one, Loss) for _, one in options):
                    return self.choose(options, args, node)
                return self.each(called, lambda one: self.apply(one, args, node))
            case Loss():
                return self.choose(((frozenset(), called),), args, node)
            case Layer(store=store, at=at):
                return self.layer(store, at, args, node)
            case Items(net=True):
                return self.through(called, args, node)
            case Zoo(store=store):
                return self.apply(store.get("head"), Arguments(), node)
            case Class():
                return self.make(called, args, node)
            case Function():
                return self.call(called, args, node)
            case Partial(called=inner, args=more, keywords=words):
                head = (*more, *args.head)
                keywords = {**dict(words), **args.keywords}
                return self.apply(inner, Arguments(head, Row(head), keywords, args.vague), node)
            case Object():
                return self.forward(called, args, node)
            case Outside(name=name):
                return self.outside(name, args, node)
            case Fields(names=names):
                return self.fields(names, args)
        return self.stranger(called, "", args, node)

    def apply_to(self, called: Any, value: Any, node: ast.AST) -> Any:
        """What a call with one argument gives."""
        return self.apply(called, Arguments((value,), Row((value,))), node)

    # Networks

    def through(self, net: Items, args: Arguments, node: ast.AST) -> Any:
        """What an nn.Sequential gives: its last module, not counting Dropout and so on."""
        row, doubt = self.row(net), bool(net.store.get("doubt"))
        self.doubt += doubt
        value = None if row.open else args.first
        for module in reversed(row.items):
            if not isinstance(module, Layer) or module.store["op"] != "same":
                value = self.apply(module, Arguments((None,)), node)
                break
        self.doubt -= doubt
        return value

    def layer(self, store: Store, at: Any, args: Arguments, node: ast.AST) -> Any:
        op, doubt = store["op"], bool(store.get("doubt"))
        if op is None or op == "same":
            return args.first if op else None
        self.doubt += doubt
        value = self.activation(op, args.first, node, at)
        self.doubt -= doubt
        return value

    def forward(self, thing: Object, args: Arguments, node: ast.AST) -> Any:
        """Call an object."""
        store, function, own = thing.store, thing.of.find("forward"), thing.of.find("__call__")
        stranger = None in thing.of.mro and not isinstance(own, Function)  # it may do more
        doubt = bool(store.get("doubt")) or stranger
        self.doubt += doubt
        function = store.get("forward") or (own if isinstance(own, Function) else function)
        if "hooked" in store:
            value = None
        elif "<end>" in store and not isinstance(function, Function):
            value = self.apply(store["<end>"], args, node)
        elif isinstance(function, Function):
            bound = function if "forward" in store else self.bind(function, thing)
            value = self.call(bound, args, node)
        else:
            value = self.apply(function, args, node) if function else None
        self.doubt -= doubt
        return value

    def make(self, kind: Class, args: Arguments, node: ast.AST | None) -> Any:
        """An instance: what `__init__` sets, and what other methods add."""
        thing = Object(kind, Store())
        init = kind.find("__init__")
        if isinstance(init, Function):
            self.call(self.bind(init, thing), args, node)
            mine = {n for n in thing.store if isinstance(n, str)}
            for name in mine & kind.setters.keys():
                if thing.store[name] == Const(None):
                    self.write(thing.store, name, MISSING)  # another method builds it
                else:
                    self.write(thing.store, name, None)  # another method may change it
        else:
            names = [n for k in reversed(kind.mro) if isinstance(k, Class) for n in fields(k)]
            thing.store.update(self.fields(tuple(names), args).entries())
        for each in kind.mro:
            if isinstance(each, Class):
                for name, annotation in fields(each).items():
                    if unknown(thing.store.get(name)) and (typed := self.annotated(annotation)):
                        self.write(thing.store, name, typed)
        return thing

    def fields(self, names: tuple[str, ...], args: Arguments) -> Dict:
        store = Store(fields=True)
        for index, name in enumerate(names):
            if (value := args.get(index, name)) is not MISSING:
                store["k", name] = value
        return Dict(store)

    def built(self, thing: Object, name: str) -> Any:
        """What the methods that set an attribute would make it."""
        self.write(thing.store, name, None)  # in case a method below asks for it
        methods = [self.bind(method, thing) for method in thing.of.setters[name]]

        def build(method: Function) -> Any:
            self.call(method, Arguments(vague=True), None)
            return thing.store.get(name)

        ends = self.ways([(frozenset(), partial(build, method)) for method in methods])
        value = self.joined([(frozenset(), end.result) for end in ends])
        value = None if isinstance(value, Const) else value
        self.write(thing.store, name, value)
        return value

    # Functions

    def call(self, function: Any, args: Arguments, node: ast.AST | None = None) -> Any:
        """What a function of the tree returns; what it changes is changed."""
        if not isinstance(function, Function):
            return None
        inner = function.node
        if inner in self.stack or len(self.stack) >= DEPTH or self.calls >= CALLS:
            return None
        self.calls += 1
        self.ran.add(inner)
        outer, facts = self.scope, self.facts
        parent = function.scope
        scope = Scope(parent.module, parent, inner, function.owner, function.bound)
        scope.mark = len(self.journal)
        self.parameters(function, args, scope)
        self.stack.append(inner)
        self.frames.append((node, outer, args.all))
        self.scope = scope
        try:
            if isinstance(inner, ast.Lambda):
                ends = [self.end(self.value(inner.body), scope.mark, scope.env)]
            elif self.block(inner.body):
                ends = scope.returns
            else:
                ends = [*scope.returns, self.end(Const(None), scope.mark, scope.env)]
            if args.vague:
                self.leftover(scope)
        finally:
            self.scope, self.facts = outer, facts
            self.stack.pop()
            self.frames.pop()
        self.take_back(scope.mark)
        known = frozenset(facts.items())
        kept = [End(end.facts - known, end.result, end.changes) for end in ends]
        self.merge(kept)
        if any(isinstance(end.result, Symbol) and end.result.key == "generator" for end in kept):
            return None
        return self.narrow(self.joined([(end.facts, end.result) for end in kept]))

    def leftover(self, scope: Scope) -> None:
        """Functions that are defined here and that nobody called: somebody else will."""
        for value in list(scope.env.values()):
            if isinstance(value, Function) and value.scope is scope and value.node not in self.ran:
                self.ways([(frozenset(), partial(self.call, value, Arguments(vague=True)))])

    def parameters(self, function: Function, args: Arguments, scope: Scope) -> None:
        node, spec, env = function.node, function.node.args, scope.env
        names = [item.arg for item in (*spec.posonlyargs, *spec.args)]
        head = args.head
        if function.bound is not None and not is_static(node):
            head = (function.bound, *head)
        if scope.me is None and head and names and function.owner:
            scope.me = head[0]
        given = dict(zip(names, head, strict=False))
        known = {*names, *(item.arg for item in spec.kwonlyargs)}
        given |= {name: value for name, value in args.keywords.items() if name in known}
        defaults = [None] * (len(names) - len(spec.defaults)) + spec.defaults + spec.kw_defaults
        every = (*spec.posonlyargs, *spec.args, *spec.kwonlyargs)
        outer, self.scope = self.scope, function.scope
        for item, preset in zip(every, defaults, strict=True):
            value = given.get(item.arg)
            if item.arg not in given and preset is not None:
                default = self.value(preset)
                # Where more may be given, a default tells what a network is, not how a flag is set.
                value = default if not args.vague or isinstance(default, TYPED) else None
            if unknown(value) and item.annotation is not None:
                value = self.annotated(item.annotation) or value
            env[item.arg] = self.named(value, node)
        self.scope = outer
        if spec.vararg:
            rest = Row(head[len(names) :], args.vague)
            env[spec.vararg.arg] = self.items(rest.items, rest.open)
        if spec.kwarg:
            rest = {k: v for k, v in args.keywords.items() if k not in known}
            env[spec.kwarg.arg] = Dict(Store({("k", key): value for key, value in rest.items()}))
            if args.vague:
                env[spec.kwarg.arg].store["open"] = True

    def annotated(self, node: ast.expr) -> Any:
        """What an annotation says that a value is: an instance of a class of the tree, a loss."""
        match node:
            case ast.Constant(value=str(text)):
                try:
                    return self.annotated(ast.parse(text, mode="eval").body)
                except (SyntaxError, ValueError):
                    return None
            case ast.BinOp(op=ast.BitOr()):
                return self.annotated(node.left) or self.annotated(node.right)
            case ast.Subscript() if path(node.value).endswith("Optional"):
                return self.annotated(node.slice)
            case ast.Name() | ast.Attribute():
                value = self.value(node)
                if isinstance(value, Class) and value.find("forward") and len(self.stack) < DEPTH:
                    if value.node in self.stack:  # its own fields are of its kind
                        return None
                    self.stack.append(value.node)
                    try:
                        return self.make(value, Arguments(vague=True), None)
                    finally:
                        self.stack.pop()
                if isinstance(value, Outside):
                    made = self.outside(value.name, Arguments(), node)
                    return replace(made, reduction=None) if isinstance(made, Loss) else None
        return None


def fields(kind: Class) -> dict[str, ast.expr]:
    """The annotated names of a class, with their annotations."""
    body = kind.node.body
    return {
        item.target.id: item.annotation
        for item in body
        if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)
    }


def is_static(node: Any) -> bool:
    return any(path(item) == "staticmethod" for item in getattr(node, "decorator_list", ()))


TYPED = (Object, Loss, Items, Layer, Zoo, Partial, Function, Outside)
