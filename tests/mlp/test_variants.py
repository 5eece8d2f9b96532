"""Every variant that the cost notebook or the benchmark times trains as PyTorch does."""

from dataclasses import replace

import bench
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

variants = bench.load_variants()
BY_HAND = {stage.__name__: stage for stage in (*variants.STAGES, variants.Taught)}
# Here, and not in a list of the notebook: it needs a card to record from.
ON_CARDS = {"Graphed": variants.Graphed} if torch.cuda.is_available() else {}
PEERS = {"FuncGrad": bench.FuncGrad, "NumPy": bench.NumPy, "ScikitLearn": bench.ScikitLearn}
DTYPES = [torch.float64, torch.float32]


def assert_equal(make, work, epochs=3, moved=True):
    mine, reference = make(work, 0.05), variants.TorchEager(work, 0.05)
    losses, expected = mine.train(epochs), reference.train(epochs)
    # The book's tolerance: 4096 machine epsilons.
    tolerance = 4096 * torch.finfo(work.dtype).eps
    if losses:
        assert losses == pytest.approx(expected, rel=tolerance, abs=tolerance)
    start = work.parameters()
    for a, b, before in zip(mine.parameters(), reference.parameters(), start, strict=True):
        assert a.shape == b.shape and a.dtype == work.dtype
        torch.testing.assert_close(a, b, rtol=tolerance, atol=tolerance)
        assert not (moved and torch.equal(b, before))  # there was something to compare


def some_of(network, samples=300, **changes):
    """A work of the notebook, with no more samples than this."""
    work = replace(variants.WORK[network], **changes)
    return replace(work, samples=min(work.samples, samples))


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("network", ["S", "R", "M"])
@pytest.mark.parametrize("name", BY_HAND)
def test_trains_as_pytorch_does(name, network, dtype, device):
    assert_equal(BY_HAND[name], some_of(network, dtype=dtype, device=torch.device(device)))


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("network", ["S", "R", "M"])
@pytest.mark.parametrize("name", PEERS)
def test_a_peer_trains_as_pytorch_does(name, network, dtype):
    if name == "ScikitLearn" and network == "R":
        pytest.skip("scikit-learn has one activation for all hidden layers")
    assert_equal(PEERS[name], some_of(network, dtype=dtype))


@pytest.mark.parametrize("network", ["S", "R", "M"])
@pytest.mark.parametrize("name", ON_CARDS)
def test_recorded_on_a_card_it_trains_as_pytorch_does(name, network):
    assert_equal(ON_CARDS[name], some_of(network, device=torch.device("cuda")))


@pytest.mark.parametrize("network", ["S", "R"])
@pytest.mark.parametrize("name", [*BY_HAND, "TorchEager"])
def test_no_operation_mixes_devices(name, network, elsewhere):
    """The same bits as on the CPU, from a device that is not there."""
    make = getattr(variants, name)
    work = some_of(network, samples=70)
    here, there = make(work, 0.05), make(replace(work, device=elsewhere), 0.05)
    assert here.train(2) == there.train(2)
    for a, b in zip(here.parameters(), there.parameters(), strict=True):
        assert b.device == elsewhere and torch.equal(a, b.cpu())


@st.composite
def works(draw):
    widths = tuple(draw(st.lists(st.integers(1, 9), min_size=2, max_size=5)))
    # In float32 a ReLU may take two sides of its kink, which is no mistake.
    dtype = draw(st.sampled_from(DTYPES))
    names = ("tanh", "sigmoid") + ("relu",) * (dtype == torch.float64)
    hidden = len(widths) - 2
    activations = draw(st.lists(st.sampled_from(names), min_size=hidden, max_size=hidden))
    loss = draw(st.sampled_from(["mse"] + ["cross-entropy"] * (widths[-1] > 1)))
    return variants.Work(
        widths, tuple(activations), loss, draw(st.integers(1, 23)), draw(st.integers(1, 30)), dtype
    )


@pytest.mark.parametrize("name", BY_HAND)
@settings(max_examples=25)
@given(work=works())
def test_any_shape_and_any_last_batch(name, work):
    assert_equal(BY_HAND[name], work, moved=False)  # small ReLU networks may be dead


@pytest.mark.parametrize("name", BY_HAND)
def test_training_goes_on_where_it_stopped(name):
    once, twice = (BY_HAND[name](variants.WORK["S"], 0.05) for _ in range(2))
    losses = twice.train(1) + twice.train(2)
    assert once.train(3) == losses
    assert all(map(torch.equal, once.parameters(), twice.parameters()))


def test_changes_are_one_line_of_descent():
    for before, after in zip(variants.STAGES, variants.STAGES[1:], strict=False):
        assert after.__bases__ == (before,)


@given(work=works(), by_columns=st.booleans())
def test_floor_is_the_necessary_products(work, by_columns):
    floor = variants.Floor(work, by_columns)
    done = sum(2 * a.shape[0] * a.shape[1] * b.shape[1] for a, b, _ in floor.products)
    layers = [n * k for n, k in zip(work.widths, work.widths[1:], strict=False)]
    assert done == 2 * work.samples * (3 * sum(layers) - layers[0])
    floor.train(1)
    for a, b, out in floor.products:
        assert out.shape == (a.shape[0], b.shape[1])


class WrongStep(variants.ByColumns):
    """One percent too large a step."""

    def __init__(self, work, lr=0.01):
        super().__init__(work, 1.01 * lr)


class WrongLoss(variants.FusedGradient):
    """Right weights, wrong loss."""

    def head(self, Z, Y):
        loss, gradient = super().head(Z, Y)
        return 1.001 * loss, gradient


@pytest.mark.parametrize("network", ["S", "R", "M"])
@pytest.mark.parametrize("wrong", [WrongStep, WrongLoss])
def test_a_wrong_variant_is_seen(wrong, network):
    work = replace(variants.WORK[network], samples=256)
    assert bench.problem(variants, variants.ByColumns, work) == ""
    assert "not equal" in bench.problem(variants, wrong, work)
    with pytest.raises(AssertionError):
        assert_equal(wrong, replace(work, dtype=torch.float64))
