"""Random generators that a layer draws from: found in its objects, modules and closures, put back, and moved on."""

from __future__ import annotations

import functools
import random
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any, TypeAlias

import numpy as np

Generator: TypeAlias = Any
"""One of NumPy's, of Python's, or of PyTorch's, which is told by its methods."""

# Things that are looked at before the search is given up: a layer that holds a whole data set is not walked through.
MOST = 5_000
DEEPEST = 8
_PLAIN = (str, bytes, int, float, complex, np.ndarray, np.generic, type(None), random.SystemRandom)
_FOREIGN = sys.stdlib_module_names | {"numpy", "gradcheck", "scipy", "sklearn", "torch", "jax", "jaxlib", "autograd"}


def find_generators(layer: object) -> list[Generator]:
    """Return the random generators that can be reached from a layer, in an order that is the same for equal layers.

    Looked at are attributes and what lists and dicts hold; and of functions and methods their closures, their
    defaults, and what their code names in their own module.
    """
    found: list[Generator] = []
    seen: dict[int, object] = {}  # holds what it has seen, lest another thing gets its id
    waiting: list[tuple[object, int]] = [(layer, 0)]
    while waiting and len(seen) < MOST:
        thing, depth = waiting.pop(0)
        if id(thing) in seen or isinstance(thing, _PLAIN):
            continue
        seen[id(thing)] = thing
        if _is_generator(thing):
            found.append(thing)
        elif depth < DEEPEST:
            waiting += [(item, depth + 1) for item in _within(thing)]
    return found


def state_of(generator: Generator) -> object:
    """Return the state of a generator, which further draws do not change."""
    if isinstance(generator, np.random.Generator):
        return generator.bit_generator.state
    return generator.getstate() if isinstance(generator, random.Random) else generator.get_state()


def put_back(generator: Generator, state: Any) -> None:
    """Set the state of a generator to what :func:`state_of` returned, of it or of one of its kind."""
    with suppress(TypeError, ValueError, RuntimeError):  # of another kind
        if isinstance(generator, np.random.Generator):
            generator.bit_generator.state = state
        elif isinstance(generator, random.Random):
            generator.setstate(state)
        else:
            generator.set_state(state)


def move_on(generator: Generator, draws: int) -> None:
    """Draw some numbers, so that the next ones are others."""
    for _ in range(draws):
        if isinstance(generator, np.random.RandomState):
            generator.random_sample()
        elif hasattr(generator, "random"):
            generator.random()
        else:
            generator.manual_seed(draws)


def _is_generator(thing: object) -> bool:
    if isinstance(thing, np.random.Generator | np.random.RandomState | random.Random):
        return True
    kind = type(thing)
    return kind.__name__ == "Generator" and all(
        hasattr(kind, name) for name in ("get_state", "set_state", "manual_seed")
    )


def _within(thing: object) -> Iterator[object]:
    if isinstance(thing, MethodType):
        yield from (thing.__self__, thing.__func__)
    elif isinstance(thing, functools.partial):
        yield from (thing.func, thing.args, thing.keywords)
    elif isinstance(thing, FunctionType):
        yield from _of_function(thing)
    elif isinstance(thing, Mapping):
        with suppress(Exception):  # a mapping of the user's
            yield from list(thing.values())
    elif isinstance(thing, list | tuple | set | frozenset):
        yield from thing
    elif isinstance(thing, type):
        for base in thing.__mro__:
            if not _is_foreign(base.__module__):
                yield from list(vars(base).values())
    elif isinstance(thing, staticmethod | classmethod):
        yield thing.__func__
    elif isinstance(thing, property):
        yield thing.fget
    elif not isinstance(thing, ModuleType):
        yield from _of_object(thing)


def _of_object(thing: object) -> Iterator[object]:
    yield getattr(thing, "__self__", None)  # a method of a generator, kept on its own
    yield from list(getattr(thing, "__dict__", {}).values())
    for base in type(thing).__mro__:
        slots = vars(base).get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            with suppress(Exception):  # a slot that is not filled
                yield getattr(thing, name)
    if not _is_foreign(type(thing).__module__):
        yield type(thing)


def _of_function(function: FunctionType) -> Iterator[object]:
    if _is_foreign(function.__globals__.get("__name__")):
        return
    yield from function.__defaults__ or ()
    yield from (function.__kwdefaults__ or {}).values()
    yield getattr(function, "__wrapped__", None)
    for cell in function.__closure__ or ():
        with suppress(ValueError):  # a name that is not bound yet
            yield cell.cell_contents
    words = list(dict.fromkeys(name for code in _codes(function.__code__) for name in code.co_names))
    for word in words:
        item = function.__globals__.get(word)
        if not isinstance(item, ModuleType):
            yield item
        elif not _is_foreign(item.__name__):
            space = vars(item)  # tools.rng.random(): the code names all three
            yield from (space[name] for name in words if name in space)


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _is_foreign(module: object) -> bool:
    return isinstance(module, str) and module.partition(".")[0] in _FOREIGN
