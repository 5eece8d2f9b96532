"""The multilayer perceptron that the notebooks build, for the notebooks that follow.

Generated from the notebooks' cells tagged `export`. Do not edit: change the notebook, then run
`make export`.
"""

import math
import os
import re
import torch
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from numbers import Real
from torch import Tensor, nn
from tqdm.auto import tqdm

__all__ = [
    "choose_device",
    "numerical_gradient",
    "check_count",
    "check_rate",
    "check_same_shape",
    "check_matrix",
    "Layer",
    "InputLayer",
    "Dense",
    "ReLU",
    "Sigmoid",
    "Tanh",
    "Loss",
    "MSE",
    "gradient_errors",
    "SGD",
    "History",
    "Model",
    "TorchSequential",
    "one_hot",
    "Softmax",
    "CrossEntropy",
    "check_probabilities",
    "SoftmaxCrossEntropy",
]


# From content/mlp/mlp-for-regression.ipynb, cell "choose-device"
def choose_device(dtype: torch.dtype) -> torch.device:
    """Choose where tensors of this dtype live, and print the choice and the reason.

    CUDA first, then MPS unless the dtype is float64 (which MPS lacks), then the CPU. The
    environment variable ``BOOK_DEVICE`` (``cpu``, ``cuda``, ``cuda:1``, ``mps``) overrides this.

    Raises:
        ValueError: ``BOOK_DEVICE`` names no device, one that is absent, or one without this dtype.
    """
    present = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    wanted = os.environ.get("BOOK_DEVICE", "")
    if wanted:
        kind, _, index = wanted.partition(":")
        count = torch.cuda.device_count() if kind == "cuda" else 1
        if kind not in present or not re.fullmatch("[a-z]+(:(0|[1-9][0-9]*))?", wanted):
            raise ValueError(f"BOOK_DEVICE must be one of {', '.join(present)}, got {wanted!r}")
        if not present[kind] or int(index or 0) >= count:
            raise ValueError(f"BOOK_DEVICE asks for {wanted!r}, which this machine does not have")
        if kind == "mps" and dtype == torch.float64:
            raise ValueError("BOOK_DEVICE asks for 'mps', which has no float64: use float32 or cpu")
        device, reason = torch.device(wanted), "BOOK_DEVICE asks for it"
    elif present["cuda"]:
        device, reason = torch.device("cuda"), "an NVIDIA GPU is present"
    elif present["mps"] and dtype != torch.float64:
        device, reason = torch.device("mps"), "an Apple GPU is present"
    elif present["mps"]:
        device, reason = torch.device("cpu"), "the Apple GPU has no float64"
    else:
        device, reason = torch.device("cpu"), "no GPU is present"
    print(f"device: {device} ({reason}), dtype: {dtype}")
    return device


# From content/mlp/mlp-for-regression.ipynb, cell "numerical-gradient"
def numerical_gradient(f: Callable[[Tensor], Tensor], x: Tensor, h: float) -> Tensor:
    """Gradient of a scalar function at ``x``, by central differences.

    Args:
        f: takes a tensor of the shape of ``x``, returns a 0-dim tensor.
        x: where the gradient is wanted, any shape; not changed.
        h: step; about the cube root of the machine epsilon of ``x.dtype`` is best.

    Returns:
        The gradient, of the shape of ``x``. Its error is of order ``h**2`` plus rounding.
    """
    gradient = torch.zeros_like(x)
    for i in range(x.numel()):
        step = torch.zeros_like(x)
        step.view(-1)[i] = h
        gradient.view(-1)[i] = (f(x + step) - f(x - step)) / (2 * h)
    return gradient


# From content/mlp/mlp-for-regression.ipynb, cell "input-checks"
def check_count(name: str, value: int) -> None:
    """Raise unless ``value`` is a whole number of at least 1."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be an int, got {type(value).__name__}")
    if value < 1:
        raise ValueError(f"{name} must be at least 1, got {value}")


def check_rate(name: str, value: float) -> None:
    """Raise unless ``value`` is a positive finite number."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name} must be a number, got {type(value).__name__}")
    if not math.isfinite(value) or value <= 0:
        raise ValueError(f"{name} must be positive and finite, got {value}")


def check_same_shape(y_pred: Tensor, y_true: Tensor) -> None:
    """Raise unless predictions and targets have the same shape, which rules out broadcasting."""
    if y_pred.shape != y_true.shape:
        raise ValueError(
            f"y_true must have the shape of y_pred, {tuple(y_pred.shape)}, "
            f"got {tuple(y_true.shape)}"
        )


def check_matrix(
    name: str, value: Tensor, columns: int, dtype: torch.dtype, device: torch.device
) -> None:
    """Raise unless ``value`` is a non-empty ``(m, columns)`` tensor of this dtype and device."""
    if not isinstance(value, Tensor):
        raise TypeError(f"{name} must be a tensor, got {type(value).__name__}")
    if value.ndim != 2 or value.shape[1] != columns or not len(value):
        raise ValueError(
            f"{name} must have shape (m, {columns}) with m >= 1, got {tuple(value.shape)}"
        )
    if value.dtype != dtype:
        raise TypeError(f"{name} must have dtype {dtype}, got {value.dtype}")
    if value.device.type != device.type:
        raise ValueError(f"{name} must be on {device}, got {value.device}")


# From content/mlp/mlp-for-regression.ipynb, cell "layer"
class Layer:
    """One step of a network. A subclass overrides what differs from "pass everything through"."""

    #: Model sets this to False up to and including the first layer with parameters: what backward
    #: returns there is not used, so it need not be computed.
    needs_input_gradient = True

    def build(
        self, n_in: int, *, dtype: torch.dtype, device: torch.device, generator: torch.Generator
    ) -> int:
        """Take the number of input features, make the parameters, return the number of outputs."""
        return n_in

    def predict(self, x: Tensor) -> Tensor:
        """Output ``(m, k)`` for the input ``x (m, n)``; keeps nothing."""
        return x

    def forward(self, x: Tensor) -> Tensor:
        """The same output; keeps what :meth:`backward` needs."""
        return self.predict(x)

    def backward(self, grad_output: Tensor) -> Tensor:
        """Turn d loss / d output ``(m, k)`` into d loss / d input ``(m, n)``.

        Stores the gradients of the parameters. Call :meth:`forward` first.
        """
        return grad_output

    def parameters(self) -> list[Tensor]:
        """The tensors that training changes."""
        return []

    def gradients(self) -> list[Tensor]:
        """d loss / d parameter for each of :meth:`parameters`, in the same order and shapes."""
        return []


# From content/mlp/mlp-for-regression.ipynb, cell "dense"
class InputLayer(Layer):
    """Says how many features the data have; the first layer of every model."""

    def __init__(self, n_features: int) -> None:
        check_count("n_features", n_features)
        self.n_features = n_features

    def build(self, n_in: int, **_: object) -> int:
        return self.n_features


class Dense(Layer):
    """``x @ W + b`` with ``W (n, k)`` and ``b (k,)``; ``k`` is ``units``."""

    def __init__(self, units: int) -> None:
        check_count("units", units)
        self.units = units

    def build(
        self, n_in: int, *, dtype: torch.dtype, device: torch.device, generator: torch.Generator
    ) -> int:
        bound = 1 / math.sqrt(n_in)
        self.W, self.b = (
            torch.empty(shape, dtype=torch.float64)
            .uniform_(-bound, bound, generator=generator)
            .to(dtype=dtype, device=device)
            for shape in ((n_in, self.units), (self.units,))
        )
        return self.units

    def predict(self, x: Tensor) -> Tensor:
        return torch.addmm(self.b, x, self.W)

    def forward(self, x: Tensor) -> Tensor:
        self.x = x
        return self.predict(x)

    def backward(self, grad_output: Tensor) -> Tensor:
        self.grad_W = self.x.T @ grad_output
        self.grad_b = grad_output.sum(0)
        return grad_output @ self.W.T if self.needs_input_gradient else grad_output

    def parameters(self) -> list[Tensor]:
        return [self.W, self.b]

    def gradients(self) -> list[Tensor]:
        return [self.grad_W, self.grad_b]


# From content/mlp/mlp-for-regression.ipynb, cell "activation-layers"
class ReLU(Layer):
    """``max(x, 0)``, entry by entry; the derivative at 0 is taken as 0."""

    def predict(self, x: Tensor) -> Tensor:
        return torch.relu(x)

    def forward(self, x: Tensor) -> Tensor:
        self.a = self.predict(x)
        return self.a

    def backward(self, grad_output: Tensor) -> Tensor:
        # grad_output * (a > 0). As a is never negative, its sign is 1 where a > 0, else 0. That is
        # a new tensor, so the product may be written over it: a stays as it is.
        return self.a.sign().mul_(grad_output)


class Sigmoid(Layer):
    """``1 / (1 + exp(-x))``, entry by entry."""

    def predict(self, x: Tensor) -> Tensor:
        return torch.sigmoid(x)

    def forward(self, x: Tensor) -> Tensor:
        self.a = self.predict(x)
        return self.a

    def backward(self, grad_output: Tensor) -> Tensor:
        return (1.0 - self.a).mul_(self.a).mul_(grad_output)  # grad_output * a * (1 - a)


class Tanh(Layer):
    """The hyperbolic tangent, entry by entry."""

    def predict(self, x: Tensor) -> Tensor:
        return torch.tanh(x)

    def forward(self, x: Tensor) -> Tensor:
        self.a = self.predict(x)
        return self.a

    def backward(self, grad_output: Tensor) -> Tensor:
        # grad_output * (1 - a * a), multiplied out
        return grad_output - grad_output * self.a * self.a


# From content/mlp/mlp-for-regression.ipynb, cell "mse-class"
class Loss:
    """How far predictions are from targets, as one number, and its gradient."""

    def __call__(self, y_pred: Tensor, y_true: Tensor) -> Tensor:
        """The loss of predictions and targets ``(m, k)``, a 0-dim tensor."""
        raise NotImplementedError

    def backward(self) -> Tensor:
        """d loss / d y_pred of the last call, ``(m, k)``."""
        raise NotImplementedError

    def check_targets(self, name: str, y_true: Tensor) -> None:
        """Raise ``ValueError`` if these cannot be targets; by default all numbers can."""


class MSE(Loss):
    """Mean squared error over all entries of predictions and targets ``(m, k)``."""

    def __call__(self, y_pred: Tensor, y_true: Tensor) -> Tensor:
        check_same_shape(y_pred, y_true)
        self.difference = y_pred - y_true
        return self.difference.square().mean()

    def backward(self) -> Tensor:
        return self.difference * (2 / self.difference.numel())


# From content/mlp/mlp-for-regression.ipynb, cell "gradient-errors"
def gradient_errors(
    f: Callable[..., Tensor], inputs: Sequence[Tensor], by_hand: Sequence[Tensor]
) -> tuple[float, float]:
    """How far hand-written gradients are from autograd's, and from central differences.

    Args:
        f: takes the inputs, returns a 0-dim tensor.
        inputs: where the gradients are taken; floating-point tensors of any shapes.
        by_hand: d f / d input for each input, of the same shapes.

    Returns:
        The largest error of all entries, relative to the largest gradient: against autograd, and
        against central differences.

    Raises:
        ValueError: a gradient does not have the shape of its input.
    """
    for x, gradient in zip(inputs, by_hand, strict=True):
        if x.shape != gradient.shape:
            raise ValueError(
                "by_hand must have the shapes of inputs, "
                f"got {tuple(gradient.shape)} for {tuple(x.shape)}"
            )
    leaves = [x.detach().clone().requires_grad_() for x in inputs]
    from_autograd = torch.autograd.grad(f(*leaves), leaves)
    h = torch.finfo(inputs[0].dtype).eps ** (1 / 3)
    errors = []
    for i, (x, gradient) in enumerate(zip(inputs, by_hand, strict=True)):
        others = list(inputs)

        def along(value: Tensor, i: int = i, others: list[Tensor] = others) -> Tensor:
            return f(*others[:i], value, *others[i + 1 :])

        scale = from_autograd[i].abs().max().clamp(min=torch.finfo(x.dtype).tiny)
        witnesses = torch.stack([from_autograd[i], numerical_gradient(along, x.detach(), h)])
        errors.append((gradient - witnesses).abs().flatten(1).amax(1) / scale)
    # amax, unlike Python's max, does not lose a NaN.
    autograd, central = torch.stack(errors).amax(0).tolist()
    return autograd, central


# From content/mlp/mlp-for-regression.ipynb, cell "sgd"
class SGD:
    """Gradient descent: ``parameter -= lr * gradient``.

    Raises:
        TypeError, ValueError: ``lr`` is not a positive finite number.
    """

    def __init__(self, lr: float) -> None:
        check_rate("lr", lr)
        self.lr = lr

    def step(self, layers: Iterable[Layer]) -> None:
        """Update the parameters of all layers, in place, from their stored gradients."""
        for layer in layers:
            for parameter, gradient in zip(layer.parameters(), layer.gradients(), strict=True):
                parameter.add_(gradient, alpha=-self.lr)


# From content/mlp/mlp-for-regression.ipynb, cell "model"
@dataclass
class History:
    """Per epoch, the training loss during it and the validation loss after it."""

    train: list[float] = field(default_factory=list)
    valid: list[float] = field(default_factory=list)


class Model:
    """A stack of layers and a loss.

    Args:
        layers: an :class:`InputLayer`, then the others.
        loss: an object such as ``MSE()``.
        dtype: of the parameters; PyTorch's default if not given.
        device: of the parameters; the CPU if not given.
        generator: draws the starting parameters, on the CPU; seeded with 0 if not given.

    Raises:
        TypeError, ValueError: an argument is not of this kind.
    """

    def __init__(
        self,
        layers: Sequence[Layer],
        loss: Loss,
        *,
        dtype: torch.dtype | None = None,
        device: torch.device | str | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        if not layers or not isinstance(layers[0], InputLayer):
            raise ValueError(f"layers must begin with an InputLayer, got {layers!r}")
        for layer in layers:
            if not isinstance(layer, Layer):
                raise TypeError(f"layers must be Layer objects, got {layer!r}")
        if not isinstance(loss, Loss):
            raise TypeError(f"loss must be a Loss object such as MSE(), got {loss!r}")
        if generator is not None and generator.device.type != "cpu":
            raise ValueError(f"generator must be on the CPU, got {generator.device}")
        self.layers = list(layers)
        self.loss = loss
        self.dtype = dtype or torch.get_default_dtype()
        self.device = torch.device(device or "cpu")
        generator = generator or torch.Generator().manual_seed(0)

        self.n_features = width = layers[0].build(0)
        has_parameters_before = False
        for layer in self.layers[1:]:
            width = layer.build(width, dtype=self.dtype, device=self.device, generator=generator)
            layer.needs_input_gradient = has_parameters_before
            has_parameters_before = has_parameters_before or bool(layer.parameters())
        self.n_outputs = width

    def parameters(self) -> list[Tensor]:
        """``[W, b, W, b, ...]``, from the first layer to the last."""
        return [tensor for layer in self.layers for tensor in layer.parameters()]

    def gradients(self) -> list[Tensor]:
        """The gradients of :meth:`parameters`, as the last :meth:`compute_gradients` left them."""
        return [tensor for layer in self.layers for tensor in layer.gradients()]

    @torch.no_grad()
    def predict(self, x: Tensor) -> Tensor:
        """Predictions ``(m, k)`` for ``x (m, n)``."""
        check_matrix("x", x, self.n_features, self.dtype, self.device)
        for layer in self.layers:
            x = layer.predict(x)
        return x

    def evaluate(self, x: Tensor, y: Tensor) -> float:
        """The loss on ``x (m, n)`` and ``y (m, k)``."""
        self._check("x", x, "y", y)
        return self.loss(self.predict(x), y).item()

    def compute_gradients(self, x: Tensor, y: Tensor) -> Tensor:
        """Forward and backward for one batch; returns the loss, a 0-dim tensor."""
        for layer in self.layers:
            x = layer.forward(x)
        loss = self.loss(x, y)
        gradient = self.loss.backward()
        for layer in reversed(self.layers):
            gradient = layer.backward(gradient)
            if not layer.needs_input_gradient:
                break  # before this layer there is nothing that learns
        return loss

    @torch.inference_mode()
    def fit(
        self,
        x_train: Tensor,
        y_train: Tensor,
        epochs: int,
        lr: float,
        batch_size: int,
        x_valid: Tensor | None = None,
        y_valid: Tensor | None = None,
        *,
        progress: bool = True,
    ) -> History:
        """Train with gradient descent, batches in order.

        Args:
            x_train: ``(m, n)``, of the model's dtype and device.
            y_train: ``(m, k)``.
            epochs: passes through the data.
            lr: learning rate.
            batch_size: samples per step; the last batch may be shorter.
            x_valid: optional data for the validation loss, with ``y_valid``.
            y_valid: their targets.
            progress: whether to show a bar.

        Returns:
            Per epoch, the mean of its batches' losses, and the validation loss after it.

        Raises:
            TypeError, ValueError: an argument is not of this kind; nothing has been changed.
        """
        check_count("epochs", epochs)
        check_count("batch_size", batch_size)
        optimizer = SGD(lr)
        if (x_valid is None) != (y_valid is None):
            raise ValueError("x_valid and y_valid go together, got only one of them")
        self._check("x_train", x_train, "y_train", y_train)
        if x_valid is not None and y_valid is not None:
            self._check("x_valid", x_valid, "y_valid", y_valid)

        history = History()
        with_parameters = [layer for layer in self.layers if layer.parameters()]
        batches = list(zip(x_train.split(batch_size), y_train.split(batch_size), strict=True))
        passes = range(epochs)
        for _ in tqdm(passes, desc="epochs", leave=False) if progress else passes:
            total = torch.zeros((), dtype=self.dtype, device=self.device)
            for x, y in batches:
                total += self.compute_gradients(x, y)
                optimizer.step(with_parameters)
            history.train.append(total.item() / len(batches))
            if x_valid is not None and y_valid is not None:
                history.valid.append(self.evaluate(x_valid, y_valid))
        return history

    def _check(self, x_name: str, x: Tensor, y_name: str, y: Tensor) -> None:
        check_matrix(x_name, x, self.n_features, self.dtype, self.device)
        check_matrix(y_name, y, self.n_outputs, self.dtype, self.device)
        if len(x) != len(y):
            raise ValueError(
                f"{x_name} and {y_name} must have as many rows, got {len(x)} and {len(y)}"
            )
        self.loss.check_targets(y_name, y)

    @torch.no_grad()
    def copy_parameters_from(self, module: nn.Module) -> None:
        """Copy the weights and biases of the ``nn.Linear`` layers of a PyTorch module.

        Raises:
            ValueError: their number or shapes are not those of this model; nothing is changed.
        """
        theirs = []
        for linear in module.modules():
            if isinstance(linear, nn.Linear):
                theirs += [linear.weight.T, linear.bias]
        shapes = [tuple(tensor.shape) for tensor in self.parameters()]
        got = [None if tensor is None else tuple(tensor.shape) for tensor in theirs]
        if got != shapes:
            raise ValueError(f"module must have parameters of shapes {shapes}, got {got}")
        for mine, other in zip(self.parameters(), theirs, strict=True):
            mine.copy_(other)


# From content/mlp/mlp-for-regression.ipynb, cell "twin"
class TorchSequential:
    """The reference: ``nn.Sequential``, autograd and ``torch.optim.SGD``, used as :class:`Model`.

    Args:
        layers: PyTorch modules, in order.
        loss: a PyTorch loss with its default, mean, reduction.
        dtype: of the parameters; PyTorch's default if not given.
        device: of the parameters; the CPU if not given.
    """

    def __init__(
        self,
        layers: Sequence[nn.Module],
        loss: nn.Module,
        *,
        dtype: torch.dtype | None = None,
        device: torch.device | str | None = None,
    ) -> None:
        self.module = nn.Sequential(*layers).to(dtype=dtype, device=device)
        self.loss = loss

    def parameters(self) -> list[Tensor]:
        """``[W, b, W, b, ...]``, the weights transposed to ``(n, k)``."""
        return [p.detach().T if p.ndim == 2 else p.detach() for p in self.module.parameters()]

    def gradients(self) -> list[Tensor]:
        """The gradients of :meth:`parameters`, in the same shapes."""
        return [p.grad.T if p.ndim == 2 else p.grad for p in self.module.parameters()]

    @torch.no_grad()
    def predict(self, x: Tensor) -> Tensor:
        """What the last layer puts out for ``x (m, n)``."""
        return self.module(x)

    @torch.no_grad()
    def evaluate(self, x: Tensor, y: Tensor) -> float:
        """The loss on ``x`` and ``y``."""
        return self.loss(self.module(x), y).item()

    def compute_gradients(self, x: Tensor, y: Tensor) -> Tensor:
        """Forward and backward for one batch; returns the loss."""
        self.module.zero_grad(set_to_none=True)
        loss = self.loss(self.module(x), y)
        loss.backward()
        return loss.detach()

    def fit(
        self,
        x_train: Tensor,
        y_train: Tensor,
        epochs: int,
        lr: float,
        batch_size: int,
        x_valid: Tensor | None = None,
        y_valid: Tensor | None = None,
        *,
        progress: bool = True,
    ) -> History:
        """Train as :meth:`Model.fit` does."""
        optimizer = torch.optim.SGD(self.module.parameters(), lr=lr)
        history = History()
        batches = list(zip(x_train.split(batch_size), y_train.split(batch_size), strict=True))
        for _ in tqdm(range(epochs), desc="epochs", leave=False, disable=not progress):
            losses = []
            for x, y in batches:
                losses.append(self.compute_gradients(x, y))
                optimizer.step()
            history.train.append(torch.stack(losses).mean().item())
            if x_valid is not None:
                history.valid.append(self.evaluate(x_valid, y_valid))
        return history


# From content/mlp/mlp-for-classification.ipynb, cell "one-hot"
def one_hot(labels: Tensor, n_classes: int, *, dtype: torch.dtype) -> Tensor:
    """Class numbers ``(m,)`` as rows of probabilities ``(m, n_classes)``, each a single 1.

    Raises:
        TypeError: the labels are not integers.
        ValueError: they are not one-dimensional, or one is not in ``0 ... n_classes - 1``.
    """
    if labels.dtype.is_floating_point or labels.dtype.is_complex or labels.dtype == torch.bool:
        raise TypeError(f"labels must be integers, got {labels.dtype}")
    if labels.ndim != 1:
        raise ValueError(f"labels must have shape (m,), got {tuple(labels.shape)}")
    if len(labels) and not 0 <= labels.min() <= labels.max() < n_classes:
        raise ValueError(
            f"labels must lie in 0 ... {n_classes - 1}, "
            f"got {labels.min().item()} ... {labels.max().item()}"
        )
    classes = torch.arange(n_classes, device=labels.device)
    return (labels[:, None] == classes).to(dtype)


# From content/mlp/mlp-for-classification.ipynb, cell "softmax-layer"
class Softmax(Layer):
    """Probabilities ``exp(x) / sum(exp(x))`` for each row of logits ``x (m, k)``."""

    def predict(self, x: Tensor) -> Tensor:
        e = (x - x.amax(1, keepdim=True)).exp()
        return e / e.sum(1, keepdim=True)

    def forward(self, x: Tensor) -> Tensor:
        self.p = self.predict(x)
        return self.p

    def backward(self, grad_output: Tensor) -> Tensor:
        return self.p * (grad_output - (grad_output * self.p).sum(1, keepdim=True))


# From content/mlp/mlp-for-classification.ipynb, cell "cross-entropy-class"
class CrossEntropy(Loss):
    """Cross-entropy of probabilities ``(m, k)``, the textbook form; follows a ``Softmax``.

    Probabilities below ``torch.finfo(dtype).tiny`` count as that, which keeps loss and gradient
    finite. :class:`SoftmaxCrossEntropy` has no need of it.
    """

    def __call__(self, y_pred: Tensor, y_true: Tensor) -> Tensor:
        check_same_shape(y_pred, y_true)
        self.p = y_pred.clamp(min=torch.finfo(y_pred.dtype).tiny)
        self.y_true = y_true
        return -(y_true * self.p.log()).sum() / len(y_true)

    def backward(self) -> Tensor:
        return -(self.y_true / self.p) / len(self.y_true)

    def check_targets(self, name: str, y_true: Tensor) -> None:
        check_probabilities(name, y_true)


# From content/mlp/mlp-for-classification.ipynb, cell "check-probabilities"
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


# From content/mlp/mlp-for-classification.ipynb, cell "together-class"
class SoftmaxCrossEntropy(Loss):
    """Cross-entropy of ``softmax(logits)``, from the logits ``(m, k)``; finite for all logits.

    Rows of the targets must add up to 1. The same as ``torch.nn.CrossEntropyLoss``.
    """

    def __call__(self, y_pred: Tensor, y_true: Tensor) -> Tensor:
        check_same_shape(y_pred, y_true)
        self.log_p = y_pred.log_softmax(1)
        self.y_true = y_true
        return (y_true * self.log_p).sum() * (-1 / len(y_true))

    def backward(self) -> Tensor:
        p = self.log_p.exp()  # a new tensor: what follows is written over it
        return p.sub_(self.y_true).mul_(1 / len(p))  # (p - y) / m

    def check_targets(self, name: str, y_true: Tensor) -> None:
        check_probabilities(name, y_true)
