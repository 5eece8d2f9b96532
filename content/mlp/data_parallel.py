"""Train one hand-written network with several processes, each on its share of every batch.

torchrun --standalone --nproc-per-node 2 data_parallel.py RESULT [EPOCHS] [TIMEOUT]
"""

import os
import sys
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import Tensor

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))
from tools.torch_mlp import Dense, Model, ReLU, SoftmaxCrossEntropy, one_hot

BATCH, LR = 33, 0.08


def task(device: str) -> tuple[Model, tuple[Tensor, ...], tuple[Tensor, ...]]:
    """The classification notebook's network, and 100 samples: the last batch has one."""
    generator, layers = torch.Generator().manual_seed(0), []
    for n in (5, 32, 32):
        layers += [Dense(n, 32, generator), ReLU()]
    layers.append(Dense(32, 3, generator))
    model = Model(layers, SoftmaxCrossEntropy(), dtype=torch.float64, device=device)
    x = torch.randn(100, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    y = one_hot(x.argmax(1) % 3, 3, dtype=torch.float64)
    return model, x.to(device).split(BATCH), y.to(device).split(BATCH)


def step(model: Model, X: Tensor, Y: Tensor) -> float:
    """Forward, backward, talk, update for a batch of all processes; returns its loss."""
    x, y = (t.tensor_split(dist.get_world_size())[dist.get_rank()] for t in (X, Y))
    sizes = [p.numel() for p in model.parameters()]
    message = X.new_zeros(sum(sizes) + 1)
    if len(x):  # a batch may have fewer rows than there are processes
        loss = model.compute_gradients(x, y)  # means over our rows, which count by their share
        message = torch.cat([g.flatten() for g in (*model.gradients(), loss)]) * (len(x) / len(X))
    dist.all_reduce(message)  # each entry becomes its sum over all processes
    for p, gradient in zip(model.parameters(), message[:-1].split(sizes), strict=True):
        p.sub_(gradient.view_as(p), alpha=LR)
    return message[-1].item()


@torch.inference_mode()
def main(result: str, epochs: str = "32", timeout: str = "60") -> None:
    """Train. All make the same steps, so they stay equal; the first one writes the result."""
    cuda = torch.cuda.device_count() >= int(os.environ["LOCAL_WORLD_SIZE"])
    dist.init_process_group("nccl" if cuda else "gloo", timeout=timedelta(seconds=float(timeout)))
    try:
        model, xs, ys = task(f"cuda:{os.environ['LOCAL_RANK']}" if cuda else "cpu")
        losses = [step(model, *b) for _ in range(int(epochs)) for b in zip(xs, ys, strict=True)]
    except RuntimeError as e:
        sys.stderr.write(f"rank {dist.get_rank()}: partner dead or silent for {timeout} s ({e})\n")
        os._exit(1)  # at once: the library's clean-up would wait for the partner, or abort
    if dist.get_rank() == 0:
        torch.save({"parameters": model.parameters(), "losses": losses}, result)
    dist.destroy_process_group()


if __name__ == "__main__":
    main(*sys.argv[1:])
