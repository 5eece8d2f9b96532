"""Every training that the cost notebook or the benchmark times trains as PyTorch does."""

import math
from dataclasses import replace
from decimal import Decimal, localcontext
from functools import partial
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts import bench
from tools import peers
from tools.timing import WORK, Work, calls_of_products, products

variants = bench.load_variants()
TRACED = partial(torch.compile, backend="eager", fullgraph=True)
BY_HAND = {
    "book_layers": peers.book_layers,
    "straightforward": variants.straightforward,
    "fused": variants.fused,
    "folded": variants.folded,
    "preallocated": variants.preallocated,
    "listed": variants.listed,
    "numpy_by_hand": variants.numpy_by_hand,
}
PEERS = {
    "eager": peers.eager,
    "func_grad": peers.func_grad,
    "scikit_learn": peers.scikit_learn,
    "jax": peers.jax_training,
    "jax_at_once": partial(peers.jax_training, at_once=True),
}
DTYPES = [torch.float64, torch.float32]


def assert_equal(make, work, epochs=3, moved=True):
    (mine, train), (theirs, reference) = make(work, 0.05), peers.eager(work, 0.05)
    losses, expected = train(epochs), reference(epochs)
    # The book's tolerance: 4096 machine epsilons.
    tolerance = 4096 * torch.finfo(work.dtype).eps
    if losses:
        assert losses == pytest.approx(expected, rel=tolerance, abs=tolerance)
    for a, b, before in zip(mine, theirs, work.parameters(), strict=True):
        assert a.shape == b.shape and a.dtype == work.dtype
        torch.testing.assert_close(a, b, rtol=tolerance, atol=tolerance)
        assert not (moved and torch.equal(b, before))  # there was something to compare


def some_of(network, samples=300, **changes):
    """A work with no more samples than this."""
    work = replace(WORK[network], **changes)
    return replace(work, samples=min(work.samples, samples))


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("network", ["S", "R", "M"])
@pytest.mark.parametrize("name", BY_HAND)
def test_trains_as_pytorch_does(name, network, dtype):
    assert_equal(BY_HAND[name], some_of(network, dtype=dtype))


@pytest.mark.parametrize("network", ["S", "R", "M"])
@pytest.mark.parametrize("name", PEERS)
def test_a_peer_trains_as_pytorch_does(name, network):
    if name == "scikit_learn" and network == "R":
        pytest.skip("scikit-learn has one activation for all hidden layers")
    assert_equal(PEERS[name], some_of(network))


def test_the_straightforward_text_is_one_program_for_torch_compile():
    assert_equal(partial(variants.straightforward, compiler=TRACED), some_of("S"))


@st.composite
def works(draw, layers=None):
    least, most = (layers + 1, layers + 1) if layers else (2, 5)
    widths = tuple(draw(st.lists(st.integers(1, 9), min_size=least, max_size=most)))
    # In float32 a ReLU may take two sides of its kink, which is no mistake.
    dtype = torch.float64 if layers else draw(st.sampled_from(DTYPES))
    names = ("tanh", "sigmoid") + ("relu",) * (dtype == torch.float64)
    hidden = len(widths) - 2
    activations = draw(st.lists(st.sampled_from(names), min_size=hidden, max_size=hidden))
    loss = draw(st.sampled_from(["mse"] + ["cross-entropy"] * (widths[-1] > 1)))
    samples, batch = draw(st.integers(1, 23)), draw(st.integers(1, 30))
    return Work(widths, (*activations, "linear"), loss, samples, batch, dtype)


@pytest.mark.parametrize("name", BY_HAND)
@settings(max_examples=25)
@given(work=works())
def test_any_shape_and_any_last_batch(name, work):
    assert_equal(BY_HAND[name], work, moved=False)  # small ReLU networks may be dead


# Numba compiles for a number of layers and a dtype, which takes seconds; all else is free. (The
# page holds both compiled texts to PyTorch on S and R, and the benchmark all that it times.)
@settings(max_examples=100)
@given(work=works(layers=4))
def test_compiled_the_loops_train_as_pytorch_does(work):
    assert_equal(variants.fastest, work, moved=False)


def test_the_loops_are_the_same_without_the_compiler():
    work = some_of("R", samples=12, batch=5)
    assert_equal(partial(variants.in_numpy, loop=variants.interpreted(variants.loops)), work)


def distance(x):
    """By how many units in the last place our exponentials are off, at most."""
    z = x.copy()
    variants.exponentials(z, np.empty(x.size, np.int64))
    with localcontext(prec=50):
        exact = [Decimal(value).exp() for value in x.tolist()]
        pairs = zip(z.tolist(), exact, strict=True)
        return max(abs(Decimal(a) - b) / Decimal(math.ulp(float(b))) for a, b in pairs)


def test_exponentials_are_off_by_less_than_two_in_the_last_place():
    draw = np.random.default_rng(0)
    halves = (np.arange(-40, 40) + 0.5) * math.log(2)  # where the power of 2 changes
    for x in (draw.uniform(-700, 700, 3000), draw.normal(size=3000), np.append(halves, 0.0)):
        assert distance(x) < 2


@given(x=st.lists(st.floats(-708, 709), min_size=1, max_size=20))
def test_exponentials_anywhere(x):
    assert distance(np.array(x)) < 2


@pytest.mark.parametrize(("kind", "low"), [(variants.SIGMOID, 0), (variants.TANH, -1)])
def test_activations_are_safe_at_1000(kind, low):
    Z = np.array([[-1000.0, 0.0, 1000.0]])
    variants.activate_loop(Z, np.zeros(3), kind, np.empty(3, np.int64))
    np.testing.assert_allclose(Z, [[low, (1 + low) / 2, 1]], atol=1e-15)


@pytest.mark.parametrize("make", [*BY_HAND.values(), variants.fastest], ids=[*BY_HAND, "fastest"])
def test_training_goes_on_where_it_stopped(make):
    (ours, once), (other, twice) = (make(WORK["S"], 0.05) for _ in range(2))
    losses = twice(1) + twice(2)
    assert once(3) == losses
    assert all(map(torch.equal, ours, other))


def test_the_text_without_the_compiler_is_the_text():
    plain = variants.interpreted(variants.simple)
    assert plain.__code__ is variants.simple.py_func.__code__
    assert plain.__globals__["activate"] is variants.activate.py_func


@given(work=works(), by_columns=st.booleans())
def test_products_are_the_necessary_ones(work, by_columns):
    operations = 0
    for call in calls_of_products(work, by_columns):
        (a, b), out = call.args, call.keywords["out"]
        operations += 2 * a.shape[0] * a.shape[1] * b.shape[1]
        assert out.shape == (a.shape[0], b.shape[1])
    assert operations == work.operations()
    layers = [n * k for n, k in pairwise(work.widths)]
    assert operations == 2 * work.samples * (3 * sum(layers) - layers[0])
    products(work, by_columns)(1)


def wrong_step(work, lr):
    """One percent too large a step."""
    return variants.listed(work, 1.01 * lr)


def wrong_loss(work, lr):
    """Right weights, wrong losses."""
    parameters, train = variants.fused(work, lr)
    return parameters, lambda epochs: [1.001 * loss for loss in train(epochs)]


@pytest.mark.parametrize("network", ["S", "R", "M"])
@pytest.mark.parametrize("wrong", [wrong_step, wrong_loss])
def test_a_wrong_training_is_not_timed(wrong, network):
    work = some_of(network)
    assert bench.prepare(variants.listed, work)[1] > 0
    if work.dtype == torch.float32:  # its tolerance is for what a ReLU's kink may do
        work = replace(work, dtype=torch.float64)
    with pytest.raises(ValueError, match="not equal to PyTorch"):
        bench.prepare(wrong, work)
