"""First checks of a training run, to copy: this file needs PyTorch and nothing else.

    import sanity
    sanity.check(model, loss_fn, loader)

Give it a fresh model, before a long training. For a small one it takes about a second. What it
reports is a suspect and no verdict: label smoothing, or equal inputs with different targets, keep
a right network, too, from learning a batch by heart. And what it passes is not proven right. It
sees neither your optimizer nor your validation, nor a target that has leaked into the input.
"""

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from copy import deepcopy
from itertools import islice

import torch
from torch import Tensor, nn


def check(model: nn.Module, loss_fn: Callable, loader: Iterable, *names: str) -> dict[str, str]:
    """Run the checks on copies of the model, print a line for each, and return what they found.

    Model, gradients and modes, and the random states of PyTorch and of the loader, are afterwards
    as they were, even after an exception.

    Args:
        model: fresh, on one device, in float32 or float64. It is called as ``model(x)``.
        loss_fn: called as ``loss_fn(model(x), y)``; returns one number, a mean over the batch.
        loader: gives pairs ``(x, y)`` of tensors with a row for each sample, as a ``DataLoader``
            does. At most 16 batches are taken, and moved to the model's device.
        *names: the checks to run, of ``CHECKS``; all of them if there are none.

    Raises:
        TypeError: an argument is not what it should be; the message names it.
        KeyError: there is no check of that name.
    """
    if not isinstance(model, nn.Module) or not any(p.requires_grad for p in model.parameters()):
        raise TypeError(f"model must be an nn.Module with something to train, got {model!r:.99}")
    if not callable(loss_fn):
        raise TypeError(f"loss_fn must be callable, got {loss_fn!r:.99}")
    found, device = {}, next(model.parameters()).device
    with ExitStack() as undo, torch.random.fork_rng(range(torch.accelerator.device_count())):
        for owner in (loader, getattr(loader, "sampler", None)):
            if generator := getattr(owner, "generator", None):
                undo.callback(generator.set_state, generator.get_state())
        for p in model.parameters():  # which loss_fn may know by itself, as a penalty does
            undo.callback(setattr, p, "grad", p.grad)
            p.grad = None
        torch.manual_seed(0)
        batches = [*islice(loader, 16)] if isinstance(loader, Iterable) else [[loader]]
        if not batches or any([isinstance(t, Tensor) for t in b] != [True, True] for b in batches):
            raise TypeError(f"loader must give pairs of tensors, got {batches!r:.99}")
        batches = [(x.to(device), y.to(device)) for x, y in batches]
        for name in names or CHECKS:
            found[name] = CHECKS[name](*deepcopy((model, loss_fn)), batches)
            print(f"{name}: {found[name] or 'nothing found'}")
    return {name: text for name, text in found.items() if text}


def _first_loss(model, loss_fn, batches):
    """Outputs and targets fit, and a fresh classifier, who knows nothing, pays about ln k."""
    out, y = model(batches[0][0]), batches[0][1]
    if (loss := loss_fn(out, y)).ndim:
        raise TypeError(f"loss_fn must return one number, got shape {tuple(loss.shape)}")
    if y.is_floating_point():
        return out.shape != y.shape and f"outputs {tuple(out.shape)}, targets {tuple(y.shape)}"
    known = torch.tensor(out.shape[1]).log()
    return not 0.5 < loss / known < 2 and f"{loss:.3g}; knowing nothing costs {known:.3g}"


def _gradients(model, loss_fn, batches):
    """They reach every parameter; and if one moves, the loss changes as its gradient says.

    It moves a little way in a random direction, on the CPU and in float64, whatever the model is
    in: float32 has too few digits. Two steps are taken before, because what starts at zero lets
    nothing through in the first.
    """

    def loss():
        torch.manual_seed(0)  # the same units drop out each time
        return loss_fn(model(x), y)

    _train(model.train(), loss_fn, 2 * batches[:1])
    nn.ModuleList([m for m in (model, loss_fn) if isinstance(m, nn.Module)]).cpu().double()
    x, y = (t.cpu().double() if t.is_floating_point() else t.cpu() for t in batches[0])
    try:
        loss().backward()
    except RuntimeError as error:
        return f"cannot be computed in float64: {error}"
    wrong = [n for n, p in model.named_parameters() if p.requires_grad and not _fits(p, loss)]
    return wrong and f"none, or a wrong one, for {', '.join(wrong)}"


def _fits(p, loss):
    g, step, losses = torch.zeros_like(p) if p.grad is None else p.grad, torch.randn_like(p), []
    for size in (1e-7, -2e-7, 1e-7):
        p.data += size * step
        losses.append(loss().item())
    error = abs(losses[0] - losses[1] - 2e-7 * (g * step).sum().item())
    return bool(g.any()) and error <= 2e-10 * g.norm().item() + 1e-14 * (1 + abs(losses[0]))


def _overfit(model, loss_fn, batches):
    """Steps on one batch, without dropout, take its loss to a tenth."""
    model.apply(lambda module: setattr(module, "training", "Dropout" not in type(module).__name__))
    first, last = (_train(model, loss_fn, steps * batches[:1]) for steps in (1, 400))
    return not last < first / 10 and f"one batch: from {first:.3g} to {last:.3g}, not near zero"


def _shuffled(model, loss_fn, batches):
    """The loss on held-out samples falls lower than after training on shuffled targets."""
    train, held_out = ([(x[i::2], y[i::2]) for x, y in batches] for i in (0, 1))
    lowest, shuffled = [], [(x, y[torch.randperm(len(y))]) for x, y in train]
    for pairs in (train, shuffled):
        net, losses = deepcopy(model), []
        for _ in range(15):
            _train(net.train(), loss_fn, (20 * pairs)[:20])
            losses.append(sum(loss_fn(net.eval()(x), y).item() for x, y in held_out))
        lowest.append(min(losses) / len(held_out))
    return not lowest[0] < 0.9 * lowest[1] and "{:.3g}; on shuffled targets {:.3g}".format(*lowest)


CHECKS = {f.__name__[1:]: f for f in (_first_loss, _gradients, _overfit, _shuffled)}


def _train(model, loss_fn, batches):
    optimizer = torch.optim.Adam(model.parameters(), lr=0.005)
    for x, y in batches:
        loss = loss_fn(model(x), y)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    return loss.item()
