"""Where the keys of a TOML file stand; the standard library's parser gives values without places."""

from __future__ import annotations

import re
from typing import NamedTuple

Path = tuple[str, ...]

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}'
    r"|'''.*?'{3,5}"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_BARE_VALUE = re.compile(r"[^,\]}#\r\n]*")
_DOT = re.compile(r"[ \t]*\.[ \t]*")
_EQUALS = re.compile(r"[ \t]*=[ \t]*")


class Item(NamedTuple):
    """A key with its value: where the last part of the key and the value stand, from a character up to another."""

    path: Path
    key: tuple[int, int]
    value: tuple[int, int]


def find(text: str, path: Path) -> Item | None:
    """Return where a key stands, or ``None`` if it is not found.

    Parameters
    ----------
    text
        A TOML file that its parser has accepted.
    path
        The key with all the tables that it is in, as ``("tool", "gradcheck", "seed")``. For a table, the first of
        its headers; its value is then empty.
    """
    return next((item for item in _items(text) if item.path == path), None)


def _items(text: str) -> list[Item]:
    """Return the headers and keys of a file in their order."""
    items: list[Item] = []
    table: Path = ()
    at = _skip(text, 0)
    while at < len(text):
        if text[at] == "[":
            opening = 2 if text.startswith("[[", at) else 1
            table, (start, end) = _read_key(text, at + opening)
            items.append(Item(table, (start, end), (end, end)))
            closing = text.find("]", end)
            at = len(text) if closing < 0 else closing + opening
        else:
            at = _read_item(text, at, table, items)
        at = _skip(text, at)
    return items


def _read_item(text: str, at: int, table: Path, items: list[Item]) -> int:
    """Add a key, and those of an inline table that is its value; return where they end."""
    path, (start, end) = _read_key(text, at)
    equals = _EQUALS.match(text, end)
    begin = equals.end() if equals else end + 1
    place = len(items)
    stop = _skip_value(text, begin, (*table, *path), items)
    items.insert(place, Item((*table, *path), (start, end), (begin, max(begin, stop))))
    return max(stop, at + 1)


def _read_key(text: str, at: int) -> tuple[Path, tuple[int, int]]:
    """Return the parts of a key, and where its last part stands."""
    parts: list[str] = []
    at = _skip(text, at)
    while True:
        match = _STRING.match(text, at) or _BARE_KEY.match(text, at)
        if match is None:
            return tuple(parts), (at, at)
        parts.append(match[0].strip("\"'"))
        dot = _DOT.match(text, match.end())
        if dot is None:
            return tuple(parts), match.span()
        at = dot.end()


def _skip_value(text: str, at: int, path: Path, items: list[Item]) -> int:
    """Return the end of a value."""
    if at >= len(text) or text[at] not in "[{":
        match = _STRING.match(text, at) or _BARE_VALUE.match(text, at)
        return at + len(match[0].rstrip()) if match else at
    closing = "]" if text[at] == "[" else "}"
    keyed = closing == "}"
    at = _skip(text, at + 1)
    while at < len(text) and text[at] != closing:
        before = at
        if text[at] == ",":
            at += 1
        elif keyed:
            at = _read_item(text, at, path, items)
        else:
            at = _skip_value(text, at, (*path, ""), items)
        at = max(_skip(text, at), before + 1)
    return at + 1


def _skip(text: str, at: int) -> int:
    match = _BLANK.match(text, at)
    return match.end() if match else at
