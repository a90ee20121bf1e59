"""The table of relative errors: one row per slice along the axis, most wrong first, no number ever cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gradcheck.model import Entry, InputReport, SliceSummary, Status
from gradcheck.report import numbers
from gradcheck.report.escape import visible
from gradcheck.report.ink import FAINT, WRONG, Line
from gradcheck.report.layout import cells, pad_left, pad_right

INDENT = "  "
WORDS = {Status.KINK: "kink", Status.NONFINITE: "not finite", Status.UNDECIDED: "undecided"}


@dataclass(slots=True)
class _Column:
    head: str
    texts: list[str]
    right: bool = True
    style: str = ""

    @property
    def width(self) -> int:
        return max(map(cells, [self.head, *self.texts]))

    def set(self, text: str) -> str:
        return pad_left(text, self.width) if self.right else pad_right(text, self.width)


def draw_table(part: InputReport, *, width: int, show: int | None = 10) -> list[Line]:
    """Return the table of one input.

    Where the screen is too narrow for the columns, each slice takes several lines; a number is never shortened.

    Parameters
    ----------
    part
        The input; its ``slices`` are already sorted, most wrong first.
    width
        Cells of the screen.
    show
        Largest number of rows; ``None``: all.
    """
    rows = part.slices[:show] if part.slices else _from_entries(part)[:show]
    if not rows:
        return []
    for columns, gap in _arrangements(_columns(part, rows), part.name):
        if len(INDENT) + sum(column.width for column in columns) + len(gap) * (len(columns) - 1) <= width:
            return _side_by_side(columns, rows, gap) + _rest(part, rows, show)
    return _stacked(rows) + _rest(part, rows, show)


def _arrangements(columns: list[_Column], name: str) -> list[tuple[list[_Column], str]]:
    """The ways to set the columns, widest first: at last the input's name moves from each row to the head."""
    name = visible(name)
    labels, *others = columns
    ways = [(columns, "  "), (columns, " ")]
    if all(len(text) > len(name) and text.startswith(name) for text in labels.texts):
        short = [_Column(name, [text[len(name) :] for text in labels.texts], right=False), *others]
        ways.insert(1, (short, "  "))
        ways.append((short, " "))
    return ways


def _from_entries(part: InputReport) -> list[SliceSummary]:
    """Rows for a report without slices: one per entry that is kept."""
    return [
        SliceSummary(
            label=part.name + numbers.at(entry.index),
            worst=entry,
            wrong=int(entry.status in (Status.FAIL, Status.NONFINITE)),
            undecided=int(entry.status is Status.UNDECIDED),
            size=1,
        )
        for entry in part.worst
    ]


def _columns(part: InputReport, rows: Sequence[SliceSummary]) -> list[_Column]:
    entries = [row.worst for row in rows]
    head = "slice" if any(row.size > 1 for row in rows) else "entry"
    columns = [
        _Column(head, [visible(row.label) for row in rows], right=False),
        _Column("rel. error", [numbers.relative(entry.error) for entry in entries]),
        _Column("at", [numbers.at(entry.index) for entry in entries], right=False),
        _Column("analytic", [_value(entry, entry.analytic) for entry in entries]),
        _Column("numeric", [_value(entry, entry.numeric) for entry in entries]),
        _Column("+- bound", [numbers.round_up(entry.bound) for entry in entries], style=FAINT),
        _Column("wrong", [f"{row.wrong}/{row.size}" for row in rows]),
    ]
    if any(row.undecided for row in rows):
        columns.append(_Column("undecided", [f"{row.undecided}/{row.size}" for row in rows]))
    elif any(entry.status in WORDS for entry in entries):
        columns.append(_Column("", [WORDS.get(entry.status, "") for entry in entries], right=False))
    if all(row.label == part.name + numbers.at(row.worst.index) for row in rows):
        columns = [column for column in columns if column.head != "at"]
    return columns


def _value(entry: Entry, value: float) -> str:
    """Enough digits that analytic and numeric differ on screen where they are said to differ."""
    wrong = entry.status in (Status.FAIL, Status.UNDECIDED)
    return numbers.significant(value, numbers.digits_to_tell(entry.error) if wrong else 6)


def _side_by_side(columns: Sequence[_Column], rows: Sequence[SliceSummary], gap: str) -> list[Line]:
    lines = [Line(INDENT + gap.join(column.set(column.head) for column in columns), FAINT)]
    for number, row in enumerate(rows):
        line = Line(INDENT)
        for position, column in enumerate(columns):
            style = WRONG if row.wrong and column.head in ("rel. error", "wrong") else column.style
            line.add(gap if position else "").add(column.set(column.texts[number]), style)
        lines.append(line)
    return lines


def _stacked(rows: Sequence[SliceSummary]) -> list[Line]:
    """Some lines for each slice, the two values below each other so that their digits can be compared."""
    lines: list[Line] = []
    for row in rows:
        entry = row.worst
        style = WRONG if row.wrong else ""
        lines.append(Line(f"{INDENT}{row.label}"))
        lines.append(Line(INDENT * 2).add("rel. error ", FAINT).add(numbers.relative(entry.error), style))
        if entry.index:
            lines[-1].add(" at ", FAINT).add(numbers.at(entry.index))
        lines[-1].add("  wrong ", FAINT).add(f"{row.wrong}/{row.size}", style)
        if row.undecided:
            lines[-1].add("  undecided ", FAINT).add(f"{row.undecided}/{row.size}")
        values = [_value(entry, entry.analytic), _value(entry, entry.numeric)]
        width = max(map(len, values))
        lines.append(Line(INDENT * 2).add("analytic ", FAINT).add(pad_left(values[0], width)))
        lines.append(Line(INDENT * 2).add("numeric  ", FAINT).add(pad_left(values[1], width)))
        lines[-1].add(f" +- {numbers.round_up(entry.bound)}", FAINT)
    return lines


def _rest(part: InputReport, rows: Sequence[SliceSummary], show: int | None) -> list[Line]:
    """Say how many slices are not shown, and how many of those are wrong."""
    total = max(part.slices_total, len(part.slices)) if part.slices else len(part.worst)
    missing = total - len(rows)
    if missing <= 0:
        return []
    noun = "slice" if any(row.size > 1 for row in rows) else "entry"
    many = "entries" if noun == "entry" else None
    text = f"... and {numbers.plural(missing, f'more {noun}', f'more {many}' if many else None)}"
    wrong = part.slices_wrong - sum(row.wrong > 0 for row in rows)
    if part.slices and wrong > 0:
        text += f", {numbers.count(wrong)} of them wrong"
    kept = len(part.slices) if part.slices else len(part.worst)
    text += " (--show all)" if show is not None and len(rows) < kept else " (not kept)"
    return [Line(INDENT + text, FAINT)]
