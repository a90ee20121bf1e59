"""Error against step size as a picture for the page: where each line and label of an inline SVG goes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from gradcheck.model import Curve, Verdict
from gradcheck.report import numbers
from gradcheck.report.curve import apart, explain_curve
from gradcheck.report.escape import visible

WIDTH, HEIGHT = 420, 250
LEFT, RIGHT, TOP, BOTTOM = 52, 12, 20, 44
"""Margins, for the labels of the axes."""

MOST_TICKS = 7
CROSS = 3


def view_curve(curve: Curve, name: str, verdict: Verdict) -> dict[str, Any]:
    """Return what the template draws of a curve; nothing in it is markup.

    Parameters
    ----------
    curve
        The measurements.
    name
        Of the input.
    verdict
        What is said of the input.
    """
    entry = visible(name) + numbers.at(curve.index)
    words = [text.partition(": ") for text in explain_curve(curve, verdict)]
    return {
        "entry": entry,
        "words": [(lead, said.replace(" +- ", " ± ")) for lead, _, said in words],
        "calls": numbers.plural(curve.evaluations, "forward call"),
        "plot": _plot(curve),
    }


def _plot(curve: Curve) -> dict[str, Any] | None:
    """Return the picture, or nothing where there is nothing but zeros."""
    distance = apart(curve)
    lines = [value for value in (curve.bound, distance) if value > 0 and math.isfinite(value)]
    positive = [error for error in curve.errors if error > 0 and math.isfinite(error)]
    if not positive or not all(step > 0 for step in curve.steps):
        return None
    levels = [math.log10(value) for value in [*positive, *lines]]
    # room below the lowest line and point for a label
    low, high = math.floor(min(levels)) - 2, math.ceil(max(levels))
    first, last = math.log10(curve.steps[0]), math.log10(curve.steps[-1])

    def across(step: float) -> float:
        return _round(LEFT + (WIDTH - LEFT - RIGHT) * (math.log10(step) - first) / max(last - first, 1e-9))

    def up(error: float) -> float:
        # an error of exactly zero lies on the floor
        level = math.log10(error) if error > 0 else low
        return _round(TOP + (HEIGHT - TOP - BOTTOM) * (high - level) / max(high - low, 1))

    places = [
        (across(step), up(error)) for step, error in zip(curve.steps, curve.errors, strict=True) if math.isfinite(error)
    ]
    near = min(range(len(curve.steps)), key=lambda place: abs(math.log(curve.steps[place] / curve.chosen)))
    outside = [across(step) for step, error in zip(curve.steps, curve.errors, strict=True) if not math.isfinite(error)]
    seen = math.isfinite(curve.errors[near])
    return {
        "size": (WIDTH, HEIGHT),
        "box": (LEFT, TOP, WIDTH - RIGHT, HEIGHT - BOTTOM),
        "steps": [(across(10.0**power), f"1e{power:+03d}") for power in _ticks(math.ceil(first), math.floor(last))],
        "errors": [(up(10.0**power), f"1e{power:+03d}") for power in _ticks(low + 1, high)],
        "line": "M" + "L".join(f"{x} {y}" for x, y in places),
        "dots": "".join(f"M{x} {y}h0" for x, y in places),
        "outside": "".join(
            f"M{_round(x - CROSS)} {TOP - CROSS}l{2 * CROSS} {2 * CROSS}m0 {-2 * CROSS}l{-2 * CROSS} {2 * CROSS}"
            for x in outside
        ),
        "bound": up(curve.bound) if 0 < curve.bound < math.inf else None,
        "claim": up(distance) if distance > curve.bound and math.isfinite(distance) else None,
        "chosen": (across(curve.steps[near]), up(curve.errors[near])) if seen else None,
    }


def _ticks(first: int, last: int) -> Sequence[int]:
    """Return some whole powers of ten between two, evenly spaced."""
    apart_by = max(1, math.ceil((last - first + 1) / MOST_TICKS))
    return [power for power in range(first, last + 1) if power % apart_by == 0]


def _round(value: float) -> float:
    return round(value, 1)
