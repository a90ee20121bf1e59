"""Where things stand in a case file: nodes that keep their place, and complaints with an excerpt."""

from __future__ import annotations

import bisect
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from gradcheck.casefile.words import printable
from gradcheck.errors import Complaint
from gradcheck.model import Place, Plain, Scalar

EXCERPT_LENGTH = 160
Location: TypeAlias = Sequence["str | int"]

_BREAK = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong at a location of a case: keys and indices from its top; ``key``: about the key itself."""

    location: tuple[str | int, ...]
    message: str
    help: str = ""
    key: bool = False


@dataclass(slots=True, eq=False)
class Node:
    """A part of a file, from character ``start`` up to ``end``."""

    start: int
    end: int


@dataclass(slots=True, eq=False)
class ScalarNode(Node):
    """A text, number, boolean or null."""

    value: Scalar = None


@dataclass(slots=True, eq=False)
class ListNode(Node):
    """A list."""

    items: list[Node] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class MapNode(Node):
    """A mapping; each entry has its key and its value."""

    entries: dict[str, tuple[Node, Node]] = field(default_factory=dict)


def plain(node: Node) -> Plain:
    """Return the value of a node without places."""
    if isinstance(node, MapNode):
        return {name: plain(value) for name, (_, value) in node.entries.items()}
    if isinstance(node, ListNode):
        return [item.value if type(item) is ScalarNode else plain(item) for item in node.items]
    return node.value if isinstance(node, ScalarNode) else None


def child(node: Node, name: str) -> Node | None:
    """Return the value under a key of a mapping, if there is one."""
    entry = node.entries.get(name) if isinstance(node, MapNode) else None
    return entry[1] if entry else None


def weigh(node: Node) -> int:
    """Return the number of values in a node, itself included."""
    if isinstance(node, MapNode):
        return 1 + sum(weigh(value) for _, value in node.entries.values())
    return 1 + sum(map(weigh, node.items)) if isinstance(node, ListNode) else 1


def locate(node: Node, location: Location, *, key: bool = False) -> Node:
    """Return the node that a path of keys and indices leads to, as far as it goes.

    Elements that lead nowhere are passed over (validators name the members of a union in their locations).
    With ``key``, and where the last step is a key, the key's own node is returned.
    """
    last: Node | None = None
    for step in location:
        if isinstance(node, MapNode) and step in node.entries:
            last, node = node.entries[str(step)]
        elif isinstance(node, ListNode) and isinstance(step, int) and step < len(node.items):
            last, node = None, node.items[step]
    return last if key and last is not None else node


class Source:
    """The text of a file, with the places of its characters.

    Parameters
    ----------
    file
        The name of the file as it is shown.
    text
        Its text; lines end as editors count them (LF, CR LF or CR).
    """

    def __init__(self, file: str, text: str) -> None:
        self.file = printable(file)
        self.text = text
        self._starts = [0, *(match.end() for match in _BREAK.finditer(text))]

    def place(self, index: int) -> Place:
        """Return line and column (from 1) of a character."""
        line = bisect.bisect_right(self._starts, index)
        return Place(self.file, line, index - self._starts[line - 1] + 1)

    def complain(self, start: int, end: int, message: str, help: str = "") -> Complaint:  # noqa: A002
        """Return a complaint about the characters from ``start`` up to ``end``, with an excerpt."""
        start = min(start, len(self.text))
        place = self.place(start)
        begin = self._starts[place.line - 1]
        line = _BREAK.split(self.text[begin : begin + EXCERPT_LENGTH], maxsplit=1)[0]
        # one character each, so that the caret stands below what it means
        excerpt = printable(line.replace("\t", " "), blank="\N{REPLACEMENT CHARACTER}").rstrip()
        if place.column > len(line) + 1:
            excerpt = ""
        width = max(1, min(end, begin + len(excerpt)) - start)
        return Complaint(place.file, place.line, place.column, message, excerpt, width, help)

    def complain_of(self, node: Node, message: str, help: str = "") -> Complaint:  # noqa: A002
        """Return a complaint about a node."""
        return self.complain(node.start, node.end, message, help)


def sort(complaints: Sequence[Complaint]) -> list[Complaint]:
    """Return complaints in the order of their places, each only once."""
    return sorted(dict.fromkeys(complaints), key=lambda each: (each.file, each.line, each.column))
