"""For the chapter on cost: NumPy's arrays in place of tensors, and the compiler taken away.

A tensor and its ``numpy()`` share their memory, so a work's parameters and data will do.
"""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any

import numpy as np

from tools.timing import Training, Work

__all__ = ["LINEAR", "RELU", "SIGMOID", "TANH", "in_numpy", "interpreted"]

RELU, SIGMOID, TANH, LINEAR = range(4)
KINDS = {"relu": RELU, "sigmoid": SIGMOID, "tanh": TANH, "linear": LINEAR}


def in_numpy(work: Work, lr: float, loop: Callable[..., np.ndarray]) -> Training:
    """A training by a loop over all epochs, which changes arrays."""
    parameters = work.parameters()
    arrays = [tensor.numpy() for tensor in parameters]
    kinds = np.array([KINDS[name] for name in work.activations])
    X, Y = (tensor.numpy() for tensor in work.data())
    settings = kinds, work.loss == "mse", X, Y, work.batch, X.dtype.type(lr)

    def train(epochs: int) -> list[float]:
        weights, biases = tuple(arrays[::2]), tuple(arrays[1::2])
        return loop(weights, biases, *settings, epochs).tolist()

    return parameters, train


def interpreted(f: Any) -> Callable[..., Any]:
    """A function that Numba compiles, and those that it calls, without the compiler."""
    names = {name: getattr(each, "py_func", each) for name, each in f.py_func.__globals__.items()}
    return FunctionType(f.py_func.__code__, names)
