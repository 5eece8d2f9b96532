"""What the notebooks' networks are compared with: `Model` over PyTorch's own parts."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import cast

import torch
from torch import Tensor, nn

from tools.torch_mlp import Model

__all__ = ["TorchSequential"]


class TorchSequential(Model):
    """``nn.Module`` layers, autograd and ``torch.optim``, with the methods of `Model`.

    Weights and their gradients are given transposed, with the shape ``(n, k)`` of ours.

    Args:
        layers: modules, each of which takes what the one before gives.
        loss: such as ``nn.MSELoss()``.
        dtype: what the modules' parameters are turned into.
        device: where they are moved.
    """

    def __init__(
        self,
        layers: list[nn.Module],
        loss: Callable[[Tensor, Tensor], Tensor],
        *,
        dtype: torch.dtype | None = None,
        device: torch.device | str | None = None,
    ) -> None:
        self.module = nn.Sequential(*layers).to(dtype=dtype, device=device)
        self.loss = loss

    def parameters(self) -> list[Tensor]:
        """The module's parameters, W transposed."""
        return [w.detach().t() for w in self.module.parameters()]

    def gradients(self) -> list[Tensor]:
        """Their gradients, likewise."""
        return [cast(Tensor, w.grad).t() for w in self.module.parameters()]

    def predict(self, x: Tensor) -> Tensor:
        """The outputs ``(m, k)`` for ``x (m, n)``, in evaluation mode."""
        with torch.no_grad():
            return self.module.eval()(x)

    def compute_gradients(self, X: Tensor, Y: Tensor) -> Tensor:
        """Leave the gradients in the module, and return the loss."""
        self.module.train().zero_grad()
        loss = self.loss(self.module(X), Y)
        loss.backward()
        return loss.detach()

    def train_epoch(
        self,
        x: Tensor,
        y: Tensor,
        batch_size: int,
        optimizer: torch.optim.Optimizer,
        generator: torch.Generator | None,
    ) -> float:
        """As `Model` does; PyTorch's optimizer holds the parameters and their gradients."""
        step = SimpleNamespace(step=lambda parameters, gradients: optimizer.step())
        return super().train_epoch(x, y, batch_size, step, generator)
