# a class that derives from object, as in Python 2, or from a class that nobody knows
import torch.nn as nn
from somewhere import Base


class Net(nn.Module):
    def forward(self, x):
        return self.fc(x).softmax(1)


class Trainer(object):
    def __init__(self, criterion=nn.CrossEntropyLoss()):
        self.criterion = criterion

    def train(self, net, x, y):
        self.criterion(net(x), y).backward()  # <- finding


class Runner(Base):
    def __init__(self, net):
        self.net = net

    def run(self, x, y):
        return nn.CrossEntropyLoss()(self.net(x), y)  # <- finding


Trainer().train(Net(), x, y)
Runner(Net()).run(x, y)
