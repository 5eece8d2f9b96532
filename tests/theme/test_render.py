"""The commands: a site is written whole, the same each time, or the build fails and says why."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, unquote, urljoin, urlsplit

import pytest
from lxml import html as lxml_html

from theme import render

THEME = Path(render.__file__).parent
TEXT_INSIDE = {"children": [{"type": "text", "value": "It is <here>."}]}
TEXT = {"type": "paragraph", **TEXT_INSIDE}


@pytest.fixture
def katex(tmp_path, monkeypatch) -> Path:
    """KaTeX's stylesheet and a font, so that these tests need no npm."""
    folder = tmp_path / "katex"
    (folder / "fonts").mkdir(parents=True)
    (folder / "fonts" / "Main.woff2").write_bytes(b"font")
    (folder / "katex.min.css").write_text(
        '@font-face{src:url(fonts/Main.woff2) format("woff2"),'
        'url(fonts/Main.woff) format("woff"),url(fonts/Main.ttf) format("truetype")}'
    )
    (folder / "library.js").write_text("library")
    monkeypatch.setattr(render, "KATEX", folder)
    monkeypatch.setattr(render, "COPY_TEX", folder / "library.js")
    monkeypatch.setattr(render, "MINISEARCH", folder / "library.js")
    return folder


@pytest.fixture
def build(katex, content_server, monkeypatch, tmp_path):
    """Build the site of the content server into a folder; returns (status, folder)."""

    def run(name: str = "site") -> tuple[int, Path]:
        folder = tmp_path / name
        folder.mkdir()
        monkeypatch.setenv("CONTENT_CDN", content_server.url)
        monkeypatch.setenv("BUILD_DIRECTORY", str(folder))
        return render.build(), folder

    return run


def pages(folder: Path) -> dict[str, lxml_html.HtmlElement]:
    """The pages of the book by their file, without those beside it."""
    return {
        path.relative_to(folder).as_posix(): lxml_html.parse(str(path)).getroot()
        for path in sorted(folder.rglob("*.html"))
        if path.name not in ("404.html", "book.html")
    }


def test_every_page_is_written_and_every_link_resolves(build, content_server, drawing):
    content_server.files["/a.svg"] = drawing.encode()
    image = {"type": "image", "url": "/a.svg", "alt": "A"}
    math = {"type": "math", "value": "x", "html": '<span class="katex">x</span>'}
    heading = {"type": "heading", "depth": 2, "html_id": "h", "children": []}
    content_server.put("part.one", TEXT, heading, image, math, title="One & <only>")
    status, folder = build()
    found = pages(folder)
    assert status == 0
    assert list(found) == ["index.html", "part/index.html", "part/one.html", "two.html"]
    assert "It is <here>." in found["part/one.html"].text_content()
    assert found["part/one.html"].findtext(".//h1") == "One & <only>"
    links = [
        (file, url)
        for file, page in found.items()
        for url in page.xpath("//@href | //@src")
        if not urlsplit(url).scheme
    ]
    assert len(links) > 20
    for file, url in links:
        path = urlsplit(urljoin(file, url)).path
        assert (folder / path).is_file(), f"{file} links to {url}"
        if path == "book.html":
            continue
        if fragment := urlsplit(url).fragment:
            assert found[path].xpath("//*[@id=$id]", id=fragment)
    assert len([p for p, page in found.items() if "katex" in str(page.xpath("//link/@href"))]) == 1


def test_the_same_sources_give_the_same_bytes(build, content_server, tmp_path):
    """MyST gives random ids to outputs and to the entries of an index."""
    sites = {
        "first": ("a-random-id", "index-0a1b2c3d4e"),
        "second": ("another", "index-zzzzzzzzzz"),
    }
    for name, (output, entry) in sites.items():
        reference = {"identifier": entry, "kind": "span", "url": "/two"}
        xref = {"references": [reference, {"kind": "page", "url": "/two"}]}
        content_server.files["/myst.xref.json"] = json.dumps(xref).encode()
        label = "index-" + entry[6:].upper()
        span = {"type": "span", "html_id": entry, "identifier": entry, "label": label}
        span |= {"indexEntries": [], "children": []}
        content_server.put("two", TEXT, {"type": "outputs", "id": output, "children": []}, span)
        link = {"type": "crossReference", "html_id": entry, "resolved": True, **TEXT_INSIDE}
        content_server.put("index", {**link, "remote": True, "url": "/two"})
        assert build(name)[0] == 0
    first, second = (tmp_path / name for name in sites)
    assert 'href="two.html#index-entry-1"' in (first / "index.html").read_text()
    files = sorted(path.relative_to(first) for path in first.rglob("*") if path.is_file())
    assert files == sorted(path.relative_to(second) for path in second.rglob("*") if path.is_file())
    assert all((first / file).read_bytes() == (second / file).read_bytes() for file in files)


def test_the_labels_of_authors_stay(build, content_server):
    """Also those of ten letters: `exercise-regression` looks like what MyST draws."""
    own = {"label": "exercise-regression", "identifier": "exercise-regression", "enumerated": True}
    drawn = {
        "enumerated": True,
        "label": "exercise-mJMWM1OIMB",
        "identifier": "exercise-mjmwm1oimb",
    }
    term = {"type": "span", "label": "index-gradientss", "identifier": "index-gradientss"}
    nodes = [{"type": "exercise", **each, "children": []} for each in (own, drawn)]
    content_server.put("two", *nodes, {**term, "indexEntries": [], "children": []})
    _, folder = build()
    found = pages(folder)["two.html"].xpath("//article//@id")
    assert found == ["exercise-regression", "exercise-entry-1", "index-gradientss"]


def test_a_title_with_a_formula_is_plain_wherever_only_text_can_stand(build, content_server):
    html = "<semantics><msub><mi>ℓ</mi><mn>2</mn></msub><annotation>x</annotation></semantics>"
    formula = {"type": "inlineMath", "value": "\\ell_2", "html": f"<math>{html}</math>"}
    text = {"type": "text", "value": "The "}
    heading = {"type": "heading", "depth": 1, "children": [text, formula], "html_id": "the"}
    content_server.put("two", heading, title="The \\ell_2")
    document = json.loads(content_server.files["/content/two.json"])
    document["frontmatter"]["content_includes_title"] = True
    content_server.files["/content/two.json"] = json.dumps(document).encode()
    _, folder = build()
    found = pages(folder)
    assert found["two.html"].findtext(".//title") == "The ℓ_2 · The book"
    assert "The ℓ_2" in found["index.html"].xpath("//nav[@id='contents']//a/text()")


def test_the_tex_in_a_title_without_a_heading_is_plain_too(build, content_server):
    """What is no formula stays."""
    content_server.put("two", title=r"The \ell_2 norm by \newcommand")
    _, folder = build()
    assert pages(folder)["two.html"].findtext(".//h1") == r"The ℓ_2 norm by \newcommand"


def test_all_problems_of_all_pages_are_told_and_fail_the_build(build, content_server, capsys):
    content_server.put("part.one", {"type": "hologram"}, {"type": "smell", "value": ""})
    content_server.put("two", {"type": "hologram"})
    status, _ = build()
    told = capsys.readouterr().err
    assert status == 1
    assert told.count("content/part/one.md") == 2
    assert told.count("content/two.md") == 1
    assert "3 problem" in told


def test_nothing_on_a_page_comes_from_elsewhere(build):
    _, folder = build()
    for page in pages(folder).values():
        loaded = page.xpath("//script/@src | //img/@src | //link[@rel!='canonical']/@href")
        assert loaded and not [
            url for url in loaded if urlsplit(url).netloc or urlsplit(url).scheme
        ]
    css = next(folder.glob("assets/katex.*.css")).read_text()
    fonts = re.findall(r"url\(([^)]*)\)", css)
    assert len(fonts) == 1 and (folder / "assets" / fonts[0]).read_bytes() == b"font"


def test_the_policy_allows_the_inline_script_by_its_hash_and_no_other(build):
    _, folder = build()
    for page in pages(folder).values():
        policy = page.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")[0]
        inline = page.xpath("//script[not(@src)]")
        assert len(inline) == 1
        digest = base64.b64encode(hashlib.sha256(inline[0].text.encode()).digest()).decode()
        assert f"script-src 'self' 'sha256-{digest}';" in policy
        assert "default-src 'none'" in policy
        assert not page.xpath("//*[@onclick or @onload or @onerror] | //style")


def test_landmarks_and_the_present_page(build):
    _, folder = build()
    for file, page in pages(folder).items():
        assert page.xpath("count(//main)") == page.xpath("count(//h1)") == 1
        assert page.get("lang") == "en"
        names = page.xpath("//nav/@aria-label")
        assert len(names) == len(set(names))
        current = page.xpath("//nav[@id='contents']//a[@aria-current='page']/@href")
        assert [urljoin(file, url) for url in current] == [file]
        ids = page.xpath("//@id")
        assert len(ids) == len(set(ids))


def test_a_notebook_says_where_else_it_is(build, content_server):
    source = "/content/part/one.ipynb"
    content_server.put("part.one", source=source)
    _, folder = build()
    hrefs = pages(folder)["part/one.html"].xpath("//ul[@class='actions']//@href")
    assert hrefs[:3] == [
        f"https://colab.research.google.com/github/someone/book/blob/main{source}",
        f"https://github.com/someone/book/blob/main{source}",
        f"https://github.com/someone/book/edit/main{source}",
    ]
    issue = urlsplit(hrefs[3])
    assert (issue.netloc, issue.path) == ("github.com", "/someone/book/issues/new")
    assert parse_qs(issue.query) == {"title": ["A title: "], "body": [f"The page {source[1:]}\n\n"]}


@pytest.mark.parametrize("name", ["c#d.ipynb", "a?b.ipynb", "50%20.ipynb", "größe →.ipynb"])
def test_addresses_of_the_source_lead_to_files_with_any_name(name, build, content_server):
    source = f"/content/{name}"
    content_server.put("part.one", source=source)
    _, folder = build()
    hrefs = pages(folder)["part/one.html"].xpath("//ul[@class='actions']//@href")
    for href in hrefs[:3]:
        parts = urlsplit(href)
        assert unquote(parts.path).endswith(f"/main{source}")
        assert not parts.query and not parts.fragment
    assert parse_qs(urlsplit(hrefs[3]).query)["body"] == [f"The page {source[1:]}\n\n"]


def executed(notebook: bytes) -> bytes:
    """The notebook as if it had been executed."""
    content = json.loads(notebook)
    for cell in content["cells"]:
        if cell["cell_type"] == "code":
            said = {"output_type": "stream", "name": "stdout", "text": ["said\n"]}
            cell.update(outputs=[said], execution_count=7)
            cell["metadata"]["execution"] = {"iopub.status.busy": "2026-11-26T01:10:00Z"}
    content["metadata"]["widgets"] = {"application/vnd.jupyter.widget-state+json": {}}
    return json.dumps(content).encode()


def test_a_notebook_to_download_is_as_it_is_committed(build, content_server):
    notebook = sorted((THEME.parent / "content" / "mlp").glob("*.ipynb"))[0].read_bytes()
    content_server.files["/one-0123.ipynb"] = executed(notebook)
    document = json.loads(content_server.files["/content/part.one.json"])
    exports = [{"format": "ipynb", "filename": "one.ipynb", "url": "/one-0123.ipynb"}]
    document |= {"location": "/content/one.ipynb"}
    document["frontmatter"]["exports"] = exports
    content_server.files["/content/part.one.json"] = json.dumps(document).encode()
    _, folder = build()
    xpath = "//a[@download and text()='Download notebook']/@href"
    (href,) = pages(folder)["part/one.html"].xpath(xpath)
    assert (folder / "part" / href).read_bytes() == notebook


@pytest.mark.parametrize(
    "path", sorted((THEME.parent / "content").rglob("*.ipynb")), ids=lambda path: path.stem
)
def test_each_notebook_comes_out_byte_for_byte(path):
    notebook = path.read_bytes()
    assert render.cleared(executed(notebook)) == render.cleared(notebook) == notebook


@pytest.mark.parametrize("slug", ["book", "404", "assets.data", "assets.index"])
def test_a_page_that_would_overwrite_a_part_of_the_site_stops_the_build(
    slug, build, content_server, monkeypatch, capsys
):
    config = json.loads(content_server.files["/config.json"])
    config["projects"][0]["pages"].append({"slug": slug, "title": "Mine", "level": 1})
    content_server.files["/config.json"] = json.dumps(config).encode()
    content_server.put(slug, TEXT)
    assert build()[0] == 1
    told = capsys.readouterr().err
    assert f"content/{slug.replace('.', '/')}.md: the name" in told and "is taken" in told


def test_every_file_at_the_root_is_a_page_or_its_name_is_taken(build):
    """No page may overwrite another file of the site, nor be overwritten by it."""
    _, folder = build()
    names = {path.name for path in folder.glob("*.html")}
    assert names == {"index.html", "two.html"} | render.TAKEN
    assert {path.name for path in folder.iterdir() if path.is_dir()} == {
        "part",
        "assets",
        "content",  # only .json, and a page is .html
    }


@pytest.mark.parametrize("url", ["javascript:x()", "data:text/html,x", "vbscript:x"])
def test_the_table_of_contents_leads_to_known_schemes_only(url, build, content_server, capsys):
    config = json.loads(content_server.files["/config.json"])
    config["projects"][0]["pages"].append({"url": url, "title": "Elsewhere", "level": 1})
    content_server.files["/config.json"] = json.dumps(config).encode()
    assert build()[0] == 1
    assert f"myst.yml: {url} is not an address" in capsys.readouterr().err


def test_the_fonts_of_the_first_formulas_are_fetched_early(build, content_server, katex):
    for name in ("Main-Regular", "Math-Italic", "Size3-Regular"):
        (katex / f"KaTeX_{name}.woff2").write_bytes(name.encode())
    css = "".join(f"@font-face{{src:url({path.name})}}" for path in katex.glob("KaTeX*"))
    (katex / "katex.min.css").write_text(css)

    def formula(name: str) -> dict:
        html = f'<span class="katex"><span class="{name}">x</span></span>'
        return {"type": "inlineMath", "value": "x", "html": html}

    content_server.put("two", *[formula("mord mathnormal")] * 12, formula("delimsizing size3"))
    content_server.put("part.one", formula("delimsizing size3"), formula("mtight size3"))
    _, folder = build()
    found = {}
    for file, page in pages(folder).items():
        fonts = page.xpath("string(//script/@data-fonts)")
        found[file] = re.findall(r"KaTeX_(\w+)-", fonts)
    assert found["two.html"] == ["Main", "Math"]
    assert found["part/one.html"] == ["Main", "Size3"]
    assert found["index.html"] == []


def test_scripts_are_shipped_without_comments_and_indentation(build):
    _, folder = build()
    for script in folder.glob("assets/*.js"):
        if script.read_text() != "library":
            assert not re.search(r"(?m)^\s|^//", script.read_text()), script.name


def test_katex_missing_says_what_to_run(build, monkeypatch, tmp_path):
    monkeypatch.setattr(render, "KATEX", tmp_path / "nowhere")
    with pytest.raises(SystemExit, match="npm install"):
        build()


def test_katex_is_the_version_inside_myst():
    versions = json.loads((THEME / "package.json").read_text())["dependencies"]
    assert versions["katex"] == "0.15.6"
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in versions.values())


@contextmanager
def preview(content_server, host: str = "localhost") -> Iterator[tuple[subprocess.Popen, str]]:
    """The preview of the content server's book, in a process of its own; and its address."""
    with socket.create_server((host, 0)) as free:
        port = free.getsockname()[1]
    environment = {
        **os.environ,
        "PORT": str(port),
        "HOST": host,
        "CONTENT_CDN_PORT": str(content_server.server_port),
        "PYTHONPATH": str(THEME.parent),
    }
    command = [sys.executable, "-B", "-c", PREVIEW, str(render.KATEX)]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline() == f"Serving on http://{host}:{port}\n"
        yield process, f"http://{host}:{port}"
    finally:
        process.kill()
        process.communicate()


def refused(url: str) -> tuple[int, str]:
    """The status and the text of an answer that is no page."""
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(url)
    with error.value as answer:
        return answer.code, answer.read().decode()


def test_the_preview_says_what_is_wrong_with_a_page(katex, content_server):
    """A node of a form that nobody has seen, a page that is no JSON, a package that is missing."""
    content_server.put("two", {"type": "heading", "children": []})
    with preview(content_server) as (_, url):
        status, text = refused(f"{url}/two.html")
        assert status == 500
        assert "KeyError: 'depth'" in text and "content/two.md" in text
        content_server.files["/content/part.one.json"] = b"<html>"
        assert refused(f"{url}/part/one.html")[0] == 500
        content_server.put("part.one")
        (katex / "katex.min.css").unlink()
        status, text = refused(f"{url}/index.html")
        assert status == 500 and "npm install" in text
        del content_server.files["/content/two.json"]
        (katex / "katex.min.css").write_text("")
        assert refused(f"{url}/two.html")[0] == 503


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have one loopback address only")
def test_the_preview_listens_where_it_is_told(katex, content_server):
    with preview(content_server, "127.0.0.2") as (_, url):
        with urllib.request.urlopen(url) as response:
            assert "A title" in response.read().decode()
        with pytest.raises(urllib.error.URLError):
            urllib.request.urlopen(url.replace("127.0.0.2", "127.0.0.1"))


PREVIEW = """
import sys
from theme import render
from pathlib import Path
render.KATEX = Path(sys.argv[1])
render.COPY_TEX = render.MINISEARCH = render.KATEX / "library.js"
sys.exit(render.start())
"""


def test_the_preview_serves_fresh_pages_and_ends_with_the_content_server(katex, content_server):
    with preview(content_server) as (process, address):

        def read(path: str) -> str:
            with urllib.request.urlopen(f"{address}{path}") as response:
                return response.read().decode()

        assert "A title" in read("/")
        assert f"ws://localhost:{content_server.server_port}" in read("/part/one.html")
        content_server.put("two", TEXT, {"type": "hologram"})
        fresh = read("/two.html")
        assert "It is &lt;here&gt;." in fresh and "hologram" in fresh
        style = lxml_html.fromstring(fresh).xpath("//link[@rel='stylesheet']/@href")[0]
        assert "--paper" in read(f"/{style}")
        with pytest.raises(urllib.error.HTTPError, match="404") as missing:
            read("/nowhere.html")
        assert b"There is no such page" in missing.value.read()
        missing.value.close()
        assert "It is &lt;here&gt;." in read("/book.html")
        content_server.shutdown()
        content_server.server_close()
        deadline = time.monotonic() + 10
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.1)
        assert process.returncode == 0


def test_a_pdf_is_linked_where_there_will_be_one(build, content_server, config):
    _, folder = build("without")
    assert not any(".pdf" in path.read_text() for path in folder.rglob("*.html"))
    settings = config | {"options": {"pdf": "book.pdf"}}
    content_server.files["/config.json"] = json.dumps(settings).encode()
    _, folder = build("with")
    for file, page in pages(folder).items():
        (address,) = page.xpath("//nav[@id='contents']//a[contains(@href, '.pdf')]/@href")
        assert urljoin(f"/{file}", address) == "/book.pdf"
