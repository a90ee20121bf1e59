"""A running Dask cluster: the only file that imports Dask (extra ``gradcheck[dask]``), and only if it is asked for."""

from __future__ import annotations

import asyncio
import importlib
import secrets
import threading
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, cast

from gradcheck.errors import UsageError
from gradcheck.model import Case, Report
from gradcheck.runner.loans import Loan
from gradcheck.runner.outcome import failed
from gradcheck.runner.parcel import Parcel
from gradcheck.runner.remote import begin_help, end_help, give_help, run_parcel
from gradcheck.runner.wire import Part, Plea

TRIES = 2
PORT = 8786
_TICK = 0.5
_PATIENCE = 10.0  # seconds for the scheduler to answer


def open_cluster(address: str) -> tuple[Executor, CountedRun, Callable[[], None]]:
    """Return an executor that sends to a Dask scheduler, the function that it is to run, and one that hangs up.

    Parameters
    ----------
    address
        ``HOST:PORT`` of the scheduler; the port is 8786 by default.

    Raises
    ------
    UsageError
        If Dask is not installed, or no scheduler answers.
    """
    try:
        distributed: Any = importlib.import_module("distributed")
    except ImportError as error:
        raise UsageError("dask:// needs Dask, which is not installed", "pip install 'gradcheck[dask]'") from error
    host, colon, port = address.rpartition(":")
    target = f"tcp://{address}" if colon and port.isdigit() and host else f"tcp://{address}:{PORT}"
    try:
        client = distributed.Client(target, timeout=_PATIENCE, set_as_default=False)
    except (OSError, ValueError) as error:
        raise UsageError(f"no Dask scheduler answers at {target}: {error}", "start one: dask scheduler") from error
    return client.get_executor(pure=False), CountedRun(), lambda: client.close(timeout=1)


@dataclass(frozen=True)
class CountedRun:
    """Runs a parcel, and gives a case up with which workers have died before.

    Dask gives a task to one worker after the other until four have died of it. Here each start is noted with the
    scheduler, and the third one is not made.
    """

    topic: str = field(default_factory=lambda: f"gradcheck-{secrets.token_hex(8)}")

    def __call__(self, parcel: Parcel) -> Report:
        """Return the report of the case."""
        distributed: Any = importlib.import_module("distributed")
        worker = distributed.get_worker()
        topic = f"{self.topic}-{parcel.case.name}"
        noted = distributed.utils.sync(worker.loop, worker.scheduler.events, topic=topic)
        events = [event for _, event in noted]
        died = events.count("begun") - events.count("done")
        if died >= TRIES:
            return failed(parcel.case, f"given up after {TRIES} tries: each ended with the worker that ran it")
        worker.log_event(topic, "begun")
        report = run_parcel(parcel, Colleagues(parcel, distributed.get_client(), worker.address))
        worker.log_event(topic, "done")
        return report


class Colleagues:
    """The other workers of a cluster, as help for one large case (see :class:`gradcheck.runner.loans.Lender`).

    Each part is a task for the worker that has the layer built. A worker that dies with a part does not answer, and
    the case's own worker sees to the part.

    Parameters
    ----------
    parcel
        The case.
    client
        The connection of the worker that has it.
    address
        That worker's own.
    """

    def __init__(self, parcel: Parcel, client: Any, address: str) -> None:
        self._parcel, self._client = parcel, client
        self._asked = {address}

    def lend(self, case: Case, folder: str, plea: Plea, reply: Callable[[object], None]) -> list[Loan]:
        """Return loans of the workers that have no task."""
        try:
            idle = [where for where, tasks in self._client.processing().items() if not tasks]
        except Exception:  # noqa: BLE001 -- Dask's: the scheduler is gone, say, and so is all help
            return []
        loans = []
        for where in sorted({*idle} - self._asked):
            self._asked.add(where)
            loans.append(Loan(len(self._asked), case, folder, plea, reply))
            threading.Thread(target=self._serve, args=(loans[-1], where), daemon=True).start()
        return loans

    def _serve(self, loan: Loan, where: str) -> None:
        key = secrets.token_hex(8)
        part: Part | None = None
        try:
            if self._call(loan, where, begin_help, key, self._parcel):
                loan.join()
                while (part := loan.next()) is not None:
                    loan.hand_back(part, cast("bytes | None", self._call(loan, where, give_help, key, part.data)))
        except Exception:  # noqa: BLE001 -- a worker that has died has many names
            if part is not None:
                loan.hand_back(part, None)
        finally:
            self._asked.discard(where)
            with suppress(Exception):  # it forgets a helper that nobody asks for anything of itself
                importlib.import_module("distributed").fire_and_forget(self._submit(where, end_help, key))

    def _submit(self, where: str, function: Callable[..., object], *arguments: object) -> Any:
        return self._client.submit(function, *arguments, workers=[where], allow_other_workers=False, pure=False)

    def _call(self, loan: Loan, where: str, function: Callable[..., object], *arguments: object) -> object:
        future = self._submit(where, function, *arguments)
        while True:
            try:
                return future.result(timeout=_TICK)
            except (TimeoutError, asyncio.TimeoutError):
                if loan.ended.is_set():
                    future.cancel()
                    raise
