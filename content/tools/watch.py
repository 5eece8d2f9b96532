"""A network that trains in the reader's browser, and PyTorch's training of the same one.

The figure is `content/play/network.mjs`; what it compares itself with is computed here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from tools import figures
from tools.play import play

__all__ = ["record", "watch"]

#: Points (m, 2), and class numbers (m,).
Samples = tuple[Tensor, Tensor]


def watch(train: Samples, held: Samples, *, data: str = "spiral", seed: int = 0) -> None:
    """Train a network on points with PyTorch, and show the figure that trains the same one.

    It has two hidden layers of 16 tanh units, and takes 100 epochs in batches of 60, in order, once
    the samples have been shuffled: then all classes are in each batch.

    Args:
        train: points (m, 2) and their class numbers (m,), at most 3 classes.
        held: the same, of samples held out.
        data: which of the figure's own samples these stand for.
        seed: of the starting weights and of the shuffling.
    """
    points, labels = train[0].double().cpu(), train[1].long().cpu()
    held_points, held_labels = held[0].double().cpu(), held[1].long().cpu()
    order = torch.randperm(len(points), generator=torch.Generator().manual_seed(seed))
    n_classes = int(labels.max()) + 1
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        widths = ((2, 16), (16, 16), (16, n_classes))
        first, second, last = (nn.Linear(n, k, dtype=torch.float64) for n, k in widths)
    network = nn.Sequential(first, nn.Tanh(), second, nn.Tanh(), last)
    shuffled = (points[order], labels[order])
    how = {"lr": 0.7, "batch_size": 60, "epochs": 100, "keep": (1, 10, 100)}
    run = record(network, shuffled, (held_points, held_labels), **how, data=data, activation="tanh")

    side = torch.linspace(-1.2, 1.2, 120, dtype=torch.float64)
    with torch.no_grad():
        named = network(torch.cartesian_prod(side, side)).argmax(1).reshape(120, 120).T
        right = (network(held_points).argmax(1) == held_labels).double().mean().item()
    fig, ax = figures.subplots(width=5.0, height=4.4)
    colors = figures.COLORS[:n_classes]
    levels = [label - 0.5 for label in range(n_classes + 1)]
    ax.contourf(side, side, named, levels, colors=colors, alpha=0.3)
    for label, color in enumerate(colors):
        at = held_points[held_labels == label].T
        ax.plot(*at, "os^"[label], color=color, markersize=4, markerfacecolor="none")
    ax.set(xlabel="first feature", ylabel="second feature", xticks=(-1, 0, 1), yticks=(-1, 0, 1))
    finding = (
        f"Points held out, in {n_classes} classes, on a plane colored by the class that a network "
        f"names after 100 epochs: {right:.0%} of the points lie where their own class is named."
    )
    play("network", fig, finding, run=run)


def record(
    network: nn.Sequential,
    train: Samples,
    held: Samples,
    *,
    lr: float,
    batch_size: int,
    epochs: int,
    keep: Sequence[int],
    **setting: Any,
) -> dict[str, Any]:
    """Train a network with PyTorch, and return what the figure `network` compares itself with.

    Args:
        network: ``nn.Linear`` layers with activations between them; it is trained.
        train: points (m, 2) and class numbers (m,). Batches take them in order.
        held: the same, of samples held out.
        lr: the learning rate of ``torch.optim.SGD``.
        batch_size: samples in a batch.
        epochs: the epochs trained for.
        keep: the epochs after which the weights are kept.
        **setting: what else the figure's controls start with: `data`, `activation`.

    Returns:
        For ``play("network", ..., run=...)``: the samples, the sizes of the layers, weights and
        biases at the start and after the epochs in ``keep``, and the losses of each epoch.
    """
    dense = [layer for layer in network if isinstance(layer, nn.Linear)]
    sizes = [dense[0].in_features, *(layer.out_features for layer in dense)]

    def weights() -> list[Any]:  # as the book has them: those of PyTorch are transposed
        return [w.detach().t().tolist() for w in network.parameters()]

    run: dict[str, Any] = {
        "setting": {"rate": lr, "size": batch_size, "width": sizes[1], "depth": len(dense) - 1}
        | setting,
        "data": setting["data"],
        "k": sizes[-1],
        "train": {"points": train[0].tolist(), "labels": train[1].tolist()},
        "held": {"points": held[0].tolist(), "labels": held[1].tolist()},
        "sizes": sizes,
        "start": weights(),
        "kept": {},
        "losses": {"train": [], "held": []},
    }
    loss, optimizer = nn.CrossEntropyLoss(), torch.optim.SGD(network.parameters(), lr=lr)
    for epoch in range(1, epochs + 1):
        total = 0.0
        for x, labels in zip(train[0].split(batch_size), train[1].split(batch_size), strict=True):
            optimizer.zero_grad()
            of_batch = loss(network(x), labels)
            of_batch.backward()
            optimizer.step()
            total += of_batch.item() * len(x)
        run["losses"]["train"].append(total / len(train[0]))
        with torch.no_grad():
            run["losses"]["held"].append(loss(network(held[0]), held[1]).item())
        if epoch in keep:
            run["kept"][epoch] = weights()
    return run
