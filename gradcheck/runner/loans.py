"""Workers without a case of their own, lent to those whose case is large."""

from __future__ import annotations

import itertools
import queue
import threading
from collections import deque
from collections.abc import Callable
from typing import Protocol

from gradcheck.model import Case
from gradcheck.runner.wire import Done, Joined, Part, Plea, Release


class Loan:
    """One worker that helps with one case until it is called back.

    Parameters
    ----------
    number
        Its own, unlike that of any other.
    case, folder, plea
        What is to be helped with.
    reply
        Sends a message to the worker that has asked.
    patience
        Seconds without a part after which the loan ends of itself; ``None``: it does not.
    """

    def __init__(
        self,
        number: int,
        case: Case,
        folder: str,
        plea: Plea,
        reply: Callable[[object], None],
        patience: float | None = None,
    ) -> None:
        self.number, self.case, self.folder, self.plea = number, case, folder, plea
        self._reply, self._patience = reply, patience
        self._parts: queue.Queue[Part | None] = queue.Queue()
        self.ended = threading.Event()

    def give(self, part: Part) -> None:
        """Have a part evaluated."""
        self._parts.put(part)

    def end(self) -> None:
        """Call the worker back, in whatever it is doing."""
        self.ended.set()
        self._parts.put(None)

    def next(self) -> Part | None:
        """Wait for the next part; ``None`` if there are no more."""
        try:
            part = self._parts.get(timeout=self._patience)
        except queue.Empty:
            return None
        return None if self.ended.is_set() else part

    def join(self) -> None:
        """Say that the worker is ready."""
        self._reply(Joined(self.plea.session, self.number))

    def hand_back(self, part: Part, data: bytes | None) -> None:
        """Say what became of a part; ``None``: nothing."""
        self._reply(Done(self.number, part.number, data))


class Lender(Protocol):
    """Where help is to be had."""

    def lend(self, case: Case, folder: str, plea: Plea, reply: Callable[[object], None]) -> list[Loan]:
        """Return loans of those who have nothing else to do, perhaps none."""


class Bank:
    """The idle workers of a run.

    Parameters
    ----------
    workers
        How many there are in all.
    """

    def __init__(self, workers: int) -> None:
        self._numbers = itertools.count(1)
        self._busy = workers
        self._idle: deque[queue.SimpleQueue[Loan | None]] = deque()
        self._lock = threading.Lock()
        self._closed = False

    def wait(self) -> Loan | None:
        """Wait until somebody needs help, in a thread that has none to ask for; ``None`` when the run is over."""
        seat: queue.SimpleQueue[Loan | None] = queue.SimpleQueue()
        with self._lock:
            if self._closed:
                return None
            self._idle.append(seat)
        return seat.get()

    def retire(self) -> None:
        """Say that a worker has no more cases of its own; when the last one does, the run is over."""
        with self._lock:
            self._busy -= 1
            over = self._busy == 0
        if over:
            self.close()

    def lend(self, case: Case, folder: str, plea: Plea, reply: Callable[[object], None]) -> list[Loan]:
        """Return loans of idle workers: a fair share of them, for others may ask as well."""
        with self._lock:
            share = -(-len(self._idle) // max(self._busy, 1))
            seats = [self._idle.popleft() for _ in range(share)]
        loans = [Loan(next(self._numbers), case, folder, plea, reply) for _ in seats]
        for seat, loan in zip(seats, loans, strict=True):
            seat.put(loan)
        return loans

    def close(self) -> None:
        """Have nobody wait any more."""
        with self._lock:
            self._closed = True
            seats, self._idle = list(self._idle), deque()
        for seat in seats:
            seat.put(None)


class Desk:
    """The help that one case has: what its worker asks for is passed on.

    Parameters
    ----------
    lender
        Who has help to give; ``None``: nobody.
    case, folder
        The case, and the folder that it is run from.
    reply
        Sends a message to its worker.
    """

    def __init__(self, lender: Lender | None, case: Case, folder: str, reply: Callable[[object], None]) -> None:
        self._lender, self._case, self._folder, self._reply = lender, case, folder, reply
        self._loans: dict[int, Loan] = {}

    def take(self, message: object) -> bool:
        """Do what a message asks for; return whether it was one about help."""
        if isinstance(message, Plea):
            if self._lender is not None:
                loans = self._lender.lend(self._case, self._folder, message, self._reply)
                self._loans.update({loan.number: loan for loan in loans})
        elif isinstance(message, Part):
            if message.helper in self._loans:
                self._loans[message.helper].give(message)
        elif isinstance(message, Release):
            for number in list(self._loans) if message.helper is None else [message.helper]:
                if number in self._loans:
                    self._loans.pop(number).end()
        else:
            return False
        return True

    def close(self) -> None:
        """Call all helpers back."""
        self.take(Release(None))
