# a negative log-likelihood of probabilities, added to another loss
import torch.nn as nn


class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.real, self.kind = nn.Linear(8, 1), nn.Linear(8, 10)
        self.softmax, self.sigmoid = nn.Softmax(dim=1), nn.Sigmoid()

    def forward(self, x):
        return self.sigmoid(self.real(x)), self.softmax(self.kind(x))


net = Discriminator()
real, kind = net(x)
loss_real = nn.BCELoss()(real, y)
loss_kind = nn.NLLLoss()(kind, label)  # <- finding
loss = loss_real + loss_kind
loss.backward()
