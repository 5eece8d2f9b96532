"""The checks of the exercises on cost refuse wrong answers and take right ones."""

import math

import pytest
import torch
from books import run_cells

NAME = "content/mlp/cost-of-training.ipynb"
EXERCISES = ("flops", "segment", "ring")


@pytest.fixture(scope="module")
def check():
    """What the checkers need, and the checkers, in whose cells the blanks are tried."""
    blanks = [f"exercise-{each}-blank" for each in EXERCISES]
    checkers = [f"check-{each}" for each in EXERCISES]
    with run_cells(NAME, "imports-variants", "imports", *blanks, *checkers) as found:
        yield found


def products(widths, m):
    return [2 * m * n * k for n, k in zip(widths, widths[1:], strict=False)]


def ring(vectors, shift=0, second=True):
    """The all-reduce, with what may go wrong: the part that is sent, the second half."""
    n = len(vectors)
    parts = [list(vector.chunk(n)) for vector in vectors]
    for t in range(n - 1):
        sent = [parts[r][(r - t + shift) % n].clone() for r in range(n)]
        for r in range(n):
            parts[(r + 1) % n][(r - t + shift) % n] += sent[r]
    for t in range((n - 1) * second):
        sent = [parts[r][(r + 1 - t) % n].clone() for r in range(n)]
        for r in range(n):
            parts[(r + 1) % n][(r + 1 - t) % n] = sent[r]
    return [torch.cat(part) for part in parts], 2 * (n - 1)


WRONG = {
    "check_flops": [
        lambda w, m: 3 * sum(products(w, m)),
        lambda w, m: 2 * sum(products(w, m)),
        lambda w, m: (3 * sum(products(w, m)) - products(w, m)[0]) // 2,
        lambda w, m: (3 * sum(products(w, m)) - products(w, m)[0]) // m,
        lambda w, m: 3 * sum(products(w, m)) - products(w, m)[-1],
        lambda w, m: 3 * sum(products(w, m)) - max(products(w, m)),
        lambda w, m: 3 * sum(products(w, m)) - products(w, m)[0] + 3 * m * sum(w[1:]),
        lambda w, m: None,
    ],
    "check_segment": [
        lambda d: 1,
        lambda d: d,
        lambda d: 0,
        lambda d: max(1, d // 2),
        lambda d: 1 + int(math.log2(d)),
        lambda d: math.sqrt(d),
        lambda d: min(d, math.ceil(math.sqrt(d)) + 2),
    ],
    "check_ring": [
        lambda v: ([], 2 * (len(v) - 1)),
        lambda v: ([sum(v)], 2 * (len(v) - 1)),
        lambda v: (v, 2 * (len(v) - 1)),
        lambda v: ([sum(v) / len(v)] * len(v), 2 * (len(v) - 1)),
        lambda v: ([sum(v)] * len(v), len(v) - 1),
        lambda v: ([sum(v)] * len(v), 2 * len(v)),
        lambda v: ring(v, shift=1),
        lambda v: ring(v, second=False),
    ],
}
RIGHT = {
    "check_flops": [
        lambda w, m: 3 * sum(products(w, m)) - products(w, m)[0],
        lambda w, m: sum(products(w, m)) + sum(products(w, m)) + sum(products(w[1:], m)),
    ],
    "check_segment": [
        lambda d: min(range(1, d + 1), key=lambda s: math.ceil(d / s) + s),
        lambda d: min(reversed(range(1, d + 1)), key=lambda s: math.ceil(d / s) + s),
        lambda d: max(1, round(math.sqrt(d))),
    ],
    "check_ring": [ring, lambda v: (tuple(ring(v)[0]), ring(v)[1])],
}


@pytest.mark.parametrize(("name", "answer"), [(n, a) for n in WRONG for a in WRONG[n]])
def test_wrong_answers_are_refused(check, name, answer):
    with pytest.raises(AssertionError):
        check[name](answer)


@pytest.mark.parametrize(("name", "answer"), [(n, a) for n in RIGHT for a in RIGHT[n]])
def test_right_answers_are_taken(check, name, answer):
    check[name](answer)
