"""MyST's syntax tree as HTML: one function per node type, in a registry.

To support a new node type, write a function `(node, page) -> Markup` under `@renders("type")`, in
the module whose name says what kind of thing it is: build elements with `el`, which escapes, and
descend with `inside`. What a reader would miss goes to `page.problem`; the build then fails and
tells all of them at once.
"""

from . import blocks, formulas, media, outputs, prose, references
from .article import article
from .page import RENDERERS, Page, render, renders, text_of, walk

__all__ = ["RENDERERS", "Page", "article", "render", "renders", "text_of", "walk"]
_ = blocks, formulas, media, outputs, prose, references  # they have registered their functions
