"""The checks of the exercises on broken networks refuse wrong answers and take right ones."""

from itertools import chain, combinations

import pytest
import torch
from books import run_cells

NAME = "content/mlp/broken-backprop.ipynb"
NETWORK = ("imports", "paper-step", "paper-angle", "paper-check", "data", "network", "train")
CHECKS = ("check-gradient", "check-overfit", "check-parity", "matrix", "exercise-checks")
EXERCISES = ("exercise-predict-bug", "exercise-find-bug")
CAUGHT = {"gradient check", "gradient check, twice", "overfit one batch"}
S = 1.7159


@pytest.fixture(scope="module")
def cells():
    """What the cells define that the checkers need, and the checkers."""
    with run_cells(NAME, *NETWORK, *CHECKS, *EXERCISES) as found:
        yield found


@pytest.fixture(scope="module")
def known(cells):
    """The same, with each verdict on a bug computed once."""
    verdicts = {}

    def catches(check, seed, parts):
        key = check, seed, *parts.items()
        if key not in verdicts:
            verdicts[key] = original(check, seed, parts)
        return verdicts[key]

    original, cells["catches"] = cells["catches"], catches
    return cells


def test_of_all_sets_of_checks_only_the_right_one_is_taken(known):
    names = list(known["checks"])
    taken = []
    for answer in chain.from_iterable(combinations(names, n) for n in range(len(names) + 1)):
        try:
            known["check_prediction"](lambda answer=answer: set(answer))
            taken.append(set(answer))
        except AssertionError:
            continue
    assert taken == [CAUGHT]


@pytest.mark.parametrize("answer", [list(CAUGHT), tuple(CAUGHT), CAUGHT])
def test_a_prediction_may_be_a_list(known, answer):
    known["check_prediction"](lambda: answer)


@pytest.mark.parametrize(
    "answer", [None, "gradient check", 3, {*CAUGHT, "accuracy"}, dict.fromkeys(CAUGHT, True), [3]]
)
def test_what_is_no_set_of_names_is_refused(known, answer):
    with pytest.raises(AssertionError):
        known["check_prediction"](lambda: answer)


def keep_z(self, x):
    self.z, self.a = x, S * torch.tanh(x)
    return self.a


REPAIRED = {
    "as it was": lambda self, grad: grad * S * (1 - self.a**2),
    "tanh's own": lambda self, grad: grad * (1 - self.a**2),
    "the square only": lambda self, grad: grad * (S - self.a**2),
    "a divided twice": lambda self, grad: grad * (1 - (self.a / S) ** 2),
    "without grad": lambda self, grad: S - self.a**2 / S,
    "summed": lambda self, grad: (grad * (S - self.a**2 / S)).sum(0),
    "of tanh of a": lambda self, grad: grad * S * (1 - torch.tanh(self.a) ** 2),
    "nothing": lambda self, grad: None,
}
RIGHT = {
    "as derived": lambda self, grad: grad * (S - self.a**2 / S),
    "by tanh": lambda self, grad: grad * self.scale * (1 - (self.a / self.scale) ** 2),
    "in place": lambda self, grad: grad.mul_(S - self.a * self.a / S),
}


@pytest.mark.parametrize("name", REPAIRED)
def test_a_wrong_derivative_is_refused(cells, name):
    layer = type("Answer", (cells["ScaledTanh"],), {"backward": REPAIRED[name]})
    with pytest.raises(AssertionError):
        cells["check_repaired"](layer)


def test_to_keep_the_input_is_refused(cells):
    own = {"forward": keep_z, "backward": lambda self, g: g * S * (1 - torch.tanh(self.z) ** 2)}
    with pytest.raises(AssertionError):
        cells["check_repaired"](type("Answer", (cells["ScaledTanh"],), own))


def test_to_change_forward_is_refused(cells):
    own = {"scale": 1.0, "backward": lambda self, g: g * (1 - self.a**2)}
    with pytest.raises(AssertionError):
        cells["check_repaired"](type("Answer", (cells["ScaledTanh"],), own))


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_derivative_is_taken(cells, name):
    cells["check_repaired"](type("Answer", (cells["ScaledTanh"],), {"backward": RIGHT[name]}))


def summed(weight):
    """In parts, with a weight for each: a function of the part, of all, and of the size."""

    def in_parts(net, x, y, size):
        total = [torch.zeros_like(w) for w in net.parameters()]
        for part, targets in zip(x.split(size), y.split(size), strict=True):
            net.compute_gradients(part, targets)
            for so_far, g in zip(total, net.gradients(), strict=True):
                so_far += weight(len(part), len(x), size) * g
        return total

    return in_parts


def all_at_once(net, x, y, size):
    net.compute_gradients(x, y)
    return net.gradients()


def last_part_only(net, x, y, size):
    for part, targets in zip(x.split(size), y.split(size), strict=True):
        net.compute_gradients(part, targets)
    return net.gradients()


def without_the_rest(net, x, y, size):
    whole = len(x) // size * size
    return summed(lambda part, m, size: part / m)(net, x[:whole], y[:whole], size)


def by_new_tensors(net, x, y, size):
    parts = []
    for start in range(0, len(x), size):
        net.compute_gradients(x[start : start + size], y[start : start + size])
        parts.append([len(x[start : start + size]) * g for g in net.gradients()])
    return tuple(sum(each) / len(x) for each in zip(*parts, strict=True))


@pytest.mark.parametrize(
    "answer",
    [
        summed(lambda part, m, size: 1),
        summed(lambda part, m, size: 1 / m),
        summed(lambda part, m, size: size / m),
        summed(lambda part, m, size: part),
        summed(lambda part, m, size: 1 / -(-m // size)),
        all_at_once,
        last_part_only,
        without_the_rest,
        lambda net, x, y, size: None,
        lambda net, x, y, size: [torch.zeros_like(w) for w in net.parameters()],
        lambda net, x, y, size: summed(lambda part, m, size: part / m)(net, x, y, size)[:-1],
    ],
)
def test_a_wrong_sum_of_parts_is_refused(cells, answer):
    with pytest.raises(AssertionError):
        cells["check_in_parts"](answer)


@pytest.mark.parametrize("answer", [summed(lambda part, m, size: part / m), by_new_tensors])
def test_a_right_sum_of_parts_is_taken(cells, answer):
    cells["check_in_parts"](answer)
