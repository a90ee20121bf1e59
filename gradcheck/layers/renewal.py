"""The user's objects without their memories: executed anew or copied, where that is safe."""

from __future__ import annotations

import contextlib
import copy
import functools
import inspect
import io
import os
import sys
from collections.abc import Mapping
from types import FunctionType, MethodType, ModuleType

from gradcheck.errors import GradcheckError
from gradcheck.layers.calling import is_installed
from gradcheck.layers.modules import Session, execute, is_steady
from gradcheck.model import Case, LayerSpec

_running: set[str] = set()
_STATELESS = (FunctionType, type, ModuleType, functools.partial, list, tuple, str, Case, LayerSpec)


def copy_of(thing: object) -> object:
    """Return a deep copy of an instance, or of the instance that a method is bound to; else ``None``."""
    owner = _owner(thing)
    if owner is None:
        return None
    try:
        return copy.deepcopy(owner)
    except Exception:  # noqa: BLE001  __deepcopy__ of the user's, or something that cannot be copied (a lock, a file)
        return None


def renew(thing: object, session: Session, pristine: object) -> object:
    """Return an equal object without memory of earlier calls, or the same one where that cannot safely be had.

    Parameters
    ----------
    thing
        A function, class, method or instance.
    session
        Objects of one session share the modules and instances that it makes anew.
    pristine
        What :func:`copy_of` returned for it before anything was called.
    """
    if isinstance(thing, functools.partial):
        function = renew(thing.func, session, None)
        return functools.partial(function, *thing.args, **thing.keywords) if callable(function) else thing
    if isinstance(thing, MethodType) and isinstance(thing.__self__, type):
        return getattr(renew(thing.__self__, session, None), thing.__name__, thing)
    owner = _owner(thing)
    if owner is not None:
        if pristine is None and id(owner) not in session.copies:
            return thing
        renewed = session.copies.setdefault(id(owner), copy_of(pristine) or owner)
        return getattr(renewed, thing.__name__) if isinstance(thing, MethodType) else renewed
    if isinstance(thing, FunctionType | type) or hasattr(thing, "__wrapped__"):
        return _execute_again(thing, session)
    return thing


def _owner(thing: object) -> object | None:
    """Return the instance that holds the state, if it is one."""
    if isinstance(thing, MethodType):
        return None if isinstance(thing.__self__, type) else thing.__self__
    if isinstance(thing, _STATELESS) or inspect.isroutine(thing):
        return None
    return None if hasattr(thing, "__wrapped__") else thing


def _execute_again(thing: object, session: Session) -> object:
    home = _home(thing)
    if home is None:
        return thing
    names, space = home
    path = os.path.realpath(str(space["__file__"]))
    if path in _running:  # the file itself asks for a check while it is executed
        return thing
    module = session.modules.get(path)
    if module is None:
        module = _again(path, space, session.modules)
        if module is None:
            return thing
        session.modules[path] = module
    found: object = module
    for name in names:
        found = getattr(found, name, None)
    return found if _says_the_same(thing, found) else thing


def _again(path: str, space: Mapping[str, object], companions: dict[str, ModuleType]) -> ModuleType | None:
    name, package = str(space["__name__"]), space.get("__package__")
    package = package if isinstance(package, str) else None
    _running.add(path)
    try:
        # what the module prints has been seen when it was imported
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            if not is_steady(path, name, package, seeds=(1, 2)):
                return None
            return execute(path, name, package, keep=False, companions=companions)
    except (GradcheckError, OSError):
        return None
    finally:
        _running.discard(path)


def _home(thing: object) -> tuple[list[str], Mapping[str, object]] | None:
    """Return the path of names and the module's namespace in which an object of the top level is found, if it is."""
    names = str(getattr(thing, "__qualname__", "")).split(".")
    module = sys.modules.get(str(getattr(thing, "__module__", "")))
    for space in (getattr(thing, "__globals__", None), None if module is None else vars(module)):
        if not isinstance(space, dict):
            continue
        found = space.get(names[0])
        for name in names[1:]:
            found = getattr(found, name, None)
        if found is thing and _may_run_again(space):
            return names, space
    return None


def _may_run_again(space: Mapping[str, object]) -> bool:
    file = space.get("__file__")
    if not isinstance(file, str) or not file.endswith(".py") or not os.path.isfile(file):
        return False
    package = str(space.get("__name__", "")).partition(".")[0]
    return space.get("__name__") != "__main__" and package != "gradcheck" and not is_installed(file)


def _says_the_same(one: object, other: object) -> bool:
    """Whether two functions, or the methods of two classes, have the same code: the file may have been edited."""
    if isinstance(one, type) and isinstance(other, type):
        return _codes(one) == _codes(other)
    return other is not None and getattr(one, "__code__", None) == getattr(other, "__code__", None)


def _codes(kind: type) -> dict[str, object]:
    methods = {name: getattr(value, "__func__", value) for name, value in vars(kind).items()}
    return {name: method.__code__ for name, method in methods.items() if isinstance(method, FunctionType)}
