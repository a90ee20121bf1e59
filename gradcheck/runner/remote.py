"""What an executor's worker does: it runs a case in a worker process of its own, as a run on one machine would.

So a layer that crashes or hangs costs its own case here too, and not the executor's worker with all that it holds.
"""

from __future__ import annotations

import os
import threading

import gradcheck
from gradcheck.model import Report
from gradcheck.runner.keeper import Keeper
from gradcheck.runner.parcel import Parcel, restore_paths, unpack
from gradcheck.runner.slot import Slot

_IDLE = 20.0  # seconds after which a worker that nobody asks is ended


class Bench:
    """Slots that are kept from one case to the next; one for each thread that has work at the same time."""

    def __init__(self) -> None:
        self.process = os.getpid()
        self._keeper = Keeper()
        self._lock = threading.Lock()
        self._idle: list[tuple[int | None, Slot]] = []
        self._busy: set[Slot] = set()
        self._timer: threading.Timer | None = None

    def run(self, parcel: Parcel) -> Report:
        """Try the case of a parcel and return its report."""
        unpacked = unpack(parcel)
        slot = self._take(parcel.memory)
        try:
            report = slot.try_case(unpacked.case, parcel.timeout, unpacked.folder, shrinking=parcel.shrinking)
        finally:
            self._give_back(parcel.memory, slot)
        restore_paths(report, unpacked.root)
        return report

    def _take(self, memory: int | None) -> Slot:
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            fitting = [entry for entry in self._idle if entry[0] == memory]
            if fitting:
                self._idle.remove(fitting[-1])
            slot = fitting[-1][1] if fitting else Slot(self._keeper, memory)
            self._busy.add(slot)
            return slot

    def _give_back(self, memory: int | None, slot: Slot) -> None:
        with self._lock:
            self._busy.discard(slot)
            self._idle.append((memory, slot))
            if not self._busy:
                self._timer = threading.Timer(_IDLE, self.rest)
                self._timer.daemon = True
                self._timer.start()

    def rest(self) -> None:
        """End the workers that have nothing to do."""
        with self._lock:
            idle, self._idle = self._idle, []
        for _, slot in idle:
            slot.close()

    def stop(self) -> None:
        """End all workers, whatever they are doing."""
        with self._lock:
            busy = list(self._busy)
        for slot in busy:
            slot.stop()
        self.rest()
        self._keeper.close()


_bench: Bench | None = None
_lock = threading.Lock()


def run_parcel(parcel: Parcel) -> Report:
    """Try the case of a parcel in this process's own worker and return its report."""
    global _bench  # noqa: PLW0603
    with _lock:
        if _bench is None or _bench.process != os.getpid():  # a process that was forked off has none of its own yet
            _bench = Bench()
    return _bench.run(parcel)


def stop_bench() -> None:
    """End the workers of this process, if it has any."""
    global _bench
    with _lock:
        bench, _bench = _bench, None
    if bench is not None and bench.process == os.getpid():
        bench.stop()


def tell_version() -> str:
    """Return the version of gradcheck that is installed here."""
    return gradcheck.__version__
