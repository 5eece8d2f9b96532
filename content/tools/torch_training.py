"""What the notebooks on training build, for the notebooks that follow.

Generated from the notebooks' cells tagged `export`. Do not edit: change the notebook, then run
`make export`.
"""

import math
import torch
from itertools import count
from tools.checks import check_batch, check_options, check_share
from tools.network import Layer

__all__ = [
    "Operations",
    "numbers",
    "Value",
    "history",
    "backward",
    "Optimizer",
    "Momentum",
    "RMSprop",
    "Adam",
    "AdamW",
    "warmup_cosine",
    "Average",
    "clip",
    "he_normal",
    "xavier_uniform",
    "Residual",
    "Norm",
    "LayerNorm",
    "BatchNorm",
    "Dropout",
]


# From content/training/automatic-differentiation.ipynb, cell "operations"
class Operations:
    def __sub__(self, other):
        return Value(self.data - other.data, (self, lambda g: g), (other, lambda g: -g))

    def __truediv__(self, divisor):
        return Value(self.data / divisor, (self, lambda g: g / divisor))

    def exp(self):
        e = self.data.exp()
        return Value(e, (self, lambda g: g * e))

    def log(self):
        return Value(self.data.log(), (self, lambda g: g / self.data))


# From content/training/automatic-differentiation.ipynb, cell "value"
numbers = count()


class Value(Operations):
    def __init__(self, data, *parents):
        self.data = torch.as_tensor(data)
        self.parents = parents  # pairs: a value, and the way back to it
        self.number = next(numbers)

    def __add__(self, other):
        return Value(self.data + other.data,
                     (self, lambda g: g), (other, lambda g: g))

    def __mul__(self, other):
        return Value(self.data * other.data,
                     (self, lambda g: g * other.data),
                     (other, lambda g: g * self.data))

    def __matmul__(self, other):
        return Value(self.data @ other.data,
                     (self, lambda g: g @ other.data.T),
                     (other, lambda g: self.data.T @ g))

    def sum(self):
        return Value(self.data.sum(),
                     (self, lambda g: g.expand_as(self.data)))

    def tanh(self):
        a = self.data.tanh()
        return Value(a, (self, lambda g: g * (1 - a * a)))


# From content/training/automatic-differentiation.ipynb, cell "backward"
def history(last):
    found, todo = set(), [last]
    while todo:
        value = todo.pop()
        if value not in found:
            found.add(value)
            todo += [parent for parent, _ in value.parents]
    return sorted(found, key=lambda each: each.number, reverse=True)


def backward(loss):
    values = history(loss)  # the youngest first
    for value in values:
        value.grad = torch.zeros_like(value.data)
    loss.grad = torch.ones_like(loss.data)
    for value in values:
        for parent, way_back in value.parents:
            share = way_back(value.grad)
            parent.grad = parent.grad + share.sum_to_size(parent.grad.shape)


# From content/training/optimizers.ipynb, cell "optimizer"
class Optimizer:
    """For each parameter, `memories` tensors of its shape, at first zero."""

    weight_decay, memories, t = 0, 0, 0

    def __init__(self, lr, **options):
        check_options(self, options)
        vars(self).update(options)
        self.lr = lr

    def step(self, parameters, gradients):
        self.t += 1
        if self.t == 1:
            self.kept = [[torch.zeros_like(w) for _ in range(self.memories)]
                         for w in parameters]
        for w, g, kept in zip(parameters, gradients, self.kept, strict=True):
            self.update(w, g, *kept)


# From content/training/optimizers.ipynb, cell "momentum"
class Momentum(Optimizer):
    momentum, dampening, nesterov, memories = 0.9, 0, False, 1

    def update(self, w, g, v):
        g = g + self.weight_decay * w
        v *= self.momentum
        v += g if self.t == 1 else (1 - self.dampening) * g
        step = g + self.momentum * v if self.nesterov else v
        w -= self.lr * step


# From content/training/optimizers.ipynb, cell "rmsprop"
class RMSprop(Optimizer):
    alpha, eps, memories = 0.99, 1e-8, 1

    def update(self, w, g, s):
        g = g + self.weight_decay * w
        s *= self.alpha
        s += (1 - self.alpha) * g * g
        w -= self.lr * g / (s.sqrt() + self.eps)


# From content/training/optimizers.ipynb, cell "adam"
class Adam(Optimizer):
    betas, eps, memories = (0.9, 0.999), 1e-8, 2

    def update(self, w, g, v, s):
        self.move(w, g + self.weight_decay * w, v, s)

    def move(self, w, g, v, s):
        b1, b2 = self.betas
        v *= b1
        v += (1 - b1) * g
        s *= b2
        s += (1 - b2) * g * g
        root = (s / (1 - b2**self.t)).sqrt() + self.eps
        w -= self.lr * v / (1 - b1**self.t) / root


# From content/training/optimizers.ipynb, cell "adamw"
class AdamW(Adam):
    weight_decay = 0.01

    def update(self, w, g, v, s):
        w *= 1 - self.lr * self.weight_decay
        self.move(w, g, v, s)


# From content/training/optimizers.ipynb, cell "schedule"
def warmup_cosine(step, warmup, total):
    """What to multiply the learning rate by in this step, from 0 on."""
    if step < warmup:
        return (step + 1) / warmup
    done = (step - warmup) / (total - warmup)
    return (1 + math.cos(math.pi * done)) / 2


class Average:
    def __init__(self, parameters, decay=0.99):
        self.decay, self.parameters = decay, [w.clone() for w in parameters]

    def update(self, parameters):
        for kept, w in zip(self.parameters, parameters, strict=True):
            kept += (1 - self.decay) * (w - kept)


# From content/training/optimizers.ipynb, cell "clip"
def clip(gradients, limit):
    """Shorten the gradients in place; returns the norm they had."""
    norm = sum(g.square().sum() for g in gradients).sqrt()
    for g in gradients:
        g *= torch.clamp(limit / (norm + 1e-6), max=1)
    return norm


# From content/training/initialization.ipynb, cell "rules"
def he_normal(dense, generator):
    n, k = dense.W.shape
    draw = torch.randn(k, n, generator=generator)  # as PyTorch stores it
    dense.W, dense.b = (2 / n) ** 0.5 * draw.T, torch.zeros(k)


def xavier_uniform(dense, generator, gain=1):
    n, k = dense.W.shape
    a = gain * (3 * 2 / (n + k)) ** 0.5
    draw = 2 * torch.rand(k, n, generator=generator) - 1
    dense.W, dense.b = a * draw.T, torch.zeros(k)


# From content/training/initialization.ipynb, cell "residual"
class Residual(Layer):
    def __init__(self, *layers):
        self.layers = layers

    def forward(self, x):
        f = x
        for layer in self.layers:
            f = layer.forward(f)
        return x + f

    def backward(self, grad_output):
        grad = grad_output
        for layer in reversed(self.layers):
            grad = layer.backward(grad)
        return grad_output + grad

    def parameters(self):
        return [w for layer in self.layers for w in layer.parameters()]

    def gradients(self):
        return [g for layer in self.layers for g in layer.gradients()]


# From content/training/normalization.ipynb, cell "norm"
class Norm(Layer):  # along dim, which is 0 or 1: see below
    def __init__(self, n, eps=1e-5):
        self.gamma, self.beta = torch.ones(n), torch.zeros(n)
        self.eps = eps

    def forward(self, x):
        mean = x.mean(self.dim, keepdim=True)
        self.var = (x - mean).square().mean(self.dim, keepdim=True)
        self.r = 1 / (self.var + self.eps).sqrt()
        self.u = (x - mean) * self.r
        return self.gamma * self.u + self.beta

    def backward(self, grad_output):
        self.grad_gamma = (grad_output * self.u).sum(0)
        self.grad_beta = grad_output.sum(0)
        g = self.gamma * grad_output
        g_mean = g.mean(self.dim, keepdim=True)
        gu_mean = (g * self.u).mean(self.dim, keepdim=True)
        return self.r * (g - g_mean - self.u * gu_mean)

    def parameters(self):
        return [self.gamma, self.beta]

    def gradients(self):
        return [self.grad_gamma, self.grad_beta]


# From content/training/normalization.ipynb, cell "layer-norm"
class LayerNorm(Norm):
    dim = 1


# From content/training/normalization.ipynb, cell "batch-norm"
class BatchNorm(Norm):
    dim = 0

    def __init__(self, n, eps=1e-5, momentum=0.1):
        super().__init__(n, eps)
        self.momentum = momentum
        self.running_mean, self.running_var = torch.zeros(n), torch.ones(n)

    def forward(self, x):
        check_batch(x)
        new = self.momentum
        self.running_mean = (1 - new) * self.running_mean + new * x.mean(0)
        self.running_var = (1 - new) * self.running_var + new * x.var(0)
        return super().forward(x)

    def predict(self, x):
        r = 1 / (self.running_var + self.eps).sqrt()
        return self.gamma * (x - self.running_mean) * r + self.beta


# From content/training/generalization.ipynb, cell "dropout"
class Dropout(Layer):
    def __init__(self, p, generator):
        check_share("p", p)
        self.p, self.generator = p, generator

    def forward(self, x):
        kept = torch.empty(x.shape, dtype=torch.bool)
        kept.bernoulli_(1 - self.p, generator=self.generator)
        self.mask = kept.to(x) / (1 - self.p)
        return self.mask * x

    def predict(self, x):
        return x

    def backward(self, grad_output):
        return self.mask * grad_output
