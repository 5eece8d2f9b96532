"""What the regression notebook's `Model` needs beside its idea."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor
from tqdm.auto import tqdm

__all__ = ["History", "move", "progress_bar"]


class History(NamedTuple):
    """The loss of each epoch: in training, and in validation (empty without validation data).

    In training it is the mean over the samples, each measured before the step of its batch; in
    validation it is measured after the epoch.
    """

    train: list[float]
    valid: list[float]


def move(layers: list[Any], dtype: torch.dtype | None, device: torch.device | str | None) -> None:
    """Turn and move the tensors of layers, and of the layers that these hold.

    Args:
        layers: such as ``Dense(5, 3)``; they are changed.
        dtype: without it, tensors keep theirs.
        device: without it, tensors stay where they are.
    """
    for layer in layers:
        for name, value in list(vars(layer).items()):
            if isinstance(value, Tensor):
                setattr(layer, name, value.to(dtype=dtype, device=device))
            elif isinstance(value, list | tuple):
                move([inner for inner in value if hasattr(inner, "backward")], dtype, device)


def progress_bar(epochs: int, show: bool) -> Iterator[int]:
    """The numbers of the epochs; while one goes through them, a bar if it is to be shown."""
    return iter(tqdm(range(epochs), disable=not show, leave=False))
