"""HTML elements from Python: escaped by construction, because text is never markup here."""

from __future__ import annotations

from collections.abc import Iterable

import nh3
from markupsafe import Markup, escape

VOID = frozenset({"br", "hr", "img", "input", "meta", "link"})

# What foreign HTML (raw HTML in a page, text/html of a cell) may contain: the sanitizer's own
# list, and the presentational attributes that tables of data libraries rely on.
FOREIGN_ATTRIBUTES = {
    **{tag: set(names) for tag, names in nh3.ALLOWED_ATTRIBUTES.items()},
    "*": {"class", "title", "lang", "dir", "style"},
}
FOREIGN_STYLES = {"text-align", "font-weight", "font-style", "width", "color", "background-color"}


def el(tag: str, *content: object, **attributes: object) -> Markup:
    """One HTML element.

    Text in `content` and in attribute values is escaped; `Markup` is taken as it is; None is
    left out. An attribute that is None or False is left out, True stands without a value.
    `class_` and `aria_label` become `class` and `aria-label`.
    """
    opening = [tag]
    for name, value in attributes.items():
        if value is None or value is False or value == "" and name in ("class_", "id"):
            continue
        name = name.rstrip("_").replace("_", "-")
        opening.append(name if value is True else f'{name}="{escape(value)}"')
    head = f"<{' '.join(opening)}>"
    return Markup(head) if tag in VOID else Markup(f"{head}{join(content)}</{tag}>")


def join(parts: Iterable[object]) -> Markup:
    """The parts one after another, each escaped unless it is Markup; None is left out."""
    return Markup(
        "".join(
            part if type(part) is Markup else escape(part) for part in parts if part is not None
        )
    )


def classes(*names: str | None) -> str:
    """The value of a class attribute, from names of which some may be missing."""
    return " ".join(name for name in names if name)


def _kept(tag: str, name: str, value: str) -> str | None:
    """An attribute's value, if foreign HTML may have it: `data:` is for pictures alone."""
    is_data = value.strip().lower().startswith("data:") and name in ("href", "src", "cite")
    is_picture = tag == "img" and value.strip().lower().startswith("data:image/")
    return None if is_data and not is_picture else value


def sanitized(html: str) -> Markup:
    """Foreign HTML, parsed and written anew without scripts, handlers, frames and forms."""
    return Markup(
        nh3.clean(
            html,
            attributes=FOREIGN_ATTRIBUTES,
            attribute_filter=_kept,
            filter_style_properties=FOREIGN_STYLES,
            url_schemes={"http", "https", "mailto", "data"},
        )
    )
