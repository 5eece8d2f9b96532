"""Syntax trees: paths, names, what is assigned."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from .tables import SAME


def path(node: Any) -> str:
    """ "self.net.fc" of the expression self.net.fc; "" of anything but names and dots."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (before := path(node.value)):
        return f"{before}.{node.attr}"
    return ""


def last(node: Any) -> str:
    """ "fc" of the expression self.net.fc; "" of anything but names and dots."""
    if isinstance(node, ast.Attribute):
        return node.attr if path(node) else ""
    return node.id if isinstance(node, ast.Name) else ""


_ASSIGNED: dict[ast.AST, frozenset[str]] = {}
_ALONE: dict[ast.AST, list[str]] = {}
_GROW = ("append", "extend", "insert", "add_module", "pop", "remove", "clear", "reverse")


def children(node: ast.AST) -> list[ast.AST]:
    """ast.iter_child_nodes, in half its time, without Load and Store."""
    found: list[ast.AST] = []
    for name in node._fields:
        child = getattr(node, name, None) if name != "ctx" else None
        if isinstance(child, ast.AST):
            found.append(child)
        elif isinstance(child, list):
            found += [each for each in child if isinstance(each, ast.AST)]
    return found


def walk(node: ast.AST) -> Iterator[ast.AST]:
    """ast.walk, in a third of its time."""
    todo = [node]
    while todo:
        node = todo.pop()
        yield node
        todo += children(node)


def assigned(node: ast.AST) -> frozenset[str]:
    """The names and paths that the code below `node` may give a new value."""
    if node not in _ASSIGNED:
        names, steady = set(), set()
        for child in walk(node):
            match child:
                case ast.Assign(
                    targets=[ast.Name(id=name) as target],
                    value=ast.Call(func=ast.Attribute(attr=method, value=ast.Name(id=base))),
                ) if name == base and method in SAME:  # model = model.train()
                    steady.add(target)
                case ast.Name(ctx=ast.Store() | ast.Del(), id=name) if child not in steady:
                    names.add(name)
                case ast.Subscript(ctx=ast.Store() | ast.Del(), value=base):
                    names.add(path(base))
                case ast.Attribute(ctx=ast.Store() | ast.Del()):
                    names.add(path(child))
                case ast.Call(func=ast.Attribute(attr=name, value=base)):
                    if name in _GROW or name.endswith("_") and not name.endswith("__"):
                        names.add(path(base))
                case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                    names.add(name)
        _ASSIGNED[node] = frozenset(names - {""})
    return _ASSIGNED[node]


def names_alone(node: ast.expr) -> list[str]:
    """The names that stand for themselves in an expression: not x in x.attribute and x(...)."""
    if node not in _ALONE:
        nodes = [*walk(node)]
        bases = {id(each.value) for each in nodes if isinstance(each, ast.Attribute)}
        bases |= {id(each.func) for each in nodes if isinstance(each, ast.Call)}
        names = [each for each in nodes if isinstance(each, ast.Name) and id(each) not in bases]
        _ALONE[node] = [name.id for name in names]
    return _ALONE[node]


def forget() -> None:
    """Let go of the syntax trees."""
    _ASSIGNED.clear()
    _ALONE.clear()
