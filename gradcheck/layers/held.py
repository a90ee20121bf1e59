"""What a backward leaves on its object: gradients of parameters, and parameters that it has moved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from gradcheck.layers.calling import call
from gradcheck.layers.gradients import MISSING as MISSING_RULE
from gradcheck.layers.gradients import NO_ARRAY, Order, key_of
from gradcheck.layers.outputs import describe_value, to_array
from gradcheck.layers.parameters import MISSING, Parameter, find_gradient, gradient_path, look_up, store
from gradcheck.layers.protocol import Array, Gradients, Mismatch


def clear_gradients(instance: object, parameters: Mapping[str, Parameter], wrt: Sequence[str]) -> None:
    """Do what a training loop does before each backward: set the gradients of the parameters to zero."""
    if not parameters:
        return
    reset = getattr(instance, "zero_grad", None)
    if callable(reset) and not isinstance(reset, type):
        call(reset, role="zero_grad")
    for name in wrt:
        path = gradient_path(instance, parameters[name]) if name in parameters else None
        value = MISSING if path is None else look_up(instance, path)
        if path is not None and isinstance(value, np.ndarray):
            store(instance, path, np.zeros_like(value))


def take_gradients(
    instance: object, parameters: Mapping[str, Parameter], returned: object, wrt: Sequence[str]
) -> Gradients:
    """Return the gradients that the backward left on the object."""
    found = Gradients({})
    for name in wrt:
        parameter = parameters.get(name)
        if parameter is None:
            continue
        if isinstance(returned, Mapping) and parameter.gradient is None and key_of(name, returned, Order(())):
            continue
        value = find_gradient(instance, parameter)
        array = None if value is MISSING else to_array(value)
        if array is not None:
            found.by_input[name] = array
        elif value is not MISSING and value is not None:
            message = f"the backward left {describe_value(value)} as the gradient of the parameter {name}"
            found.mismatches.append(Mismatch(NO_ARRAY, message, name))
        elif parameter.gradient is not None or not isinstance(returned, tuple | list | Mapping):
            message = f"the backward left no gradient of the parameter {name}"
            if value is MISSING:
                message += " where one was looked for (parameters: {NAME: PLACE} says where)"
            found.mismatches.append(Mismatch(MISSING_RULE, message, name))
    return found


def held_arrays(instance: object) -> dict[str, Array]:
    """Return copies of the floating-point arrays that are attributes of an object, by name."""
    held = getattr(instance, "__dict__", {})
    return {
        name: value.copy() for name, value in held.items() if isinstance(value, np.ndarray) and value.dtype.kind == "f"
    }


def moved_arrays(instance: object, before: Mapping[str, Array]) -> dict[str, tuple[Array, Array]]:
    """Return those of the arrays of before that now hold other numbers, as they were and as they are."""
    now = held_arrays(instance) if before else {}
    return {
        name: (value, now[name])
        for name, value in before.items()
        if name in now and now[name].shape == value.shape and not np.array_equal(now[name], value, equal_nan=True)
    }
