"""A run: its cases, and where they are tried."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator, Iterable, Iterator, Sequence

from gradcheck.model import Case, Report
from gradcheck.runner.builtin import is_builtin
from gradcheck.runner.order import Watch
from gradcheck.runner.plan import Plan
from gradcheck.runner.serial import run_serially
from gradcheck.runner.stopping import stoppable
from gradcheck.runner.threads import hold_threads

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


def _run(cases: Sequence[Case], plan: Plan, watch: Watch | None) -> Iterator[Report]:
    if plan.executor is not None:
        from gradcheck.runner.executors import run_on_executor

        return run_on_executor(cases, plan, watch)
    if plan.in_process:
        return run_serially(cases, capture=False, watch=watch)
    if stays_here(cases, plan):
        if "numpy" not in sys.modules:
            hold_threads(os.environ)
        return run_serially(cases, shrinking=plan.shrinking, watch=watch)
    from gradcheck.runner.pool import Pool

    return Pool(cases, plan).run(watch)


def stays_here(cases: Sequence[Case], plan: Plan) -> bool:
    """Whether cases are tried in this process of itself: a few built-in layers, and no limit to be kept."""
    limited = plan.timeout is not None or plan.memory is not None or any(case.timeout is not None for case in cases)
    few = len(cases) <= FEW or plan.workers_for(len(cases)) == 1
    return few and not limited and all(map(is_builtin, cases))
