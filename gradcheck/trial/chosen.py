"""Which inputs are differentiated, and the parameters of the layer's own among them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from gradcheck.errors import LayerError, UsageError
from gradcheck.layers.protocol import Array, Layer
from gradcheck.model import Plain
from gradcheck.trial.calls import Caller, borrowed_random_state, is_float


def choose_inputs(
    layer: Layer, inputs: Mapping[str, Array], options: Mapping[str, Plain], asked: Sequence[str] | None
) -> tuple[dict[str, Array], tuple[str, ...]]:
    """Return the inputs, with the layer's own parameters that are differentiated, and the names of all that are.

    These are the names asked for. Where nothing is asked: the float arrays (else the integer ones) that are given, and
    every parameter of the layer of which a backward leaves a gradient.

    Raises
    ------
    UsageError
        If a name is asked for that is no input.
    """
    if asked is None:
        floats = tuple(name for name, value in inputs.items() if is_float(value))
        given = floats or tuple(name for name, value in inputs.items() if value.dtype.kind in "iu")
        learned = _find_learned(layer, inputs, options, given)
        return {**inputs, **learned}, (*given, *learned)
    held = {name: np.asarray(layer.defaults[name]) for name in asked if name in layer.defaults and name not in inputs}
    arrays = {**inputs, **held}
    for name in asked:
        if name not in arrays:
            raise UsageError(f"wrt names {name!r}, which is no input", f"the inputs are {', '.join(arrays) or 'none'}")
    return arrays, tuple(asked)


def note_unchecked(layer: Layer, inputs: Mapping[str, Array]) -> list[str]:
    """Say which parameters of the layer are left out because no gradient of them was found."""
    left = [name for name in layer.defaults if name not in inputs]
    return [f"no gradient of {', '.join(left)} was found, which the layer holds: not checked"] if left else []


def _find_learned(
    layer: Layer, inputs: Mapping[str, Array], options: Mapping[str, Plain], given: Sequence[str]
) -> dict[str, Array]:
    """Return the parameters that a layer holds and computes gradients of, in the precision of the inputs."""
    kinds = [inputs[name].dtype for name in given if is_float(inputs[name])]
    held = {
        name: np.asarray(value, dtype=np.result_type(*kinds) if kinds else None)
        for name, value in layer.defaults.items()
        if name not in inputs and is_float(np.asarray(value))
    }
    if not held:
        return {}
    try:
        with borrowed_random_state():
            # on a layer of its own: what it remembers of this call is no matter of the trial
            caller = Caller(layer.fresh(), options)
            gradients = caller.pull({**held, **inputs}, None, (*given, *held)).gradients.by_input
    except LayerError:
        return {}  # if it was no chance, the trial says so
    return {name: value for name, value in held.items() if name in gradients}
