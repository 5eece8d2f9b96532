"""check_head and guard: what reaches a loss, by structure, graph and values."""

from __future__ import annotations

import contextlib
import functools
import inspect
import math
import random
import re
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from .rules import CLASS_LOSSES, LOSSES, Finding, HeadError, HeadWarning, Report, form, rule

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
    if loss in CLASS_LOSSES and low >= 0 and _is_one(x.sum(dim)):
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
    classes = x.shape[dim] if loss in CLASS_LOSSES else 0
    if op in ("softmax", "log_softmax"):
        axis = node._saved_dim  # unsigned: -1 is 2**64 - 1
        if node._saved_result.shape[axis - 2**64 if axis >= 2**63 else axis] == 1:
            yield form("softmax-of-one", seen, op=op)
            return
    if classes == 1:
        yield form("one-class", "shapes", loss=LOSSES[loss], x=tuple(x.shape))
        return
    numbers = x.detach().double()
    if x.numel() and (op is None or (loss, op) == ("binary_cross_entropy", "relu")):
        op, seen, confidence = _values_op(loss, numbers, dim)
    finding = rule(loss, op, options.get("reduction"), classes)
    if finding is not None:
        severity = "warning" if confidence == "looks like" else finding.severity
        yield replace(finding, severity=severity, evidence=(seen,), confidence=confidence)
    elif (loss, op) == ("nll_loss", "log_softmax"):
        sums = [_is_one(numbers.exp().sum(axis)) for axis in range(x.dim())]
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
        total = y.detach().double().sum(dim) if as_probabilities else y
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
    """What the texts in _FORMS say about a call: what the loss wants for `x`, and what it got."""
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


def _seen(node: Any) -> str:
    return f"graph: {type(node).__name__}" if node is not None else "graph: there is none"


def _known_loss(loss_fn: Any) -> tuple[str, dict[str, Any]] | None:
    """(name, options) of a loss that can be told without calling it."""
    options: dict[str, Any] = {"reduction": "mean"}
    while isinstance(loss_fn, functools.partial):
        options |= loss_fn.keywords
        loss_fn = loss_fn.func
    for name, class_name in LOSSES.items():
        kind = getattr(nn, class_name)
        if loss_fn is getattr(nn.functional, name):
            return name, options
        if isinstance(loss_fn, kind) and type(loss_fn).forward is kind.forward:
            return name, vars(loss_fn)
    return None


def _watch(on_call: Callable[[str, torch.Tensor, torch.Tensor, dict[str, Any]], None]) -> Any:
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
        finding = known and structure and rule(known[0], structure[0], known[1]["reduction"])
        if finding:
            return Report((replace(finding, evidence=(structure[1],)),), structure[1])
        return Report((), structure[1] if known and structure else "undecided: pass a sample_input")

    findings: list[Finding] = []
    seen: list[str] = []

    def look(loss: str, x: torch.Tensor, y: torch.Tensor | None, options: dict[str, Any]) -> None:
        op, node = _graph_op(x.grad_fn)
        seen.append(f"{LOSSES[loss]}; {_seen(node)}")
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
