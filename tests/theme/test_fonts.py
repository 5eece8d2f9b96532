"""Which fonts a page needs, by the stylesheet and by the classes on the page."""

import pytest

from theme import fonts
from theme.render import KATEX, Theme

FACES = "".join(
    f"@font-face{{font-family:KaTeX_{name};font-style:{style};font-weight:{weight};src:url({file})}}"
    for name, style, weight, file in [
        ("Main", "normal", 400, "main"),
        ("Main", "normal", 700, "main-bold"),
        ("Math", "italic", 400, "math"),
        ("Size1", "normal", 400, "size"),
    ]
)
CSS = FACES + (
    ".katex{font:normal 1.21em KaTeX_Main,serif}"
    ".katex .normal{font-family:KaTeX_Math;font-style:italic}"
    ".katex .bold{font-family:KaTeX_Main;font-weight:700}"
    ".katex .delim.size1,.katex .mult .piece>span{font-family:KaTeX_Size1}"
)


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<p>katex normal</p>", []),
        ('<b class="normal">x</b>', []),
        ('<b class="katex">x</b>', ["main"]),
        ('<b class="a katex"><i class="normal">x</i></b>', ["main", "math"]),
        ('<b class="katex"><i class="bold">x</i></b>', ["main", "main-bold"]),
        ('<b class="katex"><i class="delim">x</i><i class="size1">x</i></b>', ["main"]),
        ('<b class="katex"><i class="size1 delim">x</i></b>', ["main", "size"]),
        ('<b class="katex"><i class="mult"><i class="piece">x</i></i></b>', ["main", "size"]),
    ],
)
def test_a_font_is_used_where_a_selector_may_apply(html: str, expected: list[str]):
    assert fonts.used(CSS, html) == expected


def test_no_font_of_katex_is_overlooked():
    css = (KATEX / "katex.min.css").read_text()
    everything = "".join(
        f'<b class="{value}"></b>'
        for value in (
            "katex textsf texttt mathnormal mathit mathbf boldsymbol mathbb mathcal mathfrak",
            "mathscr mathboldsf mathitsf delimsizing size1 size2 size3 size4",
        )
    )
    found = {
        address.rpartition("KaTeX_")[2].partition("-")[0] for address in fonts.used(css, everything)
    }
    assert found == {"AMS", "Caligraphic", "Fraktur", "Main", "Math", "SansSerif", "Script",
                     "Size1", "Size2", "Size3", "Size4", "Typewriter"}  # fmt: skip


def test_the_first_formulas_decide_what_is_fetched_early():
    theme = Theme.__new__(Theme)
    theme.katex, theme.katex_css = "assets/katex.css", CSS
    formula, other = (f'<b class="katex">{x}</b>' for x in ("x", '<i class="normal">x</i>'))
    assert theme.first_fonts("text") == []
    assert theme.first_fonts(11 * formula + other) == ["assets/main", "assets/math"]
    assert theme.first_fonts(12 * formula + other) == ["assets/main"]
