"""Where text goes on a screen: widths in cells, padding, and breaking prose between words but never inside a number."""

from __future__ import annotations

GLUE = "\0"
"""Stands for a blank at which no line may end. Data cannot hold one: it is made visible first."""

GROUP = 30
"""A bracket up to this many cells wide is kept on one line."""


def cells(text: str) -> int:
    """Return how many columns of a terminal a text takes: two for wide characters, none for combining ones."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len  # only text beyond ASCII needs the tables

    return cell_len(text)


def pad_left(text: str, width: int) -> str:
    """Put blanks before a text until it is ``width`` cells wide."""
    return " " * (width - cells(text)) + text


def pad_right(text: str, width: int) -> str:
    """Put blanks after a text until it is ``width`` cells wide."""
    return text + " " * (width - cells(text))


def wrap(text: str, width: int, first: str = "", rest: str | None = None) -> list[str]:
    """Break a text between words so that each line is at most ``width`` cells wide, if its words allow it.

    Short brackets, ``3.2 %`` and ``+- 2e-12`` stay whole, and so does a word that is wider than the line.

    Parameters
    ----------
    text
        Prose without newlines, already made visible.
    width
        Cells of the screen.
    first, rest
        What the first line, and each line after it, starts with; ``rest`` is by default as ``first``.
    """
    rest = first if rest is None else rest
    lines: list[str] = []
    line, empty = first, True
    for word in _words(text):
        if not empty and cells(line) + 1 + cells(word) > width:
            lines.append(line)
            line, empty = rest, True
        line += word if empty else f" {word}"
        empty = False
    return [*lines, line]


def _words(text: str) -> list[str]:
    words: list[str] = []
    depth = 0
    for word in text.split():
        glued = bool(words) and (depth > 0 or word.startswith(("%", "+-")) or words[-1].endswith("+-"))
        if glued and cells(words[-1]) + 1 + cells(word) <= GROUP:
            words[-1] += f" {word}"
        else:
            words.append(word)
        depth = max(0, depth + sum(map(word.count, "([{")) - sum(map(word.count, ")]}")))
    return [word.replace(GLUE, " ") for word in words]
