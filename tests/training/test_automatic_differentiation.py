"""The small autograd against PyTorch's on random graphs; the checks of the notebook's exercises."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from books import ROOT, run_cells
from hypothesis import given
from hypothesis import strategies as st
from torch.autograd import Function, gradcheck, gradgradcheck
from torch.nn.functional import cross_entropy

from scripts.sources import Book, source
from tools.torch_mlp import MSE, Dense, Model, SoftmaxCrossEntropy, Tanh, one_hot
from tools.torch_training import Value, backward, history

NAME = "content/training/automatic-differentiation.ipynb"
CELLS = {cell["id"]: source(cell) for cell in Book.read(ROOT).notebooks[NAME]["cells"]}

sizes = st.integers(1, 4)
seeds = st.integers(0, 2**32 - 1)
dtypes = st.sampled_from([torch.float64, torch.float32])


@pytest.fixture(scope="module")
def defined():
    """What the notebook's cells define."""
    with run_cells(NAME, "imports", "dual", "function", "exercise-checks") as found:
        yield found


def normal(seed, *shape, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype)


# ---------------------------------------------------------------- graphs

OPERATIONS = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "@": lambda a, b: a @ b,
    "/": lambda a, _: a / 3,
    "exp": lambda a, _: a.tanh().exp(),
    "log": lambda a, _: (a * a).exp().log(),
    "tanh": lambda a, _: a.tanh(),
    "sum": lambda a, _: a.sum(),
}
programs = st.lists(
    st.tuples(st.sampled_from(list(OPERATIONS)), st.integers(0, 99), st.integers(0, 99)),
    min_size=1,
    max_size=25,
)


def fits(name, first, second):
    """Whether an operation takes operands of these shapes."""
    if name == "@":
        return len(first) == len(second) == 2 and first[1] == second[0]
    pairs = zip(reversed(first), reversed(second), strict=False)
    return name not in ("+", "-", "*") or all(a == b or 1 in (a, b) for a, b in pairs)


def run(program, leaves):
    """Make values of earlier ones, whichever they are, and of the last ones a loss."""
    values = list(leaves)
    for name, i, j in program:
        a, b = values[i % len(values)], values[j % len(values)]
        if not fits(name, a.data.shape, b.data.shape):
            continue
        result = OPERATIONS[name](a, b)
        # Or numbers grow without bound.
        values.append(result.tanh() if result.data.abs().max() > 3 else result)
    return sum((value.sum() for value in values[-3:-1]), start=values[-1].sum())


@given(program=programs, m=sizes, k=sizes, seed=seeds, dtype=dtypes)
def test_any_graph_has_the_gradients_of_autograd(program, m, k, seed, dtype):
    shapes = (), (1,), (k,), (m, 1), (1, k), (m, k), (k, k)
    data = [normal(seed + i, *shape, dtype=dtype) for i, shape in enumerate(shapes)]
    mine, theirs = [Value(x) for x in data], [x.clone().requires_grad_() for x in data]
    loss, expected = run(program, mine), run(program, theirs)
    backward(loss)
    expected.backward()
    assert loss.data == expected
    values = history(loss)
    assert len(values) == len(set(values))
    place = {value: i for i, value in enumerate(values)}
    assert all(place[value] < place[parent] for value in values for parent, _ in value.parents)
    # Larger gradients may have cancelled on their way to a leaf.
    largest = max(1.0, *(value.grad.abs().max().item() for value in values))
    for leaf, other in zip(mine, theirs, strict=True):
        assert (other.grad is None) == (leaf not in place)
        if other.grad is not None:
            error = 1000 * torch.finfo(dtype).eps * largest
            torch.testing.assert_close(leaf.grad, other.grad, rtol=0, atol=error)


def test_the_deepest_graph_is_no_deep_recursion():
    h = start = Value(torch.tensor(0.5, dtype=torch.float64))
    for _ in range(5000):
        h = h + h.tanh() / 5000
    backward(h)
    x = torch.tensor(0.5, dtype=torch.float64, requires_grad=True)
    y = x
    for _ in range(5000):
        y = y + y.tanh() / 5000
    y.backward()
    torch.testing.assert_close(start.grad, x.grad, rtol=1e-12, atol=0)


def test_going_back_twice_gives_the_same_gradients():
    a, b = Value(normal(1, 4, 3)), Value(normal(2, 3))
    loss = ((a * b).tanh() + a).sum()
    backward(loss)
    first = a.grad, b.grad
    backward(loss)
    assert torch.equal(a.grad, first[0])
    assert torch.equal(b.grad, first[1])


def test_the_exported_code_is_about_fifty_lines():
    code = "\n".join(CELLS[name] for name in ("operations", "value", "backward"))
    assert 45 <= sum(bool(line.strip()) for line in code.splitlines()) <= 55


# ---------------------------------------------------------------- networks


def rows(z):
    """ln of the sum of e^z over each row, as the notebook has it."""
    return (z.exp() @ Value(torch.ones(z.data.shape[1], 1, dtype=z.data.dtype))).log()


@given(m=sizes, widths=st.lists(sizes, min_size=2, max_size=5), seed=seeds, dtype=dtypes)
def test_the_networks_of_the_first_part(m, widths, seed, dtype):
    X, Y = normal(seed, m, widths[0], dtype=dtype), normal(seed + 1, m, widths[-1], dtype=dtype)
    hot = one_hot(Y.argmax(1), widths[-1]).to(dtype)
    draw = torch.Generator().manual_seed(seed)
    layers = [Dense(widths[0], widths[1], draw)]
    for n, k in pairwise(widths[1:]):
        layers += [Tanh(), Dense(n, k, draw)]
    for loss, targets in ((MSE(), Y), (SoftmaxCrossEntropy(), hot)):
        model = Model(layers, loss, dtype=dtype)
        model.compute_gradients(X, targets)
        parameters = [Value(w) for w in model.parameters()]
        P = Value(X)
        for i in range(0, len(parameters), 2):
            P = (P.tanh() if i else P) @ parameters[i] + parameters[i + 1]
        if isinstance(loss, MSE):
            result = ((P - Value(Y)) * (P - Value(Y))).sum() / Y.numel()
        else:
            result = (Value(hot) * (P - rows(P))).sum() / -m
        backward(result)
        error = 1000 * torch.finfo(dtype).eps
        got = [w.grad for w in parameters]
        torch.testing.assert_close(got, model.gradients(), rtol=error, atol=error)


@given(m=sizes, n=sizes, k=sizes, depth=st.integers(0, 6), seed=seeds, dtype=dtypes)
def test_training_with_shared_weights_and_residuals_is_that_of_torch(m, n, k, depth, seed, dtype):
    X, labels = normal(seed, m, n, dtype=dtype), torch.arange(m) % k
    Y = Value(one_hot(labels, k).to(dtype))
    shapes = (n, 5), (5, 5), (5,), (5, k)
    start = [normal(seed + i, *shape, dtype=dtype) / 3 for i, shape in enumerate(shapes)]

    def logits(X, V, W, b, U):
        H = X @ V
        for _ in range(depth):
            H = H + (H @ W + b).tanh()
        return H @ U

    mine, theirs = start, [w.clone().requires_grad_() for w in start]
    for _ in range(5):
        leaves = [Value(w) for w in mine]
        Z = logits(Value(X), *leaves)
        backward((Y * (Z - rows(Z))).sum() / -m)
        # With no depth, W and b are not used.
        mine = [w.data - 0.1 * getattr(w, "grad", 0) for w in leaves]
        for w in theirs:
            w.grad = None
        cross_entropy(logits(X, *theirs), labels).backward()
        with torch.no_grad():
            for w in theirs:
                w -= 0.1 * w.grad if w.grad is not None else 0
    error = 1e5 * torch.finfo(dtype).eps
    torch.testing.assert_close(mine, [w.detach() for w in theirs], rtol=error, atol=error)


@given(m=sizes, n=sizes, k=sizes, seed=seeds)
def test_rates_are_those_of_forward_mode(defined, m, n, k, seed):
    def f(X, W, b):
        A = (X @ W + b).tanh()
        return ((A - b) * A).sum() / 7

    inputs = normal(seed, m, n), normal(seed + 1, n, k), normal(seed + 2, k)
    rates = normal(seed + 3, m, n), normal(seed + 4, n, k), normal(seed + 5, k)
    value, rate = torch.autograd.functional.jvp(f, inputs, rates)
    got = f(*map(defined["Dual"], inputs, rates))
    torch.testing.assert_close((got.data, got.rate), (value, rate), rtol=1e-12, atol=1e-12)


# ---------------------------------------------------------------- operations for PyTorch


@given(m=sizes, k=sizes, scale=st.sampled_from([1.0, 1000.0]), seed=seeds, dtype=dtypes)
def test_the_softmax_loss_is_that_of_torch(defined, m, k, scale, seed, dtype):
    labels = torch.arange(m) % k
    found = []
    for loss, Y in (
        (defined["SoftmaxLoss"].apply, one_hot(labels, k).to(dtype)),
        (cross_entropy, labels),
    ):
        Z = (scale * normal(seed, m, k, dtype=dtype)).requires_grad_()
        value = 0.3 * loss(Z, Y)
        value.backward()
        found.append((value.detach(), Z.grad))
    error = 100 * torch.finfo(dtype).eps
    torch.testing.assert_close(*found, rtol=error, atol=error)


class Right(Function):
    @staticmethod
    def forward(ctx, Z, Y):
        ctx.save_for_backward(Z, Y)
        return -(Y * Z.log_softmax(1)).sum() / len(Y)

    @staticmethod
    def backward(ctx, grad_output):
        Z, Y = ctx.saved_tensors
        return grad_output * (Z.softmax(1) - Y) / len(Y), None


def variant(back):
    """The right loss with another way back."""

    def backward(ctx, grad_output):
        return back(*ctx.saved_tensors, grad_output), None

    return type("Variant", (Right,), {"backward": staticmethod(backward)})


class Kept(Right):  # forward's p is a constant
    @staticmethod
    def forward(ctx, Z, Y):
        ctx.save_for_backward(Z.softmax(1), Y)
        return -(Y * Z.log_softmax(1)).sum() / len(Y)

    @staticmethod
    def backward(ctx, grad_output):
        p, Y = ctx.saved_tensors
        return grad_output * (p - Y) / len(Y), None


class Summed(Right):
    @staticmethod
    def forward(ctx, Z, Y):
        ctx.save_for_backward(Z, Y)
        return -(Y * Z.log_softmax(1)).sum()


class OutputKept(Right):
    @staticmethod
    def forward(ctx, Z, Y):
        ctx.save_for_backward(Z, Y)
        return -(Y * Z.softmax(1).log()).sum() / len(Y)


# ---------------------------------------------------------------- exercises


def undone(grad, shape):
    while grad.ndim > len(shape):
        grad = grad.sum(0)
    for dim, size in enumerate(shape):
        if size == 1:
            grad = grad.sum(dim, keepdim=True)
    return grad


def log_sum_exp(way_back, total=lambda z: torch.logsumexp(z, 1, keepdim=True)):
    """An answer with this way back: a function of g, z and the result."""

    def answer(z):
        result = total(z.data)
        return Value(result, (z, lambda g: way_back(g, z.data, result)))

    return answer


WRONG = {
    "check_undo_broadcast": [
        lambda g, s: g,
        lambda g, s: g.sum(0),
        lambda g, s: g.sum(),
        lambda g, s: g.sum(0).reshape(s) if g.ndim > len(s) else g,
        lambda g, s: g[(0,) * (g.ndim - len(s))].expand(s) if g.ndim > len(s) else g,
        lambda g, s: undone(g, s) / 2,
        lambda g, s: undone(g, s).flatten(),
        lambda g, s: undone(g, s).mean() + torch.zeros(s),
        lambda g, s: None,
    ],
    "check_log_sum_exp": [
        log_sum_exp(lambda g, z, r: (z - r).exp()),
        log_sum_exp(lambda g, z, r: g.expand_as(z)),
        log_sum_exp(lambda g, z, r: g / r),
        log_sum_exp(lambda g, z, r: g * z.softmax(0)),
        log_sum_exp(lambda g, z, r: g.sum() * z.softmax(1)),
        log_sum_exp(lambda g, z, r: g * z.softmax(1), lambda z: z.exp().sum(1, keepdim=True).log()),
        log_sum_exp(lambda g, z, r: g * z.softmax(1), lambda z: z.logsumexp(1)),
        log_sum_exp(lambda g, z, r: g * z.softmax(1), lambda z: z.amax(1, keepdim=True)),
        lambda z: (z.exp() @ Value(torch.ones(z.data.shape[1], 1, dtype=z.data.dtype))).log(),
        lambda z: Value(torch.logsumexp(z.data, 1, keepdim=True)),
        lambda z: torch.logsumexp(z.data, 1, keepdim=True),
        lambda z: None,
    ],
    "check_twice": [
        Kept,
        Summed,
        variant(lambda Z, Y, g: (Z.softmax(1) - Y) / len(Y)),
        variant(lambda Z, Y, g: g * (Z.softmax(1) - Y)),
        variant(lambda Z, Y, g: g * (Z.softmax(1) - Y).detach() / len(Y)),
        variant(lambda Z, Y, g: g.detach() * (Z.softmax(1) - Y) / len(Y)),
        variant(lambda Z, Y, g: g * (Y - Z.softmax(1)) / len(Y)),
        variant(lambda Z, Y, g: g * (Z.softmax(0) - Y) / len(Y)),
        lambda Z, Y: cross_entropy(Z, Y),
        None,
    ],
}
RIGHT = {
    "check_undo_broadcast": [
        undone,
        lambda g, s: g.sum_to_size(s),
        lambda g, s: (
            g.sum(tuple(range(g.ndim - len(s)))).sum_to_size(s) if g.ndim > len(s) else undone(g, s)
        ),
    ],
    "check_log_sum_exp": [
        log_sum_exp(lambda g, z, r: g * (z - r).exp()),
        log_sum_exp(lambda g, z, r: g * z.softmax(1)),
        log_sum_exp(
            lambda g, z, r: z.softmax(1) * g,
            lambda z: (
                (z - z.amax(1, keepdim=True)).exp().sum(1, keepdim=True).log()
                + z.amax(1, keepdim=True)
            ),
        ),
    ],
    "check_twice": [Right, OutputKept],
}


@pytest.mark.parametrize(("name", "answer"), [(n, a) for n in WRONG for a in WRONG[n]])
def test_wrong_answers_are_refused(defined, name, answer):
    with pytest.raises(AssertionError):
        defined[name](answer)


@pytest.mark.parametrize(("name", "answer"), [(n, a) for n in RIGHT for a in RIGHT[n]])
def test_right_answers_are_taken(defined, name, answer):
    defined[name](answer)


def test_the_right_losses_are_right():
    inputs = normal(0, 4, 3).requires_grad_(), one_hot(torch.arange(4) % 3, 3).to(torch.float64)
    assert gradcheck(Right.apply, inputs)
    assert gradgradcheck(Right.apply, inputs)
