"""Choosing where tensors live."""

from __future__ import annotations

import os
import re

import torch

__all__ = ["choose_device"]


def choose_device(dtype: torch.dtype) -> torch.device:
    """Choose where tensors of this dtype live, and print the choice and the reason.

    CUDA first, then MPS unless the dtype is float64 (which MPS lacks), then the CPU. The
    environment variable ``BOOK_DEVICE`` (``cpu``, ``cuda``, ``cuda:1``, ``mps``) overrides this.

    Raises:
        ValueError: ``BOOK_DEVICE`` names no device, one that is absent, or one without this dtype.
    """
    present = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    wanted = os.environ.get("BOOK_DEVICE", "")
    if wanted:
        kind, _, index = wanted.partition(":")
        count = torch.cuda.device_count() if kind == "cuda" else 1
        if kind not in present or not re.fullmatch("[a-z]+(:(0|[1-9][0-9]*))?", wanted):
            raise ValueError(f"BOOK_DEVICE must be one of {', '.join(present)}, got {wanted!r}")
        if not present[kind] or int(index or 0) >= count:
            raise ValueError(f"BOOK_DEVICE asks for {wanted!r}, which this machine does not have")
        if kind == "mps" and dtype == torch.float64:
            raise ValueError("BOOK_DEVICE asks for 'mps', which has no float64: use float32 or cpu")
        device, reason = torch.device(wanted), "BOOK_DEVICE asks for it"
    elif present["cuda"]:
        device, reason = torch.device("cuda"), "an NVIDIA GPU is present"
    elif present["mps"] and dtype != torch.float64:
        device, reason = torch.device("mps"), "an Apple GPU is present"
    elif present["mps"]:
        device, reason = torch.device("cpu"), "the Apple GPU has no float64"
    else:
        device, reason = torch.device("cpu"), "no GPU is present"
    print(f"device: {device} ({reason}), dtype: {dtype}")
    return device
