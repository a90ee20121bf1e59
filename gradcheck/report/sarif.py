"""A run as SARIF 2.1.0: what is not as expected, at the line of the backward, with the pages of the rules.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from gradcheck import __version__
from gradcheck.model import Finding, Place, Report, Severity, Verdict
from gradcheck.report.escape import visible, visible_lines
from gradcheck.report.manual import page_of
from gradcheck.report.places import address, culprit, root_of
from gradcheck.report.record import encode
from gradcheck.report.verdict import commands_of
from gradcheck.report.words import name_of, say

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
LEVELS = {Severity.BUG: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}
ROOT = "%SRCROOT%"


def write_sarif(reports: Sequence[Report]) -> str:
    """Return a SARIF log: a result for each case that is not as expected, and for each warning that none expects."""
    root = root_of()
    found = [result for report in reports for result in _results(report)]
    rules = {rule: level for rule, level, *_ in sorted(found, key=lambda each: each[1] != "error", reverse=True)}
    order = sorted(rules)
    run = {
        "tool": {
            "driver": {
                "name": "gradcheck",
                "version": __version__,
                "rules": [_describe(rule, rules[rule]) for rule in order],
            }
        },
        "originalUriBaseIds": {ROOT: {"description": {"text": "The root of the project."}}},
        "columnKind": "unicodeCodePoints",
        "results": [
            _result(rule, level, text, report, finding, order.index(rule), root)
            for rule, level, text, report, finding in found
        ],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1, allow_nan=False) + "\n"


def _results(report: Report) -> list[tuple[str, str, str, Report, Finding | None]]:
    """Return rule, level and message of each thing to be said of a report."""
    results: list[tuple[str, str, str, Report, Finding | None]] = []
    main = None
    if not report.expected:
        name = name_of(report)
        main = next((finding for finding in report.findings if visible(finding.rule) == name), None)
        level = "warning" if report.verdict is Verdict.UNDECIDED else "error"
        remedy = f" {_sentence(main.remedy)}" if main is not None and main.remedy else ""
        results.append((name, level, f"{visible(report.name)}: {_sentence(say(report))}{remedy}", report, main))
    for finding in report.findings:
        if finding is main or finding.severity is Severity.BUG or finding.rule == report.expect.finding:
            continue
        text = f"{visible(report.name)}: {_sentence(finding.message)} {_sentence(finding.remedy)}".strip()
        results.append((visible(finding.rule), LEVELS[finding.severity], text, report, finding))
    return results


def _sentence(text: str) -> str:
    text = visible(text).strip()
    return text if not text or text.endswith((".", "!", "?")) else f"{text}."


def _describe(rule: str, level: str) -> dict[str, Any]:
    summary, page = page_of(rule)
    return {
        "id": rule,
        "shortDescription": {"text": _literal(_sentence(summary))},
        "fullDescription": {"text": _literal(_sentence(summary))},
        "help": {"text": _literal("\n".join(visible_lines(page)))},
        "defaultConfiguration": {"level": level},
    }


def _result(
    rule: str, level: str, text: str, report: Report, finding: Finding | None, number: int, root: Path
) -> dict[str, Any]:
    identity = "\0".join([report.name, rule, (finding.wrt or "") if finding else ""])
    result: dict[str, Any] = {
        "ruleId": rule,
        "ruleIndex": number,
        "level": level,
        "message": {"text": _literal(text)},
        "partialFingerprints": {"gradcheckCase/v1": sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()[:32]},
        "properties": {
            "case": visible(report.name),
            "verdict": report.verdict.value,
            "seed": report.seed,
            "tags": [visible(tag) for tag in report.tags],
        },
    }
    place = culprit(report)
    if place is not None:
        result["locations"] = [{"physicalLocation": _locate(place, root)}]
    if report.place is not None and report.place is not place:
        related = {"id": 1, "message": {"text": "the case"}, "physicalLocation": _locate(report.place, root)}
        result["relatedLocations"] = [related]
    result["properties"] |= {lead.replace(" ", "-"): command for lead, command in commands_of(report)}
    if finding is not None and finding.evidence:
        result["properties"]["evidence"] = encode(dict[str, Any], finding.evidence)
    return result


def _locate(place: Place, root: Path) -> dict[str, Any]:
    uri = address(place.file, root)
    artifact = {"uri": uri} if uri.startswith("file:") else {"uri": uri, "uriBaseId": ROOT}
    location: dict[str, Any] = {"artifactLocation": artifact}
    if place.line > 0:
        location["region"] = {"startLine": place.line, **({"startColumn": place.column} if place.column > 0 else {})}
    return location


def _literal(text: str) -> str:
    """Write a text so that nothing in it is a placeholder or a link (SARIF 3.11.5 and 3.11.6)."""
    text = text.replace("{", "{{").replace("}", "}}")
    return text.replace("[", "\\[").replace("]", "\\]") if "](" in text else text
