"""The few words that everything else is said with."""

from __future__ import annotations

from enum import Enum
from typing import Literal, TypeAlias, get_args

Scalar: TypeAlias = "bool | int | float | str | None"
Plain: TypeAlias = "Scalar | list[Plain] | dict[str, Plain]"


Mode: TypeAlias = Literal["auto", "full", "slices", "coloured", "entries", "directions"]
Method: TypeAlias = Literal["central", "one-sided", "richardson", "complex-step", "reference"]
MODES: tuple[str, ...] = get_args(Mode)
METHODS: tuple[str, ...] = get_args(Method)


class Verdict(str, Enum):
    """What is said of a case."""

    PASS = "pass"
    FAIL = "fail"
    UNDECIDED = "undecided"
    ERROR = "error"

    def __str__(self) -> str:
        return self.value


class Severity(str, Enum):
    """How much a finding weighs: only a ``bug`` fails a case."""

    BUG = "bug"
    WARNING = "warning"
    NOTE = "note"

    def __str__(self) -> str:
        return self.value


class Status(str, Enum):
    """What is known of one entry of a gradient.

    ``FLOOR``: agrees, and is too small to be resolved. ``KINK``: lies between the one-sided derivatives.
    """

    PASS = "pass"
    FLOOR = "floor"
    KINK = "kink"
    UNDECIDED = "undecided"
    FAIL = "fail"
    NONFINITE = "nonfinite"

    def __str__(self) -> str:
        return self.value
