"""Does the end of a network fit its loss? A check, a guard and a command that find it out.

The mistake this was written for: a softmax in front of ``torch.nn.CrossEntropyLoss``, which
contains one. Nothing fails, the loss falls, and the network stops learning too early. Known too
are its relatives: sigmoid, log-probabilities, NLLLoss, broadcasting, targets.

- ``check_head(model, loss_fn, sample_input, target)`` looks once and returns a `Report`.
- ``criterion = guard(nn.CrossEntropyLoss())`` looks at the first batch, then removes itself.
- ``torch-heads PATH...`` reads files and never runs them (see ``scan``).
"""

from typing import TYPE_CHECKING, Any

from .rules import Finding, HeadError, HeadWarning, Report

if TYPE_CHECKING:
    from .runtime import check_head, guard

__all__ = ["Finding", "HeadError", "HeadWarning", "Report", "check_head", "guard"]


def __getattr__(name: str) -> Any:
    """check_head and guard, which need torch; the command only reads text and starts without it."""
    if name not in ("check_head", "guard"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import runtime

    return getattr(runtime, name)
