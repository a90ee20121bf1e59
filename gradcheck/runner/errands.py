"""What may be wanted of a case other than to try it: an audit, a sweep, the arrays that repeat it by hand.

All of them run the user's code. So they are sent to where trials are made, and held to the same limits; what becomes of
them is told in a report as that of a trial is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradcheck.errors import GradcheckError
from gradcheck.model import Audit, Case, Report, Verdict

if TYPE_CHECKING:
    from gradcheck.trial.example import Example
    from gradcheck.trial.sweep import SweptEntry

# What does the work is imported where it is done: whoever sends an errand may do without numpy.

Errand = Callable[[Case], object]
"""Fetches something of a case; errand and result can be pickled."""


@dataclass(slots=True)
class Fetched(Report):
    """The report of an errand: with the verdict ``error``, or with what was ``found``."""

    found: object = None


@dataclass(frozen=True, slots=True)
class AuditErrand:
    """Which bugs a case could have revealed."""

    def __call__(self, case: Case) -> Audit:
        """Return the audit."""
        import gradcheck.trial.case

        return gradcheck.trial.case.audit_case(case)


@dataclass(frozen=True, slots=True)
class SweepErrand:
    """One entry of a gradient over many steps: of which input, and which; ``None``: the one that matters most."""

    name: str | None = None
    index: tuple[int, ...] | None = None

    def __call__(self, case: Case) -> SweptEntry:
        """Return the measurements."""
        from gradcheck.trial.sweep import sweep_case

        return sweep_case(case, self.name, self.index)


@dataclass(frozen=True, slots=True)
class ExampleErrand:
    """The arrays that repeat a case: if it is ``failing``, the smallest on which the bug of a rule is found."""

    failing: bool
    rule: str | None

    def __call__(self, case: Case) -> Example:
        """Return the arrays."""
        from gradcheck.trial.example import find_example

        return find_example(case, failing=self.failing, rule=self.rule)


def fetch(case: Case, errand: Errand) -> Fetched:
    """Run an errand; whatever goes wrong with the layer or its inputs ends in the report, as the verdict ``error``."""
    report = Fetched(case.name, Verdict.PASS)
    try:
        report.found = errand(case)
    except GradcheckError as error:
        import traceback

        report.verdict, report.error = Verdict.ERROR, str(error)
        report.trace = getattr(error, "trace", "") or traceback.format_exc()
    return report
