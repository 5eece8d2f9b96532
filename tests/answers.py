"""The two tests of every exercise's check: wrong answers are refused, and right ones are taken."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pytest

from tools import exercises, exercises_evidence, exercises_training

Answers = Mapping[str, Iterable[Callable[..., Any]]]


def check_of(name: str) -> Callable[..., None]:
    """A check of the book's, by its name."""
    parts = (exercises, exercises_evidence, exercises_training)
    return next(getattr(part, name) for part in parts if hasattr(part, name))


def answer_tests(wrong: Answers, right: Answers) -> tuple[Callable[..., None], Callable[..., None]]:
    """The tests, for a module to name: answers stand by the names of their checks."""

    @pytest.mark.parametrize(("name", "answer"), [(n, a) for n in wrong for a in wrong[n]])
    def refused(name, answer):
        with pytest.raises(AssertionError):
            check_of(name)(answer)

    @pytest.mark.parametrize(("name", "answer"), [(n, a) for n in right for a in right[n]])
    def taken(name, answer):
        check_of(name)(answer)

    return refused, taken
