"""Text from outside, made harmless: what would move the cursor or turn the line round is shown, not obeyed."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from unicodedata import category

WORKFLOW = "GITHUB_ACTIONS"
"""Variable of a job's environment; while it is set, lines of the output can be commands to the one who runs the job."""

# As the runner reads a line: it trims blanks before `::`, and finds the older `##[` anywhere.
_COMMAND = re.compile(r"^([^\S\n]*):(?=:)|#(?=#\[)", re.MULTILINE)
_ESCAPES = {"visible": r"\x{:02x}", "json": r"\u{:04x}", "markup": "&#{};"}


def disarm(text: str, way: str = "visible", environ: Mapping[str, str] | None = None) -> str:
    r"""Return a text that is printed in a workflow of GitHub's with nothing in it that the runner would obey.

    What a layer raises or prints, and what a case is called, may hold a line ``::error::forged`` or ``::add-mask::``.
    Its first character is written as an escape. Elsewhere the text stays as it is.

    Parameters
    ----------
    way
        ``visible`` as :func:`visible` does it, ``json`` or ``markup`` as a reader of those takes it back.
    environ
        The environment; by default that of the process.

    Examples
    --------
    >>> disarm("a\n  ::error::b", environ={"GITHUB_ACTIONS": "true"})
    'a\n  \\x3a:error::b'
    """
    if not (os.environ if environ is None else environ).get(WORKFLOW):
        return text

    def escape(found: re.Match[str]) -> str:
        return (found[1] or "") + _ESCAPES[way].format(ord(found[0][-1]))

    return _COMMAND.sub(escape, text)


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
