"""Formulas of code: from several threads at once, and without KaTeX."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from theme import latex


@pytest.fixture
def fresh() -> Iterator[None]:
    """No process of KaTeX that was started before, nor one left behind."""
    latex._katex.cache_clear()
    yield
    latex._katex.cache_clear()


def test_each_thread_gets_the_answers_to_its_own_questions(fresh):
    """The preview answers in as many threads as a browser has requests."""
    formulas = [f"x_{{{number}}}" for number in range(400)]
    with ThreadPoolExecutor(8) as pool:
        nodes = list(pool.map(lambda tex: latex.node(tex, display=False), formulas))
    for tex, node in zip(formulas, nodes, strict=True):
        assert f">{tex}</annotation>" in node["html"]


def test_katex_missing_is_said_in_a_sentence(fresh, monkeypatch, capfd):
    monkeypatch.setattr(latex, "SCRIPT", 'require("no-such-package")')
    for _ in range(2):  # the second question finds a process that has ended
        node = latex.node("x", display=False)
        assert node["error"] and "npm install" in node["message"]
    monkeypatch.undo()
    assert "html" in latex.node("x", display=False)  # it has been installed meanwhile


def test_node_js_missing_is_said_in_a_sentence(fresh, monkeypatch):
    monkeypatch.setenv("PATH", os.devnull)
    assert "npm install" in latex.node("x", display=False)["message"]


def test_macros_are_known_in_one_formula_and_do_not_leak(fresh):
    macros = {r"\loss": r"\mathcal{L}"}
    assert "html" in latex.node(r"\loss \gdef\mine{x}", display=False, macros=macros)
    assert macros == {r"\loss": r"\mathcal{L}"}
    assert latex.node(r"\loss", display=False)["error"]
    assert latex.node(r"\mine", display=False)["error"]
