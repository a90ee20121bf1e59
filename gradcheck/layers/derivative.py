"""Backwards that leave the upstream to their caller: an elementwise derivative, or the gradient of a loss."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gradcheck.errors import UsageError
from gradcheck.layers.gradients import Order, match
from gradcheck.layers.jacobians import WRONG_SHAPE
from gradcheck.layers.protocol import Array, Gradients, Inputs, Mismatch


def read_derivatives(returned: object, order: Order, values: Inputs, upstream: Sequence[Array]) -> Gradients:
    """Multiply elementwise derivatives by the upstream.

    Parameters
    ----------
    returned
        One derivative, or one per input by position or key, each of a shape that broadcasts to the output's.
    order, values
        As for :func:`gradcheck.layers.gradients.match`.
    upstream
        One array per output; there must be one.

    Raises
    ------
    UsageError
        If there are several outputs.
    """
    g = _only(upstream, "derivative")
    return _multiply_all(match(returned, order, values), values, g, g)


def read_gradients(returned: object, order: Order, values: Inputs, upstream: Sequence[Array]) -> Gradients:
    """Multiply the gradient of a scalar loss by the scalar upstream.

    A loss per sample, of shape ``(n,)``, is multiplied sample by sample: the gradient's leading axes are the loss's.

    Raises
    ------
    UsageError
        If the forward returns several outputs.
    """
    g = _only(upstream, "gradient")
    found = match(returned, order, values)
    if g.size == 1:
        return _multiply_all(found, values, g.reshape(()), g)
    wide = {name: g.reshape(g.shape + (1,) * max(0, value.ndim - g.ndim)) for name, value in found.by_input.items()}
    for name, factor in wide.items():
        part = _multiply_all(Gradients({name: found.by_input.pop(name)}), values, factor, g)
        found.by_input.update(part.by_input)
        found.mismatches += part.mismatches
    return found


def _multiply_all(found: Gradients, values: Inputs, factor: Array, g: Array) -> Gradients:
    for name, value in list(found.by_input.items()):
        try:
            found.by_input[name] = np.asarray(np.multiply(factor, value))
        except ValueError:
            del found.by_input[name]
            message = (
                f"the backward returned an array of shape {value.shape} for {name}, "
                f"which cannot be multiplied by the upstream {g.shape} entry by entry"
            )
            found.mismatches.append(Mismatch(WRONG_SHAPE, message, name))
    return found


def _only(upstream: Sequence[Array], returns: str) -> Array:
    if len(upstream) != 1:
        raise UsageError(
            f"returns: {returns} is for a layer with one output, and this one has {len(upstream)}",
            "let the backward take the upstreams and return the product (returns: vjp)",
        )
    return np.asarray(upstream[0])
