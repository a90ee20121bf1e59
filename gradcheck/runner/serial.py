"""Cases tried one after the other in this process: at once, within reach of a debugger, and protected from nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from gradcheck.model import Case, Report, Verdict
from gradcheck.runner.builtin import is_builtin
from gradcheck.runner.capture import captured
from gradcheck.runner.order import Watch

if TYPE_CHECKING:
    from gradcheck.runner.errands import Errand
    from gradcheck.runner.state import State


def run_serially(
    cases: Sequence[Case],
    *,
    capture: bool = True,
    shrinking: bool = False,
    watch: Watch | None = None,
    errand: Errand | None = None,
) -> Iterator[Report]:
    """Try each case and yield its report, in their order; Ctrl-C is let through.

    Parameters
    ----------
    cases
        What to try.
    capture
        Whether what the layers print is kept for the report instead of being shown, and input and a debugger are out
        of reach.
    shrinking
        Whether a failing case is made smaller.
    watch
        Called before each case.
    errand
        What is wanted of the cases instead of a trial.
    """
    for number, case in enumerate(cases):
        if watch is not None:
            watch(number, [case.name])
        report = _run(case, capture, errand)
        if shrinking and report.verdict is Verdict.FAIL:
            from gradcheck.runner.shrinking import shrink

            shrink(report, case, lambda smaller, _: _run(smaller, capture))
        yield report


def _run(case: Case, capture: bool, errand: Errand | None = None) -> Report:
    # numpy is imported with the first case, not before
    from gradcheck.runner.attempt import attempt, clean_up
    from gradcheck.runner.state import State

    before = State.take()
    with nullcontext() if is_builtin(case) else _observed_imports(before):
        with captured() if capture else nullcontext() as tail:
            report = attempt(case, errand=errand)
        clean_up(case, report, before, tracing=False)
    if tail is not None and report.verdict is Verdict.ERROR and not report.output:
        report.output = tail.text
    return report


def _observed_imports(state: State) -> AbstractContextManager[None]:
    from gradcheck.runner.imports import observed_imports  # built-in layers import nothing that anybody has installed

    return observed_imports(state)
