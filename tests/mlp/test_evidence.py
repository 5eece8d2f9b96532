"""The notebook of evidence: its instruments, its exercises' checks, and the ledger's entries."""

from __future__ import annotations

import csv
import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from answers import answer_tests
from books import ROOT, Build, run_cells

from scripts.sources import Book

NAME = "content/mlp/reproducibility.ipynb"
BOOK = Book.read(ROOT)


def rows(name: str) -> list[dict[str, str]]:
    """The rows of a file beside the notebook."""
    return list(csv.DictReader(BOOK.files[f"content/mlp/{name}"].decode().splitlines()))


def plain(values):
    total = torch.zeros((), dtype=values.dtype)
    for value in values:
        total = total + value
    return total


def kahan(values, sign=1):
    total = excess = torch.zeros((), dtype=values.dtype)
    for value in values:
        y = value - sign * excess
        excess = ((total + y) - total) - y
        total = total + y
    return total


def neumaier(values):
    total = lost = torch.tensor(0.0, dtype=values.dtype)
    for value in values:
        new = total + value
        big, small = (total, value) if total.abs() >= value.abs() else (value, total)
        lost, total = lost + ((big - new) + small), new
    return total + lost


def kahan_in_float64(values):
    return kahan(values.double()).float()


WRONG = {
    "check_gap": [
        lambda x, eps: eps,
        lambda x, eps: x * eps,
        lambda x, eps: eps * 2.0 ** math.frexp(x)[1],
        lambda x, eps: eps * 2.0 ** round(math.log2(x)),
        lambda x, eps: math.ulp(x),
    ],
    "check_sum": [
        plain,
        lambda values: values.sum(),
        lambda values: values.double().sum().float(),
        lambda values: plain(values.sort().values),
        lambda values: torch.stack([chunk.sum() for chunk in values.split(32)]).sum(),
        lambda values: torch.tensor(math.fsum(values.tolist()), dtype=torch.float32),
        lambda values: kahan(values, sign=-1),
        lambda values: kahan(values).item(),
        kahan_in_float64,
    ],
    "check_step": [
        lambda eps: eps,
        lambda eps: eps ** (1 / 3),
        lambda eps: 2 * eps,
        lambda eps: 1e-8,
        lambda eps: 1e-4,
        lambda eps: eps ** (2 / 3),
        lambda eps: -(eps**0.5),
        lambda eps: 0.0,
    ],
    "check_rounding": [
        lambda off64, off32: True,
        lambda off64, off32: False,
        lambda off64, off32: off64 < 1e-12,
        lambda off64, off32: off32 < 4096 * 1.2e-7,
        lambda off64, off32: off64 < 1e-12 and off32 < 1e-4,
        lambda off64, off32: off64 < off32,
        lambda off64, off32: off64 <= off32,
        lambda off64, off32: off64 == 0,
        lambda off64, off32: off64 / 2.2e-16 < 1e6 + 1 and off32 > 0,
    ],
}
RIGHT = {
    "check_gap": [
        lambda x, eps: eps * 2.0 ** math.floor(math.log2(x)),
        lambda x, eps: torch.tensor(eps * 2.0 ** (math.frexp(x)[1] - 1)),
    ],
    "check_sum": [kahan, neumaier],
    "check_step": [
        math.sqrt,
        lambda eps: 2 * eps**0.5,
        lambda eps: torch.tensor(eps, dtype=torch.float64).sqrt() / 2,
    ],
    "check_rounding": [
        lambda off64, off32: off64 * 1e5 <= off32,
        lambda off64, off32: off64 == 0 or off32 / off64 > 1e6,
        lambda off64, off32: np.bool_(off64 / 2.2e-16 <= 100 * off32 / 1.2e-7),
    ],
}


test_wrong_answers_are_refused, test_right_answers_are_taken = answer_tests(WRONG, RIGHT)


@pytest.fixture(scope="module")
def found():
    """What the notebook's measuring cells define."""
    ids = ("imports", "network", "numbers", "two-witnesses", "by-hand", "v", "pair", "caught")
    with run_cells(NAME, *ids, "steepest") as defined:
        yield defined


def test_the_numbers_are_what_whole_numbers_say(found):
    wanted = [[((i**3 + 37 * i) % 10007) / 5003 - 1 for i in (j, j + 1)] for j in (100, 102, 104)]
    assert found["numbers"](3, 2, start=100).tolist() == wanted


def test_a_difference_is_measured_against_the_largest_entry(found):
    a, b = torch.tensor([1.0, 8.0]), torch.tensor([[2.0, -4.0]])
    assert found["relative"]([a + torch.tensor([2.0, 0.0]), b], [a, b]) == 0.25
    assert found["relative"]([a, b + 1], [a, b]) == 0.25
    assert found["relative"]([a.float() + 2**-20], [a.float()]) == 2**-23
    assert found["relative"]([a], [a.clone()]) == 0


def test_caught_is_what_check_parity_refuses(found):
    caught, pair = found["caught"], [torch.tensor([0.0, 100.0])]
    for off, refused in ((0.5, False), (2.0, True)):
        assert caught([pair[0] + torch.tensor([off, 0.0])], pair, rtol=0.01, atol=1.0) == refused
        assert caught([pair[0] + torch.tensor([0.0, 2 * off])], pair, 0.01, 1.0) == refused
    assert caught([torch.tensor([math.nan])], [torch.tensor([0.0])], 1.0, 1.0)


@pytest.mark.parametrize("start", [5000, 7000])
def test_the_steepest_curvature_is_the_largest_eigenvalue_of_the_hessian(found, start):
    model, twin = found["pair"](found["Tanh"], torch.nn.Tanh, torch.float64, start)
    X, Y = found["X"], found["Y"]
    names, before = zip(*twin.module.named_parameters(), strict=True)
    sizes = [w.numel() for w in before]

    def loss(flat):
        parts = zip(flat.split(sizes), before, strict=True)
        named = dict(zip(names, (part.view_as(w) for part, w in parts), strict=True))
        return (torch.func.functional_call(twin.module, named, (X,)) - Y).square().mean()

    here = torch.cat([w.detach().flatten() for w in before])
    hessian = torch.autograd.functional.hessian(loss, here)
    largest = torch.linalg.eigvalsh(hessian)[-1].item()
    weights = [w.clone() for w in model.parameters()]
    assert found["steepest"](model, X, Y) == pytest.approx(largest, rel=0.05)
    assert found["steepest"](model, X, Y, rounds=300) == pytest.approx(largest, rel=1e-3)
    assert all(torch.equal(a, b) for a, b in zip(weights, model.parameters(), strict=True))


def test_the_error_of_a_central_difference_is_that_of_the_formula(found):
    def cube(X, Y, w):
        return (w**3).sum(), None

    w = torch.tensor([2.0, -1.0])
    (gradient,) = found["central"](cube, None, None, [w], h=0.5)
    assert (gradient - 3 * w**2).tolist() == pytest.approx([0.25, 0.25])


@pytest.mark.parametrize("seed", range(5))
def test_the_first_network_trains_as_pytorch_does(seed):
    cells = ("imports", "curve", "bends", "forward", "backward", "train")
    with run_cells("content/mlp/first-network.ipynb", *cells) as first:
        generator = torch.Generator().manual_seed(seed)
        w1, b1, w2 = torch.randn(3, 16, generator=generator)
        start = (w1, b1, w2, torch.zeros(1))
        mine, losses = first["train"](first["x"], first["y"], *start, lr=0.02, steps=200)
        theirs = [w.clone().requires_grad_() for w in start]
        optimizer = torch.optim.SGD(theirs, lr=0.02)
        for step in range(200):
            hidden = torch.relu(first["x"] * theirs[0] + theirs[1])
            loss = torch.nn.functional.mse_loss(hidden @ theirs[2][:, None] + theirs[3], first["y"])
            assert losses[step] == pytest.approx(loss.item(), rel=1e-12)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        for a, b in zip(mine, theirs, strict=True):
            torch.testing.assert_close(a, b.detach(), rtol=1e-12, atol=1e-12)


def test_machines_are_complete():
    for row in rows("machines.csv"):
        assert row["processor"] and row["instructions"] and row["pytorch"]
        assert all(float(row[name] or 0) < 4096 for name in ("float64", "float32"))
        assert all(math.isfinite(float(row[name])) for name in ("ReLU", "Sigmoid", "Tanh"))


def test_the_tests_that_hold_the_claims_exist():
    for row in rows("claims.csv"):
        file, _, name = row["test"].partition("::")
        assert re.search(rf"^def {name}\(", (ROOT / "tests" / file).read_text(), re.M), row["test"]


def test_each_claim_of_the_book_has_an_entry_and_each_entry_a_claim(built: Build):
    claims = set()
    for name in BOOK.notebooks:
        executed = json.loads((built.folder / "work" / name).read_text())
        for row in executed["metadata"].get("ledger", []):
            claims.add((Path(name).stem, row["claim"]))
    entries = {(row["notebook"], row["claim"]) for row in rows("claims.csv")}
    missing = "\n".join(f"{name},{claim},WITNESS,TEST" for name, claim in sorted(claims - entries))
    unused = "\n".join(f"{name},{claim}" for name, claim in sorted(entries - claims))
    assert not missing, f"add to content/mlp/claims.csv:\n{missing}"
    assert not unused, f"remove from content/mlp/claims.csv, no check_parity says it:\n{unused}"
    total = f"{len(claims)} lines, from {len({name for name, _ in claims})} notebooks."
    assert total in (built.folder / "work" / NAME).read_text()
