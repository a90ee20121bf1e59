"""A place where cases are tried one after the other, each by a worker that is reused until one misbehaves."""

from __future__ import annotations

import threading
import time

from gradcheck.errors import UsageError
from gradcheck.model import Case, Report, Verdict
from gradcheck.runner.assistance import can_assist
from gradcheck.runner.errands import Errand
from gradcheck.runner.keeper import Keeper
from gradcheck.runner.loans import Desk, Lender, Loan
from gradcheck.runner.outcome import describe_end, describe_flood, describe_timeout, fail, failed
from gradcheck.runner.output import FLOOD, tail
from gradcheck.runner.process import Process
from gradcheck.runner.stack import split_stack
from gradcheck.runner.wire import Answer, Assist, Done, Leave, Left, Part, Task

_TICK = 0.1
_GRACE = 5.0  # seconds that a helper may take to clean up


class StoppedError(Exception):
    """The run was stopped while a case was under way."""


class Slot:
    """One worker at a time.

    Parameters
    ----------
    keeper
        Ends the worker if this process is killed.
    memory
        Bytes that a case may take; ``None``: no limit.
    lender
        Where the worker finds help with a large case, if anywhere.
    """

    def __init__(self, keeper: Keeper, memory: int | None, lender: Lender | None = None) -> None:
        self._keeper, self._memory, self._lender = keeper, memory, lender
        self._process: Process | None = None
        self._lock = threading.Lock()
        self._stopped = False

    def _start(self) -> Process:
        """Start a worker unless there is one; it may take a moment to be ready.

        Raises
        ------
        StoppedError
            If the run was stopped.
        """
        with self._lock:
            if self._stopped:
                raise StoppedError
            if self._process is None:
                self._process = Process(self._keeper, self._memory)
            return self._process

    def try_case(
        self,
        case: Case,
        timeout: float | None,
        folder: str = "",
        *,
        shrinking: bool = False,
        lender: Lender | None = None,
        errand: Errand | None = None,
    ) -> Report:
        """Try one case as :meth:`run` does; ``shrinking``: and smaller ones, should it fail."""
        report = self.run(case, timeout, folder, lender, errand)
        if shrinking and report.verdict is Verdict.FAIL:
            from gradcheck.runner.shrinking import shrink  # most runs do without

            shrink(report, case, lambda smaller, left: self.run(smaller, left, folder), timeout)
        return report

    def run(
        self,
        case: Case,
        timeout: float | None,
        folder: str = "",
        lender: Lender | None = None,
        errand: Errand | None = None,
    ) -> Report:
        """Try one case, from a folder if one is given, and return its report, whatever becomes of the worker.

        ``lender`` is where the worker finds help with this case, if not where it always does. ``errand`` is what is
        wanted instead of a trial; nobody helps with it.

        Raises
        ------
        StoppedError
            If the run is stopped meanwhile.
        UsageError
            If no worker can be started.
        """
        try:
            process = self._get_ready()
            lender = (lender or self._lender) if errand is None else None
            process.send(Task(case, folder, helpers=lender is not None and can_assist(), errand=errand))
            try:
                answer = self._converse(process, timeout, Desk(lender, case, folder, process.send))
            except TimeoutError:
                process.interrogate()
                return self._lose(process, case, timeout)
            if isinstance(answer, Answer):
                return self._accept(process, case, answer)
            return self._lose(process, case)
        finally:
            if self._stopped:
                raise StoppedError

    def _converse(self, process: Process, timeout: float | None, desk: Desk) -> object:
        """Wait for the answer, and see to the help that the worker asks for meanwhile."""
        limit = None if timeout is None else time.monotonic() + timeout
        try:
            while True:
                answer = process.wait(None if limit is None else max(limit - time.monotonic(), 0))
                if not desk.take(answer):
                    return answer
        finally:
            desk.close()

    def assist(self, loan: Loan) -> None:
        """Help with somebody else's case until it is over; a worker that fails in it is ended.

        Raises
        ------
        StoppedError
            If the run is stopped meanwhile.
        """
        process: Process | None = None
        part: Part | None = None
        try:
            process = self._get_ready()
            process.send(Assist(loan.case, loan.folder))
            if self._hear(process, loan) is not None:
                loan.join()
                while (part := loan.next()) is not None:
                    process.send(part)
                    loan.hand_back(part, self._hear(process, loan))
            process.send(Leave())
            left = process.wait(_GRACE)
            worn = not isinstance(left, Left) or left.worn or process.output.next().flooded
        except (TimeoutError, EOFError, UsageError):
            worn = True
            if part is not None:
                loan.hand_back(part, None)
        if worn and process is not None:
            self._discard(process)
        if self._stopped:
            raise StoppedError

    def _hear(self, process: Process, loan: Loan) -> bytes | None:
        """Wait for what becomes of a part.

        Raises
        ------
        EOFError
            If the helper dies.
        TimeoutError
            If it is called back.
        """
        while True:
            try:
                answer = process.wait(_TICK)
            except TimeoutError:
                if loan.ended.is_set():
                    raise
                continue
            if isinstance(answer, Done):
                return answer.data
            raise EOFError

    def _get_ready(self) -> Process:
        process = self._start()
        try:
            process.get_ready()
        except UsageError:
            # Once more: the machine may just have been out of something that the case before has taken.
            self._discard(process)
            process = self._start()
            process.get_ready()
        return process

    def _accept(self, process: Process, case: Case, answer: Answer) -> Report:
        report, printed = answer.report, process.output.next()
        if printed.flooded:
            fail(report, case, describe_flood(FLOOD))
        if report.verdict is Verdict.ERROR:
            report.output = tail(printed.text, cut=printed.cut)
        if answer.worn or printed.flooded:
            self._discard(process)
        return report

    def _lose(self, process: Process, case: Case, timeout: float | None = None) -> Report:
        """Report a case whose worker is lost, or has to be."""
        if self._stopped:
            raise StoppedError
        status = process.status() if timeout is None else None
        process.end()
        printed = process.output.next()
        text, stack = split_stack(printed.text)
        if printed.flooded:
            error = describe_flood(FLOOD)
        elif timeout is not None:
            error = describe_timeout(timeout, stack.place(innermost=False))
        else:
            error = describe_end(status, stack.place(innermost=True))
        self._discard(process)
        trace = stack.text if timeout is None else stack.steady_text()
        return failed(case, error, trace=trace, output=tail(text, cut=printed.cut))

    def _discard(self, process: Process) -> None:
        with self._lock:
            self._process = None
        process.close()

    def stop(self) -> None:
        """End the worker now, in whatever it is doing; no other is started."""
        with self._lock:
            self._stopped = True
            process = self._process
        if process is not None:
            process.end()

    def close(self) -> None:
        """Let go of the worker; nobody may be waiting for it."""
        self.stop()
        if self._process is not None:
            self._discard(self._process)
