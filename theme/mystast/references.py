"""Links, cross-references, citations and footnotes."""

from __future__ import annotations

import posixpath
from urllib.parse import quote

from markupsafe import Markup

from ..markup import classes, el, join
from .outputs import is_resolved
from .page import Node, Page, asset_name, inside, render, renders


def link_target(node: Node, page: Page) -> str | None:
    """Where a link or card leads, seen from this page; None (and a problem) when nowhere."""
    url = node["url"]
    path, hash_, fragment = url.partition("#")
    if node.get("static"):
        content = page.fetch(url, node.get("urlSource"))
        return None if content is None else page.publish(asset_name(url), content)
    if is_resolved(url):
        return url
    file = page.book.file(path) if path.startswith("/") else None
    if file is None:
        source = node.get("urlSource", url)
        page.problem(f"the link to {source} leads neither to a page nor to a file")
        return None
    return page.url(file) + hash_ + quote(fragment)


@renders("link")
def link(node: Node, page: Page) -> Markup:
    href = link_target(node, page)
    download = posixpath.basename(node.get("urlSource", "")) if node.get("static") else None
    content = inside(node, page)
    if not content and href:
        page.problem(f"the link to {node.get('urlSource', node['url'])} has no text")
    return el("a", content, href=href, download=download, class_=node.get("class"))


@renders("crossReference")
def cross_reference(node: Node, page: Page) -> Markup:
    name, content = node.get("html_id") or node.get("identifier"), inside(node, page)
    if not node.get("resolved") or not name:
        page.problem(f"the reference to {node.get('label') or name!r} leads nowhere")
        return content
    if not content:
        page.problem(f"the reference to {node.get('label') or name!r} has no text")
    url = node.get("url") if node.get("remote") else None
    if url and node.get("remoteBaseUrl"):
        url = node["remoteBaseUrl"].rstrip("/") + url
    target = link_target({**node, "url": url}, page) or "" if url else ""
    names = classes("reference", node.get("class"))
    return el("a", content, href=f"{target}#{name}", class_=names, data_preview=True)


@renders("cite")
def cite(node: Node, page: Page) -> Markup:
    content = inside(node, page) or join([node.get("label")])
    return el("a", content, href=f"#{work_id(node)}", class_="citation", data_preview=True)


def work_id(work: Node) -> str:
    """The id of a cited work. Its label keeps the author's capitals, an identifier does not."""
    return f"cite-{work.get('label') or work.get('identifier')}".replace(" ", "-").lower()


@renders("citeGroup")
def cite_group(node: Node, page: Page) -> Markup:
    cites = Markup("; ").join(render(child, page) for child in node.get("children") or ())
    return join(["(", cites, ")"] if node.get("kind") == "parenthetical" else [cites])


@renders("footnoteReference")
def footnote_reference(node: Node, page: Page) -> Markup:
    name = node["identifier"]
    again = page.footnote_references.count(name)
    page.footnote_references.append(name)
    number = node.get("enumerator") or node.get("label") or name
    ref = f"fnref-{name}-{again + 1}" if again else f"fnref-{name}"
    label, href = f"Footnote {number}", f"#fn-{name}"
    link_ = el("a", number, href=href, id=ref, aria_label=label, data_preview=True)
    return el("sup", link_, class_="footnote")


@renders("footnoteDefinition")
def footnote_definition(node: Node, page: Page) -> None:
    """Kept for the end of the page."""
    page.footnotes[node["identifier"]] = node
