"""Numbers as they are shown. What is claimed is rounded towards the careful side."""

from __future__ import annotations

import math
from collections.abc import Sequence

LONGEST = 17
"""Significant digits that tell any two float64 apart."""


def relative(value: float) -> str:
    """Return a relative error with two digits: ``9.4e-01``, ``0``, ``nan``."""
    return "0" if value == 0 else f"{value:.1e}"


def round_up(value: float, digits: int = 1) -> str:
    """Return a positive number with so many digits, never smaller than it is: a bound, a resolution, a tolerance."""
    return _directed(value, digits, up=True)


def round_down(value: float, digits: int = 2) -> str:
    """Return a positive number with so many digits, never larger than it is: what is certain."""
    return _directed(value, digits, up=False)


def percent(value: float) -> str:
    """Return a certain relative error, rounded down: ``3.2 %``, and ``1.5e-05`` where per cent would be all zeros."""
    text = round_down(value, 2)
    if not math.isfinite(value) or value < 1e-3:
        return text
    hundredfold = float(text) * 100
    return f"{hundredfold:.0f} %" if hundredfold >= 10 else f"{hundredfold:.2g} %"


def times(value: float) -> str:
    """Return a margin, rounded down: ``x1.3``, ``x40``, ``x2e+05``."""
    if not math.isfinite(value) or value >= 10_000:
        return f"x{round_down(value, 1)}"
    return f"x{math.floor(value * 10) / 10:.1f}" if value < 10 else f"x{math.floor(value)}"


def significant(value: float, digits: int = 6) -> str:
    """Return a value with so many significant digits, trailing zeros left out."""
    return "0" if value == 0 else f"{value:.{digits}g}"


def digits_to_tell(error: float) -> int:
    """Return how many significant digits show a relative difference, at least 6."""
    if not math.isfinite(error) or error <= 0:
        return 6
    return min(LONGEST, max(6, math.ceil(-math.log10(error)) + 2))


def count(number: int) -> str:
    """Return a whole number, with commas from 10,000 on."""
    return f"{number:,}" if abs(number) >= 10_000 else str(number)


def plural(number: int, one: str, many: str | None = None) -> str:
    """Return a number with its noun: ``1 entry``, ``20 entries``."""
    return f"{count(number)} {one if number == 1 else many or one + 's'}"


def at(index: Sequence[int]) -> str:
    """Return an index as it is written after a name: ``[1, 3]``, and nothing for 0-d."""
    return f"[{', '.join(map(str, index))}]" if index else ""


def shape(sizes: Sequence[int]) -> str:
    """Return a shape as numpy writes it: ``(4, 5)``, ``(5,)``, ``()``."""
    return str(tuple(sizes))


def _directed(value: float, digits: int, *, up: bool) -> str:
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else str(value)
    text = f"{value:.{digits - 1}e}"
    got = float(text)
    if got == value or (got > value) is up:
        return text
    mantissa, exponent = text.split("e")
    number, power = int(mantissa.replace(".", "")) + (1 if up else -1), int(exponent)
    if number == 10**digits:
        number, power = 10 ** (digits - 1), power + 1
    elif number < 10 ** (digits - 1):
        number, power = 10**digits - 1, power - 1
    written = str(number)
    return f"{written[0]}{'.' + written[1:] if digits > 1 else ''}e{power:+03d}"
