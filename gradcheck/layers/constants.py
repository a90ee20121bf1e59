"""Numbers that a layer works with although nobody gives them: the defaults of its arguments."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator

from gradcheck.layers.functions import FunctionLayer
from gradcheck.layers.objects import ObjectLayer
from gradcheck.layers.protocol import Layer
from gradcheck.model import Plain


def default_options(layer: Layer) -> dict[str, Plain]:
    """Return the options of a layer whose defaults are numbers, with these; empty where no signature can be read."""
    found: dict[str, Plain] = {}
    for function in _signed(layer):
        try:
            parameters = inspect.signature(function).parameters
        except (TypeError, ValueError):
            continue
        for name, parameter in parameters.items():
            if name in layer.options and isinstance(parameter.default, int | float):
                found.setdefault(name, parameter.default)
    return found


def _signed(layer: Layer) -> Iterator[Callable[..., object]]:
    if isinstance(layer, FunctionLayer):
        yield layer.functions[0]
    elif isinstance(layer, ObjectLayer):
        kind = layer.target if isinstance(layer.target, type) else type(layer.target)
        for name in (layer.methods[0], "__init__"):
            method = getattr(kind, name, None)
            if callable(method):
                yield method
