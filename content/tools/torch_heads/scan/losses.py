"""Losses: is what reaches one what it expects?"""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import Any

from ..rules import Finding, rule
from .library import Library
from .values import LOADED, Either, Loss, Result, Symbol, Tensor


class Losses(Library):
    """Judges what reaches a loss."""

    def choose(self, options: Any, args: Any, node: ast.AST) -> Any:
        """One of these losses is called: report what is wrong for all, or by the same choice."""
        x, before, verdicts = args.first, self.facts, []
        for facts, loss in options:
            self.facts = {**before, **dict(facts)}
            narrowed = self.narrow(x)
            verdict = self.judge(loss, narrowed) if isinstance(loss, Loss) else None
            verdicts.append((verdict, loss, narrowed is not x))
        self.facts = before
        bad = [each for each in verdicts if each[0]]
        if len(bad) < len(verdicts):
            bad = [each for each in bad if each[2]]
        if not bad:
            for loss in {loss.name for _, loss, _ in verdicts if isinstance(loss, Loss)}:
                if isinstance(x, Symbol) and not self.trains(self.scope):
                    self.right.add((self.scope.home, loss, x))
            return None
        verdict, loss, _ = bad[0]
        return self.report(*verdict, loss, node)

    def judge(self, loss: Loss, x: Any) -> tuple[Finding, Tensor, bool] | None:
        """What is wrong with all that x may be, if anything."""
        found, doubt = [], self.doubt > 0
        for _, one in x.options if isinstance(x, Either) else ((None, x),):
            if one == LOADED:
                doubt = True
                continue
            op = one.store.get("op") if isinstance(one, Tensor) else None
            finding = rule(loss.name, op, loss.reduction)
            if finding is None or finding.severity == "note" and found:
                return None
            found.append((finding, one))
            doubt |= bool(one.store.get("doubt"))
        return (*found[0], doubt) if found else None

    def check(self, loss: Loss, x: Any, node: ast.AST) -> None:
        """x reaches this loss."""
        if verdict := self.judge(loss, x):
            self.report(*verdict, loss, node)

    def report(self, finding: Finding, x: Tensor, doubt: bool, loss: Loss, node: ast.AST) -> Result:
        scope = self.scope
        first = x.source if isinstance(x.source, Tensor) and "(" in x.store["op"] else x
        if loss.name == "written out":  # it is the function that is the loss
            for call, outer, given in reversed(self.frames):
                if call is None or not any(each is first for each in given):
                    break
                node, scope = call, outer
        place = self.place(node, scope)
        key = (place, finding.code)
        if not self.muted and not self.only_shown(scope):
            sure = "perhaps" if doubt else "certain"
            at = x.at if loss.name == "log" else first.at
            made = replace(
                finding, confidence=sure, where=place, evidence=(f"{first.store['op']}", at)
            )
            if key not in self.found or not doubt:
                self.found[key] = made, (x.home, loss.name, x.source)
        return Result((key,))
