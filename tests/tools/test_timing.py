"""What times allow to say: medians, their ranges, and verdicts."""

import csv
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tools import peers, timing
from tools.timing import WORK, Result, Work

positive = st.floats(1e-3, 1e3)
samples = st.lists(positive, min_size=5, max_size=40)


@given(values=samples)
def test_the_median_lies_in_its_range(values):
    result = Result.of(values)
    assert min(values) <= result.low <= result.median <= result.high <= max(values)


@given(values=samples, factor=st.sampled_from([0.25, 0.5, 2.0, 4.0]))
def test_results_have_the_unit_of_the_values(values, factor):
    one, scaled = Result.of(values), Result.of([factor * v for v in values])
    assert (scaled.median, scaled.low, scaled.high) == (
        factor * one.median,
        factor * one.low,
        factor * one.high,
    )


@pytest.mark.parametrize(("rounds", "rank"), [(5, 1), (6, 1), (9, 2), (17, 5), (21, 6), (25, 8)])
def test_ranks_of_the_tables(rounds, rank):
    # Of n ordered values, those of rank r and n + 1 - r enclose the median with 95 % confidence;
    # tables of the sign test give these r (five values reach 94 %).
    result = Result.of(range(1, rounds + 1))
    assert (result.low, result.high) == (rank, rounds + 1 - rank)


def test_the_range_holds_the_median_as_often_as_it_says():
    generator = torch.Generator().manual_seed(0)
    draws = torch.empty(2000, 21, dtype=torch.float64).exponential_(generator=generator)
    true = torch.tensor(2.0).log().item()
    results = [Result.of(row) for row in draws.tolist()]
    share = sum(r.low <= true <= r.high for r in results) / len(results)
    assert 0.94 < share < 0.99  # 21 values give 97.3 %; three deviations of the share are 1.1 %


@pytest.mark.parametrize(
    ("goal", "verdict"), [(0.3, "met"), (0.2, "met"), (0.15, "undecided"), (0.09, "missed")]
)
def test_verdicts(goal, verdict):
    assert Result(0.15, 0.1, 0.2).against(goal) == verdict


def test_a_result_shows_three_digits():
    assert str(Result(0.0471, 0.0466, 0.0482)) == "0.047 (0.047 to 0.048)"
    assert str(Result(1.2, 1.149, 1.251)) == "1.20 (1.15 to 1.25)"


def test_a_work_is_the_same_whenever_it_is_asked_for():
    for work in WORK.values():
        if work is not WORK["L"]:
            assert all(map(torch.equal, work.parameters(), work.parameters()))
            assert all(map(torch.equal, work.data(), work.data()))
            assert sum(len(x) for x, _ in work.batches()) == work.samples
        assert len(work.activations) == len(work.widths) - 1


def test_operations_by_hand():
    work = Work((2, 3, 4), ("relu", "linear"), "mse", 5, 5, torch.float64)
    # Forward 5 by 2 by 3 and 5 by 3 by 4, back 2 by 5 by 3, 3 by 5 by 4 and 5 by 4 by 3.
    assert work.operations() == 2 * (30 + 60 + 30 + 60 + 60)


def test_a_training_that_is_not_the_first_ones_is_not_timed(monkeypatch):
    small = {"S": replace(WORK["S"], samples=33)}
    monkeypatch.setattr(timing, "WORK", small)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "a card")

    def made(done):
        def make(work):
            found = {name: peers.eager(work, 0.05) for name in ("PyTorch", "another")}
            found["another"][1](done)
            return found

        return make

    rows = list(csv.reader(timing.time_card(made(done=0), rounds=1)))
    assert [row[:1] + row[3:5] for row in rows] == [
        ["a card", "S", n] for n in ("PyTorch", "another")
    ]
    assert rows[0][5:] == ["1", "1", "1"] and float(rows[1][5]) > 0
    with pytest.raises(AssertionError):
        timing.time_card(made(done=1), rounds=1)


def test_calls_are_counted_forward_and_back():
    w, x = torch.ones(2, 2, requires_grad=True), torch.ones(2, 2)
    assert timing.count_calls(lambda _: x.exp().mul_(x)) == 2
    forward, back = timing.count_calls(lambda _: x @ w), timing.count_calls(lambda _: (x @ w).sum())
    assert (forward, back) == (1, 2)
    # The gradient of the sum is ones, expanded; that of w is a product with x transposed.
    assert timing.count_calls(lambda _: (x @ w).sum().backward()) > back + 2
    assert torch.equal(w.grad, 2 * torch.ones(2, 2))
    with torch.inference_mode():
        assert timing.count_calls(lambda _: x.exp() + x) == 2
