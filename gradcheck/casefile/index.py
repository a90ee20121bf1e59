"""What can be named: the cases of a project's files and the entry points, without validating or importing them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from gradcheck.casefile.project import case_prefix, shown
from gradcheck.casefile.text import read
from gradcheck.casefile.words import printable
from gradcheck.errors import CaseFileError
from gradcheck.model import Place

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from gradcheck.casefile.positions import Node

GROUP = "gradcheck.layers"


class Listed(NamedTuple):
    """One name that a target may be.

    Attributes
    ----------
    name
        How it is listed: ``reference/softmax`` for a case (all its variants), ``softmax`` for an entry point.
    where
        The file, line and column of a case; for an entry point its reference.
    summary
        First line of the case's ``about``, or the package that an entry point comes from.
    path
        The file of a case; None for an entry point.
    """

    name: str
    where: Place
    summary: str = ""
    path: Path | None = None

    @property
    def bare(self) -> str:
        """The name without the folder or file."""
        return self.name.rpartition("/")[2]


@dataclass(slots=True)
class Index:
    """The cases found, and the files that cannot be read."""

    cases: list[Listed] = field(default_factory=list)
    broken: list[CaseFileError] = field(default_factory=list)


def read_index(files: list[Path]) -> Index:
    """Return the cases in some files, by their names and places alone."""
    index = Index()
    if not files:
        return index
    from gradcheck.casefile.composer import compose  # PyYAML: not needed for built-in layers
    from gradcheck.casefile.positions import MapNode, Source, child

    for path in files:
        try:
            source = Source(shown(path), read(path))
            root, _ = compose(source)
        except CaseFileError as error:
            index.broken.append(error)
            continue
        cases = child(root, "cases")
        prefix = case_prefix(path)
        for name, (key, node) in cases.entries.items() if isinstance(cases, MapNode) else ():
            index.cases.append(Listed(f"{prefix}/{printable(name)}", source.place(key.start), _summary(node), path))
    return index


_STRANGE = re.compile(r"\\|^[ -]*\?\s|\*[^\s,{}\[\]]+\s*:", re.MULTILINE)
"""Escapes, keys on lines of their own, and keys that are aliases: any name could be behind them."""

_MARKS = (b"\\", b"? ", b"?\n", b"*")
"""What stands in every file that is strange, and in few others."""

_FIRST_CASE = re.compile(r"^cases:[ \t]*(?:#.*)?\n(?:[ \t]*(?:#.*)?\n)*( +)(?=[\w\"'])", re.MULTILINE)


def may_name(path: Path, target: str) -> bool:
    """Whether a case file can hold what a target names: a cheap look that errs on the side of yes.

    Parameters
    ----------
    path
        The case file.
    target
        The name of a case, with or without its folder, or of a folder.
    """
    first, bare = target.partition("/")[0], target.rstrip("/").rpartition("/")[2]
    if first in map(printable, path.with_suffix("").parts) and case_prefix(path).partition("/")[0] == first:
        return True
    try:
        data = path.read_bytes()
    except OSError:
        return False
    if bare.encode("utf-8", "surrogateescape") not in data and not any(mark in data for mark in _MARKS):
        return False
    text = data.decode("utf-8", "replace")
    if bare in text:
        # the names of cases stand below each other
        block = _FIRST_CASE.search(text)
        before = rf"^{block[1]}" if block else r"(?<![\w./:-])"
        if re.search(rf"{before}[\"']?{re.escape(bare)}[\"']?\s*:", text, re.MULTILINE):
            return True
    return bool(_STRANGE.search(text))


def _summary(node: Node) -> str:
    from gradcheck.casefile.positions import ScalarNode, child

    about = child(node, "about")
    if not isinstance(about, ScalarNode) or not isinstance(about.value, str):
        return ""
    return printable(next(iter(about.value.strip().splitlines()), ""))


def entry_points(group: str) -> Iterable[EntryPoint]:
    """Return the entry points of a group, of all installed packages."""
    from importlib import metadata  # a tenth of the start-up, so not for built-in layers

    return metadata.entry_points(group=group)


def layer_entry_points() -> dict[str, list[EntryPoint]]:
    """Return the entry points for layers by name; several where packages disagree. Nothing is imported."""
    found: dict[str, list[EntryPoint]] = {}
    for entry in entry_points(group=GROUP):
        same = found.setdefault(entry.name, [])
        # an editable installation shows itself twice
        if all(entry.value != other.value for other in same):
            same.append(entry)
    return dict(sorted(found.items()))


def package_of(entry: EntryPoint) -> str:
    """Return the package that an entry point comes from, with its version."""
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist is not None else "an unknown package"
