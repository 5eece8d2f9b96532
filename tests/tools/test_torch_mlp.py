"""The hand-written network against autograd, central differences, torch.nn and closed forms."""

import math
import re

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from torch import nn

from tools import torch_mlp
from tools.devices import choose_device
from tools.network import move
from tools.reference import TorchSequential
from tools.torch_mlp import (
    MSE,
    SGD,
    CrossEntropy,
    Dense,
    Model,
    ReLU,
    Sigmoid,
    Softmax,
    SoftmaxCrossEntropy,
    Tanh,
    batches,
    numerical_gradient,
    one_hot,
)

DTYPES = [torch.float64, torch.float32]
ACTIVATIONS = {ReLU: nn.ReLU, Sigmoid: nn.Sigmoid, Tanh: nn.Tanh}

dtypes = pytest.mark.parametrize("dtype", DTYPES, ids=str)
sizes = st.integers(1, 6)
seeds = st.integers(0, 2**32 - 1)


def normal(seed, *shape, dtype=torch.float64, device="cpu"):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, dtype=torch.float64, generator=generator).to(dtype).to(device)


def drawn(n, k, seed=0):
    return Dense(n, k, torch.Generator().manual_seed(seed))


def rounding(dtype, terms=64):
    """What a sum of so many terms, each rounded, may be off by, relative to its largest term."""
    return terms * torch.finfo(dtype).eps


# ---------------------------------------------------------------- gradients


@dtypes
@pytest.mark.parametrize(
    "make",
    [drawn, *(lambda n, k, c=c: c() for c in ACTIVATIONS), lambda n, k: Softmax()],
    ids=["Dense", "ReLU", "Sigmoid", "Tanh", "Softmax"],
)
@given(m=sizes, n=sizes, k=sizes, seed=seeds)
def test_layer_gradients(make, dtype, device, m, n, k, seed):
    layer = make(n, k)
    move([layer], dtype, device)
    x = normal(seed, m, n, dtype=dtype, device=device)
    # Nothing within the step of central differences of ReLU's kink.
    assume(not isinstance(layer, ReLU) or x.abs().min() > 3 * torch.finfo(dtype).eps ** (1 / 3))
    grad_output = normal(seed + 1, *layer.forward(x).shape, dtype=dtype, device=device)
    by_hand = [layer.backward(grad_output), *layer.gradients()]
    parameters = layer.parameters()

    def f(x, *replaced):
        if replaced:
            layer.W, layer.b = replaced
        return (layer.predict(x) * grad_output).sum()

    inputs = [x, *(p.clone() for p in parameters)]
    assert_gradients(f, inputs, by_hand, dtype)


def assert_gradients(f, inputs, by_hand, dtype):
    # Softmax's gradient is a small difference of larger terms, so scale by what may cancel: the
    # comparison against autograd is absolute in units of the largest term, which is of order 10.
    leaves = [x.detach().clone().requires_grad_() for x in inputs]
    h = torch.finfo(dtype).eps ** (1 / 3)
    for i, (witness, gradient) in enumerate(
        zip(torch.autograd.grad(f(*leaves), leaves), by_hand, strict=True)
    ):
        assert gradient.shape == inputs[i].shape and gradient.dtype == dtype
        scale = max(1.0, witness.abs().max().item())
        assert (gradient - witness).abs().max() <= scale * rounding(dtype)

        def along(value, i=i):
            return f(*inputs[:i], value, *inputs[i + 1 :])

        numeric = numerical_gradient(along, inputs[i], h)
        # Truncation h**2 and rounding eps / h are both eps**(2/3), times terms of order 10 each.
        assert (gradient - numeric).abs().max() <= scale * 300 * torch.finfo(dtype).eps ** (2 / 3)


@dtypes
@given(m=sizes, k=sizes, seed=seeds)
def test_mse(dtype, device, m, k, seed):
    p, y = (normal(seed + i, m, k, dtype=dtype, device=device) for i in (0, 1))
    loss = MSE()
    assert_close(loss(p, y), nn.functional.mse_loss(p, y), dtype)
    assert_gradients(lambda p: MSE()(p, y), [p], [loss.backward()], dtype)


@dtypes
@given(m=sizes, k=st.integers(1, 6), seed=seeds)
def test_cross_entropies(dtype, device, m, k, seed):
    z, g = (normal(seed + i, m, k, dtype=dtype, device=device) for i in (0, 1))
    y = torch.softmax(g, 1)
    loss = SoftmaxCrossEntropy()
    assert_close(loss(z, y), nn.functional.cross_entropy(z, y), dtype)
    assert_gradients(lambda z: SoftmaxCrossEntropy()(z, y), [z], [loss.backward()], dtype)

    layer, textbook = Softmax(), CrossEntropy()
    assert_close(textbook(layer.forward(z), y), nn.functional.cross_entropy(z, y), dtype)
    assert_close(layer.backward(textbook.backward()), loss.backward(), dtype)


def assert_close(actual, expected, dtype, factor=1):
    torch.testing.assert_close(
        actual, expected, rtol=factor * rounding(dtype), atol=factor * rounding(dtype)
    )


# ---------------------------------------------------------------- numerically extreme inputs


@dtypes
@pytest.mark.parametrize("kind", [Sigmoid, Tanh, ReLU])
def test_activations_at_a_thousand(kind, dtype, device):
    x = torch.tensor([[-1000.0, 1000.0]], dtype=dtype, device=device)
    layer = kind()
    value = layer.forward(x)
    expected = {Sigmoid: [0, 1], Tanh: [-1, 1], ReLU: [0, 1000]}[kind]
    slope = {Sigmoid: [0, 0], Tanh: [0, 0], ReLU: [0, 1]}[kind]
    assert value.tolist() == [expected]
    assert layer.backward(torch.ones_like(x)).tolist() == [slope]


@dtypes
@pytest.mark.parametrize("right", [0, 1])
def test_logit_gap_of_a_thousand(right, dtype, device):
    z = torch.tensor([[1000.0, 0.0]], dtype=dtype, device=device)
    y = one_hot(torch.tensor([right], device=device), 2).to(dtype)
    loss = SoftmaxCrossEntropy()
    assert loss(z, y).item() == 1000.0 * right
    assert loss.backward().tolist() == [[float(right), -float(right)]]

    layer, textbook = Softmax(), CrossEntropy()
    assert layer.forward(z).tolist() == [[1.0, 0.0]]
    value = textbook(layer.a, y)
    assert value.isfinite()
    # The probability is rounded to 0, so all that is left of the loss is the clamp.
    tiny = -math.log(torch.finfo(dtype).tiny)
    assert value.item() == pytest.approx(right * tiny, rel=1e-6, abs=1e-12)
    assert layer.backward(textbook.backward()).isfinite().all()


# ---------------------------------------------------------------- whole trainings


@st.composite
def trainings(draw):
    return {
        "widths": draw(st.lists(st.integers(1, 9), min_size=2, max_size=5)),
        "activations": draw(st.lists(st.sampled_from(list(ACTIVATIONS)), min_size=3, max_size=3)),
        "m": draw(st.integers(1, 23)),
        "batch_size": draw(st.integers(1, 30)),
        "epochs": draw(st.integers(1, 6)),
        "lr": draw(st.floats(1e-3, 0.2)),
        "seed": draw(seeds),
        "shuffled": draw(st.booleans()),
    }


def train(network, x, y, epochs, lr, batch_size, valid=None, shuffle=None):
    """The same call for both networks."""
    optimizer = SGD(lr)
    if isinstance(network, TorchSequential):
        optimizer = torch.optim.SGD(network.module.parameters(), lr=lr)
    return network.fit(
        x, y, epochs=epochs, batch_size=batch_size, optimizer=optimizer, valid=valid,
        generator=None if shuffle is None else torch.Generator().manual_seed(shuffle),
    )  # fmt: skip


def networks(widths, activations, head, dtype, device, seed):
    """The same network by hand and in PyTorch, from the same parameters."""
    mine, theirs, generator = [], [], torch.Generator().manual_seed(seed)
    for i, width in enumerate(widths[1:]):
        mine.append(Dense(widths[i], width, generator))
        theirs.append(nn.Linear(widths[i], width))
        if i < len(widths) - 2:
            mine.append(activations[i]())
            theirs.append(ACTIVATIONS[activations[i]]())
    loss, torch_loss = {
        "mse": (MSE(), nn.MSELoss()),
        "softmax, cross-entropy": (CrossEntropy(), nn.CrossEntropyLoss()),
        "fused": (SoftmaxCrossEntropy(), nn.CrossEntropyLoss()),
    }[head]
    if head == "softmax, cross-entropy":
        mine.append(Softmax())
    model = Model(mine, loss, dtype=dtype, device=device)
    reference = TorchSequential(theirs, torch_loss, dtype=dtype, device=device)
    with torch.no_grad():
        for parameter, value in zip(reference.module.parameters(), model.parameters(), strict=True):
            parameter.copy_(-value.t())  # not what the model has: copying must be seen to work
    model.copy_parameters_from(reference.module)
    return model, reference


def data_for(head, m, n, k, dtype, device, seed):
    x = normal(seed, m, n, dtype=dtype, device=device)
    if head == "mse":
        return x, normal(seed + 1, m, k, dtype=dtype, device=device)
    labels = torch.randint(k, (m,), generator=torch.Generator().manual_seed(seed + 1))
    return x, one_hot(labels.to(device), k).to(dtype)


@pytest.mark.parametrize("head", ["mse", "softmax, cross-entropy", "fused"])
@given(case=trainings())
def test_training_is_pytorchs(head, device, case):
    dtype, widths = torch.float64, case["widths"]
    model, reference = networks(widths, case["activations"], head, dtype, device, case["seed"])
    x, y = data_for(head, case["m"], widths[0], widths[-1], dtype, device, case["seed"])
    start = model.compute_gradients(x, y)
    assert_close(start, reference.compute_gradients(x, y), dtype)
    for mine, theirs in zip(model.gradients(), reference.gradients(), strict=True):
        assert_close(mine, theirs, dtype)

    other = data_for(head, 4, widths[0], widths[-1], dtype, device, case["seed"] + 2)
    shuffle = case["seed"] if case["shuffled"] else None
    histories = [
        train(network, x, y, case["epochs"], case["lr"], case["batch_size"], other, shuffle)
        for network in (model, reference)
    ]
    history, expected = histories
    # A training that diverges multiplies its rounding, too.
    assume(max(expected.train + expected.valid) < 1e6)
    # Rounding grows with the number of steps, at most by a small factor in each.
    factor = 64
    for mine, theirs in ((history.train, expected.train), (history.valid, expected.valid)):
        assert len(mine) == case["epochs"]
        assert_close(torch.tensor(mine), torch.tensor(theirs), dtype, factor)
    for mine, theirs in zip(model.parameters(), reference.parameters(), strict=True):
        assert_close(mine, theirs, dtype, factor)
    predictions = reference.predict(x)
    if head == "softmax, cross-entropy":
        predictions = torch.softmax(predictions, 1)
    assert_close(model.predict(x), predictions, dtype, factor)


@pytest.mark.parametrize("dtype", [torch.float32], ids=str)
@given(seed=seeds)
def test_training_in_float32(dtype, device, seed):
    """Smooth activations only: at ReLU's kink, two roundings may take two sides."""
    model, reference = networks([4, 8, 8, 3], [Tanh, Sigmoid], "fused", dtype, device, seed)
    x, y = data_for("fused", 20, 4, 3, dtype, device, seed)
    for network in (model, reference):
        train(network, x, y, 5, 0.1, 7)
    for mine, theirs in zip(model.parameters(), reference.parameters(), strict=True):
        assert_close(mine, theirs, dtype)


def test_epoch_loss_is_the_mean_of_its_samples(device):
    """Seven samples in batches of three: the last one counts a third of each other."""
    x, y = normal(0, 7, 2, device=device), normal(1, 7, 1, device=device)
    model, reference = networks([2, 1], [], "mse", torch.float64, device, 0)
    by_hand, total = networks([2, 1], [], "mse", torch.float64, device, 0)[0], 0.0
    for rows in (slice(0, 3), slice(3, 6), slice(6, 7)):
        total += by_hand.compute_gradients(x[rows], y[rows]).item() * len(x[rows])
        SGD(0.1).step(by_hand.parameters(), by_hand.gradients())
    for network in (model, reference):
        history = train(network, x, y, 1, 0.1, 3)
        assert history.train == [pytest.approx(total / 7, rel=1e-14)]
        assert history.valid == []


@given(m=st.integers(1, 20), size=st.integers(1, 25), seed=seeds)
def test_batches_hold_each_sample_once_with_its_target(m, size, seed):
    numbers = torch.arange(float(m))[:, None]
    for generator in (None, torch.Generator().manual_seed(seed)):
        pairs = list(batches(numbers, 2 * numbers, size, generator))
        assert [len(x) for x, _ in pairs] == [size] * (m // size) + [m % size] * (m % size > 0)
        x, y = (torch.cat(parts) for parts in zip(*pairs, strict=True))
        assert torch.equal(y, 2 * x) and torch.equal(x.sort(0).values, numbers)
        assert generator is not None or torch.equal(x, numbers)


def test_batches_are_drawn_anew_and_from_the_generator_alone():
    x = torch.arange(50.0)[:, None]
    state = torch.get_rng_state()

    def epochs(seed):
        generator = torch.Generator().manual_seed(seed)
        return [torch.cat([x for x, _ in batches(x, x, 7, generator)]) for _ in range(2)]

    first, second = epochs(0)
    assert not torch.equal(first, second) and not torch.equal(first, epochs(1)[0])
    assert torch.equal(first, epochs(0)[0])
    assert torch.equal(state, torch.get_rng_state())


def test_training_twice_gives_the_same_bits():
    runs = []
    for _ in range(2):
        model, _ = networks([3, 8, 2], [ReLU], "mse", torch.float32, "cpu", 5)
        x, y = data_for("mse", 33, 3, 2, torch.float32, "cpu", 5)
        runs.append((train(model, x, y, 3, 0.1, 8), model.parameters()))
    assert runs[0][0] == runs[1][0]
    assert all(torch.equal(a, b) for a, b in zip(runs[0][1], runs[1][1], strict=True))


@dtypes
def test_one_seed_one_network_in_every_dtype_and_on_every_device(dtype, device):
    def weights(dtype, device):
        return Model([drawn(4, 5)], MSE(), dtype=dtype, device=device).parameters()

    for mine, start in zip(weights(dtype, device), drawn(4, 5).parameters(), strict=True):
        assert mine.device.type == device and torch.equal(mine.cpu(), start.to(dtype))


@given(n=st.integers(1, 50))
def test_weights_start_in_pytorchs_range(n):
    """For any number of inputs, weights and biases alike: up to 1 / sqrt(n)."""
    theirs = nn.Linear(n, 2000)
    for mine, other in zip(drawn(n, 2000).parameters(), theirs.parameters(), strict=True):
        for start in (mine, other):
            assert 0.98 / math.sqrt(n) < start.max() <= 1 / math.sqrt(n)
            assert 0.98 / math.sqrt(n) < -start.min() <= 1 / math.sqrt(n)


def test_what_is_kept_for_the_way_back_is_what_the_page_says():
    """On the chapter's map: 72 numbers for each sample, 3600 for 50, and 1347 parameters."""
    layers = [drawn(5, 32), Tanh(), drawn(32, 32), Tanh(), drawn(32, 3)]
    model = Model(layers, MSE(), dtype=torch.float64)
    model.compute_gradients(normal(0, 50, 5), normal(1, 50, 3))
    kept = [model.loss.difference]
    kept += [t for layer in layers for name, t in vars(layer).items() if name in ("x", "a")]
    assert sum({id(tensor): tensor.numel() for tensor in kept}.values()) == 3600
    assert sum(p.numel() for p in model.parameters()) == 1347


def test_data_and_their_gradient_are_left_alone(device):
    model, _ = networks([3, 4, 2], [ReLU], "mse", torch.float64, device, 0)
    x, y = data_for("mse", 9, 3, 2, torch.float64, device, 0)
    before = x.clone(), y.clone()
    train(model, x, y, 2, 0.1, 4, (x, y))
    assert torch.equal(x, before[0]) and torch.equal(y, before[1])
    assert not any(p.requires_grad for p in model.parameters())


def test_after_training_gradients_are_ordinary_tensors(device):
    """They can be changed, used with autograd, and kept by a layer of one's own."""

    class Smooth(Dense):
        kept = None

        def backward(self, grad_output):
            grad_input = super().backward(grad_output)
            self.kept = self.grad_W.clone() if self.kept is None else self.kept.add_(self.grad_W)
            return grad_input

    x, y = data_for("mse", 9, 3, 2, torch.float64, device, 0)
    model = Model([Smooth(3, 2)], MSE(), dtype=torch.float64, device=device)
    train(model, x, y, 1, 0.1, 4)
    model.compute_gradients(x, y)
    model.gradients()[0].zero_()
    w = torch.ones(3, 2, dtype=torch.float64, device=device, requires_grad=True)
    (w * model.gradients()[0]).sum().backward()
    assert model.layers[0].backward(y).shape == x.shape  # the first layer, too


# ---------------------------------------------------------------- on a device that is not there


def results_on(device, head):
    """Everything that a network computes, as tensors on the CPU."""
    model, reference = networks([4, 8, 8, 8, 3], list(ACTIVATIONS), head, torch.float64, device, 0)
    x, y = data_for(head, 20, 4, 3, torch.float64, device, 1)
    found = []
    for network in (model, reference):
        history = train(network, x, y, 3, 0.1, 7, (x, y), shuffle=0)
        found += [torch.tensor(history.train), torch.tensor(history.valid)]
        found += [network.compute_gradients(x, y), network.predict(x)]
        found += [*network.gradients(), *network.parameters()]
        found.append(torch.tensor(network.evaluate(x, y)))
    return [tensor.detach().cpu() for tensor in found]


@pytest.mark.parametrize("head", ["mse", "softmax, cross-entropy", "fused"])
def test_no_operation_mixes_devices(elsewhere, head):
    for here, there in zip(results_on("cpu", head), results_on(elsewhere, head), strict=True):
        assert torch.equal(here, there)


@pytest.mark.parametrize(
    "mixing",
    [
        lambda there, here: there + here,
        lambda there, here: torch.addmm(here[0], there, there),
        lambda there, here: torch.cat([here, there]),
        lambda there, here: here[there[0].long()],
        lambda there, here: there.masked_fill(here > 0, 0.0),
        lambda there, here: here.mul_(there),
        lambda there, here: torch.nn.functional.mse_loss(there, here),
        lambda there, here: torch.randn(2, device=there.device, generator=torch.Generator()),
        lambda there, here: there.uniform_(generator=torch.Generator()),
        lambda there, here: there.numpy(),
        lambda there, here: np.asarray(there),
    ],
)
def test_a_mixture_of_devices_is_seen(elsewhere, mixing):
    with pytest.raises((RuntimeError, TypeError), match="one device|a generator|has no array"):
        mixing(torch.ones(2, 2, device=elsewhere), torch.ones(2, 2))


# ---------------------------------------------------------------- one-hot


@given(st.lists(st.integers(0, 8), min_size=1), st.integers(0, 3))
def test_one_hot_is_pytorchs(device, labels, more):
    labels = torch.tensor(labels, device=device)
    k = int(labels.max()) + 1 + more
    assert torch.equal(
        one_hot(labels, k).to(torch.float64), nn.functional.one_hot(labels, k).double()
    )


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("labels", "error", "words"),
    [
        (torch.tensor([0.0, 1.0]), TypeError, ["labels", "float32"]),
        (torch.tensor([[0], [1]]), ValueError, ["labels", "(2, 1)"]),
        (torch.tensor([0, 3]), ValueError, ["labels", "0 ... 2", "0 ... 3"]),
        (torch.tensor([-1, 1]), ValueError, ["labels", "-1 ... 1"]),
    ],
)
def test_bad_labels(labels, error, words, device):
    with pytest.raises(error) as caught:
        one_hot(labels.to(device), 3)
    assert all(word in str(caught.value) for word in words)


@pytest.mark.parametrize("loss", [MSE(), CrossEntropy(), SoftmaxCrossEntropy()])
def test_losses_do_not_broadcast(loss):
    with pytest.raises(ValueError, match=re.escape("(4, 1), got (4,)")):
        loss(torch.ones(4, 1), torch.ones(4))


X, Y = normal(0, 5, 3), normal(1, 5, 2)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"x": [1.0]}, TypeError, ["x", "list"]),
        ({"x": X[:, :2]}, ValueError, ["x", "(m, 3)", "(5, 2)"]),
        ({"x": X[0]}, ValueError, ["x", "(3,)"]),
        ({"x": X[:0]}, ValueError, ["x", "(0, 3)"]),
        ({"x": X.float()}, TypeError, ["x", "float64", "float32"]),
        ({"x": X.to("meta")}, ValueError, ["x", "cpu", "meta"]),
        ({"x": X.clone().requires_grad_()}, ValueError, ["x", "requires_grad"]),
        ({"y": Y[:, :1]}, ValueError, ["y", "(m, 2)", "(5, 1)"]),
        ({"y": Y[:4]}, ValueError, ["y", "of 5 rows", "as many as x", "4"]),
        ({"y": torch.ones(5, 2, dtype=torch.int64)}, TypeError, ["y", "int64"]),
        ({"epochs": 0}, ValueError, ["epochs", "0"]),
        ({"epochs": 1.5}, TypeError, ["epochs", "float"]),
        ({"batch_size": 0}, ValueError, ["batch_size", "0"]),
        ({"batch_size": True}, TypeError, ["batch_size", "bool"]),
        ({"optimizer": SGD}, TypeError, ["optimizer", "SGD(0.1)"]),
        ({"optimizer": 0.1}, TypeError, ["optimizer", "0.1"]),
        ({"optimizer": SGD(math.inf)}, ValueError, ["lr", "inf"]),
        ({"optimizer": SGD(math.nan)}, ValueError, ["lr", "nan"]),
        ({"optimizer": SGD(-0.1)}, ValueError, ["lr", "-0.1"]),
        ({"optimizer": SGD("0.1")}, TypeError, ["lr", "str"]),
        ({"optimizer": SGD(True)}, TypeError, ["lr", "bool"]),
        ({"optimizer": torch.optim.SGD([X.clone()], 0.1)}, TypeError, ["optimizer", "SGD"]),
        ({"valid": X}, ValueError, ["valid", "pair", "Tensor"]),
        ({"valid": (X, Y, Y)}, ValueError, ["valid", "pair"]),
        ({"valid": (X, Y[:2])}, ValueError, ["valid y", "5", "2"]),
        ({"valid": (X.float(), Y)}, TypeError, ["valid x", "float32"]),
        ({"generator": 0}, TypeError, ["generator", "int"]),
    ],
)
def test_bad_fit_changes_nothing(change, error, words):
    model, _ = networks([3, 4, 2], [ReLU], "mse", torch.float64, "cpu", 0)
    before = [p.clone() for p in model.parameters()]
    arguments = {"x": X, "y": Y, "epochs": 1, "batch_size": 2, "optimizer": SGD(0.1), **change}
    with pytest.raises(error) as caught:
        model.fit(**arguments)
    message = str(caught.value)
    assert all(word in message for word in words), message
    assert re.fullmatch(r"(valid )?\w+ must be .+, got .+", message), message
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))


def test_a_bad_model_leaves_its_layers_as_they_were():
    dense = Dense(3, 2)
    with pytest.raises(ValueError, match="take what those before give"):
        Model([dense, Dense(3, 1)], MSE(), dtype=torch.float16)
    assert all(w.dtype == torch.get_default_dtype() for w in dense.parameters())


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"batch_size": 0}, ValueError, "batch_size must be at least 1, got 0"),
        ({"batch_size": -1}, ValueError, "batch_size must be at least 1, got -1"),
        ({"epochs": 0}, ValueError, "epochs must be at least 1, got 0"),
        ({"valid": X}, ValueError, "valid must be a pair"),
        ({"generator": 0}, TypeError, "generator must be"),
    ],
)
def test_the_reference_refuses_what_ours_refuses(change, error, words):
    _, reference = networks([3, 2], [], "mse", torch.float64, "cpu", 0)
    optimizer = torch.optim.SGD(reference.module.parameters(), lr=0.1)
    arguments = {"epochs": 1, "batch_size": 2, "optimizer": optimizer, **change}
    before = [p.clone() for p in reference.parameters()]
    with pytest.raises(error, match=re.escape(words)):
        reference.fit(X, Y, **arguments)
    assert all(torch.equal(a, b) for a, b in zip(before, reference.parameters(), strict=True))


def test_whole_numbers_and_rates_of_numpy_are_accepted():
    model = Model([Dense(np.int64(3), np.int64(2))], MSE(), dtype=torch.float64)
    settings = {"epochs": np.int64(2), "batch_size": np.int64(2)}
    assert len(model.fit(X, Y, optimizer=SGD(np.float32(0.1)), **settings).train) == 2


@pytest.mark.parametrize("head", ["softmax, cross-entropy", "fused"])
@pytest.mark.parametrize("y", [-Y.abs(), torch.ones(5, 2, dtype=torch.float64)])
def test_targets_must_be_probabilities(head, y):
    model, _ = networks([3, 2], [], head, torch.float64, "cpu", 0)
    for call in (lambda: train(model, X, y, 1, 0.1, 2), lambda: model.evaluate(X, y)):
        with pytest.raises(ValueError, match="y.* must hold probabilities"):
            call()


RELU = ReLU()


@pytest.mark.parametrize(
    ("build", "error", "words"),
    [
        (lambda: Model([Dense(2, 0)], MSE()), ValueError, ["layers", "n, k >= 1", "(2, 0)"]),
        (lambda: Model([Dense(0, 2)], MSE()), ValueError, ["layers", "n, k >= 1", "(0, 2)"]),
        (lambda: Model([ReLU()], MSE()), ValueError, ["layers", "weights"]),
        (lambda: Model([], MSE()), ValueError, ["layers", "weights"]),
        (
            lambda: Model([Dense(2, 3), Tanh(), Dense(4, 1)], MSE()),
            ValueError,
            ["layers", "(2, 3), (4, 1)"],
        ),
        (lambda: Model([Dense(2, 1), nn.ReLU()], MSE()), TypeError, ["layers", "ReLU()"]),
        (lambda: Model([Dense(2, 1)], MSE), TypeError, ["loss", "MSE()"]),
        (lambda: Model([Dense(2, 1)], nn.MSELoss()), TypeError, ["loss"]),
        (lambda: Model("layers", MSE()), TypeError, ["layers", "str"]),
        (lambda: Model([Dense(2, 1)], MSE(), dtype=int), TypeError, ["dtype", "int"]),
        (
            lambda: Model([RELU, Dense(2, 1), RELU], MSE()),
            ValueError,
            ["layers", "once", "ReLU", "0 and 2"],
        ),
    ],
)
def test_bad_construction(build, error, words):
    with pytest.raises(error) as caught:
        build()
    assert all(word in str(caught.value) for word in words), caught.value


@pytest.mark.parametrize(
    "module",
    [
        nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 5)),
        nn.Sequential(nn.Linear(3, 4)),
        nn.Sequential(nn.Linear(3, 4, bias=False), nn.Linear(4, 2)),
    ],
)
def test_copying_other_shapes_changes_nothing(module):
    model, _ = networks([3, 4, 2], [ReLU], "mse", torch.float64, "cpu", 0)
    before = [p.clone() for p in model.parameters()]
    with pytest.raises(ValueError, match="module must have parameters of shapes"):
        model.copy_parameters_from(module)
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))


# ---------------------------------------------------------------- choosing a device


@pytest.mark.parametrize(
    ("cuda", "mps", "wanted", "dtype", "expected"),
    [
        (True, False, "", torch.float64, "cuda"),
        (True, True, "", torch.float32, "cuda"),
        (False, True, "", torch.float32, "mps"),
        (False, True, "", torch.float64, "cpu"),
        (False, False, "", torch.float32, "cpu"),
        (True, True, "cpu", torch.float32, "cpu"),
        (True, False, "cuda", torch.float32, "cuda"),
        (True, False, "cuda:1", torch.float64, "cuda:1"),
        (False, False, "cpu", torch.float64, "cpu"),
        (True, True, "mps", torch.float32, "mps"),
    ],
)
def test_choose_device(monkeypatch, capsys, cuda, mps, wanted, dtype, expected):
    replace_accelerators(monkeypatch, cuda, mps)
    monkeypatch.setenv("BOOK_DEVICE", wanted)
    assert str(choose_device(dtype)) == expected
    printed = capsys.readouterr().out
    assert printed.startswith(f"device: {expected} (") and str(dtype) in printed


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ("cuda", ["BOOK_DEVICE", "'cuda'", "does not have"]),
        ("cuda:7", ["BOOK_DEVICE", "'cuda:7'", "does not have"]),
        ("cpu:1", ["BOOK_DEVICE", "'cpu:1'", "does not have"]),
        ("tpu", ["BOOK_DEVICE", "'tpu'", "cuda, mps, cpu"]),
        ("cpu:x", ["BOOK_DEVICE", "'cpu:x'", "cuda, mps, cpu"]),
        ("cuda:", ["BOOK_DEVICE", "'cuda:'", "cuda, mps, cpu"]),
        ("cuda:01", ["BOOK_DEVICE", "'cuda:01'", "cuda, mps, cpu"]),
        ("mps", ["BOOK_DEVICE", "float64"]),
    ],
)
def test_choose_device_refuses(monkeypatch, wanted, words):
    replace_accelerators(monkeypatch, cuda=wanted != "cuda", mps=True)
    monkeypatch.setenv("BOOK_DEVICE", wanted)
    with pytest.raises(ValueError) as caught:
        choose_device(torch.float64)
    assert all(word in str(caught.value) for word in words), caught.value


def replace_accelerators(monkeypatch, cuda, mps):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2 * cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)


def test_a_progress_bar_on_request(capsys):
    model, _ = networks([3, 2], [], "mse", torch.float64, "cpu", 0)
    for progress in (False, True):
        model.fit(X, Y, epochs=2, batch_size=2, optimizer=SGD(0.1), progress=progress)
        assert bool(capsys.readouterr().err) == progress


def test_all_names_are_exported():
    for name in torch_mlp.__all__:
        assert hasattr(torch_mlp, name)
