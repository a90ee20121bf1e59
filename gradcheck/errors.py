"""Every exception that a user can meet, each with a message that says what to do.

::

    GradcheckError
    ├── UsageError            the request cannot be carried out (exit status 2)
    │   ├── CaseFileError     a case file does not say something sensible; carries its complaints
    │   ├── NameLookupError   a name that exists nowhere, or twice
    │   └── BindingError      an argument that could mean two things
    ├── LayerError            the layer raised, or returned what no layer returns (verdict ``error``)
    └── GradientMismatch      raised by ``assert_gradients``; also an AssertionError
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class GradcheckError(Exception):
    """Anything that gradcheck itself raises on purpose."""


class UsageError(GradcheckError):
    """The request cannot be carried out as it stands.

    Parameters
    ----------
    message
        What happened, one line.
    help
        What to do about it, or an empty string.
    """

    def __init__(self, message: str, help: str = "") -> None:  # noqa: A002
        super().__init__(message)
        self.message = message
        self.help = help

    def __str__(self) -> str:
        return f"{self.message}\n  = help: {self.help}" if self.help else self.message


@dataclass(frozen=True, slots=True)
class Complaint:
    """One thing that is wrong at one place of a file; ``line`` and ``column`` count from 1 (0: no place)."""

    file: str
    line: int
    column: int
    message: str
    excerpt: str = ""
    width: int = 1
    help: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}: " if self.line else f"{self.file}: "
        lines = [f"{place}error: {self.message}"]
        if self.excerpt:
            margin = " " * len(str(self.line))
            caret = " " * (self.column - 1) + "^" * max(1, self.width)
            lines += [f"{margin} |", f"{self.line} | {self.excerpt}", f"{margin} | {caret}"]
        if self.help:
            lines.append(f"  = help: {self.help}")
        return "\n".join(lines)


class CaseFileError(UsageError):
    """A case file with one or more complaints, all shown at once."""

    def __init__(self, complaints: Sequence[Complaint]) -> None:
        self.complaints = tuple(complaints)
        super().__init__("\n".join(map(str, complaints)))


class NameLookupError(UsageError):
    """A layer, case, module or attribute that does not exist, or exists twice."""


class BindingError(UsageError):
    """An argument of a layer that cannot be bound without a word from its author."""


class LayerError(GradcheckError):
    """The layer under test raised, or returned something that is no array.

    Parameters
    ----------
    message
        What happened, in terms of the layer (``forward raised ValueError: ...``).
    trace
        The layer's own traceback as text, shown with ``--debug``.
    """

    def __init__(self, message: str, trace: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.trace = trace


class GradientMismatch(GradcheckError, AssertionError):  # noqa: N818
    """Raised by :func:`gradcheck.assert_gradients`; the message is the table."""
