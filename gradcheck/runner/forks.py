"""What a layer forks: counted while a case runs, and ended after it.

A child of ``os.fork`` that nobody stops goes on where its parent is: in the middle of a trial. It may end that trial,
but must not start another, nor answer for it.
"""

from __future__ import annotations

import mmap
import os
import sys
import time

from gradcheck.runner.reaper import descendants, end_tree

MOST = 1000
CAME_BACK = "forked, and the child came back out of it"
_PATIENCE = 1.0


class Forks:
    """Watches the forks of this process; there is one in each worker."""

    def __init__(self) -> None:
        self.home = os.getpid()
        self.count = 0
        self._returned = mmap.mmap(-1, 1)  # shared with the children
        if hasattr(os, "fork"):
            sys.addaudithook(self._hear)

    def _hear(self, event: str, _: tuple[object, ...]) -> None:
        if event in ("os.fork", "os.forkpty"):
            self.count += 1
            if os.getpid() != self.home:
                raise RuntimeError("a process that the layer has forked may not fork again")
            if self.count > MOST or self._returned[0]:
                raise RuntimeError("the layer may not fork any more")

    def begin(self) -> None:
        """Forget the forks of the case before."""
        self.count = 0
        self._returned[0] = 0

    def leave_if_child(self) -> None:
        """End this process if it is not the worker itself but a child that came back out of the layer."""
        if os.getpid() != self.home:
            self._returned[0] = 1
            os._exit(0)

    def settle(self) -> str:
        """End the processes that the case has left; return what it did with them that no layer should do, or ``""``."""
        if os.name == "nt":
            return ""
        # What was forked and comes back does so at about the same time as the worker itself.
        limit = time.monotonic() + (_PATIENCE if self.count else 0)
        alive = self._alive()
        while alive and not self._returned[0] and time.monotonic() < limit:
            time.sleep(0.005)
            alive = self._alive()
        for child in alive:
            end_tree(child)
        if self._returned[0]:
            return CAME_BACK
        if alive:
            return f"left {len(alive)} {'process' if len(alive) == 1 else 'processes'} running"
        return ""

    def _alive(self) -> list[int]:
        """Collect the children that have ended, and return those that have not."""
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return []
        return [child for child in descendants(self.home) if child != _tracker()]


def _tracker() -> int | None:
    """Return multiprocessing's own helper, which is meant to stay."""
    module = sys.modules.get("multiprocessing.resource_tracker")
    tracker = getattr(module, "_resource_tracker", None)
    return getattr(tracker, "_pid", None)
