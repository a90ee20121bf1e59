"""Text from outside set into Markdown: it is shown as it is, and never becomes markup."""

from __future__ import annotations

import re
from collections.abc import Sequence

from gradcheck.report.escape import visible, visible_lines

_ANYWHERE = re.compile(r"([\\`*_\[\]<>|~&$])")
_AT_START = re.compile(r"^(\s*)(?:([#+\-=])|(\d+)([.)])(?=\s|$))")
_LINK = re.compile(r"(?i)\b(https?|ftp|mailto|xmpp)(:)|\b(www)(\.)")
_CALLED = re.compile(r"@|:(?=[\w+-]+:)")
JOINER = "\u2060"
"""Word joiner: after ``@`` or ``:`` it keeps a hosted page from calling a person or drawing a picture of that name."""


def prose(text: str) -> str:
    """Return a text as Markdown that renders as just this text, on one line."""
    escaped = _ANYWHERE.sub(r"\\\1", visible(text).strip())
    escaped = _LINK.sub(lambda match: f"{match[1] or match[3]}\\{match[2] or match[4]}", escaped)
    escaped = _AT_START.sub(
        lambda match: f"{match[1]}\\{match[2]}" if match[2] else f"{match[1]}{match[3]}\\{match[4]}", escaped
    )
    return _CALLED.sub(lambda match: match[0] + JOINER, escaped)


def code(text: str, *, table: bool = False) -> str:
    """Return a text as a code span; ``table``: in a cell, where a bar would end it."""
    text = visible(text).replace("\xa0", " ")
    if not text.strip():
        return ""
    fence = "`" * (_longest_run(text) + 1)
    pad = " " if text.startswith("`") or text.endswith("`") or text != text.strip() else ""
    span = f"{fence}{pad}{text}{pad}{fence}"
    return span.replace("|", "\\|") if table else span


def block(text: str) -> str:
    """Return a text of several lines as a fenced block."""
    lines = visible_lines(text)
    fence = "`" * max(3, _longest_run("\n".join(lines)) + 1)
    return "\n".join([f"{fence}text", *lines, fence])


def table(head: Sequence[str], rows: Sequence[Sequence[str]], right: str = "") -> str:
    """Return a table.

    Parameters
    ----------
    head
        Titles of the columns.
    rows
        Cells, already Markdown without line breaks.
    right
        A letter per column: ``r`` for one that is set flush right.
    """
    sides = ["--:" if side == "r" else "---" for side in right.ljust(len(head))]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, sides, *rows))


def _longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)
