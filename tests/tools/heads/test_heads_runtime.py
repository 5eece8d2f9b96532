"""check_head and guard, against brute-force oracles and PyTorch itself."""

import copy
import functools
import math
import pickle
import random
import runpy
import warnings
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from tools.torch_heads import Finding, HeadError, HeadWarning, check_head, guard

torch.set_num_threads(1)
RUNTIME = sorted((Path(__file__).parent / "corpus/runtime").iterdir())


def codes(report, severity=None):
    return [f.code for f in report.findings if severity in (None, f.severity)]


# ---------------------------------------------------------------------------------------------
# check_head against an oracle that knows nothing of graphs

HEADS = {
    "scores": lambda z: z,
    "softmax": lambda z: z.softmax(1),
    "softmax over samples": lambda z: z.softmax(0),
    "log_softmax": lambda z: z.log_softmax(1),
    "log_softmax over samples": lambda z: z.log_softmax(0),
    "log of softmax": lambda z: z.softmax(1).log(),
    "sigmoid": lambda z: z.sigmoid(),
    "relu": lambda z: z.relu(),
}
MODULES = {
    "softmax": nn.Softmax(1),
    "log_softmax": nn.LogSoftmax(1),
    "sigmoid": nn.Sigmoid(),
    "relu": nn.ReLU(),
    "scores": nn.Identity(),
}
# Steps that move numbers and change none.
MOVES = {
    "view": lambda p: p.contiguous().view(-1).view(p.shape),
    "reshape": lambda p: p.reshape(p.shape[0], -1).reshape(p.shape),
    "transpose": lambda p: p.transpose(0, 1).contiguous().transpose(0, 1),
    "permute": lambda p: p.movedim(1, -1).movedim(-1, 1),
    "cast": lambda p: p.double(),
    "clone": lambda p: p.clone(),
    "slice": lambda p: p[:, :],
    "index": lambda p: p[torch.arange(len(p))],
    "mask": lambda p: p[torch.ones(len(p), dtype=torch.bool)],
    "cat": lambda p: torch.cat([p[:1], p[1:]]),
    "stack": lambda p: torch.stack([p, p])[1],
    "chunk": lambda p: torch.cat(p.chunk(2)),
    "unbind": lambda p: torch.stack(p.unbind(0)),
    "squeeze": lambda p: p.unsqueeze(0).squeeze(0),
    "expand": lambda p: p.expand(2, *p.shape)[0],
    "dropout": lambda p: F.dropout(p, 0.0, training=True),
}


class Net(nn.Module):
    """A linear layer per position, then a head, then moves."""

    def __init__(self, n, classes, dims, head, moves):
        super().__init__()
        self.linear = nn.Linear(n, classes)
        self.dims, self.head, self.moves = dims, head, moves

    def forward(self, x):
        z = self.linear(x)
        z = z if self.dims == 0 else torch.stack([z * (1 + k) for k in range(self.dims)], -1)
        z = HEADS[self.head](z)
        for move in self.moves:
            z = MOVES[move](z)
        return z


def module_net(n, classes, head, nested):
    net = nn.Sequential(nn.Linear(n, classes), MODULES[head])
    net = nn.Sequential(nn.Flatten(), nn.Sequential(net, nn.Dropout(0.0))) if nested else net
    return nn.DataParallel(net) if nested else net


class Wrapped(nn.Module):
    def __init__(self, loss):
        super().__init__()
        self.loss = loss

    def forward(self, output, target):
        return 2 * self.loss(output, target)


@st.composite
def cases(draw):
    torch.manual_seed(draw(st.integers(0, 2**16)))
    classes, samples = draw(st.integers(2, 5)), draw(st.integers(2, 6))
    name = draw(st.sampled_from(["cross_entropy", "nll_loss", "bce", "bce_logits", "mse"]))
    function = {
        "cross_entropy": F.cross_entropy,
        "nll_loss": F.nll_loss,
        "bce": F.binary_cross_entropy,
        "bce_logits": F.binary_cross_entropy_with_logits,
        "mse": F.mse_loss,
    }[name]
    if draw(st.booleans()):
        dims = draw(st.integers(0, 3))
        head = draw(st.sampled_from(sorted(HEADS)))
        net = Net(
            3, classes, dims, head, draw(st.lists(st.sampled_from(sorted(MOVES)), max_size=3))
        )
    else:
        dims, head = 0, draw(st.sampled_from(sorted(MODULES)))
        net = module_net(3, classes, head, draw(st.booleans()))
    x, options = 3 * torch.randn(samples, 3), {}
    dtype = net(x).dtype
    if name in ("cross_entropy", "nll_loss"):
        if draw(st.booleans()):
            options["weight"] = torch.rand(classes, dtype=dtype) + 0.5
        if draw(st.booleans()):
            options["ignore_index"] = draw(st.sampled_from([-1, 0]))
        target = torch.randint(classes, (samples, *[dims] * (dims > 0)))
    else:
        target = torch.rand(samples, classes, *[dims] * (dims > 0), dtype=dtype)
    if name == "cross_entropy" and draw(st.booleans()):
        options["label_smoothing"] = 0.1
    form = draw(st.sampled_from(["module", "partial", "lambda", "wrapped"]))
    modules = {
        "cross_entropy": nn.CrossEntropyLoss,
        "nll_loss": nn.NLLLoss,
        "bce": nn.BCELoss,
        "bce_logits": nn.BCEWithLogitsLoss,
        "mse": nn.MSELoss,
    }
    loss = {
        "module": modules[name](**options),
        "partial": functools.partial(function, **options),
        "lambda": lambda output, y: function(output, y, **options),
        "wrapped": Wrapped(modules[name](**options)),
    }[form]
    with_target = form in ("lambda", "wrapped") or draw(st.booleans())
    return net, head, name, loss, x, target if with_target else None


def oracle(net, name, x):
    """Is the loss wrong for what the network puts out? By trying, not by looking inside."""
    net = net.double().train()
    with torch.no_grad():
        out = net(x.double()).double()
        # Logarithm and softmax give probabilities back; log_softmax leaves its own results alone.
        log_probabilities = torch.allclose(out.log_softmax(1), out, atol=1e-6)
        # However large the scores, what a sigmoid or a softmax puts out stays between 0 and 1.
        large = net(x.double() * 1e4)
        squashed = bool(((large >= 0) & (large <= 1)).all() and ((out >= 0) & (out <= 1)).all())
    return {
        "cross_entropy": squashed,
        "nll_loss": not log_probabilities,
        "bce": not squashed,
        "bce_logits": squashed,
        "mse": False,
    }[name]


@given(cases())
@settings(max_examples=300, deadline=None)
def test_check_head_agrees_with_an_oracle(case):
    net, head, name, loss, x, target = case
    if head == "relu" and name in ("bce", "bce_logits"):
        return  # a ReLU has probabilities in its range, and the numbers decide
    if head == "relu" and not (net(x) > 1).any():
        return  # a dead ReLU is constantly 0, for the oracle, too
    report = check_head(net, loss, x, target)
    assert bool(codes(report, "error")) == oracle(net, name, x), str(report)


@given(st.integers(2, 1000))
@settings(max_examples=20, deadline=None)
def test_the_stated_floor_is_the_least_possible_loss(classes):
    report = check_head(
        nn.Sequential(nn.Linear(2, classes), nn.Softmax(1)),
        nn.CrossEntropyLoss(),
        torch.randn(2, 2),
    )
    certain = torch.eye(classes, dtype=torch.float64)[:1]  # the best probabilities there are
    floor = float(F.cross_entropy(certain, torch.tensor([0])))
    assert f"{floor:.4f} with {classes} classes" in str(report).replace("\n", " ")


@pytest.mark.parametrize(("classes", "floor"), [(3, 0.2911), (10, 0.5003)])
def test_label_smoothing_has_a_floor_and_is_no_error(classes, floor):
    loss = nn.CrossEntropyLoss(label_smoothing=0.1)
    report = check_head(nn.Linear(4, classes), loss, torch.randn(2, 4), torch.tensor([0, 1]))
    assert report.ok and codes(report) == ["label-smoothing"]
    # The least loss by optimization, not by the formula.
    z = torch.zeros(1, classes, requires_grad=True, dtype=torch.float64)
    optimizer = torch.optim.LBFGS([z], max_iter=200, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        value = loss(z, torch.tensor([0]))
        value.backward()
        return value

    optimizer.step(closure)
    assert math.isclose(closure().item(), floor, abs_tol=1e-4)
    assert f"over {floor:.4f}" in str(report)


# ---------------------------------------------------------------------------------------------
# The family, one by one

X = torch.linspace(-2, 2, 24).reshape(6, 4)
LABELS = torch.tensor([0, 1, 2, 0, 1, 2])


def end(*modules, outputs=3):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, outputs), *modules)


@pytest.mark.parametrize(
    ("model", "loss", "target", "code"),
    [
        (end(nn.Softmax(1)), nn.CrossEntropyLoss(), LABELS, "double-softmax"),
        (end(nn.Sigmoid()), nn.CrossEntropyLoss(), LABELS, "sigmoid-cross-entropy"),
        (end(nn.ReLU()), nn.CrossEntropyLoss(), LABELS, "relu-scores"),
        (end(nn.LogSoftmax(1)), nn.CrossEntropyLoss(), LABELS, "double-log-softmax"),
        (end(nn.Softmax(1)), nn.NLLLoss(), LABELS, "nll-probabilities"),
        (end(), nn.NLLLoss(), LABELS, "nll-scores"),
        (end(nn.LogSoftmax(0)), nn.NLLLoss(), LABELS, "wrong-dim"),
        (end(nn.Sigmoid(), outputs=1), nn.BCEWithLogitsLoss(), torch.ones(6, 1), "double-sigmoid"),
        (end(nn.Softmax(1)), nn.BCEWithLogitsLoss(), torch.ones(6, 3), "softmax-bce"),
        (end(outputs=1), nn.BCELoss(), torch.ones(6, 1), "bce-scores"),
        (end(nn.Softmax(1), outputs=1), nn.BCELoss(), torch.ones(6, 1), "softmax-of-one"),
        (end(nn.Softmax(-1), outputs=1), nn.MSELoss(), torch.ones(6, 1), "softmax-of-one"),
        (end(outputs=1), nn.CrossEntropyLoss(), 0 * LABELS, "one-class"),
        (end(outputs=1), nn.MSELoss(), torch.ones(6), "broadcast"),
        (end(outputs=1), nn.L1Loss(), torch.ones(6), "broadcast"),
        (end(outputs=1), nn.HuberLoss(), torch.ones(6), "broadcast"),
        (end(outputs=1), nn.SmoothL1Loss(), torch.ones(6), "broadcast"),
        (end(), nn.CrossEntropyLoss(), LABELS + 1, "target-range"),
        (end(nn.LogSoftmax(1)), nn.NLLLoss(), LABELS + 1, "target-range"),
        (end(), nn.CrossEntropyLoss(), -100 + 0 * LABELS, "all-ignored"),
        (end(), nn.CrossEntropyLoss(), torch.ones(6, 3), "target-probabilities"),
        (end(outputs=1), nn.BCEWithLogitsLoss(), 2 * torch.ones(6, 1), "target-range"),
        (end(outputs=1), nn.BCEWithLogitsLoss(), -torch.ones(6, 1), "target-range"),
        (end(), nn.CrossEntropyLoss(), LABELS[:, None], "loss-raises"),
        (end(), nn.CrossEntropyLoss(), LABELS.float(), "loss-raises"),
        (end(), nn.CrossEntropyLoss(), LABELS.int(), "loss-raises"),
        (end(), nn.CrossEntropyLoss(), F.one_hot(LABELS), "loss-raises"),
        (end(), nn.CrossEntropyLoss(weight=torch.ones(2)), LABELS, "loss-raises"),
        (end(outputs=1), nn.BCEWithLogitsLoss(), torch.ones(6), "loss-raises"),
        (end(outputs=1), nn.BCEWithLogitsLoss(), torch.ones(6, 1).long(), "loss-raises"),
        (end(), nn.MSELoss(), torch.ones(5), "loss-raises"),
    ],
)
def test_the_family_is_told_by_name(model, loss, target, code):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch's own, for broadcasting
        report = check_head(model, loss, X, target)
    assert codes(report) == [code]
    assert report.ok == (report.findings[0].severity == "note")
    assert "Write instead: " in str(report).replace("\n", " ")


@pytest.mark.parametrize(
    ("model", "loss", "target"),
    [
        (end(), nn.CrossEntropyLoss(), LABELS),
        (end(), nn.CrossEntropyLoss(ignore_index=2, weight=torch.ones(3)), LABELS),
        (end(), nn.CrossEntropyLoss(ignore_index=7), LABELS.where(LABELS > 0, 7)),
        (end(), nn.CrossEntropyLoss(), LABELS.to(torch.uint8)),
        (end(), nn.CrossEntropyLoss(), torch.full((6, 3), 1 / 3)),
        (end(nn.LogSoftmax(1)), nn.NLLLoss(), LABELS),
        (end(nn.LogSoftmax(-1)), nn.NLLLoss(reduction="sum"), LABELS),
        (end(nn.Sigmoid()), nn.BCELoss(), torch.ones(6, 3)),
        (end(nn.Softmax(1)), nn.BCELoss(), torch.ones(6, 3)),
        (end(), nn.BCEWithLogitsLoss(), torch.ones(6, 3)),
        (end(nn.Softmax(1)), nn.MSELoss(), torch.ones(6, 3)),
        (end(nn.Sigmoid()), nn.L1Loss(), torch.ones(6, 3)),
        (lambda x: end()(x).clamp(0, 1), nn.BCELoss(), torch.ones(6, 3)),
        (end(outputs=1), nn.MSELoss(), torch.ones(6, 1)),
        (end(outputs=1), nn.MSELoss(), torch.tensor(0.0)),
        # nll_loss without reduction only picks values: focal losses use it so
        (end(nn.Softmax(1)), lambda p, y: F.nll_loss(p, y, reduction="none").mean(), LABELS),
    ],
)
def test_what_fits_is_left_in_peace(model, loss, target):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        report = check_head(model, loss, X, target)
    assert report.findings == () and report.ok
    assert str(report).startswith("check_head: nothing wrong found")


@pytest.mark.parametrize(
    ("between", "seen"),
    [
        (lambda p: F.dropout(p, 0.5), True),
        (lambda p: F.dropout1d(p[:, None], 0.5).squeeze(1), True),
        (lambda p: p.clamp(1e-6, 1), True),
        (lambda p: torch.cat([p, p], 1), True),
        (lambda p: torch.cat([p, X[:, :1]], 1), True),
        (lambda p: 10 * p, False),
        (lambda p: p * X[:, :1], False),
        (lambda p: p + 1, False),
        (lambda p: torch.cat([p, p.log()], 1), False),
        (lambda p: nn.Linear(3, 3)(p), False),
    ],
)
def test_what_the_graph_is_seen_through(between, seen):
    def model(x):
        return between(end()(x).softmax(1))

    assert bool(codes(check_head(model, F.cross_entropy, X, LABELS), "error")) == seen


def test_structure_is_enough_for_a_sequential():
    deep = nn.Sequential(nn.Linear(4, 3), nn.Sequential(nn.Softmax(1), nn.Dropout()))
    report = check_head(torch.compile(deep, backend="eager"), nn.CrossEntropyLoss())
    assert codes(report) == ["double-softmax"]
    assert report.findings[0].evidence == ("structure: model.1.0 is Softmax(dim=1)",)
    assert check_head(deep[0], F.cross_entropy).ok


def test_without_a_sample_code_is_not_judged():
    class Predicts(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc, self.softmax = nn.Linear(4, 3), nn.Softmax(1)

        def forward(self, x):
            return self.fc(x)

    assert "undecided" in str(check_head(Predicts(), nn.CrossEntropyLoss()))
    assert check_head(Predicts(), nn.CrossEntropyLoss(), X).ok


def test_evidence_and_confidence_are_named():
    with_graph = check_head(end(nn.Softmax(1)), nn.CrossEntropyLoss(), X, LABELS).findings[0]
    assert with_graph.confidence == "certain"
    assert with_graph.evidence == (
        "graph: SoftmaxBackward0",
        "structure: model.1 is Softmax(dim=1)",
    )

    @torch.no_grad()
    def closed(x):
        return end(nn.Softmax(1))(x)

    by_values = check_head(closed, nn.CrossEntropyLoss(), X, LABELS).findings[0]
    assert (by_values.confidence, by_values.severity) == ("looks like", "warning")
    assert by_values.evidence[0].startswith("values: ")


def test_the_training_behavior_counts_also_for_a_model_in_eval_mode():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc, self.norm = nn.Linear(4, 3), nn.BatchNorm1d(3)

        def forward(self, x):
            z = self.norm(self.fc(x))
            return z if self.training else z.softmax(1)

    assert check_head(Net().eval(), nn.CrossEntropyLoss(), X, LABELS).ok
    assert check_head(Net().eval(), nn.CrossEntropyLoss(), X[:1], LABELS[:1]).ok  # one sample


class Busy(nn.Module):
    """Has everything that a check could disturb."""

    def __init__(self):
        super().__init__()
        self.fc, self.norm, self.drop = nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Dropout(0.5)
        self.frozen = nn.BatchNorm1d(3).eval()
        self.register_buffer("count", torch.zeros(()))
        self.register_buffer("last", torch.zeros(1))

    def forward(self, x):
        x.mul_(2)  # in place, on its input
        self.count += 1
        self.last = x.detach()
        noise = torch.randn(()) + random.random()
        return self.frozen(self.drop(self.norm(self.fc(x)))) + noise


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("mode", [True, False])
@pytest.mark.parametrize("target", [None, LABELS, LABELS + 7, LABELS.float()])
def test_nothing_is_changed(target, mode, fails):
    model, x = Busy().train(mode), X.clone()
    model.frozen.eval()
    model(x.clone()).sum().backward()
    if fails:
        model.frozen.forward = lambda _: 1 / 0
    tensors = [*model.parameters(), *model.buffers(), *(p.grad for p in model.parameters())]
    before = [(id(t), t._version, t.clone()) for t in [*tensors, x]]
    flags = [m.training for m in model.modules()]
    states = torch.get_rng_state(), random.getstate()
    y = None if target is None else target.clone()
    if fails:
        with pytest.raises(ZeroDivisionError):
            check_head(model, nn.CrossEntropyLoss(), x, y)
    else:
        check_head(model, nn.CrossEntropyLoss(), x, y)
    tensors = [*model.parameters(), *model.buffers(), *(p.grad for p in model.parameters())]
    for t, (identity, version, value) in zip([*tensors, x], before, strict=True):
        assert id(t) == identity and t._version == version and torch.equal(t, value)
    assert [m.training for m in model.modules()] == flags
    assert torch.equal(torch.get_rng_state(), states[0]) and random.getstate() == states[1]
    assert torch.is_grad_enabled() and (y is None or torch.equal(y, target))
    assert not model._forward_hooks


def test_inputs_of_other_forms():
    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.emb, self.fc = nn.Embedding(5, 4), nn.Linear(4, 3)

        def forward(self, tokens, extra):
            return self.fc(self.emb(tokens) + extra).softmax(1), extra

    tokens = torch.tensor([0, 1, 2, 3, 4, 0])

    def loss(output, y):
        return F.cross_entropy(output[0], y)

    for sample in ((tokens, X), [tokens, X], {"tokens": tokens, "extra": X}):
        assert codes(check_head(Two(), loss, sample, LABELS)) == ["double-softmax"]
    assert "undecided" in str(check_head(Two(), nn.CrossEntropyLoss(), (tokens, X)))


@pytest.mark.parametrize(
    ("arguments", "error", "word"),
    [
        ((nn.Linear, nn.MSELoss()), TypeError, "model"),
        ((end(), nn.CrossEntropyLoss), TypeError, r"CrossEntropyLoss\(...\)"),
        ((end(), "cross_entropy"), TypeError, "loss_fn"),
        ((end(), nn.MSELoss(), None, X), ValueError, "sample_input"),
        ((nn.LazyLinear(3), nn.MSELoss(), X), ValueError, "lazy"),
    ],
)
def test_bad_arguments_are_named(arguments, error, word):
    with pytest.raises(error, match=word):
        check_head(*arguments)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_scripted_model_is_refused():
    with pytest.raises(TypeError, match="torch.jit"):
        check_head(torch.jit.trace(end(), X), nn.CrossEntropyLoss(), X)


def test_an_empty_batch_is_judged_by_its_graph():
    report = check_head(end(nn.Softmax(1)), nn.CrossEntropyLoss(), X[:0], LABELS[:0])
    assert codes(report) == ["double-softmax"]
    assert check_head(end(), nn.CrossEntropyLoss(), X[:0], LABELS[:0]).ok


def test_errors_of_a_loss_of_ones_own_are_passed_on():
    def broken(output, target):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        check_head(end(), broken, X, LABELS)


# ---------------------------------------------------------------------------------------------
# guard


@pytest.mark.parametrize("make", [lambda: nn.CrossEntropyLoss(), lambda: F.cross_entropy])
def test_guard_raises_at_the_first_call_only(make):
    criterion = guard(make())
    with pytest.raises(HeadError, match="softmax"):
        criterion(end(nn.Softmax(1))(X), LABELS)
    expected = F.cross_entropy(end(nn.Softmax(1))(X), LABELS)
    assert torch.equal(criterion(end(nn.Softmax(1))(X), LABELS), expected)


def test_guard_leaves_a_module_as_it_was():
    criterion = nn.CrossEntropyLoss(weight=torch.ones(3))
    assert guard(criterion) is criterion
    output = end()(X)
    assert torch.equal(criterion(output, LABELS), F.cross_entropy(output, LABELS))
    assert not criterion._forward_hooks and not criterion._forward_pre_hooks
    assert torch.overrides._get_current_function_mode() is None


def test_guard_looks_into_a_loss_of_ones_own():
    class Focal(nn.Module):
        def forward(self, output, target):
            return (F.cross_entropy(output.softmax(1), target, reduction="none") ** 2).mean()

    criterion = guard(Focal())
    with pytest.raises(HeadError, match="softmax"):
        criterion(end()(X), LABELS)
    assert not criterion._forward_hooks
    assert torch.overrides._get_current_function_mode() is None


def test_guard_warns_if_asked_and_where_it_only_looks_so():
    criterion = guard(nn.CrossEntropyLoss(), action="warn")
    with pytest.warns(HeadWarning, match="softmax"):
        criterion(end(nn.Softmax(1))(X), LABELS).backward()
    criterion = guard(nn.CrossEntropyLoss())
    with pytest.warns(HeadWarning, match="looks like"):
        criterion(end(nn.Softmax(1))(X).detach(), LABELS)


def test_guard_is_silent_about_what_is_right_and_about_notes():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        guard(nn.CrossEntropyLoss())(end()(X), LABELS)
        guard(nn.CrossEntropyLoss())(end(nn.LogSoftmax(1))(X), LABELS)
        guard(nn.BCEWithLogitsLoss())(end(outputs=1)(X), torch.ones(6, 1))
        guard(lambda a, b: (a - b).square().mean())(X, X)


def test_guard_explains_what_pytorch_rejects():
    with pytest.raises(RuntimeError) as error:
        guard(nn.CrossEntropyLoss())(end()(X), LABELS[:, None])
    assert "class indices (int64, 0 to 2) of shape (6,)" in error.value.__notes__[0].replace(
        "\n", " "
    )


def test_guard_stops_indices_out_of_range_before_a_gpu_would():
    with pytest.raises(HeadError, match="run from 1 to 3"):
        guard(nn.CrossEntropyLoss())(end()(X), LABELS + 1)


def test_guard_never_stops_training_over_a_tensor_it_does_not_understand():
    sparse = torch.ones(6, 3).to_sparse().requires_grad_()
    criterion = guard(lambda a, b: F.mse_loss(a.to_dense(), b))
    assert criterion(sparse, torch.zeros(6, 3)) == 1
    losses = torch.func.vmap(guard(F.mse_loss))
    with pytest.warns(HeadWarning, match="could not look"):
        assert losses(torch.ones(3, 2), torch.zeros(3, 2)).tolist() == [1, 1, 1]


@pytest.mark.parametrize("loss", [nn.CrossEntropyLoss, lambda: F.cross_entropy])
def test_guard_and_compiled_code(loss):
    net = end(nn.Softmax(1))
    compiled = torch.compile(net, backend="aot_eager")
    with pytest.warns(HeadWarning, match="looks like"):
        guard(loss())(compiled(X), LABELS).backward()
    criterion = guard(loss())
    step = torch.compile(lambda x, y: criterion(net(x), y), backend="eager", fullgraph=True)
    with pytest.warns(HeadWarning, match="cannot look") as said:
        for _ in range(3):
            assert torch.allclose(step(X, LABELS), F.cross_entropy(net(X), LABELS))
    assert len(said) == 1


@pytest.mark.parametrize("path", RUNTIME, ids=lambda path: path.stem)
def test_scripts_that_are_right_train_and_those_that_are_wrong_are_told(path):
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        try:
            runpy.run_path(str(path), run_name="__main__")
        except SystemExit as end:
            assert end.code == 0


def test_a_copy_looks_for_itself_and_a_pickled_guard_looks_again():
    wrong = end(nn.Softmax(1))
    criterion = guard(nn.CrossEntropyLoss())
    copies = [copy.deepcopy(criterion), pickle.loads(pickle.dumps(criterion))]
    for each in (criterion, *copies):
        with pytest.raises(HeadError):
            each(wrong(X), LABELS)
        assert not each._forward_hooks and not each._forward_pre_hooks
    function = pickle.loads(pickle.dumps(guard(F.cross_entropy)))
    with pytest.raises(HeadError):
        function(wrong(X), LABELS)


def test_other_hooks_of_the_loss_stay_and_ours_go():
    calls = []
    criterion = guard(nn.CrossEntropyLoss())
    handle = criterion.register_forward_hook(lambda *args: calls.append(args))
    with pytest.raises(HeadError):
        criterion(end(nn.Softmax(1))(X), LABELS)
    criterion(end()(X), LABELS)
    assert len(calls) == 1 and len(criterion._forward_hooks) == 1
    handle.remove()
    assert not criterion._forward_hooks and not criterion._forward_pre_hooks


def test_guard_names_bad_arguments():
    with pytest.raises(TypeError, match="write CrossEntropyLoss"):
        guard(nn.CrossEntropyLoss)
    with pytest.raises(ValueError, match="action"):
        guard(nn.MSELoss(), action="stop")


def test_a_finding_is_one_paragraph():
    text = str(Finding("c", "error", "what", "Why.", "fix", ("graph: X",)))
    assert text == "error (certain): what. Why. Write instead: fix. Evidence: graph: X."
