"""A worker process as the run sees it: started, asked, timed, ended."""

from __future__ import annotations

import contextlib
import os
import queue
import secrets
import signal
import subprocess
import sys
import threading
import time
from typing import IO

from gradcheck.errors import UsageError
from gradcheck.runner.keeper import Keeper
from gradcheck.runner.output import Output
from gradcheck.runner.reaper import end_tree
from gradcheck.runner.threads import hold_threads
from gradcheck.runner.wire import GarbledError, Ready, receive, send

_START = "import sys; sys.path[:] = sys.argv[3:]; from gradcheck.runner.worker import main; main(*sys.argv[1:3])"
_TICK = 0.25
_PATIENCE = 120.0  # seconds that a worker may take to start, on a machine that is busy with other things


class Process:
    """One worker process.

    Not :mod:`multiprocessing`, nor a pool built upon it: such processes cannot be started where Dask runs its tasks,
    they import the caller's main module again, one pipe shared by all is lost with any one of them, and of those pools
    that can time a task none notices that a process has ended with the status 0.

    Parameters
    ----------
    keeper
        Ends the process if this one is killed.
    memory
        Bytes that a case may take; ``None``: no limit.

    Raises
    ------
    UsageError
        If the system starts no more processes.
    """

    def __init__(self, keeper: Keeper, memory: int | None) -> None:
        mark = b"\0" + secrets.token_bytes(16) + b"\0"
        environment = dict(os.environ)
        hold_threads(environment)
        environment.setdefault("PYTHONHASHSEED", "0")  # sets of strings in the same order in all of them
        self._keeper = keeper
        self._ended, self._sending = threading.Lock(), threading.Lock()
        self._ready = False
        try:
            self._popen = subprocess.Popen(
                [sys.executable, "-c", _START, mark.hex(), str(memory or 0), *sys.path],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                env=environment,
                start_new_session=True,  # a group to be ended as a whole, and no Ctrl-C from the terminal
            )
        except OSError as error:
            raise _cannot_start(error.strerror or str(error)) from error
        keeper.add(self._popen.pid)
        self._requests, answers, output = _given(self._popen.stdin, self._popen.stdout, self._popen.stderr)
        self._messages: queue.Queue[object] = queue.Queue()
        arguments = (answers,)
        self._reader = threading.Thread(target=self._read, args=arguments, name="gradcheck answers", daemon=True)
        self._reader.start()
        self.output = Output(output, mark, self.end)

    def _read(self, pipe: IO[bytes]) -> None:
        # The thread owns the pipe: nobody may close it, and have its number used again, while this one reads from it.
        with pipe, contextlib.suppress(EOFError, OSError, GarbledError):
            while True:
                self._messages.put(receive(pipe.fileno()))
        self._messages.put(None)

    def get_ready(self) -> None:
        """Wait until the process has imported what it needs.

        Raises
        ------
        UsageError
            If it cannot.
        """
        if self._ready:
            return
        try:
            self._ready = isinstance(self.wait(_PATIENCE), Ready)
        except TimeoutError:
            self.end()
        if not self._ready:
            said = self.output.next().text.strip().rpartition("\n")[2]
            raise _cannot_start(said or "it says nothing")

    def send(self, message: object) -> None:
        """Write a request; one that cannot be written shows in the answer. May be called from any thread."""
        with self._sending, contextlib.suppress(OSError, ValueError):
            send(self._requests.fileno(), message)

    def wait(self, seconds: float | None) -> object:
        """Return the next answer; ``None`` if the process has ended or talks nonsense.

        Raises
        ------
        TimeoutError
            If there is none within the time.
        """
        limit = None if seconds is None else time.monotonic() + seconds
        while True:
            left = _TICK if limit is None else min(_TICK, max(limit - time.monotonic(), 0))
            try:
                return self._messages.get(timeout=left)
            except queue.Empty:
                pass
            # A child that the layer has forked may hold the pipe open for longer than its parent lives.
            if self._popen.poll() is not None:
                try:
                    return self._messages.get(timeout=_TICK)
                except queue.Empty:
                    return None
            if limit is not None and time.monotonic() >= limit:
                raise TimeoutError

    def interrogate(self) -> None:
        """Have the process write where it is to its output."""
        if hasattr(signal, "SIGUSR2"):
            with contextlib.suppress(OSError):
                self._popen.send_signal(signal.SIGUSR2)
                time.sleep(0.1)

    def status(self) -> int | None:
        """Return the exit status of a process that is about to end, or ``None`` if it is not."""
        try:
            return self._popen.wait(_TICK)
        except subprocess.TimeoutExpired:
            return None

    def end(self) -> None:
        """End the process and all that came out of it. May be called from any thread, and again."""
        with self._ended:
            if self._popen.returncode is None or os.name != "nt":
                end_tree(self._popen.pid)

    def close(self) -> None:
        """End the process and let go of all that is held of it."""
        self.end()
        self._popen.wait()
        self._keeper.forget(self._popen.pid)
        self._reader.join(2 * _TICK)
        self.output.join(2 * _TICK)
        self._requests.close()


def _cannot_start(reason: str) -> UsageError:
    return UsageError(f"a worker process cannot be started: {reason}", "try --in-process")


def _given(*pipes: IO[bytes] | None) -> list[IO[bytes]]:
    return [pipe for pipe in pipes if pipe is not None]
