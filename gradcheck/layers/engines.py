"""The two parts of a layer that a framework differentiates: an engine knows the framework, a target the code."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol, TypeAlias

import numpy as np

from gradcheck.layers.protocol import Array, Inputs, Mismatch, Options
from gradcheck.model import Place

Tensors: TypeAlias = Mapping[str, object]
Run: TypeAlias = Callable[[Tensors], "list[object]"]
"""A function of named tensors that returns all its outputs in one list."""
Pullback: TypeAlias = Callable[[Sequence[Array]], "list[object]"]
"""From one upstream per output to one gradient (or ``None``) per input."""

UPSTREAM = "upstream"
SEED = 20_011


class Target(Protocol):
    """Code that works on tensors, and how it is called.

    Attributes
    ----------
    by_hand
        Whether its author wrote the backward, and so must tell the framework what is changed in place.
    """

    name: str
    inputs: tuple[str, ...]
    options: tuple[str, ...]
    defaults: Mapping[str, Array]
    source: Place | None
    by_hand: bool

    def settle(self, inputs: Inputs) -> dict[str, Array]:
        """Return the arrays with the dtypes that it is called with."""
        ...

    def call(self, tensors: Tensors, options: Options) -> object:
        """Call it with tensors by name and return what it returns."""
        ...

    def fresh(self) -> Target:
        """Return an equal one with no memory of earlier calls."""
        ...


class Engine(Protocol):
    """What one framework can do."""

    def session(self) -> AbstractContextManager[None]:
        """Hold the framework's own settings as a check needs them."""
        ...

    def seed(self) -> None:
        """Set the framework's global random state, if it has one, to a value drawn from that of numpy."""
        ...

    def lift(self, array: Array) -> object:
        """Return an array as a tensor of the same dtype."""
        ...

    def lower(self, value: object) -> object:
        """Return a tensor as an array; anything else as it is."""
        ...

    def leaves(self, returned: object) -> list[object]:
        """Return what a function returned as a flat list."""
        ...

    def trace(self, run: Run, tensors: Tensors, names: Sequence[str]) -> tuple[list[object], Pullback]:
        """Call a function and return its outputs, and its vector-Jacobian product with respect to some inputs."""
        ...

    def gradients(self, run: Run, tensors: Tensors, names: Sequence[str], upstream: Sequence[object]) -> list[object]:
        """Return a vector-Jacobian product that can be differentiated again.

        ``upstream`` holds one tensor per differentiable output; if it is empty, :func:`fixed_upstream` is taken.
        """
        ...

    def push(self, run: Run, tensors: Tensors, name: str, tangents: Array) -> list[Array]:
        """Return the Jacobian times each of some tangents ``(n, *input.shape)``: per output ``(n, *output.shape)``."""
        ...

    def read_complaint(self, error: Exception, names: Sequence[str]) -> Mismatch | None:
        """Return what the framework complains of in the gradients that a backward returned, if that is what it says."""
        ...

    def hidden_changes(self, run: Run, tensors: Tensors, inputs: Inputs, *, by_hand: bool) -> dict[str, Array]:
        """Return the new values of inputs that were changed in place behind the framework's back."""
        ...


def fixed_upstream(shapes: Sequence[tuple[int, ...]]) -> list[Array]:
    """Return signed Gaussians, always the same ones."""
    rng = np.random.default_rng(SEED)
    return [np.asarray(rng.standard_normal(shape)) for shape in shapes]
