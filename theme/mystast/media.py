"""Figures, images, videos, frames, and figures that answer."""

from __future__ import annotations

import json
import posixpath
import re
from urllib.parse import urlsplit

from markupsafe import Markup

from .. import pictures
from ..markup import classes, el, join
from .page import Node, Page, anchor, asset_name, inside, renders

VIDEOS = frozenset({".mp4", ".webm", ".ogv"})
# A length as authors write it: a number alone is one of pixels.
LENGTH = re.compile(
    r"\s*(\d+(?:\.\d+)?|\.\d+)\s*(%|px|em|rem|ex|ch|vw|vh|vmin|vmax|cm|mm|in|pt|pc)?\s*", re.I
)


@renders("container")
def container(node: Node, page: Page) -> Markup:
    """A figure, table, listing or quote with its caption."""
    kind = node.get("kind", "figure")
    names = classes(
        "listing" if kind == "code" else kind,
        "subfigure" if node.get("subcontainer") else None,
        node.get("class"),
    )
    return el("figure", inside(node, page), class_=names, id=anchor(node))


@renders("captionNumber")
def caption_number(node: Node, page: Page) -> Markup:
    content, name = inside(node, page), anchor(node)
    if name:
        return join([el("a", content, class_="number", href=f"#{name}"), " "])
    return join([el("span", content, class_="number"), " "])


@renders("image")
def image(node: Node, page: Page) -> Markup | None:
    """A picture with its description, size and, for a drawing, its dark variant."""
    if node.get("placeholder"):
        return None  # a still picture for paper, of something that the page has itself
    url, alt = node["url"], (node.get("alt") or "").strip()
    if not alt:
        page.problem(f"the image {node.get('urlSource', url)} has no description (alt)")
    if not url.startswith("/"):
        page.problem(f"the image {url} is not in the book: readers would ask another host")
        return None
    content = page.fetch(url, node.get("urlSource"))
    if content is None:
        return None
    name, style = asset_name(url), measures(node, page)
    names = classes(f"align-{node['align']}" if node.get("align") else None, node.get("class"))
    if posixpath.splitext(url)[1].lower() in VIDEOS:
        src, options = page.publish(name, content), {"controls": True, "aria_label": alt}
        return el("video", src=src, class_=names, style=style, id=anchor(node), **options)
    shown = picture(content, name, alt, page, style=style, names=names)
    # Of two variants only one is seen, so neither can be what a link leads to.
    return el("span", shown, id=anchor(node)) if anchor(node) else shown


def measures(node: Node, page: Page) -> str | None:
    """The style of what has the width and height that its author wants."""
    found = {}
    for name in ("width", "height"):
        wanted = str(node.get(name) or "")
        if match := LENGTH.fullmatch(wanted):
            found[name] = match[1] + (match[2] or "px").lower()
        elif wanted:
            hint = "write a number, or a number with a unit of CSS"
            page.problem(f"the {name} {wanted!r} is not a length: {hint}")
    if "height" in found:
        found.setdefault("width", "auto")  # not the picture's own, which would distort it
    return ";".join(f"{name}:{value}" for name, value in found.items()) or None


def picture(
    content: bytes,
    name: str,
    alt: str,
    page: Page,
    *,
    style: str | None = None,
    names: str | None = None,
) -> Markup | None:
    """`<img>`; a drawing in the book's colors gets a twin for the dark page, others a ground."""
    stem, suffix = posixpath.splitext(name)
    is_drawing = suffix.lower() == ".svg"
    measured = pictures.size(content, suffix.lower())
    if not measured and not is_drawing:
        page.problem(f"the image {name} is broken or not an image")
        return None
    dark = None
    if is_drawing:
        dark = pictures.dark_variant(content.decode(errors="replace"), page.book.palette)
    variants = [("for-light" if dark else "on-white", page.publish(name, content))]
    if dark:
        file = page.assets.add(f"{stem}-dark{suffix}", dark.encode())
        variants.append(("for-dark", page.url(file)))
    width, height = measured or (None, None)
    options = {"width": width, "height": height, "style": style, "loading": "lazy"}
    return join(
        el("img", src=src, alt=alt, **options, class_=classes(variant, names))
        for variant, src in variants
    )


@renders("iframe")
def iframe(node: Node, page: Page) -> Markup:
    """A link, with the author's picture where there is one.

    Decided so: a frame would ask another host before its reader has asked for anything.
    """
    address = node.get("src", "")
    if urlsplit(address).scheme not in ("http", "https"):
        page.problem(f"the frame {address!r} is not an address on the web")
    title, host = node.get("title"), urlsplit(address).netloc
    link_ = el("a", f"Open “{title}”" if title else f"Open {host}", href=address)
    still = [
        image({**child, "placeholder": False, "alt": child.get("alt") or title or host}, page)
        for child in node.get("children") or ()
    ]
    words = el("p", link_, f" ({host})" if title else None)
    names = classes("elsewhere", node.get("class"))
    return el("div", *still, words, class_=names, id=anchor(node))


@renders("anywidget")
def anywidget(node: Node, page: Page) -> Markup:
    """A widget that needs no kernel: widget.js loads the author's module."""
    files = {}
    for key in ("esm", "css"):
        url = node.get(key)
        if url and url.startswith("/"):
            files[key] = (asset_name(url), page.fetch(url) or b"")
        elif url:
            page.problem(f"the widget's file {url} is not in the book")
    text_ = "This widget needs JavaScript, and a page that a server has sent."
    still = el("p", text_, class_="fallback")
    names = classes("widget", node.get("class"))
    return widget(files, node.get("model") or {}, still, page, class_=names, id=anchor(node))


# A module that leaves the names of other files in its text, and how high its author says that it
# is: on a narrow page, and on others.
NEEDS_FILES = re.compile(rb"""^(?:import|export)\b[^"'\n]*["'](\.[^"']+)""", re.MULTILINE)
HEIGHTS = re.compile(rb"^export const heights = \[(\d+), (\d+)\];$", re.MULTILINE)
LARGE = 2048  # characters of a model, from which on it is a file of its own


def widget(
    files: dict[str, tuple[str, bytes]],
    model: Node,
    still: Markup | None,
    page: Page,
    **attributes: str | None,
) -> Markup:
    """The box that widget.js fills, with what stands in it until then, and on paper.

    `files` has the module (`esm`) and its style sheet (`css`), each with a name.
    """
    page.features.add("widget")
    name, module = files.get("esm", ("widget.mjs", b""))
    if found := NEEDS_FILES.search(module):
        page.problem(f"the widget {name} imports {found[1].decode()}: it must be one file")
    for key, (file, content) in files.items():
        attributes[f"data_{key}"] = page.publish(file, content)
    values = json.dumps(model, sort_keys=True)
    if len(values) > LARGE:
        file = posixpath.splitext(name)[0] + ".json"
        attributes["data_values"] = page.publish(file, values.encode())
    else:
        attributes["data_model"] = values
    if found := HEIGHTS.search(module):
        narrow, wide = (int(height) for height in found.groups())
        attributes["style"] = f"--narrow:{narrow}px;--wide:{wide}px"
    return el("div", el("div", still, class_="still"), data_widget=True, **attributes)
