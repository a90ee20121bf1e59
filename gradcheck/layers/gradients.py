"""What a backward returned, matched to the inputs that are differentiated: by position or by key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gradcheck.layers.outputs import describe_value, to_array
from gradcheck.layers.protocol import Array, Gradients, Inputs, Mismatch
from gradcheck.layers.vocabulary import normalise

NUMBER = "wrong-number-of-gradients"
MISSING = "missing-input-gradient"
NO_ARRAY = "not-an-array"
_ABSENT = object()


@dataclass(frozen=True, slots=True)
class Order:
    """The orders in which a backward may return its gradients.

    Attributes
    ----------
    wrt
        The differentiated inputs that the backward returns (parameters keep theirs on the object).
    orders
        Other lists of names that a tuple may follow: all arrays that the forward takes; all its arguments, options too,
        for which a backward returns ``None``.
    aliases
        What the forward calls an input, where that is not the name that the case gives it.
    """

    wrt: tuple[str, ...]
    orders: tuple[tuple[str, ...], ...] = ()
    aliases: Mapping[str, str] | None = None


def match(returned: object, order: Order, values: Inputs) -> Gradients:
    """Match what a backward returned to the inputs; what does not match is said, not raised.

    Parameters
    ----------
    returned
        An array, tuple, list, dict, number or ``None``.
    order
        The inputs that are asked for, and the orders in which gradients may come.
    values
        The inputs; their shapes settle whether a list is one gradient or several.
    """
    found = Gradients({})
    items = split(returned, order, values, found)
    for name in order.wrt:
        value = items.get(name, _ABSENT)
        if value is _ABSENT:
            continue
        if value is None:
            found.mismatches.append(Mismatch(MISSING, f"the backward returned None as the gradient of {name}", name))
            continue
        array = to_array(value)
        if array is None:
            message = f"the backward returned {describe_value(value)} as the gradient of {name}, which is no array"
            found.mismatches.append(Mismatch(NO_ARRAY, message, name))
        else:
            found.by_input[name] = array
    return found


def split(returned: object, order: Order, values: Inputs, found: Gradients) -> dict[str, object]:
    """Return the item for each input, and add to `found` what does not match."""
    if isinstance(returned, tuple) and hasattr(returned, "_fields"):
        named = dict(zip(returned._fields, returned, strict=True))
        if any(key_of(name, named, order) is not None for name in order.wrt):
            returned = named
    if isinstance(returned, Mapping):
        return _by_key(returned, order, found)
    if isinstance(returned, tuple | list) and not _is_one_gradient(returned, order, values):
        return _by_position(list(returned), order, values, found)
    if len(order.wrt) == 1:
        return {order.wrt[0]: returned}
    if isinstance(returned, np.ndarray) and _is_stack(returned, order, values):
        return dict(zip(order.wrt, returned, strict=True))
    if order.wrt:
        message = f"the backward returned {describe_value(returned)} instead of {_count(len(order.wrt))}"
        found.mismatches.append(Mismatch(NUMBER, f"{message} ({', '.join(order.wrt)})"))
        _report_missing(order.wrt[0 if returned is None else 1 :], found)
    return {} if returned is None or not order.wrt else {order.wrt[0]: returned}


def key_of(name: str, mapping: Mapping[object, object], order: Order) -> object | None:
    """Return the key under which a dict holds the gradient of an input: its name, or that with a ``d`` or ``grad``."""
    if name in mapping:
        return name
    for word in (name, (order.aliases or {}).get(name, name)):
        forms = {normalise(form) for form in gradient_names(word)}
        forms.add(normalise(word))
        found = [key for key in mapping if isinstance(key, str) and normalise(key) in forms]
        if found:
            return found[0]
    return None


def gradient_names(name: str) -> tuple[str, ...]:
    """Names by which people call the gradient of ``W``: ``dW``, ``W_grad``, ``grad_W`` ..."""
    prefixes = (f"d{name}", f"d_{name}", f"grad_{name}", f"g_{name}", f"g{name}", f"gradient_{name}", f"delta_{name}")
    return (*prefixes, f"{name}_grad", f"{name}_gradient", f"{name}_g", f"dL_d{name}", f"dl_d{name}", f"{name}.grad")


def _by_key(returned: Mapping[object, object], order: Order, found: Gradients) -> dict[str, object]:
    items: dict[str, object] = {}
    for name in order.wrt:
        key = key_of(name, returned, order)
        if key is None:
            keys = ", ".join(map(str, returned)) or "nothing"
            message = f"the backward returned no gradient of {name}; its dict holds {keys}"
            found.mismatches.append(Mismatch(MISSING, message, name))
        else:
            items[name] = returned[key]
    return items


def _by_position(returned: list[object], order: Order, values: Inputs, found: Gradients) -> dict[str, object]:
    if len(returned) == len(order.wrt):
        return dict(zip(order.wrt, returned, strict=True))
    for names in order.orders:
        if len(returned) == len(names) and set(order.wrt) <= set(names):
            by_name = dict(zip(names, returned, strict=True))
            if any(item is not None for name, item in by_name.items() if name not in values):
                continue  # an option has no gradient
            return {name: by_name[name] for name in order.wrt}
    while len(returned) > len(order.wrt) and returned[-1] is None:
        returned.pop()
    if len(returned) == len(order.wrt):
        return dict(zip(order.wrt, returned, strict=True))
    expected = f"{_count(len(order.wrt))} ({', '.join(order.wrt)})"
    found.mismatches.append(Mismatch(NUMBER, f"the backward returned {_count(len(returned))} instead of {expected}"))
    _report_missing(order.wrt[len(returned) :], found)
    return dict(zip(order.wrt, returned, strict=False))


def _report_missing(names: Sequence[str], found: Gradients) -> None:
    for name in names:
        found.mismatches.append(Mismatch(MISSING, f"the backward returned no gradient of {name}", name))


def _count(number: int) -> str:
    return f"{number} gradient{'' if number == 1 else 's'}"


def _shape(values: Inputs, name: str) -> tuple[int, ...]:
    return np.shape(values[name]) if name in values else ()


def _is_one_gradient(items: Sequence[object], order: Order, values: Inputs) -> bool:
    """Whether a list (or tuple) of numbers is the gradient itself rather than a list of gradients."""
    if len(order.wrt) != 1 or not items or any(item is None or isinstance(item, np.ndarray) for item in items):
        return False
    shape = _shape(values, order.wrt[0])
    if len(items) == 1 and _shape_of(items[0]) == shape:
        return False
    return _shape_of(items) == shape or (
        isinstance(items, list) and all(isinstance(item, int | float) for item in items)
    )


def _shape_of(value: object) -> tuple[int, ...] | None:
    try:
        array = to_array(value)
    except ValueError:
        return None
    return None if array is None else array.shape


def _is_stack(returned: Array, order: Order, values: Inputs) -> bool:
    """Whether an array holds one gradient per input along its first axis, all inputs being of one shape."""
    shapes = {_shape(values, name) for name in order.wrt}
    return len(shapes) == 1 and returned.shape == (len(order.wrt), *shapes.pop())
