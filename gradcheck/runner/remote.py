"""What an executor's worker does: it runs a case in a worker process of its own, as a run on one machine would.

So a layer that crashes or hangs costs its own case here too, and not the executor's worker with all that it holds.
"""

from __future__ import annotations

import os
import queue
import threading

import gradcheck
from gradcheck.model import Report
from gradcheck.runner.keeper import Keeper
from gradcheck.runner.loans import Lender, Loan
from gradcheck.runner.parcel import Parcel, restore_paths, unpack
from gradcheck.runner.slot import Slot, StoppedError
from gradcheck.runner.wire import Done, Joined, Part, Plea

_IDLE = 20.0  # seconds after which a worker that nobody asks is ended
_FORGOTTEN = 60.0  # and one that helps, for whoever has asked for it may have died


class Bench:
    """Slots that are kept from one case to the next; one for each thread that has work at the same time."""

    def __init__(self) -> None:
        self.process = os.getpid()
        self._keeper = Keeper()
        self._lock = threading.Lock()
        self._idle: list[tuple[int | None, Slot]] = []
        self._busy: set[Slot] = set()
        self._timer: threading.Timer | None = None
        self._help: dict[str, tuple[Loan, queue.SimpleQueue[object]]] = {}

    def run(self, parcel: Parcel, lender: Lender | None = None) -> Report:
        """Try the case of a parcel and return its report."""
        unpacked = unpack(parcel)
        slot = self._take(parcel.memory)
        try:
            report = slot.try_case(
                unpacked.case, parcel.timeout, unpacked.folder, shrinking=parcel.shrinking, lender=lender
            )
        finally:
            self._give_back(parcel.memory, slot)
        restore_paths(report, unpacked.root)
        return report

    def begin_help(self, key: str, parcel: Parcel) -> bool:
        """Have a worker help with the case of a parcel that runs elsewhere; return whether it can."""
        unpacked = unpack(parcel)
        replies: queue.SimpleQueue[object] = queue.SimpleQueue()
        loan = Loan(0, unpacked.case, unpacked.folder, Plea(0), replies.put, patience=_FORGOTTEN)
        self._help[key] = loan, replies

        def work() -> None:
            slot = self._take(parcel.memory)
            try:
                slot.assist(loan)
            except StoppedError:
                pass
            finally:
                self._help.pop(key, None)
                self._give_back(parcel.memory, slot)
                replies.put(None)

        threading.Thread(target=work, name="gradcheck help", daemon=True).start()
        return isinstance(replies.get(), Joined)

    def give_help(self, key: str, data: bytes) -> bytes | None:
        """Return what becomes of a part."""
        if key not in self._help:
            return None
        loan, replies = self._help[key]
        loan.give(Part(0, 0, data))
        done = replies.get()
        return done.data if isinstance(done, Done) else None

    def end_help(self, key: str) -> None:
        """Call the worker back."""
        if key in self._help:
            self._help[key][0].end()

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


def run_parcel(parcel: Parcel, lender: Lender | None = None) -> Report:
    """Try the case of a parcel in this process's own worker and return its report."""
    return _own_bench().run(parcel, lender)


def begin_help(key: str, parcel: Parcel) -> bool:
    """Have a worker of this process help with a case that runs elsewhere; return whether it can."""
    return _own_bench().begin_help(key, parcel)


def give_help(key: str, data: bytes) -> bytes | None:
    """Return what becomes of some points of that case; ``None``: nothing."""
    return _own_bench().give_help(key, data)


def end_help(key: str) -> None:
    """Say that no more help is needed."""
    _own_bench().end_help(key)


def _own_bench() -> Bench:
    global _bench  # noqa: PLW0603
    with _lock:
        if _bench is None or _bench.process != os.getpid():  # a process that was forked off has none of its own yet
            _bench = Bench()
        return _bench


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
