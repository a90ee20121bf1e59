"""Reports that arrive in any order, handed out in the order of their cases."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import TypeAlias

from gradcheck.model import Report

Watch: TypeAlias = Callable[[int, Sequence[str]], None]
"""Called now and then with the number of cases that are done and the names of those that are running."""

TICK = 0.2


def in_order(
    total: int, results: queue.Queue[tuple[int, Report | Exception]], tell: Callable[[int], None]
) -> Iterator[Report]:
    """Yield reports that arrive in any order in the order of their numbers, from 0.

    Parameters
    ----------
    total
        How many there will be.
    results
        Where they arrive. An error is raised when its turn comes.
    tell
        Called while waiting, with the number of those that have arrived.

    Raises
    ------
    KeyboardInterrupt
        On Ctrl-C, after the reports that have arrived out of turn have been yielded.
    """
    arrived: dict[int, Report | Exception] = {}
    try:
        for number in range(total):
            while number not in arrived:
                tell(number + len(arrived))
                with suppress(queue.Empty):
                    key, result = results.get(timeout=TICK)
                    arrived[key] = result
            yield _given(arrived.pop(number))
    except KeyboardInterrupt:
        # What is finished is not lost because a case before it is not.
        while not results.empty():
            arrived.update([results.get()])
        for number in sorted(arrived):
            yield _given(arrived[number])
        raise


def _given(result: Report | Exception) -> Report:
    if isinstance(result, Exception):
        raise result
    return result
