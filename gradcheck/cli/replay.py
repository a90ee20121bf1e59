"""``gradcheck run --failed REPORT.json``: the cases of an earlier run that were not as expected, as they were run."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import click

from gradcheck.cli.changes import choose, collect
from gradcheck.cli.overrides import Overrides
from gradcheck.cli.repeat import Repeat
from gradcheck.errors import UsageError
from gradcheck.model import Case, Report

COMMAND = ("gradcheck", "run")


def choose_failed(
    path: str,
    accepts: Callable[[Report], bool],
    overrides: Overrides,
    expression: str,
    tags: Sequence[str],
    command: click.Command,
) -> tuple[list[tuple[Case, Repeat]], int]:
    """Return the cases of a report that are to be run again, each with what repeats it once more.

    Parameters
    ----------
    path
        A report in JSON.
    accepts
        Whether a report needs no repetition.
    overrides
        What the command line wants differently from the earlier run.
    expression, tags
        Which of the cases.
    command
        ``gradcheck run``, which reads the commands that the report holds.

    Returns
    -------
    tuple
        The cases, and how many reports there are in the file.

    Raises
    ------
    UsageError
        If the file is no report, or a case is not there any more.
    """
    from gradcheck.report.json import read_json

    try:
        reports = read_json(Path(path).read_text(encoding="utf-8-sig"), path)
    except OSError as error:
        raise UsageError(f"cannot read {path!r}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path}: not UTF-8, so no report of gradcheck") from None
    chosen: dict[str, tuple[Case, Repeat]] = {}
    for report in reports:
        if accepts(report):
            continue
        targets, earlier = read_command(report, command)
        found = choose(targets, merge(earlier, overrides), expression, tags)
        if len(found) == 1 and not overrides.axes:
            # the earlier run may have had a case of every axis, told apart by their names
            found = [(replace(found[0][0], name=report.name), found[0][1])]
        for case, repeat in found:
            chosen.setdefault(case.name, (case, repeat))
    return list(chosen.values()), len(reports)


def read_command(report: Report, command: click.Command) -> tuple[tuple[str, ...], Overrides]:
    """Return targets and changes of the command that repeats a report; nothing else that it says is followed."""
    try:
        words = shlex.split(report.repeat)
    except ValueError:
        words = []
    if tuple(words[:2]) != COMMAND:
        # written by the library, or by another runner
        return (report.name,), Overrides(seed=report.seed)
    try:
        params: dict[str, Any] = click.Command.make_context(command, "run", words[2:]).params
    except (click.ClickException, UsageError):
        raise UsageError(f"the command of {report.name!r} cannot be read: {report.repeat}") from None
    return params["targets"], collect(params)


def merge(earlier: Overrides, later: Overrides) -> Overrides:
    """Return what two command lines want, the later one first."""
    usual = Overrides()
    changed: dict[str, Any] = {}
    for field in fields(Overrides):
        before, after = getattr(earlier, field.name), getattr(later, field.name)
        if isinstance(after, Mapping):
            changed[field.name] = {**before, **after}
        elif after != getattr(usual, field.name):
            changed[field.name] = after
    return replace(earlier, **changed)
