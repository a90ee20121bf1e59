"""Parameters that an object holds, and where it leaves their gradients: ``dW``, ``grads["W"]``, ``W.grad`` ..."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, MutableMapping, MutableSequence
from dataclasses import dataclass
from types import CodeType
from typing import TypeAlias

import numpy as np

from gradcheck.errors import BindingError
from gradcheck.layers.gradients import Order, gradient_names, key_of
from gradcheck.layers.outputs import to_array
from gradcheck.layers.protocol import Array
from gradcheck.layers.vocabulary import normalise

MISSING = object()
Path: TypeAlias = tuple[tuple[str, "str | int"], ...]
"""Steps to a value: ``("attr", name)`` or ``("item", key)``."""

_STEP = re.compile(r"""\.?([A-Za-z_]\w*)|\[\s*(?:"([^"]*)"|'([^']*)'|(-?\d+)|([A-Za-z_]\w*))\s*\]""")
_VALUES = ("data", "value", "val", "array", "w")
_GRADIENTS = ("grad", "g", "gradient", "grad_value", "d", "dw", "diff")
_GRADIENT_STORES = frozenset(["grads", "gradients", "grad", "gradient", "dparams", "gradparams", "paramgrads", "d"])
_VALUE_STORES = frozenset(["params", "parameters", "weights", "p", "state", "theta", "variables", "trainable"])


@dataclass(frozen=True, slots=True)
class Parameter:
    """An array that an object holds.

    Attributes
    ----------
    name
        What it is called as an input.
    values
        Where the array is kept, everywhere it is.
    gradient
        Where its gradient is found after the backward, if its author has said so.
    """

    name: str
    values: tuple[Path, ...]
    gradient: Path | None = None


def parse_path(text: str) -> Path:
    """Read ``dW``, ``grads["W"]``, ``W.grad`` or ``layers[0].dW``; nothing is evaluated.

    Raises
    ------
    BindingError
        If it has no such form.
    """
    steps: list[tuple[str, str | int]] = []
    position = 0
    text = text.strip().removeprefix("self.")
    while position < len(text):
        found = _STEP.match(text, position)
        if found is None or (not steps and found[1] is None):
            break
        attribute, double, single, number, bare = found.groups()
        key = next((part for part in (double, single, bare) if part is not None), None)
        steps.append(("attr", attribute) if attribute else ("item", int(number) if key is None else key))
        position = found.end()
    if not steps or position < len(text):
        raise BindingError(f"{text!r} is no place on an object", 'write for instance dW, grads["W"], W.grad')
    return tuple(steps)


def look_up(thing: object, path: Path) -> object:
    """Return what is at a path, or ``MISSING``."""
    for kind, key in path:
        try:
            thing = getattr(thing, str(key)) if kind == "attr" else thing[key]  # type: ignore[index]
        except Exception:  # noqa: BLE001  properties and __getitem__ of the user's
            return MISSING
    return thing


def store(thing: object, path: Path, value: object) -> bool:
    """Put a value at a path; return whether that was possible."""
    if look_up(thing, path) is value:
        return True
    owner = look_up(thing, path[:-1])
    kind, key = path[-1]
    try:
        if kind == "attr":
            setattr(owner, str(key), value)
        else:
            owner[key] = value  # type: ignore[index]
    except Exception:  # noqa: BLE001  read-only properties, tuples, slots
        return False
    return True


def find_values(instance: object, name: str) -> tuple[Path, ...]:
    """Return every place where the array called `name` is kept on an object; none if it holds no such array."""
    first = next((path for path in _candidates(instance, name) if to_array(look_up(instance, path)) is not None), None)
    if first is None:
        return ()
    return (first, *(path for path in same_object(instance, look_up(instance, first)) if path != first))


def same_object(instance: object, value: object) -> list[Path]:
    """Return the places, one level deep, that hold this very object."""
    return [path for path, item in _contents(instance) if item is value]


def find_gradient(instance: object, parameter: Parameter, *, known: bool = False) -> object:
    """Return the gradient that a backward has left for a parameter, or ``MISSING``.

    Parameters
    ----------
    instance
        The object.
    parameter
        The parameter.
    known
        Whether to look only where its author says.
    """
    path = gradient_path(instance, parameter) if not known else parameter.gradient
    return MISSING if path is None else look_up(instance, path)


def gradient_path(instance: object, parameter: Parameter) -> Path | None:
    """Return where the gradient of a parameter is, if it is anywhere."""
    if parameter.gradient is not None:
        return parameter.gradient
    name = parameter.name.rpartition(".")[2]
    forms = {normalise(form) for form in gradient_names(name)}
    contents = list(_contents(instance))
    for path, _ in contents:
        if len(path) == 1 and normalise(str(path[0][1])) in forms:
            return path
    for path, value in contents:
        if len(path) == 1 and normalise(str(path[0][1])) in _GRADIENT_STORES and isinstance(value, Mapping):
            key = key_of(name, value, Order(()))
            if isinstance(key, str):
                return (*path, ("item", key))
    for path in parameter.values:
        if path[-1][0] == "attr" and path[-1][1] in _VALUES and len(path) > 1:
            for word in _GRADIENTS:
                if look_up(instance, (*path[:-1], ("attr", word))) is not MISSING:
                    return (*path[:-1], ("attr", word))
    return None


def discover(instance: object, kind: type, said: Mapping[str, str], asked: Collection[str]) -> dict[str, Parameter]:
    """Return the parameters of an object: those that are spoken of, and arrays that its code computes gradients for.

    Parameters
    ----------
    instance
        The object.
    kind
        Its class, whose methods' code is read (not run) for names such as ``dW``.
    said
        Parameter to place of its gradient, as the author says.
    asked
        Names of inputs that may be parameters.

    Raises
    ------
    BindingError
        If a parameter that is spoken of is not there.
    """
    found: dict[str, Parameter] = {}
    for name in dict.fromkeys((*said, *asked)):
        values = find_values(instance, name)
        if values:
            found[name] = Parameter(name, values, parse_path(said[name]) if name in said else None)
        elif name in said:
            raise BindingError(
                f"`{kind.__name__}` holds no array {name!r}", f"it holds {', '.join(_held(instance)) or 'none'}"
            )
    words = words_of(kind)
    for name in _held(instance):
        if name not in found:
            parameter = Parameter(name, find_values(instance, name))
            if gradient_path(instance, parameter) is not None or _is_computed(name, words):
                found[name] = parameter
    return found


def words_of(kind: type) -> frozenset[str]:
    """Return all names and strings in the code of a class's methods, normalised."""
    words: set[str] = set()
    for base in kind.__mro__:
        for value in vars(base).values():
            code = getattr(getattr(value, "__func__", value), "__code__", None)
            words |= _words_of_code(code) if isinstance(code, CodeType) else set()
    return frozenset(normalise(word) for word in words)


def _words_of_code(code: CodeType) -> set[str]:
    words = {*code.co_names, *code.co_varnames}
    for constant in code.co_consts:
        # the keys of a dict display stand in one tuple
        for part in constant if isinstance(constant, tuple) else (constant,):
            if isinstance(part, str) and part.isidentifier():
                words.add(part)
            elif isinstance(part, CodeType):
                words |= _words_of_code(part)
    return words


def _is_computed(name: str, words: frozenset[str]) -> bool:
    if any(normalise(form) in words for form in gradient_names(name)):
        return True
    return normalise(name) in words and bool(words & _GRADIENT_STORES - {"d", "grad", "gradient"})


def _held(instance: object) -> list[str]:
    """Names of the floating-point arrays that could be parameters: attributes, and entries of a store of parameters."""
    names: list[str] = []
    for path, value in _contents(instance):
        key = path[-1][1]
        stored = len(path) == 2 and normalise(str(path[0][1])) in _VALUE_STORES
        array = to_array(value) if isinstance(value, np.ndarray | np.floating) else _array_within(value)
        if isinstance(key, str) and (len(path) == 1 or stored) and array is not None and array.dtype.kind == "f":
            names.append(key)
    gradients = {normalise(form) for name in names for form in gradient_names(name)}
    return [name for name in dict.fromkeys(names) if normalise(name) not in gradients and not name.startswith("_")]


def _array_within(value: object) -> Array | None:
    """Return the array of a parameter that is an object of its own: one with ``data`` and ``grad``."""
    if not any(hasattr(value, word) for word in _GRADIENTS) or isinstance(value, np.generic | type | Mapping):
        return None
    inner = next((getattr(value, word) for word in _VALUES if isinstance(getattr(value, word, None), np.ndarray)), None)
    return inner if isinstance(inner, np.ndarray) else None


def _contents(instance: object) -> Iterator[tuple[Path, object]]:
    attributes = dict(vars(instance)) if hasattr(instance, "__dict__") else {}
    for base in type(instance).__mro__:
        slots = vars(base).get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            value = look_up(instance, (("attr", name),))
            if value is not MISSING:
                attributes.setdefault(name, value)
    for name, value in attributes.items():
        yield (("attr", name),), value
    for name, value in attributes.items():
        if isinstance(value, MutableMapping):
            for key, item in list(value.items()):
                if isinstance(key, str):
                    yield (("attr", name), ("item", key)), item
        elif isinstance(value, MutableSequence):
            for position, item in enumerate(value):
                yield (("attr", name), ("item", position)), item


def _candidates(instance: object, name: str) -> Iterator[Path]:
    try:
        direct = parse_path(name)
    except BindingError:
        return
    value = look_up(instance, direct)
    if value is not MISSING:
        inner = [word for word in _VALUES if isinstance(getattr(value, word, None), np.ndarray)]
        if isinstance(value, np.ndarray) or not inner:
            yield direct
        else:
            yield (*direct, ("attr", inner[0]))
    for path, item in _contents(instance):
        if len(path) == 2 and path[-1] == ("item", name):
            inner = [word for word in _VALUES if isinstance(getattr(item, word, None), np.ndarray)]
            yield path if isinstance(item, np.ndarray) or not inner else (*path, ("attr", inner[0]))
