"""The pitfall notebook: what its pages say beyond what its own cells assert, and its exercises."""

import math
import re
import warnings

import pytest
import torch
from answers import answer_tests
from books import ROOT, run_cells
from torch import nn
from torch.nn import functional as F

from scripts.sources import read_notebook, source
from tools.torch_heads import check_head

NAME = "content/mlp/softmax-cross-entropy-pitfall.ipynb"
TEXT = "\n".join(map(source, read_notebook((ROOT / NAME).read_bytes(), NAME)["cells"]))
CELLS = ("imports", "floor", "perfect", "doubled", "uniform", "clouds", "network", "helpers")


@pytest.fixture(scope="module")
def page():
    """What these cells define."""
    threads = torch.get_num_threads()
    with run_cells(NAME, *CELLS) as found:
        yield found
    torch.set_num_threads(threads)


def test_the_floors_and_numbers_in_the_text(page):
    floor, doubled = page["floor"], page["doubled"]
    generator = torch.Generator().manual_seed(0)
    for k in (2, 3, 4, 10, 1000):
        right, wrong = (
            doubled(1000.0 * F.one_hot(torch.tensor([0]), k), torch.tensor([y])) for y in (0, 1)
        )
        assert abs(right - floor(k)) < 1e-12 and abs(wrong - floor(k) - 1) < 1e-12
        z = 5 * torch.randn(1000, k, generator=generator)
        y = torch.randint(k, (1000,), generator=generator)
        losses = F.cross_entropy(z.softmax(1), y, reduction="none")
        assert floor(k) < losses.min() and losses.max() < floor(k) + 1
    for k, written in ((3, "0.55"), (10, "1.46")):
        assert f"{floor(k):.{len(written) - 2}f}" == written and written in TEXT
    # A wrong answer leaves the right class 1/2 at most; the least that it can cost is this: so a
    # loss of 1.46 at 50 % right does not fit.
    z = torch.zeros(1, 10)
    z[0, :2] = 100
    assert (floor(10) + doubled(z, torch.tensor([0])).item()) / 2 > 1.46 + 0.2
    # Right 73 % of the time, and as sure as that: a healthy loss that the mistake could have, too.
    healthy = nn.functional.binary_cross_entropy(*2 * [torch.tensor(0.73)]).item()
    assert round(healthy, 2) == 0.58 == round(floor(2) + 1 - 0.73, 2)
    z = 10 * torch.randn(100_000, 10, generator=generator)
    losses = F.cross_entropy(z.softmax(1), torch.zeros(len(z), dtype=int), reduction="none")
    assert (
        losses[z.argmax(1) != 0].min()
        > doubled(torch.tensor([[100.0, 100] + 8 * [0]]), torch.tensor([0])) - 1e-6
    )


def test_the_two_checks_refuse_the_mistake(page):
    perfect, no_softmax, model = (
        page["assert_perfect_is_free"],
        page["assert_no_softmax"],
        page["model"],
    )
    with pytest.raises(AssertionError, match="a perfect answer costs 0.5514"):
        perfect(nn.Softmax(1), F.cross_entropy, k=3)
    for dim in (0, 1):
        with pytest.raises(AssertionError, match="there is a softmax"):
            no_softmax(nn.Sequential(model, nn.Softmax(dim)), torch.ones(5, 2))
    perfect(nn.LogSoftmax(1), F.nll_loss, k=3)
    perfect(nn.LogSoftmax(1), F.cross_entropy, k=3)  # harmless
    with pytest.raises(AssertionError):  # as the table of causes says
        perfect(nn.Identity(), nn.CrossEntropyLoss(label_smoothing=0.1), k=3)


@pytest.mark.parametrize("seed", [0, 50])
def test_each_other_cause_shows_what_the_table_says(page, seed):
    network, train, floor = page["network"], page["train"], page["floor"]
    (x, y), (new_x, new_y) = page["clouds"](3, seed), page["unseen"](3, seed)
    model = network(3, seed)
    assert train(model, x[:20], y[:20], F.cross_entropy, 400, torch.optim.Adam)[-1] < 0.01
    assert F.cross_entropy(model(new_x), new_y) > floor(3)
    first, second = train(network(3, seed), x, y, F.cross_entropy, epochs=2)
    assert second < 0.95 * first
    hasty, ten = network(10, seed), page["clouds"](10, seed)
    stopped = train(hasty, *ten, F.cross_entropy, lr=1.0)[-10:]
    assert train(hasty, *ten, F.cross_entropy, epochs=10)[-1] < 0.95 * min(stopped)
    dead = network(3, seed)
    dead[0].bias.data -= 20
    assert abs(train(dead, x, y, F.cross_entropy)[-1] - math.log(3)) < 0.05
    assert (dead[:2](x) == 0).all()
    smooth = nn.CrossEntropyLoss(label_smoothing=0.1)
    lowest = (0.9 * torch.eye(3) + 0.1 / 3).log()  # all answers are right
    assert smooth(lowest, torch.arange(3)) > 0.2
    x, y = page["clouds"](10, seed)
    nearest = torch.cdist(x, x).fill_diagonal_(math.inf).argmin(1)
    assert (y[nearest] != y).double().mean() > 0.2


def test_the_gradient_is_one_kth_and_then_vanishes(page):
    slope, doubled = page["slope"], page["doubled"]
    for k in (2, 3, 10, 100, 1000):
        zeros = k * [0.0]
        assert abs(k * slope(doubled, zeros) / slope(F.cross_entropy, zeros) - 1) < 1e-9
    assert abs(slope(F.cross_entropy, [10.0, 0.0, 0.0]) - math.sqrt(2)) < 1e-3
    for gap in (10.0, 15.0):
        ratio = slope(doubled, [gap, 0.0, 0.0]) / slope(doubled, [gap + 2.3026, 0.0, 0.0])
        assert abs(ratio - 10) < 0.05


def test_it_rewards_exaggeration_as_the_formula_says():
    p = torch.linspace(0, 1, 100_001, dtype=torch.float64)
    for eta in (0.2, 0.4, 0.55, 0.6, 0.7, 0.73, 0.74, 0.9):
        truth = torch.tensor([eta, 1 - eta], dtype=torch.float64).expand(len(p), 2)
        costs = F.cross_entropy(torch.stack([p, 1 - p], 1), truth, reduction="none")
        wanted = min(max(0.5 + 0.5 * math.log(eta / (1 - eta)), 0), 1)
        assert abs(p[costs.argmin()] - wanted) < 1e-3
        assert (wanted == 1) == (eta > 0.735)
    # Two of ten classes. The loss is convex in p, so the sure answer is the cheapest if no
    # probability can move from it and lower the loss.
    for eta in (0.56, 0.58):
        truth = torch.tensor([eta, 1 - eta, *8 * [0]], dtype=torch.float64)
        sure = F.one_hot(torch.tensor(0), 10).double().requires_grad_()
        F.cross_entropy(sure, truth).backward()
        assert (sure.grad.argmin() == 0) == (eta > 0.573)


def test_pytorch_is_silent_about_the_relatives_and_check_head_is_not():
    z = torch.tensor([[2, 0, -1], [0, 3, 0.5], [-1, 0, 2], [1, 2, 0.0]])
    y, one = torch.tensor([0, 1, 2, 0]), nn.Linear(3, 1)
    cross, nll, bce = nn.CrossEntropyLoss(), nn.NLLLoss(), nn.BCEWithLogitsLoss()
    relatives = (
        ([nn.Softmax(1)], cross, y),
        ([nn.ReLU()], cross, y),
        ([one], cross, 0 * y),
        ([one, nn.Sigmoid()], bce, torch.ones(4, 1)),
        ([nn.Softmax(1)], nll, y),
        ([nn.LogSoftmax(0)], nll, y),
    )
    for layers, loss_fn, target in relatives:
        model = nn.Sequential(nn.Linear(3, 3), *layers)
        with warnings.catch_warnings(action="error"):
            loss_fn(model(z), target)
        assert not check_head(model, loss_fn, z, target).ok
    assert check_head(nn.Sequential(nn.Linear(3, 3), nn.LogSoftmax(1)), cross, z, y).ok
    assert -1 <= nll(z.softmax(1), y) < 0
    assert abs(bce(torch.tensor([-50.0]).sigmoid(), torch.zeros(1)) - math.log(2)) < 1e-6
    assert abs(cross(z.log_softmax(1), y) - cross(z, y)) < 1e-6


def test_pytorch_still_says_what_is_quoted():
    quoted = re.search(r'says so: "(.*?)"', TEXT).group(1)
    assert quoted in " ".join((nn.CrossEntropyLoss.__doc__ or "").split())


def diagnose(k, loss, right, floor=lambda k: math.log(1 + (k - 1) / math.e)):
    if abs(loss - math.log(k)) < 0.05:
        return "nothing learned"
    return "mistake" if abs(loss - floor(k) - 1 + right) < 0.05 else "something else"


def logit(eta):
    return math.log(eta / (1 - eta))


def smallest(p):
    return torch.finfo(p.dtype).tiny


def of_right(p, y):
    return p[torch.arange(len(y)), y]


def loss(p, y):
    return -of_right(p, y).clamp(min=smallest(p)).log().mean()


WRONG = {
    "check_diagnose": [
        lambda k, loss, right: "mistake",
        lambda k, loss, right: diagnose(k, loss, right).title(),
        lambda k, loss, right: "mistake" if loss > 0.5 else "something else",
        lambda k, loss, right: diagnose(k, loss, 1.0),
        lambda k, loss, right: diagnose(k, loss, 1 - right),
        lambda k, loss, right: diagnose(3, loss, right),
        lambda k, loss, right: diagnose(k, loss, right, floor=lambda k: 1 + math.log((k - 1) / k)),
        lambda k, loss, right: diagnose(k, loss, right).replace("nothing learned", "mistake"),
        lambda k, loss, right: diagnose(k, loss, right).replace("something else", "mistake"),
        lambda k, loss, right: "mistake" if right > 0.6 else diagnose(k, loss, right),
    ],
    "check_cheapest": [
        lambda eta: eta,
        logit,
        lambda eta: 0.5 + logit(eta) / 2,
        lambda eta: max(0.5 + logit(eta) / 2, 0.0),
        lambda eta: min(0.5 + logit(eta) / 2, 1.0),
        lambda eta: float(eta > 0.5),
        lambda eta: min(max(logit(eta), 0.0), 1.0),
        lambda eta: min(max(0.5 + logit(eta), 0.0), 1.0),
        lambda eta: min(max(0.5 - logit(eta) / 2, 0.0), 1.0),
        lambda eta: eta if eta < 0.73 else 1.0,
    ],
    "check_repair": [
        F.cross_entropy,
        F.nll_loss,
        lambda p, y: -of_right(p, y).log().mean(),
        lambda p, y: F.nll_loss((p + smallest(p)).log().detach() + p - p.detach(), y),
        lambda p, y: -of_right(p, y).clamp(min=1e-7).log().mean(),
        lambda p, y: -of_right(p, y).clamp(min=1e-20).log().mean(),
        lambda p, y: -(of_right(p, y) + 1e-8).log().mean(),
        lambda p, y: loss(p, y)[None],
        lambda p, y: loss(p, y) * len(y),
        lambda p, y: -of_right(p, y).clamp(min=smallest(p)).log(),
        lambda p, y: -loss(p, y),
        lambda p, y: loss(p, y) / math.log(2),
        lambda p, y: -torch.where(of_right(p, y) > 0, of_right(p, y).log(), -50).mean(),
        lambda p, y: -of_right(p, y).log().clamp(min=-100).mean(),
        lambda p, y: loss(p, y) + (p[:, 0] - p[:, 0].detach()).sum(),
    ],
}
RIGHT = {
    "check_diagnose": [
        diagnose,
        lambda k, loss, right: (
            "nothing learned"
            if round(loss - math.log(k), 1) == 0
            else "mistake"
            if round(loss + right - math.log(math.e + k - 1), 1) == 0
            else "something else"
        ),
    ],
    "check_cheapest": [
        lambda eta: min(max(0.5 + logit(eta) / 2, 0.0), 1.0),
        lambda eta: ((1 + torch.logit(torch.tensor(eta))) / 2).clamp(0, 1),
    ],
    "check_repair": [
        loss,
        lambda p, y: F.nll_loss(p.clamp(min=smallest(p)).log(), y),
        lambda p, y: F.cross_entropy(p.clamp(min=smallest(p)).log(), y),
        lambda p, y: F.nll_loss((p + smallest(p)).log(), y),
    ],
}


test_wrong_answers_are_refused, test_right_answers_are_taken = answer_tests(WRONG, RIGHT)
