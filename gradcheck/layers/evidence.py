"""Which framework a function is written for, told without calling it: by its home, its annotations and its code."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from types import CodeType, FunctionType, MethodType, ModuleType

import numpy as np

from gradcheck.errors import UsageError
from gradcheck.layers.calling import name_of
from gradcheck.layers.frameworks import ADAPTED, FRAMEWORK, Framework, loaded

_DEPTH = 3
_NUMPY = Framework("numpy", "NumPy", "numpy", "", ("scipy",))
_NUMPY_ROOTS = ("numpy", "scipy")
_NUMPY_ARRAY = re.compile(r"\b(np|numpy|npt)\.")
_CONVERSIONS = frozenset(["from_numpy", "as_tensor", "from_dlpack"])


def is_written_for(framework: Framework, *things: object, strict: bool = False) -> bool:
    """Whether functions, or the methods of a class, are written in terms of a framework.

    Parameters
    ----------
    framework
        The framework in question.
    things
        Functions, classes or instances.
    strict
        Whether they could be functions of numpy arrays as well: then code that converts arrays to tensors does not
        count. Code that names no framework is of the one that its file names if it calls methods that only the tensors
        of that have (``x.sigmoid()``), or if its file names no other, nor, where it matters, numpy.

    Raises
    ------
    UsageError
        If the code names several frameworks.
    """
    there = [each for each in dict.fromkeys((*ADAPTED, framework)) if loaded(each) is not None]
    found = {each.package for each in there for thing in things if _names(thing, each)}
    found = found or {each.package for each in there for thing in things if _speaks(thing, each)}
    if not found and not any(_file_names(thing, _NUMPY) if strict else _names(thing, _NUMPY) for thing in things):
        found = {each.package for each in there for thing in things if _file_names(thing, each)}
    if framework.package not in found:
        return False
    if len(found) > 1:
        titles = " and ".join(each.title for each in there if each.package in found)
        raise UsageError(
            f"`{name_of(things[0])}` names {titles}",
            f"say whose arrays it takes: options: {{{FRAMEWORK}: {framework.package}}}",
        )
    return not (strict and any(_takes_numpy(thing) for thing in things))


def is_plain(*things: object) -> bool:
    """Whether code can only be of numpy: its files name nothing beyond numpy, SciPy and the standard library."""
    if any(loaded(each) is not None for each in ADAPTED):
        return False
    for thing in things:
        for function in _functions(thing):
            own = _root(function.__module__)
            roots = {_home(item) for item in list(function.__globals__.values())}
            if roots - {own, "", "builtins", *_NUMPY_ROOTS} - sys.stdlib_module_names:
                return False
    return True


def belongs_to(thing: object, framework: Framework) -> bool:
    """Whether an object, or its class or a base of that, is defined in a framework."""
    roots = (framework.package, *framework.modules)
    if isinstance(thing, ModuleType):
        return _root(thing.__name__) in roots
    above: tuple[object, ...] = type(thing).__mro__
    kinds = (*thing.__mro__, *above) if isinstance(thing, type) else (thing, *above)
    return any(_root(getattr(kind, "__module__", None)) in roots for kind in kinds)


def _names(thing: object, framework: Framework) -> bool:
    return any(belongs_to(item, framework) for item in _mentioned(thing, _DEPTH, set()))


def _speaks(thing: object, framework: Framework) -> bool:
    """Whether code calls methods that tensors of a framework have, and neither arrays of numpy nor it itself."""
    kind = getattr(loaded(framework), "Tensor", None)
    if kind is None or not _file_names(thing, framework) or _names(thing, _NUMPY):
        return False
    owner = thing if isinstance(thing, type) else type(thing)
    for function in _functions(thing):
        words = {name for code in _codes(function.__code__) for name in code.co_names} - set(function.__globals__)
        if any(hasattr(kind, word) and not hasattr(np.ndarray, word) and not hasattr(owner, word) for word in words):
            return True
    return False


def _file_names(thing: object, framework: Framework) -> bool:
    return any(
        belongs_to(item, framework)
        for function in _functions(thing)
        for item in list(function.__globals__.values())
        if isinstance(item, ModuleType | type) or callable(item)
    )


def _mentioned(thing: object, depth: int, seen: set[int]) -> Iterator[object]:
    """Yield a thing, and what its annotations, its code and its closure name, through functions of its own file."""
    if id(thing) in seen:
        return
    seen.add(id(thing))
    yield getattr(thing, "func", thing)  # of a functools.partial
    for function in _functions(thing):
        space = function.__globals__
        names = [name for code in _codes(function.__code__) for name in code.co_names]
        named = [space[name] for name in names if name in space]
        for item in (*named, *_annotations(function), *_contents(function)):
            own = isinstance(item, FunctionType) and item.__globals__ is space
            if own and depth:
                yield from _mentioned(item, depth - 1, seen)
            elif not own:
                yield item


def _functions(thing: object) -> Iterator[FunctionType]:
    """Yield the Python functions that a callable is made of: itself, what it wraps, the methods of a class."""
    thing = getattr(thing, "func", thing) if not isinstance(thing, FunctionType) else thing
    if isinstance(thing, MethodType):
        thing = thing.__func__
    if isinstance(thing, FunctionType):
        yield thing
        inner = getattr(thing, "__wrapped__", None)
        if inner is not None:
            yield from _functions(inner)
        return
    kind = thing if isinstance(thing, type) else type(thing)
    for base in kind.__mro__:
        for value in vars(base).values():
            method = getattr(value, "__func__", value)
            if isinstance(method, FunctionType):
                yield method


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _annotations(function: FunctionType) -> Iterator[object]:
    """Yield what the annotations name; those written as text are looked up in the function's module."""
    for value in dict(getattr(function, "__annotations__", None) or {}).values():
        if not isinstance(value, str):
            yield value
            continue
        for word in re.findall(r"[A-Za-z_]\w*", value):
            if word in function.__globals__:
                yield function.__globals__[word]


def _takes_numpy(thing: object) -> bool:
    for function in _functions(thing):
        words = {name for code in _codes(function.__code__) for name in code.co_names}
        said = [str(value) for value in dict(getattr(function, "__annotations__", None) or {}).values()]
        if words & _CONVERSIONS or any(_NUMPY_ARRAY.search(text) or "ndarray" in text for text in said):
            return True
    return False


def _contents(function: FunctionType) -> Iterator[object]:
    """Yield what the closure of a function holds."""
    for cell in function.__closure__ or ():
        with suppress(ValueError):  # a name that is not bound yet
            yield cell.cell_contents


def _home(item: object) -> str:
    """Return the package that a value of a module comes from; none for plain data."""
    if isinstance(item, ModuleType):
        return _root(item.__name__)
    return _root(getattr(item, "__module__", None)) if isinstance(item, type) or callable(item) else ""


def _root(module: object) -> str:
    return module.partition(".")[0] if isinstance(module, str) else ""
