"""Code and terminal output as HTML: a class for each kind of token, the colors of ANSI escapes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

from markupsafe import Markup, escape
from pygments.lexers import get_lexer_by_name
from pygments.token import Token
from pygments.util import ClassNotFound

from .markup import classes, el, join

ALIASES = {"myst": "markdown", "ipython": "python", "ipython3": "python"}
# Tokens with a color, by their class in the stylesheet. All others look like plain text.
CLASSES = {
    Token.Comment: "c",
    Token.Comment.Preproc: "c",
    Token.Generic.Deleted: "gd",
    Token.Generic.Error: "gd",
    Token.Generic.Inserted: "gi",
    Token.Keyword: "k",
    Token.Literal.Number: "m",
    Token.Literal.String: "s",
    Token.Name.Attribute: "nb",
    Token.Name.Builtin: "nb",
    Token.Name.Class: "nf",
    Token.Name.Decorator: "nf",
    Token.Name.Exception: "nf",
    Token.Name.Function: "nf",
    Token.Name.Tag: "nb",
    Token.Operator.Word: "k",
}

ESCAPE = re.compile(r"\x1b\[([0-9;:]*)m")
OTHER_ESCAPES = re.compile(
    r"\x1b(?:\[[0-9;:<=>?]*[A-Za-ln-z]|[()][A-Z0-9]|\][^\x07\x1b]*(?:\x07|\x1b\\))"
)
MOVES = re.compile(r"(\r|\n|\x1b\[\d{0,3}A)")
COLORS = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")

Run = tuple[str | None, str]  # a class and the text that has it


@lru_cache
def lexer(language: str):
    """Pygments' lexer; one that only escapes for a language Pygments does not know."""
    try:
        return get_lexer_by_name(ALIASES.get(language, language), stripnl=False, ensurenl=False)
    except ClassNotFound:
        return get_lexer_by_name("text", stripnl=False, ensurenl=False)


def runs(source: str, language: str) -> Iterator[Run]:
    """The source in pieces, each with the class of its tokens or None."""
    for token, value in lexer(language).get_tokens(source):
        yield class_of(token), value


def class_of(token: Any) -> str | None:
    """The class of one of Pygments' tokens: its own, or that of the kind it belongs to."""
    while token not in CLASSES and token.parent is not None:
        token = token.parent
    return CLASSES.get(token)


def merged(pieces: Iterable[Run]) -> list[Run]:
    """The pieces with neighbors of one class joined, across the spaces between them too."""
    result: list[Run] = []
    for name, text in pieces:
        if not text:
            continue
        if result and result[-1][0] == name:
            result[-1] = (name, result[-1][1] + text)
        elif len(result) > 1 and result[-2][0] == name and result[-1][1].isspace():
            between = result.pop()[1]
            result[-1] = (name, result[-1][1] + between + text)
        else:
            result.append((name, text))
    return result


def spans(pieces: list[Run]) -> Markup:
    """The pieces as HTML."""
    if not pieces:
        return Markup()
    # Escaped in one go: a page of code has thousands of pieces. HTML has no place for U+0000.
    texts = escape("\0".join(text.replace("\0", "\ufffd") for _, text in pieces)).split("\0")
    return Markup(
        "".join(
            f'<span class="{name}">{text}</span>' if name else text
            for (name, _), text in zip(pieces, texts, strict=True)
        )
    )


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
    pieces = merged(runs(source.removesuffix("\n"), (language or "text").lower()))
    if not numbered and not emphasized:
        return spans(pieces)
    lines: list[list[Run]] = [[]]
    for name, text in pieces:
        head, *rest = text.split("\n")
        lines[-1].append((name, head))
        lines += [[(name, line)] for line in rest]
    return Markup("\n").join(
        el("span", spans(line), class_=classes("line", "hll" if n in emphasized else None))
        for n, line in enumerate(lines, first)
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
        style = _restyled(style, codes.split(";"))
        names = classes(*style.values())
        parts.append(el("span", piece, class_=names) if names and piece else piece)
    return join(parts)


def _restyled(style: dict[str, str], codes: list[str]) -> dict[str, str]:
    """The style after these ANSI codes; 256 colors and true colors fall back to none."""
    style, rest = dict(style), iter(codes)
    for code_ in rest:
        number, colon, _ = code_.partition(":")
        number = int(number or 0)
        if number in (38, 48) and not colon:  # its numbers follow: `5;n`, or `2;red;green;blue`
            for _ in range({"5": 1, "2": 3}.get(next(rest, ""), 0)):
                next(rest, "")
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
