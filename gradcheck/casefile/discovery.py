"""From what a command line names to cases: names, files, folders, globs, references and entry points.

In this order, nearest first: a case file given as such, a case (or a folder of cases) of the project's own files,
another folder, a reference to code, an entry point. Nothing of the user's is imported but an entry point that is to be
run.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from gradcheck.casefile.finder import Finder, joined
from gradcheck.casefile.index import Listed, layer_entry_points, package_of
from gradcheck.casefile.preferences import prefer
from gradcheck.casefile.words import quote
from gradcheck.errors import NameLookupError
from gradcheck.model import Case, Place


def find(targets: Sequence[str] = (), *, root: Path | None = None, load: bool = True) -> list[Case]:
    """Return the cases that some targets stand for, in their order, each once.

    Parameters
    ----------
    targets
        Names (``softmax``, ``reference/softmax``, ``softmax[axis=0]``, ``reference``), case files, folders, globs,
        ``file.yaml::case``, ``module:attr``, ``file.py:attr``. None: all cases of the project.
    root
        The folder that paths start from and in or above which the project lies; the current one by default.
    load
        Whether entry points of other packages are imported, to see if they are cases; those of gradcheck always are.

    Returns
    -------
    list of Case
        All variants of a matrix one by one, with what the project prefers where they say nothing. Something that is no
        case becomes one without inputs.

    Raises
    ------
    NameLookupError
        If a target is unknown, or means several things.
    CaseFileError
        If a case file that is needed has faults; it holds those of all files.
    UsageError
        If the project's ``pyproject.toml`` is faulty, or an entry point cannot be imported.
    """
    finder = Finder(Path(os.path.abspath(root or Path.cwd())), load)
    found = [case for target in targets for case in finder.resolve(target)] if targets else finder.all()
    return [prefer(case, finder.project.preferences) for case in _distinct(found)]


def listing(root: Path | None = None) -> list[Listed]:
    """Return everything that has a name, cases first: name, place and summary. Imports no numpy and no user's code.

    Raises
    ------
    CaseFileError
        If a case file cannot be read at all; what a file says otherwise is not looked at.
    UsageError
        If the project's ``pyproject.toml`` is faulty.
    """
    finder = Finder(Path(os.path.abspath(root or Path.cwd())), load=False)
    if finder.index.broken:
        raise joined(finder.index.broken)
    layers = [
        Listed(name, Place(entry.value), package_of(entry))
        for name, same in layer_entry_points().items()
        for entry in same
    ]
    return [*finder.index.cases, *layers]


def names(root: Path | None = None) -> list[str]:
    """Return what a shell may complete: names of cases, also without their folders where that is clear, and of layers.

    Case files that cannot be read are passed over.
    """
    index = Finder(Path(os.path.abspath(root or Path.cwd())), load=False).index
    bare = [case.bare for case in index.cases]
    full = [case.name for case in index.cases]
    return list(dict.fromkeys([*full, *(name for name in bare if bare.count(name) == 1), *layer_entry_points()]))


def _distinct(cases: Iterable[Case]) -> list[Case]:
    """Return each case once; a name that two different cases have is an error."""
    found: dict[str, Case] = {}
    for case in cases:
        other = found.setdefault(case.name, case)
        if other.place != case.place:
            raise NameLookupError(
                f"two cases have the name {quote(case.name)}: {other.place} and {case.place}",
                "rename one of them, or run one alone as file.yaml::case",
            )
    return list(found.values())
