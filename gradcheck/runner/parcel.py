"""A case with the files that it needs, packed for a machine that may not have them, and unpacked there."""

from __future__ import annotations

import atexit
import hashlib
import os
import shutil
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from gradcheck.model import Case, InputSpec, LayerSpec, Report
from gradcheck.runner.plan import Plan
from gradcheck.runner.sources import find_files, read_files


@dataclass(frozen=True, slots=True)
class Parcel:
    """A case, packed.

    Attributes
    ----------
    files
        Contents by absolute path.
    folder
        The working directory that the case is run from.
    timeout, memory
        What the case may take.
    shrinking
        Whether it is made smaller, should it fail.
    """

    case: Case
    files: dict[str, bytes]
    folder: str
    timeout: float | None
    memory: int | None
    shrinking: bool = False


@dataclass(frozen=True, slots=True)
class Unpacked:
    """A case as it can be run here; ``root`` is the folder below which its files stand in for those it names."""

    case: Case
    folder: str
    root: str = ""


def pack(cases: Sequence[Case], plan: Plan) -> list[Parcel]:
    """Pack cases; those that need the same files share their contents.

    Raises
    ------
    UsageError
        If the files of a case are too large or cannot be read.
    """
    read: dict[tuple[str, ...], dict[str, bytes]] = {}
    parcels = []
    for case in cases:
        paths = tuple(find_files(case))
        if paths not in read:
            read[paths] = read_files(paths)
        limits = plan.timeout_of(case), plan.memory_of_worker()
        parcels.append(Parcel(case, read[paths], os.getcwd(), *limits, plan.shrinking))
    return parcels


_roots: dict[str, str] = {}
_lock = threading.Lock()


def unpack(parcel: Parcel) -> Unpacked:
    """Make the files of a parcel available, and return the case that refers to them.

    Where the same files are at the same places already, nothing is written. Else they are written below a folder of
    their own, which is removed when this process ends, at the same absolute paths.
    """
    if os.path.isdir(parcel.folder) and all(_is_there(path, data) for path, data in parcel.files.items()):
        return Unpacked(parcel.case, parcel.folder)
    with _lock:
        key = _digest(parcel)
        if key not in _roots:
            root = os.path.realpath(tempfile.mkdtemp(prefix="gradcheck-"))
            atexit.register(shutil.rmtree, root, ignore_errors=True)
            _write(root, parcel)
            _roots[key] = root
        root = _roots[key]
    case = parcel.case
    settings = case.settings
    moved = replace(
        case,
        layer=_move_spec(case.layer, root),
        inputs={name: _move_input(spec, root) for name, spec in case.inputs.items()},
        settings=replace(
            settings,
            reference=None if settings.reference is None else _move_spec(settings.reference, root),
            upstream=[_move_input(spec, root) for spec in settings.upstream]
            if isinstance(settings.upstream, list)
            else settings.upstream,
        ),
    )
    return Unpacked(moved, _below(root, parcel.folder), root)


def restore_paths(report: Report, root: str) -> None:
    """Write the paths in a report as they are where the case comes from."""
    if not root:
        return
    for name in ("error", "trace", "output", "surprise"):
        setattr(report, name, getattr(report, name).replace(root, ""))
    report.notes = [note.replace(root, "") for note in report.notes]
    for finding in report.findings:
        finding.message = finding.message.replace(root, "")
    if report.source is not None:
        report.source = replace(report.source, file=report.source.file.replace(root, ""))


def _is_there(path: str, data: bytes) -> bool:
    try:
        return os.path.getsize(path) == len(data) and Path(path).read_bytes() == data
    except OSError:
        return False


def _digest(parcel: Parcel) -> str:
    digest = hashlib.sha256(parcel.folder.encode())
    for path, data in sorted(parcel.files.items()):
        digest.update(f"\0{path}\0{len(data)}\0".encode() + data)
    return digest.hexdigest()


def _write(root: str, parcel: Parcel) -> None:
    os.makedirs(_below(root, parcel.folder), exist_ok=True)
    for path, data in parcel.files.items():
        target = _below(root, path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        Path(target).write_bytes(data)


def _below(root: str, path: str) -> str:
    """Return where an absolute path is below a root; one that is not absolute starts from the working directory."""
    if not os.path.isabs(path):
        return path
    return root + os.path.splitdrive(path)[1]


def _move_spec(spec: LayerSpec, root: str) -> LayerSpec:
    def move(reference: str | None) -> str | None:
        return reference if reference is None or ".py:" not in reference else _below(root, reference)

    return replace(
        spec,
        target=move(spec.target),
        forward=move(spec.forward),
        backward=move(spec.backward),
        object=move(spec.object),
        node=move(spec.node),
        chain=None if spec.chain is None else [_move_spec(link, root) for link in spec.chain],
        base=_below(root, spec.base),
    )


def _move_input(spec: InputSpec, root: str) -> InputSpec:
    name = spec.parameters.get("file")
    if not isinstance(name, str):
        return spec
    return replace(spec, parameters={**spec.parameters, "file": _below(root, name)})
