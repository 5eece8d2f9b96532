"""The checks of the regression notebook's exercises refuse wrong answers and take right ones."""

import pytest
import torch

from tools import exercises


def pairs(widths):
    return list(zip(widths, widths[1:], strict=False))


WRONG = {
    "check_count_parameters": [
        lambda w: sum(n * k for n, k in pairs(w)),
        lambda w: sum(n * k + n for n, k in pairs(w)),
        lambda w: sum(n * k for n, k in pairs(w)) + sum(w),
        lambda w: w[0] * w[1] + w[1],
        lambda w: 1347,
    ],
    "check_leaky": [
        lambda g, z, s: g,
        lambda g, z, s: g * (z > 0),
        lambda g, z, s: torch.where(z > 0, g, 0.1 * g),
        lambda g, z, s: torch.where(z < 0, g, s * g),
        lambda g, z, s: torch.where(g > 0, g, s * g),
        lambda g, z, s: torch.where(z > 0, z, s * z),
        lambda g, z, s: torch.where(z > 0, g, s * g).sum(),
        lambda g, z, s: None,
    ],
}
RIGHT = {
    "check_count_parameters": [
        lambda w: sum(n * k + k for n, k in pairs(w)),
        lambda w: torch.tensor([(n + 1) * k for n, k in pairs(w)]).sum(),
    ],
    "check_leaky": [
        lambda g, z, s: torch.where(z > 0, g, s * g),
        lambda g, z, s: g * ((z > 0) + s * (z <= 0)),
        lambda g, z, s: g.mul_((z > 0).to(g.dtype).clamp(min=s)),
    ],
}


@pytest.mark.parametrize(("name", "answer"), [(n, a) for n in WRONG for a in WRONG[n]])
def test_wrong_answers_are_refused(name, answer):
    with pytest.raises(AssertionError):
        getattr(exercises, name)(answer)


@pytest.mark.parametrize(("name", "answer"), [(n, a) for n in RIGHT for a in RIGHT[n]])
def test_right_answers_are_taken(name, answer):
    getattr(exercises, name)(answer)
