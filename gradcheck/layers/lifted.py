"""Forwards and backwards that their author wrote on tensors: handed tensors, otherwise pairs like any other."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from gradcheck.layers.calling import name_of
from gradcheck.layers.functions import FunctionLayer, pair_functions
from gradcheck.layers.maker import is_static, plan_making
from gradcheck.layers.methods import find_methods
from gradcheck.layers.modules import Session
from gradcheck.layers.protocol import Array
from gradcheck.layers.references import Handle, Live
from gradcheck.layers.targets import Request


class Converter(Protocol):
    """The part of an :class:`gradcheck.layers.engines.Engine` that pairs need."""

    def session(self) -> AbstractContextManager[None]:
        """Hold the framework's own settings as a check needs them."""
        ...

    def seed(self) -> None:
        """Set the framework's global random state, if it has one, to a value drawn from that of numpy."""
        ...

    def share(self, array: Array) -> object:
        """Return a tensor on the memory of an array, where that is possible: what is changed in place, shows."""
        ...

    def lower(self, value: object) -> object:
        """Return a tensor as an array; anything else as it is."""
        ...


@dataclass(frozen=True, slots=True)
class LiftedHandle:
    """A function of tensors as a function of arrays, that can be had anew."""

    inner: Handle
    engine: Converter

    def resolve(self, session: Session) -> object:
        """Return it; a new one if the session is fresh."""
        function = self.inner.resolve(session)
        return lift_function(function, self.engine) if callable(function) else function


@dataclass(frozen=True, slots=True)
class MethodHandle:
    """A method of an object that can be had anew."""

    owner: Handle
    name: str

    def resolve(self, session: Session) -> object:
        """Return it, bound to the object that all handles of a session share."""
        return getattr(self.owner.resolve(session), self.name)


def lift_function(function: Callable[..., object], engine: Converter) -> Callable[..., object]:
    """Return a function of arrays that calls a function of tensors."""

    @functools.wraps(function)
    def run(*arguments: object, **keywords: object) -> object:
        with engine.session():
            engine.seed()
            given = [_map(value, engine.share, np.ndarray) for value in arguments]
            named = {name: _map(value, engine.share, np.ndarray) for name, value in keywords.items()}
            return _map(function(*given, **named), engine.lower, object)

    with suppress(ValueError, TypeError):  # builtins
        run.__signature__ = inspect.signature(function)  # type: ignore[attr-defined]
    return run


def pair_on_tensors(
    handles: tuple[Handle, Handle], engine: Converter, request: Request, returns: str, name: str | None = None
) -> FunctionLayer:
    """Return the layer of two functions of tensors."""
    lifted = (LiftedHandle(handles[0], engine), LiftedHandle(handles[1], engine))
    return pair_functions(
        lifted,
        Session(),
        name=name,
        inputs=request.inputs,
        options=dict(request.options),
        bind=request.bind,
        returns=returns,
    )


def methods_on_tensors(
    thing: object,
    engine: Converter,
    request: Request,
    returns: str,
    methods: tuple[str | None, str | None] = (None, None),
    init: Mapping[str, object] | None = None,
) -> FunctionLayer:
    """Return the layer of a class or an instance whose forward and backward take tensors."""
    names = find_methods(thing, methods)
    title = name_of(thing if isinstance(thing, type) else type(thing))
    options = dict(request.options)
    if isinstance(thing, type) and not all(is_static(thing, name) for name in names):
        maker = plan_making(thing, init or {}, options, ())
        thing = maker.make(options, {})
        options = {key: value for key, value in options.items() if key not in maker.options}
    owner = Live(thing)
    handles = (MethodHandle(owner, names[0]), MethodHandle(owner, names[1]))
    settled = Request(request.inputs, options, request.bind)
    return pair_on_tensors(handles, engine, settled, returns, title)


def _map(value: object, change: Callable[..., object], kind: type) -> object:
    """Change the arrays in a value, and in the lists, tuples and dicts that it is made of."""
    if type(value) is dict:
        return {key: _map(item, change, kind) for key, item in value.items()}
    if type(value) is list:
        return [_map(item, change, kind) for item in value]
    if isinstance(value, tuple):
        items: list[Any] = [_map(item, change, kind) for item in value]
        return type(value)(*items) if hasattr(value, "_fields") else tuple(items)
    return change(value) if isinstance(value, kind) else value
