"""For the chapter on cost: NumPy's arrays in place of tensors, and the compiler taken away.

A tensor and its ``numpy()`` share their memory, so a work's parameters and data will do.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import FunctionType
from typing import Any

import numpy as np
import torch
from scipy.linalg import get_blas_funcs
from torch import Tensor

from tools.timing import Training, Work

__all__ = ["LINEAR", "RELU", "SIGMOID", "TANH", "by_numpy", "in_numpy", "interpreted"]

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


def by_numpy(f: Callable[..., Any], *arguments: Any, **options: Any) -> Callable[[], Any]:
    """A call of PyTorch's, as prepared, written down as one of NumPy's on the same memory."""
    arguments = tuple(array(each) for each in arguments)
    options = {name: array(each) for name, each in options.items()}
    if f is torch.addmm:  # NumPy has no such call; its products' library does
        W, A, D = arguments
        gemm = get_blas_funcs("gemm", (W,))
        return partial(gemm, options["alpha"], A.T, D, 1.0, W, trans_a=True, overwrite_c=True)
    if f is torch.relu_:
        return partial(np.maximum, *arguments, 0, out=arguments[0])
    if f is torch.tanh_:
        return partial(np.tanh, *arguments, out=arguments[0])
    return partial(NUMPYS[f], *arguments, **options)


def array(value: Any) -> Any:
    """The memory of a tensor, as an array; anything else as it is."""
    return value.numpy() if isinstance(value, Tensor) else value


def sigmoid(z: np.ndarray) -> None:
    """The sigmoid of each number, in place."""
    np.negative(z, out=z)
    np.exp(z, out=z)
    z += 1
    np.reciprocal(z, out=z)


def log_softmax(Z: np.ndarray, axis: int, out: np.ndarray) -> None:
    """Logarithms of the softmax along an axis."""
    np.subtract(Z, Z.max(axis), out=out)
    out -= np.log(np.exp(out).sum(axis))


def subtract_product(x: np.ndarray, a: np.ndarray, b: np.ndarray, value: int, out: Any) -> None:
    """``x - a b``, for which PyTorch has ``addcmul`` with the value -1."""
    assert value == -1
    np.subtract(x, a * b, out=out)


NUMPYS = {
    torch.mm: np.matmul,
    torch.sub: np.subtract,
    torch.mul: np.multiply,
    torch.exp: np.exp,
    torch.sign: np.sign,
    torch.sigmoid_: sigmoid,
    torch.log_softmax: log_softmax,
    torch.addcmul: subtract_product,
}
