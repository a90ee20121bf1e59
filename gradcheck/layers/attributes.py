"""What methods that return nothing leave on their object: ``self.output``, ``self.dinputs``."""

from __future__ import annotations

from collections.abc import Sequence

from gradcheck.layers.outputs import to_array
from gradcheck.layers.parameters import MISSING, Parameter, find_gradient, look_up
from gradcheck.layers.vocabulary import OUTPUT, normalise

_OUTPUTS = ("output", "outputs", "out", "y", "result", "value", "activation", "activations", "a", "loss", "data")
_INPUT_GRADIENTS = frozenset(
    [
        "dinputs",
        "dinput",
        "dx",
        "gradinput",
        "gradinputs",
        "inputgrad",
        "inputgradient",
        "gradx",
        "delta",
        "din",
        "grad",
    ]
)


def left_output(instance: object) -> object:
    """Return the output that a forward has left on its object, or ``None``.

    The usual names are looked for in turn, and then any attribute that has a name for outputs.
    """
    held = _arrays(instance)
    for name in (*_OUTPUTS, *held):
        if name in held and (name in _OUTPUTS or normalise(name) in OUTPUT):
            return held[name]
    return None


def left_gradients(instance: object, names: Sequence[str]) -> dict[str, object] | None:
    """Return the gradients of inputs that a backward has left on its object, by input name; ``None`` if there is none.

    They are found under the input's name with a ``d`` or ``grad``; that of an only input also under other usual names.
    """
    found: dict[str, object] = {}
    for name in names:
        value = find_gradient(instance, Parameter(name, ()))
        if value is not MISSING and value is not None:
            found[name] = value
    if not found and len(names) == 1:
        held = _arrays(instance)
        usual = [attribute for attribute in held if normalise(attribute) in _INPUT_GRADIENTS]
        if len(usual) == 1:
            found[names[0]] = held[usual[0]]
    return found or None


def _arrays(instance: object) -> dict[str, object]:
    held: dict[str, object] = dict(vars(instance)) if hasattr(instance, "__dict__") else {}
    for kind in type(instance).__mro__:
        slots = vars(kind).get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            held.setdefault(name, look_up(instance, (("attr", name),)))
    return {name: value for name, value in held.items() if value is not MISSING and to_array(value) is not None}
