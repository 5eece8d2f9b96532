"""What a page says of itself to search engines, link previews and reference managers."""

from __future__ import annotations

from io import BytesIO
from textwrap import wrap
from typing import Any

from markupsafe import Markup

from . import mystast
from .book import Book, page_file
from .markup import el

CARD = (1200, 630)  # the size that link previews expect
INK, PAPER, MUTED, ACCENT = "#1b1f24", "#ffffff", "#59636e", "#0b57a4"


def tags(front: dict[str, Any], file: str, book: Book, card: str) -> Markup:
    """The `<meta>` and `<link>` elements of the page in `file`. `card` is the preview's image.

    Addresses among them have to be absolute: without the book's own there are none.
    """
    title = front.get("title") or book.title
    address = book.address(file)
    properties = {
        "og:type": "article",
        "og:title": title,
        "og:site_name": book.title,
        "og:description": front.get("description") or book.description,
        "og:url": address,
        "og:image": book.address(card) if card else None,
        "og:image:alt": book.title if card else None,
    }
    names = [
        ("twitter:card", "summary_large_image" if address else None),
        ("citation_title", title),
        *(("citation_author", author) for author in authors(front, book)),
        ("citation_publication_date", (front.get("date") or "").replace("-", "/")),
        ("citation_inbook_title", book.title if title != book.title else None),
        ("citation_doi", front.get("doi")),
        ("citation_language", book.language),
        ("citation_fulltext_html_url", address),
    ]
    return Markup("\n").join(
        [
            *([el("link", rel="canonical", href=address)] if address else []),
            *(el("meta", property=name, content=text) for name, text in properties.items() if text),
            *(el("meta", name=name, content=text) for name, text in names if text),
        ]
    )


def authors(front: dict[str, Any], book: Book) -> list[str]:
    """The names of a page's own authors, or else the book's."""
    return [author["name"] for author in front.get("authors") or ()] or book.authors


def beginning(tree: dict[str, Any], length: int = 160) -> str | None:
    """The beginning of the first paragraph: what a page says of itself, if nobody has."""
    for node in mystast.walk(tree):
        if node["type"] == "paragraph" and (text := " ".join(mystast.text_of(node).split())):
            return text if len(text) <= length else text[: length - 1].rsplit(" ", 1)[0] + "…"
    return None


def reading_minutes(tree: dict[str, Any]) -> int:
    """About how many minutes a page takes to read; what is folded and outputs do not count.

    150 words a minute, and six seconds for each line of code and each displayed formula.
    """
    seconds, todo = 0.0, [tree]
    while todo:
        node = todo.pop()
        if node.get("visibility") in ("hide", "remove") or node["type"] == "outputs":
            continue
        if node["type"] == "code":
            seconds += 6 * sum(bool(line.strip()) for line in node["value"].splitlines())
        elif node["type"] == "math":
            seconds += 6
        elif node["type"] in ("text", "inlineCode", "inlineMath"):
            words = node["value"].split() if node["type"] == "text" else [node]
            seconds += len(words) * 60 / 150
        todo += node.get("children") or []
    return round(seconds / 60)


def card(book: Book) -> bytes:
    """The picture that stands for the book where its address is shared (PNG)."""
    from PIL import Image, ImageDraw, ImageFont  # slow to import

    image = Image.new("RGB", CARD, PAPER)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, 24, CARD[1]), fill=ACCENT)
    title = "\n".join(wrap(book.title, 24)[:4])
    draw.multiline_text((100, 110), title, INK, ImageFont.load_default(76), spacing=24)
    authors = ", ".join(book.authors)
    draw.text((100, CARD[1] - 120), authors, MUTED, ImageFont.load_default(36))
    file = BytesIO()
    image.save(file, "PNG", optimize=True)
    return file.getvalue()


def sitemap(book: Book) -> str:
    """The list of all pages for search engines; needs the book's own address."""
    addresses = (book.address(page_file(page.slug)) for page in book.pages)
    urls = [el("url", el("loc", address)) + Markup("\n") for address in addresses]
    head = '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">'
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + head + "\n" + "".join(urls) + "</urlset>\n"


def robots(book: Book) -> str:
    """What crawlers may read: everything."""
    place = f"Sitemap: {book.address('sitemap.xml')}\n" if book.url else ""
    return f"User-agent: *\nAllow: /\n{place}"
