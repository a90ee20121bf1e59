"""The search for one target of a command line."""

from __future__ import annotations

import copy
import fnmatch
import glob
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from gradcheck.casefile.builtin import find_builtin
from gradcheck.casefile.index import Index, Listed, layer_entry_points, may_name, package_of, read_index
from gradcheck.casefile.project import SUFFIXES, Project, case_files, find_project
from gradcheck.casefile.words import count, printable, quote, quote_path
from gradcheck.errors import CaseFileError, NameLookupError, UsageError, nearest
from gradcheck.model import Case, LayerSpec

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint


class Finder:
    """Looks up the targets of one call; each file is read once."""

    def __init__(self, folder: Path, load: bool) -> None:
        self.folder = folder
        self.load = load
        self.project: Project = find_project(folder)
        self._index: Index | None = None
        self._loaded: dict[Path, list[Case]] = {}

    @property
    def index(self) -> Index:
        """The names of the project's cases."""
        if self._index is None:
            self._index = read_index(self.project.files())
        return self._index

    def _index_of(self, name: str) -> Index:
        """Return an index that holds at least what has a name; most files need not be parsed for that."""
        if self._index is not None:
            return self._index
        return read_index([path for path in self.project.files() if may_name(path, name)])

    def all(self) -> list[Case]:
        """Return all cases of the project."""
        files = self.project.files()
        if not files:
            folders = " or ".join(_relative(folder, self.folder) for folder in self.project.folders) or "no folder"
            raise NameLookupError(
                f"there are no case files (looked in {folders})",
                "name a layer (`gradcheck list` shows them), or write a case file",
            )
        return self.read(files)

    def read(self, files: Iterable[Path]) -> list[Case]:
        """Return the cases of some files; the complaints of all of them come together."""
        from gradcheck.casefile.parse import load  # pydantic: not needed for built-in layers

        errors: list[CaseFileError] = []
        cases: list[Case] = []
        for path in files:
            try:
                if path not in self._loaded:
                    self._loaded[path] = load(path)
                cases += self._loaded[path]
            except CaseFileError as error:
                errors.append(error)
        if errors:
            raise joined(errors)
        return cases

    def resolve(self, target: str) -> list[Case]:
        """Return the cases that one target stands for."""
        if "\0" in target:  # no name of a case or file; some functions of the system would stumble over it
            raise self._unknown(target)
        if "::" in target:
            return self._in_file(target)
        if target.endswith(SUFFIXES) and not _is_pattern(target):
            return self.read([self._existing(target)])
        for look in (self._by_name, self._by_pattern, self._by_folder, self._by_reference, self._by_entry_point):
            if cases := look(target):
                return cases
        raise self._unknown(target)

    def _existing(self, name: str) -> Path:
        path = Path(os.path.normpath(self.folder / name))
        try:
            if path.is_file():
                return path
            near = nearest(path.name, [each.name for each in path.parent.iterdir()]) if path.parent.is_dir() else []
        except (OSError, ValueError):
            near = []
        help_ = f"did you mean {quote_path(os.path.join(os.path.dirname(name), near[0]))}?" if near else ""
        raise NameLookupError(f"there is no file {quote_path(name)}", help_)

    def _in_file(self, target: str) -> list[Case]:
        name, _, wanted = target.partition("::")
        cases = self.read([self._existing(name)])
        chosen = [case for case in cases if _is_called(case.name, wanted)]
        if not chosen and _is_pattern(wanted):
            chosen = [case for case in cases if _pattern(wanted).fullmatch(case.name.rpartition("/")[2])]
        if not chosen:
            known = dict.fromkeys(case.name.rpartition("/")[2] for case in cases)
            raise NameLookupError(
                f"{quote(name)} has no case {quote(wanted)}", _meant(wanted, [*map(_base, known), *known])
            )
        return chosen

    def _by_name(self, target: str) -> list[Case]:
        wanted = _base(target)
        index = self._index_of(wanted)
        entries = [entry for entry in index.cases if entry.name == wanted]
        entries = entries or [entry for entry in index.cases if entry.bare == wanted]
        if not entries:
            inside = [entry for entry in index.cases if entry.name.startswith(wanted.rstrip("/") + "/")]
            return self._cases_of(inside) if inside and wanted == target else []
        if len(entries) > 1:
            listed = "".join(f"\n    {entry.name}  ({entry.where})" for entry in entries)
            same = len({entry.name for entry in entries}) < len(entries)
            help_ = "name it as file.yaml::case" if same else "name it with its folder, as listed above"
            raise NameLookupError(f"the name {quote(target)} is found {len(entries)} times:{listed}", help_)
        cases = self._cases_of(entries)
        if wanted == target:
            return cases
        chosen = [case for case in cases if case.name.endswith(target[len(wanted) :])]
        if not chosen:
            variants = [case.name[len(_base(case.name)) :] for case in cases]
            help_ = (
                f"there are {', '.join(variants[:10])}{', …' if len(variants) > 10 else ''}" if any(variants) else ""
            )
            raise NameLookupError(
                f"the case {quote(entries[0].name)} has no variant {quote(target[len(wanted) :])}", help_
            )
        return chosen

    def _cases_of(self, entries: Iterable[Listed]) -> list[Case]:
        wanted = {(entry.path, entry.name) for entry in entries}
        files = dict.fromkeys(path for path, _ in wanted if path is not None)
        ordered = [path for path in self.project.files() if path in files]
        return [case for path in ordered for case in self.read([path]) if (path, _base(case.name)) in wanted]

    def _by_pattern(self, target: str) -> list[Case]:
        if not _is_pattern(target):
            return []
        if not target.endswith(SUFFIXES) and (cases := self._matching(target)):
            return cases
        found = [Path(path) for path in sorted(glob.glob(_glob(self.folder, target), recursive=True))]
        files = [path for path in found if path.is_file() and path.suffix in SUFFIXES]
        files += [path for folder in found if folder.is_dir() for path in case_files(folder)]
        if not files and target.endswith(SUFFIXES):
            raise NameLookupError(f"no case file is called {quote(target)}")
        return self.read(dict.fromkeys(files))

    def _matching(self, target: str) -> list[Case]:
        """Return the cases whose name, with or without its folder, matches; with ``=`` in it, the variant's name."""
        pattern = _pattern(target)
        if "=" in target or "[" in target:
            cases = self.read(self.project.files())
            return [case for case in cases if any(map(pattern.fullmatch, (case.name, case.name.rpartition("/")[2])))]
        return self._cases_of(
            [entry for entry in self.index.cases if any(map(pattern.fullmatch, (entry.name, entry.bare)))]
        )

    def _by_folder(self, target: str) -> list[Case]:
        try:
            folder = Path(os.path.normpath(self.folder / target))
            if not target or not folder.is_dir():
                return []
        except (OSError, ValueError):
            return []
        return self.read(case_files(folder))

    def _by_reference(self, target: str) -> list[Case]:
        if ":" not in target and not target.endswith(".py"):
            return []
        from gradcheck.casefile.checks import check_reference

        base = str(self.folder)
        for problem in check_reference(target, base, ()):
            raise NameLookupError(problem.message, problem.help)
        return [Case(target, LayerSpec(target=target, base=base))]

    def _by_entry_point(self, target: str) -> list[Case]:
        if (builtin := find_builtin(target)) is not None:
            return [builtin]
        same = layer_entry_points().get(target, [])
        if len(same) > 1:
            listed = "".join(f"\n    {entry.value}  ({package_of(entry)})" for entry in same)
            raise NameLookupError(
                f"the name {quote(target)} is found {len(same)} times:{listed}", "name one of them by its reference"
            )
        return [case_of(same[0], load=self.load)] if same else []

    def _unknown(self, target: str) -> NameLookupError:
        if _is_pattern(target):
            return NameLookupError(f"nothing matches {quote(target)}", "`gradcheck list` shows what there is")
        if "\0" not in target and target and os.path.isdir(self.folder / target):
            return NameLookupError(f"the folder {quote_path(target)} holds no case files", "they end in .yaml or .yml")
        known = [
            *(entry.bare for entry in self.index.cases),
            *(entry.name for entry in self.index.cases),
            *layer_entry_points(),
        ]
        help_ = _meant(target, list(dict.fromkeys(known)))
        if self.index.broken:
            files = ", ".join(dict.fromkeys(error.complaints[0].file for error in self.index.broken))
            help_ += f"\n  = note: {count(len(self.index.broken), 'case file')} cannot be read: {files}"
        return NameLookupError(f"there is no case, layer or file {quote(target)}", help_)


def case_of(entry: EntryPoint, *, load: bool = True) -> Case:
    """Return the case that an entry point is, or else a case without inputs for the layer that it is.

    Raises
    ------
    UsageError
        If it cannot be imported.
    """
    name = entry.name
    layer = LayerSpec(target=f"{entry.module}:{entry.attr}" if entry.attr else name, label=name)
    if not load and entry.module.partition(".")[0] != "gradcheck":
        return Case(name, layer)
    try:
        loaded = entry.load()
    except Exception as error:  # noqa: BLE001  (whatever another package does when it is imported)
        reason = printable(f"{type(error).__name__}: {error}")
        raise UsageError(f"the layer {quote(name)} of {package_of(entry)} cannot be imported: {reason}") from None
    if not isinstance(loaded, Case):
        return Case(name, layer)
    case = copy.deepcopy(loaded)
    case.name = name
    return case


def joined(errors: Iterable[CaseFileError]) -> CaseFileError:
    """Return one error with the complaints of several files."""
    return CaseFileError([complaint for error in errors for complaint in error.complaints])


def _base(name: str) -> str:
    """Return a name without its variant."""
    return name.partition("[")[0] if name.endswith("]") or "[" in name else name


def _is_called(name: str, wanted: str) -> bool:
    bare = name.rpartition("/")[2]
    return wanted in (name, bare, _base(name), _base(bare))


def _is_pattern(target: str) -> bool:
    return "*" in target or "?" in target


def _pattern(text: str) -> re.Pattern[str]:
    """Return a pattern in which ``*`` and ``?`` are wild; brackets belong to the names of variants."""
    return re.compile(fnmatch.translate(text.replace("[", "[[]")))


def _glob(folder: Path, target: str) -> str:
    return os.path.join(glob.escape(str(folder)), target.replace("[", "[[]"))


def _meant(target: str, known: list[str]) -> str:
    near = nearest(target, known, 3)
    if near:
        return "did you mean " + " or ".join(quote(name) for name in near) + "?"
    return "`gradcheck list` shows what there is"


def _relative(path: Path, start: Path) -> str:
    return quote_path(os.path.relpath(path, start))
