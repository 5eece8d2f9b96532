"""check_head and guard: what reaches a loss, by structure, graph and values."""

from __future__ import annotations

import contextlib
import functools
import random
import threading
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from .judge import check_call, graph_op, seen_in, watch
from .rules import LOSSES, Finding, HeadError, HeadWarning, Report, rule


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
        op, node = graph_op(x.grad_fn)
        seen.append(f"{LOSSES[loss]}; {seen_in(node)}")
        for finding in check_call(loss, x, y, options):
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
                with watch(look):
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
    """Check the first call of a loss with a graph: `criterion = guard(nn.CrossEntropyLoss())`.

    Calls without one, as in a validation that comes first, are passed over. Returns the same
    module, with hooks that remove themselves after that call; or, for a function, a function that
    checks that call. A step in torch.compile cannot be looked into, which a warning says once.

    What is certainly wrong raises `HeadError` before the loss is computed (with `action="warn"` it
    is a `HeadWarning`); what is probably wrong is a `HeadWarning`; notes are not shown.

    Raises TypeError if `loss_fn` cannot be called, ValueError for another action.
    """
    _require_callable("loss_fn", loss_fn)
    if action not in ("raise", "warn"):
        raise ValueError(f"action has to be 'raise' or 'warn', got {action!r}")
    if not isinstance(loss_fn, nn.Module):
        return _Guarded(loss_fn, _Look(action))
    look = _Look(action)
    loss_fn.register_forward_pre_hook(look.before)
    loss_fn.register_forward_hook(look.after, always_call=True)
    return loss_fn


class _Look:
    """The one look of a guard. It waits for a call with a graph: validation has none."""

    def __init__(self, action: str) -> None:
        self.action, self.done, self.guessed = action, False, False
        self.entered: dict[int, list[Any]] = {}  # by thread

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"entered": {}}

    def before(self, loss_fn: Any, *_: Any) -> None:
        if torch.compiler.is_compiling():
            _cannot_look()
        elif self.done:
            self.remove(loss_fn)
        elif torch.is_grad_enabled():
            watching = watch(self.judge)
            self.entered.setdefault(threading.get_ident(), []).append(watching)
            watching.__enter__()

    def after(self, loss_fn: Any, args: Any, result: Any) -> None:
        if torch.compiler.is_compiling():
            return
        if watches := self.entered.get(threading.get_ident()):
            watches.pop().__exit__(None, None, None)
        # After an error PyTorch is still going through the hooks: others among them must stay.
        if self.done and (result is not None or len(loss_fn._forward_hooks) == 1):
            self.remove(loss_fn)

    def remove(self, loss_fn: Any) -> None:
        for hooks in (loss_fn._forward_hooks, loss_fn._forward_pre_hooks):
            for key in [key for key, hook in hooks.items() if _self(hook) is self]:
                del hooks[key]
                loss_fn._forward_hooks_always_called.pop(key, None)

    def judge(self, loss: str, x: torch.Tensor, y: torch.Tensor, options: dict[str, Any]) -> None:
        if self.done or self.guessed and not x.requires_grad:
            return
        self.done, self.guessed = x.requires_grad, True
        try:
            findings = list(check_call(loss, x, y, options))
        except Exception as error:  # an exotic tensor: no reason to stop somebody's training
            warnings.warn(f"guard could not look: {error!r}", HeadWarning, stacklevel=2)
            return
        for finding in findings:
            if finding.severity == "error" and self.action == "raise":
                self.done = True
                raise HeadError(str(finding))
            if finding.severity != "note":
                warnings.warn(str(finding), HeadWarning, stacklevel=2)


def _self(hook: Any) -> Any:
    return getattr(hook, "__self__", None)


@torch.compiler.assume_constant_result
def _cannot_look() -> bool:
    """Runs while a step is compiled: once for each."""
    text = (
        "guard cannot look into a step that is compiled: run one step of it without torch.compile"
    )
    warnings.warn(text, HeadWarning, stacklevel=2)
    return True


class _Guarded:
    """A function, and the look at its calls."""

    def __init__(self, function: Callable[..., Any], look: _Look) -> None:
        functools.update_wrapper(self, function)
        self.function, self.look = function, look

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if torch.compiler.is_compiling():
            _cannot_look()
        elif not self.look.done and torch.is_grad_enabled():
            with watch(self.look.judge):
                return self.function(*args, **kwargs)
        return self.function(*args, **kwargs)
