# log_() turns the probabilities into log-probabilities
import torch
import torch.nn.functional as F

p = F.softmax(torch.rand(2, 3), dim=1)
p.log_()
loss = F.nll_loss(p, torch.tensor([0, 1]))  # <- note
