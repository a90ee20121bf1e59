"""Cases tried by several workers at once, their reports handed out in the order of the cases."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Iterator, Sequence

from gradcheck.model import Case, Report
from gradcheck.runner.errands import Errand
from gradcheck.runner.keeper import Keeper
from gradcheck.runner.loans import Bank
from gradcheck.runner.order import Watch, in_order
from gradcheck.runner.plan import Plan
from gradcheck.runner.slot import Slot, StoppedError


class Pool:
    """Some workers and the cases before them.

    Parameters
    ----------
    cases
        What to try.
    plan
        With how many workers, and how much each case may take.
    errand
        What is wanted of the cases instead of a trial.
    """

    def __init__(self, cases: Sequence[Case], plan: Plan, errand: Errand | None = None) -> None:
        self.cases, self.plan, self.errand = cases, plan, errand
        self._keeper = Keeper()
        workers = plan.workers() if cases else 1
        self._bank = Bank(workers)
        # Those for which there is no case start no process before they are asked for help with one.
        lender = self._bank if workers > 1 else None
        self._slots = [Slot(self._keeper, plan.memory_of_worker(), lender) for _ in range(workers)]
        self._waiting = deque(range(len(cases)))
        self._running: dict[int, str] = {}
        self._results: queue.Queue[tuple[int, Report | Exception]] = queue.Queue()

    def run(self, watch: Watch | None = None) -> Iterator[Report]:
        """Yield the report of each case, in their order.

        Raises
        ------
        UsageError
            If no worker can be started.
        """
        threads = [threading.Thread(target=self._work, args=(slot,), daemon=True) for slot in self._slots]
        for thread in threads:
            thread.start()
        try:
            yield from in_order(len(self.cases), self._results, lambda done: self._tell(watch, done))
        finally:
            self._waiting.clear()
            self._bank.close()
            for slot in self._slots:
                slot.stop()
            for thread in threads:
                thread.join()
            self._keeper.close()

    def _work(self, slot: Slot) -> None:
        try:
            self._try_cases(slot)
            self._bank.retire()
            while (loan := self._bank.wait()) is not None:
                slot.assist(loan)
        except StoppedError:
            pass
        finally:
            slot.close()

    def _try_cases(self, slot: Slot) -> None:
        while True:
            try:
                number = self._waiting.popleft()
            except IndexError:
                return
            case = self.cases[number]
            self._running[number] = case.name
            result: Report | Exception
            try:
                timeout, shrinking = self.plan.timeout_of(case), self.plan.shrinking
                result = slot.try_case(case, timeout, shrinking=shrinking, errand=self.errand)
            except StoppedError:
                raise
            except Exception as error:  # noqa: BLE001 -- it is raised in the thread that waits for it
                result = error
            self._running.pop(number)
            self._results.put((number, result))

    def _tell(self, watch: Watch | None, done: int) -> None:
        if watch is not None:
            watch(done, [name for _, name in sorted(self._running.copy().items())])
