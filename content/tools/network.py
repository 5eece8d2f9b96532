"""What a hand-written network needs beside its idea: listing, predicting, fitting.

The regression notebook adds the idea: `Model`, with `compute_gradients` and `train_epoch`, and its
reference `TorchSequential`, with the same methods over `torch.nn`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from tqdm.auto import tqdm

from tools.checks import check_data, check_fit, check_model, check_parameters

__all__ = ["History", "Network"]


@dataclass
class History:
    """The loss of each epoch: in training, and in validation (empty without validation data).

    In training it is the mean over the samples, each measured before the step of its batch; in
    validation it is measured after the epoch.
    """

    train: list[float]
    valid: list[float]


class Network:
    """A list of layers and a loss; ``compute_gradients`` and ``train_epoch`` are a subclass's.

    Args:
        layers: each takes what the one before gives.
        loss: an object such as ``MSE()``.
        dtype: what the layers' parameters are turned into; without it they stay as they are.
        device: where they are moved; without it they stay where they are.

    Raises:
        TypeError, ValueError: nothing can be made of these; see ``check_model``.
    """

    train_epoch: Callable[..., Tensor | float]

    def __init__(
        self,
        layers: list[Any],
        loss: Any,
        *,
        dtype: torch.dtype | None = None,
        device: torch.device | str | None = None,
    ) -> None:
        check_model(layers, loss, dtype)
        self.layers, self.loss = list(layers), loss
        for layer in self.layers:
            _move(layer, dtype, device)

    def parameters(self) -> list[Tensor]:
        """Weights ``(n, k)`` and biases ``(k,)`` of all layers, themselves and not copies."""
        return [w for layer in self.layers for w in layer.parameters()]

    def gradients(self) -> list[Tensor]:
        """The gradients from the last ``compute_gradients``, in the order of ``parameters``."""
        return [g for layer in self.layers for g in layer.gradients()]

    def predict(self, x: Tensor) -> Tensor:
        """The outputs ``(m, k)`` for ``x (m, n)``."""
        check_data(self, x)
        for layer in self.layers:
            x = layer.predict(x)
        return x

    def evaluate(self, x: Tensor, y: Tensor) -> float:
        """The loss of the predictions for ``x (m, n)``, with the targets ``y (m, k)``."""
        check_data(self, x, y)
        return self.loss(self.predict(x), y).item()

    def copy_parameters_from(self, module: torch.nn.Module) -> None:
        """Overwrite the parameters with a module's, whose weights are transposed.

        Raises:
            ValueError: the shapes differ; nothing has changed then.
        """
        for mine, other in zip(self.parameters(), check_parameters(self, module), strict=True):
            mine.copy_(other)

    def fit(
        self,
        x: Tensor,
        y: Tensor,
        *,
        epochs: int,
        batch_size: int,
        optimizer: Any,
        valid: tuple[Tensor, Tensor] | None = None,
        generator: torch.Generator | None = None,
        progress: bool = False,
    ) -> History:
        """Train, one step for each batch.

        Args:
            x: training samples ``(m, n)``.
            y: their targets ``(m, k)``.
            epochs: passes through all samples.
            batch_size: samples of a step; the last batch of an epoch may be smaller.
            optimizer: takes the steps, such as ``SGD(0.1)``; for ``TorchSequential``, PyTorch's.
            valid: a pair ``(x, y)`` to evaluate after each epoch.
            generator: shuffles the samples in each epoch; without it they keep their order.
            progress: show a bar; without it, nothing is printed.

        Raises:
            TypeError, ValueError: it cannot be trained with these; nothing has changed then.
        """
        check_fit(self, x, y, epochs, batch_size, optimizer, valid, generator)
        history = History(train=[], valid=[])
        for _ in tqdm(range(epochs), disable=not progress, leave=False):
            history.train.append(float(self.train_epoch(x, y, batch_size, optimizer, generator)))
            if valid is not None:
                history.valid.append(self.evaluate(*valid))
        return history


def _move(layer: Any, dtype: torch.dtype | None, device: torch.device | str | None) -> None:
    """Turn and move the tensors of a layer, and of the layers that it holds."""
    for name, value in list(vars(layer).items()):
        if isinstance(value, Tensor):
            setattr(layer, name, value.to(dtype=dtype, device=device))
        for inner in value if isinstance(value, list | tuple) else ():
            if hasattr(inner, "backward"):
                _move(inner, dtype, device)
