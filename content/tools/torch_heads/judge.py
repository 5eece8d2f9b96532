"""One call of a loss: what reaches it, told by the graph or, where there is none, by values."""

from __future__ import annotations

import contextlib
import inspect
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from .rules import CLASS_LOSSES, LOSSES, Finding, form, rule

# Names of grad_fn, without "Backward" and the number.
_GRAPH_OPS = {"Softmax": "softmax", "LogSoftmax": "log_softmax", "Sigmoid": "sigmoid"}
_GRAPH_OPS |= {"Relu": "relu", **dict.fromkeys(["Addmm", "Convolution"], "linear")}
_SEEN_THROUGH = frozenset(
    "View UnsafeView ReshapeAlias Alias T Transpose Permute Slice Select Index IndexSelect "
    "MaskedSelect Squeeze Unsqueeze ToCopy Clone Expand Repeat Unbind Split SplitWithSizes "
    "Diagonal Unfold NativeDropout Cat Stack Gather".split()
)


def graph_op(node: Any) -> tuple[str | None, Any]:
    """(operation whose result this is, its node), seen through what only moves numbers."""
    name = re.sub(r"Backward\d*$", "", type(node).__name__)
    if name in _GRAPH_OPS:
        return _GRAPH_OPS[name], node
    parents = [parent for parent, _ in getattr(node, "next_functions", ()) if parent is not None]
    if name in ("Mm", "Bmm"):  # scores, unless probabilities are mixed
        ops = [graph_op(parent)[0] for parent in parents]
        return (None if not parents or {"softmax", "sigmoid"} & {*ops} else "linear"), node
    if parents and (name in _SEEN_THROUGH or name in ("Log", "Clamp", "Mul")):
        op, origin = graph_op(parents[0])
        if name == "Log":
            op = "log(softmax)" if op == "softmax" else None
        elif name == "Clamp":
            op = op if op in ("softmax", "sigmoid") else None  # clamped scores are something else
        elif name == "Mul":
            op = op if _is_dropout(node) else None
        elif any(graph_op(parent)[0] != op for parent in parents[1:]):
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


def _sum(x: torch.Tensor, dim: int) -> torch.Tensor:
    """In float64, without a copy of x."""
    return x.sum(dim, dtype=torch.float64)


def _is_one(total: torch.Tensor, atol: float = 1e-3) -> bool:
    return torch.allclose(total, torch.ones_like(total), atol=atol)


def _values_op(loss: str, x: torch.Tensor, dim: int) -> tuple[str | None, str, str]:
    """(operation that the numbers look like, what was seen, how sure that is)."""
    low, high = float(x.min()), float(x.max())
    if loss in CLASS_LOSSES and low >= 0 and _is_one(_sum(x, dim)):
        return "softmax", "values: rows are not negative and sum to one", "looks like"
    if loss == "nll_loss" and 0 <= low and 1e-3 < high <= 1:
        return "sigmoid", "values: all lie between 0 and 1", "looks like"
    if loss == "nll_loss" and high > 1e-3:
        return "linear", "values: some are above 0, as no log-probability is", "certain"
    if loss == "binary_cross_entropy" and (low < 0 or high > 1):
        return "linear", "values: some lie outside 0 to 1", "certain"
    # The scores of an untrained network are small too; probabilities lie on both sides of 1/2.
    if loss == "binary_cross_entropy_with_logits" and 0 <= low < 0.5 < high <= 1:
        if x.numel() >= 32:
            return "sigmoid", "values: all lie between 0 and 1", "looks like"
    return None, "", ""


def check_call(
    loss: str, x: torch.Tensor, y: torch.Tensor | None, options: dict[str, Any]
) -> Iterator[Finding]:
    """Everything about one call of a loss: its input `x`, then its target `y`."""
    if x.dim() == 0:
        return
    op, node = graph_op(x.grad_fn)
    seen, confidence = seen_in(node), "certain"
    dim = min(x.dim() - 1, 1)
    classes = x.shape[dim] if loss in CLASS_LOSSES else 0
    if op in ("softmax", "log_softmax"):
        axis = node._saved_dim  # unsigned: -1 is 2**64 - 1
        if node._saved_result.shape[axis - 2**64 if axis >= 2**63 else axis] == 1:
            yield form("softmax-of-one", seen, op=op)
            return
    if classes == 1:
        yield form("one-class", "shapes", loss=LOSSES[loss], x=tuple(x.shape))
        return
    if x.numel() and (op is None or (loss, op) == ("binary_cross_entropy", "relu")):
        op, seen, confidence = _values_op(loss, x.detach(), dim)
    reduction = "none" if options.get("reduce") is False else options.get("reduction")
    finding = rule(loss, op, reduction, classes)
    if finding is not None:
        severity = "warning" if confidence == "looks like" else finding.severity
        yield replace(finding, severity=severity, evidence=(seen,), confidence=confidence)
    elif (loss, op) == ("nll_loss", "log_softmax"):
        p = x.detach().exp()
        sums = [_is_one(_sum(p, axis)) for axis in range(x.dim())]
        if any(sums) and not sums[dim]:
            yield form("wrong-dim", f"{seen}; values: the sums of their exp", dim=dim)
    if y is not None and y.numel():
        yield from _check_target(loss, x, y, options, dim)
    if classes and (epsilon := options.get("label_smoothing")):
        wanted = [1 - epsilon + epsilon / classes] + [epsilon / classes] * (classes - 1)
        floor = -sum(p * math.log(p) for p in wanted if p > 0)
        values = {"epsilon": epsilon, "floor": floor, "classes": classes}
        yield form("label-smoothing", "options", **values)


def _check_target(
    loss: str, x: torch.Tensor, y: torch.Tensor, options: dict[str, Any], dim: int
) -> Iterator[Finding]:
    """What PyTorch accepts in a target without a word. What it rejects it says itself."""
    values = _values(loss, x, y)
    if loss in CLASS_LOSSES and y.is_floating_point():
        as_probabilities = loss == "cross_entropy" and y.shape == x.shape
        total = _sum(y.detach(), dim) if as_probabilities else y
        if as_probabilities and (y.min() < 0 or not _is_one(total, 1e-2)):
            yield form("target-probabilities", "target")
    elif loss in CLASS_LOSSES:
        used = y[y != options.get("ignore_index", -100)]
        if used.numel() == 0 and options.get("reduction") == "mean":
            yield form("all-ignored", "target")
        elif used.numel() and not 0 <= used.min() <= used.max() < x.shape[dim]:
            values |= {"low": int(used.min()), "high": int(used.max())}
            yield form("target-range", "target", **values)
    elif loss.startswith("binary"):
        values |= {"low": float(y.min()), "high": float(y.max())}
        if values["low"] < -1e-3 or values["high"] > 1 + 1e-3:
            yield form("target-range", "target", **values)
    elif x.shape != y.shape and y.numel() > 1:
        with contextlib.suppress(RuntimeError):  # which PyTorch raises itself
            shape = torch.broadcast_shapes(x.shape, y.shape)
            finding = form("broadcast", "target", shape=tuple(shape), **values)
            meant = shape in (x.shape, y.shape)
            yield replace(finding, severity="warning") if meant else finding


def _values(loss: str, x: torch.Tensor, y: torch.Tensor) -> dict[str, Any]:
    """What the texts in FORMS say about a call: what the loss wants for `x`, and what it got."""
    shape, dim = tuple(x.shape), min(x.dim() - 1, 1)
    wants = f"floats{' from 0 to 1' * loss.startswith('binary')} of shape {shape}"
    if loss in CLASS_LOSSES:
        others = shape[:dim] + shape[dim + 1 :]
        probabilities = f", or probabilities of shape {shape}" * (loss == "cross_entropy")
        wants = f"class indices (int64, 0 to {shape[dim] - 1}) of shape {others}{probabilities}"
    return {
        "loss": LOSSES[loss],
        "x": shape,
        "y": tuple(y.shape),
        "dtype": y.dtype,
        "wants": wants,
    }


def seen_in(node: Any) -> str:
    return f"graph: {type(node).__name__}" if node is not None else "graph: there is none"


def watch(on_call: Callable[[str, torch.Tensor, torch.Tensor, dict[str, Any]], None]) -> Any:
    """A context in which every call of a known loss, however deep, is first shown to `on_call`."""
    functions = {getattr(nn.functional, name): name for name in LOSSES}

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
                error.head_finding = form("loss-raises", "target", **values)
                error.add_note(str(error.head_finding))
                raise

    return Watch()
