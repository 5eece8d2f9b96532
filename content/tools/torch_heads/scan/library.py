"""What is known of torch, torchvision and Python: functions, methods, modules."""

from __future__ import annotations

import ast
from functools import partial
from typing import Any

from ..rules import LOSSES
from .state import State
from .syntax import last, path
from .tables import (
    CLAMPS,
    FUNCTION_HOMES,
    HARMLESS,
    LAYERS,
    LOSS_CLASSES,
    OPS,
    SAME,
    loads,
    without_modules,
)
from .values import (
    LOADED,
    MISSING,
    NETWORKS,
    Class,
    Const,
    Dict,
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
    Symbol,
    Tensor,
    Zoo,
    unknown,
)

KNOWN = (*NETWORKS, Function, Tensor)


class Library(State):
    """What things outside of the tree do."""

    def place(self, node: Any, scope: Scope | None = None) -> Any:
        return (scope or self.scope).module.place(node)

    def items(self, items: tuple[Any, ...], is_open: bool = False, net: bool = False) -> Items:
        return Items(Store(row=Row(items, is_open)), net)

    def row(self, value: Any) -> Row:
        """The items of a list; those of anything else are not known."""
        match value:
            case Items(store=store):
                row = store["row"]  # one of several, if branches have made it
                return row if isinstance(row, Row) else Row((), True)
            case Dict():
                return Row(tuple(value.entries().values()), "open" in value.store)
            case Object(store=store) if "<end>" in store:
                return self.row(store["<end>"])
        return Row((), True)

    def tensor(self, op: str | None, node: Any, source: Any = None, at: Any = None) -> Tensor:
        store = Store(op=op, doubt=self.doubt > 0)
        return Tensor(store, at or self.place(node), self.scope.home, source)

    def activation(self, op: str, x: Any, node: Any, at: Any = None) -> Tensor:
        before = x.store.get("op") if isinstance(x, Tensor) else None
        if (before, op) in (("softmax", "log_softmax"), ("sigmoid", "sigmoid")):
            op = f"{op}({before})"
        value = self.tensor(op, node, x, at)
        if isinstance(x, Tensor) and x.store.get("doubt"):
            value.store["doubt"] = True
        return value

    def spoil(self, value: Any) -> None:
        """Something that is not understood changes a value in place."""
        match value:
            case Tensor(store=store) | Layer(store=store):
                self.write(store, "op", None)
            case Items(store=store):
                self.write(store, "row", Row((), True))
            case Zoo(store=store):
                self.write(store, "head", None)
            case Object(store=store):
                self.write(store, "hooked", True)
            case Dict(store=store):
                for key in list(store):
                    self.write(store, key, None)
                self.write(store, "open", True)

    # Functions

    def outside(self, full: str, args: Any, node: Any) -> Any:
        """What something gives that is not of this tree."""
        home, _, name = without_modules(full).rpartition(".")
        if full in self.replaced:
            return None
        first = args.first
        if home == "torch.nn" and name in LOSS_CLASSES:
            return Loss(LOSS_CLASSES[name], self.reduction(args, 1))
        if home == "torch.nn" and name in LAYERS:
            return Layer(Store(op=LAYERS[name]), self.place(node))
        if home == "torch.nn" and name in ("Sequential", "ModuleList"):
            row = args.row
            if len(row.items) == 1 and isinstance(row.items[0], (Dict, Items)):
                if name == "ModuleList" or not getattr(row.items[0], "net", False):
                    row = unnamed(self.row(row.items[0]), self)
            return self.items(row.items, row.open, name == "Sequential")
        if home.endswith("nn.Sequential") and name == "__init__":
            self.start(args)
        elif name == "forward" and home.startswith("torch.nn."):
            return self.plain_forward(home.rpartition(".")[2], args, node)
        elif home in FUNCTION_HOMES:
            return self.function(name, args, node)
        elif full in ("functools.partial", "partial"):
            called = first
            if called is not None:
                return Partial(called, args.head[1:], tuple(args.keywords.items()))
        elif full == "collections.namedtuple" and len(args.head) > 1:
            return self.named_fields(args.head[1])
        elif name in ("OrderedDict", "ModuleDict"):
            return self.builtin_dict(args, node)
        elif home.startswith("torchvision.models") or full in (
            "timm.create_model",
            "torch.hub.load",
        ):
            return Zoo(Store(head=None))
        return self.stranger(Outside(full), name, args, node)

    def function(self, name: str, args: Any, node: Any) -> Any:
        """A function of torch or torch.nn.functional."""
        first = args.first
        if name in LOSSES:
            return self.apply(Loss(name, self.reduction(args, 3)), args, node)
        if name in OPS:
            value = self.activation(OPS[name], first, node)
            if name.endswith("_") or args.keywords.get("inplace") == Const(True):
                self.rewrite(first, value)
            return value
        if name == "linear":
            where = node.args[1] if isinstance(node, ast.Call) and len(node.args) > 1 else None
            return self.tensor("linear", node) if path(where).endswith("weight") else None
        if name in ("cat", "concat", "stack", "hstack", "vstack"):
            row = self.row(first)
            whole = row.items and not row.open
            value = self.joined([(frozenset(), each) for each in row.items]) if whole else None
            return value
        if isinstance(first, Tensor):
            return self.method(first, name, args.__class__(args.head[1:], Row(args.head[1:])), node)
        return self.stranger(Outside(f"torch.{name}"), name, args, node)

    def reduction(self, args: Any, start: int) -> str | None:
        """ "mean", "sum" or "none"; None where it is not known. Positions are those of NLLLoss."""
        old = args.get(start + 2 if start == 1 else start + 2, "reduce")
        if old == Const(False):
            return "none"
        value = args.get(start + 3, "reduction")
        if value is MISSING:
            return "mean" if old in (MISSING, Const(None), Const(True)) else None
        return value.value if isinstance(value, Const) else None

    def plain_forward(self, name: str, args: Any, node: Any) -> Any:
        """super().forward(x), or a class that only derives from a module of torch.nn."""
        if name in LOSS_CLASSES:
            return self.apply(Loss(LOSS_CLASSES[name]), args, node)
        if name in LAYERS and LAYERS[name] != "same":
            return self.activation(LAYERS[name], args.first, node)
        return None

    def start(self, args: Any) -> None:
        """nn.Sequential.__init__ in a derived class."""
        me = self.scope.me
        if isinstance(me, Object):
            row = args.row
            if len(row.items) == 1 and isinstance(row.items[0], (Dict, Items)):
                row = unnamed(self.row(row.items[0]), self)
            self.write(me.store, "<end>", self.items(row.items, row.open, True))

    def named_fields(self, value: Any) -> Any:
        if isinstance(value, Const) and isinstance(value.value, str):
            return Fields(tuple(value.value.replace(",", " ").split()))
        row = self.row(value)
        if row.items and not row.open and all(isinstance(each, Const) for each in row.items):
            return Fields(tuple(str(each.value) for each in row.items))
        return None

    def stranger(self, called: Any, name: str, args: Any, node: Any) -> Any:
        """Something that nobody knows is called, and may do anything."""
        name = name or last(getattr(node, "func", None))
        first = args.first
        given = [value for value in args.all if isinstance(value, KNOWN)]
        for value in given:
            if isinstance(value, Function) and value.node not in self.stack:  # to call it back
                self.ways([(frozenset(), partial(self.call, value, self.arguments()))])
            elif isinstance(value, Object) and called != first:
                self.train(value)
        if name in SAME and isinstance(first, (*NETWORKS, Tensor, Loss)):
            return first
        if name in ("prepare", "initialize", "setup") and args.head:  # accelerate, apex, fabric
            return first if len(args.head) == 1 else self.items(args.head)
        if called == LOADED or loads(name):
            return LOADED
        if given and not HARMLESS.search(path(getattr(node, "func", None)) or name):
            for value in given:
                if isinstance(value, NETWORKS):
                    self.write(value.store, "doubt", True)
        if name.endswith("_") and not name.startswith("_"):
            for value in given:
                if isinstance(value, Tensor):
                    self.spoil(value)
        return None

    def train(self, thing: Object) -> None:
        """A network was given to a Trainer: it calls its steps."""
        for kind in thing.of.mro:
            for name, method in kind.env.items() if isinstance(kind, Class) else ():
                if name.endswith("_step") and isinstance(method, Function):
                    bound = self.bind(method, thing)
                    self.ways([(frozenset(), partial(self.call, bound, self.arguments()))])

    # Methods

    def method(self, base: Any, name: str, args: Any, node: Any) -> Any:
        """What a method gives that the tree does not define."""
        if "hook" in name and "backward" not in name and isinstance(base, NETWORKS):
            self.spoil(base)
            return None
        if name in ("softmax", "log_softmax", "sigmoid") and (unknown(base) or is_tensor(base)):
            plain = all(isinstance(value, Const) for value in args.all)
            return self.activation(name, base, node) if plain else None
        if name.endswith("_") and not name.endswith("__") and (unknown(base) or is_tensor(base)):
            return self.in_place(base, name, args, node)
        match base:
            case Tensor(store=store):
                return self.tensor_method(base, store["op"], name, args, node)
            case Items():
                return self.list_method(base, name, args, node)
            case Dict():
                return self.dict_method(base, name, args)
            case Zoo() if name in ("append", "add_module"):
                self.write(base.store, "head", args.head[-1] if args.head else None)
                return None
            case Object() if name in ("add_module", "register_module", "__setattr__"):
                self.builtin_setattr(args.__class__((base, *args.head)), node)
                return None
        if name in SAME and isinstance(base, (*NETWORKS, Loss)):
            return base
        return self.stranger(LOADED if base == LOADED else None, name, args, node)

    def tensor_method(self, base: Tensor, op: Any, name: str, args: Any, node: Any) -> Any:
        if name in CLAMPS:
            return base if op in ("softmax", "sigmoid") else None
        if name in SAME:
            return base
        changed = {("log", "softmax"): "log(softmax)", ("exp", "log_softmax"): "softmax"}
        changed |= {("exp", "log(softmax)"): "softmax"}
        if op_after := changed.get((name, op)):
            return Tensor(
                Store(op=op_after, doubt=base.store.get("doubt")), base.at, base.home, base.source
            )
        if op == "log_softmax(softmax)" and name == "mul":
            self.check(Loss("written out", None), base, node)
        return None

    def in_place(self, base: Any, name: str, args: Any, node: Any) -> Any:
        """x.sigmoid_(), p.log_()"""
        if name in SAME:
            return base
        value = self.method(base, name[:-1], args, node)
        if isinstance(base, Tensor):
            self.rewrite(base, value)
            return base
        if isinstance(value, Tensor) and isinstance(node, ast.Call) and path(node.func.value):
            self.assign(node.func.value, value)
        return value

    def rewrite(self, base: Any, value: Any) -> None:
        if isinstance(base, Tensor):
            self.write(base.store, "op", value.store["op"] if isinstance(value, Tensor) else None)

    def list_method(self, base: Items, name: str, args: Any, node: Any) -> Any:
        row, added = self.row(base), args.row
        match name:
            case "append" | "add_module" | "register_module":
                self.write(base.store, "row", row + Row(added.items[-1:]))
            case "extend" | "__iadd__":
                self.write(base.store, "row", row + self.row(args.first))
            case "pop" if row.items and args.head in ((), (Const(-1),)):
                self.write(base.store, "row", Row(row.items[:-1], row.open))
                return row.items[-1]
            case "children" | "copy":
                return self.items(row.items, row.open)
            case "__getitem__" | "__len__" | "index" | "count" | "items" | "values":
                return None
            case "pop" | "reverse" | "remove" | "clear" | "sort" | "insert":
                self.spoil(base)
            case _ if name in SAME:
                return base
        return None

    def dict_method(self, base: Dict, name: str, args: Any) -> Any:
        store = base.store
        match name, args.head:
            case (("get" | "pop" | "setdefault" | "__getitem__"), (Const(value=key), *rest)):
                value = store.get(("k", key), None if "open" in store else (*rest, Const(None))[0])
                if name == "pop":
                    self.write(store, ("k", key), MISSING)
                return value
            case (("items" | "values" | "copy" | "to"), _):
                return base
            case "update", (Dict() as other,):
                for key, value in other.store.items():
                    self.write(store, key, value)
            case (("update" | "clear" | "popitem"), _):
                self.spoil(base)
        return None

    # Builtins

    def builtin_list(self, args: Any, node: Any) -> Any:
        row = self.row(args.first) if args.head else Row()
        return self.items(row.items, row.open)

    builtin_tuple = builtin_list

    def builtin_reversed(self, args: Any, node: Any) -> Any:
        row = self.row(args.first)
        return self.items((), True) if row.open else self.items(row.items[::-1])

    def builtin_dict(self, args: Any, node: Any) -> Any:
        store = Store()
        if isinstance(args.first, Dict):
            store.update(args.first.store)
        elif isinstance(args.first, Items):
            row = self.row(args.first)
            for pair in row.items:
                both = self.row(pair)
                name = both.item(0)
                store["k", name.value if isinstance(name, Const) else id(both)] = both.item(-1)
            if row.open:
                store["open"] = True
        elif args.head:
            store["open"] = True
        store.update({("k", key): value for key, value in args.keywords.items()})
        return Dict(store)

    def builtin_getattr(self, args: Any, node: Any) -> Any:
        match args.head:
            case (base, Const(value=str(name)), *_):
                return self.narrow(self.each(base, lambda one: self.attribute(one, name)))
        return None

    def builtin_setattr(self, args: Any, node: Any) -> Any:
        match args.head:
            case (base, Const(value=str(name)), value):
                self.each(base, lambda one: self.put(name, value, one))
            case (base, *_):
                self.each(base, self.spoil)

    def builtin_delattr(self, args: Any, node: Any) -> Any:
        self.each(args.first, self.spoil)

    def builtin_type(self, args: Any, node: Any) -> Any:
        return self.type_of(args.first)

    def builtin_isinstance(self, args: Any, node: Any) -> Any:
        value, kind = self.narrow(args.get(0)), args.get(1)
        kinds = self.row(kind).items if isinstance(kind, Items) else (kind,)
        mine = self.type_of(value)
        if isinstance(value, Symbol) and value != LOADED:
            return Symbol(("isinstance", value.key, ast.unparse(node)))
        if mine is None or not kinds or any(unknown(each) for each in kinds):
            return None
        order = mine.mro if isinstance(mine, Class) else [mine, Outside("torch.nn.Module")]
        if any(each in order for each in kinds):
            return Const(True)
        return Const(False) if isinstance(value, Loss) else None


def is_tensor(value: Any) -> bool:
    return isinstance(value, Tensor)


def unnamed(row: Row, library: Library) -> Row:
    """Modules without their names: OrderedDict([..., ("name", module)])."""
    items = []
    for each in row.items:
        pair = isinstance(each, Items) and not each.net and len(library.row(each).items) == 2
        items.append(library.row(each).item(-1) if pair else each)
    return Row(tuple(items), row.open)
