"""Which of KaTeX's fonts the formulas of a page need."""

from __future__ import annotations

import re
from functools import cache

FAMILY = re.compile(r"""font(?:-family)?:[^;}]*?\b(KaTeX_\w+)""")
ADDRESS = re.compile(r"""url\(["']?([^"')]+)""")
CLASSES = re.compile(r'\bclass="([^"]*)"')

Face = tuple[str, bool, bool]  # the family; bold; italic
Selector = list[frozenset[str]]  # the classes of an element, and of those around it


def used(css: str, html: str) -> list[str]:
    """The fonts of the stylesheet that this HTML may load, at most, by their addresses in it."""
    faces, rules = _read(css)
    elements = {frozenset(value.split()) for value in CLASSES.findall(html)}

    def applies(selector: Selector) -> bool:
        return all(any(wanted <= classes for classes in elements) for wanted in selector)

    needed = {face for selectors, face in rules if any(map(applies, selectors))}
    return [address for face, address in faces.items() if face in needed]


@cache
def _read(css: str) -> tuple[dict[Face, str], list[tuple[list[Selector], Face]]]:
    """The fonts of a stylesheet, and the selectors that ask for each."""
    faces, rules = {}, []
    for rule in css.split("}"):
        head, _, body = rule.rpartition("{")
        if not (family := FAMILY.search(body)):
            continue
        face = (family[1], "font-weight:700" in body, "font-style:italic" in body)
        if head.strip() == "@font-face":
            faces[face] = ADDRESS.search(body)[1]
            continue
        selectors = ([_classes(part) for part in re.split(r"[\s>]+", s)] for s in head.split(","))
        rules.append(([selector for selector in selectors if any(selector)], face))
    return faces, rules


def _classes(part: str) -> frozenset[str]:
    return frozenset(re.findall(r"\.([\w-]+)", part))
