"""Pages of rules, as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from gradcheck.report.escape import visible, visible_lines
from gradcheck.report.ink import FAINT, STRONG, Line, paint, render
from gradcheck.report.layout import cells, pad_right, wrap

READABLE = 100
"""Prose is set no wider than this, however wide the screen."""

HEADING = 5
"""Most words before a colon that make a heading of them."""


class Page(Protocol):
    """What is asked of a rule here."""

    @property
    def id(self) -> str:
        """Name of the rule."""
        ...

    @property
    def summary(self) -> str:
        """One sentence."""
        ...

    @property
    def page(self) -> str:
        """The whole text: paragraphs with blank lines between them; indented lines are set as they are."""
        ...


def draw_page(rule: Page, family: str, *, width: int = 80, color: bool = False) -> str:
    """Return the page of one rule.

    Parameters
    ----------
    rule
        The rule.
    family
        Title of its family.
    width, color
        As in :func:`gradcheck.report.terminal.draw`.
    """
    lines = [Line(rule.id, STRONG).add(f"   {family}", FAINT), Line()]
    for paragraph in _paragraphs(visible_lines(rule.page)):
        lines += paragraph if isinstance(paragraph, list) else _prose(paragraph, min(width, READABLE))
    return render(lines, color=color)


def draw_index(families: Mapping[str, Sequence[Page]], *, width: int = 80, color: bool = False) -> str:
    """Return the list of all rules, family by family, each with its sentence."""
    names = [visible(rule.id) for rules in families.values() for rule in rules]
    column = max(map(cells, names), default=0)
    lines: list[Line] = []
    for title, rules in families.items():
        lines += [Line(), Line(title, STRONG)] if lines else [Line(title, STRONG)]
        for rule in rules:
            name = visible(rule.id)
            sentence = visible(rule.summary)
            if column + 4 + 30 <= width:
                lead = f"  {pad_right(name, column)}  "
                lines += paint(wrap(sentence, width, lead, " " * cells(lead)), name, STRONG)
            else:
                lines += [Line(f"  {name}", STRONG), *paint(wrap(sentence, width, "    "))]
    return render(lines, color=color)


def _prose(text: str, width: int) -> list[Line]:
    """Wrap a paragraph; a few words with a colon at its beginning are its heading."""
    text = f"{text[:-1]}" if text.endswith("::") else text
    head, colon, _ = text.partition(":")
    lead = head + colon if colon and len(head.split()) <= HEADING else ""
    return paint(wrap(text, width), lead, STRONG)


def _paragraphs(lines: Iterable[str]) -> list[str | list[Line]]:
    """Join the lines of prose; keep formulas, lists and examples (indented lines) and blank lines as they are."""
    blocks: list[str | list[Line]] = []
    prose: list[str] = []
    for line in [*lines, ""]:
        if line.strip() and not line.startswith((" ", "- ", "* ")):
            prose.append(line.strip())
            continue
        if prose:
            blocks.append(" ".join(prose))
            prose = []
        blocks.append([Line(line)])
    return blocks[:-1]
