"""What runs in a worker process: one case after the other, and a clean house in between.

Requests come through standard input and answers go through standard output. Both are taken away from the layer, which
finds nothing to read, and whose output goes, with that of the libraries below Python, to a pipe of its own.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import pickle
import random
import signal
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import NoReturn

import numpy as np

from gradcheck.errors import UsageError
from gradcheck.layers.calling import describe
from gradcheck.model import Case, Report, Verdict
from gradcheck.runner.assistance import Assistance
from gradcheck.runner.attempt import attempt, clean_up, ran_out_of_memory
from gradcheck.runner.forks import CAME_BACK, Forks
from gradcheck.runner.imports import Observer
from gradcheck.runner.limits import adopt_orphans, limit_memory, volunteer
from gradcheck.runner.outcome import fail, failed
from gradcheck.runner.state import State
from gradcheck.runner.wire import Answer, Assist, Done, GarbledError, Leave, Left, Part, Ready, Task, receive, send
from gradcheck.trial.helpers import Assistant, prepare_help

SEED = 20_011
"""Seed of the global random states before every case."""


def main(mark: str, memory: str) -> NoReturn:
    """Answer requests until there are no more.

    Parameters
    ----------
    mark
        What is written to the output after each case, in hexadecimal.
    memory
        Bytes that a case may take; ``0``: no limit.
    """
    sys.argv = [""]  # a module that reads the command line as it is imported finds nothing
    worker = Worker(bytes.fromhex(mark), int(memory) or None)
    try:
        worker.serve()
    except (OSError, GarbledError):
        # A layer has closed or overwritten the pipe. An exit status would be taken for one of the layer's own, so this
        # waits to be ended.
        time.sleep(60)
    os._exit(0)  # what layers have registered for the end of the process is nobody's business


class Worker:
    """A process that tries cases."""

    def __init__(self, mark: bytes, memory: int | None) -> None:
        self.mark, self.memory = mark, memory
        self.requests, self.answers, self.output = os.dup(0), os.dup(1), os.dup(2)
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.close(null)
        os.dup2(2, 1, inheritable=True)
        for stream in (sys.stdout, sys.stderr):
            # Line by line: what was printed before a crash is there afterwards.
            stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)  # type: ignore[union-attr]
        sys.breakpointhook = _refuse_breakpoint
        self._prepare_faulthandler()
        volunteer()
        adopt_orphans()
        self.forks = Forks()
        random.seed(SEED)
        np.random.seed(SEED)
        self.state = State.take()
        self.assistance = Assistance(self.requests, self.answers)
        sys.meta_path.insert(0, Observer(self.state))
        limit_memory(memory)

    def _prepare_faulthandler(self) -> None:
        faulthandler.enable(file=self.output, all_threads=False)
        if hasattr(faulthandler, "register") and hasattr(signal, "SIGUSR2"):
            faulthandler.register(signal.SIGUSR2, file=self.output, all_threads=False)

    def serve(self) -> None:
        """Try what is asked for until the other side closes the pipe."""
        send(self.answers, Ready())
        while True:
            try:
                task = receive(self.requests)
            except EOFError:
                return
            if isinstance(task, Task):
                self._answer(self.run(task))
            elif isinstance(task, Assist):
                send(self.answers, self.assist(task))

    def run(self, task: Task) -> Answer:
        """Try one case, or run an errand for it, and clean up after it."""
        case = task.case
        self._begin(task.folder)
        try:
            report = attempt(case, self.assistance if task.helpers else None, task.errand)
        except BaseException as error:  # noqa: BLE001 -- a KeyboardInterrupt of the layer's own making, say
            said = describe(error, "the layer")
            report = failed(case, said.message, trace=said.trace)
        self.forks.leave_if_child()
        worn = ran_out_of_memory(report)
        if worn and self.memory:
            report.notes.append(f"a case may take {self.memory / (1 << 30):.3g} GiB here; --memory changes that")
        return self._settle(case, report, worn=worn)

    def assist(self, task: Assist) -> Left:
        """Evaluate points of somebody else's case until it is over, and clean up.

        Whatever goes wrong is no result, and nothing else: the case's own worker sees to the points then.
        """
        self._begin(task.folder)
        assistant: list[Assistant] = []

        def prepare() -> bytes:
            assistant.append(prepare_help(task.case))
            return b""

        send(self.answers, Done(0, 0, self._try(prepare)))
        while not isinstance(message := receive(self.requests), Leave):
            if isinstance(message, Part) and assistant:
                data = self._try(partial(assistant[0].evaluate, message.data))
                send(self.answers, Done(message.helper, message.number, data))
        return Left(self._settle(task.case, Report(task.case.name, Verdict.PASS)).worn)

    def _try(self, function: Callable[[], bytes]) -> bytes | None:
        try:
            return function()
        except BaseException:  # noqa: BLE001 -- of the layer's making, and not this process's to report
            return None
        finally:
            self.forks.leave_if_child()

    def _begin(self, folder: str) -> None:
        if folder and folder != self.state.folder:
            os.chdir(folder)
            self.state.folder = folder
        self.forks.begin()

    def _settle(self, case: Case, report: Report, *, worn: bool = False) -> Answer:
        """Clean up after a case; what it has left behind that no layer should is its verdict."""
        closed = self._close_output()
        worn |= not clean_up(case, report, self.state)
        self.forks.leave_if_child()  # again: the layer may have been loaded once more
        left = self.forks.settle()
        for complaint in (closed, left):
            if complaint:
                if complaint == CAME_BACK:  # what was found out meanwhile depends on who was faster
                    report = failed(case, "")
                fail(report, case, f"the layer {complaint}")
                worn = True
        self.state.forget_modules()
        return Answer(report, worn or threading.active_count() > 1)

    def _close_output(self) -> str:
        """Flush the output and mark its end; return what the layer did to it that no layer should do, or ``""``."""
        complaint = ""
        for name, number, stream in (
            ("output", 1, self.state.quiet["streams"][1]),
            ("error", 2, self.state.quiet["streams"][2]),
        ):
            try:
                if sys.stdout is not stream and not sys.stdout.closed:
                    sys.stdout.flush()
                stream.flush()
                same = os.path.samestat(os.fstat(number), os.fstat(self.output))
            except (OSError, ValueError):
                same = False
            if not same:
                complaint = complaint or f"closed or replaced its standard {name}"
        with contextlib.suppress(OSError):
            os.write(self.output, self.mark)
        return complaint

    def _answer(self, answer: Answer) -> None:
        try:
            send(self.answers, answer)
        except (pickle.PicklingError, TypeError, AttributeError) as error:
            # An adapter of somebody else's may have put anything into the report.
            report = answer.report
            send(self.answers, Answer(_unsendable(report, error), worn=True))


def _unsendable(report: Report, error: Exception) -> Report:
    return Report(str(report.name), Verdict.ERROR, error=f"internal error: the report cannot be sent: {error}")


def _refuse_breakpoint(*_: object, **__: object) -> None:
    raise UsageError("breakpoint() needs a terminal, and a worker has none", "run it with --in-process")
