"""From the text of a case file to nodes with places; refuses whatever could hide a slip or blow up.

Works on the event stream of PyYAML (libyaml where there is one) and holds no object but str, int, float, bool,
None, list and dict, whatever tags the file has.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, NoReturn

import yaml

from gradcheck.casefile.positions import ListNode, MapNode, Node, ScalarNode, Source
from gradcheck.casefile.scalars import resolve
from gradcheck.casefile.words import printable, quote
from gradcheck.errors import CaseFileError, Complaint
from gradcheck.model import Scalar

MAX_DEPTH = 50
MAX_NODES = 200_000
MAX_COMPLAINTS = 100

_LOOK_AHEAD = 2048
_TAG = "tag:yaml.org,2002:"
_SCALAR_TAGS: dict[str, tuple[type, ...]] = {
    _TAG + "int": (int,),
    _TAG + "float": (float, int),
    _TAG + "bool": (bool,),
    _TAG + "null": (type(None),),
}
_TEXT_TAGS = ("!", _TAG + "str")
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_CONFLICT = re.compile(r"^(<{7}|>{7}|={7})( .*)?$", re.MULTILINE)


@dataclass(slots=True)
class _Frame:
    """An open list or mapping."""

    node: ListNode | MapNode
    anchor: str | None
    weight: int = 1  # nodes below and including this one, aliases counted with all they stand for
    height: int = 1
    key: Node | None = None
    merged: list[tuple[str, tuple[Node, Node]]] | None = None


@dataclass(slots=True)
class _Anchored:
    node: Node
    weight: int
    height: int


def compose(source: Source) -> tuple[Node, list[Complaint]]:
    """Return the node of the only document of a file, and what is wrong without making it unreadable.

    Raises
    ------
    CaseFileError
        If the text is no YAML, is empty, holds several documents, nests or grows beyond all use (aliases
        counted with what they stand for), or an anchor contains itself.
    """
    if match := _UNPRINTABLE.search(source.text):
        message = f"the character U+{ord(match[0]):04X} may not stand in a case file"
        raise CaseFileError([source.complain(match.start(), match.end(), message, "remove it")])
    composer = _Composer(source)
    try:
        for event in _parse(source.text):
            composer.take(event)
    except yaml.MarkedYAMLError as error:
        raise CaseFileError([_syntax(source, error), *composer.complaints]) from None
    if composer.root is None:
        raise CaseFileError([source.complain(0, 1, "the file is empty", "begin it with 'version: 1'")])
    return composer.root, composer.complaints[:MAX_COMPLAINTS]


def _parse(text: str) -> Iterator[Any]:
    fast = getattr(yaml, "CSafeLoader", None)
    if fast is None:
        yield from yaml.parse(text, yaml.SafeLoader)
        return
    try:
        yield from yaml.parse(text, fast)
    except yaml.MarkedYAMLError as error:
        # the two parsers word their complaints differently: always show those of the Python one, where it agrees
        at = error.problem_mark.index if error.problem_mark else len(text)
        for event in yaml.parse(text, yaml.SafeLoader):
            if event.start_mark is not None and event.start_mark.index > at + _LOOK_AHEAD:
                break
        raise


def _syntax(source: Source, error: yaml.MarkedYAMLError) -> Complaint:
    if conflict := _CONFLICT.search(source.text):
        help_ = "keep one of the two sides and remove the markers"
        return source.complain(conflict.start(), conflict.end(), "a merge conflict is left in the file", help_)
    mark = error.problem_mark or error.context_mark
    at = mark.index if mark else 0
    problem = printable(error.problem or "it cannot be read")
    message = f"not valid YAML: {problem}"
    if error.context and error.context_mark and error.context_mark.index != at:
        place = source.place(error.context_mark.index)
        message += f" ({printable(error.context)} that begins on line {place.line})"
    help_ = ""
    if source.text[at : at + 1] == "\t" or "'\\t'" in problem:
        help_ = "indent with spaces, not with tabs"
    elif "mapping values" in problem:
        help_ = "a text that contains ': ' needs quotes; entries of one mapping begin in the same column"
    elif "alias" in problem and "undefined" in problem:
        help_ = "a text that begins with '*' needs quotes"
    elif "cannot start any token" in problem:
        help_ = f"a text that begins with {quote(source.text[at])} needs quotes"
    return source.complain(at, at + 1, message, help_)


class _Composer:
    """Builds nodes from events, without recursion."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.root: Node | None = None
        self.complaints: list[Complaint] = []
        self._frames: list[_Frame] = []
        self._anchors: dict[str, _Anchored] = {}
        self._documents = 0
        self._nodes = 0

    def take(self, event: Any) -> None:
        start, end = event.start_mark.index, event.end_mark.index
        if isinstance(event, yaml.ScalarEvent):
            node = ScalarNode(start, end, self._value(event, start, end))
            self._remember(event.anchor, _Anchored(node, 1, 1))
            self._add(node, 1, 1)
        elif isinstance(event, (yaml.SequenceStartEvent, yaml.MappingStartEvent)):
            self._open(event, start, end)
        elif isinstance(event, (yaml.SequenceEndEvent, yaml.MappingEndEvent)):
            self._close(end)
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event.anchor or "", start, end)
        elif isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                self._refuse(start, end, "a second YAML document begins here", "a case file is one document")

    def _open(self, event: Any, start: int, end: int) -> None:
        mapping = isinstance(event, yaml.MappingStartEvent)
        if event.tag not in (None, "!", _TAG + ("map" if mapping else "seq")):
            self._note(start, end, f"the tag {quote(_short(event.tag))} is not allowed", "a case file is plain data")
        if len(self._frames) >= MAX_DEPTH:
            self._refuse(start, end, f"nested more than {MAX_DEPTH} levels deep")
        node = MapNode(start, end) if mapping else ListNode(start, end)
        self._anchors.pop(event.anchor, None)
        self._frames.append(_Frame(node, event.anchor))

    def _close(self, end: int) -> None:
        frame = self._frames.pop()
        text = self.source.text[frame.node.start : end]
        frame.node.end = frame.node.start + max(1, len(text.rstrip()))
        if frame.merged and isinstance(frame.node, MapNode):
            for name, entry in frame.merged:
                frame.node.entries.setdefault(name, entry)
        self._remember(frame.anchor, _Anchored(frame.node, frame.weight, frame.height))
        self._add(frame.node, frame.weight, frame.height)

    def _alias(self, anchor: str, start: int, end: int) -> None:
        if any(frame.anchor == anchor for frame in self._frames) and anchor not in self._anchors:
            self._refuse(start, end, f"the anchor {quote(anchor)} contains itself")
        known = self._anchors.get(anchor)
        if known is None:
            self._refuse(
                start, end, f"the anchor {quote(anchor)} is not defined", "a text that begins with '*' needs quotes"
            )
        if len(self._frames) + known.height > MAX_DEPTH:
            self._refuse(start, end, f"nested more than {MAX_DEPTH} levels deep")
        self._nodes += known.weight
        self._add(replace(known.node, start=start, end=end), known.weight, known.height)

    def _remember(self, anchor: str | None, anchored: _Anchored) -> None:
        if anchor is not None:
            self._anchors[anchor] = anchored

    def _add(self, node: Node, weight: int, height: int) -> None:
        """Put a finished node where it belongs."""
        self._nodes += 1
        if not self._frames:
            self.root = node
        frame = self._frames[-1] if self._frames else None
        total = (frame.weight if frame else 0) + weight
        if max(total, self._nodes) > MAX_NODES:
            self._refuse(node.start, node.end, f"the file holds more than {MAX_NODES:,} values")
        if frame is None:
            return
        frame.weight, frame.height = total, max(frame.height, height + 1)
        if isinstance(frame.node, ListNode):
            frame.node.items.append(node)
        elif frame.key is None:
            frame.key = node
        else:
            key, frame.key = frame.key, None
            self._enter(frame, frame.node, key, node)

    def _enter(self, frame: _Frame, mapping: MapNode, key: Node, node: Node) -> None:
        name = key.value if isinstance(key, ScalarNode) else None
        if not isinstance(name, str):
            help_ = "put it into quotes" if isinstance(key, ScalarNode) else "a key is a text"
            shown = f"the key {quote(name)}" if isinstance(key, ScalarNode) else "this key"
            self._note(key.start, key.end, f"{shown} is not a text", help_)
        elif name == "<<" and self.source.text[key.start : key.end] == "<<":
            self._merge(frame, node)
        elif name in mapping.entries:
            line = self.source.place(mapping.entries[name][0].start).line
            message = f"the key {quote(name)} is given twice"
            self._note(key.start, key.end, message, f"it is first given on line {line}; keep one of them")
        else:
            mapping.entries[name] = (key, node)

    def _merge(self, frame: _Frame, node: Node) -> None:
        frame.merged = frame.merged or []
        for part in node.items if isinstance(node, ListNode) else [node]:
            if isinstance(part, MapNode):
                frame.merged += part.entries.items()
            else:
                self._note(part.start, part.end, "'<<' takes a mapping, or a list of mappings")

    def _value(self, event: Any, start: int, end: int) -> Scalar:
        text: str = event.value
        if event.tag in _TEXT_TAGS or (event.tag is None and not event.implicit[0]):
            return text
        try:
            value = resolve(text)
        except ValueError as error:
            self._note(start, end, str(error))
            return None
        if event.tag is not None and event.tag not in _SCALAR_TAGS:
            self._note(start, end, f"the tag {quote(_short(event.tag))} is not allowed", "a case file is plain data")
        elif event.tag is not None and not isinstance(value, _SCALAR_TAGS[event.tag]):
            self._note(start, end, f"{quote(text)} is not what its tag {quote(_short(event.tag))} says")
        return value

    def _note(self, start: int, end: int, message: str, help: str = "") -> None:  # noqa: A002
        if len(self.complaints) < MAX_COMPLAINTS:
            self.complaints.append(self.source.complain(start, end, message, help))

    def _refuse(self, start: int, end: int, message: str, help: str = "") -> NoReturn:  # noqa: A002
        raise CaseFileError([self.source.complain(start, end, message, help), *self.complaints])


def _short(tag: str) -> str:
    return "!!" + tag[len(_TAG) :] if tag.startswith(_TAG) else tag
