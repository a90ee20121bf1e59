"""Lines of styled text. The style only adds to the words: without colour nothing is lost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gradcheck.model import Severity, Verdict
from gradcheck.report.escape import visible
from gradcheck.report.layout import cells

VERDICTS = {
    Verdict.PASS: "green",
    Verdict.FAIL: "bold red",
    Verdict.UNDECIDED: "bold yellow",
    Verdict.ERROR: "bold magenta",
}
SEVERITIES = {Severity.BUG: "bold", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}
WRONG = "bold red"
FAINT = "dim"
STRONG = "bold"


class Line:
    """One line of a screen: pieces of text, each with a style of rich's or none."""

    __slots__ = ("parts",)

    def __init__(self, text: str = "", style: str = "") -> None:
        self.parts: list[tuple[str, str]] = []
        if text:
            self.add(text, style)

    def add(self, text: str, style: str = "") -> Line:
        """Append a piece, made visible, and return the line."""
        self.parts.append((visible(text), style))
        return self

    def extend(self, other: Line) -> Line:
        """Append the pieces of another line, and return this one."""
        self.parts.extend(other.parts)
        return self

    @property
    def plain(self) -> str:
        """The text alone, without blanks at its end."""
        return "".join(text for text, _ in self.parts).rstrip(" ")

    @property
    def width(self) -> int:
        """Cells that the line takes."""
        return cells(self.plain)


def join_fields(fields: Sequence[Line], width: int, gap: str, indent: str) -> list[Line]:
    """Set fields beside each other; one that does not fit begins a further line, indented."""
    lines = [Line().extend(fields[0])]
    for field in fields[1:]:
        if lines[-1].width + len(gap) + field.width <= width:
            lines[-1].add(gap).extend(field)
        else:
            lines.append(Line(indent).extend(field))
    return lines


def paint(lines: Iterable[str], lead: str = "", style: str = "", others: str = "") -> list[Line]:
    """Make lines of plain text, where the first one's ``lead`` (after its indent) has a style of its own."""
    painted: list[Line] = []
    for number, text in enumerate(lines):
        line = Line()
        body = text.lstrip(" ")
        if number == 0 and lead and body.startswith(lead):
            line.add(text[: len(text) - len(body)]).add(lead, style)
            body = body[len(lead) :]
            line.add(body, others)
        else:
            line.add(text, others)
        painted.append(line)
    return painted


def render(lines: Sequence[Line], *, color: bool) -> str:
    """Return the lines as one string without a newline at its end, with escape sequences only if ``color``."""
    if not color:
        return "\n".join(line.plain for line in lines)
    return "\n".join(_ansi(lines))


def _ansi(lines: Sequence[Line]) -> list[str]:
    from rich.color import ColorSystem  # a pipe, which is most of CI, never pays for rich
    from rich.style import Style

    styles: dict[str, Style] = {}
    drawn: list[str] = []
    for line in lines:
        pieces: list[str] = []
        for text, name in _trimmed(line.parts):
            if not name:
                pieces.append(text)
                continue
            style = styles.get(name)
            if style is None:
                style = styles[name] = Style.parse(name)
            # The sixteen colours of the terminal's own theme, which its owner can read.
            pieces.append(style.render(text, color_system=ColorSystem.STANDARD))
        drawn.append("".join(pieces))
    return drawn


def _trimmed(parts: list[tuple[str, str]]) -> list[tuple[str, str]]:
    kept = list(parts)
    while kept:
        text, style = kept[-1]
        if text.rstrip(" "):
            kept[-1] = (text.rstrip(" "), style)
            break
        kept.pop()
    return kept
