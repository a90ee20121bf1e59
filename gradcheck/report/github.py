"""A run as GitHub shows it: annotations on the lines of the backwards, and the summary of the step.

https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from gradcheck.errors import UsageError
from gradcheck.model import Report, Verdict
from gradcheck.report import numbers
from gradcheck.report.escape import visible
from gradcheck.report.markdown import write_markdown
from gradcheck.report.places import culprit, relative, root_of
from gradcheck.report.verdict import commands_of
from gradcheck.report.words import name_of, say, worst_first

MOST = 10
"""GitHub shows ten annotations of a kind for a step, and drops the others without a word."""

LARGEST_SUMMARY = 1_000_000
"""Bytes. GitHub drops a summary beyond 1 MiB whole."""


def is_github(environ: Mapping[str, str] | None = None) -> bool:
    """Whether this runs in a workflow of GitHub's."""
    return (os.environ if environ is None else environ).get("GITHUB_ACTIONS") == "true"


def write_github(reports: Sequence[Report]) -> str:
    """Return annotations for what is not as expected: the worst ten, and how many more there are.

    Cases that fail alike at the same line (the variants of a matrix) share one.
    """
    groups: dict[tuple[str, int, str], list[Report]] = {}
    root = root_of()
    for report in worst_first([report for report in reports if not report.expected]):
        place = culprit(report)
        where = (visible(relative(place.file, root)), place.line) if place is not None else ("", 0)
        groups.setdefault((*where, name_of(report)), []).append(report)
    lines = [_annotate(*key, members) for key, members in list(groups.items())[:MOST]]
    if len(groups) > MOST:
        left = [report.name for members in list(groups.values())[MOST:] for report in members]
        lines.append(
            _command("notice", {"title": "gradcheck"}, f"and {numbers.plural(len(left), 'more case')} not as expected")
        )
    return "".join(f"{line}\n" for line in lines)


def write_summary(reports: Sequence[Report], environ: Mapping[str, str] | None = None) -> bool:
    """Append the run to the summary of the step (``$GITHUB_STEP_SUMMARY``), and return whether there is one.

    Raises
    ------
    UsageError
        If it cannot be written.
    """
    file = (os.environ if environ is None else environ).get("GITHUB_STEP_SUMMARY", "")
    if not file:
        return False
    path = Path(file)
    try:
        used = path.stat().st_size if path.exists() else 0
        text = write_markdown(reports, largest=max(0, LARGEST_SUMMARY - used))
        with path.open("a", encoding="utf-8", errors="backslashreplace", newline="\n") as stream:
            stream.write(text)
    except OSError as error:
        raise UsageError(f"cannot write the step summary {file!r}: {error.strerror or error}") from error
    return True


def _annotate(file: str, line: int, rule: str, reports: Sequence[Report]) -> str:
    properties = {"file": file} if file else {}
    if file and line:
        properties["line"] = str(line)
    properties["title"] = f"gradcheck: {rule}"
    first = reports[0]
    level = "warning" if first.verdict is Verdict.UNDECIDED else "error"
    said = [f"{visible(first.name)}: {say(first)}"]
    if len(reports) > 1:
        said.append(f"and {numbers.plural(len(reports) - 1, 'more case')} alike")
    said += [f"{lead}: {command}" for lead, command in commands_of(first)[:1]]
    return _command(level, properties, "\n".join(said))


def _command(name: str, properties: Mapping[str, str], message: str) -> str:
    """Write a workflow command; what would end a property or the line is escaped."""
    inner = ",".join(f"{key}={_escape(value, ':', ',')}" for key, value in properties.items())
    return f"::{name} {inner}::{_escape(message)}"


def _escape(text: str, *more: str) -> str:
    for character in ("%", "\r", "\n", *more):
        text = text.replace(character, f"%{ord(character):02X}")
    return text
