"""Highlighting adds color and takes nothing away."""

from __future__ import annotations

import html5lib
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html as lxml_html

from theme import highlight

# Pygments counts CR and CRLF as line ends; the control characters are not for HTML.
SOURCE = st.text(st.characters(exclude_categories=("Cs", "Cc")) | st.just("\n"))


def visible(markup) -> str:
    return "".join(html5lib.parseFragment(str(markup)).itertext())


@given(
    source=SOURCE,
    language=st.sampled_from(["python", "ipython3", "bash", "console", "no-such", None]),
)
def test_code_keeps_every_character(source, language):
    expected = source.removesuffix("\n")
    assert visible(highlight.code(source, language)) == expected
    assert visible(highlight.code(source, language, numbered=True)) == expected


def test_only_colored_tokens_have_an_element():
    assert highlight.code("a = b.c", "python") == "a = b.c"
    assert '<span class="k">def</span>' in highlight.code("def f(): ...", "python")


def test_lines_are_numbered_and_emphasized_one_by_one():
    html = highlight.code('"""a\nb\nc"""', "python", numbered=True, first=5, emphasized={6})
    lines = lxml_html.fragment_fromstring(str(html), create_parent="pre")
    assert [line.get("class") for line in lines] == ["line", "line hll", "line"]


@given(text=st.text(st.characters(exclude_categories=("Cs", "Cc")) | st.just("\n")))
def test_terminal_output_keeps_every_character(text):
    assert visible(highlight.terminal(text)) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\x1b[31mred\x1b[0m <b>", '<span class="ansi-red">red</span> &lt;b&gt;'),
        (
            "\x1b[1;32mgo\x1b[39mon",
            '<span class="ansi-bold ansi-green">go</span><span class="ansi-bold">on</span>',
        ),
        ("\x1b[38;5;28mplain\x1b[0m", "plain"),
        ("\x1b[1;38;5;34mbold\x1b[0m", '<span class="ansi-bold">bold</span>'),
        ("\x1b[38;2;31;32;33;1mbold\x1b[0m", '<span class="ansi-bold">bold</span>'),
        ("\x1b[31;48;5;34mred\x1b[0m", '<span class="ansi-red">red</span>'),
        ("\x1b[31m\x1b[38;5mcut off", "cut off"),
        ("\x1b[38:5:34mplain\x1b[4:3;32mgreen", 'plain<span class="ansi-green">green</span>'),
        ("\x1b[;31mred\x1b(B\x1b[m.", '<span class="ansi-red">red</span>.'),
        ("one\n\rtwo\x1b[A\rONE\nTWO", "ONE\nTWO"),
        ("\x1b[9Atop", "top"),
        ("\x1b[2Kerased\x1b[1A", "erased"),
        (" 10%\r 50%\r100%\nnext", "100%\nnext"),
        ("windows\r\nlines\r\n", "windows\nlines\n"),
    ],
)
def test_terminal_escapes(text, expected):
    assert highlight.terminal(text) == expected
