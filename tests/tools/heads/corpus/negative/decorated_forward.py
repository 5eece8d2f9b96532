# a decorator changes what forward returns
import torch
import torch.nn.functional as F

def logarithm(function):
    return lambda *args: function(*args).log()

@logarithm
def predict(z):
    return F.softmax(z, dim=1)

loss = F.nll_loss(predict(torch.rand(2, 3)), torch.tensor([0, 1]))  # <- note
