"""A run: its cases, and where they are tried."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar, cast

from gradcheck.errors import LayerError
from gradcheck.model import Case, Report, Verdict
from gradcheck.runner.builtin import is_builtin
from gradcheck.runner.order import Watch
from gradcheck.runner.plan import Plan
from gradcheck.runner.serial import run_serially
from gradcheck.runner.stopping import stoppable
from gradcheck.runner.threads import hold_threads

if TYPE_CHECKING:
    from gradcheck.runner.errands import Errand

Found = TypeVar("Found")

FEW = 16
"""So many cases of built-in layers are done before a worker has started."""


def run_cases(
    cases: Iterable[Case], plan: Plan | None = None, *, watch: Watch | None = None
) -> Generator[Report, None, None]:
    """Try each case and yield its report, in their order.

    One bad layer costs its own case only: whatever it does to its process, the verdict of that case is ``error``, and
    the cases after it are tried as if it had not been there. A generator that is closed ends what is still running.

    Parameters
    ----------
    cases
        What to try.
    plan
        How many at once, where, and how much each may take.
    watch
        Called now and then with the number of cases that are done and the names of those that are running.

    Raises
    ------
    UsageError
        If the workers or the executor cannot be had.
    KeyboardInterrupt
        On Ctrl-C or SIGTERM; no process is left behind.
    """
    plan = plan or Plan()
    chosen = list(cases)
    with stoppable():
        yield from _run(chosen, plan, watch)


def run_errand(
    cases: Iterable[Case], errand: Callable[[Case], Found], plan: Plan | None = None, *, watch: Watch | None = None
) -> Generator[tuple[str, Found | LayerError], None, None]:
    """Fetch something of each case where :func:`run_cases` would try it, and yield it with the case's name, in order.

    For a case whose layer has raised, crashed, or taken too long, that is an error which says so; it is yielded, not
    raised. Executors are for trials: of the plan's nothing is asked.

    Parameters
    ----------
    errand
        What is wanted (see :mod:`gradcheck.runner.errands`).
    cases, plan, watch
        As for :func:`run_cases`.

    Raises
    ------
    UsageError
        If the workers cannot be had.
    KeyboardInterrupt
        On Ctrl-C or SIGTERM, after what has been fetched out of turn has been yielded; no process is left behind.
    """
    from gradcheck.runner.errands import Fetched  # most runs are trials

    plan = replace(plan or Plan(), executor=None, shrinking=False)
    with stoppable(), closing(_run(list(cases), plan, watch, errand)) as reports:
        for report in reports:
            if isinstance(report, Fetched) and report.verdict is not Verdict.ERROR:
                yield report.name, cast("Found", report.found)
            else:
                yield report.name, LayerError(report.error, report.trace)


def _run(
    cases: Sequence[Case], plan: Plan, watch: Watch | None, errand: Errand | None = None
) -> Generator[Report, None, None]:
    if plan.executor is not None:
        from gradcheck.runner.executors import run_on_executor

        yield from run_on_executor(cases, plan, watch)
    elif plan.in_process:
        yield from run_serially(cases, capture=False, watch=watch, errand=errand)
    elif stays_here(cases, plan):
        if "numpy" not in sys.modules:
            hold_threads(os.environ)
        yield from run_serially(cases, shrinking=plan.shrinking, watch=watch, errand=errand)
    else:
        from gradcheck.runner.pool import Pool

        yield from Pool(cases, plan, errand).run(watch)


def stays_here(cases: Sequence[Case], plan: Plan) -> bool:
    """Whether cases are tried in this process of itself: a few built-in layers, and no limit to be kept."""
    limited = plan.timeout is not None or plan.memory is not None or any(case.timeout is not None for case in cases)
    few = len(cases) <= FEW or plan.workers_for(len(cases)) == 1
    return few and not limited and all(map(is_builtin, cases))
