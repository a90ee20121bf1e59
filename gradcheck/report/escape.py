"""Text from outside, made harmless: what would move the cursor or turn the line round is shown, not obeyed."""

from __future__ import annotations

from unicodedata import category


def visible(text: str) -> str:
    r"""Return a text in which everything that does not print is written as an escape.

    Control characters (ESC, NUL, newline, tab), bidirectional and other format controls, lone surrogates, line and
    paragraph separators, private and unassigned characters become ``\x1b``, ``\u202e``, ``\udcff`` and so on.
    Blanks of any width stay.

    Examples
    --------
    >>> visible("red\x1b[31m, right\u202eleft")
    'red\\x1b[31m, right\\u202eleft'
    """
    if text.isprintable():
        return text
    return "".join(map(_visible, text))


def visible_lines(text: str) -> list[str]:
    r"""Return the lines of a text that may have several, each made visible; only ``\n`` and ``\r\n`` end a line."""
    lines = [visible(line.removesuffix("\r").expandtabs(4)) for line in text.split("\n")]
    while lines and not lines[-1].strip():
        lines.pop()
    return lines


def _visible(character: str) -> str:
    if character.isprintable() or category(character) == "Zs":
        return character
    return character.encode("unicode_escape").decode("ascii")
