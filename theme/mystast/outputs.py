"""Code, the cells of notebooks, and their outputs."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup
from mdit_py_plugins.dollarmath import dollarmath_plugin

from .. import highlight, latex
from ..book import is_absolute
from ..markup import classes, el, join, sanitized
from .formulas import formula
from .media import picture, widget
from .page import Node, Page, anchor, inside, joined, render, renders


@renders("block")
def block(node: Node, page: Page) -> Markup | None:
    """A notebook's cell, or a part of a page between block breaks."""
    visibility = node.get("visibility")
    if visibility == "remove":
        return None
    kind = (node.get("kind") or "").removeprefix("notebook-")
    page.cell, page.line = (node.get("identifier"), None) if node.get("kind") else (None, page.line)
    title = None
    if kind == "code":
        title, content = code_cell(node, page)
    else:
        content = inside(node, page)
    page.cell = None
    if visibility == "hide":
        content = folded(title or "Cell", content)
    names = classes("cell" if kind == "code" else None, node.get("class"))
    if not content or not (names or anchor(node)):
        return content
    return el("div", content, id=anchor(node), class_=names)


def code_cell(node: Node, page: Page) -> tuple[str | None, Markup]:
    """A code cell's title, where it is folded and has one, and its input and outputs.

    Each of these is shown, folded or left out as the author says.
    """
    title, parts = None, []
    for child in node.get("children") or ():
        visibility = child.get("visibility")
        if child["type"] == "code" and "hide" in (visibility, node.get("visibility")):
            title, child = titled(child, page)
        content = render(child, page) if visibility != "remove" else None
        if content and visibility == "hide":
            name = "Output" if child["type"] == "outputs" else title or "Code"
            content = folded(name, content)
        parts.append(content)
    return title, join(parts)


def titled(code: Node, page: Page) -> tuple[str | None, Node]:
    """A folded cell's title, if its first line says one (option `cell_title`), and the rest."""
    first, _, rest = code.get("value", "").partition("\n")
    begin = page.book.cell_title
    if not begin or not first.startswith(f"{begin} "):
        return None, code
    return first.removeprefix(begin).strip(), {**code, "value": rest}


def folded(name: str, content: Markup) -> Markup:
    return el("details", el("summary", name), content, class_="fold")


@renders("code")
def code(node: Node, page: Page) -> Markup:
    numbered = bool(node.get("showLineNumbers"))
    html = highlight.code(
        node.get("value", ""),
        node.get("lang"),
        numbered=numbered,
        first=node.get("startingLineNumber") or 1,
        emphasized=frozenset(node.get("emphasizeLines") or ()),
    )
    start = (node.get("startingLineNumber") or 1) - 1
    pre = el(
        "pre",
        el("code", html),
        class_="numbered" if numbered else None,
        style=f"counter-set:line {start}" if numbered and start else None,
    )
    file = node.get("filename")
    head = el("p", file, class_="filename") if file else None
    names = classes("code", node.get("class"))
    return el("div", head, pre, class_=names, id=anchor(node), data_code=True)


@renders("myst")
def demonstration(node: Node, page: Page) -> Markup:
    """MyST's demonstration of itself: its source."""
    return code({**node, "lang": "markdown"}, page)


@renders("mermaid")
def diagram(node: Node, page: Page) -> Markup:
    """A diagram's source: what draws it is a program as large as this site."""
    label = el("span", "diagram, as its Mermaid source", class_="label")
    return el("div", label, code({**node, "lang": "text"}, page), class_="labeled")


@renders("outputs")
def outputs(node: Node, page: Page) -> Markup | None:
    content = join(render(child, page) for child in in_one_piece(node.get("children") or (), page))
    label = "Output"
    return el("div", content, class_="outputs", role="group", aria_label=label) if content else None


def in_one_piece(children: Iterable[Node], page: Page) -> Iterator[Node]:
    """The outputs with what a stream wrote in several pieces as one, as a terminal shows it."""
    for name, group in groupby(children, stream_of):
        if name is None:
            yield from group
        else:
            text_ = "".join(text_of_stream(child["jupyter_data"], page) for child in group)
            data = {"output_type": "stream", "name": name, "text": text_}
            yield {"type": "output", "jupyter_data": data}


def stream_of(node: Node) -> str | None:
    """The name of the stream that an output belongs to, if it does."""
    data = node.get("jupyter_data") or {}
    return data.get("name", "stdout") if data.get("output_type") == "stream" else None


@renders("output")
def output(node: Node, page: Page) -> Markup | None:
    """One output: a stream, an error, or the richest representation that the page can show."""
    data = node.get("jupyter_data") or {}
    kind = data.get("output_type")
    if kind == "stream":
        return stream(data, page)
    if kind == "error":
        trace = data.get("traceback") or f"{data.get('ename')}: {data.get('evalue')}"
        trace = trace if isinstance(trace, str) else "\n".join(trace)
        return el("pre", highlight.terminal(trace), class_="error")
    bundle = {mime: item_of(mime, item) for mime, item in (data.get("data") or {}).items()}
    if "text/plain" in bundle and hides(bundle.get("text/html"), page):
        del bundle["text/html"]
    for mime, function in MIME_TYPES.items():
        if mime in bundle:
            return function(node, bundle[mime], page)
    kinds = ", ".join(bundle) or "nothing"
    page.problem(f"an output that the site cannot show; it contains: {kinds}")
    return None


def item_of(mime: str, item: Any) -> Node:
    """One representation as MyST has it; one that it has not touched is as in the notebook."""
    if isinstance(item, dict) and "content_type" in item:
        return item
    return {"content_type": mime, "content": item}


def hides(item: Node | None, page: Page) -> bool:
    """Whether an HTML output needs its own style, which foreign HTML may not have, to hide parts.

    As those of scikit-learn do; the styles of data frames only adorn them.
    """
    return item is not None and bool(HIDING.search(text_of_output(item, page)))


def stream(data: Node, page: Page) -> Markup | None:
    """What a cell wrote: standard output, or standard error with a label that says so."""
    content = highlight.terminal(text_of_stream(data, page).rstrip()).rstrip()
    if not content:
        return None  # a progress bar that has wiped itself out
    shown = el("pre", content, class_=data.get("name"))
    if data.get("name") != "stderr":
        return shown
    return el("div", el("span", "standard error", class_="label"), shown, class_="labeled")


def text_of_output(item: Node, page: Page) -> str:
    """An output's text: in the tree, or in a file of its own when it is long."""
    if item.get("path"):
        return (page.fetch(item["path"]) or b"").decode()
    return joined(item["content"])


def text_of_stream(data: Node, page: Page) -> str:
    """What one piece of a stream says."""
    return text_of_output({"path": data.get("path"), "content": data.get("text", "")}, page)


def output_omitted(node: Node, item: Node, page: Page) -> None:
    """Widgets (progress bars) need a kernel: they have no place on a static page."""
    return


def output_image(node: Node, item: Node, page: Page) -> Markup | None:
    """A figure; its description is in the output's metadata, beside its type."""
    mime = item["content_type"]
    metadata = node["jupyter_data"].get("metadata") or {}
    alt = ((metadata.get(mime) or {}).get("alt") or metadata.get("alt") or "").strip()
    if not alt:
        page.problem(f"a figure ({mime}) has no description: show it with one (alt)")
    suffix = "." + mime.removeprefix("image/").removesuffix("+xml")
    content = page.fetch(item["path"]) if item.get("path") else image_in(item)
    if content is None:
        return None
    return picture(content, f"{page.cell or 'figure'}{suffix}", alt, page)


def image_in(item: Node) -> bytes:
    """An image that stands in the notebook: a drawing as text, all others in base64."""
    text_ = joined(item["content"])
    if item["content_type"] == "image/svg+xml":
        return text_.encode()
    try:
        return base64.b64decode(text_)
    except ValueError:
        return b""  # which is no image


def output_widget(node: Node, item: Node, page: Page) -> Markup:
    """A module that the cell brings along, and beside it the still picture of the same output."""
    content = text_of_output(item, page) if item.get("path") else item["content"]
    shown = json.loads(content) if isinstance(content, str) else content
    bundle = node["jupyter_data"]["data"]
    mime = next((mime for mime in bundle if mime.startswith("image/")), None)
    still = None
    if mime:
        still = output_image(node, item_of(mime, bundle[mime]), page)
    else:
        page.problem(f"the figure {shown['name']} has no still picture")
    files = {"esm": (f"{shown['name']}.mjs", shown["esm"].encode())}
    return widget(files, shown["model"], still, page)


def output_html(node: Node, item: Node, page: Page) -> Markup:
    html = Markup(without_empty_heads(sanitized(text_of_output(item, page))))
    if not html.strip():
        page.problem("an HTML output is empty once its scripts are removed")
    return el("div", html, class_="html scroll")


def output_markdown(node: Node, item: Node, page: Page) -> Markup:
    return el("div", markdown(text_of_output(item, page), page), class_="markdown")


def output_latex(node: Node, item: Node, page: Page) -> Markup | None:
    """A formula that code has made, as SymPy does; or a sentence with formulas."""
    tex = text_of_output(item, page).strip()
    whole = LATEX.fullmatch(tex)
    if whole or not LATEX.search(tex):
        shown = formula_of_code(whole[whole.lastindex or 0] if whole else tex, True, page)
        return el("div", el("div", shown, class_="scroll"), class_="math") if shown else None
    parts: list[object] = []
    end = 0
    for match in LATEX.finditer(tex):
        is_display = str(match.lastgroup).startswith("display")
        shown = formula_of_code(match[match.lastindex or 0], is_display, page)
        parts += [tex[end : match.start()], shown]
        end = match.end()
    return el("p", *parts, tex[end:])


def formula_of_code(tex: str, display: bool, page: Page) -> Markup | None:
    """The HTML of a formula that MyST has not seen."""
    return formula(latex.node(tex.strip(), display=display, macros=page.macros), page)


def output_text(node: Node, item: Node, page: Page) -> Markup:
    return el("pre", highlight.terminal(text_of_output(item, page).rstrip("\n")))


MIME_TYPES: dict[str, Callable[[Node, Node, Page], Markup | None]] = {
    "application/vnd.jupyter.widget-view+json": output_omitted,
    "application/vnd.afm+json": output_widget,
    "text/latex": output_latex,
    "image/svg+xml": output_image,
    "image/png": output_image,
    "image/jpeg": output_image,
    "image/gif": output_image,
    "image/webp": output_image,
    "text/html": output_html,
    "text/markdown": output_markdown,
    "text/plain": output_text,
}

HIDING = re.compile(r"<style\b[^>]*>[^<]*\bdisplay:\s*none", re.IGNORECASE)
LATEX = re.compile(
    r"(?<!\\)(?:\$\$(?P<display>[^$]+)\$\$|\\\[(?P<displayed>.+?)\\\]"
    r"|\$(?P<inline>(?:\\.|[^$\\])+)\$|\\\((?P<inlined>.+?)\\\))",
    re.DOTALL,
)
# HTML inside Markdown outputs is shown as text: they come from code, which has text/html for it.
MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
MARKDOWN.use(
    dollarmath_plugin, allow_labels=False, allow_space=False, allow_digits=False, double_inline=True
)


def formula_of_output(_, tokens: list[Token], at: int, __, env: dict[str, Page]) -> str:
    """Markdown-it's renderer of formulas; there may be no <div> in the paragraph around it."""
    kind = tokens[at].type
    shown = formula_of_code(tokens[at].content, kind != "math_inline", env["page"])
    if kind == "math_block":
        return el("div", el("div", shown, class_="scroll"), class_="math")
    return (el("span", shown, class_="scroll") if kind != "math_inline" else shown) or ""


for _kind in ("math_inline", "math_inline_double", "math_block"):
    MARKDOWN.add_render_rule(_kind, formula_of_output)


def markdown(source: str, page: Page) -> Markup:
    """A Markdown output. MyST has not seen it, so its links and images are not resolved."""
    tokens = MARKDOWN.parse(source)
    for token in [inner for outer in tokens for inner in (outer, *(outer.children or ()))]:
        target = token.attrGet("href") or token.attrGet("src")
        if token.type == "image" or token.type == "link_open" and not is_resolved(str(target)):
            page.problem(f"a Markdown output links to {target}: only Markdown cells can")
        elif token.type in ("heading_open", "heading_close"):
            token.tag = "p"  # the page's outline knows the author's headings only
            token.attrSet("class", "heading")
    html = without_empty_heads(MARKDOWN.renderer.render(tokens, MARKDOWN.options, {"page": page}))
    scrolling = html.replace("<table>", '<div class="scroll"><table>')
    return Markup(scrolling.replace("</table>", "</table></div>"))


def without_empty_heads(html: str) -> str:
    """A table's empty corner is the head of nothing."""
    return re.sub(r"<th\b([^>]*)>(\s*)</th>", r"<td\1>\2</td>", html)


def is_resolved(url: str) -> bool:
    """Whether a link needs no resolving: to this page's own anchors, or to elsewhere."""
    return url.startswith("#") or is_absolute(url)


@renders("inlineExpression")
def inline_expression(node: Node, page: Page) -> Markup:
    if (node.get("result") or {}).get("status") == "error" or not node.get("children"):
        page.problem(f"the expression {node.get('value', '')!r} has no value")
    return inside(node, page)
