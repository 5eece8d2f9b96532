"""Does the end of a network fit its loss? A check, a guard and a command that find it out.

The mistake this was written for: a softmax in front of ``torch.nn.CrossEntropyLoss``, which
contains one. Nothing fails, the loss falls, and the network stops learning too early. Known too
are its relatives: sigmoid, log-probabilities, NLLLoss, broadcasting, targets.

- ``check_head(model, loss_fn, sample_input, target)`` looks once and returns a `Report`.
- ``criterion = guard(nn.CrossEntropyLoss())`` looks at the first batch, then removes itself.
- ``python -m tools.torch_heads PATH...`` reads ``.py`` and ``.ipynb`` files and never runs them.

check_head and guard name their evidence:

- structure: the last module of (nested) ``nn.Sequential``. Certain.
- graph: ``grad_fn`` of the very tensor that reaches the loss, seen through views, reshapes,
  transposes, slices, casts, clamps, concatenation and dropout. Certain.
- values: rows that are not negative and sum to one. Only ever "looks like", and only asked where
  the graph does not answer. One exception: a value that the loss forbids (the logarithm of a
  probability above 0) is a proof.

They cannot see through a tensor without a graph (``no_grad``, ``detach``) or into a compiled
network: there only the values are left. Nobody can see an intention.

The command follows values through the code as Python would: assignments, calls with their
arguments, classes, inheritance, imports within the tree. Where two branches disagree it knows
nothing, and where it knows nothing it is silent. "certain": activation and loss stand in one
function. "likely": the value was followed through a call, a class or another file. Harmless notes
are printed with ``--notes`` and do not count. ``# torch-heads: ignore`` silences a line. Calls
are followed eight deep, a thousand of them per file.

The command cannot see (each has an example in ``tests/tools/heads/corpus/unseen``):

- layers called in a loop, ``nn.ModuleList``                                  (module_list.py)
- a choice made by a flag that only a file or the command line knows                 (flag.py)
- ``setattr``, ``getattr``, registries, configuration files                      (registry.py)
- probabilities after arithmetic: ``softmax(z) / T``, ``+ eps``, an average    (arithmetic.py)
- a library that calls network and loss itself (skorch, fastai, ignite)           (library.py)
- a network from a package outside the tree                                       (package.py)
- a softmax written out with ``exp`` and ``sum``                              (written_out.py)
- tensors kept in a list, a dict or an attribute across a loop                  (container.py)
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import functools
import gc
import inspect
import json
import math
import os
import random
import re
import sys
import textwrap
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

if __name__ != "__main__":  # the command only reads text: it starts at once, and without torch
    import torch
    from torch import nn

__all__ = ["Finding", "HeadError", "HeadWarning", "Report", "check_head", "guard", "main", "scan"]

# ---------------------------------------------------------------------------------------------
# What does not fit what: one table for check_head, guard and the command


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong ("error"), probably wrong ("warning") or harmless ("note")."""

    code: str
    severity: str
    what: str
    why: str
    fix: str
    evidence: tuple[str, ...] = ()
    confidence: str = "certain"  # or "likely" (command), or "looks like" (values)
    where: str = ""

    def __str__(self) -> str:
        text = f"{self.severity} ({self.confidence}): {self.what}. {self.why} "
        text += f"Write instead: {self.fix}."
        text += f" Evidence: {'; '.join(self.evidence)}." if self.evidence else ""
        return textwrap.fill(text, 96, break_long_words=False, break_on_hyphens=False)


_LOSSES = {
    "cross_entropy": "CrossEntropyLoss",
    "nll_loss": "NLLLoss",
    "binary_cross_entropy": "BCELoss",
    "binary_cross_entropy_with_logits": "BCEWithLogitsLoss",
    "mse_loss": "MSELoss",
    "l1_loss": "L1Loss",
    "smooth_l1_loss": "SmoothL1Loss",
    "huber_loss": "HuberLoss",
}
_CLASS_LOSSES = ("cross_entropy", "nll_loss")
_EXPECTS = {
    "cross_entropy": "expects logits and applies log-softmax itself",
    "nll_loss": "expects log-probabilities and takes no logarithm",
    "binary_cross_entropy": "expects probabilities",
    "binary_cross_entropy_with_logits": "expects logits and applies the sigmoid itself",
}
_FLOOR = "log(1 + (C - 1)/e)"  # with C classes; replaced where their number is known
_BOUNDED = (
    f"Logits between 0 and 1 cannot express confidence: the loss cannot fall below {_FLOOR}, "
    "and samples that are confidently wrong stop learning. Accuracy often hides it."
)
_BOUNDED_BINARY = (
    "For logits between 0 and 1 the sigmoid stays between 0.5 and 0.7311: the loss cannot fall "
    "below 0.3133 for y = 1 or 0.6931 for y = 0."
)
_NO_LOGARITHM = (
    "The loss is minus the value at the target, -p instead of -log p: negative, never below -1, "
    "and almost without gradient for samples that are confidently wrong."
)
_UNDERFLOW = "Where softmax underflows to 0 its logarithm is -inf, and the gradient NaN."
_SCORES = (
    "The loss is minus the logit of the target, nothing is normalized: it falls without bound."
)
_DOMAIN = "Outside 0 to 1 PyTorch raises an error; inside, it is taken for a probability."
_RULES = {
    (loss, op): Finding(
        code,
        severity,
        f"{'logits go' if op == 'linear' else op + ' goes'} into {_LOSSES[loss]}, which "
        f"{_EXPECTS[loss]}",
        why,
        fix,
    )
    for loss, op, severity, code, why, fix in [
        ("cross_entropy", "softmax", "error", "double-softmax", _BOUNDED,
         "return logits, and apply softmax only to predict"),
        ("cross_entropy", "sigmoid", "error", "sigmoid-cross-entropy", _BOUNDED,
         "return logits; if a sample can have several labels, with BCEWithLogitsLoss"),
        ("cross_entropy", "log_softmax", "note", "double-log-softmax",
         "This is harmless: log_softmax of log_softmax is log_softmax, in value and gradient.",
         "logits with CrossEntropyLoss, or log_softmax with NLLLoss"),
        ("cross_entropy", "log(softmax)", "warning", "log-of-softmax", _UNDERFLOW,
         "logits with CrossEntropyLoss"),
        ("cross_entropy", "relu", "warning", "relu-scores",
         "No logit can fall below 0, and a logit that is 0 gets no gradient. (SqueezeNet does "
         "this on purpose, in front of an average.)",
         "end in the linear layer"),
        ("nll_loss", "softmax", "error", "nll-probabilities", _NO_LOGARITHM,
         "log_softmax instead of softmax, or logits with CrossEntropyLoss"),
        ("nll_loss", "sigmoid", "error", "nll-probabilities", _NO_LOGARITHM,
         "log_softmax instead of sigmoid, or logits with CrossEntropyLoss"),
        ("nll_loss", "linear", "error", "nll-scores", _SCORES,
         "CrossEntropyLoss, or log_softmax in front of NLLLoss"),
        ("nll_loss", "relu", "error", "nll-scores", _SCORES,
         "logits with CrossEntropyLoss"),
        ("nll_loss", "log(softmax)", "warning", "log-of-softmax", _UNDERFLOW,
         "log_softmax(z), or logits z with CrossEntropyLoss"),
        ("binary_cross_entropy", "linear", "error", "bce-scores", _DOMAIN,
         "BCEWithLogitsLoss on the logits"),
        ("binary_cross_entropy", "log_softmax", "error", "bce-scores", _DOMAIN,
         "logits; if a sample has one label, with CrossEntropyLoss"),
        ("binary_cross_entropy", "log(softmax)", "error", "bce-scores", _DOMAIN,
         "logits; if a sample has one label, with CrossEntropyLoss"),
        ("binary_cross_entropy_with_logits", "sigmoid", "error", "double-sigmoid",
         _BOUNDED_BINARY, "return logits, and apply sigmoid only to predict; or BCELoss"),
        ("binary_cross_entropy_with_logits", "softmax", "error", "softmax-bce",
         _BOUNDED_BINARY, "logits; if a sample has one label, with CrossEntropyLoss"),
    ]
}  # fmt: skip


_FORMS = {
    "softmax-of-one": (
        "error", "{op} is taken over a single value",
        "Its result is always 1 (log_softmax: 0): there is no gradient.",
        "for two classes and one output, the logit with BCEWithLogitsLoss; otherwise another "
        "dim"),
    "one-class": (
        "error", "{loss} gets a single class: an input of shape {x}",
        "The only class always has probability 1: the loss does not depend on the network.",
        "for two classes and one output, the logit with BCEWithLogitsLoss"),
    "wrong-dim": (
        "error", "log_softmax is taken over the wrong dimension",
        "The classes stand in dimension {dim}; here probabilities sum to one in another.",
        "log_softmax(z, dim={dim})"),
    "target-probabilities": (
        "warning", "a float target of the output's shape is read as probabilities, which it is not",
        "Probabilities are not negative and sum to one over the classes.",
        "class indices (int64), or softmax of the target's logits"),
    "target-range": (
        "error", "targets run from {low:g} to {high:g}", "{loss} wants {wants}.",
        "as many outputs as classes, indices that start at 0; for yes or no, 0 and 1"),
    "all-ignored": (
        "warning", "every target is ignore_index", "The mean over no sample is NaN.",
        "skip such a batch"),
    "broadcast": (
        "error", "{loss} broadcasts output {x} and target {y} to {shape}",
        "One is repeated to fit the other: outputs are compared with targets that are not theirs.",
        "target.reshape(output.shape), or output.squeeze(1)"),
    "loss-raises": (
        "error", "{loss} raises {error}", "It wants {wants}, and gets {dtype} of shape {y}.",
        "a target (or an output) as the loss wants it"),
    "label-smoothing": (
        "note",
        "with {classes} classes label_smoothing={epsilon:g} keeps the loss over {floor:.4f}",
        "That floor is meant; it is no sign of a second softmax.",
        "nothing; compare losses measured without label smoothing"),
}  # fmt: skip


def _finding(code: str, evidence: str, **values: Any) -> Finding:
    """A finding of _FORMS, with its blanks filled in."""
    severity, *texts = _FORMS[code]
    return Finding(code, severity, *(text.format(**values) for text in texts), (evidence,))


def _rule(loss: str, op: str | None, reduction: Any, classes: int = 0) -> Finding | None:
    """What is wrong with `op` in front of `loss`."""
    if loss == "nll_loss" and reduction == "none":
        return None  # used to pick values, as focal losses do
    finding = _RULES.get((loss, op))
    if finding and classes:
        floor = f"{math.log(1 + (classes - 1) / math.e):.4f} with {classes} classes"
        return replace(finding, why=finding.why.replace(_FLOOR, floor))
    return finding


# ---------------------------------------------------------------------------------------------
# check_head and guard: structure, graph, values


class HeadError(ValueError):
    """Raised by `guard`: what reaches the loss is certainly not what the loss expects."""


class HeadWarning(UserWarning):
    """Given by `guard`: what reaches the loss is probably not what the loss expects."""


@dataclass(frozen=True)
class Report:
    """What `check_head` found (`findings`), and what it looked at (`seen`)."""

    findings: tuple[Finding, ...]
    seen: str

    @property
    def ok(self) -> bool:
        """True if nothing is wrong or probably wrong; notes do not count."""
        return all(finding.severity == "note" for finding in self.findings)

    def __str__(self) -> str:
        if not self.findings:
            return f"check_head: nothing wrong found ({self.seen})."
        return "\n\n".join(str(finding) for finding in self.findings)

    __repr__ = __str__


# Names of grad_fn, without "Backward" and the number.
_GRAPH_OPS = {"Softmax": "softmax", "LogSoftmax": "log_softmax", "Sigmoid": "sigmoid"}
_GRAPH_OPS |= {"Relu": "relu", **dict.fromkeys(["Addmm", "Mm", "Bmm", "Convolution"], "linear")}
_SEEN_THROUGH = frozenset(
    "View UnsafeView ReshapeAlias Alias T Transpose Permute Slice Select Index IndexSelect "
    "MaskedSelect Squeeze Unsqueeze ToCopy Clone Expand Repeat Unbind Split SplitWithSizes "
    "Diagonal Unfold NativeDropout Cat Stack Gather".split()
)


def _graph_op(node: Any) -> tuple[str | None, Any]:
    """(operation whose result this is, its node), seen through what only moves numbers."""
    name = re.sub(r"Backward\d*$", "", type(node).__name__)
    if name in _GRAPH_OPS:
        return _GRAPH_OPS[name], node
    parents = [parent for parent, _ in getattr(node, "next_functions", ()) if parent is not None]
    if parents and (name in _SEEN_THROUGH or name in ("Log", "Clamp", "Mul")):
        op, origin = _graph_op(parents[0])
        if name == "Log":
            op = "log(softmax)" if op == "softmax" else None
        elif name == "Clamp":
            op = op if op in ("softmax", "sigmoid") else None  # clamped scores are something else
        elif name == "Mul":
            op = op if _is_dropout(node) else None
        elif any(_graph_op(parent)[0] != op for parent in parents[1:]):
            op = None  # put together from different operations
        if op:
            return op, origin
    return None, node


def _is_dropout(node: Any) -> bool:
    """On the CPU dropout multiplies by a mask of 0 and 1/(1 - p)."""
    mask = node._saved_other
    if mask is None or mask.dim() == 0:
        return False
    kept = mask[mask != 0]
    return bool(kept.numel() == 0 or ((kept == kept[0]).all() and kept[0] >= 1))


def _is_one(total: torch.Tensor, atol: float = 1e-3) -> bool:
    return torch.allclose(total, torch.ones_like(total), atol=atol)


def _values_op(loss: str, x: torch.Tensor, dim: int) -> tuple[str | None, str, str]:
    """(operation that the numbers look like, what was seen, how sure that is)."""
    low, high = float(x.min()), float(x.max())
    if loss in _CLASS_LOSSES and low >= 0 and _is_one(x.sum(dim)):
        return "softmax", "values: rows are not negative and sum to one", "looks like"
    if loss == "nll_loss" and high > 1e-3:
        return "linear", "values: some are above 0, as no log-probability is", "certain"
    if loss == "binary_cross_entropy" and (low < 0 or high > 1):
        return "linear", "values: some lie outside 0 to 1", "certain"
    # The scores of an untrained network are small too; probabilities lie on both sides of 1/2.
    if loss == "binary_cross_entropy_with_logits" and 0 <= low < 0.5 < high <= 1:
        if x.numel() >= 32:
            return "sigmoid", "values: all lie between 0 and 1", "looks like"
    return None, "", ""


def _check_call(
    loss: str, x: torch.Tensor, y: torch.Tensor | None, options: dict[str, Any]
) -> Iterator[Finding]:
    """Everything about one call of a loss: its input `x`, then its target `y`."""
    if x.dim() == 0:
        return
    op, node = _graph_op(x.grad_fn)
    seen, confidence = _seen(node), "certain"
    dim = min(x.dim() - 1, 1)
    classes = x.shape[dim] if loss in _CLASS_LOSSES else 0
    if op in ("softmax", "log_softmax"):
        axis = node._saved_dim  # unsigned: -1 is 2**64 - 1
        if node._saved_result.shape[axis - 2**64 if axis >= 2**63 else axis] == 1:
            yield _finding("softmax-of-one", seen, op=op)
            return
    if classes == 1:
        yield _finding("one-class", "shapes", loss=_LOSSES[loss], x=tuple(x.shape))
        return
    numbers = x.detach().double()
    if x.numel() and (op is None or (loss, op) == ("binary_cross_entropy", "relu")):
        op, seen, confidence = _values_op(loss, numbers, dim)
    finding = _rule(loss, op, options.get("reduction"), classes)
    if finding is not None:
        severity = "warning" if confidence == "looks like" else finding.severity
        yield replace(finding, severity=severity, evidence=(seen,), confidence=confidence)
    elif (loss, op) == ("nll_loss", "log_softmax"):
        sums = [_is_one(numbers.exp().sum(axis)) for axis in range(x.dim())]
        if any(sums) and not sums[dim]:
            yield _finding("wrong-dim", f"{seen}; values: the sums of their exp", dim=dim)
    if y is not None and y.numel():
        yield from _check_target(loss, x, y, options, dim)
    if classes and (epsilon := options.get("label_smoothing")):
        wanted = [1 - epsilon + epsilon / classes] + [epsilon / classes] * (classes - 1)
        floor = -sum(p * math.log(p) for p in wanted if p > 0)
        values = {"epsilon": epsilon, "floor": floor, "classes": classes}
        yield _finding("label-smoothing", "options", **values)


def _check_target(
    loss: str, x: torch.Tensor, y: torch.Tensor, options: dict[str, Any], dim: int
) -> Iterator[Finding]:
    """What PyTorch accepts in a target without a word. What it rejects it says itself."""
    values = _values(loss, x, y)
    if loss in _CLASS_LOSSES and y.is_floating_point():
        as_probabilities = loss == "cross_entropy" and y.shape == x.shape
        total = y.detach().double().sum(dim) if as_probabilities else y
        if as_probabilities and (y.min() < 0 or not _is_one(total, 1e-2)):
            yield _finding("target-probabilities", "target")
    elif loss in _CLASS_LOSSES:
        used = y[y != options.get("ignore_index", -100)]
        if used.numel() == 0 and options.get("reduction") == "mean":
            yield _finding("all-ignored", "target")
        elif used.numel() and not 0 <= used.min() <= used.max() < x.shape[dim]:
            values |= {"low": int(used.min()), "high": int(used.max())}
            yield _finding("target-range", "target", **values)
    elif loss.startswith("binary"):
        values |= {"low": float(y.min()), "high": float(y.max())}
        if values["low"] < -1e-3 or values["high"] > 1 + 1e-3:
            yield _finding("target-range", "target", **values)
    elif x.shape != y.shape and y.numel() > 1:
        with contextlib.suppress(RuntimeError):  # which PyTorch raises itself
            shape = torch.broadcast_shapes(x.shape, y.shape)
            finding = _finding("broadcast", "target", shape=tuple(shape), **values)
            meant = shape in (x.shape, y.shape)
            yield replace(finding, severity="warning") if meant else finding


def _values(loss: str, x: torch.Tensor, y: torch.Tensor) -> dict[str, Any]:
    """What the texts in _FORMS say about a call: what the loss wants for `x`, and what it got."""
    shape, dim = tuple(x.shape), min(x.dim() - 1, 1)
    wants = f"floats{' from 0 to 1' * loss.startswith('binary')} of shape {shape}"
    if loss in _CLASS_LOSSES:
        others = shape[:dim] + shape[dim + 1 :]
        probabilities = f", or probabilities of shape {shape}" * (loss == "cross_entropy")
        wants = f"class indices (int64, 0 to {shape[dim] - 1}) of shape {others}{probabilities}"
    return {
        "loss": _LOSSES[loss],
        "x": shape,
        "y": tuple(y.shape),
        "dtype": y.dtype,
        "wants": wants,
    }


def _seen(node: Any) -> str:
    return f"graph: {type(node).__name__}" if node is not None else "graph: there is none"


def _known_loss(loss_fn: Any) -> tuple[str, dict[str, Any]] | None:
    """(name, options) of a loss that can be told without calling it."""
    options: dict[str, Any] = {"reduction": "mean"}
    while isinstance(loss_fn, functools.partial):
        options |= loss_fn.keywords
        loss_fn = loss_fn.func
    for name, class_name in _LOSSES.items():
        kind = getattr(nn, class_name)
        if loss_fn is getattr(nn.functional, name):
            return name, options
        if isinstance(loss_fn, kind) and type(loss_fn).forward is kind.forward:
            return name, vars(loss_fn)
    return None


def _watch(on_call: Callable[[str, torch.Tensor, torch.Tensor, dict[str, Any]], None]) -> Any:
    """A context in which every call of a known loss, however deep, is first shown to `on_call`."""
    functions = {getattr(nn.functional, name): name for name in _LOSSES}

    class Watch(torch.overrides.TorchFunctionMode):
        def __torch_function__(self, function, types, args=(), kwargs=None):
            kwargs = kwargs or {}
            if function not in functions:
                return function(*args, **kwargs)
            bound = inspect.signature(function).bind(*args, **kwargs)
            bound.apply_defaults()
            loss, x, y = functions[function], bound.arguments["input"], bound.arguments["target"]
            if not isinstance(x, torch.Tensor) or not isinstance(y, torch.Tensor):
                return function(*args, **kwargs)
            on_call(loss, x, y, bound.arguments)
            try:
                return function(*args, **kwargs)
            except Exception as error:
                values = _values(loss, x, y) | {"error": f"{type(error).__name__}: {error}"}
                error.head_finding = _finding("loss-raises", "target", **values)
                error.add_note(str(error.head_finding))
                raise

    return Watch()


def _unwrap(model: Any) -> Any:
    """The module inside of torch.compile, DataParallel and DistributedDataParallel."""
    while True:
        if isinstance(model, (nn.DataParallel, nn.parallel.DistributedDataParallel)):
            model = model.module
        elif hasattr(model, "_orig_mod"):
            model = model._orig_mod
        else:
            return model


def _structure(module: Any, path: str = "model") -> tuple[str, str] | None:
    """(operation, "path: module") that an nn.Sequential, nested or not, ends in."""
    ops = {nn.Softmax: "softmax", nn.Softmax2d: "softmax", nn.LogSoftmax: "log_softmax"}
    ops |= {nn.Sigmoid: "sigmoid", nn.ReLU: "relu", nn.Linear: "linear", nn.Conv2d: "linear"}
    module = _unwrap(module)
    if type(module) in ops and not module._forward_hooks:
        return ops[type(module)], f"structure: {path} is {module}"
    if not isinstance(module, nn.Sequential) or type(module).forward is not nn.Sequential.forward:
        return None
    for name, child in reversed(module._modules.items()):
        if not isinstance(child, (nn.Identity, nn.Flatten, nn.Unflatten, nn.Dropout)):
            return _structure(child, f"{path}.{name}")
    return None


@contextlib.contextmanager
def _untouched(model: Any, inputs: list[torch.Tensor]) -> Iterator[None]:
    """Train mode and gradients inside; training flags and random generators as before after it."""
    modules = list(model.modules()) if isinstance(model, nn.Module) else []
    held = [t for m in modules for t in (*m._parameters.values(), *m._buffers.values())]
    devices = {tensor.device for tensor in held + inputs if tensor is not None}
    flags, state = [module.training for module in modules], random.getstate()
    with contextlib.ExitStack() as stack:
        stack.enter_context(torch.random.fork_rng(devices=[]))
        for device in devices:
            if device.type == "mps":
                stack.callback(torch.mps.set_rng_state, torch.mps.get_rng_state())
            elif device.type not in ("cpu", "meta"):
                fork = torch.random.fork_rng([device], device_type=device.type)
                stack.enter_context(fork)
        stack.enter_context(torch.enable_grad())
        try:
            for module in modules:
                # In train mode batch norm rejects a single sample; for the head it is the same.
                module.training = not isinstance(module, nn.modules.batchnorm._NormBase)
            yield
        finally:
            random.setstate(state)
            for module, flag in zip(modules, flags, strict=True):
                module.training = flag


def _call(function: Any, args: tuple, kwargs: dict[str, Any]) -> Any:
    """Call a module on copies of its buffers, anything else as it is."""
    if not isinstance(function, nn.Module):
        return function(*args, **kwargs)
    buffers = {name: buffer.clone() for name, buffer in function.named_buffers()}
    return torch.func.functional_call(function, buffers, args, kwargs)


def _copied(value: Any, tensors: list[torch.Tensor], grad: bool = False) -> Any:
    """`value` with copies of its tensors, which with `grad` ask for one: then there is a graph."""
    if isinstance(value, torch.Tensor):
        tensors.append(value)
        value = value.detach()
        return (value.requires_grad_() if grad and value.is_floating_point() else value).clone()
    if isinstance(value, dict):
        return {key: _copied(item, tensors, grad) for key, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)(_copied(item, tensors, grad) for item in value)
    return value


class _Found(Exception):
    """Ends check_head before a loss is computed that is wrong (and might end the process)."""


def _require_callable(name: str, value: Any) -> None:
    if isinstance(value, type):
        raise TypeError(f"{name} has to be an instance, got the class: write {value.__name__}(...)")
    if not callable(value):
        raise TypeError(f"{name} has to be a module or a function, got {value!r}")


def check_head(model: Any, loss_fn: Any, sample_input: Any = None, target: Any = None) -> Report:
    """Is what `model` puts out what `loss_fn` expects?

    model: an `nn.Module`, also in `torch.compile` or `DataParallel`, or a function.
    loss_fn: an `nn` loss, its function in `torch.nn.functional` or a partial of it; with `target`
        also anything that calls one of these: a lambda, a function, a module of your own.
    sample_input: a tensor (m, ...), a tuple of arguments, or a dict of keyword arguments. Without
        it only the end of an `nn.Sequential` can be judged.
    target: what the loss gets next to the output, in the shape that the loss wants.

    The model runs once, forward only, in train mode with batch norm in eval mode. Afterwards its
    parameters, `.grad`, buffers and training flags, and the random generators of torch and Python
    are as before. Other things that a `forward` does (attributes it sets, files) stay done.

    Raises TypeError if `model` or `loss_fn` is a class or cannot be called, or `model` is a
    `torch.jit` module; ValueError for a target without a sample, or lazy parameters. What the
    model or a loss of your own raises is passed on.
    """
    _require_callable("model", model)
    _require_callable("loss_fn", loss_fn)
    if isinstance(model, torch.jit.ScriptModule):
        raise TypeError("model is a torch.jit module, which cannot be run without changing it")
    if sample_input is None and target is not None:
        raise ValueError("sample_input is missing: got a target, and no output to compare it with")
    model, known, structure = _unwrap(model), _known_loss(loss_fn), _structure(model)
    if any(torch.nn.parameter.is_lazy(p) for p in getattr(model, "parameters", list)()):
        raise ValueError("model has lazy parameters: run it once, which gives them their shapes")
    if sample_input is None:
        finding = known and structure and _rule(known[0], structure[0], known[1]["reduction"])
        if finding:
            return Report((replace(finding, evidence=(structure[1],)),), structure[1])
        return Report((), structure[1] if known and structure else "undecided: pass a sample_input")

    findings: list[Finding] = []
    seen: list[str] = []

    def look(loss: str, x: torch.Tensor, y: torch.Tensor | None, options: dict[str, Any]) -> None:
        op, node = _graph_op(x.grad_fn)
        seen.append(f"{_LOSSES[loss]}; {_seen(node)}")
        for finding in _check_call(loss, x, y, options):
            if structure and structure[0] == op and finding.evidence[0].startswith("graph"):
                finding = replace(finding, evidence=(*finding.evidence, structure[1]))
            findings.append(finding)
        if any(finding.severity == "error" for finding in findings):
            raise _Found

    inputs: list[torch.Tensor] = []
    sample_input, target = _copied(sample_input, inputs, grad=True), _copied(target, [])
    args = tuple(sample_input) if isinstance(sample_input, (tuple, list)) else (sample_input,)
    args, kwargs = ((), sample_input) if isinstance(sample_input, dict) else (args, {})
    with _untouched(model, inputs), contextlib.suppress(_Found):
        output = _call(model, args, kwargs)
        if target is None and known and isinstance(output, torch.Tensor):
            look(known[0], output, None, known[1])
        elif target is not None:
            try:
                with _watch(look):
                    _call(_unwrap(loss_fn), (output, target), {})
            except Exception as error:
                if not hasattr(error, "head_finding"):
                    raise
                findings.append(error.head_finding)
    if not seen:
        reason = "loss_fn called no loss that I know" if target is not None else "pass a target"
        seen.append(f"undecided: {reason}")
    return Report(tuple(findings), "; ".join(seen))


def guard(loss_fn: Any, *, action: str = "raise") -> Any:
    """Check the first call of a loss, and no other: `criterion = guard(nn.CrossEntropyLoss())`.

    Returns the same module, with hooks that remove themselves after its first call; or, for a
    function, a function that checks its first call. What is certainly wrong raises `HeadError`
    before the loss is computed (with `action="warn"` it is a `HeadWarning`); what is probably
    wrong is a `HeadWarning`; notes are not shown.

    Raises TypeError if `loss_fn` cannot be called, ValueError for another action.
    """
    _require_callable("loss_fn", loss_fn)
    if action not in ("raise", "warn"):
        raise ValueError(f"action has to be 'raise' or 'warn', got {action!r}")

    def judge(loss: str, x: torch.Tensor, y: torch.Tensor, options: dict[str, Any]) -> None:
        try:
            findings = list(_check_call(loss, x, y, options))
        except Exception as error:  # an exotic tensor: no reason to stop somebody's training
            warnings.warn(f"guard could not look: {error!r}", HeadWarning, stacklevel=2)
            return
        for finding in findings:
            if finding.severity == "error" and action == "raise":
                raise HeadError(str(finding))
            if finding.severity != "note":
                warnings.warn(str(finding), HeadWarning, stacklevel=2)

    waiting, entered = [_watch(judge)], []

    def before(*_: Any) -> None:
        if waiting and not torch.compiler.is_compiling():
            entered.append(waiting.pop())
            entered[0].__enter__()

    def after(*_: Any) -> None:
        if entered:
            entered.pop().__exit__(None, None, None)
            for hook in hooks:
                hook.remove()

    if isinstance(loss_fn, nn.Module):
        hooks = [
            loss_fn.register_forward_pre_hook(before),
            loss_fn.register_forward_hook(after, always_call=True),
        ]
        return loss_fn

    @functools.wraps(loss_fn)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        if not waiting or torch.compiler.is_compiling():
            return loss_fn(*args, **kwargs)
        with waiting.pop():
            return loss_fn(*args, **kwargs)

    return guarded


# ---------------------------------------------------------------------------------------------
# The command: what is known of a value (None: nothing)


@dataclass(frozen=True)
class _Known:
    """A value of which something is known. What `what` is depends on `kind`:

    tensor: the operation it came out of      layer: the operation it ends in, or "same"
    loss: (name, reduction)                   sequence: the last module of an nn.Sequential
    zoo: what a torchvision model's last layer was replaced with, or None
    outside: a full name, not of this tree    const: the constant
    items: ((key, value), ...); the key "last" where only the end of a list is known
    super: (the class it is called in, self)
    import: (module, name or None, level, the importing file), looked up when it is used

    `at` says where the operation stands, `home` in which function.
    """

    kind: str
    what: Any
    at: str = field(default="", compare=False)
    home: Any = field(default=None, compare=False)

    def get(self, key: Any) -> Any:
        """An item of a tuple, list or dict."""
        items = dict(self.what)
        if key == -1:
            return items["last"] if "last" in items else next(iter([*items.values()][::-1]), None)
        return items.get(key)


@dataclass(eq=False)
class _Scope:
    """The names of a module, a class body or one call; a path like "self.softmax" is a name too."""

    module: Any
    parent: _Scope | None
    home: Any
    owner: _Class | None = None
    env: dict[str, Any] = field(default_factory=dict)
    returns: list[Any] = field(default_factory=list)
    exits: list[dict[str, Any]] = field(default_factory=list)

    kind = "module"

    def find(self, path: str) -> _Scope | None:
        """The scope that knows `path`, or None."""
        root, scope = path.partition(".")[0], self
        while scope is not None and path not in scope.env:
            scope = None if root in scope.env else scope.parent
        return scope


class _Module(_Scope):
    """A file: its path on disk, its name as shown, its lines, and the cells of a notebook."""

    def __init__(self, path: str, name: str) -> None:
        super().__init__(self, None, self)
        self.path, self.name, self.done = path, name, False
        self.lines: list[str] = []
        self.cells: list[tuple[int, int]] = []  # (lines before it, number)
        self.rebound: set[str] = set()  # names that meant one thing, then another

    def where(self, node: Any) -> str:
        before, cell = max((c for c in self.cells if c[0] < node.lineno), default=(0, 0))
        return f"{self.name}:{f'cell {cell}:' if cell else ''}{node.lineno - before}"


@dataclass(frozen=True)
class _Function:
    node: Any
    scope: _Scope
    owner: _Class | None
    bound: Any = None
    kind = "function"


@dataclass(eq=False)
class _Class:
    node: ast.ClassDef
    scope: _Scope
    bases: list[Any]
    env: dict[str, Any] = field(default_factory=dict)
    kind = "class"

    def lineage(self) -> Iterator[_Class]:
        yield self
        for base in self.bases:
            if isinstance(base, _Class):
                yield from base.lineage()

    def find(self, name: str) -> Any:
        """A method, or a class attribute that is no mere setting."""
        value = next((kind.env[name] for kind in self.lineage() if name in kind.env), None)
        return None if _kind(value) == "const" else value

    @functools.cached_property
    def setters(self) -> dict[str, list[_Function]]:
        """The methods besides __init__ that assign self.x, by x."""
        setters: dict[str, list[_Function]] = {}
        for name, method in [item for kind in self.lineage() for item in kind.env.items()]:
            if _kind(method) == "function" and name != "__init__":
                for path in _assigned(method.node):
                    if path.startswith("self."):
                        setters.setdefault(path[5:], []).append(method)
        return setters

    def root(self) -> str:
        """The name of the class outside the tree that this one comes from."""
        names = [b.what for kind in self.lineage() for b in kind.bases if _kind(b) == "outside"]
        return names[0].rpartition(".")[2] if names else ""


@dataclass(eq=False)
class _Object:
    """An instance of a class."""

    of: _Class
    attributes: dict[str, Any] = field(default_factory=dict)
    kind = "object"


def _kind(value: Any) -> str:
    return getattr(value, "kind", "")


def _join(a: Any, b: Any) -> Any:
    """What is known of a value that is `a` or `b`."""
    if a == b:
        return a
    if _kind(a) == _kind(b) == "items" and [k for k, _ in a.what] == [k for k, _ in b.what]:
        return _Known("items", tuple((key, _join(value, b.get(key))) for key, value in a.what))
    if _kind(a) == _kind(b) == "object" and a.of is b.of and a.attributes == b.attributes:
        return a
    return None


def _merge(ends: list[dict[str, Any]]) -> dict[str, Any]:
    """The names after several ways; a name that one way lacks is taken from the others."""
    merged = dict(ends[0])
    for end in ends[1:]:
        for name, value in end.items():
            merged[name] = _join(merged[name], value) if name in merged else value
    return merged


def _path(node: Any) -> str:
    """ "self.net.fc" of the expression self.net.fc; "" of anything but names and dots."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (path := _path(node.value)):
        return f"{path}.{node.attr}"
    return ""


@functools.cache
def _assigned(node: ast.AST) -> frozenset[str]:
    """The names and paths that the code below `node` may give a new value."""
    names = set()
    for child in ast.walk(node):
        if isinstance(getattr(child, "ctx", None), ast.Store):
            names.add(_path(child.value if isinstance(child, ast.Subscript) else child))
        elif isinstance(child, ast.Call) and isinstance(child.func, ast.Attribute):
            if child.func.attr in ("append", "extend", "insert", "add_module"):
                names.add(_path(child.func.value))
        elif isinstance(child, (ast.MatchAs, ast.MatchStar)):
            names.add(child.name or "")
    return frozenset(names - {""})


def _plus(left: Any, right: Any) -> Any:
    """list + list; the end is known even if the beginning is not."""
    if _kind(right) != "items":
        return None
    if _kind(left) == "items" and "last" not in dict(left.what + right.what):
        return _Known("items", tuple(enumerate(value for _, value in left.what + right.what)))
    return _Known("items", (("last", right.get(-1)),)) if right.what else left


def _end(node: Any, value: Any) -> Any:
    """The last of what an item of a list (or of arguments) stands for."""
    if not isinstance(node, ast.Starred):
        return value
    return value.get(-1) if _kind(value) == "items" else None


_LOSS_CLASSES = {name: key for key, name in _LOSSES.items()}
_LAYERS = {"Softmax": "softmax", "Softmax2d": "softmax", "LogSoftmax": "log_softmax"}
_LAYERS |= dict.fromkeys(["Linear", "LazyLinear", "Conv1d", "Conv2d", "Conv3d"], "linear")
_LAYERS |= dict.fromkeys(["Identity", "Flatten", "Unflatten", "Dropout", "Dropout2d"], "same")
_LAYERS["Sigmoid"] = "sigmoid"
_OPS = {"softmax": "softmax", "log_softmax": "log_softmax", "sigmoid": "sigmoid"}
_OPS |= {"sigmoid_": "sigmoid", "expit": "sigmoid", "linear": "linear", "conv2d": "linear"}
_FUNCTION_HOMES = ("torch", "torch.nn.functional", "torch.special", "torch.Tensor")
# Methods and functions that leave probabilities probabilities, or a network a network.
_SAME = frozenset(
    "view reshape view_as squeeze unsqueeze flatten unflatten transpose permute t swapaxes "
    "movedim contiguous clone detach to cuda cpu float double half bfloat16 type type_as clamp "
    "clip expand expand_as narrow index_select masked_select chunk split unbind dropout rearrange "
    "Variable train eval requires_grad_ apply DataParallel DistributedDataParallel compile script "
    "deepcopy".split()
)


# ---------------------------------------------------------------------------------------------
# The command: following values


class _Reader:
    """An abstract interpreter: runs nothing, follows what is known and forgets what is not."""

    def __init__(self, files: dict[str, str], relevant: set[str | None]) -> None:
        self.files = files  # name as shown, by path on disk
        self.relevant = relevant  # the paths of files that imports are followed into
        self.modules: dict[str, _Module] = {}
        self.places: dict[tuple[str, str, int], str | None] = {}
        self.found: dict[tuple[str, str], Finding] = {}
        self.skipped: dict[str, str] = {}
        self.memo: dict[Any, Any] = {}
        self.stack: list[Any] = []
        self.calls = 0

    # Files and imports

    def module(self, path: str) -> _Module:
        """The module at `path`, read when it is first needed."""
        if path not in self.modules:
            self.modules[path] = module = _Module(path, self.files[path])
            with self.skipping(module):
                self.block(_parse(module, self.skipped), module)
            module.done = True
        return self.modules[path]

    @contextlib.contextmanager
    def skipping(self, module: _Module) -> Iterator[None]:
        """A file that cannot be read is named, and stops no other."""
        try:
            yield
        except (OSError, SyntaxError, ValueError) as error:
            self.skipped[module.name] = f"{type(error).__name__}: {error}"
        except (RecursionError, MemoryError):
            self.skipped[module.name] = "nested too deeply"

    def entry(self, path: str) -> None:
        """Read a file; then each of its functions and methods, with arguments nobody knows."""
        self.calls = 0
        module = self.module(path)
        module.env |= dict.fromkeys(module.rebound & module.env.keys())
        with self.skipping(module):
            for value in list(module.env.values()):
                if _kind(value) == "function" and value.scope is module:
                    self.run(value, [], {}, {}, True)
                elif _kind(value) == "class" and value.scope is module:
                    methods = [m for m in value.env.values() if _kind(m) == "function"]
                    if "forward" in value.env:  # of a network only what computes a loss
                        methods = [m for m in methods if self.mentions_loss(m)]
                    thing = self.make(value, [], {}, True) if methods else None
                    for method in methods:
                        self.run(replace(method, bound=thing), [], {}, {}, True)

    def mentions_loss(self, function: _Function) -> bool:
        lines = function.scope.module.lines[function.node.lineno - 1 : function.node.end_lineno]
        return any(re.search(r"[Ll]oss|[Cc]rit|entropy|super", line) for line in lines)

    def resolve(self, dotted: str, level: int, origin: _Module) -> _Module | None:
        """The module of the tree that an import in `origin` means: the nearest, going up."""
        folder = os.path.dirname(origin.path)
        key = (dotted, folder, level)
        if key not in self.places:
            self.places[key] = self.search(dotted.split(".") if dotted else [], level, folder)
        path = self.places[key]
        return self.module(path) if path in self.relevant and path != origin.path else None

    def search(self, parts: list[str], level: int, folder: str) -> str | None:
        if not level and parts[0] in ("torch", "torchvision"):
            return None
        for _ in range(level - 1):
            folder = os.path.dirname(folder)
        while True:
            stem = os.path.join(folder, *parts)
            for path in (stem + ".py", os.path.join(stem, "__init__.py")):
                if path in self.files:
                    return path
            if level or folder == os.path.dirname(folder):
                return None
            folder = os.path.dirname(folder)

    def imported(self, dotted: str, name: str | None, level: int, origin: _Module) -> Any:
        """The module `dotted`, or `name` in it."""
        module = self.resolve(dotted, level, origin)
        if name is None:
            return module or _Known("outside", dotted)
        if module is not None and name in module.env:
            return self.lookup(name, module)
        full = f"{dotted}.{name}" if dotted else name
        if full == "typing.TYPE_CHECKING":
            return _Known("const", False)
        inner = self.resolve(full, level, origin)
        return inner or (None if module or level else _Known("outside", full))

    def lookup(self, path: str, scope: _Scope) -> Any:
        """What is known of a name in the scope that has it; imports are followed here."""
        value = scope.env[path]
        if _kind(value) == "import":
            if value not in self.memo:
                self.memo[value] = None  # in case the import leads back here
                self.memo[value] = self.imported(*value.what)
            value = self.memo[value]
        settings = scope is scope.module and _kind(value) == "const"  # somebody may edit them
        return None if settings else value

    # Statements

    def block(self, body: list[ast.stmt], scope: _Scope) -> bool:
        """Follow statements; True if what comes after them is not reached."""
        for node in body:
            if self.statement(node, scope):
                return True
        return False

    def statement(self, node: Any, scope: _Scope) -> bool:
        match node:
            case ast.Assign(targets=targets):
                value = self.value(node.value, scope)
                for target in targets:
                    self.assign(target, value, scope)
            case ast.AnnAssign(value=ast.expr()):
                self.assign(node.target, self.value(node.value, scope), scope)
            case ast.AugAssign():
                left, right = self.value(node.target, scope), self.value(node.value, scope)
                self.assign(node.target, _plus(left, right), scope)
            case ast.Expr():
                self.value(node.value, scope)
            case ast.Return():
                scope.returns.append(self.value(node.value, scope))
                return True
            case ast.Raise():
                return True
            case ast.Break() | ast.Continue():
                scope.exits.append(dict(scope.env))
                return True
            case ast.If():
                test = self.value(node.test, scope)
                if _kind(test) == "const":
                    return self.block(node.body if test.what else node.orelse, scope)
                return self.branches([node.body, node.orelse], scope)
            case ast.Match():
                self.value(node.subject, scope)
                bodies = [[], *(case.body for case in node.cases)]
                return self.branches(bodies, scope, _assigned(node))
            case ast.Try() | ast.TryStar():
                return self.attempt(node, scope)
            case ast.For() | ast.AsyncFor() | ast.While():
                self.loop(node, scope)
            case ast.With() | ast.AsyncWith():
                for item in node.items:
                    self.value(item.context_expr, scope)
                    if item.optional_vars is not None:
                        self.assign(item.optional_vars, None, scope)
                return self.block(node.body, scope)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                attribute = any("property" in ast.unparse(item) for item in node.decorator_list)
                scope.env[node.name] = None if attribute else _Function(node, scope, scope.owner)
            case ast.ClassDef():
                self.define(node, scope)
            case ast.Global() | ast.Nonlocal():
                for name in set(node.names) & _assigned(scope.home):
                    if (outer := scope.find(name)) is not None:
                        outer.env[name] = None
            case ast.Import():
                for alias in node.names:
                    name = alias.name if alias.asname else alias.name.partition(".")[0]
                    value = _Known("import", (name, None, 0, scope.module))
                    scope.env[alias.asname or name] = value
            case ast.ImportFrom():
                source = (node.module or "", node.level, scope.module)
                for alias in node.names:
                    if alias.name != "*":
                        what = (source[0], alias.name, *source[1:])
                        scope.env[alias.asname or alias.name] = _Known("import", what)
                    elif (module := self.resolve(*source)) is not None:
                        scope.env |= module.env
                    elif source[0].startswith("torch"):
                        scope.env["*"] = _Known("outside", source[0])
        return False

    def branches(self, bodies: list[Any], scope: _Scope, lost: frozenset = frozenset()) -> bool:
        """Each body from one start; then known is only what all of them that go on agree on."""
        start, ends = {**scope.env, **dict.fromkeys(lost)}, []
        for body in bodies:
            scope.env = dict(start)
            if not self.block(body, scope):
                ends.append(scope.env)
        scope.env = _merge(ends) if ends else start
        return not ends

    def attempt(self, node: Any, scope: _Scope) -> bool:
        """try: the handlers know nothing of what its body changes."""
        start, scope.env = scope.env, dict(scope.env)
        dead = self.block(node.body, scope) or self.block(node.orelse, scope)
        ends, scope.env = [] if dead else [scope.env], start
        bodies = [handler.body for handler in node.handlers]
        if bodies and not self.branches(bodies, scope, _assigned(node)):
            ends.append(scope.env)
        scope.env = _merge(ends) if ends else start
        return self.block(node.finalbody, scope) or not ends

    def loop(self, node: Any, scope: _Scope) -> None:
        """The body once, knowing nothing of what the body itself changes."""
        self.value(node.test if isinstance(node, ast.While) else node.iter, scope)
        start, outer, scope.exits = scope.env, scope.exits, []
        lost = _assigned(node)
        scope.env = {k: None if k.partition(".")[0] in lost else v for k, v in start.items()}
        scope.env |= dict.fromkeys(lost)
        ends = [start] if self.block(node.body, scope) else [start, scope.env]
        scope.env, scope.exits = _merge(ends + scope.exits), outer
        self.block(node.orelse, scope)

    def define(self, node: ast.ClassDef, scope: _Scope) -> None:
        kind = _Class(node, scope, [self.value(base, scope) for base in node.bases])
        body = _Scope(scope.module, scope, node, kind)
        self.block(node.body, body)
        for name, value in body.env.items():  # a method does not see the names of its class
            method = _kind(value) == "function" and value.scope is body
            kind.env[name] = replace(value, scope=scope) if method else value
        scope.env[node.name] = kind

    def assign(self, target: Any, value: Any, scope: _Scope) -> None:
        if isinstance(target, (ast.Tuple, ast.List)):
            exact = not any(isinstance(item, ast.Starred) for item in target.elts)
            for index, item in enumerate(target.elts):
                each = value if _kind(value) == "tensor" else None  # a, b = softmax(z).chunk(2)
                each = value.get(index) if _kind(value) == "items" and exact else each
                self.assign(item, each, scope)
        elif isinstance(target, ast.Starred):
            self.assign(target.value, None, scope)
        elif isinstance(target, ast.Subscript):
            inside = self.value(target.value, scope)
            owner = getattr(target.value, "value", None)  # of model.classifier[6] = ...
            zoo = owner is not None and _kind(self.value(owner, scope)) == "zoo"
            if _path(target.value) and (zoo or _kind(inside) in ("items", "sequence", "object")):
                self.assign(target.value, value if zoo else None, scope)
        elif path := _path(target):
            for name in [name for name in scope.env if name.startswith(path + ".")]:
                del scope.env[name]
            before = scope.env.get(path, value)
            if scope is scope.module and before != value and _kind(before) != "zoo":
                scope.module.rebound.add(path)
            scope.env[path] = value
            if isinstance(target, ast.Attribute):
                inside = self.value(target.value, scope)
                if _kind(inside) == "zoo" and target.attr in ("fc", "classifier", "head", "heads"):
                    self.assign(target.value, _Known("zoo", value), scope)
                elif _kind(inside) == "object" and target.attr in inside.attributes:
                    if inside is not scope.env.get("self"):  # rebuilt from outside
                        self.assign(target.value, None, scope)

    # Expressions

    def value(self, node: Any, scope: _Scope) -> Any:
        """What is known of an expression; each is followed once."""
        match node:
            case None:
                return None
            case ast.Name(id=name):
                return self.name(name, scope)
            case ast.Attribute():
                return self.attribute(node, scope)[1]
            case ast.Constant():
                return _Known("const", node.value)
            case ast.Call():
                return self.invoke(node, scope)
            case ast.Subscript():
                base, key = self.value(node.value, scope), self.value(node.slice, scope)
                if _kind(base) == "items":
                    return base.get(key.what) if _kind(key) == "const" else None
                return base if _kind(base) == "tensor" else None
            case ast.Tuple(elts=items) | ast.List(elts=items):
                values = [self.value(item, scope) for item in items]
                if len(values) < 100 and not any(isinstance(item, ast.Starred) for item in items):
                    return _Known("items", tuple(enumerate(values)))
                return _Known("items", (("last", _end(items[-1], values[-1])),))
            case ast.Dict():
                keys = [self.value(key, scope) for key in node.keys]
                values = [self.value(value, scope) for value in node.values]
                if len(keys) < 100 and all(_kind(key) == "const" for key in keys):
                    pairs = zip(keys, values, strict=True)
                    return _Known("items", tuple((key.what, value) for key, value in pairs))
                return None
            case ast.BinOp():
                return _plus(self.value(node.left, scope), self.value(node.right, scope))
            case ast.UnaryOp(op=op):
                value = self.value(node.operand, scope)
                if _kind(value) != "const":
                    return None
                if isinstance(op, ast.USub) and isinstance(value.what, int):
                    return _Known("const", -value.what)
                return _Known("const", not value.what) if isinstance(op, ast.Not) else None
            case ast.BoolOp():
                values = [self.value(item, scope) for item in node.values]
                decisive = isinstance(node.op, ast.Or)
                while len(values) > 1 and _kind(values[0]) == "const":
                    if bool(values[0].what) is decisive:
                        return values[0]
                    del values[0]
                return functools.reduce(_join, values)
            case ast.Compare():
                left, *right = [self.value(item, scope) for item in (node.left, *node.comparators)]
                same = isinstance(node.ops[0], (ast.Eq, ast.Is))
                differ = isinstance(node.ops[0], (ast.NotEq, ast.IsNot))
                if len(right) > 1 or left is None or _kind(right[0]) != "const":
                    return None
                if not (same or differ) or (_kind(left) != "const" and right[0].what is not None):
                    return None
                return _Known(
                    "const", (_kind(left) == "const" and left.what == right[0].what) is same
                )
            case ast.IfExp():
                test = self.value(node.test, scope)
                if _kind(test) == "const":
                    return self.value(node.body if test.what else node.orelse, scope)
                return _join(self.value(node.body, scope), self.value(node.orelse, scope))
            case ast.Lambda():
                return _Function(node, scope, scope.owner)
            case ast.NamedExpr():
                value = self.value(node.value, scope)
                self.assign(node.target, value, scope)
                return value
            case ast.Await() | ast.Starred():
                return self.value(node.value, scope)
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                scope = _Scope(scope.module, scope, scope.home, scope.owner)
                for part in node.generators:
                    self.value(part.iter, scope)
                    self.assign(part.target, None, scope)
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self.value(child, scope)
        return None

    def name(self, name: str, scope: _Scope) -> Any:
        if (owner := scope.find(name)) is not None:
            return self.lookup(name, owner)
        if name == "__name__":
            return _Known("const", "__main__")
        if (owner := scope.find("*")) is not None and owner.env["*"]:
            return _Known("outside", f"{owner.env['*'].what}.{name}")
        usual = {"torch": "torch", "nn": "torch.nn", "F": "torch.nn.functional"}
        return _Known("outside", usual[name]) if name in usual else None

    def attribute(self, node: ast.Attribute, scope: _Scope) -> tuple[Any, Any]:
        """What is known of `a` and of `a.b`."""
        path, name, base = _path(node), node.attr, self.value(node.value, scope)
        kind, value = _kind(base), None
        if path and (owner := scope.find(path)) is not None:
            return base, self.lookup(path, owner)
        if kind == "outside":
            value = self.imported(base.what, name, 0, scope.module)
        elif kind == "module" and name in base.env:
            value = self.lookup(name, base)
        elif kind == "module":
            value = self.resolve(name, 1, base)
        elif kind == "class":
            value = base.find(name)
        elif kind == "object":
            value = base.of.find(name)
            if value is None and name not in base.attributes:
                base.attributes[name] = None  # in case a method below asks for it
                setters = [replace(method, bound=base) for method in base.of.setters.get(name, [])]
                ends = [self.run(method, [], {}, {}, True)[1].get(name) for method in setters]
                built = functools.reduce(_join, ends) if ends else None
                base.attributes[name] = None if _kind(built) == "const" else built
            value = base.attributes.get(name, value)
            if _kind(value) == "function" and value.bound is None:
                value = replace(value, bound=base)
        elif kind == "super":
            for parent in base.what[0].bases:
                if _kind(parent) == "outside":
                    value = value or _Known("outside", f"{parent.what}.{name}")
                elif _kind(parent) == "class":
                    value = value or parent.find(name)
            if _kind(value) == "function":
                value = replace(value, bound=base.what[1])
        if value is None and name in ("data", "T", "mT", "module", "forward"):
            value = base
        return base, value

    # Calls

    def invoke(self, node: ast.Call, scope: _Scope) -> Any:
        base = None
        if isinstance(node.func, ast.Attribute):
            base, called = self.attribute(node.func, scope)
        else:
            called = self.value(node.func, scope)
        args = [self.value(item, scope) for item in node.args]
        kwargs = {item.arg: self.value(item.value, scope) for item in node.keywords}
        if called is None and _path(node.func) == "super" and scope.owner is not None:
            me = next(iter(scope.env.values()), None)
            return _Known("super", (scope.owner, me))
        if _kind(called) in ("", "outside"):
            for value in (*args, *kwargs.values()):  # somebody may call it back
                if _kind(value) == "function":
                    self.call(value, [], {}, scope, True)
        if called is None:
            return self.method(base, node, args, kwargs, scope)
        return self.apply(called, node, args, kwargs, scope)

    def apply(self, called: Any, node: ast.Call, args: list, kwargs: dict, scope: _Scope) -> Any:
        """What calling `called` gives."""
        kind = _kind(called)
        if args and _path(node.func).rpartition(".")[2] == "guard":
            return args[0]
        if kind == "outside":
            return self.outside(called.what, node, args, kwargs, scope)
        stars = [index for index, item in enumerate(node.args) if isinstance(item, ast.Starred)]
        args = args[: stars[0]] if stars else args
        vague = bool(stars) or None in kwargs  # there may be more arguments than we know of
        first = args[0] if args else kwargs.get("input")
        if kind == "loss":
            self.check(*called.what, first, node, scope)
        elif kind == "layer":
            return first if called.what == "same" else replace(called, kind="tensor")
        elif kind in ("zoo", "sequence") and called.what is not None:
            return self.apply(called.what, node, args, kwargs, scope)
        elif kind == "class":
            return self.make(called, args, kwargs, vague)
        elif kind == "function":
            return self.call(called, args, kwargs, scope, vague)
        elif kind == "object":
            forward = called.of.find("forward") or called.of.find("__call__")
            if _kind(forward) == "function":
                return self.call(replace(forward, bound=called), args, kwargs, scope, vague)
            if called.of.root() in _LOSS_CLASSES:
                self.check(_LOSS_CLASSES[called.of.root()], "mean", first, node, scope)
            if end := called.attributes.get("<end>"):
                return self.apply(end, node, args, kwargs, scope)
        return None

    def method(self, base: Any, node: ast.Call, args: list, kwargs: dict, scope: _Scope) -> Any:
        """What a method gives that the tree does not define."""
        name, kind = getattr(node.func, "attr", ""), _kind(base)
        if name in _SAME and kind in ("tensor", "layer", "sequence", "object", "loss", "zoo"):
            return base
        if name == "log" and kind == "tensor":
            return replace(base, what="log(softmax)") if base.what == "softmax" else None
        if name in ("softmax", "log_softmax", "sigmoid") and kind in ("", "tensor"):
            if all(_kind(value) == "const" for value in args):  # z.softmax(1), not f.softmax(z)
                return _Known("tensor", name, scope.module.where(node), scope.home)
        elif name == "add_module" and kind == "object" and _kind(args[0]) == "const":
            scope.env[f"{_path(node.func.value)}.{args[0].what}"] = args[-1]
        elif name in ("append", "add_module") and kind == "sequence":
            self.assign(node.func.value, self.sequence(base.what, args[-1:]), scope)
        elif name == "append" and len(args) == 1:
            self.assign(node.func.value, _plus(base, _Known("items", ((0, args[0]),))), scope)
        elif name == "prepare":  # of accelerate
            return _Known("items", tuple(enumerate(args)))
        return None

    def outside(self, full: str, node: ast.Call, args: list, kwargs: dict, scope: _Scope) -> Any:
        """What something gives that is not of this tree."""
        home, _, name = re.sub(r"\.modules\.\w+", "", full).rpartition(".")
        first = args[0] if args else kwargs.get("input")
        ends = [_end(item, value) for item, value in zip(node.args, args, strict=False)]
        reduction = getattr(kwargs.get("reduction"), "what", "mean")
        at = (scope.module.where(node), scope.home)
        if home == "torch.nn" and name in _LOSS_CLASSES:
            return _Known("loss", (_LOSS_CLASSES[name], reduction))
        if home == "torch.nn" and name in _LAYERS:
            return _Known("layer", _LAYERS[name], *at)
        if home == "torch.nn" and name == "Sequential":
            return self.sequence(_Known("layer", "same"), ends)
        if home.endswith("nn.Sequential") and name == "__init__":
            scope.env[next(iter(scope.env)) + ".<end>"] = self.sequence(None, ends)
        elif home.rpartition(".")[2] in _LOSS_CLASSES and name == "forward":
            self.check(_LOSS_CLASSES[home.rpartition(".")[2]], "mean", first, node, scope)
        elif home in _FUNCTION_HOMES and name in _LOSSES:
            self.check(name, reduction, first, node, scope)
        elif home in _FUNCTION_HOMES and name in _OPS:
            return _Known("tensor", _OPS[name], *at)
        elif full == "torch.log" and _kind(first) == "tensor":
            return replace(first, what="log(softmax)") if first.what == "softmax" else None
        elif full in ("torch.cat", "torch.concat", "torch.stack") and _kind(first) == "items":
            return functools.reduce(_join, [value for _, value in first.what] or [None])
        elif full == "functools.partial" and _kind(first) == "outside":
            inner = first.what.rpartition(".")[2]
            return _Known("loss", (inner, reduction)) if inner in _LOSSES else None
        elif home.startswith("torchvision.models") or full in (
            "timm.create_model",
            "torch.hub.load",
        ):
            return _Known("zoo", None)
        elif name == "OrderedDict" or (
            name in _SAME and _kind(first) not in ("", "const", "items")
        ):
            return first
        return None

    def sequence(self, end: Any, added: list) -> _Known:
        """An nn.Sequential is what its last module is, not counting Dropout, Flatten and so on."""
        for value in added:
            for _ in range(2):  # OrderedDict([..., ("name", module)])
                value = value.get(-1) if _kind(value) == "items" else value
            value = value.what if _kind(value) == "sequence" else value
            if _kind(value) != "layer" or value.what != "same":
                end = value
        return _Known("sequence", end)

    def make(self, kind: _Class, args: list, kwargs: dict, unknown: bool) -> _Object:
        """An instance: what `__init__` sets, and what other methods add."""
        key = (kind, tuple(args), frozenset(kwargs.items()), unknown)
        if key in self.memo:
            return self.memo[key]
        thing = _Object(kind)
        if _kind(init := kind.find("__init__")) == "function":
            thing.attributes = self.run(replace(init, bound=thing), args, kwargs, {}, unknown)[1]
        for name, value in list(thing.attributes.items()):
            if f"self.{name}" in _assigned(init.node) and name in kind.setters:
                if value == _Known("const", None):
                    del thing.attributes[name]  # another method builds it: see attribute()
                else:
                    thing.attributes[name] = None  # another method may change it
        if kind.scope.module.done:
            self.memo[key] = thing
        return thing

    def call(
        self, function: _Function, args: list, kwargs: dict, caller: _Scope, unknown: bool
    ) -> Any:
        """Follow a call; a method called on self also changes what the caller knows of self."""
        me = [n for n, value in caller.env.items() if value is function.bound is not None][:1]
        prefix = f"{me[0]}." if me else "."
        state = {k.removeprefix(prefix): v for k, v in caller.env.items() if k.startswith(prefix)}
        result, state = self.run(function, args, kwargs, state, unknown)
        if me:
            caller.env |= {prefix + name: value for name, value in state.items()}
        return result

    def run(
        self, function: _Function, args: list, kwargs: dict, state: dict[str, Any], unknown: bool
    ) -> tuple[Any, dict[str, Any]]:
        """(returned value, attributes of self); `unknown`: what is not given may be given."""
        node, module, spec = function.node, function.scope.module, function.node.args
        parts = (tuple(args), frozenset(kwargs.items()), frozenset(state.items()))
        key = (function, *parts, unknown)
        if key in self.memo:
            return self.memo[key]
        if node in self.stack or len(self.stack) >= 8 or self.calls >= 1000:
            return None, state
        self.calls += 1
        scope = _Scope(module, function.scope, node, function.owner)
        names = [item.arg for item in (*spec.posonlyargs, *spec.args)]
        more = [item for item in (*spec.kwonlyargs, spec.vararg, spec.kwarg) if item is not None]
        scope.env = dict.fromkeys(names + [item.arg for item in more])
        if not unknown:
            known = list(zip(names[::-1], spec.defaults[::-1], strict=False))
            known += [(a.arg, d) for a, d in zip(spec.kwonlyargs, spec.kw_defaults, strict=True)]
            scope.env |= {name: self.value(value, function.scope) for name, value in known}
        decorators = [_path(item) for item in getattr(node, "decorator_list", [])]
        if "classmethod" in decorators:
            args = [None, *args]
        elif function.bound is not None and "staticmethod" not in decorators:
            args = [function.bound, *args]
        scope.env |= dict(zip(names, args, strict=False))
        scope.env |= {name: value for name, value in kwargs.items() if name in scope.env}
        prefix = f"{names[0]}." if names else "."
        scope.env |= {prefix + name: value for name, value in state.items()}
        self.stack.append(node)
        try:
            if isinstance(node, ast.Lambda):
                scope.returns.append(self.value(node.body, scope))
            else:
                self.block(node.body, scope)
        finally:
            self.stack.pop()
        result = functools.reduce(_join, scope.returns) if scope.returns else None
        state = {k.removeprefix(prefix): v for k, v in scope.env.items() if k.startswith(prefix)}
        if module.done and function.scope is module:
            self.memo[key] = result, state
        return result, state

    def check(self, loss: str, reduction: Any, x: Any, node: ast.Call, scope: _Scope) -> None:
        """`x` reaches a loss: is it what the loss expects?"""
        finding = _rule(loss, x.what, reduction) if _kind(x) == "tensor" else None
        lines = scope.module.lines[node.lineno - 1 : node.end_lineno]
        if finding is None or any("torch-heads: ignore" in line for line in lines):
            return
        where = scope.module.where(node)
        certain, at = x.home is scope.home, x.at.removeprefix(f"{scope.module.name}:")
        if certain or (where, finding.code) not in self.found:
            self.found[where, finding.code] = replace(
                finding,
                where=where,
                evidence=(f"{x.what} at {'line ' * at.isdecimal()}{at}",),
                confidence="certain" if certain else "likely",
            )


# ---------------------------------------------------------------------------------------------
# The command: files in, lines out

_LOSS_WORDS = re.compile(
    rb"cross_entropy|CrossEntropyLoss|nll_loss|NLLLoss|BCELoss|BCEWithLogits|\.backward\("
)
_WORDS = re.compile(rb"oftmax|igmoid|riterion|[Ll]oss|nn\.Module|nn\.Linear|Sequential")
_MAGIC = re.compile(r"^(\s*)(?:[%!?].*|.*\?)$|^(\s*\w[\w, ]*=) *[%!].*$")


def _parse(module: _Module, skipped: dict[str, str]) -> list[ast.stmt]:
    """The statements of a Python file, or of all code cells of a notebook."""
    raw = Path(module.path).read_bytes()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if not module.path.endswith(".ipynb"):
            module.lines = raw.decode("utf-8", "replace").split("\n")
            return ast.parse(raw).body
        body: list[ast.stmt] = []
        for number, source in _cells(raw):
            try:
                tree = ast.parse(source)
            except SyntaxError:
                try:
                    plain = [_MAGIC.sub(_without_magic, line) for line in source.split("\n")]
                    tree = ast.parse("\n".join(plain))
                except SyntaxError as error:
                    skipped[f"{module.name}:cell {number}"] = f"SyntaxError: {error}"
                    continue
            module.cells.append((len(module.lines), number))
            body += ast.increment_lineno(tree, len(module.lines)).body
            module.lines += source.split("\n")
        return body


def _cells(raw: bytes) -> list[tuple[int, str]]:
    """(number, counted from 1 over all cells; source) of the code cells of a notebook."""
    try:
        cells = enumerate(json.loads(raw)["cells"], 1)
        code = [(n, "".join(cell["source"])) for n, cell in cells if cell["cell_type"] == "code"]
    except (KeyError, TypeError) as error:
        raise ValueError(f"not a notebook of format 4 ({error!r})") from error
    return [(n, source) for n, source in code if not re.match(r"%%(?!time|capture)", source)]


def _without_magic(match: re.Match[str]) -> str:
    return f"{match[1]}pass" if match[2] is None else f"{match[2]} None"


def scan(paths: list[str]) -> tuple[list[Finding], dict[str, str], int]:
    """(findings, why each skipped file was skipped, number of files) of files and folders."""
    files: dict[str, str] = {}
    for start in paths:
        if os.path.isfile(start):
            files[os.path.abspath(start)] = start
        for folder, folders, names in os.walk(start):
            folders[:] = sorted(f for f in folders if f[0] != "." and f not in _FOREIGN)
            for path in [os.path.join(folder, name) for name in sorted(names)]:
                if path.endswith((".py", ".ipynb")):
                    files[os.path.abspath(path)] = path
    skipped, relevant, entries = {}, set(), []
    for path, name in files.items():
        try:
            text = Path(path).read_bytes()
        except OSError as error:
            skipped[name] = str(error)
            continue
        if len(text) < 4000 or _WORDS.search(text):
            relevant.add(path)
        if _LOSS_WORDS.search(text):
            entries.append(path)
    reader, limit = _Reader(files, relevant), sys.getrecursionlimit()
    reader.skipped = skipped
    sys.setrecursionlimit(max(limit, 5000))
    collecting = gc.isenabled()
    gc.disable()  # syntax trees are many small objects that all stay
    try:
        for path in entries:
            reader.entry(path)
    finally:
        sys.setrecursionlimit(limit)
        _assigned.cache_clear()
        if collecting:
            gc.enable()
    parts = functools.partial(re.split, r"(\d+)")
    findings = sorted(
        reader.found.values(),
        key=lambda f: [int(part) if part.isdecimal() else part for part in parts(f.where)],
    )
    return findings, reader.skipped, len(files)


_FOREIGN = {"__pycache__", "node_modules", "site-packages"}


def main(arguments: list[str] | None = None) -> int:
    """The command: prints a line per finding; 0 if there is none, 1 if there is one."""
    parser = argparse.ArgumentParser("torch_heads", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("paths", nargs="+", metavar="PATH", help="Python file, notebook or folder")
    parser.add_argument("--notes", action="store_true", help="print what is harmless, too")
    options = parser.parse_args(arguments)
    for path in options.paths:
        if not os.path.exists(path):
            parser.error(f"no such file or folder: {path}")
    findings, skipped, count = scan(options.paths)
    errors = [finding for finding in findings if finding.severity == "error"]
    for f in findings if options.notes else errors:
        print(f"{f.where}: {f.what} ({f.confidence}; {f.evidence[0]}): {f.fix}")
    for name, reason in skipped.items():
        print(f"{name}: skipped: {reason}", file=sys.stderr)
    print(f"{len(errors)} found, {count} files, {len(skipped)} skipped", file=sys.stderr)
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
