"""A running Dask cluster: the only file that imports Dask (extra ``gradcheck[dask]``), and only if it is asked for."""

from __future__ import annotations

import importlib
import secrets
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any

from gradcheck.errors import UsageError
from gradcheck.model import Report
from gradcheck.runner.outcome import failed
from gradcheck.runner.parcel import Parcel
from gradcheck.runner.remote import run_parcel

TRIES = 2
PORT = 8786
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
        report = run_parcel(parcel)
        worker.log_event(topic, "done")
        return report
