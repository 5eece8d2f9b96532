"""The metrics against scikit-learn, and the parity check against what it promises."""

import doctest
import json
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.metrics import mean_absolute_percentage_error

from tools import torch_metrics
from tools.torch_metrics import TOLERANCES, check_parity, torch_mape, torch_smape

# float64 of moderate size: beyond 1e150 a difference divided by eps overflows on both sides.
numbers = st.floats(-1e150, 1e150, allow_nan=False)
shapes = hnp.array_shapes(min_dims=1, max_dims=2, max_side=6)


@st.composite
def pairs(draw):
    shape = draw(shapes)
    kinds = (np.float64, np.float32, np.int64)
    pair = []
    for _ in range(2):
        kind = draw(st.sampled_from(kinds))
        if kind is np.int64:
            elements = st.integers(-(2**40), 2**40)
        elif kind is np.float32:
            elements = st.floats(-(2.0**60), 2.0**60, width=32)
        else:
            elements = numbers
        pair.append(draw(hnp.arrays(kind, shape, elements=elements)))
    return pair


def test_doctests():
    results = doctest.testmod(torch_metrics)
    assert results.attempted >= 4 and results.failed == 0


@given(pairs())
def test_mape_is_scikit_learns(pair):
    pred, true = pair
    single = np.float32 in (pred.dtype, true.dtype)
    with np.errstate(over="ignore"):
        expected = mean_absolute_percentage_error(true, pred)
    got = torch_mape(torch.from_numpy(pred), torch.from_numpy(true))
    # A sum of at most 36 terms: each of its steps rounds by half an epsilon of the narrower dtype.
    assert got == pytest.approx(expected, rel=(40 * 1.2e-7 if single else 40 * 2.3e-16), abs=1e-300)


@given(numbers, numbers)
def test_numbers_are_one_entry_tensors(device, pred, true):
    as_tensors = [torch.tensor([n], dtype=torch.float64, device=device) for n in (pred, true)]
    assert torch_mape(pred, true) == torch_mape(*as_tensors)
    assert torch_smape(pred, true) == torch_smape(*as_tensors)


@given(hnp.arrays(np.float64, (2, 5), elements=numbers))
def test_smape_is_symmetric_and_at_most_two(both):
    pred, true = torch.from_numpy(both)
    assert torch_smape(pred, true) == torch_smape(true, pred)
    assert 0 <= torch_smape(pred, true) <= 2 + 1e-12
    assert torch_smape(pred, pred) == 0


def test_smape_closed_form():
    pred, true = torch.tensor([1.0, 2.0, 0.0]), torch.tensor([3.0, 2.0, 0.0])
    assert torch_smape(pred, true) == pytest.approx((2 * 2 / 4 + 0 + 0) / 3)


@pytest.mark.parametrize("metric", [torch_mape, torch_smape])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_does_not_divide_by_zero(metric, dtype):
    assert math.isfinite(metric(torch.zeros(3, dtype=dtype), torch.zeros(3, dtype=dtype)))


@pytest.mark.parametrize("metric", [torch_mape, torch_smape])
@pytest.mark.parametrize(
    ("args", "error", "words"),
    [
        ((torch.ones(2), 1.0), TypeError, ["pred", "true", "Tensor", "float"]),
        ((1.0, torch.ones(2)), TypeError, ["pred", "true", "Tensor", "float"]),
        (("1", 1.0), TypeError, ["pred", "str"]),
        ((torch.ones(2), torch.ones(2, 1)), ValueError, ["(2,)", "(2, 1)"]),
        ((torch.ones(0), torch.ones(0)), ValueError, ["empty"]),
        ((torch.ones(2, dtype=torch.complex64), torch.ones(2)), TypeError, ["complex"]),
        ((1.0, 1.0, 0.0), ValueError, ["eps", "0.0"]),
        ((1.0, 1.0, math.nan), ValueError, ["eps", "nan"]),
    ],
)
def test_bad_input_is_named(metric, args, error, words):
    with pytest.raises(error) as caught:
        metric(*args)
    assert all(word in str(caught.value) for word in words)


@given(
    hnp.arrays(np.float64, (3, 2), elements=st.floats(-1e6, 1e6)),
    st.floats(0, 1e-3),
    st.floats(0, 1e-3),
    st.integers(0, 5),
    st.floats(-10, 10),
)
def test_parity_is_the_inequality(array, rtol, atol, entry, factor):
    """Move one entry by `factor` times the allowed distance: up to 1 is equal."""
    expected = torch.from_numpy(array)
    actual = expected.clone()
    allowed = atol + rtol * abs(expected.view(-1)[entry].item())
    actual.view(-1)[entry] += factor * allowed
    moved = (actual - expected).abs().max().item()  # what rounding left of the move
    if moved == pytest.approx(allowed, rel=1e-6):
        return
    if moved < allowed:
        parity = check_parity("x", actual, expected, rtol=rtol, atol=atol)
        assert parity.max_abs == moved and parity[2:] == (rtol, atol)
    else:
        with pytest.raises(AssertionError, match="x: not equal"):
            check_parity("x", actual, expected, rtol=rtol, atol=atol)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
def test_metrics_and_parity_on_every_device(dtype, device):
    """Numbers that every device computes exactly."""
    pred = torch.tensor([1.5, 2.0, 6.0], dtype=dtype, device=device)
    true = torch.tensor([1.0, 2.0, 4.0], dtype=dtype, device=device)
    assert torch_mape(pred, true) == pytest.approx((0.5 + 0 + 0.5) / 3, rel=1e-6)
    assert torch_smape(pred, true) == pytest.approx((0.4 + 0 + 0.4) / 3, rel=1e-6)
    assert check_parity("x", pred, true, rtol=0, atol=2) == (2, 0.5, 0, 2)
    with pytest.raises(AssertionError, match="x: not equal"):
        check_parity("x", pred, true, rtol=0, atol=1)


def test_no_operation_mixes_devices(elsewhere):
    pred, true = (torch.tensor(values, device=elsewhere) for values in ([1.5, 6.0], [1.0, 4.0]))
    assert torch_mape(pred, true) == 0.5 and torch_smape(pred, true) == pytest.approx(0.4)
    assert torch_mape(pred.long(), true.long()) == 0.25
    assert check_parity("x", pred, true, rtol=0.5, atol=0).max_abs == 2


@pytest.mark.parametrize(
    ("actual", "expected"),
    [
        (torch.ones(2, device="meta"), torch.ones(2)),
        (torch.ones(2), torch.ones(3)),
        (torch.ones(2, 1), torch.ones(2)),
        (torch.ones(2), torch.ones(2, dtype=torch.float64)),
        (torch.tensor([math.nan]), torch.tensor([0.0])),
        (torch.tensor([math.inf]), torch.tensor([0.0])),
    ],
)
def test_parity_refuses_other_device_shape_dtype_and_nan(actual, expected, capsys):
    with pytest.raises(AssertionError):
        check_parity("x", actual, expected, rtol=1e-3, atol=1e-3)
    assert "NOT EQUAL" in capsys.readouterr().out


def test_parity_prints_one_line_with_the_numbers(capsys):
    expected = torch.tensor([1.0, 4.0], dtype=torch.float64)
    check_parity("weights", expected + 2e-13, expected, **TOLERANCES[torch.float64])
    (line,) = capsys.readouterr().out.splitlines()
    assert line == "weights: equal, worst 2e-13 ✓"


def test_parity_of_lists_is_one_line_about_the_worst(capsys):
    expected = [torch.zeros(3), torch.tensor(4.0)]
    parity = check_parity("w", [expected[0] + 0.5, expected[1] - 1], expected, rtol=0, atol=1)
    assert parity[:2] == (1, math.inf)  # relative to zeros, any difference is infinite
    assert check_parity("h", [1.0, 2.0], [1.0, 2.5], rtol=0.2, atol=0).max_rel == 0.2
    assert capsys.readouterr().out.splitlines() == [
        "w, 2 tensors: equal, worst 1e+00 ✓",
        "h, 2 numbers: equal, worst 5e-01 ✓",
    ]


def test_a_ledger_gets_a_row_for_each_comparison_that_held(monkeypatch, tmp_path):
    check_parity("unasked", 1.0, 1.0, rtol=0, atol=0)
    ledger = tmp_path / "ledger.jsonl"
    monkeypatch.setenv("BOOK_LEDGER", str(ledger))
    pair = [torch.zeros(2), torch.ones(3)]
    check_parity("two", [w + 0.25 for w in pair], pair, rtol=0, atol=0.5)
    with pytest.raises(AssertionError):
        check_parity("off", 1.0, 2.0, rtol=0, atol=0.5)
    check_parity("a half", 0.5, 0.5, rtol=0.125, atol=0)
    two = {"claim": "two", "tensors": 2, "max_abs": 0.25, "max_rel": math.inf}
    half = {"claim": "a half", "tensors": 1, "max_abs": 0, "max_rel": 0}
    assert [json.loads(line) for line in ledger.read_text().splitlines()] == [
        two | {"rtol": 0, "atol": 0.5},
        half | {"rtol": 0.125, "atol": 0},
    ]


@pytest.mark.parametrize(
    ("actual", "expected"),
    [
        ([torch.zeros(2)], [torch.zeros(2)] * 2),
        ([torch.zeros(2)] * 2, [torch.zeros(2)]),
        ([], []),
        ([torch.zeros(2), torch.ones(2)], [torch.zeros(2), torch.zeros(2)]),
        ([torch.ones(2), torch.zeros(2)], [torch.zeros(2), torch.zeros(2)]),
        ([0.0, math.nan], [0.0, 0.0]),
    ],
)
def test_parity_of_lists_that_differ(actual, expected, capsys):
    with pytest.raises(AssertionError, match=r"x, \d (tensors|numbers): not equal"):
        check_parity("x", actual, expected, rtol=0, atol=0.1)
    assert "NOT EQUAL" in capsys.readouterr().out


@pytest.mark.parametrize("dtype", [torch.bool, torch.uint8, torch.int64], ids=str)
def test_parity_of_whole_numbers(dtype, capsys):
    t = torch.tensor([1, 0], dtype=dtype)
    assert check_parity("x", t, t, rtol=0, atol=0).max_abs == 0
    with pytest.raises(AssertionError, match="x: not equal"):
        check_parity("x", t, t.flip(0), rtol=0, atol=0)
    assert "worst 1," in capsys.readouterr().out  # and not 255


def test_parity_where_both_are_infinite_or_not_a_number():
    t = torch.tensor([math.nan, math.inf, 1.0])
    assert check_parity("x", t, t, rtol=0, atol=0)[:2] == (0, 0)


@pytest.mark.parametrize(
    "tolerance", [{"rtol": -1.0, "atol": 0.0}, {"rtol": 0.0, "atol": math.nan}]
)
def test_parity_refuses_bad_tolerances(tolerance):
    with pytest.raises(ValueError, match="rtol|atol"):
        check_parity("x", 1.0, 1.0, **tolerance)


def test_parity_refuses_a_tensor_and_a_number():
    with pytest.raises(TypeError, match="actual and expected"):
        check_parity("x", torch.tensor(1.0), 1.0, rtol=0, atol=0)
