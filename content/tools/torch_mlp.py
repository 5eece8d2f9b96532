"""The multilayer perceptron that the notebooks build, for the notebooks that follow.

Generated from the notebooks' cells tagged `export`. Do not edit: change the notebook, then run
`make export`.
"""

import torch
from tools.checks import check_labels, check_same_shape
from tools.network import History, Layer, Network

__all__ = [
    "friedman",
    "standardize",
    "numerical_gradient",
    "Tanh",
    "Dense",
    "MSE",
    "batches",
    "SGD",
    "Model",
    "SoftmaxCrossEntropy",
    "one_hot",
    "ReLU",
    "Softmax",
    "CrossEntropy",
    "Sigmoid",
]


# From content/mlp/mlp-for-regression.ipynb, cell "friedman"
def friedman(x1, x2, x3, x4, x5):
    wave = 10 * torch.sin(torch.pi * x1 * x2)
    return wave + 20 * (x3 - 0.5) ** 2 + 10 * x4 + 5 * x5


def standardize(values, n_train=3000):
    train, valid = values[:n_train], values[n_train:]
    center, spread = train.mean(0), train.std(0)
    return (train - center) / spread, (valid - center) / spread


# From content/mlp/mlp-for-regression.ipynb, cell "numerical-gradient"
def numerical_gradient(f, x, h):
    gradient = torch.zeros_like(x)
    for i in range(x.numel()):
        step = torch.zeros_like(x)
        step.view(-1)[i] = h  # view(-1): the same numbers, in one long row
        gradient.view(-1)[i] = (f(x + step) - f(x - step)) / (2 * h)
    return gradient


# From content/mlp/another-layer.ipynb, cell "layers"
class Tanh(Layer):
    def forward(self, x):
        self.a = torch.tanh(x)
        return self.a

    def backward(self, grad_output):
        return grad_output * (1 - self.a * self.a)


class Dense(Layer):
    def __init__(self, n, k, generator=None):
        self.W = (2 * torch.rand(n, k, generator=generator) - 1) / n**0.5
        self.b = (2 * torch.rand(k, generator=generator) - 1) / n**0.5

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, grad_output):
        self.grad_W = self.x.T @ grad_output
        self.grad_b = grad_output.sum(0)
        return grad_output @ self.W.T

    def parameters(self):
        return [self.W, self.b]

    def gradients(self):
        return [self.grad_W, self.grad_b]


# From content/mlp/another-layer.ipynb, cell "mse"
class MSE:
    def __call__(self, P, Y):
        check_same_shape(P, Y)
        self.difference = P - Y
        return self.difference.square().mean()

    def backward(self):
        return 2 * self.difference / self.difference.numel()


# From content/mlp/another-layer.ipynb, cell "batches"
def batches(x, y, size, generator=None):
    order = torch.arange(len(x))
    if generator is not None:
        order = torch.randperm(len(x), generator=generator)
    for rows in order.split(size):
        yield x[rows], y[rows]


class SGD:
    def __init__(self, lr):
        self.lr = lr

    def step(self, parameters, gradients):
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter -= self.lr * gradient  # changes the layer's own tensor


# From content/mlp/another-layer.ipynb, cell "model"
class Model(Network):
    def compute_gradients(self, X, Y):
        P = X
        for layer in self.layers:
            P = layer.forward(P)
        loss = self.loss(P, Y)
        grad = self.loss.backward()
        for layer in reversed(self.layers):
            grad = layer.backward(grad)
        return loss

    def train_epoch(self, x, y, batch_size, optimizer, generator):
        total = 0.0
        for X, Y in batches(x, y, batch_size, generator):
            total += self.compute_gradients(X, Y) * len(X)
            optimizer.step(self.parameters(), self.gradients())
        return float(total / len(x))  # mean loss, each batch before its step

    def fit(self, x, y, *, epochs, batch_size, optimizer, valid=None,
            generator=None):
        history = History(train=[], valid=[])  # the loss of each epoch
        for _ in range(epochs):
            loss = self.train_epoch(x, y, batch_size, optimizer, generator)
            history.train.append(loss)
            if valid:
                history.valid.append(self.evaluate(*valid))
        return history


# From content/mlp/mlp-for-classification.ipynb, cell "together"
class SoftmaxCrossEntropy:
    def __call__(self, Z, Y):
        check_same_shape(Z, Y)
        Z = Z - Z.amax(1, keepdim=True)  # less each row's largest
        log_P = Z - Z.exp().sum(1, keepdim=True).log()
        self.P, self.Y = log_P.exp(), Y
        return -(Y * log_P).sum() / len(Y)

    def backward(self):
        return (self.P - self.Y) / len(self.Y)


# From content/mlp/mlp-for-classification.ipynb, cell "one-hot"
def one_hot(labels, n_classes):
    check_labels(labels, n_classes)  # whole numbers, 0 to n_classes - 1
    identity = torch.eye(n_classes, device=labels.device)
    return identity[labels.long()]


# From content/mlp/mlp-for-classification.ipynb, cell "activations"
class ReLU(Layer):
    def forward(self, x):
        self.a = torch.relu(x)
        return self.a

    def backward(self, grad_output):
        return grad_output * (self.a > 0)


# From content/mlp/mlp-for-classification.ipynb, cell "softmax"
class Softmax(Layer):
    def forward(self, x):
        e = (x - x.amax(1, keepdim=True)).exp()
        self.a = e / e.sum(1, keepdim=True)
        return self.a

    def backward(self, grad_output):
        total = (grad_output * self.a).sum(1, keepdim=True)
        return self.a * (grad_output - total)


# From content/mlp/mlp-for-classification.ipynb, cell "cross-entropy"
class CrossEntropy:
    def __call__(self, P, Y):
        check_same_shape(P, Y)
        self.P, self.Y = P.clamp(min=torch.finfo(P.dtype).tiny), Y
        return -(Y * self.P.log()).sum() / len(Y)

    def backward(self):
        return -self.Y / self.P / len(self.Y)


# From content/mlp/mlp-for-classification.ipynb, cell "sigmoid"
class Sigmoid(Layer):
    def forward(self, x):
        self.a = torch.sigmoid(x)
        return self.a

    def backward(self, grad_output):
        return grad_output * self.a * (1 - self.a)
