"""The project around a file: what it prefers, its folders of cases, and the names that its files give to cases."""

from __future__ import annotations

import importlib
import os
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gradcheck.casefile.preferences import DEFAULT_FOLDERS, TABLE, check_table
from gradcheck.casefile.words import printable
from gradcheck.errors import CaseFileError, Complaint
from gradcheck.model import Plain

SUFFIXES = (".yaml", ".yml")


@dataclass(slots=True)
class Project:
    """A folder with a ``pyproject.toml`` (or the folder one is in).

    Attributes
    ----------
    root
        The folder.
    folders
        The folders and files of its cases.
    preferences
        What ``[tool.gradcheck]`` says, checked, by its keys.
    """

    root: Path
    folders: tuple[Path, ...]
    preferences: Mapping[str, Plain] = field(default_factory=dict)

    def files(self) -> list[Path]:
        """Return the case files of the project, in order."""
        found: dict[Path, None] = {}
        for folder in self.folders:
            found.update(dict.fromkeys([folder] if folder.is_file() else case_files(folder)))
        return list(found)


def case_files(folder: Path) -> Iterator[Path]:
    """Yield the YAML files below a folder in the order of their names; hidden folders are passed over."""
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if name.endswith(SUFFIXES) and not name.startswith("."):
                yield Path(parent) / name


def find_project(start: Path) -> Project:
    """Return the project that a folder belongs to: that of the nearest ``pyproject.toml`` above it.

    Raises
    ------
    CaseFileError
        If that file is no TOML, or ``[tool.gradcheck]`` holds anything but what it may; with all complaints.
    """
    start = Path(os.path.abspath(start))
    for folder in (start, *start.parents):
        if (folder / "pyproject.toml").is_file():
            return _read_once(folder / "pyproject.toml")
    return _make(start, {})


_known: dict[tuple[str, int, int], Project] = {}


def _read_once(path: Path) -> Project:
    status = path.stat()
    key = (str(path), status.st_mtime_ns, status.st_size)
    if key not in _known:
        _known[key] = _make(path.parent, _read_table(path))
    return _known[key]


def _make(root: Path, table: Mapping[str, Any]) -> Project:
    folders = table.get("cases", DEFAULT_FOLDERS)
    return Project(root, tuple(Path(os.path.normpath(root / name)) for name in folders), table)


def _read_table(path: Path) -> dict[str, Any]:
    """Return ``[tool.gradcheck]``, checked."""
    # tomllib came with Python 3.11; tomli is the same before
    toml: Any = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    text = ""
    try:
        text = path.read_bytes().decode("utf-8")
        values = toml.loads(text)
    except toml.TOMLDecodeError as error:
        raise CaseFileError([_syntax(path, text, str(error))]) from None
    except (UnicodeDecodeError, OSError, RecursionError) as error:
        raise CaseFileError([Complaint(shown(path), 0, 0, f"cannot be read: {printable(str(error))}")]) from None
    tool = values.get("tool", {})
    table = tool.get("gradcheck", {}) if isinstance(tool, dict) else {}
    if not isinstance(table, dict):
        raise CaseFileError([_complain(path, text, "", False, f"[{TABLE}] is not a table")])
    complaints = [_complain(path, text, *problem) for problem in check_table(table)]
    if complaints:
        raise CaseFileError(sorted(complaints, key=lambda each: (each.line, each.column)))
    return table


def complain(project: Project, key: str, message: str, help: str = "") -> CaseFileError:  # noqa: A002
    """Return the error for a value of ``[tool.gradcheck]`` that only the command line could judge."""
    path = project.root / "pyproject.toml"
    return CaseFileError([_complain(path, path.read_bytes().decode("utf-8"), key, False, message, help)])


def _complain(path: Path, text: str, key: str, about_key: bool, message: str, help: str = "") -> Complaint:  # noqa: A002
    from gradcheck.casefile import toml  # only a slip needs places
    from gradcheck.casefile.positions import Source

    inside = tuple(TABLE.split("."))
    item = toml.find(text, (*inside, key) if key else inside)
    if item is None:
        return Complaint(shown(path), 0, 0, message, help=help)
    start, end = item.key if about_key or item.value[0] == item.value[1] else item.value
    return Source(shown(path), text).complain(start, end, message, help)


def _syntax(path: Path, text: str, said: str) -> Complaint:
    """Return the complaint about a text that is no TOML, at the place that its parser names."""
    from gradcheck.casefile.positions import Source

    match = re.fullmatch(r"(?P<what>.*) \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)", said)
    message = f"not valid TOML: {printable(match['what'] if match else said)}"
    start = len(text.rstrip())
    if match and match["line"]:
        before = text.split("\n")[: int(match["line"]) - 1]
        start = sum(len(line) + 1 for line in before) + int(match["column"]) - 1
    return Source(shown(path), text).complain(start, start + 1, message)


def case_prefix(path: Path) -> str:
    """Return what stands before the last ``/`` in the names of the cases of a file.

    That is the path of its folder below the project's folder of cases; for a file that lies directly in that folder,
    the name of the file without its suffix; for one elsewhere, its path in the project without suffix. It does not
    depend on how the file was asked for.
    """
    path = Path(os.path.abspath(path))
    project = find_project(path.parent)
    for folder in project.folders:
        if folder in path.parents:
            inside = path.relative_to(folder).parent
            return printable(inside.as_posix()) if inside.parts else printable(path.stem)
    return printable(path.relative_to(project.root).with_suffix("").as_posix())


def shown(path: Path) -> str:
    """Return a path as it is shown: relative to the current folder if it lies below it."""
    absolute = os.path.abspath(path)
    relative = os.path.relpath(absolute)
    return printable(absolute if relative.startswith("..") else Path(relative).as_posix())
