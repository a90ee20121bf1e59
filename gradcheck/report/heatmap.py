"""Analytic, numeric and error side by side as shaded maps, for ``--show heatmap``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from gradcheck.model import Grid, InputReport
from gradcheck.report import numbers
from gradcheck.report.ink import FAINT, STRONG, WRONG, Line, paint
from gradcheck.report.layout import pad_right, wrap

INDENT = "  "
GAP = "   "
TITLES = ("analytic", "numeric", "rel. error")
MOST_ROWS = 24
BLOCKS = " ░▒▓█"
LETTERS = " .:+#"
STEPS = (1e-6, 1e-3, 1e-1)
"""Relative errors from which the second, third and fourth shade are used; the first is for any beyond the bound."""


@dataclass(frozen=True, slots=True)
class _Map:
    """One map: a title, and cells of two characters each."""

    title: str
    rows: list[list[str]]

    @property
    def width(self) -> int:
        return max(len(self.title), 2 * max(map(len, self.rows), default=0) + 2)


def draw_heatmap(part: InputReport, *, width: int, blocks: bool = True) -> list[Line]:
    """Return the maps of one input's gradient, and of its Jacobian where the report keeps it.

    A cell is a sign and a shade: of the magnitude (against the largest one of both gradients) or of the relative
    error. Where there are more entries than cells, a cell shows the largest of several.

    Parameters
    ----------
    part
        The input; nothing is drawn for a report that keeps no grid.
    width
        Cells of the screen.
    blocks
        Whether the screen has the characters ``░▒▓█``; else ``.:+#``.
    """
    shades = BLOCKS if blocks else LETTERS
    lines: list[Line] = []
    for grid, title in ((part.gradient, "gradient"), (part.jacobian, "Jacobian, outputs x inputs")):
        if grid is None or not grid.analytic or not grid.shape:
            continue
        lines += [Line()] if lines else []
        lines += _draw(grid, f"{part.name}: {title}", width, shades)
    return lines + paint(wrap(_legend(shades), width, INDENT), others=FAINT) if lines else []


def _draw(grid: Grid, title: str, width: int, shades: str) -> list[Line]:
    rows, columns = math.prod(grid.shape[:-1]), grid.shape[-1]
    # Three maps beside each other if they fit, else below each other.
    most = max(1, (width - len(INDENT) - 2) // 2)
    beside = max(1, (width - len(INDENT) - 2 * len(GAP) - 6) // 6)
    needed = sum(max(len(name), 2 * min(columns, beside) + 2) for name in TITLES) + len(INDENT) + 2 * len(GAP)
    together = needed <= width and (columns <= beside or columns > most)
    tall, wide = math.ceil(rows / MOST_ROWS), math.ceil(columns / (beside if together else most))
    largest = _largest(grid)
    maps = [
        _Map(name, _pool(cells, rows, columns, tall, wide, shades))
        for name, cells in (
            (TITLES[0], [_signed(value, largest) for value in grid.analytic]),
            (TITLES[1], [_signed(value, largest) for value in grid.numeric]),
            (TITLES[2], [(_level(*each), "") for each in zip(grid.analytic, grid.numeric, grid.bound, strict=True)]),
        )
    ]
    size = numbers.shape(grid.shape)
    pooled = f", a cell is the largest of {tall} x {wide}" if tall * wide > 1 else ""
    lines = [Line(INDENT).add(f"{title} {size}{pooled}", STRONG)]
    for group in [maps] if together else [[each] for each in maps]:
        lines += _set(group, shades)
    return lines


def _set(maps: Sequence[_Map], shades: str) -> list[Line]:
    lines = [Line(INDENT + GAP.join(pad_right(each.title, each.width) for each in maps), FAINT)]
    for number in range(len(maps[0].rows)):
        line = Line(INDENT)
        for place, each in enumerate(maps):
            wrong = each.title == TITLES[2]
            line.add(GAP if place else "").add("|")
            for cell in each.rows[number]:
                line.add(cell, WRONG if wrong and cell.strip(shades[0]) else "")
            line.add("|" + " " * (each.width - 2 - 2 * len(each.rows[number])))
        lines.append(line)
    return lines


def _legend(shades: str) -> str:
    said = [f"{shades[1]} is beyond the bound"]
    said += [f"{shade} from {step:.0e}" for shade, step in zip(shades[2:], STEPS, strict=True)]
    return f"rel. error: {', '.join(said)}; values: the shade is the magnitude, - is negative, ? is not finite"


def _pool(
    cells: Sequence[tuple[int, str]], rows: int, columns: int, tall: int, wide: int, shades: str
) -> list[list[str]]:
    """Let each cell stand for ``tall`` rows and ``wide`` columns by its highest level; -1 is no number."""

    def write(top: int, left: int) -> str:
        inside = [
            cells[row * columns + column]
            for row in range(top, min(top + tall, rows))
            for column in range(left, min(left + wide, columns))
        ]
        if any(level < 0 for level, _ in inside):
            return " ?"
        level, sign = max(inside, key=lambda each: each[0])
        return (sign or shades[level]) + shades[level] if level else "  "

    return [[write(top, left) for left in range(0, columns, wide)] for top in range(0, rows, tall)]


def _largest(grid: Grid) -> float:
    return max((abs(value) for value in [*grid.analytic, *grid.numeric] if math.isfinite(value)), default=0.0)


def _signed(value: float, largest: float) -> tuple[int, str]:
    if not math.isfinite(value):
        return -1, ""
    level = 0 if largest == 0 else min(4, math.ceil(4 * abs(value) / largest))
    return level, "-" if value < 0 else " "


def _level(analytic: float, numeric: float, bound: float) -> int:
    if not (math.isfinite(analytic) and math.isfinite(numeric)):
        return -1
    difference = abs(analytic - numeric)
    if not difference > bound:
        return 0
    return 1 + sum(difference >= step * max(abs(analytic), abs(numeric)) for step in STEPS)
