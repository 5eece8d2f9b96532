"""One figure style, and figures that carry a description.

A figure is shown with one sentence that states its finding; on the site and in Jupyter the
sentence becomes the image's alternative text. Text and frames use four neutral colors, which the
site exchanges for light ones on a dark page; the series' colors stand out from white and from
near-black (contrast of at least 3 to 1), and each series also differs in marker and dashes.
"""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Sequence
from typing import Any

import matplotlib
from cycler import cycler
from IPython.display import Markdown, display
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

__all__ = ["COLORS", "GRID", "INK", "MUTED", "PAPER", "show", "subplots", "table"]

# The neutrals. The palette in myst.yml has them, too, and a test compares the two.
INK, MUTED, GRID, PAPER = "#1b1f24", "#59636e", "#d1d9e0", "#ffffff"

#: Blue, vermilion, green, purple, ocher, gray: Okabe and Ito's hues (https://jfly.uni-koeln.de/color/),
#: darkened or lightened to a contrast of at least 3 to 1 on white and on near-black.
COLORS = ("#2176b5", "#d1570b", "#0f8f6a", "#b0559c", "#9a7400", "#6e7781")

_STYLE = {
    "axes.prop_cycle": cycler(color=COLORS)
    + cycler(linestyle=["-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 3))])
    + cycler(marker=["o", "s", "^", "D", "v", "x"]),
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.facecolor": PAPER,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 12,
    "axes.labelsize": 12,
    "figure.facecolor": PAPER,
    "font.size": 12,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "legend.edgecolor": GRID,
    "legend.facecolor": PAPER,
    "legend.labelcolor": INK,
    "legend.fontsize": 12,
    "lines.linewidth": 1.8,
    "lines.markersize": 4.5,
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 12,
    "ytick.labelsize": 12,
    # The same figure gives the same bytes in every build.
    "svg.hashsalt": "inside-deep-learning",
}


def subplots(
    nrows: int = 1, ncols: int = 1, *, width: float = 7.2, height: float = 3.6, **kwargs: Any
) -> tuple[Figure, Any]:
    """Make a figure and its axes in the book's style.

    Not ``pyplot``: a figure made here is shown by :func:`show` or not at all, never a second time
    by the notebook itself.

    Args:
        nrows: rows of axes.
        ncols: columns of axes.
        width: of the figure, in inches; 7.2 is the width of the text.
        height: of the figure, in inches.
        **kwargs: as in ``matplotlib.figure.Figure.subplots``.

    Returns:
        The figure, and one ``Axes`` or an array of them.
    """
    # For good, not only here: legends and labels are added later, and have the same style.
    matplotlib.rcParams.update(_STYLE)
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(nrows, ncols, **kwargs)


def show(figure: Figure, description: str) -> None:
    """Show a figure together with a sentence that says what it shows.

    Args:
        figure: made by :func:`subplots`.
        description: the finding, as one sentence, for those who do not see the figure; it ends
            with a period.

    Raises:
        TypeError: ``figure`` is not a Matplotlib figure.
        ValueError: the description is too short to be a sentence, or has no period, or an axis
            has no label.
    """
    data, metadata = bundle(figure, description)
    display(data, metadata=metadata, raw=True)


def bundle(figure: Figure, description: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The forms of a figure that :func:`show` displays, by media type, and their metadata."""
    if not isinstance(figure, Figure):
        raise TypeError(f"figure must be a matplotlib Figure, got {type(figure).__name__}")
    description = " ".join(description.split())
    if len(description) < 20 or not description.endswith("."):
        raise ValueError(
            f"description must be a sentence that states the finding, got {description!r}"
        )
    for axes in figure.axes:
        if axes.axison and not _is_labeled(axes):
            raise ValueError(
                f"every axis needs a label with its unit: axes titled {axes.get_title()!r} has "
                f"x label {axes.get_xlabel()!r} and y label {axes.get_ylabel()!r}"
            )
    FigureCanvasSVG(figure)
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    svg = buffer.getvalue()
    drawing = base64.b64encode(svg.encode()).decode()
    width = round(figure.get_figwidth() * 96)
    image = f'<img alt="{html.escape(description)}" width="{width}" '
    image += f'src="data:image/svg+xml;base64,{drawing}">'
    # Jupyter and Colab take the HTML, the only form to which they give a description.
    data = {"image/svg+xml": svg, "text/html": image, "text/plain": description}
    return data, {"image/svg+xml": {"alt": description}}


def _is_labeled(axes: Axes) -> bool:
    """Whether both axes say what they measure; panels that share an axis may share its label."""
    if hasattr(axes, "_colorbar"):
        return bool(axes.get_xlabel() or axes.get_ylabel())
    x_axes = axes.get_shared_x_axes().get_siblings(axes)
    y_axes = axes.get_shared_y_axes().get_siblings(axes)
    return any(a.get_xlabel() for a in x_axes) and any(a.get_ylabel() for a in y_axes)


def table(header: Sequence[str], rows: Sequence[Sequence[object]], caption: str = "") -> None:
    """Show a table whose cells were computed, as Markdown, which every host renders.

    Args:
        header: one name per column.
        rows: one sequence of cells per row; ``str()`` is applied to each.
        caption: a sentence above the table.

    Raises:
        ValueError: a row has not as many cells as the header has names.
    """
    for number, row in enumerate(rows):
        if len(row) != len(header):
            raise ValueError(f"row {number} has {len(row)} cells, the header has {len(header)}")

    def line(cells: Sequence[object]) -> str:
        return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"

    lines = [line(header), line(["---"] * len(header)), *map(line, rows)]
    display(Markdown("\n".join([caption, "", *lines] if caption else lines)))
