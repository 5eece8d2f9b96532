"""Formulas, quantities and chemistry."""

from __future__ import annotations

import re

from markupsafe import Markup

from ..markup import classes, el
from .page import Node, Page, anchor, renders

# In an HTML page the parser knows where MathML belongs.
MATHML = '<math xmlns="http://www.w3.org/1998/Math/MathML">'


@renders("inlineMath")
def formula(node: Node, page: Page) -> Markup | None:
    """The HTML that KaTeX made inside MyST."""
    if node.get("error") or not node.get("html"):
        reason = node.get("message") or "MyST made no HTML of it"
        page.problem(f"KaTeX refused the formula {node.get('value', '')!r}: {reason}")
        return None
    page.features.add("math")
    return Markup(node["html"].replace(MATHML, "<math>"))


@renders("math")
def math(node: Node, page: Page) -> Markup:
    name, number = anchor(node), node.get("enumerator")
    parts = [el("div", formula(node, page), class_="scroll")]
    if number and name:
        label = f"Link to equation {number}"
        parts.append(el("a", f"({number})", class_="number", href=f"#{name}", aria_label=label))
    elif number:
        parts.append(el("span", f"({number})", class_="number"))
    return el("div", *parts, class_=classes("math", node.get("class")), id=name)


@renders("si")
def quantity(node: Node, page: Page) -> Markup:
    return el("span", node.get("value", ""), class_="nowrap")


@renders("chemicalFormula")
def chemical_formula(node: Node, page: Page) -> Markup:
    """The digits that count atoms stand below the line."""
    parts = re.split(r"(?<=[A-Za-z)\]])(\d+)", node.get("value", ""))
    counted = [el("sub", part) if i % 2 else part for i, part in enumerate(parts)]
    return el("span", *counted, class_="nowrap")
