"""The cost notebook: the checks of its exercises, and the recorded results that it shows."""

import csv
from itertools import pairwise

import torch
from answers import answer_tests
from books import ROOT

from scripts import bench


def products(widths, m):
    return [2 * m * n * k for n, k in pairwise(widths)]


def slope(last, minimum, keep=False):
    """A slope by three calls; ``keep`` leaves the result in another tensor."""

    def answer(run, D, a):
        run(torch.sign, a, out=a)
        run(torch.clamp, a, min=minimum, out=a)
        run(last, D, a, out=torch.empty_like(D) if keep else D)

    return answer


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
    "check_slope": [
        lambda run, D, a: None,
        lambda run, D, a: D.mul_(a.sign().clamp(min=0.01)),
        lambda run, D, a: run(torch.mul, D, a.sign().clamp(min=0.01), out=D),
        slope(torch.mul, minimum=0.0),
        slope(torch.mul, minimum=0.1),
        slope(torch.add, minimum=0.01),
        slope(torch.mul, minimum=0.01, keep=True),
        lambda run, D, a: run(torch.mul, D, a, out=D),
    ],
}
RIGHT = {
    "check_flops": [
        lambda w, m: 3 * sum(products(w, m)) - products(w, m)[0],
        lambda w, m: sum(products(w, m)) + sum(products(w, m)) + sum(products(w[1:], m)),
    ],
    "check_slope": [
        slope(torch.mul, minimum=0.01),
        lambda run, D, a: run(lambda: D.copy_(torch.where(a > 0, D, 0.01 * D))),
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
