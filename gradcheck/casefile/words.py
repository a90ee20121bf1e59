"""Words in messages: quoted so that nothing in them is obeyed by a terminal, and the nearest known one for a slip."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

QUOTE_LENGTH = 60
SYNONYMS = {
    "gaussian": "normal",
    "randn": "normal",
    "rand": "uniform",
    "randint": "integers",
    "int": "integers",
    "const": "constant",
    "probabilities": "simplex",
    "shuffle": "permutation",
    "mean": "loc",
    "mu": "loc",
    "std": "scale",
    "sigma": "scale",
    "min": "low",
    "max": "high",
    "dist": "draw",
    "distribution": "draw",
    "size": "shape",
    "data": "values",
    "tolerance": "rtol",
    "tol": "rtol",
    "epsilon": "eps",
    "step": "eps",
    "kwargs": "options",
    "parameters": "options",
    "description": "about",
    "dim": "axis",
    "ok": "pass",
    "passed": "pass",
    "failed": "fail",
}
"""What other tools call it."""


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


def nearest(word: str, known: Iterable[str], count: int = 1) -> list[str]:
    """Return the known words that look like a misspelt one, or are meant by it elsewhere, best first."""
    if len(word) > 200:  # the matcher is quadratic
        return []
    import difflib  # only a slip pays for it

    lowered: dict[str, str] = {}
    for each in known:
        lowered.setdefault(each.lower().replace("_", "-"), each)
    meant = {other: lowered[each] for other, each in SYNONYMS.items() if each in lowered and other not in lowered}
    lowered.update(meant)
    found = difflib.get_close_matches(word.lower().replace("_", "-"), lowered, n=count, cutoff=0.6)
    return list(dict.fromkeys(lowered[each] for each in found))


def suggest(word: object, known: Iterable[str], *, noun: str = "known") -> str:
    """Return a line of help for an unknown word: what was probably meant, or what there is."""
    known = list(known)
    near = nearest(word, known) if isinstance(word, str) else []
    if near:
        return f"did you mean {quote(near[0])}?"
    if not known:
        return ""
    shown = ", ".join(printable(each) for each in known[:30]) + (", …" if len(known) > 30 else "")
    return f"{noun}: {shown}"


def count(number: int, noun: str, plural: str = "") -> str:
    """Return ``1 dimension``, ``2 dimensions``."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"
