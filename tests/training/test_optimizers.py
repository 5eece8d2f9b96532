"""The optimizers of the notebook against torch.optim, with any options; its exercises' checks."""

from __future__ import annotations

import pytest
import torch
from books import run_cells
from hypothesis import given
from hypothesis import strategies as st
from torch.optim import lr_scheduler
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from tools.torch_mlp import SGD
from tools.torch_training import (
    Adam,
    AdamW,
    Average,
    Momentum,
    Optimizer,
    RMSprop,
    clip,
    warmup_cosine,
)

NAME = "content/training/optimizers.ipynb"
seeds = st.integers(0, 2**32 - 1)
steps = st.integers(1, 30)
dtypes = st.sampled_from([torch.float64, torch.float32])
shapes = st.lists(st.lists(st.integers(1, 4), max_size=3).map(tuple), min_size=1, max_size=4)
rates = st.floats(1e-4, 0.1)
# In float32 PyTorch's lerp keeps few digits of an average that fades faster.
fading = st.just(0.0) | st.floats(0.01, 0.99)
decays = st.floats(0, 0.5)
small = st.sampled_from([1e-8, 1e-4])


@pytest.fixture(scope="module")
def defined():
    """What the notebook's cells define."""
    with run_cells(NAME, "imports", "exercise-checks") as found:
        yield found


def draws(seed, shapes, dtype, scale=1.0):
    generator = torch.Generator().manual_seed(seed)
    return [
        (scale * torch.randn(shape, generator=generator, dtype=torch.float64)).to(dtype)
        for shape in shapes
    ]


def close(ours, theirs, dtype, factor=1000):
    error = factor * torch.finfo(dtype).eps
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, other.detach(), rtol=error, atol=error)


def check_steps(ours, theirs, seed, shapes, dtype, steps, factor=1000):
    """The same gradients to both, of sizes from 0.01 to 100: the same parameters at every step."""
    mine = draws(seed, shapes, dtype)
    other = [w.clone().requires_grad_() for w in mine]
    theirs = theirs(other)
    for t in range(steps):
        gradients = draws(seed + t + 1, shapes, dtype, 10.0 ** (t % 5 - 2))
        for w, g in zip(other, gradients, strict=True):
            w.grad = g.clone()
        before = [g.clone() for g in gradients]
        ours.step(mine, gradients)
        theirs.step()
        close(mine, other, dtype, factor)
        assert all(map(torch.equal, gradients, before))  # the caller's gradients stay


momentums = st.one_of(
    st.just({"momentum": 0.0}),  # PyTorch then ignores dampening
    st.fixed_dictionaries({"momentum": st.floats(0.01, 0.99), "dampening": st.floats(0, 1)}),
    st.fixed_dictionaries({"momentum": st.floats(0.1, 0.99), "nesterov": st.just(True)}),
)
adams = st.fixed_dictionaries(
    {"betas": st.tuples(fading, st.floats(0, 0.999)), "eps": small, "weight_decay": decays}
)
problems = {"seed": seeds, "shapes": shapes, "dtype": dtypes, "steps": steps}


def scaled(decay, dtype):
    """How exactly a rule that divides by the gradient's size can agree; its type, and tolerance.

    Where the decay cancels a gradient, what is left is mostly rounding, and is scaled up to 1.
    """
    return {"dtype": torch.float64, "factor": 5e6} if decay else {"dtype": dtype}


@given(lr=rates, options=momentums, decay=decays, **problems)
def test_momentum(lr, options, decay, **problem):
    options = {**options, "weight_decay": decay}
    check_steps(Momentum(lr, **options), lambda w: torch.optim.SGD(w, lr=lr, **options), **problem)


@given(lr=rates, alpha=st.floats(0, 0.999), eps=small, decay=decays, **problems)
def test_rmsprop(lr, alpha, eps, decay, **problem):
    options = {"alpha": alpha, "eps": eps, "weight_decay": decay}
    problem |= scaled(decay, problem["dtype"])
    check_steps(
        RMSprop(lr, **options), lambda w: torch.optim.RMSprop(w, lr=lr, **options), **problem
    )


@given(lr=rates, options=adams, **problems)
def test_adam(lr, options, **problem):
    problem |= scaled(options["weight_decay"], problem["dtype"])
    check_steps(Adam(lr, **options), lambda w: torch.optim.Adam(w, lr=lr, **options), **problem)


@given(lr=rates, options=adams, **problems)
def test_adamw(lr, options, **problem):
    check_steps(AdamW(lr, **options), lambda w: torch.optim.AdamW(w, lr=lr, **options), **problem)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (Momentum, lambda w: torch.optim.SGD(w, lr=0.01, momentum=0.9)),
        (RMSprop, lambda w: torch.optim.RMSprop(w, lr=0.01)),
        (Adam, lambda w: torch.optim.Adam(w, lr=0.01)),
        (AdamW, lambda w: torch.optim.AdamW(w, lr=0.01)),
    ],
)
def test_defaults_and_gradients_of_zero(ours, theirs):
    check_steps(ours(0.01), theirs, 3, [(2, 3), ()], torch.float64, 200)
    w = torch.ones(2, dtype=torch.float64)
    ours(0.01, weight_decay=0).step([w], [torch.zeros_like(w)])
    assert torch.equal(w, torch.ones_like(w))


def test_an_option_that_does_not_exist_is_refused():
    with pytest.raises(TypeError, match="nesterow"):
        Momentum(0.1, nesterow=True)


@given(seed=seeds, shapes=shapes, dtype=dtypes, lr=rates, decay=decays)
def test_for_sgd_decay_is_l2_and_for_adam_it_is_not(seed, shapes, dtype, lr, decay):
    w, g = draws(seed, shapes, dtype), draws(seed + 1, shapes, dtype)
    mine = [each.clone() for each in w]
    Momentum(lr, momentum=0, weight_decay=decay).step(mine, g)
    decayed = [each * (1 - lr * decay) for each in w]
    SGD(lr).step(decayed, g)
    close(mine, decayed, dtype)


@given(seed=seeds, shapes=shapes, dtype=dtypes, decay=fading, steps=steps)
def test_the_average_is_that_of_torch(seed, shapes, dtype, decay, steps):
    start = draws(seed, shapes, dtype)
    model = torch.nn.ParameterList([w.clone() for w in start])
    theirs = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(decay))
    theirs.update_parameters(model)  # the first one copies
    ours = Average(start, decay)
    for t in range(steps):
        new = draws(seed + t + 1, shapes, dtype)
        ours.update(new)
        with torch.no_grad():
            for w, value in zip(model, new, strict=True):
                w.copy_(value)
        theirs.update_parameters(model)
        close(ours.parameters, list(theirs.module), dtype)


@given(warmup=st.integers(2, 20), falling=st.integers(1, 60), lr=rates)
def test_the_schedule_is_that_of_torch(warmup, falling, lr):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=lr)
    grow = lr_scheduler.LinearLR(optimizer, 1 / warmup, total_iters=warmup - 1)
    fall = lr_scheduler.CosineAnnealingLR(optimizer, falling)
    theirs = lr_scheduler.SequentialLR(optimizer, [grow, fall], [warmup])
    for step in range(warmup + falling):
        factor = warmup_cosine(step, warmup, warmup + falling)
        assert optimizer.param_groups[0]["lr"] == pytest.approx(lr * factor, rel=1e-9, abs=1e-14)
        optimizer.step()
        theirs.step()


@given(seed=seeds, shapes=shapes, dtype=dtypes, limit=st.floats(1e-3, 100), scale=rates)
def test_clipping_is_that_of_torch(seed, shapes, dtype, limit, scale):
    ours = draws(seed, shapes, dtype, 100 * scale)
    theirs = [torch.zeros_like(g, requires_grad=True) for g in ours]
    for w, g in zip(theirs, ours, strict=True):
        w.grad = g.clone()
    norm = torch.nn.utils.clip_grad_norm_(theirs, limit)
    close([clip(ours, limit)], [norm], dtype)
    close(ours, [w.grad for w in theirs], dtype)


# ---------------------------------------------------------------- exercises


def adagrad(update):
    return type("Adagrad", (Optimizer,), {"memories": 1, "update": update})


def right(self, w, g, s):
    s += g * g
    w -= self.lr * g / (s.sqrt() + 1e-10)


def fading_squares(self, w, g, s):
    s *= 0.9
    s += 0.1 * g * g
    w -= self.lr * g / (s.sqrt() + 1e-10)


def forgotten(self, w, g, s):
    s = s + g * g
    w -= self.lr * g / (s.sqrt() + 1e-10)


def no_root(self, w, g, s):
    s += g * g
    w -= self.lr * g / (s + 1e-10)


def late(self, w, g, s):
    w -= self.lr * g / (s.sqrt() + 1e-10)
    s += g * g


def averages(values, beta, corrected=True):
    v, found = 0.0, []
    for t, value in enumerate(values, 1):
        v = beta * v + (1 - beta) * value
        found.append(v / (1 - beta**t) if corrected else v)
    return found


def weighted(values, beta):
    total, weight, found = 0.0, 0.0, []
    for value in values:
        total, weight = beta * total + value, beta * weight + 1
        found.append(total / weight)
    return found


WRONG = {
    "check_adagrad": [adagrad(f) for f in (fading_squares, forgotten, no_root, late)],
    "check_corrected": [
        lambda values, beta: averages(values, beta, corrected=False),
        lambda values, beta: list(values),
        lambda values, beta: [sum(values[:t]) / t for t in range(1, len(values) + 1)],
        lambda values, beta: averages(values, beta)[-1:],
        lambda values, beta: averages(values, 1 - beta) if 0 < beta < 1 else list(values),
    ],
}
RIGHT = {"check_adagrad": [adagrad(right)], "check_corrected": [averages, weighted]}


@pytest.mark.parametrize(("name", "answer"), [(n, a) for n in WRONG for a in WRONG[n]])
def test_wrong_answers_are_refused(defined, name, answer):
    with pytest.raises(AssertionError):
        defined[name](answer)


@pytest.mark.parametrize(("name", "answer"), [(n, a) for n in RIGHT for a in RIGHT[n]])
def test_right_answers_are_taken(defined, name, answer):
    defined[name](answer)
