"""sanity.py finds a bug planted in each of ten small scripts, passes ten right ones, and leaves no
trace."""

from __future__ import annotations

import ast
import copy
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset, WeightedRandomSampler

from tools import sanity

FILE = Path(sanity.__file__)


def data(x, y, size=20, **options):
    """A loader of these samples, shuffled."""
    return DataLoader(TensorDataset(x, y), batch_size=size, shuffle=True, **options)


def arms(m=160):
    """Points (m, 2) on three curved arms, and the arm of each."""
    y = torch.arange(m) % 3
    r = 0.1 + 0.9 * torch.rand(m)
    angle = 2 * r + y * (2 * torch.pi / 3) + 0.15 * torch.randn(m)
    return 2 * torch.stack([r * angle.cos(), r * angle.sin()], 1), y


def curve(m=160):
    """A curve: x (m, 1), y (m, 1)."""
    x = 4 * torch.rand(m, 1) - 2
    return x, torch.sin(2 * x) + 0.05 * torch.randn(m, 1)


def mlp(*widths, bend=nn.ReLU):
    """Linear layers with bends between them."""
    layers = []
    for n, k in zip(widths, widths[1:], strict=False):
        layers += [nn.Linear(n, k), bend()]
    return nn.Sequential(*layers[:-1])


# Ten right scripts: each returns a model, a loss and a loader


def classifier():
    return mlp(2, 32, 32, 3), nn.CrossEntropyLoss(), data(*arms())


def in_float64():
    x, y = arms()
    return mlp(2, 32, 32, 3, bend=nn.Tanh).double(), F.cross_entropy, data(x.double(), y)


def with_dropout():
    # Where inputs drop out, too, a batch is learned only without that.
    net = nn.Sequential(nn.Dropout(0.3), nn.Linear(2, 64), nn.ReLU(), nn.Dropout(0.5))
    return net.append(nn.Linear(64, 3)), nn.CrossEntropyLoss(), data(*arms())


def with_batch_norm():
    net = nn.Sequential(nn.Linear(2, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 3))
    return net, nn.CrossEntropyLoss(), data(*arms())


def regression():
    return mlp(1, 32, 32, 1, bend=nn.Tanh), nn.MSELoss(), data(*curve())


def yes_or_no():
    x, y = arms()
    return mlp(2, 32, 1), nn.BCEWithLogitsLoss(), data(x, (y == 0).float()[:, None])


def images():
    y = torch.arange(160) % 4
    x = 0.3 * torch.randn(160, 1, 8, 8)
    for i in range(160):  # a bright quarter
        x[i, 0, 4 * (y[i] // 2) :, 4 * (y[i] % 2) :][:4, :4] += 1
    net = nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2)
    )
    net.extend([nn.Flatten(), nn.Linear(128, 4)])
    return net, nn.CrossEntropyLoss(), data(x, y)


class Sequence(nn.Module):
    """Whether a sequence of digits rises more often than it falls."""

    def __init__(self):
        super().__init__()
        self.embed, self.gru = nn.Embedding(5, 8), nn.GRU(8, 16, batch_first=True)
        self.last = nn.Linear(16, 2)

    def forward(self, x):
        return self.last(self.gru(self.embed(x))[0][:, -1])


def sequences():
    x = torch.randint(5, (160, 6))
    return Sequence(), nn.CrossEntropyLoss(), data(x, (x[:, -1] > 1).long())


def starts_at_zero():
    net = mlp(2, 32, 32, 3)
    nn.init.zeros_(net[-1].weight)
    nn.init.zeros_(net[-1].bias)
    return net, nn.CrossEntropyLoss(), data(*arms())


def half_frozen():
    net = mlp(2, 128, 32, 3)
    net[0].requires_grad_(False)
    return nn.Sequential(*net, nn.LogSoftmax(1)), nn.NLLLoss(), data(*arms(), size=160)


RIGHT = [
    classifier,
    in_float64,
    with_dropout,
    with_batch_norm,
    regression,
    yes_or_no,
    images,
    sequences,
    starts_at_zero,
    half_frozen,
]


# Ten wrong ones, and the checks that are to find them


def softmax_twice():
    net, loss, loader = classifier()
    return net.append(nn.Softmax(1)), loss, loader


def summed_loss():
    net, _, loader = classifier()
    return net, nn.CrossEntropyLoss(reduction="sum"), loader


def unscaled_inputs():
    net, loss, _ = classifier()
    x, y = arms()
    return net, loss, data(1000 * x, y)


def column_against_row():
    net, _, _ = regression()
    x, y = curve()
    return net, lambda p, y: ((p - y) ** 2).mean(), data(x, y[:, 0])


class NoGrad(nn.Module):
    """Its features were not to need memory."""

    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(2, 64), nn.Linear(64, 3)

    def forward(self, x):
        with torch.no_grad():
            a = self.first(x).relu()
        return self.last(a)


def features_without_gradient():
    _, loss, loader = classifier()
    return NoGrad(), loss, loader


class Detached(nn.Module):
    """A layer is used twice, and one use is cut off: its gradient is there, and wrong."""

    def __init__(self):
        super().__init__()
        self.first, self.middle, self.last = nn.Linear(2, 32), nn.Linear(32, 32), nn.Linear(32, 3)

    def forward(self, x):
        a = self.first(x).relu()
        return self.last(self.middle(a + self.middle(a).relu().detach()).relu())


def cut_off_once():
    _, loss, loader = classifier()
    return Detached(), loss, loader


class WrongBackward(torch.autograd.Function):
    @staticmethod
    def forward(ctx, z):
        ctx.save_for_backward(z)
        return z.tanh()

    @staticmethod
    def backward(ctx, grad):
        (z,) = ctx.saved_tensors
        return grad * (1 - z * z)  # right: (1 - z.tanh() ** 2)


class Bend(nn.Module):
    def forward(self, z):
        return WrongBackward.apply(z)


def wrong_backward():
    _, loss, loader = classifier()
    return mlp(2, 32, 3, bend=Bend), loss, loader


def dead_units():
    net, loss, loader = classifier()
    nn.init.constant_(net[0].bias, -100.0)
    return net, loss, loader


def equal_units():
    net, loss, loader = classifier()
    for p in net.parameters():
        nn.init.constant_(p, 0.1)
    return net, loss, loader


def rows_shuffled_apart():
    net, loss, _ = classifier()
    x, y = arms()
    return net, loss, data(x, y[torch.randperm(len(y))])


WRONG = {
    softmax_twice: {"overfit"},
    summed_loss: {"first_loss"},
    unscaled_inputs: {"first_loss"},
    column_against_row: {"first_loss"},
    features_without_gradient: {"gradients"},
    cut_off_once: {"gradients"},
    wrong_backward: {"gradients"},
    dead_units: {"gradients", "overfit"},
    equal_units: {"overfit"},
    rows_shuffled_apart: {"shuffled"},
}


@pytest.mark.parametrize("case", RIGHT)
def test_it_is_silent_on_right_scripts(case):
    torch.manual_seed(0)
    assert sanity.check(*case()) == {}


@pytest.mark.parametrize("case", WRONG)
def test_it_finds_the_bug(case):
    torch.manual_seed(0)
    assert WRONG[case] <= sanity.check(*case()).keys()


def test_it_says_what_it_found(capsys):
    torch.manual_seed(0)
    found = sanity.check(*features_without_gradient(), "first_loss", "gradients")
    assert list(found) == ["gradients"]
    assert "first.weight" in found["gradients"] and "last" not in found["gradients"]
    printed = capsys.readouterr().out.splitlines()
    assert printed == ["first_loss: nothing found", f"gradients: {found['gradients']}"]


def test_it_says_the_same_from_any_random_state():
    torch.manual_seed(0)
    case, found = rows_shuffled_apart(), []
    for seed in (1, 2):
        torch.manual_seed(seed)
        found.append(sanity.check(*case))
    assert found[0] == found[1] != {}


def test_it_runs_on_every_device(device):
    torch.manual_seed(0)
    net, loss, loader = with_dropout()
    assert sanity.check(net.to(device), loss, loader) == {}
    assert next(net.parameters()).device.type == device


def test_of_an_endless_loader_it_takes_sixteen_batches():
    taken = []

    def endless():
        while True:
            taken.append(1)
            yield arms(20)

    assert sanity.check(mlp(2, 32, 3), F.cross_entropy, endless(), "gradients") == {}
    assert len(taken) == 16


def test_a_model_that_insists_on_float32_is_no_wrong_model():
    class InFloat(nn.Linear):
        def forward(self, x):
            return super().forward(x.float())

    found = sanity.check(InFloat(2, 3), F.cross_entropy, data(*arms()), "first_loss", "gradients")
    assert found["gradients"].startswith("cannot be computed in float64")


# What it leaves behind


def snapshot(net, loss_fn, generators):
    """All that is to be as it was."""
    owners = [each for each in (net, loss_fn) if isinstance(each, nn.Module)]
    return copy.deepcopy(
        {
            "state": [owner.state_dict() for owner in owners],
            "gradients": [p.grad for owner in owners for p in owner.parameters()],
            "modes": [module.training for owner in owners for module in owner.modules()],
            "random": [torch.get_rng_state(), *(each.get_state() for each in generators)],
        }
    )


def used_before():
    """A model with gradients, partly in eval mode, and a loader with generators of its own."""
    net = nn.Sequential(nn.Linear(2, 16), nn.BatchNorm1d(16), nn.Dropout(0.3), nn.Linear(16, 3))
    x, y = arms(80)
    F.cross_entropy(net(x), y).backward()
    net.eval()[3].train()
    generators = torch.Generator().manual_seed(5), torch.Generator().manual_seed(6)
    sampler = WeightedRandomSampler(torch.ones(80), 80, generator=generators[0])
    loader = DataLoader(TensorDataset(x, y), 20, sampler=sampler, generator=generators[1])
    return net, loader, generators


class Stops(nn.CrossEntropyLoss):
    """Raises when it is called for the n-th time."""

    left = 10**9

    def forward(self, p, y):
        Stops.left -= 1
        if Stops.left < 0:
            raise ZeroDivisionError
        return super().forward(p, y)


@pytest.mark.parametrize("calls", [0, 1, 4, 7, 100, 500, 10**9])
def test_everything_is_as_it_was(calls):
    Stops.left, loss_fn = calls, Stops(weight=torch.ones(3))
    net, loader, generators = used_before()
    gradients = [p.grad for p in net.parameters()]
    before = snapshot(net, loss_fn, generators)
    try:
        sanity.check(net, loss_fn, loader)
    except ZeroDivisionError:
        assert calls < 10**9
    torch.testing.assert_close(snapshot(net, loss_fn, generators), before, rtol=0, atol=0)
    assert all(p.grad is g for p, g in zip(net.parameters(), gradients, strict=True))


def test_a_loss_that_knows_the_model_leaves_no_gradients_in_it():
    net, loader, _ = used_before()
    before = [p.grad.clone() for p in net.parameters()]

    def penalized(p, y):
        return F.cross_entropy(p, y) + 0.001 * sum(w.square().sum() for w in net.parameters())

    sanity.check(net, penalized, loader)
    torch.testing.assert_close([p.grad for p in net.parameters()], before, rtol=0, atol=0)


# What it refuses, and what it is


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("model", (lambda x: x, F.cross_entropy, data(*arms()))),
        ("model", (nn.ReLU(), F.cross_entropy, data(*arms()))),
        ("model", (nn.Linear(2, 3).requires_grad_(False), F.cross_entropy, data(*arms()))),
        ("loss_fn", (nn.Linear(2, 3), "cross-entropy", data(*arms()))),
        ("loss_fn", (nn.Linear(2, 3), nn.CrossEntropyLoss(reduction="none"), data(*arms()))),
        ("loader", (nn.Linear(2, 3), F.cross_entropy, None)),
        ("loader", (nn.Linear(2, 3), F.cross_entropy, [])),
        ("loader", (nn.Linear(2, 3), F.cross_entropy, [{"x": 1, "y": 2}])),
        ("loader", (nn.Linear(2, 3), F.cross_entropy, [([1.0, 2.0], 0)])),
        ("loader", (nn.Linear(2, 3), F.cross_entropy, [torch.zeros(4, 3, 2).unbind(1)])),
    ],
)
def test_bad_input_is_refused_by_name(name, arguments):
    with pytest.raises(TypeError, match=f"^{name} must"):
        sanity.check(*arguments)


def test_it_is_short_and_needs_nothing_but_pytorch():
    tree = ast.parse(text := FILE.read_text())
    documented = [n for n in ast.walk(tree) if isinstance(n, ast.Module | ast.FunctionDef)]
    prose = set()
    for node in documented:
        if ast.get_docstring(node):
            prose |= set(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    lines = [each for n, each in enumerate(text.splitlines(), 1) if each.strip() and n not in prose]
    assert len(lines) < 80
    imports = {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    assert imports == {"collections.abc", "contextlib", "copy", "itertools", "torch"}
