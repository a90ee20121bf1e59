"""Files executed as modules of their own: once per session, with nothing of an earlier session left in them."""

from __future__ import annotations

import importlib.util
import os
import random
import sys
import threading
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.machinery import SourceFileLoader
from types import CodeType, ModuleType

import numpy as np

from gradcheck.errors import LayerError
from gradcheck.layers.calling import call, describe
from gradcheck.layers.frameworks import held_arrays, load_named, seed_loaded

_lock = threading.RLock()
_code: dict[str, tuple[int, int, CodeType]] = {}
_siblings: dict[str, ModuleType] = {}
_steady: dict[tuple[str, int, tuple[int, int]], bool] = {}
_SEED = 20_011
_PRIVATE = "_gradcheck_"


class UnsteadyError(LayerError):
    """A file whose module-level arrays are others each time that it is executed: it cannot be had anew as it was."""


class Session:
    """One look at the user's code: what it executes, it executes once.

    Functions of one file that are resolved in one session share the module, and so its state, as they do in their
    author's own program.

    Parameters
    ----------
    fresh
        Whether modules that are imported already are executed anew as well, and instances are copied anew.
    """

    def __init__(self, *, fresh: bool = False) -> None:
        self.fresh = fresh
        self.modules: dict[str, ModuleType] = {}
        self.copies: dict[int, object] = {}

    def load(self, path: str) -> ModuleType:
        """Execute a file, unless this session has done so.

        Raises
        ------
        LayerError
            If it raises, or is no Python.
        """
        path = os.path.realpath(path)
        if path not in self.modules:
            name = f"{_PRIVATE}{os.path.basename(path)[:-3]}_{zlib.crc32(path.encode()):08x}"
            if self.fresh and not is_steady(path, name):
                raise UnsteadyError(f"{os.path.basename(path)} draws other arrays each time that it is executed")
            self.modules[path] = execute(path, name, companions=self.modules)
        return self.modules[path]


def execute(
    path: str,
    name: str,
    package: str | None = None,
    *,
    keep: bool = True,
    seed: int = _SEED,
    companions: dict[str, ModuleType] | None = None,
) -> ModuleType:
    """Execute a Python file as a new module.

    Its folder is importable while it runs. Modules that it imports from there are imported anew the next time, so
    that two folders may each have a ``helpers.py``. The global random states are the same for every execution, and
    are given back: weights that are drawn while a module loads are the same each time.

    Parameters
    ----------
    path
        The file.
    name
        Name of the module, under which it is found in ``sys.modules`` while it runs.
    package
        Package for relative imports.
    keep
        Whether it stays in ``sys.modules``, as pickle and dataclasses want it.
    seed
        Of the global random states while it runs.
    companions
        Modules by path that were executed for the same layer: what this one imports of them is found there, and what
        it imports from its folder is added, so that a forward and a backward in two files share their state.

    Raises
    ------
    LayerError
        If it raises, or is no Python.
    """
    with _lock:
        code = _compile(path, name)
        spec = importlib.util.spec_from_file_location(name, path)
        module = ModuleType(name) if spec is None else importlib.util.module_from_spec(spec)
        if package is not None:
            module.__package__ = package
        folder = os.path.dirname(path)
        _forget_siblings()
        load_named(code, folder)
        companions = {} if companions is None else companions
        others = {_import_name(place, other, folder): other for place, other in companions.items()}
        with _in_place({**others, name: module}), _importable(folder, companions), same_random_state(seed):
            call(exec, (code, module.__dict__), role=f"loading {os.path.basename(path)}")
        if keep:
            sys.modules[name] = module
        return module


def is_steady(path: str, name: str, package: str | None = None, *, seeds: tuple[int, int] = (_SEED, _SEED)) -> bool:
    """Whether two executions of a file give the same arrays: weights that are drawn without a seed are not.

    Parameters
    ----------
    path, name, package
        As for :func:`execute`.
    seeds
        Of the global random states: different ones where the execution that is to be repeated had a state of its own.
    """
    key = (path, os.stat(path).st_mtime_ns, seeds)
    if key not in _steady:
        one, other = (vars(execute(path, name, package, keep=False, seed=seed)) for seed in seeds)
        _steady[key] = equal_arrays(one, other)
    return _steady[key]


@contextmanager
def same_random_state(seed: int = _SEED) -> Iterator[None]:
    """Set the global random states of Python, numpy and loaded frameworks to one value, and give them back after it."""
    states = random.getstate(), np.random.get_state()
    random.seed(seed)
    np.random.seed(seed)
    try:
        with seed_loaded(seed):
            yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])


def equal_arrays(one: Mapping[str, object], other: Mapping[str, object]) -> bool:
    """Whether two namespaces hold the same arrays, also one level down in lists, dicts and objects."""
    first, second = dict(_arrays(one, 2)), dict(_arrays(other, 2))
    return first.keys() == second.keys() and all(
        first[key].shape == second[key].shape and first[key].tobytes() == second[key].tobytes() for key in first
    )


def _arrays(
    space: Mapping[str, object], depth: int
) -> Iterator[tuple[str, np.ndarray[tuple[int, ...], np.dtype[np.generic]]]]:
    for name, value in list(space.items()):
        if isinstance(value, np.ndarray):
            if value.dtype.kind != "O":
                yield name, value
        elif found := held_arrays(value):
            yield from ((f"{name}.{key}", array) for key, array in found.items())
        elif depth and name != "__builtins__" and not isinstance(value, ModuleType | type):
            inner: object = vars(value) if hasattr(value, "__dict__") and not callable(value) else value
            if isinstance(inner, list | tuple):
                inner = {str(position): item for position, item in enumerate(inner)}
            if isinstance(inner, Mapping):
                for key, array in _arrays({str(key): item for key, item in inner.items()}, depth - 1):
                    yield f"{name}.{key}", array


def _compile(path: str, name: str) -> CodeType:
    try:
        found = os.stat(path)
        stamp = (found.st_mtime_ns, found.st_size)
        if path in _code and _code[path][:2] == stamp:
            return _code[path][2]
        loader = SourceFileLoader(name, path)
        code = loader.source_to_code(loader.get_data(path), path)
    except (OSError, SyntaxError, ValueError) as error:
        raise describe(error, f"loading {os.path.basename(path)}") from None
    if not isinstance(code, CodeType):
        raise LayerError(f"loading {os.path.basename(path)}: it is no Python code")
    _code[path] = (*stamp, code)
    return code


def _import_name(path: str, module: ModuleType, folder: str) -> str:
    """Return the name by which a file of `folder` imports a module."""
    private = module.__name__.startswith(_PRIVATE)
    return os.path.basename(path)[:-3] if private and os.path.dirname(path) == folder else module.__name__


def _forget_siblings() -> None:
    """Take the modules that earlier executions imported from their folders out of ``sys.modules``."""
    for name, module in _siblings.items():
        if sys.modules.get(name) is module:
            del sys.modules[name]
    _siblings.clear()


@contextmanager
def _in_place(modules: Mapping[str, ModuleType]) -> Iterator[None]:
    """Put modules into ``sys.modules`` for a while."""
    before = {name: sys.modules.get(name) for name in modules}
    sys.modules.update(modules)
    try:
        yield
    finally:
        for name, module in before.items():
            if module is None:
                sys.modules.pop(name, None)
            else:
                sys.modules[name] = module


@contextmanager
def _importable(folder: str, companions: dict[str, ModuleType]) -> Iterator[None]:
    """Make the modules of a folder importable, and remember those that are imported."""
    known = set(sys.modules)
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        if folder in sys.path:
            sys.path.remove(folder)
        for name, module in list(sys.modules.items()):
            file = getattr(module, "__file__", None)
            if name not in known and isinstance(file, str) and os.path.realpath(file).startswith(folder + os.sep):
                _siblings[name] = module
                companions.setdefault(os.path.realpath(file), module)
