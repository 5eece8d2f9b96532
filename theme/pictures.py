"""Images: whether they may be shown, their size (so that nothing shifts), their dark variants."""

from __future__ import annotations

import re
from io import BytesIO
from xml.parsers import expat

BLACK = re.compile(r"""[:"'=]\s*(?:#000(?:000)?|black)\b""", re.IGNORECASE)
UNITS = {"": 1, "px": 1, "pt": 4 / 3, "in": 96, "cm": 96 / 2.54, "mm": 96 / 25.4}
NUMBER = r"(?:\d{1,9}(?:\.\d*)?|\.\d+)"
LENGTH = re.compile(rf"\s*({NUMBER})\s*([a-z]*)\s*$")
BOX = re.compile(rf"\s*(?:-?{NUMBER}[\s,]+){{2}}({NUMBER})[\s,]+({NUMBER})\s*$")
SVG_TAG = re.compile(r"<(?:\w+:)?svg\b[^>]*>", re.DOTALL)

# What a drawing may hold: addresses of its own parts, and of pictures and fonts inside of it.
# (Without white space, which browsers pass over in some of them.)
OWN = (
    r"(?:#[^\"')]*|data:(?:image/(?:png|jpe?g|gif|webp)|font/\w+|application/(?:x-)?font-\w+)"
    r"[;,][^\"')]*)?"
)
OWN_ADDRESS = re.compile(OWN, re.IGNORECASE)
OWN_URL = re.compile(rf"url\([\"']?{OWN}[\"']?\)", re.IGNORECASE)
FOREIGN = re.compile(r"(url\(|src\(|image-set\(|@import|javascript:).{0,40}", re.I | re.DOTALL)
SPACE = re.compile(r"\s+")
CSS_ESCAPE = re.compile(r"\\(?:([0-9a-f]{1,6})\s?|(.))", re.IGNORECASE | re.DOTALL)
ADDRESSES = frozenset({"href", "src", "base", "ping"})
RUNNING = frozenset({"script", "foreignobject", "handler", "listener"})
XHTML = "http://www.w3.org/1999/xhtml"
W3C = ("http://www.w3.org/", "https://www.w3.org/")


def dark_variant(svg: str, palette: dict[str, str]) -> str | None:
    """The drawing with the colors of the book's palette, of which the first is that of its ink,
    swapped for those of the dark page.

    None when it is not in these colors: half of a palette must not be swapped.
    """
    if not palette or next(iter(palette)) not in svg.lower() or BLACK.search(svg):
        return None
    colors = re.compile("|".join(map(re.escape, palette)), re.IGNORECASE)
    return colors.sub(lambda match: palette[match[0].lower()], svg)


def size(content: bytes, suffix: str) -> tuple[int, int] | None:
    """Width and height of an image in CSS pixels.

    None when a drawing does not say, or when any other image is broken.
    """
    if suffix == ".svg":
        return _svg_size(content.decode(errors="replace"))
    from PIL import Image  # slow to import, and rarely needed

    try:
        with Image.open(BytesIO(content)) as image:
            image.load()  # the rest may be cut off
            return image.size
    except Exception:  # there is hardly one that Pillow does not raise for broken files
        return None


def _svg_size(svg: str) -> tuple[int, int] | None:
    tag = SVG_TAG.search(svg)
    if not tag:
        return None
    found = dict(re.findall(r"""\s(width|height|viewBox)\s*=\s*["']([^"']*)["']""", tag[0]))
    matches = [LENGTH.match(found.get(name, "")) for name in ("width", "height")]
    lengths = [float(each[1]) * UNITS[each[2]] for each in matches if each and each[2] in UNITS]
    if len(lengths) == 2:
        width, height = lengths
    elif box := BOX.match(found.get("viewBox", "")):
        width, height = float(box[1]), float(box[2])
    else:
        return None
    return round(width), round(height)


def check_svg(content: bytes) -> None:
    """Raise ValueError unless this is a drawing that runs nothing and asks for nothing.

    Opened at its own address, a drawing is a document of the site, without the page's policy.
    """
    parser = expat.ParserCreate(namespace_separator=" ")
    path: list[str] = []  # the open elements
    styles: list[str] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        namespace, _, tag = name.rpartition(" ")
        if not path and tag != "svg":
            raise ValueError(f"is not a drawing: its root is <{tag}>")
        if tag.lower() in RUNNING or namespace == XHTML:
            raise ValueError(f"has the element <{tag}>, which could run code")
        path.append(tag)
        for key, value in attributes.items():
            _check_attribute(key, value)

    def text(data: str) -> None:
        if "style" in path:
            styles.append(data)

    parser.StartElementHandler, parser.EndElementHandler = start, lambda _: path.pop()
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = _check_doctype
    parser.ProcessingInstructionHandler = _check_instruction
    try:
        content.decode()
        parser.Parse(content, True)
    except (expat.ExpatError, UnicodeDecodeError, LookupError) as error:
        raise ValueError(f"is malformed: {error}") from error
    _check_style("".join(styles))


def _check_attribute(key: str, value: str) -> None:
    """A drawing's attribute: no handler, and no address outside of the drawing."""
    namespace, _, name = key.rpartition(" ")
    changes = value.rpartition(":")[2].strip() if name == "attributeName" else ""
    if any(word.lower().startswith("on") for word in (name, changes)) and not namespace:
        raise ValueError(f"has the attribute {name}={value!r}, which could run code")
    is_foreign = name in ADDRESSES and not OWN_ADDRESS.fullmatch(SPACE.sub("", value))
    if is_foreign or changes in ADDRESSES:
        raise ValueError(f"leads elsewhere: {name}={value[:40]!r}")
    _check_style(value)


def _check_style(css: str) -> None:
    """A drawing's style: no address outside of the drawing, however it is written."""

    def character(match: re.Match[str]) -> str:
        return chr(min(int(match[1], 16), 0x10FFFF)) if match[1] else match[2]

    rest = OWN_URL.sub("", SPACE.sub("", CSS_ESCAPE.sub(character, css)))
    if found := FOREIGN.search(rest):
        raise ValueError(f"leads elsewhere: {found[0]!r}")


def _check_doctype(_: str, system: str | None, __: str | None, has_declarations: int) -> None:
    """The W3C's document type is only a name; anything else could declare entities."""
    if has_declarations or not (system or W3C[0]).startswith(W3C):
        raise ValueError("declares a document type with entities")


def _check_instruction(target: str, _: str) -> None:
    """A style sheet outside of the drawing could be a program (XSLT)."""
    if target.lower() == "xml-stylesheet":
        raise ValueError("asks for a style sheet")
