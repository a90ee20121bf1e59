"""What a rule may know: the measured truth, and an account of what the backward did."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from gradcheck.model import Plain

Array: TypeAlias = npt.NDArray[Any]
Floats: TypeAlias = npt.NDArray[np.float64]


@dataclass(slots=True)
class Truth:
    """The truth about one case, with respect to all of its differentiated inputs.

    Attributes
    ----------
    inputs
        All inputs of the forward by name (labels and masks too), as the case gives them.
    options
        Options of the forward (``axis``, ``reduction``, ``eps`` ...).
    outputs
        What the forward returns.
    upstream
        One array per output, of its shape.
    axis
        The axis of the case, or ``None``.
    wrt
        Names of the differentiated inputs, in the order of the backward's results.
    jacobians
        By name: ``(M, N)`` array of measured derivatives; M counts the entries of all outputs, concatenated in C
        order, N those of the input.
    bounds
        By name: ``(M, N)`` array of how far each may be from the truth.
    measure
        ``measure(name, inputs, options)``: the Jacobian with respect to ``name`` with some inputs and options
        replaced (shapes may differ); ``None`` where the forward does not take them.
    forward
        ``forward(inputs, options)``: the outputs with some inputs and options replaced, or ``None``.
    """

    inputs: dict[str, Array]
    options: dict[str, Plain]
    outputs: tuple[Array, ...]
    upstream: tuple[Array, ...]
    axis: int | None
    wrt: tuple[str, ...]
    jacobians: dict[str, Floats]
    bounds: dict[str, Floats]
    measure: Callable[[str, Mapping[str, Array], Mapping[str, Plain]], Floats | None]
    forward: Callable[[Mapping[str, Array], Mapping[str, Plain]], tuple[Array, ...] | None]

    @property
    def g(self) -> Floats:
        """The upstream of all outputs, flat: shape ``(M,)``."""
        return np.concatenate([np.asarray(part, dtype=np.float64).ravel() for part in self.upstream])

    def gradient(self, name: str) -> Floats:
        """Return the true VJP ``J^T g`` with respect to an input, in the input's shape."""
        value: Floats = (self.jacobians[name].T @ self.g).reshape(np.shape(self.inputs[name]))
        return value


@dataclass(slots=True)
class Account:
    """What the backward did.

    Attributes
    ----------
    gradients
        By name: what it returned for the case's upstream, as it returned it (shape and dtype included).
    implied
        By name: ``(M, N)``; row i is what it returns for the i-th unit upstream, minus ``offset``. Missing where the
        shape is wrong or the backward raises there.
    offset
        By name: what it returns for an upstream of zeros, in the input's shape.
    linear
        Whether it is linear in the upstream (measured on random ones).
    vjp
        ``vjp(upstream)``: what it returns for another upstream at the same inputs (by name), or ``None`` if it raises.
    elsewhere
        ``elsewhere(inputs, options, upstream)``: the same with some inputs and options replaced; ``upstream`` may be
        ``None`` for a Gaussian of the right shape, and is returned beside the gradients.
    contract
        Ids of the findings of the contract checks (``nonlinear-in-upstream`` ...).
    """

    gradients: dict[str, Array]
    implied: dict[str, Floats]
    offset: dict[str, Floats]
    linear: bool
    vjp: Callable[[Sequence[Array]], dict[str, Array] | None]
    elsewhere: Callable[
        [Mapping[str, Array], Mapping[str, Plain], Sequence[Array] | None],
        tuple[dict[str, Array], tuple[Array, ...]] | None,
    ]
    contract: set[str] = field(default_factory=set)
