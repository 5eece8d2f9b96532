"""The benchmark's judgment: medians, spreads, and what it refuses to say."""

import json
import types

import bench
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

positive = st.floats(1e-3, 1e3)
samples = st.lists(positive, min_size=5, max_size=40)


@given(values=samples)
def test_the_median_lies_in_its_range(values):
    result = bench.Result.of(values)
    assert min(values) <= result.low <= result.median <= result.high <= max(values)


@given(values=samples, factor=st.sampled_from([0.25, 0.5, 2.0, 4.0]))
def test_results_have_the_unit_of_the_values(values, factor):
    one, scaled = bench.Result.of(values), bench.Result.of([factor * v for v in values])
    assert (scaled.median, scaled.low, scaled.high) == (
        factor * one.median,
        factor * one.low,
        factor * one.high,
    )


@pytest.mark.parametrize(("rounds", "rank"), [(5, 1), (6, 1), (9, 2), (17, 5), (21, 6), (25, 8)])
def test_ranks_of_the_tables(rounds, rank):
    # Of n ordered values, those of rank r and n + 1 - r enclose the median with 95 % confidence;
    # tables of the sign test give these r (five values reach 94 %).
    result = bench.Result.of(range(1, rounds + 1))
    assert (result.low, result.high) == (rank, rounds + 1 - rank)


def test_the_range_holds_the_median_as_often_as_it_says():
    generator = torch.Generator().manual_seed(0)
    draws = torch.empty(2000, 21).exponential_(generator=generator)
    true = torch.tensor(2.0).log().item()
    results = [bench.Result.of(row) for row in draws.tolist()]
    share = sum(r.low <= true <= r.high for r in results) / len(results)
    assert 0.94 < share < 0.99  # 21 values give 97.3 %; three deviations of the share are 1.1 %


def test_what_cannot_run_is_a_sentence():
    variants = bench.load_variants()

    def broken(work, lr):
        raise RuntimeError("no C++ compiler\nlong story")

    assert bench.problem(variants, broken, variants.WORK["S"]) == "RuntimeError: no C++ compiler"
    reason = bench.problem(variants, bench.ScikitLearn, variants.WORK["R"])
    assert "one activation" in reason


def test_report(monkeypatch, capsys, tmp_path):
    some = ("PyTorch, foreach", "NumPy by hand", "Taught", "ByColumns")
    every = bench.candidates

    class Wrong(bench.NumPy):
        def train(self, epochs):
            return super().train(epochs + 1)[1:]

    def few(variants: types.ModuleType):
        return {label: every(variants)[label] for label in some} | {"wrong": Wrong}

    monkeypatch.setattr(bench, "candidates", few)
    monkeypatch.setattr(bench, "EFFORT", {"S": (5, 1, 100), "R": (5, 1, 300)})
    threads = torch.get_num_threads()
    try:
        assert bench.main(["S", "R", "--json", str(tmp_path / "bench.json")]) == 0
    finally:
        torch.set_num_threads(threads)
    printed = capsys.readouterr().out
    report = json.loads((tmp_path / "bench.json").read_text())
    assert set(report["ratios"]["S"]) == {*some, "floor", "floor, by rows", "floor, by columns"}
    assert report["ratios"]["S"]["PyTorch, foreach"]["median"] == 1.0
    assert "not equal to PyTorch" in report["missing"]["S"]["wrong"]
    assert "not in the table: wrong on S" in printed
    for key in ("torch", "processor", "threads"):
        assert str(report["environment"][key]) in printed


def test_unknown_network(capsys):
    with pytest.raises(SystemExit):
        bench.main(["S", "X"])
    assert "got X" in capsys.readouterr().err
