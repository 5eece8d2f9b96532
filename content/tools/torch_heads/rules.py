"""What does not fit what: one table for check_head, guard and the command."""

from __future__ import annotations

import math
import textwrap
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong ("error"), probably wrong ("warning") or harmless ("note")."""

    code: str
    severity: str
    what: str
    why: str
    fix: str
    evidence: tuple[Any, ...] = ()
    confidence: str = "certain"  # or "likely" (command), or "looks like" (values)
    where: Any = ""

    def __str__(self) -> str:
        text = f"{self.severity} ({self.confidence}): {self.what}. {self.why} "
        text += f"Write instead: {self.fix}."
        text += f" Evidence: {'; '.join(self.evidence)}." if self.evidence else ""
        return textwrap.fill(text, 96, break_long_words=False, break_on_hyphens=False)


LOSSES = {
    "cross_entropy": "CrossEntropyLoss",
    "nll_loss": "NLLLoss",
    "binary_cross_entropy": "BCELoss",
    "binary_cross_entropy_with_logits": "BCEWithLogitsLoss",
    "mse_loss": "MSELoss",
    "l1_loss": "L1Loss",
    "smooth_l1_loss": "SmoothL1Loss",
    "huber_loss": "HuberLoss",
    "kl_div": "KLDivLoss",
}
CLASS_LOSSES = ("cross_entropy", "nll_loss")
EXPECTS = {
    "cross_entropy": "expects logits and applies log-softmax itself",
    "nll_loss": "expects log-probabilities and takes no logarithm",
    "binary_cross_entropy": "expects probabilities",
    "binary_cross_entropy_with_logits": "expects logits and applies the sigmoid itself",
    "kl_div": "expects log-probabilities and takes no logarithm of its input",
    "written out": "expects log-probabilities of logits",
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
RULES = {
    (loss, op): Finding(
        code,
        severity,
        f"{'logits go' if op == 'linear' else op + ' goes'} into "
        f"{LOSSES.get(loss, 'a cross-entropy')}, which "
        f"{EXPECTS[loss]}",
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
        ("nll_loss", "log_softmax(softmax)", "error", "double-softmax", _BOUNDED,
         "log_softmax of the logits, and softmax only to predict"),
        ("cross_entropy", "log_softmax(softmax)", "error", "double-softmax", _BOUNDED,
         "return logits, and apply softmax only to predict"),
        ("kl_div", "log_softmax(softmax)", "error", "double-softmax", _BOUNDED,
         "log_softmax of the logits, and softmax only to predict"),
        ("written out", "log_softmax(softmax)", "error", "double-softmax", _BOUNDED,
         "return logits, and apply softmax only to predict"),
        ("kl_div", "softmax", "error", "kl-probabilities",
         "The loss is y log y - y p: minus the mean of p, not of log p, with almost no gradient "
         "where it matters.", "log_softmax instead of softmax"),
        ("kl_div", "sigmoid", "error", "kl-probabilities",
         "The loss is y log y - y p: minus the mean of p, not of log p, with almost no gradient "
         "where it matters.", "log-probabilities: logsigmoid or log_softmax"),
        ("binary_cross_entropy", "sigmoid(sigmoid)", "error", "double-sigmoid", _BOUNDED_BINARY,
         "one sigmoid with BCELoss, or logits with BCEWithLogitsLoss"),
        ("binary_cross_entropy_with_logits", "sigmoid(sigmoid)", "error", "double-sigmoid",
         _BOUNDED_BINARY, "return logits, and apply sigmoid only to predict"),
        ("cross_entropy", "sigmoid(sigmoid)", "error", "sigmoid-cross-entropy", _BOUNDED,
         "return logits; if a sample can have several labels, with BCEWithLogitsLoss"),
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


FORMS = {
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


def form(code: str, evidence: str, **values: Any) -> Finding:
    """A finding of FORMS, with its blanks filled in."""
    severity, *texts = FORMS[code]
    return Finding(code, severity, *(text.format(**values) for text in texts), (evidence,))


def rule(loss: str, op: str | None, reduction: Any, classes: int = 0) -> Finding | None:
    """What is wrong with `op` in front of `loss`."""
    if loss == "nll_loss" and reduction not in ("mean", "sum"):
        return None  # used to pick values, as focal losses do; or nobody knows
    finding = RULES.get((loss, op))
    if finding and classes:
        floor = f"{math.log(1 + (classes - 1) / math.e):.4f} with {classes} classes"
        return replace(finding, why=finding.why.replace(_FLOOR, floor))
    return finding


def static_codes() -> list[str]:
    """The codes that the command can find: it does not look for a ReLU."""
    found = {finding.code for (_, op), finding in RULES.items() if op != "relu"}
    return sorted(found | {"unused-ignore"})


def all_codes() -> list[str]:
    """Those, and what only check_head and guard find."""
    return sorted({*static_codes(), *(finding.code for finding in RULES.values()), *FORMS})


def explanation(code: str) -> str:
    """What a code means: all that it is given for, why, and what to write instead."""
    if code == "unused-ignore":
        return (
            f"{code} (warning)\n\nA comment `# torch-heads: ignore` where nothing is to be ignored."
        )
    if code in FORMS:
        severity, what, why, fix = FORMS[code]
        return f"{code} ({severity}; check_head and guard)\n\n{what}. {why}\nWrite instead: {fix}."
    findings = [each for each in RULES.values() if each.code == code]
    if not findings:
        return ""
    only = "" if code in static_codes() else "; check_head and guard"
    parts = [f"{code} ({findings[0].severity}{only})"]
    for why in dict.fromkeys(finding.why for finding in findings):
        these = [finding for finding in findings if finding.why == why]
        parts.append("\n".join(_wrapped(f"- {finding.what}", "  ") for finding in these))
        fixes = "; or: ".join(dict.fromkeys(finding.fix for finding in these))
        parts += [_wrapped(why), _wrapped(f"Write instead: {fixes}.")]
    return "\n\n".join(parts)


def _wrapped(text: str, indent: str = "") -> str:
    return textwrap.fill(text, 96, subsequent_indent=indent, break_on_hyphens=False)


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
