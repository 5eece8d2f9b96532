"""What a hand-written network needs beside its idea, the `Model` of the notebook on layers.

`Network` checks the arguments of its subclasses' methods, so that the taught code does without.
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
    """Layers and a loss. A subclass has ``parameters``, ``predict``, ``train_epoch`` and ``fit``.

    Before its ``predict`` and ``fit`` run, their arguments are checked. Its ``fit`` also takes
    ``progress=True``, and then shows a bar.

    Args:
        layers: each takes what the one before gives.
        loss: an object such as ``MSE()``.
        dtype: what the layers' parameters are turned into; without it they stay as they are.
        device: where they are moved; without it they stay where they are.

    Raises:
        TypeError, ValueError: nothing can be made of these; see ``check_model``.
    """

    parameters: Callable[[], list[Tensor]]
    predict: Callable[[Tensor], Tensor]

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
        for name, checked in (("predict", _predict), ("fit", _fit)):
            if name in vars(cls):
                setattr(cls, name, checked(vars(cls)[name]))

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


def _predict(predict: Callable[..., Tensor]) -> Callable[..., Tensor]:
    @wraps(predict)
    def checked(self: Any, x: Tensor) -> Tensor:
        check_data(self, x)
        return predict(self, x)

    return checked


def _fit(fit: Callable[..., History]) -> Callable[..., History]:
    @wraps(fit)
    def checked(self: Any, x: Tensor, y: Tensor, *, progress: bool = False, **how: Any) -> History:
        check_fit(self, x, y, **how)
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
