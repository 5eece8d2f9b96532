"""PyTorch's training, as the figure in the reader's browser gets it."""

import re

import torch
from torch import nn

from tools import play, watch


def test_the_record_of_a_training_is_that_training():
    """Against a loop of our own over the epochs kept, and the last loss."""
    torch.manual_seed(0)
    x, labels = torch.randn(20, 2, dtype=torch.float64), torch.arange(20) % 3
    network = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 3)).double()
    start = [each.detach().clone() for each in network.parameters()]
    held = (x[:5], labels[:5])
    how = {"lr": 0.5, "batch_size": 8, "epochs": 3, "keep": (1, 3)}
    run = watch.record(network, (x, labels), held, **how, data="spiral", activation="tanh")
    assert run["sizes"] == [2, 4, 3] and run["k"] == 3
    expected = {"rate": 0.5, "size": 8, "width": 4, "depth": 1, "activation": "tanh"}
    assert run["setting"] == expected | {"data": "spiral"}
    assert list(run["kept"]) == [1, 3] and len(run["losses"]["train"]) == 3
    for kept, parameter in zip(run["start"], start, strict=True):
        assert kept == parameter.t().tolist()
    for kept, parameter in zip(run["kept"][3], network.parameters(), strict=True):
        assert kept == parameter.t().tolist()
    assert run["kept"][1] != run["kept"][3] != run["start"]
    with torch.no_grad():
        assert run["losses"]["held"][-1] == nn.CrossEntropyLoss()(network(held[0]), held[1]).item()
    assert run["losses"]["train"][0] > run["losses"]["train"][2]


def test_a_network_to_watch_is_one_that_learns(monkeypatch):
    shown = []
    monkeypatch.setattr(play, "display", lambda data, metadata, raw: shown.append((data, metadata)))
    t, labels = torch.linspace(0.15, 1, 300), torch.arange(300) % 3
    angle = 4 * t + labels * 2 * torch.pi / 3
    points = torch.stack([t * angle.cos(), t * angle.sin()], 1)
    before = torch.random.get_rng_state()
    for _ in range(2):
        watch.watch((points[:240], labels[:240]), (points[240:], labels[240:]))
    assert torch.equal(torch.random.get_rng_state(), before)
    (data, metadata), again = shown
    assert again == (data, metadata)
    run = data[play.MIME]["model"]["run"]
    assert run["sizes"] == [2, 16, 16, 3] and run["setting"]["size"] == 60
    assert run["losses"]["train"][-1] < 0.2 * run["losses"]["train"][0]
    assert sorted(run["train"]["points"]) == sorted(points[:240].double().tolist())
    assert re.search(r"after 100 epochs: \d+% of the points", metadata["image/svg+xml"]["alt"])
