"""What hand-written layers and networks need beside the idea, which the notebook on layers teaches.

`Network` checks the arguments of its subclass' `fit`, so that the taught code does without.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

import torch
from torch import Tensor
from tqdm.auto import tqdm

from tools.checks import check_data, check_fit, check_model, check_parameters

__all__ = ["History", "Layer", "Network"]


@dataclass
class History:
    """The loss of each epoch: in training, and in validation (empty without validation data).

    In training it is the mean over the samples, each measured before the step of its batch; in
    validation it is measured after the epoch.
    """

    train: list[float]
    valid: list[float]


class Layer:
    """A layer without parameters that predicts as it trains. Others have their own methods."""

    forward: Callable[[Tensor], Tensor]

    def predict(self, x: Tensor) -> Tensor:
        """The output outside of training, which for most layers is that of ``forward``."""
        return self.forward(x)

    def parameters(self) -> list[Tensor]:
        """The tensors that an optimizer changes."""
        return []

    def gradients(self) -> list[Tensor]:
        """The gradient of each of the parameters, from the last ``backward``."""
        return []


class Network:
    """Layers and a loss. A subclass has ``train_epoch`` and ``fit``.

    Before its ``fit`` runs, the arguments are checked; it also takes ``progress=True``, and then
    shows a bar.

    Args:
        layers: each takes what the one before gives.
        loss: an object such as ``MSE()``.
        dtype: what the layers' parameters are turned into; without it they stay as they are.
        device: where they are moved; without it they stay where they are.

    Raises:
        TypeError, ValueError: nothing can be made of these; see ``check_model``.
    """

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
        move(self.layers, dtype, device)

    def __init_subclass__(cls) -> None:
        if "fit" in vars(cls):
            cls.fit = _fit(vars(cls)["fit"])

    def parameters(self) -> list[Tensor]:
        """The parameters of all layers."""
        return [w for layer in self.layers for w in layer.parameters()]

    def gradients(self) -> list[Tensor]:
        """Their gradients, in the same order."""
        return [g for layer in self.layers for g in layer.gradients()]

    def predict(self, x: Tensor) -> Tensor:
        """The outputs ``(m, k)`` for ``x (m, n)``, outside of training.

        Raises:
            TypeError, ValueError: ``x`` is not a batch for these layers; see ``check_data``.
        """
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


def move(layers: list[Any], dtype: torch.dtype | None, device: torch.device | str | None) -> None:
    """Turn and move the tensors of layers, and of the layers that these hold."""
    for layer in layers:
        for name, value in list(vars(layer).items()):
            if isinstance(value, Tensor):
                setattr(layer, name, value.to(dtype=dtype, device=device))
            elif isinstance(value, list | tuple):
                move([inner for inner in value if hasattr(inner, "backward")], dtype, device)


def _fit(fit: Callable[..., History]) -> Callable[..., History]:
    @wraps(fit)
    def checked(self: Any, x: Tensor, y: Tensor, *, progress: bool = False, **how: Any) -> History:
        check_fit(self, x, y, **how)
        how["batch_size"] = int(how["batch_size"])  # NumPy's whole numbers, too
        if not progress:
            return fit(self, x, y, **how)
        with tqdm(total=how["epochs"], leave=False) as bar:

            def train_epoch(*arguments: Any) -> float:
                loss = type(self).train_epoch(self, *arguments)
                bar.update()
                return loss

            self.train_epoch = train_epoch
            try:
                return fit(self, x, y, **how)
            finally:
                del self.train_epoch

    return checked
