# a trainer that is generic
from typing import Generic, TypeVar

import torch.nn as nn

T = TypeVar("T")


class Trainer(Generic[T]):
    def __init__(self, net):
        self.net, self.criterion = net, nn.CrossEntropyLoss()

    def __call__(self, x, y):
        self.criterion(self.net(x), y).backward()  # <- finding


Trainer(nn.Sequential(nn.Linear(4, 3), nn.Softmax(dim=1)))(x, y)
