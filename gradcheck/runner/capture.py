"""What a layer prints while it is tried: kept, up to a cap, and away from the screen."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout

CAP = 4096
"""Characters of a layer's last output that a report keeps."""


class Tail(io.TextIOBase):
    """A text stream that remembers the last few thousand characters written to it."""

    def __init__(self, cap: int = CAP) -> None:
        self.cap = cap
        self.dropped = 0
        self._text = ""

    def writable(self) -> bool:
        """Return True: it is there to be written to."""
        return True

    def write(self, text: str) -> int:
        """Keep the end of what has been written."""
        self._text += text
        if len(self._text) > 2 * self.cap:
            self._trim()
        return len(text)

    def _trim(self) -> None:
        self.dropped += max(0, len(self._text) - self.cap)
        self._text = self._text[-self.cap :]

    @property
    def text(self) -> str:
        """What is remembered; where more was written, its first line may be cut, and is left out."""
        self._trim()
        _, newline, rest = self._text.partition("\n")
        return rest if self.dropped and newline else self._text


@contextmanager
def captured() -> Iterator[Tail]:
    """Send what Python code prints, to either stream, into one tail."""
    tail = Tail()
    with redirect_stdout(tail), redirect_stderr(tail):
        yield tail
