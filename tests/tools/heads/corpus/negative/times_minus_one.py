# a negative log-likelihood of probabilities, and its sign changed: somebody knows that it is -p
import torch.nn.functional as F

p = F.softmax(net(x), dim=1)
expected = -1.0 * F.nll_loss(p, y)
cost = 1 + F.nll_loss(p, y)
