"""The site: MyST's pages in, HTML out.

`build` writes the site to BUILD_DIRECTORY and fails, with every problem on stderr, when a reader
would miss anything. `start` serves the same pages while they are written. MyST runs both
(template.yml, __main__.py) and tells in the environment where its content server is.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from . import documents, inventory, metadata, mystast, searching, whole
from .book import Assets, Book, ContentServer, Entry, page_file

THEME = Path(__file__).resolve().parent
STATIC = THEME / "static"
KATEX = THEME / "node_modules" / "katex" / "dist"
MINISEARCH = THEME / "node_modules" / "minisearch" / "dist" / "umd" / "index.js"
COPY_TEX = KATEX / "contrib" / "copy-tex.min.js"
SCRIPTS = ("theme.js", "search.js", "copy.js", "outline.js", "scroll.js", "hover.js")
# Scripts and styles of features that only some pages have, by the feature.
PARTIAL = {"tabs": "tabs.js", "widget": "widget.js"}
NOT_FOUND = "404.html"
TAKEN = frozenset({whole.FILE, NOT_FOUND})  # what a page would overwrite
# The fonts of KaTeX that formulas may need at once, and the classes that ask for them.
FONTS = {
    "KaTeX_Main-Regular": "katex",
    "KaTeX_Math-Italic": "mathnormal",
    "KaTeX_Size1-Regular": "delimsizing size1|small-op",
    "KaTeX_Size2-Regular": "delimsizing size2|large-op",
    "KaTeX_Size3-Regular": "delimsizing size3",
    "KaTeX_Size4-Regular": "delimsizing size4|delim-size4",
}
FIRST_FORMULAS = 12  # about as many as can be seen before the page is scrolled


# A page as a part of the whole book: its file, its title if the article has none, its article.
Chapter = tuple[str, str | None, Markup]


class Theme:
    """The template, and the assets that every page shares, written once."""

    def __init__(self, assets: Assets, *, live: str | None = None):
        self._assets = assets
        self.style = assets.add("style.css", (STATIC / "style.css").read_bytes())
        self.icon = assets.add("icon.svg", (STATIC / "icon.svg").read_bytes())
        names = (*SCRIPTS, "reload.js") if live else SCRIPTS
        self.scripts = [self._script(name) for name in names]
        self.partial = {feature: self._script(name) for feature, name in PARTIAL.items()}
        self.live = live
        style, self._fonts = katex(assets)
        self.katex = assets.add("katex.css", style.encode())
        self.partial["math"] = assets.add("copy-tex.js", _package(COPY_TEX))
        names = [self.scripts[SCRIPTS.index("scroll.js")], *self.partial.values()]
        self.whole_scripts = sorted(names)
        self.minisearch = assets.add("minisearch.js", _package(MINISEARCH))
        self.dialog = self._script("search-dialog.js")
        # Before the first paint, and so inline: allowed by its hash alone.
        self.early = Markup((STATIC / "early.js").read_text().strip())
        self.policy = content_policy(self.early, live)
        # Found at addresses of any depth, that page has its style in itself.
        self.plain = Markup((STATIC / "plain.css").read_text().strip())
        self.plain_hash = hashed(self.plain)
        environment = Environment(
            loader=FileSystemLoader(THEME),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.template = environment.get_template("page.html.j2")
        self.not_found = environment.get_template("404.html.j2")
        self.whole = environment.get_template("whole.html.j2")

    def _script(self, name: str) -> str:
        """One of our scripts, without what only its readers need: comments and indentation."""
        source = (STATIC / name).read_text(encoding="utf-8")
        return self._assets.add(name, re.sub(r"(?m)^\s*//.*\n|^\s+", "", source).encode())

    def first_fonts(self, article: Markup) -> list[str]:
        """The fonts of the first formulas, to be there when these are painted."""
        mark = 'class="katex"'
        beginning = mark.join(article.split(mark)[: FIRST_FORMULAS + 1])
        return [
            self._fonts[name]
            for name, asked in FONTS.items()
            if name in self._fonts and re.search(rf'class="[^"]*\b({asked})\b', beginning)
        ]


def katex(assets: Assets) -> tuple[str, dict[str, str]]:
    """KaTeX's stylesheet, and its fonts by name, in the one format that browsers need."""
    source = _package(KATEX / "katex.min.css").decode()
    css = re.sub(r',url\([^)]*\.(?:woff|ttf)\) format\("\w+"\)', "", source)
    fonts: dict[str, str] = {}

    def renamed(match: re.Match[str]) -> str:
        font = KATEX / match[1]
        fonts[font.stem] = assets.add(font.name, font.read_bytes())
        return f"url({Path(fonts[font.stem]).name})"

    return re.sub(r"url\(([^)]*)\)", renamed, css), fonts


def _package(path: Path) -> bytes:
    """A file of a package from npm. Raises SystemExit where it is not installed."""
    if not path.exists():
        raise SystemExit(f"{path.name} is missing: run `npm install --ignore-scripts` in {THEME}")
    return path.read_bytes()


def hashed(source: str) -> str:
    """The source expression that allows exactly this inline script or style."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()}'"


def content_policy(early: str, live: str | None) -> str:
    """The Content-Security-Policy: nothing from elsewhere, no inline script but our own."""
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src 'self' {hashed(early)}",
            "style-src 'self'",
            "style-src-attr 'unsafe-inline'",  # KaTeX positions by style attributes
            "img-src 'self' data:",
            "font-src 'self'",
            "media-src 'self'",
            f"connect-src 'self' {live}" if live else "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )


class Site:
    """A book on its way to a folder of HTML."""

    def __init__(self, content: ContentServer, folder: Path, *, live: str | None = None):
        self.content = content
        self.folder = folder
        self.assets = Assets(folder)
        self.theme = Theme(self.assets, live=live)
        self.problems: list[str] = []  # what a reader would miss, and where its source is
        self.read_book()

    def read_book(self) -> None:
        """Read the pages and the table of contents (again: in a preview they change)."""
        config = json.loads(self.content.get("/config.json"))
        project = config["projects"][0]
        slugs = [project["index"], *(page["slug"] for page in project["pages"] if page.get("slug"))]
        texts = {slug: self.content.get(f"/content/{slug}.json").decode() for slug in slugs}
        self._names = documents.lasting_ids(texts)
        self.documents = {slug: json.loads(self._lasting(text)) for slug, text in texts.items()}
        for document in self.documents.values():
            documents.name_plainly(document)
        fronts = {slug: document["frontmatter"] for slug, document in self.documents.items()}
        titles = {slug: front.get("title") or "" for slug, front in fronts.items()}
        home = fronts[project["index"]].get("short_title") or titles[project["index"]]
        self.book = Book(config, home, titles)
        for url in self.book.unsafe_addresses():
            hint = "it must begin with a scheme like https:"
            self.problems.append(f"myst.yml: {url} is not an address to follow: {hint}")
        pages = {page_file(slug): document for slug, document in self.documents.items()}
        self.search = self.assets.add("records.js", searching.script(pages))
        has_card = self.book.url and not self.theme.live
        self.card = self.assets.add("card.png", metadata.card(self.book)) if has_card else ""

    def _lasting(self, text: str) -> str:
        """The text with ids that the next build will have, too."""
        return documents.RANDOM_ID.sub(lambda found: self._names.get(found[0], found[0]), text)

    def render(self, slug: str) -> tuple[mystast.Page, str, Markup]:
        """A page, its HTML, and its article alone. Problems are added to `problems`."""
        document = self.documents[slug]
        source = document["location"].lstrip("/")
        page = mystast.Page(self.book, self.content, self.assets, slug, source, self.problems)
        if page.file in TAKEN or page.file.startswith("assets/"):
            page.problem(f"the name {page.file} is taken by a part of the site: rename this page")
        try:
            article = mystast.article(document, page)
        except Exception as error:  # a node of a form that nobody has seen yet
            error.add_note(f"while rendering {page.source}:{page.line or 1}")
            raise
        html = self.theme.template.render(self._context(document, page, article))
        return page, html, article

    def _context(self, document: dict[str, Any], page: mystast.Page, article: Markup) -> dict:
        """What the template shows, but for what the page and the book tell themselves."""
        front, book = document["frontmatter"], self.book
        description = front.get("description") or metadata.beginning(document["mdast"])
        authors = metadata.authors(front, book)

        def href(entry: Entry) -> str | None:
            return page.url(entry.file) if entry.file else entry.url

        return {
            "book": book,
            "theme": self.theme,
            "page": page,
            "front": front,
            "search": self.search,
            "href": href,
            "title": front.get("title") or book.title,
            "authors": authors if authors != book.authors else [],
            "description": description,
            "tags": metadata.tags(
                {**front, "description": description}, page.file, book, self.card
            ),
            "minutes": metadata.reading_minutes(document["mdast"]),
            "fonts": self.theme.first_fonts(article),
            "outline": nested(page.outline),
            "actions": list(actions(document, page)),
            "feedback": feedback(document, page),
            "article": article,
            "whole": whole.FILE,
        }

    def whole(self, chapters: Iterator[Chapter]) -> Iterator[str]:
        """The HTML of the whole book on one page, piece by piece: it may be large."""
        return self.theme.whole.generate(
            book=self.book, theme=self.theme, chapters=chapters, place=whole.place
        )

    def not_found(self) -> str:
        """The HTML that answers an address without a page."""
        return self.theme.not_found.render(book=self.book, theme=self.theme)

    def build(self) -> None:
        """Write every page, the whole book on one page, and what stands beside the pages."""
        chapters = (self.write_page(entry.slug) for entry in self.book.pages)
        with open(self.folder / whole.FILE, "w", encoding="utf-8") as file:
            file.writelines(self.whole(chapters))
        self._write(NOT_FOUND, self.not_found())
        self._write("robots.txt", metadata.robots(self.book))
        self._write_references()
        if self.book.url:
            self._write("sitemap.xml", metadata.sitemap(self.book))

    def _write_references(self) -> None:
        """Write what another book needs to link to the places of this one."""
        found = json.loads(self._lasting(self.content.get("/myst.xref.json").decode()))
        self._write("myst.xref.json", json.dumps(inventory.references(found, self.book)))
        targets = inventory.inventory(self.content.get("/objects.inv"), self.book)
        (self.folder / "objects.inv").write_bytes(targets)

    def write_page(self, slug: str) -> Chapter:
        """Write one page; its chapter of the whole book."""
        page, html, article = self.render(slug)
        self._write(page.file, html)
        self._write(f"content/{slug}.json", inventory.page(self.documents[slug]))
        return page.file, page.title, whole.chapter(article, page.file)

    def _write(self, name: str, text: str) -> None:
        target = self.folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


def nested(outline: list[tuple[int, str, Markup]]) -> list[tuple[str, Markup, list]]:
    """Headings of the second and third level as a list of (id, text, the ones below)."""
    top: list[tuple[str, Markup, list]] = []
    for depth, name, text in outline:
        level = top[-1][2] if depth > 2 and top else top
        level.append((name, text, []))
    return top


def actions(document: dict[str, Any], page: mystast.Page) -> Iterator[tuple[str, str]]:
    """Where else a reader can have this page: (name, address)."""
    repository, path = page.book.github, path_in_repository(page)
    if page.source.endswith(".ipynb"):
        if repository:
            name = repository.removeprefix("https://github.com/")
            yield "Open in Colab", f"https://colab.research.google.com/github/{name}/blob/{path}"
        for export in document["frontmatter"].get("exports") or ():
            content = page.fetch(export["url"]) if export["format"] == "ipynb" else None
            if content is not None:
                yield "Download notebook", page.publish(export["filename"], cleared(content))
    if repository:
        yield "View source", f"{repository}/blob/{path}"


def path_in_repository(page: mystast.Page) -> str:
    """The branch and the page's source, as they stand in addresses of GitHub and Colab."""
    return quote(f"{page.book.branch}/{page.source}")


def cleared(notebook: bytes) -> bytes:
    """The notebook as it is committed: without what its execution has left in it."""
    content = json.loads(notebook)
    for cell in content["cells"]:
        cell["metadata"].pop("execution", None)
        if cell["cell_type"] == "code":
            cell.update(outputs=[], execution_count=None)
    content["metadata"].pop("widgets", None)
    return (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode()


def feedback(document: dict[str, Any], page: mystast.Page) -> list[tuple[str, str]]:
    """Where a reader can edit this page, or report what is wrong with it: (name, address)."""
    repository = page.book.github
    if not repository:
        return []
    title = document["frontmatter"].get("title") or page.book.title
    issue = {"title": f"{title}: ", "body": f"The page {page.source}\n\n"}
    return [
        ("Edit this page", f"{repository}/edit/{path_in_repository(page)}"),
        ("Report a problem", f"{repository}/issues/new?{urlencode(issue, quote_via=quote)}"),
    ]


def build() -> int:
    """Write the site; the number of problems is told on stderr."""
    site = Site(ContentServer(os.environ["CONTENT_CDN"]), Path(os.environ["BUILD_DIRECTORY"]))
    site.build()
    problems = list(dict.fromkeys(site.problems))  # in the order of the pages and their text
    for problem in problems:
        print(problem, file=sys.stderr, flush=True)
    if problems:
        print(f"The site has {len(problems)} problem(s).", file=sys.stderr, flush=True)
    return 1 if problems else 0


def start() -> int:
    """Serve the book while it is written."""
    from .preview import serve  # a build needs no web server

    return serve(Site)
