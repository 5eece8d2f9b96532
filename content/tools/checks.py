"""Argument checks: bad input becomes a sentence, before anything has changed.

Each message reads "NAME must be WANTED, got GOT". Layers and losses are known by their methods,
cross-entropies by their names: while a notebook runs, its classes are not those of the module that
is made of it.
"""

from __future__ import annotations

import math
from itertools import pairwise
from numbers import Integral, Real
from typing import Any

import torch
from torch import Tensor

__all__ = [
    "check_batch",
    "check_count",
    "check_data",
    "check_fit",
    "check_labels",
    "check_model",
    "check_options",
    "check_parameters",
    "check_probabilities",
    "check_rate",
    "check_same_shape",
    "check_share",
]

_LAYER = ("predict", "forward", "backward", "parameters", "gradients")


def check_batch(x: Tensor) -> None:
    """Raise unless a batch of rows has a deviation: two at least."""
    if x.ndim != 2 or len(x) < 2:
        raise ValueError(
            f"x must be of shape (m, n), with m >= 2 in training, got {tuple(x.shape)}"
        )


def check_count(name: str, value: Any) -> int:
    """The value as an int; raise unless it is a whole number of at least 1."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{name} must be an int, got {_kind(value)}")
    if value < 1:
        raise ValueError(f"{name} must be at least 1, got {value}")
    return int(value)


def check_options(rule: Any, options: dict[str, Any]) -> None:
    """Each is an attribute of the optimizer's class. Raises TypeError."""
    for name in options:
        if not hasattr(type(rule), name):
            raise TypeError(f"{type(rule).__name__} has no option {name!r}")


def check_rate(name: str, value: Any) -> float:
    """The value as a float; raise unless it is a positive finite number."""
    rate = _number(name, value)
    if not math.isfinite(rate) or rate <= 0:
        raise ValueError(f"{name} must be positive and finite, got {value}")
    return rate


def check_share(name: str, value: Any) -> float:
    """The value as a float; raise unless it is a number from 0 on, and below 1."""
    if not 0 <= (share := _number(name, value)) < 1:
        raise ValueError(f"{name} must be at least 0 and below 1, got {value}")
    return share


def check_same_shape(P: Tensor, Y: Tensor) -> None:
    """Raise unless predictions and targets have the same shape, which rules out broadcasting."""
    if P.shape != Y.shape:
        raise ValueError(f"Y must have the shape of P, {tuple(P.shape)}, got {tuple(Y.shape)}")


def check_labels(labels: Tensor, n_classes: int) -> None:
    """Raise unless these are class numbers ``(m,)``, each from 0 to ``n_classes - 1``."""
    if labels.dtype.is_floating_point or labels.dtype.is_complex or labels.dtype == torch.bool:
        raise TypeError(f"labels must be integers, got {labels.dtype}")
    if labels.ndim != 1:
        raise ValueError(f"labels must be of shape (m,), got {tuple(labels.shape)}")
    if len(labels) and not 0 <= labels.min() <= labels.max() < n_classes:
        low, high = labels.min().item(), labels.max().item()
        raise ValueError(f"labels must lie in 0 ... {n_classes - 1}, got {low} ... {high}")


def check_probabilities(name: str, value: Tensor) -> None:
    """Raise unless each row of ``value (m, k)`` is a set of probabilities."""
    lowest = value.min().item()
    low, high = (bound.item() for bound in value.sum(1).aminmax())
    limit = 16 * torch.finfo(value.dtype).eps * value.shape[1]
    # Written so that a NaN, which compares false with everything, is refused.
    if not (lowest >= 0 and 1 - limit <= low and high <= 1 + limit):
        raise ValueError(
            f"{name} must hold probabilities that add up to 1 in each row (see one_hot), "
            f"got entries from {lowest:.3g} and row sums from {low:.3g} to {high:.3g}"
        )


def check_model(layers: Any, loss: Any, dtype: Any = None) -> None:
    """Raise unless a ``Model`` can be made of these.

    Raises:
        TypeError: something is no layer, no loss, or no dtype of real numbers.
        ValueError: no layer has weights; a layer's weights are empty, or do not take what the
            layer before gives; or one object stands in two places (it would keep what backward
            needs for one of them only).
    """
    if not isinstance(layers, list | tuple):
        raise TypeError(f"layers must be a list, got {_kind(layers)}")
    places: dict[int, int] = {}
    for place, layer in enumerate(layers):
        if isinstance(layer, type) or not all(callable(getattr(layer, m, None)) for m in _LAYER):
            raise TypeError(f"layers must be Layer objects, got {layer!r}")
        if (first := places.setdefault(id(layer), place)) != place:
            raise ValueError(
                f"layers must hold each object once, got the same {_kind(layer)} in places "
                f"{first} and {place}"
            )
    shapes = [tuple(w.shape) for w in _weights(layers)]
    if not shapes or any(0 in shape for shape in shapes):
        raise ValueError(f"layers must hold weights (n, k) with n, k >= 1, got shapes {shapes}")
    for (_, k), (n, _) in pairwise(shapes):
        if n != k:
            raise ValueError(f"layers must take what those before give, got weights {shapes}")
    if isinstance(loss, type) or not callable(loss) or not hasattr(loss, "backward"):
        raise TypeError(f"loss must be a loss object such as MSE(), got {loss!r}")
    if dtype is not None and not (isinstance(dtype, torch.dtype) and dtype.is_floating_point):
        raise TypeError(f"dtype must be one of floating-point numbers, got {dtype!r}")


def check_parameters(model: Any, module: torch.nn.Module) -> list[Tensor]:
    """A module's parameters, transposed; ValueError unless they have the shapes of a model's."""
    theirs = [w.detach().t() for w in module.parameters()]
    wanted = [tuple(p.shape) for p in model.parameters()]
    got = [tuple(p.shape) for p in theirs]
    if got != wanted:
        raise ValueError(f"module must have parameters of shapes {wanted}, got {got}")
    return theirs


def check_data(model: Any, x: Any, y: Any = None, prefix: str = "") -> None:
    """Raise unless a model can take ``x (m, n)`` and, if there are targets, ``y (m, k)``.

    What a network of PyTorch's can take, PyTorch says.
    """
    if hasattr(model, "module"):
        return
    weights = _weights(model.layers)
    _check_matrix(f"{prefix}x", x, weights[0], weights[0].shape[0])
    if y is None:
        return
    _check_matrix(f"{prefix}y", y, weights[0], weights[-1].shape[1])
    if len(x) != len(y):
        raise ValueError(f"{prefix}y must be of {len(x)} rows, as many as x has, got {len(y)}")
    if any(each.__name__.endswith("CrossEntropy") for each in type(model.loss).__mro__):
        check_probabilities(f"{prefix}y", y)


def check_fit(
    network: Any,
    x: Any,
    y: Any,
    epochs: Any,
    batch_size: Any,
    optimizer: Any,
    valid: Any = None,
    generator: Any = None,
) -> None:
    """Raise unless a network can be trained with these; of PyTorch's, PyTorch checks the rest."""
    check_count("epochs", epochs)
    check_count("batch_size", batch_size)
    _check_generator(generator)
    if valid is not None and (not isinstance(valid, tuple | list) or len(valid) != 2):
        raise ValueError(f"valid must be a pair (x, y), got {_kind(valid)}")
    if hasattr(network, "module"):
        return
    if isinstance(optimizer, torch.optim.Optimizer):
        kind = _kind(optimizer)
        raise TypeError(f"optimizer must be the book's, such as SGD(0.1), got torch.optim.{kind}")
    if isinstance(optimizer, type) or not callable(getattr(optimizer, "step", None)):
        raise TypeError(f"optimizer must be an object such as SGD(0.1), got {optimizer!r}")
    if hasattr(optimizer, "lr"):
        check_rate("lr", optimizer.lr)
    check_data(network, x, y)
    for name, data in (("x", x), ("y", y)):
        if data.requires_grad:  # autograd would record the whole training
            raise ValueError(f"{name} must be without requires_grad, got a tensor that has it")
    if valid is not None:
        check_data(network, *valid, prefix="valid ")


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name} must be a number, got {_kind(value)}")
    return float(value)


def _weights(layers: Any) -> list[Tensor]:
    return [w for layer in layers for w in layer.parameters() if w.ndim == 2]


def _check_matrix(name: str, value: Any, like: Tensor, columns: int) -> None:
    if not isinstance(value, Tensor):
        raise TypeError(f"{name} must be a tensor, got {_kind(value)}")
    if value.ndim != 2 or value.shape[1] != columns or not len(value):
        wanted = f"of shape (m, {columns}) with m >= 1"
        raise ValueError(f"{name} must be {wanted}, got {tuple(value.shape)}")
    if value.dtype != like.dtype:
        raise TypeError(f"{name} must be of dtype {like.dtype}, got {value.dtype}")
    if value.device.type != like.device.type:
        raise ValueError(f"{name} must be on {like.device}, got {value.device}")


def _check_generator(generator: Any) -> None:
    if generator is None:
        return
    if not isinstance(generator, torch.Generator):
        raise TypeError(f"generator must be a torch.Generator, got {_kind(generator)}")
    if generator.device.type != "cpu":
        raise ValueError(f"generator must be on the CPU, got {generator.device}")


def _kind(value: Any) -> str:
    return value.__name__ if isinstance(value, type) else type(value).__name__
