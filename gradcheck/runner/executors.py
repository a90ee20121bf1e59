"""Cases sent to a :class:`concurrent.futures.Executor`: a Dask cluster, MPI, or whatever offers one."""

from __future__ import annotations

import importlib
import os
import queue
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Executor, Future
from contextlib import suppress
from typing import TypeAlias, cast

import gradcheck
from gradcheck.errors import UsageError
from gradcheck.model import Case, Report
from gradcheck.runner.order import Watch, in_order
from gradcheck.runner.outcome import failed
from gradcheck.runner.parcel import Parcel, pack
from gradcheck.runner.plan import Plan
from gradcheck.runner.remote import run_parcel, stop_bench, tell_version

TRIES = 2
"""How often a case is tried whose worker dies."""

Run: TypeAlias = Callable[[Parcel], Report]


def run_on_executor(cases: Sequence[Case], plan: Plan, watch: Watch | None = None) -> Iterator[Report]:
    """Try cases by way of ``plan.executor`` and yield their reports, in their order.

    Raises
    ------
    UsageError
        If the executor cannot be had, or its workers have no gradcheck, or another one.
    """
    parcels = pack(cases, plan)
    executor, run, close = open_executor(plan.executor or "", plan.jobs)
    sending = Sending(executor, run, parcels)
    try:
        check_version(executor)
        sending.begin()
        yield from in_order(len(cases), sending.results, lambda done: watch(done, []) if watch else None)
    finally:
        sending.stop()
        close()


def open_executor(name: str, jobs: int | None = None) -> tuple[Executor, Run, Callable[[], None]]:
    """Return the executor of a name, the function that it is to run, and one that ends the connection.

    Parameters
    ----------
    name
        ``dask://HOST:PORT``, or ``module:attr``: an executor, or something that makes one when it is called.
    jobs
        Number of workers for something that makes one; its own default if ``None``.

    Raises
    ------
    UsageError
        If there is none.
    """
    if "://" in name:
        scheme, _, address = name.partition("://")
        if scheme != "dask":
            raise UsageError(f"unknown kind of executor {name!r}", "write dask://HOST:PORT or module:attr")
        from gradcheck.runner.cluster import open_cluster

        return open_cluster(address)
    found = _resolve(name)
    if callable(found) and not isinstance(found, Executor):
        try:
            found = found() if jobs is None else found(max_workers=jobs)
        except Exception as error:
            raise UsageError(f"the executor {name!r} cannot be made: {type(error).__name__}: {error}") from error
    if not callable(getattr(found, "submit", None)):
        raise UsageError(f"{name!r} is no concurrent.futures.Executor", "name one, or a function that returns one")
    executor = cast("Executor", found)
    return executor, run_parcel, lambda: end_executor(executor)


def _resolve(name: str) -> object:
    module, colon, attribute = name.rpartition(":")
    if not colon or not module:
        raise UsageError(f"{name!r} names no executor", "write dask://HOST:PORT or module:attr")
    try:
        found: object = importlib.import_module(module)
        for part in attribute.split("."):
            found = getattr(found, part)
    except Exception as error:
        raise UsageError(f"the executor {name!r} cannot be had: {type(error).__name__}: {error}") from error
    return found


def check_version(executor: Executor) -> None:
    """Ask one worker which gradcheck it has.

    Raises
    ------
    UsageError
        If it has none, or another version.
    """
    try:
        there = executor.submit(tell_version).result()
    except Exception as error:
        raise UsageError(
            f"the workers of the executor cannot run gradcheck: {type(error).__name__}: {error}", "install it there"
        ) from error
    if there != gradcheck.__version__:
        raise UsageError(f"the workers have gradcheck {there}, here is {gradcheck.__version__}", "install the same")


class Sending:
    """Parcels on their way, and the reports that have come back."""

    def __init__(self, executor: Executor, run: Run, parcels: Sequence[Parcel]) -> None:
        self.executor, self.run, self.parcels = executor, run, parcels
        self.results: queue.Queue[tuple[int, Report | Exception]] = queue.Queue()
        self._futures: dict[int, Future[Report]] = {}
        self._tries = dict.fromkeys(range(len(parcels)), 0)
        self._stopped = False

    def begin(self) -> None:
        """Send everything."""
        for number in range(len(self.parcels)):
            self._send(number)

    def _send(self, number: int) -> None:
        self._tries[number] += 1
        try:
            future = self.executor.submit(self.run, self.parcels[number])
        except Exception as error:  # noqa: BLE001 -- a pool that a worker has broken takes nothing more
            self._fail(number, error)
            return
        self._futures[number] = future
        future.add_done_callback(lambda done: self._receive(number, done))

    def _receive(self, number: int, future: Future[Report]) -> None:
        """Take a result; called in a thread of the executor's."""
        if self._stopped:
            return
        try:
            self.results.put((number, future.result()))
        except UsageError as error:
            self.results.put((number, error))
        except (Exception, CancelledError) as error:  # noqa: BLE001 -- every executor has errors of its own
            if self._tries[number] < TRIES and not is_final(error):
                self._send(number)
            else:
                self._fail(number, error)

    def _fail(self, number: int, error: BaseException) -> None:
        case = self.parcels[number].case
        message = f"given up after {TRIES} tries: each ended with the worker that ran it ({type(error).__name__})"
        self.results.put((number, failed(case, message)))

    def stop(self) -> None:
        """Have nothing more done, and end what this process has started itself."""
        self._stopped = True
        for future in self._futures.values():
            future.cancel()
        stop_bench()


def is_final(error: BaseException) -> bool:
    """Whether an executor has tried often enough itself: Dask does before it raises KilledWorker."""
    return type(error).__name__ == "KilledWorker"


def end_executor(executor: Executor) -> None:
    """Shut an executor down without waiting for what it is doing."""
    # A pool of the standard library would finish the cases under way, and keep this process from ending so long.
    processes = getattr(executor, "_processes", None)
    for process in list(processes) if isinstance(processes, dict) else []:
        with suppress(OSError, TypeError):
            os.kill(process, signal.SIGTERM if os.name == "nt" else signal.SIGKILL)
    with suppress(Exception):  # somebody else's code, and nothing is wanted of it any more
        executor.shutdown(wait=False)
