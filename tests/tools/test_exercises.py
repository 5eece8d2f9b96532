"""A blank answer is a sentence, a wrong one a traceback, a right one says so."""

import pytest
import torch

from tools.exercises import attempt, check_line, check_ramp


def check(answer):
    assert answer() == 4, "two plus two"


def test_right(capsys):
    attempt(check, lambda: 4)
    assert capsys.readouterr().out.startswith("Right")


def test_wrong(capsys):
    with pytest.raises(AssertionError, match="two plus two"):
        attempt(check, lambda: 5)
    assert capsys.readouterr().out == ""


def test_blank(capsys):
    def blank():
        raise NotImplementedError

    attempt(check, blank)
    assert capsys.readouterr().out.startswith("Not solved yet")


@pytest.mark.parametrize(
    "answer",
    [
        ([1.0, 1.0], [1.0, -1.0], [1.0, -1.0], [-1.0]),
        ([-1, -1], [-1, 1], [1, -1], [1]),  # bends seen from the other side
        (torch.tensor([2.0, 0.5]), [2.0, -0.5], [0.5, -2.0], [-1.0]),
    ],
)
def test_ramps_are_accepted(answer):
    check_ramp(lambda: answer)


@pytest.mark.parametrize(
    "answer",
    [
        ([1.0, 1.0], [1.0, -1.0], [1.0, -1.0], [0.0]),
        ([1.0, 1.0], [1.0, -1.0], [1.0, 0.0], [-1.0]),  # climbs for ever
        ([1.0, 1.0], [0.0, 0.0], [1.0, -1.0], [-1.0]),
        ([1.0, 1.0], [1.1, -0.9], [1.0, -1.0], [-1.0]),
        ([1.0], [0.0], [1.0], [0.0]),
        ([1.0, 1.0, 1.0], [1.0, -1.0, 0.0], [1.0, -1.0, 0.0], [-1.0]),  # three units
    ],
)
def test_other_ramps_are_refused(answer):
    with pytest.raises(AssertionError):
        check_ramp(lambda: answer)


def line(x, y, w, b, lr, *, factor=2.0, by_x=True, scale=len, update_first=False):
    """A step for a line, right as it stands."""
    grad_p = factor * (w * x + b - y) / scale(x)
    w = w - lr * ((grad_p * x) if by_x else grad_p).sum()
    if update_first:
        grad_p = factor * (w * x + b - y) / scale(x)
    return w, b - lr * grad_p.sum()


def test_a_step_is_accepted():
    check_line(line)
    check_line(lambda *args: tuple(float(v) for v in line(*args)))


@pytest.mark.parametrize(
    "options",
    [
        {"factor": 1.0},
        {"factor": -2.0},
        {"by_x": False},
        {"scale": lambda x: 1},
        {"scale": lambda x: 50},
        {"update_first": True},
    ],
)
def test_other_steps_are_refused(options):
    with pytest.raises(AssertionError):
        check_line(lambda *args: line(*args, **options))


@pytest.mark.parametrize("answer", [None, (1.0,)])
def test_what_is_no_line_is_refused(answer):
    with pytest.raises(AssertionError, match="return the new w"):
        check_line(lambda *_: answer)
