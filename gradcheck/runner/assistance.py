"""Help with a large case, as the worker that asks for it sees it: messages to the run, and from it."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Sequence

from gradcheck.runner.wire import Done, GarbledError, Joined, Part, Plea, Release, receive, send

AGAIN = 2.0
"""Seconds after which somebody who has found no help asks again."""


class Assistance:
    """The helpers of the case under way (see :class:`gradcheck.trial.helpers.Helpers`).

    Parameters
    ----------
    requests, answers
        Descriptors that messages come from and go to.
    """

    def __init__(self, requests: int, answers: int) -> None:
        self._requests, self._answers = requests, answers
        self._present: dict[int, int] = {}  # the number of the part that each helper has
        self._done: dict[int, Done] = {}
        self._session = self._number = 0
        self._next = 0.0
        self._asked = False

    def ask(self) -> None:
        """Ask the run for help, now and then; it has none to give while all workers have cases of their own."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + AGAIN
        self._asked |= self._send(Plea(self._session))

    def present(self) -> Sequence[int]:
        """Return the numbers of the helpers that have come and are still there."""
        while self._asked and self._hear(0):
            pass
        return sorted(self._present)

    def give(self, helper: int, part: bytes) -> None:
        """Hand a part to a helper."""
        self._number += 1
        self._present[helper] = self._number
        self._send(Part(helper, self._number, part))

    def take(self, helper: int, patience: float) -> bytes | None:
        """Return what became of the part; ``None`` if the helper failed, is gone, or takes longer than that."""
        limit = time.monotonic() + patience
        while helper not in self._done and helper in self._present:
            left = limit - time.monotonic()
            if left <= 0 or not self._hear(left):
                break
        done = self._done.pop(helper, None)
        if done is None or done.data is None:
            if self._present.pop(helper, None) is not None:
                self._send(Release(helper))
            return None
        return done.data

    def release(self) -> None:
        """Send all helpers away."""
        if self._asked:
            self._send(Release(None))
        self._session += 1  # whoever comes now comes too late
        self._asked, self._next = False, 0.0
        self._present.clear()
        self._done.clear()

    def _hear(self, seconds: float) -> bool:
        """Wait for the next message; return whether one came."""
        try:
            if not select.select([self._requests], [], [], seconds)[0]:
                return False
            message = receive(self._requests)
        except (OSError, ValueError, EOFError, GarbledError):  # a layer has closed the pipe, or the run is over
            self._asked = False
            self._present.clear()
            return False
        if isinstance(message, Joined) and message.session == self._session:
            self._present[message.helper] = 0
        elif isinstance(message, Done) and self._present.get(message.helper) == message.number:
            self._done[message.helper] = message
        return True

    def _send(self, message: object) -> bool:
        try:
            send(self._answers, message)
        except OSError:
            return False
        return True


def can_assist() -> bool:
    """Whether this system can wait for a message and for a moment at the same time."""
    return os.name != "nt"
