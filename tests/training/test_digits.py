"""The project on digits: parts that share nothing, an interval as SciPy's, and its exercises."""

from __future__ import annotations

import math

import pytest
import torch
from answers import answer_tests
from books import ROOT, run_cells
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage, stats
from sklearn.preprocessing import StandardScaler
from torch import nn

from scripts.sources import read_notebook, source
from tools.reference import TorchSequential
from tools.torch_training import Adam

NAME = "content/training/digits.ipynb"
CELLS = read_notebook((ROOT / NAME).read_bytes(), NAME)["cells"]


@pytest.fixture(scope="module")
def defined():
    """What the notebook's cells define."""
    threads = torch.get_num_threads()
    names = "imports", "data", "baselines", "network", "interval", "shift"
    with run_cells(NAME, *names) as found:
        yield found
    torch.set_num_threads(threads)


def test_the_parts_share_nothing_and_leave_nothing_out(defined):
    parts = [defined[name].tolist() for name in ("train", "valid", "test")]
    assert sorted(sum(parts, [])) == list(range(1797))
    assert list(map(len, parts)) == [1077, 360, 360]


def test_the_test_samples_are_met_once_and_after_the_networks_are_frozen():
    code = {cell["id"]: source(cell) for cell in CELLS if cell["cell_type"] == "code"}
    before, after = list(code)[: list(code).index("test")], list(code)
    assert "freeze" in before
    assert [name for name in after if "x[test]" in code[name]] == ["test"]
    assert not [name for name in before if "[test]" in code[name]]
    assert [name for name in after if "fit(x[known]" in code[name]] == ["freeze"]


@given(n=st.integers(1, 5000), data=st.data())
def test_the_interval_is_wilson_s(defined, n, data):
    right = data.draw(st.integers(0, n))
    of_scipy = stats.binomtest(right, n).proportion_ci(0.95, method="wilson")
    assert defined["interval"](right, n) == pytest.approx(tuple(of_scipy), abs=1e-4)


def test_a_picture_is_shifted_by_one_pixel(defined):
    pictures = torch.rand(3, 64, generator=torch.Generator().manual_seed(0))
    ways = (0, 1), (0, -1), (1, 0), (-1, 0)
    wanted = {
        way: ndimage.shift(pictures.view(3, 8, 8).numpy(), (0, *way), order=0) for way in ways
    }
    found = [each.view(3, 8, 8).numpy() for each in defined["shifted"](pictures)]
    assert all(any((picture == want).all() for picture in found) for want in wanted.values())
    assert len(found) == 4


@given(
    width=st.integers(1, 30),
    lr=st.floats(1e-4, 0.1),
    size=st.integers(2, 24),
    seed=st.integers(0, 2**32 - 1),
)
def test_it_trains_as_pytorch_does_with_adam(defined, width, lr, size, seed):
    ours = defined["network"](width, seed)
    layers = [nn.Linear(64, width), nn.ReLU(), nn.Linear(width, 10)]
    theirs = TorchSequential(layers, nn.CrossEntropyLoss(), dtype=torch.float64)
    for parameter, value in zip(theirs.parameters(), ours.parameters(), strict=True):
        parameter.copy_(value)
    optimizers = Adam(lr), torch.optim.Adam(theirs.module.parameters(), lr)
    some = defined["train"][:20]
    losses = [
        model.fit(
            defined["x"][some],
            defined["y"][some],
            epochs=3,
            batch_size=size,
            optimizer=optimizer,
            generator=torch.Generator().manual_seed(seed),
        ).train
        for model, optimizer in zip((ours, theirs), optimizers, strict=True)
    ]
    torch.testing.assert_close(*map(torch.tensor, losses), rtol=1e-7, atol=1e-9)
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-6, atol=1e-8)


def scaled(train, other):
    scaler = StandardScaler().fit(train)
    return tuple(torch.tensor(scaler.transform(part)) for part in (train, other))


def by_own_means(train, other):
    return scaled(train, train)[0], scaled(other, other)[0]


def together(train, other):
    both = scaled(torch.cat([train, other]), other)[0]
    return both[: len(train)], both[len(train) :]


def in_place(train, other):
    mean, deviation = train.mean(0), train.std(0)
    deviation[deviation == 0] = 1
    return train.sub_(mean).div_(deviation), other.sub_(mean).div_(deviation)


WRONG = {
    "check_standardize": [
        by_own_means,
        together,
        in_place,
        lambda train, other: (train - train.mean(0), other - train.mean(0)),
        lambda train, other: tuple((p - train.mean(0)) / train.std(0) for p in (train, other)),
        lambda train, other: (train, other),
    ],
    "check_enough": [
        lambda share, half: int(share * (1 - share) / half**2) + 1,
        lambda share, half: int(1.96 * share * (1 - share) / half**2) + 1,
        lambda share, half: 1.96**2 * share * (1 - share) / half**2,
        lambda share, half: 2 * int(1.96**2 * share * (1 - share) / half**2),
        lambda share, half: 1000,
    ],
}
RIGHT = {
    "check_standardize": [scaled],
    "check_enough": [lambda share, half: math.ceil(share * (1 - share) * (1.96 / half) ** 2)],
}


test_wrong_answers_are_refused, test_right_answers_are_taken = answer_tests(WRONG, RIGHT)
