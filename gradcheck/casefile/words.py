"""Words in messages, quoted so that nothing in them is obeyed by a terminal."""

from __future__ import annotations

import unicodedata

QUOTE_LENGTH = 60


def printable(text: str, *, blank: str | None = None) -> str:
    """Return ``text`` with its control, format and unassigned characters as escapes, or as ``blank``."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escape(char, blank) if _unseen(char) else char for char in text)


def _unseen(char: str) -> bool:
    return char not in " " and unicodedata.category(char)[0] in "CZ"


def _escape(char: str, blank: str | None) -> str:
    return char.encode("unicode_escape").decode("ascii") if blank is None else blank


def quote(value: object) -> str:
    """Return a value of a file as it is shown in a message: text in single quotes, cut when long."""
    if isinstance(value, str):
        cut = value if len(value) <= QUOTE_LENGTH else value[: QUOTE_LENGTH - 1] + "…"
        return f"'{printable(cut)}'"
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    text = printable(repr(value)) if isinstance(value, (int, float)) else printable(_outline(value))
    return text if len(text) <= QUOTE_LENGTH else text[: QUOTE_LENGTH - 1] + "…"


def quote_path(path: object) -> str:
    """Return a path as it is shown in a message, in full."""
    return f"'{printable(str(path))}'"


def _outline(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: …" for key in list(value)[:4]) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(quote(item) for item in value[:8]) + ("]" if len(value) <= 8 else ", …]")
    return str(value)


def kind(value: object) -> str:
    """Return what a value is called in a message: ``the text 'abc'``, ``a list``, ``nothing`` ..."""
    if value is None:
        return "nothing"
    if isinstance(value, str):
        return f"the text {quote(value)}"
    if isinstance(value, dict):
        return "a mapping"
    return "a list" if isinstance(value, (list, tuple)) else quote(value)


def count(number: int, noun: str, plural: str = "") -> str:
    """Return ``1 dimension``, ``2 dimensions``."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"
