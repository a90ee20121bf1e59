"""A run as JSON: everything that its reports hold, versioned, and read back without loss."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from gradcheck import __version__
from gradcheck.errors import UsageError
from gradcheck.model import Report, Verdict
from gradcheck.report.record import RecordError, decode, encode

FORMAT = "gradcheck-report"
VERSION = 1
"""Grows when a reader of the version before would misread the file; a field that is only added leaves it alone."""


def write_json(reports: Sequence[Report]) -> str:
    """Return the reports of a run as one JSON document of ASCII characters.

    The document keeps to :func:`gradcheck.report.schema.json_schema`; it is valid JSON also where numbers are not
    finite.
    """
    head = {
        "format": FORMAT,
        "version": VERSION,
        "gradcheck": __version__,
        "summary": summarise(reports),
    }
    # A report a line: short, and two runs can be compared line by line.
    lines = ",\n".join(json.dumps(encode(Report, report), allow_nan=False) for report in reports)
    start = json.dumps(head, indent=1, allow_nan=False).removesuffix("\n}")
    return f'{start},\n "reports": [\n{lines}\n ]\n}}\n' if reports else f'{start},\n "reports": []\n}}\n'


def summarise(reports: Sequence[Report]) -> dict[str, int]:
    """Count the reports: all, those as expected, and by verdict."""
    counts = {"cases": len(reports), "expected": sum(report.expected for report in reports)}
    for verdict in Verdict:
        counts[verdict.value] = sum(report.verdict is verdict for report in reports)
    return counts


def read_json(text: str, file: str = "report") -> list[Report]:
    """Return the reports that :func:`write_json` wrote.

    Parameters
    ----------
    text
        The document.
    file
        Its name, for messages.

    Raises
    ------
    UsageError
        If it is no JSON, no report of gradcheck, one of another version, or damaged.
    """
    try:
        document = json.loads(text, parse_constant=_refuse)
    except RecursionError:
        raise UsageError(f"{file}: too deeply nested for a report") from None
    except ValueError as error:
        raise UsageError(f"{file}: not JSON: {error}", "write one with gradcheck run --report json=PATH") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise UsageError(f"{file}: not a report of gradcheck", "write one with gradcheck run --report json=PATH")
    version = document.get("version")
    if version is True or version != VERSION:
        raise UsageError(
            f"{file}: version {version!r} of a report is not known", f"this gradcheck reads version {VERSION}"
        )
    try:
        reports: list[Report] = decode(list[Report], document.get("reports"), "reports")
    except RecordError as error:
        raise UsageError(f"{file}: {error}", "the file was damaged, or not written by gradcheck") from None
    except RecursionError:
        raise UsageError(f"{file}: too deeply nested for a report") from None
    return reports


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON number")
