"""The files that a case needs: found without importing any, to be sent to machines that do not have them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from gradcheck.errors import UsageError
from gradcheck.model import Case, InputSpec, LayerSpec

LARGEST = 64 << 20
"""Bytes of files that may be sent with a case."""


def specs_of(case: Case) -> Iterator[LayerSpec]:
    """Yield the specs of all the layers that a case names, links of chains included."""
    waiting = [case.layer, *([case.settings.reference] if case.settings.reference else [])]
    while waiting:
        spec = waiting.pop()
        yield spec
        waiting += spec.chain or []


def inputs_of(case: Case) -> list[InputSpec]:
    """Return the specs of all arrays that a case draws."""
    upstream = case.settings.upstream
    return [*case.inputs.values(), *(upstream if isinstance(upstream, list) else [])]


def references_of(spec: LayerSpec) -> list[str]:
    """Return the references to code in a spec; names of methods are not among them."""
    beside = spec.object is not None or spec.node is not None
    found = [spec.target, spec.object, spec.node, *([] if beside else [spec.forward, spec.backward])]
    return [text for text in found if text is not None and ":" in text]


def find_files(case: Case) -> list[str]:
    """Return the absolute paths of the files that a case needs.

    They are the Python files that it refers to and those beside them (with the packages there), packages and modules
    that it names and that lie beside the case file or in the working directory, and the files of its inputs. What is
    installed is not among them.
    """
    found: dict[str, None] = {}
    for spec in specs_of(case):
        for reference in references_of(spec):
            where = reference.rpartition(":")[0]
            if where.endswith(".py"):
                path = absolute(where, spec.base)
                if os.path.isfile(path):
                    found.update(dict.fromkeys([path, *_beside(os.path.dirname(path))]))
            else:
                for folder in dict.fromkeys([os.path.abspath(spec.base or "."), os.getcwd()]):
                    module = _module(folder, where.partition(".")[0])
                    found.update(dict.fromkeys([*module, *_beside(folder)] if module else []))
    for each in inputs_of(case):
        if isinstance(name := each.parameters.get("file"), str):
            found[absolute(name, case.layer.base)] = None
    return [path for path in found if os.path.isfile(path)]


def read_files(paths: Sequence[str]) -> dict[str, bytes]:
    """Return the contents of files.

    Raises
    ------
    UsageError
        If there is too much of it to be sent with every case, or one cannot be read.
    """
    try:
        total = sum(os.path.getsize(path) for path in paths)
        if total > LARGEST:
            raise UsageError(
                f"the files of a case come to {total >> 20} MiB, more than the {LARGEST >> 20} MiB that are sent",
                "put its code into a folder of its own, and its arrays where every worker finds them",
            )
        return {path: Path(path).read_bytes() for path in paths}
    except OSError as error:
        raise UsageError(f"cannot send {error.filename}: {error.strerror}") from error


def absolute(path: str, base: str) -> str:
    """Return a path that starts from a base, or from the working directory, in full."""
    return os.path.normpath(os.path.join(os.path.abspath(base or "."), os.path.expanduser(path)))


def _module(folder: str, name: str) -> list[str]:
    single = os.path.join(folder, f"{name}.py")
    return [single] if os.path.isfile(single) else list(_package(os.path.join(folder, name)))


def _beside(folder: str) -> Iterator[str]:
    for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
        path = os.path.join(folder, name)
        if name.endswith(".py"):
            yield path
        elif os.path.isfile(os.path.join(path, "__init__.py")):
            yield from _package(path)


def _package(folder: str) -> Iterator[str]:
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__pycache__")))
        yield from (os.path.join(parent, name) for name in sorted(names) if name.endswith(".py"))
