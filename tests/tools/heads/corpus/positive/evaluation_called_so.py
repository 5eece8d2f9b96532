# a function named test that measures a loss, and tests nothing
import torch
import torch.nn.functional as F


def test(net, loader):
    total = 0
    for x, y in loader:
        output = F.softmax(net(x), dim=1)
        total += F.nll_loss(output, y).item()  # <- finding
    return total / len(loader)
