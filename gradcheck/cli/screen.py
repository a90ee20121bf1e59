"""Where output goes: how wide it is, whether it has colour, and a line of progress beside it."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TextIO

from gradcheck.report.escape import disarm, visible
from gradcheck.report.layout import cells

WIDTH_OF_A_PIPE = 80

WAYS = {"json": "json", "sarif": "json", "junit": "markup", "html": "markup", "markdown": "markup"}
"""Forms in which an escape is read back as what it stands for."""


def wants_color(choice: str, stream: TextIO, environ: Mapping[str, str] | None = None) -> bool:
    """Whether a stream gets colour.

    What was asked for on the command line (``always``, ``never``) comes first, then ``NO_COLOR``, then
    ``FORCE_COLOR``; else a terminal gets colour unless it calls itself dumb. An empty variable counts as unset.
    See https://no-color.org and https://force-color.org.
    """
    environ = os.environ if environ is None else environ
    if choice != "auto":
        return choice == "always"
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and environ.get("TERM", "").lower() not in ("dumb", "unknown")


def width_of(stream: TextIO, environ: Mapping[str, str] | None = None) -> int:
    """Return the columns of a terminal, and 80 of a pipe; ``COLUMNS`` overrides both."""
    environ = os.environ if environ is None else environ
    try:
        asked = int(environ.get("COLUMNS", ""))
    except ValueError:
        asked = 0
    if asked > 0:
        return asked
    if not stream.isatty():
        return WIDTH_OF_A_PIPE
    try:
        return os.get_terminal_size(stream.fileno()).columns or WIDTH_OF_A_PIPE
    except (OSError, ValueError, AttributeError):  # a stream that only says that it is a terminal
        return WIDTH_OF_A_PIPE


def has_blocks(stream: TextIO) -> bool:
    """Whether a stream's encoding has the characters that shade a heat map."""
    from gradcheck.report.heatmap import BLOCKS  # only --show heatmap asks

    try:
        BLOCKS.encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


@dataclass(slots=True)
class Screen:
    """Results go to stdout, everything else to stderr."""

    color: bool
    width: int
    progress: bool

    @classmethod
    def open(cls, color: str = "auto", *, quiet: bool = False) -> Screen:
        """Look at the process's own streams."""
        lively = sys.stderr.isatty() and os.environ.get("TERM", "").lower() != "dumb" and not quiet
        return cls(wants_color(color, sys.stdout), width_of(sys.stdout), lively)

    @property
    def blocks(self) -> bool:
        """Whether the output can show what shades a heat map."""
        return has_blocks(sys.stdout)

    def print(self, text: str = "") -> None:
        """Write a result, which is text for a person."""
        self.print_form("table", text)

    def print_form(self, kind: str, text: str) -> None:
        """Write a result in one of the forms of :data:`gradcheck.report.formats.FORMATS`; one may be commands."""
        sys.stdout.write((text if kind == "github" else disarm(text, WAYS.get(kind, "visible"))) + "\n")
        sys.stdout.flush()

    def warn(self, text: str) -> None:
        """Write a warning."""
        sys.stderr.write(disarm(f"gradcheck: warning: {visible(text)}\n"))

    def remark(self, text: str) -> None:
        """Write something that is no result."""
        sys.stderr.write(disarm(f"gradcheck: {visible(text)}\n"))

    def show_progress(self, text: str) -> None:
        """Put a line on a terminal that the next one replaces."""
        if self.progress:
            text = visible(text)
            while cells(text) >= self.width:
                text = text[:-1]
            sys.stderr.write(f"\r\x1b[K{text}")
            sys.stderr.flush()

    def clear_progress(self) -> None:
        """Take the line of progress away."""
        if self.progress:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
