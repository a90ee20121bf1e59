"""The process beside a run that ends its workers should the run be killed."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading

from gradcheck.runner import reaper


class Keeper:
    """Tells a process of :mod:`gradcheck.runner.reaper` which workers there are. On Windows there is none."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        if os.name != "nt":
            # A session of its own: Ctrl-C in a terminal reaches all of the run's.
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", reaper.__file__],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                bufsize=0,
                start_new_session=True,
                cwd=os.sep,
            )

    def add(self, worker: int) -> None:
        """Have a worker ended with the run."""
        self._tell(f"+{worker}\n")

    def forget(self, worker: int) -> None:
        """Take a worker that has ended off the list, before its number is given to another process."""
        self._tell(f"-{worker}\n")

    def _tell(self, line: str) -> None:
        with self._lock:
            if self._process is not None and self._process.stdin is not None:
                with contextlib.suppress(OSError):
                    self._process.stdin.write(line.encode())

    def close(self) -> None:
        """End it, and with it the workers that are left."""
        with self._lock:
            if self._process is not None and self._process.stdin is not None:
                self._process.stdin.close()
                self._process.wait()
                self._process = None
