"""Modules and imports; and where following begins: each function, with unknown arguments."""

from __future__ import annotations

import ast
import os
import re
from functools import partial
from pathlib import Path
from typing import Any

from ..rules import Finding
from .files import Source, read, relevant
from .statements import Statements
from .syntax import forget, walk
from .values import (
    Class,
    Const,
    Function,
    Import,
    Outside,
    Place,
    Property,
    Scope,
    Symbol,
)

IMPORTS = 12  # imports are followed so deep
# A test, or a lesson, may show the mistake: nothing is trained there.
SHOWN = re.compile(r"^test|^Test")
# Methods that are worth to be followed for their own sake.
LOSS = re.compile(r"[Ll]oss|[Cc]rit|entropy|super|_step")
TESTS = re.compile(r"(^|/)(tests?/[^/]*|test_\w*\.py|\w*_test\.py|conftest\.py)$")


class Module(Scope):
    """A file: its path on disk, its name as shown, and its text."""

    def __init__(self, path: str, source: Source) -> None:
        super().__init__(self, None, None)
        self.path, self.source, self.done = path, source, False
        self.rebound: set[str] = set()  # names that meant one thing, then another

    def place(self, node: Any) -> Place:
        cell = self.source.cell(node.lineno)
        first, last = node.lineno - cell.before, (node.end_lineno or node.lineno) - cell.before
        return Place(self.source.name, first, node.col_offset + 1, cell.number, last)


class Reader(Statements):
    """Follows values through the files of a tree; runs nothing."""

    def __init__(self, names: dict[str, str]) -> None:
        super().__init__()
        self.files = names  # name as shown, by path on disk
        self.modules: dict[str, Module | None] = {}
        self.places: dict[Any, str | None] = {}
        self.exists: dict[str, bool] = {}
        self.worths: dict[str, bool] = {}
        self.folders: dict[str, frozenset[str]] = {}
        self.imported: dict[Import, Any] = {}
        self.found: dict[Any, tuple[Finding, Any]] = {}
        self.failed: dict[str, str] = {}
        self.ignores: dict[tuple[str, int, int], tuple[str, ...] | None] = {}
        self.entries: set[str] = set()
        self.replaced: set[str] = set()
        self.right: set[Any] = set()
        self.ran: set[ast.AST] = set()
        self.decorated: list[Any] = []
        self.stack: list[ast.AST] = []
        self.frames: list[Any] = []
        self.calls = self.names = self.muted = self.doubt = self.nested = 0

    # Files and imports

    def module(self, path: str) -> Module | None:
        """The module at `path`, read when it is first needed; None if it cannot be."""
        if path not in self.modules:
            if self.nested >= IMPORTS:
                return None
            self.modules[path] = None
            name = self.files.get(path) or os.path.relpath(path)
            try:
                source = read(path, name)
                self.failed |= source.failed
                for (cell, line), codes in source.ignores.items():
                    self.ignores[name, cell, line] = codes
            except Exception as error:  # not UTF-8, not Python, nested too deeply: that file alone
                self.failed[name] = reason(error)
                return None
            self.modules[path] = module = Module(path, source)
            self.nested += 1
            self.guarded(module, lambda: self.block(source.body))
            self.nested -= 1
            module.done = True
        return self.modules[path]

    def guarded(self, module: Module, follow: Any) -> None:
        """Follow something in a module; what goes wrong there costs that file alone."""
        state = self.scope, self.facts, self.stack, self.frames, self.muted, self.doubt
        self.scope, self.facts, self.stack, self.frames = module, {}, [], []
        self.muted = self.doubt = 0
        try:
            follow()
        except Exception as error:
            self.failed[module.source.name] = reason(error)
        self.scope, self.facts, self.stack, self.frames, self.muted, self.doubt = state

    def entry(self, path: str) -> None:
        """Read a file; then each of its functions and methods, with arguments nobody knows."""
        self.calls = 0
        module = self.module(path)
        if module is None:
            return
        self.entries.add(module.source.name)
        for name in self.unsure(module):
            module.env[name] = None
        for value in list(module.env.values()):
            self.follow(value, module)
        for value in self.decorated:
            if value.scope.module is module and value.node not in self.ran:
                self.follow(value, value.scope)
        self.decorated.clear()
        self.journal.clear()

    def unsure(self, module: Module) -> set[str]:
        """Names that may mean something else when a function of the module is called."""
        if not any("global " in line for line in module.source.lines):
            return module.rebound & module.env.keys()
        nodes = walk(ast.Module(module.source.body, []))
        changed = {name for each in nodes if isinstance(each, ast.Global) for name in each.names}
        return (module.rebound | changed) & module.env.keys()

    def follow(self, value: Any, module: Scope) -> None:
        if isinstance(value, Function) and value.scope is module:
            self.alone(module.module, partial(self.call, value, self.arguments()))
        elif isinstance(value, Class) and value.scope is module:
            methods: dict[str, Any] = {}
            followed: list[Function] = []
            for kind in reversed(value.mro):
                methods |= kind.env if isinstance(kind, Class) else {}
            for method in methods.values():
                method = method.function if isinstance(method, Property) else method
                if isinstance(method, Function) and self.mentions_loss(method):
                    followed.append(method)
            if followed:
                self.alone(module.module, partial(self.on_new, value, followed))

    def on_new(self, kind: Class, methods: list[Function]) -> None:
        """Each of these methods, on a new instance."""
        thing = self.make(kind, self.arguments(), None)
        for method in methods:
            follow = partial(self.call, self.bind(method, thing), self.arguments())
            self.alone(self.scope.module, follow)

    def alone(self, module: Any, follow: Any) -> None:
        """Follow something whose effects are not known to happen."""
        mark = len(self.journal)
        self.guarded(module, follow)
        self.take_back(mark)

    def mentions_loss(self, function: Function) -> bool:
        lines = function.scope.module.source.lines
        text = lines[function.node.lineno - 1 : function.node.end_lineno]
        return any(LOSS.search(line) for line in text)

    def only_shown(self, scope: Scope) -> bool:
        """Is this a test that trains nothing?"""
        home: Any = scope.home
        names = [getattr(home, "name", ""), getattr(getattr(scope.owner, "node", None), "name", "")]
        if not any(SHOWN.search(name) for name in names):
            return False
        # Many a test(model, loader) measures a loss: that one is no test.
        is_test = TESTS.search(scope.module.path) or self.says(scope, "assert")
        return bool(is_test) and not self.trains(scope)

    def trains(self, scope: Scope) -> bool:
        """Might this code train a network? A module might; a function, if it takes a step."""
        return scope.home is None or self.says(scope, ".step(", ".backward(")

    def says(self, scope: Scope, *words: str) -> bool:
        """Does the text of a function have one of these words?"""
        home: Any = scope.home
        lines = scope.module.source.lines[home.lineno - 1 : home.end_lineno] if home else []
        return any(word in line for line in lines for word in words)

    def findings(self) -> list[Finding]:
        """What was found, but for what stands beside the right way: that is meant so."""
        return [made for made, seen in self.found.values() if seen not in self.right]

    def forget(self) -> None:
        """Let go of all modules."""
        self.modules.clear(), self.imported.clear(), self.ran.clear(), self.journal.clear()
        self.places.clear(), self.exists.clear(), self.replaced.clear()
        forget()

    # Imports

    def resolve(self, dotted: str, level: int, origin: Any) -> Module | None:
        """The module of the tree that an import in `origin` means: the nearest, going up."""
        folder = os.path.dirname(origin.path)
        key = (dotted, folder, level)
        if key not in self.places:
            self.places[key] = self.search(dotted.split(".") if dotted else [], level, folder)
        path = self.places[key]
        return self.module(path) if path and path != origin.path else None

    def search(self, parts: list[str], level: int, folder: str) -> str | None:
        if not level and parts[0] in FOREIGN:
            return None
        for _ in range(level - 1):
            folder = os.path.dirname(folder)
        while True:
            names = self.names_in(folder)
            if not parts or parts[0] in names or f"{parts[0]}.py" in names:
                stem = os.path.join(folder, *parts)
                for path in (stem + ".py", os.path.join(stem, "__init__.py")):
                    if self.is_file(path):
                        return path if self.worth(path) else None
            above = os.path.dirname(folder)
            if level or folder == above or not parts or not TOP.isdisjoint(names):
                return None
            folder = above

    def is_file(self, path: str) -> bool:
        if path not in self.exists:
            self.exists[path] = path in self.files or os.path.exists(path)
        return self.exists[path]

    def names_in(self, folder: str) -> frozenset[str]:
        if folder not in self.folders:
            try:
                self.folders[folder] = frozenset(os.listdir(folder or "."))
            except OSError:
                self.folders[folder] = frozenset()
        return self.folders[folder]

    def worth(self, path: str) -> bool:
        if path not in self.worths:
            try:
                self.worths[path] = relevant(Path(path).read_bytes())
            except OSError:
                self.worths[path] = False
        return self.worths[path]

    def member(self, dotted: str, name: str | None, level: int = 0, origin: Any = None) -> Any:
        """The module `dotted`, or `name` in it."""
        origin = origin or self.scope.module
        module = self.resolve(dotted, level, origin)
        if name is None:
            return module or Outside(dotted)
        if module is not None and name in module.env:
            return self.lookup(name, module)
        full = f"{dotted}.{name}" if dotted else name
        if full == "typing.TYPE_CHECKING":
            return Const(False)
        if name == "__name__":
            return Const(dotted.rpartition(".")[2])
        inner = self.resolve(full, level, origin)
        return inner or (None if module or level else Outside(full))

    def lookup(self, name: str, scope: Scope) -> Any:
        """What is known of a name in the scope that has it; imports are followed here."""
        value = scope.env[name]
        if isinstance(value, Import):
            if value not in self.imported:
                self.imported[value] = None  # in case the import leads back here
                made = self.member(value.module, value.name, value.level, value.origin)
                self.imported[value] = made
            value = self.imported[value]
        if scope is scope.module and isinstance(value, Const):  # somebody may edit it
            return Symbol((scope.module.path, name))
        return value


def reason(error: BaseException) -> str:
    if isinstance(error, (RecursionError, MemoryError)):
        return "nested too deeply"
    return f"{type(error).__name__}: {error}"


FOREIGN = {"torch", "torchvision", "numpy", "typing", "os", "sys", "re", "math", "random"}
TOP = {".git", "pyproject.toml", "setup.py", "setup.cfg"}
