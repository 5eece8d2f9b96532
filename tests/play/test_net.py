"""The network of the figures that answer, in JavaScript, trains as PyTorch's does."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable

import pytest
import torch
from books import ROOT
from torch import Tensor, nn
from torch.nn import functional as F

EPOCHS = 100
# A function in JavaScript: what the module net.mjs makes of what it is given.
TRAIN = """async ({ Network, Training, layersFrom, oneHot }, given) => {
  const { options, sizes, start, rate, size, epochs } = given, k = sizes.at(-1);
  const samples = ({ x, labels }) =>
    ({ X: Float64Array.from(x.flat()), Y: oneHot(labels, k), m: x.length });
  const network = new Network(layersFrom(sizes, start), options);
  const training = new Training(network, {
    ...samples(given.train), held: samples(given.held), rate, size,
  });
  while (training.epoch < epochs) training.step();
  return { ...training.losses, parameters: network.parameters.map((each) => [...each]) };
}"""
NODE = f"""
let text = "";
for await (const part of process.stdin) text += part;
const found = await ({TRAIN})(await import(NET), JSON.parse(text));
process.stdout.write(JSON.stringify(found));
"""
MODULES = {"tanh": nn.Tanh, "relu": nn.ReLU, "sigmoid": nn.Sigmoid, "linear": nn.Identity}
# Settings in which rounding does not grow: the test sees to that.
SETTINGS = {
    "that of the landing page": dict(sizes=[2, 16, 16, 3], rate=0.7, size=60),
    "ReLU": dict(sizes=[2, 16, 16, 3], rate=0.3, size=20, activation="relu"),
    "sigmoid": dict(sizes=[2, 12, 3], rate=1.0, size=30, activation="sigmoid"),
    "four hidden layers, a last batch of 40": dict(sizes=[2, 8, 8, 8, 8, 3], rate=0.2, size=50),
    "no hidden layer": dict(sizes=[2, 3], rate=0.5, size=240),
    "a softmax too many": dict(sizes=[2, 16, 16, 3], rate=0.7, size=60, extraSoftmax=True),
    "a diagonal Jacobian": dict(sizes=[2, 16, 16, 3], rate=0.2, size=60, diagonal=True),
    "both": dict(sizes=[2, 16, 3], rate=0.5, size=60, extraSoftmax=True, diagonal=True),
    "the mean squared error": dict(sizes=[2, 16, 16, 3], rate=0.3, size=60, loss="mse"),
}


def spiral(rows: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Points on three arms, in no order, and their classes."""
    labels = torch.arange(rows) % 3
    t = 0.15 + 0.85 * torch.rand(rows, generator=generator, dtype=torch.float64)
    angle = 4 * t + labels * (2 * torch.pi / 3)
    angle += 0.2 * torch.randn(rows, generator=generator, dtype=torch.float64)
    return torch.stack([t * angle.cos(), t * angle.sin()], 1), labels


class Reference:
    """PyTorch's network in a setting."""

    def __init__(self, sizes, rate, size, activation="tanh", loss="cross-entropy", **mistakes):
        torch.manual_seed(0)
        layers = []
        for n, k in zip(sizes, sizes[1:], strict=False):
            layers += [nn.Linear(n, k, dtype=torch.float64), MODULES[activation]()]
        self.network = nn.Sequential(*layers[:-1])
        self.size, self.kind, self.mistakes = size, loss, mistakes
        self.optimizer = torch.optim.SGD(self.network.parameters(), lr=rate)

    def parameters(self) -> list[Tensor]:
        return [each.detach().t().clone() for each in self.network.parameters()]

    def loss(self, x: Tensor, labels: Tensor) -> Tensor:
        z = self.network(x)
        if self.kind == "mse":
            return F.mse_loss(z, F.one_hot(labels, z.shape[1]).to(z.dtype))
        p = z.softmax(1)
        if self.mistakes.get("diagonal"):  # its value is p; autograd sees p (1 - p), entry by entry
            p = p.detach() + (p * (1 - p)).detach() * (z - z.detach())
        if self.mistakes.get("extraSoftmax"):
            return F.cross_entropy(p, labels)
        return F.nll_loss(p.log(), labels) if self.mistakes else F.cross_entropy(z, labels)

    def train(self, x: Tensor, labels: Tensor, held: tuple[Tensor, Tensor]) -> dict[str, list]:
        losses = {"train": [], "held": []}
        for _ in range(EPOCHS):
            total = 0.0
            for rows in torch.arange(len(x)).split(self.size):
                self.optimizer.zero_grad()
                loss = self.loss(x[rows], labels[rows])
                loss.backward()
                self.optimizer.step()
                total += loss.item() * len(rows)
            losses["train"].append(total / len(x))
            losses["held"].append(self.loss(*held).item())
        return losses


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS)
def test_losses_and_weights_are_pytorch_s(setting):
    check(setting, run)


def check(setting: dict, run: Callable[[dict], dict]) -> None:
    """Train in a setting with PyTorch and as `run` does it; assert that they agree."""
    generator = torch.Generator().manual_seed(0)
    data = train, held = spiral(240, generator), spiral(90, generator)
    reference, nudged = Reference(**setting), Reference(**setting)
    given = {
        "options": {name: value for name, value in setting.items() if name != "sizes"},
        "start": [each.tolist() for each in reference.parameters()],
        "epochs": EPOCHS,
        **{name: setting[name] for name in ("sizes", "rate", "size")},
    }
    for name, (x, labels) in zip(("train", "held"), data, strict=True):
        given[name] = {"x": x.tolist(), "labels": labels.tolist()}
    found = run(given)
    losses = reference.train(*train, held)
    for name in ("train", "held"):
        assert_close(found[name], losses[name], 1e-10)
    if not setting.keys() & {"extraSoftmax", "diagonal"}:
        assert losses["train"][-1] < 0.9 * losses["train"][0]
    for ours, theirs in zip(found["parameters"], reference.parameters(), strict=True):
        assert_close(ours, theirs.flatten().tolist(), 1e-10)

    # A nudge of a weight in its last place stays small: what differs more is no rounding.
    with torch.no_grad():
        weight = nudged.network[0].weight
        weight[0, 0] = torch.nextafter(weight[0, 0], torch.tensor(9.0, dtype=weight.dtype))
    nudged.train(*train, held)
    pairs = zip(nudged.parameters(), reference.parameters(), strict=True)
    assert 0 < max((a - b).abs().max().item() for a, b in pairs) < 1e-12


def run(given: dict) -> dict:
    """What the network in JavaScript makes of the same."""
    address = json.dumps((ROOT / "content" / "play" / "net.mjs").as_uri())
    command = ["node", "--input-type=module", "--eval", NODE.replace("NET", address)]
    done = subprocess.run(command, input=json.dumps(given), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def assert_close(ours: list[float], theirs: list[float], atol: float) -> None:
    ours, theirs = (torch.tensor(each, dtype=torch.float64) for each in (ours, theirs))
    torch.testing.assert_close(ours, theirs, rtol=0, atol=atol)
