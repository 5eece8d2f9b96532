"""What a reader would use, for the chapter on cost and its benchmark: PyTorch, JAX, and others.

Each takes a `Work` and a learning rate, and returns the parameters, `[W, b, W, b, ...]`, and a
function that trains for some epochs and returns their losses.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import torch
from torch import nn

from tools.timing import Training, Work
from tools.torch_mlp import (
    MSE,
    SGD,
    Dense,
    Model,
    ReLU,
    Sigmoid,
    SoftmaxCrossEntropy,
    Tanh,
)

__all__ = ["book_layers", "eager", "func_grad", "jax_training", "scikit_learn"]


def eager(
    work: Work, lr: float, compiler: Callable[..., Any] = lambda f: f, **options: bool
) -> Training:
    """PyTorch's own layers, gradients and optimizer; ``compiler`` is given the forward pass."""
    modules = {"relu": nn.ReLU, "sigmoid": nn.Sigmoid, "tanh": nn.Tanh}
    layers, mse = [], work.loss == "mse"
    for (n, k), name in zip(pairwise(work.widths), work.activations, strict=True):
        layers.append(nn.Linear(n, k, dtype=work.dtype, device=work.device))
        layers += [modules[name]()] if name in modules else []
    network = nn.Sequential(*layers)
    parameters = [p.detach().t() for p in network.parameters()]
    for p, start in zip(parameters, work.parameters(), strict=True):
        p.copy_(start)
    optimizer = torch.optim.SGD(network.parameters(), lr, **options)
    loss_of = nn.MSELoss() if mse else nn.CrossEntropyLoss()
    batches = [(x, y if mse else y.argmax(1)) for x, y in work.batches()]
    forward = compiler(lambda x, y: loss_of(network(x), y))

    def step(x, y):
        optimizer.zero_grad()
        loss = forward(x, y)
        loss.backward()
        optimizer.step()
        return loss.detach()

    def train(epochs):
        return [
            torch.stack([step(*batch) for batch in batches]).mean().item() for _ in range(epochs)
        ]

    return parameters, train


def book_layers(work: Work, lr: float) -> Training:
    """The layers of the book, their gradients, and the optimizer's step apart, as in Model.fit.

    In ``inference_mode``, like the other trainings by hand.
    """
    layers, kinds = [], {"relu": ReLU, "sigmoid": Sigmoid, "tanh": Tanh}
    for (n, k), name in zip(pairwise(work.widths), work.activations, strict=True):
        layers += [Dense(n, k), *([kinds[name]()] if name in kinds else [])]
    loss = MSE() if work.loss == "mse" else SoftmaxCrossEntropy()
    model = Model(layers, loss, dtype=work.dtype, device=work.device)
    for mine, start in zip(model.parameters(), work.parameters(), strict=True):
        mine.copy_(start)
    optimizer, batches = SGD(lr), work.batches()

    def epoch():
        total = 0.0
        for x, y in batches:
            total += model.compute_gradients(x, y)
            optimizer.step(model.parameters(), model.gradients())
        return float(total) / len(batches)

    train = torch.inference_mode()(lambda epochs: [epoch() for _ in range(epochs)])
    return model.parameters(), train


def jax_training(work: Work, lr: float, *, at_once: bool = False) -> Training:
    """JAX: a compiled epoch, or all epochs compiled into one program."""
    import jax
    import jax.numpy as jnp
    from jax import lax

    jax.config.update("jax_platforms", "cpu")  # like the others, also beside a graphics card
    jax.config.update("jax_enable_x64", work.dtype == torch.float64)
    functions = {"relu": jax.nn.relu, "sigmoid": jax.nn.sigmoid, "tanh": jnp.tanh}

    def loss(parameters, x, y):
        for W, b, name in zip(parameters[::2], parameters[1::2], work.activations, strict=True):
            x = functions.get(name, lambda z: z)(x @ W + b)
        if work.loss == "mse":
            return jnp.mean((x - y) ** 2)
        return -jnp.sum(y * jax.nn.log_softmax(x)) / len(y)

    def step(parameters, batch):
        value, gradients = jax.value_and_grad(loss)(parameters, *batch)
        return [p - lr * g for p, g in zip(parameters, gradients, strict=True)], value

    def epoch(parameters, data):
        parameters, losses = lax.scan(step, parameters, data[0])
        for batch in data[1:]:  # the last, which is shorter
            parameters, last = step(parameters, batch)
            losses = jnp.append(losses, last)
        return parameters, losses.mean()

    def all_epochs(parameters, data, epochs):
        return lax.scan(lambda p, _: epoch(p, data), parameters, length=epochs)

    one = jax.jit(epoch, donate_argnums=0)
    many = jax.jit(all_epochs, donate_argnums=0, static_argnums=2)
    whole = [batch for batch in work.batches() if len(batch[0]) == work.batch]
    rest = work.batches()[len(whole) :]
    data = [[jnp.array(torch.stack(each).numpy()) for each in zip(*whole, strict=True)]]
    data += [[jnp.array(each.numpy()) for each in batch] for batch in rest]
    result = work.parameters()
    state = [jnp.array(p.numpy()) for p in result]

    def train(epochs):
        nonlocal state
        if at_once:
            state, losses = many(state, data, epochs)
        else:
            losses = []
            for _ in range(epochs):
                state, value = one(state, data)
                losses.append(value)
        for mine, new in zip(result, state, strict=True):
            mine.copy_(torch.from_dlpack(new))
        return [float(value) for value in losses]

    return result, train


def func_grad(work: Work, lr: float) -> Training:
    """torch.func.grad_and_value on a function of the parameters."""
    functions = {"relu": torch.relu, "sigmoid": torch.sigmoid, "tanh": torch.tanh}
    parameters, batches = work.parameters(), work.batches()

    def loss(parameters, x, y):
        for W, b, name in zip(parameters[::2], parameters[1::2], work.activations, strict=True):
            x = functions.get(name, lambda z: z)(torch.addmm(b, x, W))
        if work.loss == "mse":
            return torch.nn.functional.mse_loss(x, y)
        return torch.nn.functional.cross_entropy(x, y)

    gradient = torch.func.grad_and_value(loss)

    def train(epochs):
        history = []
        for _ in range(epochs):
            losses = []
            for x, y in batches:
                gradients, value = gradient(parameters, x, y)
                losses.append(value)
                for p, g in zip(parameters, gradients, strict=True):
                    p.sub_(g, alpha=lr)
            history.append(torch.stack(losses).mean().item())
        return history

    return parameters, train


def scikit_learn(work: Work, lr: float) -> Training:
    """MLPClassifier or MLPRegressor; of the losses it knows only another one, so it returns none.

    Without momentum, penalty and shuffling, which the others lack, too.
    """
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    hidden = set(work.activations[:-1])
    if len(hidden) > 1:
        raise NotImplementedError("scikit-learn has one activation for all hidden layers")
    x, y = (tensor.numpy() for tensor in work.data())
    mse = work.loss == "mse"
    if mse:  # it minimizes half the sum over the outputs, ours is their mean
        lr *= 2 / y.shape[1]
    settings: dict[str, Any] = dict(
        hidden_layer_sizes=work.widths[1:-1], activation=hidden.pop(), solver="sgd",
        momentum=0, alpha=0, shuffle=False, batch_size=work.batch, learning_rate_init=lr,
    )  # fmt: skip
    if settings["activation"] == "sigmoid":
        settings["activation"] = "logistic"
    model = (MLPRegressor if mse else MLPClassifier)(**settings)
    targets, classes = (y, {}) if mse else (y.argmax(1), {"classes": range(y.shape[1])})
    model.partial_fit(x, targets, **classes)  # makes the parameters, which the next lines replace
    pairs = zip(model.coefs_, model.intercepts_, strict=True)
    parameters = [torch.from_numpy(value) for pair in pairs for value in pair]
    for p, start in zip(parameters, work.parameters(), strict=True):
        p.copy_(start)

    def train(epochs):
        for _ in range(epochs):
            model.partial_fit(x, targets)
        return []

    return parameters, train
