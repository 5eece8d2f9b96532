# a network with a field of its own kind
import torch.nn as nn


class Block(nn.Module):
    inner: "Block"

    def forward(self, x):
        return self.inner(x).softmax(1)


def train(net: Block, x, y):
    loss = nn.CrossEntropyLoss()(net(x), y)  # <- finding
    loss.backward()
