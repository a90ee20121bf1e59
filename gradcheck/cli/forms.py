"""What the forms of a run need from outside: packages, the pages of the rules, and a workflow to talk to."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from gradcheck.cli.screen import Screen
from gradcheck.errors import UsageError
from gradcheck.model import Report

if TYPE_CHECKING:
    from gradcheck.report.pages import Page


def prepare(kinds: Iterable[str]) -> None:
    """Make ready for some kinds of form, before a run and not after it.

    Raises
    ------
    UsageError
        If a kind needs a package that is not installed.
    """
    kinds = set(kinds)
    if "html" in kinds:
        from gradcheck.report.html import check_jinja

        check_jinja()
    if "sarif" in kinds:
        from gradcheck.report.manual import use_manual

        use_manual(_look_up)


def pictures_of(kinds: Iterable[object]) -> str:
    """Return which inputs a run draws (:attr:`gradcheck.model.Settings.pictures`), so that no other run pays for it.

    A page and a heat map show every case; a JSON file is read by programs, and keeps what is wrong.

    Parameters
    ----------
    kinds
        The forms that the run is written in, and what its tables show.
    """
    kinds = set(kinds)
    return "all" if kinds & {"html", "heatmap"} else "wrong" if "json" in kinds else "none"


def _look_up(rule: str) -> Page | None:
    from gradcheck.rules.registry import rules  # rules import numpy

    return rules().get(rule)


def announce(
    reports: Sequence[Report], screen: Screen, kind: str = "table", environ: Mapping[str, str] | None = None
) -> None:
    """In a workflow of GitHub's, write annotations and the summary of the step, without being asked.

    Annotations go to stderr, which the runner reads as well, so that what stdout holds stays whole.

    Parameters
    ----------
    reports
        The reports of the run.
    screen
        Where a summary that cannot be written is warned of.
    kind
        The form that was printed; annotations are not repeated.
    environ
        The environment; by default that of the process.
    """
    environ = os.environ if environ is None else environ
    if not environ.get("GITHUB_ACTIONS"):
        return
    from gradcheck.report.github import is_github, write_github, write_summary

    if not is_github(environ):
        return
    if kind != "github":
        sys.stderr.write(write_github(reports))
        sys.stderr.flush()
    try:
        write_summary(reports, environ)
    except UsageError as error:
        screen.warn(error.message)
