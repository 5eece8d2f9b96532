"""The benchmark: what it refuses to time, what it prints and writes."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from scripts import bench
from tools import peers
from tools.timing import WORK


@pytest.fixture
def small(monkeypatch, tmp_path):
    """A benchmark of a few trainings, one of them wrong; the path of its results."""
    every, found = bench.candidates, bench.load_variants()

    def wrong(work, lr):
        parameters, train = peers.func_grad(work, lr)
        return parameters, lambda epochs: train(epochs + 1)[1:]

    def broken(work, lr):
        raise RuntimeError("no C++ compiler\nlong story")

    def few(variants):
        theirs, ours = every(variants)
        chosen = {name: theirs[name] for name in ("PyTorch", "torch.func.grad", "scikit-learn")}
        kept = {name: ours[name] for name in ("straightforward", "list of calls")}
        return chosen | {"wrong": wrong}, kept | {"broken": broken}

    threads = torch.get_num_threads()
    monkeypatch.setattr(bench, "candidates", few)
    monkeypatch.setattr(bench, "ROOT", tmp_path)
    monkeypatch.setattr(bench, "RESULTS", tmp_path / "bench.csv")
    monkeypatch.setattr(bench, "EFFORT", {"S": (5, 1), "R": (5, 1)})
    monkeypatch.setattr(bench, "load_variants", lambda: found)
    monkeypatch.setattr(bench, "time_sizes", lambda variants, report: None)
    yield tmp_path / "bench.csv"
    torch.set_num_threads(threads)


def test_report(small, capsys):
    assert bench.main([]) == 0
    printed = capsys.readouterr().out
    rows = list(csv.DictReader(small.read_text().splitlines()))
    ratios = {(row["name"], row["at"]): row for row in rows if row["what"] == "ratio"}
    products = {"products, by rows", "products, by columns"}
    rest = {"PyTorch", "torch.func.grad", "straightforward", "list of calls", *products}
    assert {name for name, at in ratios if at == "R"} == rest
    assert {name for name, at in ratios if at == "S"} == {*rest, "scikit-learn"}
    assert float(ratios["PyTorch", "S"]["value"]) == 1
    assert all(f"\n{name} " in printed for name in rest)
    assert "not in the table: wrong on S: not equal to PyTorch: off by" in printed
    assert "not in the table: broken on S: RuntimeError: no C++ compiler\n" in printed
    assert "scikit-learn on R: NotImplementedError: scikit-learn has one activation" in printed
    goals = [row for row in rows if row["what"] == "goal"]
    assert [row["at"] for row in goals] == ["S", "S", "R", "R"]
    machine = {row["name"]: row["value"] for row in rows if row["what"] == "machine"}
    assert machine["torch"] == torch.__version__
    assert {row["name"] for row in rows if row["what"] == "operations per second"} == {
        "float32", "float64",
    }  # fmt: skip


def test_named_networks_leave_the_file_alone(small, capsys):
    assert bench.main(["S"]) == 0
    assert not small.exists()
    assert "R: " not in capsys.readouterr().out


def test_unknown_network(capsys):
    with pytest.raises(SystemExit):
        bench.main(["S", "X"])
    assert "got X" in capsys.readouterr().err


def test_growing_networks(monkeypatch):
    variants, report = bench.load_variants(), bench.Report()
    names = {"PyTorch": peers.eager, "straightforward": variants.straightforward}
    names |= dict.fromkeys(("JAX, epoch by epoch", "loops, Numba"), variants.listed)
    monkeypatch.setattr(bench, "candidates", lambda _: (names, {"list of calls": variants.listed}))
    monkeypatch.setattr(bench, "SIZES", {"width": {8: WORK["S"]}})
    bench.time_sizes(variants, report, rounds=1)
    assert {row[1] for row in report.rows} == {*names, "list of calls", "products"}
    assert all(0 < float(row[3]) < 0.1 for row in report.rows)


def test_it_is_a_command_that_finds_what_it_times():
    """Run as `make bench` runs it: from the root, with no path of the tests' in the environment."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        [sys.executable, "-m", "scripts.bench", "X"],
        cwd=Path(__file__).parents[2],
        env=clean,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 2 and "of S, R, M, L, got X" in done.stderr
