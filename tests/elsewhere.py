"""A device that is not there: its tensors say that they are elsewhere, and live on the CPU.

Code that mixes devices runs where there is only one. Inside `pretended()`, tensors on ELSEWHERE
hold numbers as others do, and what PyTorch refuses for a graphics card is refused for them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter, tree_map_only

# A device that PyTorch always knows, and that nothing in the book uses.
ELSEWHERE = torch.device("meta")

aten = torch.ops.aten
COPIES = {aten.copy_, aten._to_copy}
# Index tensors may also be on the CPU.
INDEXING = {aten.index, aten.index_put, aten.index_put_, aten._index_put_impl_}
# A single number on the CPU may take part in an operation, but not in these.
STRICT = {aten.addmm, aten.cat, aten.mm, aten.stack}


class Pretended(Tensor):
    """A tensor that is elsewhere. Its numbers are in `inner`."""

    inner: Tensor
    __torch_function__ = torch._C._disabled_torch_function_impl

    @staticmethod
    def __new__(cls, inner: Tensor) -> Pretended:
        with torch.inference_mode(False):  # a view of an ordinary tensor must be an ordinary one
            made = Tensor._make_wrapper_subclass(
                cls,
                inner.size(),
                strides=inner.stride(),
                storage_offset=inner.storage_offset(),
                dtype=inner.dtype,
                device=ELSEWHERE,
            )
        made.inner = inner
        return made

    @classmethod
    def __torch_dispatch__(cls, function, types, args=(), kwargs=None):
        return perform(function, args, kwargs or {})

    def tolist(self) -> Any:
        return self.inner.tolist()

    def __format__(self, spec: str) -> str:
        return format(self.inner, spec)

    def __repr__(self, **_: object) -> str:
        return f"elsewhere: {self.inner!r}"

    def numpy(self, **_: object) -> Any:
        raise TypeError("a tensor that is elsewhere has no array: use Tensor.cpu() first")

    def __array__(self, *_: object, **__: object) -> Any:
        return self.numpy()


class Perform(TorchDispatchMode):
    """Operations make tensors where they are asked to."""

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        return perform(function, args, kwargs or {})


class Create(TorchFunctionMode):
    """So does `torch.tensor`, which is no operation."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if function in (torch.tensor, torch.as_tensor) and kwargs.get("device") == ELSEWHERE:
            return function(*args, **kwargs | {"device": "cpu"}).to(ELSEWHERE)
        return function(*args, **kwargs)


@contextmanager
def pretended() -> Iterator[torch.device]:
    """The device, which is there as long as the block runs."""
    with Perform(), Create():
        yield ELSEWHERE


def perform(function: Any, args: tuple, kwargs: dict[str, Any]) -> Any:
    """Perform an operation on the CPU. The result is where it would be; RuntimeError if nowhere."""
    kind = function.overloadpacket
    given = [each for each in tree_iter((args, kwargs)) if isinstance(each, Tensor)]
    there = [isinstance(each, Pretended) for each in given]
    result_there = any(there)
    if kind in COPIES:
        result_there = there[0]
    elif kind in INDEXING and there[0]:
        pass
    elif result_there and any(
        not is_there and (each.ndim > 0 or kind in STRICT)
        for each, is_there in zip(given, there, strict=True)
    ):
        raise RuntimeError(f"{function}: expected all tensors on one device, got two")

    if kwargs.get("device") is not None:
        result_there = kwargs["device"] == ELSEWHERE
        kwargs = kwargs | {"device": torch.device("cpu")}
    drawn = any(isinstance(each, torch.Generator) for each in tree_iter((args, kwargs)))
    if drawn and result_there:
        raise RuntimeError(f"{function}: expected a generator elsewhere, got one on the CPU")

    inner_args, inner_kwargs = tree_map_only(Pretended, lambda each: each.inner, (args, kwargs))
    result = function(*inner_args, **inner_kwargs)
    if not function._schema.is_mutable:
        return tree_map_only(Tensor, Pretended, result) if result_there else result
    # What has been written to is what is returned.
    names = [each.name for each in function._schema.arguments]
    values = dict(zip(names, args, strict=False)) | kwargs
    written = [
        values[each.name]
        for each in function._schema.arguments
        if each.alias_info is not None and each.alias_info.is_write
    ]
    return None if result is None else written[0] if len(written) == 1 else tuple(written)
