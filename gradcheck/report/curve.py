"""Error against step size: the V of round-off and truncation, as a plot in characters and in words."""

from __future__ import annotations

import math
from collections.abc import Sequence

from gradcheck.model import Curve, Verdict
from gradcheck.report import numbers
from gradcheck.report.ink import FAINT, STRONG, VERDICTS, WRONG, Line, paint, render
from gradcheck.report.layout import pad_left, wrap

INDENT = "  "
MOST_ROWS = 16
LABEL = 6
POINT, CHOSEN, BOUND, CLAIM, OUTSIDE = "*", "o", "-", "=", "x"
NARROW = 0.25
"""How far a measured exponent may be from a whole number to be called that."""


def draw_curve(curve: Curve, *, case: str, verdict: Verdict, name: str, width: int = 80, color: bool = False) -> str:
    """Return the plot and what it means.

    Parameters
    ----------
    curve
        The measurements.
    case, verdict
        The case, and what is said of it.
    name
        Of the input.
    width, color
        As in :func:`gradcheck.report.terminal.draw`.
    """
    entry = name + numbers.at(curve.index)
    head = Line(str(verdict).upper(), VERDICTS[verdict]).add("  ").add(case, STRONG).add(f"   {entry}")
    lines = [head, Line(), Line(f"{INDENT}error of a central difference, by step", FAINT), *_plot(curve, width)]
    legend = f"{POINT} a step, {CHOSEN} the one chosen, {BOUND} bound of the measurement"
    if _differs(curve):
        legend += f", {CLAIM} distance of the backward"
    if any(map(math.isnan, curve.errors)):
        legend += f", {OUTSIDE} outside of the domain"
    lines += [*paint(wrap(legend, width, INDENT), others=FAINT), Line()]
    for text in explain_curve(curve, verdict):
        lines += paint(wrap(text, width, INDENT, INDENT * 2), text.partition(":")[0] + ":", STRONG)
    lines += [Line(), Line(f"{INDENT}{numbers.count(curve.evaluations)} forward calls", FAINT)]
    return render(lines, color=color)


def explain_curve(curve: Curve, verdict: Verdict) -> list[str]:
    """Return what a curve says, a sentence each, with a word and a colon at its beginning.

    Parameters
    ----------
    curve
        The measurements.
    verdict
        What is said of the input.
    """
    return [*_branches(curve), *_conclusion(curve, verdict)]


def apart(curve: Curve) -> float:
    """Return how far the backward is from the measured derivative."""
    return abs(curve.analytic - curve.numeric)


def _differs(curve: Curve) -> bool:
    return math.isfinite(apart(curve)) and apart(curve) > 0


def _levels(curve: Curve) -> list[float]:
    """Return the logarithms that the plot has to show."""
    shown = [error for error in curve.errors if error > 0 and math.isfinite(error)]
    shown += [value for value in (curve.bound, apart(curve)) if value > 0 and math.isfinite(value)]
    return [math.log10(value) for value in shown]


def _plot(curve: Curve, width: int) -> list[Line]:
    levels = _levels(curve)
    if not levels:
        return [Line(f"{INDENT}no step shows any error: the difference is exact")]
    top, bottom = math.ceil(max(levels)), math.floor(min(levels))
    decades = max(1, math.ceil((top - bottom + 1) / MOST_ROWS))
    rows = (top - bottom) // decades + 1
    zeros = any(error == 0 for error in curve.errors)
    gap = max(1, min(2, (width - len(INDENT) - LABEL - 2) // max(1, len(curve.steps))))
    columns = gap * len(curve.steps)
    field = [[" "] * columns for _ in range(rows + zeros)]

    def row_of(value: float) -> int:
        return rows if value <= 0 else min(rows - 1, (top - math.floor(math.log10(value))) // decades)

    for value, mark in ((curve.bound, BOUND), (apart(curve), CLAIM)):
        if value > 0 and math.isfinite(value):
            field[row_of(value)] = [mark] * columns
    near = min(range(len(curve.steps)), key=lambda place: abs(math.log(curve.steps[place] / curve.chosen)))
    for place, error in enumerate(curve.errors):
        if math.isnan(error) or math.isinf(error):
            field[0][gap * place] = OUTSIDE
        else:
            field[row_of(error)][gap * place] = CHOSEN if place == near else POINT
    lines = []
    for number, row in enumerate(field):
        label = "0" if number >= rows else f"1e{top - number * decades:+03d}"
        line = Line(INDENT + pad_left(label, LABEL) + " |", FAINT)
        for mark, text in _runs(row):
            line.add(text, WRONG if mark == CLAIM else FAINT if mark == BOUND else "")
        lines.append(line)
    return [*lines, *_axis(curve, near, gap, columns)]


def _runs(row: Sequence[str]) -> list[tuple[str, str]]:
    """Return stretches of one character each."""
    runs: list[tuple[str, str]] = []
    for mark in row:
        if runs and runs[-1][0] == mark:
            runs[-1] = (mark, runs[-1][1] + mark)
        else:
            runs.append((mark, mark))
    return runs


def _axis(curve: Curve, near: int, gap: int, columns: int) -> list[Line]:
    rule = ["-"] * columns
    rule[gap * near] = "^"
    first, last = (numbers.relative(curve.steps[place]) for place in (0, -1))
    chosen = "chosen"
    labels = [" "] * columns
    places = ((0, first), (columns - len(last), last), (gap * near - len(chosen) // 2, chosen))
    for start, text in places:
        start = max(0, min(start, columns - len(text)))
        if all(character == " " for character in labels[max(0, start - 2) : start + len(text) + 2]):
            labels[start : start + len(text)] = text
    margin = " " * (len(INDENT) + LABEL + 1)
    return [Line(f"{margin}+{''.join(rule)}", FAINT), Line(f"{margin} {''.join(labels)}", FAINT)]


def _branches(curve: Curve) -> list[str]:
    best = numbers.relative(curve.best)
    said: list[str] = []
    if math.isnan(curve.roundoff):
        said.append("round-off: no step is so short that it shows")
    else:
        usual = "as round-off does" if _is_near(curve.roundoff, -1) else "round-off alone would give -1.0"
        said.append(f"round-off: below {best} the error grows as step^{curve.roundoff:.1f} for shorter steps, {usual}")
    if math.isnan(curve.truncation):
        said.append("truncation: no step is so long that it shows, as for a polynomial of at most the second degree")
    elif _is_near(curve.truncation, 2):
        said.append(
            f"truncation: above {best} the error grows as step^{curve.truncation:.1f}, as for a smooth function"
        )
    elif curve.truncation < 1 + NARROW:
        said.append(
            f"truncation: above {best} the error grows as step^{curve.truncation:.1f}; a smooth function would give "
            "2.0: a step of this length crosses a kink"
        )
    else:
        said.append(
            f"truncation: above {best} the error grows as step^{curve.truncation:.1f}; a smooth function would give 2.0"
        )
    least = min((error for error in curve.errors if math.isfinite(error)), default=math.nan)
    said.append(
        f"chosen: {numbers.relative(curve.chosen)}, extrapolated from there; the best single step is {best}, "
        f"off by {numbers.relative(least)}"
    )
    return said


def _is_near(value: float, whole: int) -> bool:
    return abs(value - whole) <= NARROW


def _conclusion(curve: Curve, verdict: Verdict) -> list[str]:
    measured = f"{numbers.significant(curve.numeric, 8)} +- {numbers.round_up(curve.bound)}"
    said = [f"measured: {measured}; the backward says {numbers.significant(curve.analytic, 8)}"]
    if not math.isfinite(apart(curve)):
        return said
    if apart(curve) <= curve.bound:
        return [*said, f"so: they agree to {numbers.relative(apart(curve))}, within the bound"]
    if verdict is Verdict.PASS:
        said_apart = f"so: they are {numbers.relative(apart(curve))} apart, {_times(curve)} the bound"
        return [*said, f"{said_apart}, but within what is accepted: the backward's own rounding, or a tolerance"]
    below = [
        step
        for step, error in zip(curve.steps, curve.errors, strict=True)
        if math.isfinite(error) and error < apart(curve) / 2
    ]
    text = f"so: they are {numbers.relative(apart(curve))} apart, {_times(curve)} the bound"
    if below:
        text += (
            f"; every step from {numbers.relative(below[0])} to {numbers.relative(below[-1])} would have shown it"
            if len(below) > 1
            else f"; only a step near {numbers.relative(below[0])} would have shown it"
        )
    return [*said, text]


def _times(curve: Curve) -> str:
    return numbers.times(apart(curve) / curve.bound) if curve.bound > 0 else "infinitely many times"
