"""The cost notebook: the checks of its exercises, and the recorded results that it shows."""

import csv
import math
from itertools import pairwise

from answers import answer_tests
from books import ROOT

from scripts import bench


def products(widths, m):
    return [2 * m * n * k for n, k in pairwise(widths)]


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
    "check_break_even": [
        lambda start, epoch, other: start / (other - epoch) if other > epoch else math.inf,
        lambda start, epoch, other: math.ceil(start / other),
        lambda start, epoch, other: math.ceil(start / abs(other - epoch or 1)),
        lambda start, epoch, other: math.ceil(start / max(other - epoch, 1e-9)),
        lambda start, epoch, other: start // (other - epoch) if other > epoch else math.inf,
        lambda start, epoch, other: start // (other - epoch) + 1 if other > epoch else math.inf,
        lambda start, epoch, other: None,
    ],
}
RIGHT = {
    "check_flops": [
        lambda w, m: 3 * sum(products(w, m)) - products(w, m)[0],
        lambda w, m: sum(products(w, m)) + sum(products(w, m)) + sum(products(w[1:], m)),
    ],
    "check_break_even": [
        lambda start, epoch, other: (
            next(n for n in range(99) if start + n * epoch <= n * other)
            if other > epoch
            else math.inf
        ),
        lambda start, epoch, other: -(-start // (other - epoch)) if other > epoch else float("inf"),
    ],
}


test_wrong_answers_are_refused, test_right_answers_are_taken = answer_tests(WRONG, RIGHT)


def test_the_recorded_results_are_whole():
    with (ROOT / "content/mlp/bench.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == bench.HEADER
    about = {row["name"] for row in rows if row["what"] == "machine"}
    assert about >= {"date", "processor", "instructions", "python", *bench.PACKAGES}
    theirs, ours = bench.candidates(bench.load_variants())
    names = {(row["name"], row["at"]) for row in rows if row["what"] == "ratio"}
    known = {label for label, _ in names}
    assert known == {*theirs, *ours, "products, by rows", "products, by columns"}
    for row in rows:
        if row["what"] == "ratio":
            assert 0 < float(row["low"]) <= float(row["value"]) <= float(row["high"]) < 10
    for direction, sizes in bench.SIZES.items():
        found = {int(row["at"]) for row in rows if row["what"] == direction}
        assert found == set(sizes)


def test_the_recorded_results_reach_what_the_chapter_is_for():
    """The goals for the best of ours, with the median."""
    with (ROOT / "content/mlp/bench.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["what"] == "goal"]
    for at, goals in bench.GOALS.items():
        found = [float(row["value"]) for row in rows if row["at"] == at]
        assert len(found) == len(goals)
        assert found[0] <= goals[0] and found[1] <= goals[1], at
