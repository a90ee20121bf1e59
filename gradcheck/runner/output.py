"""What a worker prints: read as it comes, kept up to a cap, divided into cases by the mark that follows each."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO

from gradcheck.runner.capture import CAP

FLOOD = 32 << 20
"""Bytes of output that a case may write."""

_KEPT = 64 << 10  # more than the cap: the traceback of a crash comes after it


@dataclass(frozen=True, slots=True)
class Printed:
    """The end of what one case printed, and whether it was more than any case may."""

    data: bytes
    size: int
    flooded: bool = False

    @property
    def cut(self) -> bool:
        """Whether it began earlier."""
        return self.size > len(self.data)

    @property
    def text(self) -> str:
        """As text; not yet cut to the cap."""
        return self.data.decode("utf-8", "backslashreplace")


class Output:
    """Reads the output of one worker in a thread of its own.

    Parameters
    ----------
    pipe
        What to read; closed when it ends.
    mark
        The bytes that end the output of a case.
    on_flood
        Called in that thread when a case has printed more than :data:`FLOOD`.
    """

    def __init__(self, pipe: IO[bytes], mark: bytes, on_flood: Callable[[], None]) -> None:
        self._pipe, self._mark, self._on_flood = pipe, mark, on_flood
        self._buffer = bytearray()
        self._dropped = 0
        self._flood: Printed | None = None
        self._done: queue.Queue[Printed] = queue.Queue()
        self._thread = threading.Thread(target=self._read, name="gradcheck output", daemon=True)
        self._thread.start()

    def next(self, patience: float = 2.0) -> Printed:
        """Return what the case printed that has just ended, or whose process has.

        ``patience`` is for a process that has left others which hold its pipe open.
        """
        try:
            return self._done.get(timeout=patience)
        except queue.Empty:
            return Printed(b"", 0)

    def join(self, patience: float = 2.0) -> None:
        """Wait for the end of the pipe."""
        self._thread.join(patience)

    def _read(self) -> None:
        with self._pipe:
            while data := _read_some(self._pipe.fileno()):
                self._feed(data)
        self._finish(bytes(self._buffer))

    def _feed(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(self._mark)) >= 0:
            self._finish(bytes(self._buffer[:end]))
            del self._buffer[: end + len(self._mark)]
        excess = self._dropped + len(self._buffer) - FLOOD
        if excess > 0 and self._flood is None:
            # Cut where the flood begins: what is kept must not depend on how fast it was read.
            kept = bytes(self._buffer[: len(self._buffer) - excess])
            self._flood = Printed(kept[-_KEPT:], FLOOD, flooded=True)
            self._on_flood()
        surplus = len(self._buffer) - _KEPT - len(self._mark)
        if surplus > _KEPT:
            del self._buffer[:surplus]
            self._dropped += surplus

    def _finish(self, data: bytes) -> None:
        size = self._dropped + len(data)
        if self._flood is None and size > FLOOD:
            self._flood = Printed(data[: len(data) - (size - FLOOD)][-_KEPT:], FLOOD, flooded=True)
        self._done.put(self._flood or Printed(data[-_KEPT:], size))
        self._flood, self._dropped = None, 0


def tail(text: str, *, cut: bool = False) -> str:
    """Return the end of a text, at most :data:`CAP` characters; a line that is cut by that is left out."""
    if len(text) > CAP:
        text, cut = text[-CAP:], True
    _, newline, rest = text.partition("\n")
    return rest if cut and newline else text


def _read_some(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 1 << 16)
    except OSError:
        return b""
