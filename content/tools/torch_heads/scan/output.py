"""What the command prints: lines, JSON, SARIF, and GitHub's annotations."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..rules import Finding

if TYPE_CHECKING:
    from .trees import Scan

HOME = "https://docs.pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html"


def as_text(result: Scan, color: bool) -> str:
    """path:line:column: CODE message, and below it where the activation stands."""

    def paint(text: Any, code: str) -> str:
        return f"\033[{code}m{text}\033[0m" if color else str(text)

    lines = []
    for finding in result.findings:
        perhaps = "perhaps " if finding.confidence == "perhaps" else ""
        code = paint(finding.code, "1;31" if not perhaps else "1;33")
        lines.append(f"{paint(finding.where, '1')}: {code} {perhaps}{message(finding)}")
        if other := second(finding):
            lines.append(f"  {paint(other, '36')}: {finding.evidence[0]} stands here")
    return "".join(f"{line}\n" for line in lines)


def message(finding: Finding) -> str:
    return f"{finding.what}: {finding.fix}" if finding.fix else finding.what


def second(finding: Finding) -> Any:
    """The place of the activation."""
    return finding.evidence[1] if len(finding.evidence) > 1 else None


def as_json(result: Scan) -> str:
    return json.dumps([entry(finding) for finding in result.findings], indent=2) + "\n"


def entry(finding: Finding) -> dict[str, Any]:
    place, other = finding.where, second(finding)
    return {
        "code": finding.code,
        "confidence": finding.confidence,
        "severity": finding.severity,
        "message": message(finding),
        **position(place),
        "activation": {"operation": finding.evidence[0], **position(other)} if other else None,
    }


def position(place: Any) -> dict[str, Any]:
    return {
        "filename": place.file,
        "cell": place.cell or None,
        "location": {"row": place.line, "column": place.column},
    }


def as_github(result: Scan) -> str:
    lines = []
    for finding in result.findings:
        place, other = finding.where, second(finding)
        level = "error" if finding.confidence == "certain" else "warning"
        text = message(finding) + (f" ({finding.evidence[0]} at {other})" if other else "")
        fields = [f"title=torch-heads ({finding.code})", f"file={place.file}"]
        if place.cell:
            text = f"{place}: {text}"
        else:
            fields += [f"line={place.line}", f"col={place.column}"]
        fields = [field.replace("%", "%25").replace(",", "%2C") for field in fields]
        lines.append(f"::{level} {','.join(fields)}::{text.replace('%', '%25')}\n")
    return "".join(lines)


def version() -> str:
    """That of the package; nothing is installed where it runs from the book."""
    from importlib import metadata  # slow, and seldom wanted

    try:
        return metadata.version("torch-heads")
    except metadata.PackageNotFoundError:
        return "0+book"


def as_sarif(result: Scan) -> str:
    seen = {finding.code: finding for finding in result.findings}
    rules = [
        {
            "id": code,
            "shortDescription": {"text": finding.what},
            "fullDescription": {"text": finding.why or finding.what},
            "help": {"text": finding.fix or finding.what},
        }
        for code, finding in seen.items()
    ]
    driver = {
        "name": "torch-heads",
        "version": version(),
        "informationUri": HOME,
        "rules": rules,
    }
    run = {"tool": {"driver": driver}, "results": [sarif_result(f) for f in result.findings]}
    log = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [run],
    }
    return json.dumps(log, indent=2) + "\n"


def sarif_result(finding: Finding) -> dict[str, Any]:
    other = second(finding)
    level = "error" if finding.confidence == "certain" else "warning"
    return {
        "ruleId": finding.code,
        "level": level if finding.severity == "error" else "note",
        "message": {"text": message(finding)},
        "locations": [sarif_place(finding.where)],
        "relatedLocations": [
            sarif_place(other) | {"message": {"text": f"{finding.evidence[0]} stands here"}}
        ]
        if other
        else [],
    }


def sarif_place(place: Any) -> dict[str, Any]:
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": place.file.replace("\\", "/")},
            "region": {"startLine": place.line, "startColumn": place.column},
        }
    }


FORMATS: dict[str, Callable[[Any], str]] = {
    "text": lambda result: as_text(result, False),
    "json": as_json,
    "github": as_github,
    "sarif": as_sarif,
}
