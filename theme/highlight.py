"""Code and terminal output as HTML: a class for each kind of token, the colors of ANSI escapes."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import pygments
from markupsafe import Markup
from pygments.formatters.html import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.token import Token
from pygments.util import ClassNotFound

from .markup import classes, el, join

ALIASES = {"myst": "markdown", "ipython": "python", "ipython3": "python"}
# Tokens with a color, and the one whose class in the stylesheet it is. All others look like text.
COLORED = {
    Token.Comment: Token.Comment,
    Token.Generic.Deleted: Token.Generic.Deleted,
    Token.Generic.Error: Token.Generic.Deleted,
    Token.Generic.Inserted: Token.Generic.Inserted,
    Token.Keyword: Token.Keyword,
    Token.Literal.Number: Token.Literal.Number,
    Token.Literal.String: Token.Literal.String,
    Token.Name.Attribute: Token.Name.Builtin,
    Token.Name.Builtin: Token.Name.Builtin,
    Token.Name.Class: Token.Name.Function,
    Token.Name.Decorator: Token.Name.Function,
    Token.Name.Exception: Token.Name.Function,
    Token.Name.Function: Token.Name.Function,
    Token.Name.Tag: Token.Name.Builtin,
    Token.Operator.Word: Token.Keyword,
}
FORMATTER = HtmlFormatter(nowrap=True)

ESCAPE = re.compile(r"\x1b\[([0-9;:]*)m")
OTHER_ESCAPES = re.compile(
    r"\x1b(?:\[[0-9;:<=>?]*[A-Za-ln-z]|[()][A-Z0-9]|\][^\x07\x1b]*(?:\x07|\x1b\\))"
)
# `38;5;n` and `38;2;red;green;blue`, 48 for the ground: a color that the page has not.
EXTENDED = re.compile(r"\b([34]8);(?:5(?:;\d*)?|2(?:;\d*){0,3})")
MOVES = re.compile(r"(\r|\n|\x1b\[\d{0,3}A)")
COLORS = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")


@lru_cache
def lexer(language: str):
    """Pygments' lexer; one that only escapes for a language Pygments does not know."""
    try:
        return get_lexer_by_name(ALIASES.get(language, language), stripnl=False)
    except ClassNotFound:
        return get_lexer_by_name("text", stripnl=False)


def colored(token: Any) -> Any:
    """The token that gives one of Pygments' its color: itself, or one of the kind it belongs to."""
    return next((COLORED[kind] for kind in reversed(token.split()) if kind in COLORED), Token)


def code(
    source: str,
    language: str | None,
    *,
    numbered: bool = False,
    first: int = 1,
    emphasized: frozenset[int] = frozenset(),
) -> Markup:
    """Highlighted `source`; with line numbers from `first`, or with lines emphasized.

    Line numbers come from a counter in the stylesheet, so that copying leaves them out.
    """
    tokens = lexer((language or "text").lower()).get_tokens(source)
    pieces = ((colored(token), text) for token, text in tokens)
    html = pygments.format(pieces, FORMATTER).removesuffix("\n")
    if not numbered and not emphasized:
        return Markup(html)
    return Markup("\n").join(
        el("span", Markup(line), class_=classes("line", "hll" if n in emphasized else None))
        for n, line in enumerate(html.split("\n"), first)
    )


def settled(text: str) -> str:
    """What stays when lines are written again, after a carriage return or from further up."""
    lines, row, begins = [""], 0, True
    for at, piece in enumerate(MOVES.split(text)):
        if at % 2 == 0:
            lines[row] = piece if piece and begins else lines[row] + piece
            begins = begins and not piece
            continue
        begins = True
        if piece == "\n":
            row += 1
            lines += [""] * (row == len(lines))
        elif piece != "\r":
            row = max(0, row - int(piece[2:-1] or 1))
    return "\n".join(lines)


def terminal(text: str) -> Markup:
    """Terminal output: later lines overwrite earlier ones, ANSI colors become classes."""
    pieces = ESCAPE.split(OTHER_ESCAPES.sub("", settled(text)))
    parts: list[object] = [pieces[0]]
    style: dict[str, str] = {}
    for codes, piece in zip(pieces[1::2], pieces[2::2], strict=True):
        style = _restyled(style, codes)
        names = classes(*style.values())
        parts.append(el("span", piece, class_=names) if names and piece else piece)
    return join(parts)


def _restyled(style: dict[str, str], codes: str) -> dict[str, str]:
    """The style after these ANSI codes; 256 colors and true colors fall back to none."""
    style = dict(style)
    for each in EXTENDED.sub(r"\1", codes).split(";"):
        number = int(each.partition(":")[0] or 0)
        if number == 0:
            style.clear()
        elif number == 1:
            style["weight"] = "ansi-bold"
        elif number == 22:
            style.pop("weight", None)
        elif number in (38, 39):
            style.pop("color", None)
        elif 30 <= number <= 37 or 90 <= number <= 97:
            style["color"] = f"ansi-{COLORS[number % 10]}"
    return style
