"""The layer on trial: its inputs in the two forms that are needed, outputs, upstream and first gradients."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from gradcheck.errors import LayerError, UsageError
from gradcheck.layers.protocol import Array
from gradcheck.model import Plain
from gradcheck.trial.calls import BudgetSpentError, Caller, Floats, Pull, draw_upstream, flatten, is_float, split

if TYPE_CHECKING:
    from gradcheck.trial.helpers import Helpers


@dataclass(eq=False, slots=True)
class Subject:
    """What every check of one trial works on.

    Attributes
    ----------
    caller
        Calls the layer.
    given
        The inputs as the case gives them; the backward receives these.
    moved
        The same with the differentiated ones in float64; the forward is measured on these.
    wrt
        Names of the differentiated inputs.
    outputs
        What the forward returns for ``moved``.
    upstream
        One array per output.
    fixed_upstream
        Whether the case gives the upstream; then the verdict uses no other (but its multiples).
    first
        The first forward and backward.
    gradients
        By name, float64 and of the input's shape; those that cannot be compared are missing.
    typical
        By name: the size that a gradient for such an upstream usually has; the case's own may be much smaller.
    nudged
        By name: the gradient at inputs that are a last bit away.
    precision
        Unit round-off in which the layer computes.
    rng
        The trial's own random generator.
    steady
        Whether nothing was seen of a memory of earlier calls, or of chance.
    repeats
        Whether the forward can be made to return the same outputs for the same inputs.
    lost
        Whether the gradients differ from call to call because the outputs do: then nothing can be said of them.
    helpers
        Other processes that may evaluate points, if there are any.
    begun
        When the trial began, as the performance counter has it.
    """

    caller: Caller
    given: dict[str, Array]
    moved: dict[str, Array]
    wrt: tuple[str, ...]
    outputs: tuple[Array, ...]
    upstream: tuple[Array, ...]
    fixed_upstream: bool
    rng: np.random.Generator
    first: Pull | None = None
    gradients: dict[str, Floats] = field(default_factory=dict)
    typical: dict[str, float] = field(default_factory=dict)
    nudged: dict[str, Floats] = field(default_factory=dict)
    precision: float = float(np.finfo(np.float64).eps)
    steady: bool = True
    repeats: bool = True
    lost: bool = False
    helpers: Helpers | None = None
    begun: float = field(default_factory=time.perf_counter)

    @property
    def weights(self) -> Floats:
        """The upstream as one vector of length M."""
        return flatten(self.upstream)

    def unit(self, name: str) -> float:
        """Return the unit round-off in which a gradient is known: the coarsest of its own, the input's, the layer's."""
        kinds = [self.given[name].dtype]
        if self.first is not None and name in self.first.gradients.by_input:
            kinds.append(self.first.gradients.by_input[name].dtype)
        return max(self.precision, *map(round_off, kinds))

    def cancelling(self, name: str) -> float:
        """Return the rounding of terms as large as ``g y / x``: what is left where such terms cancel is no better.

        0 in double precision, where the measurement is no better either.
        """
        if self.unit(name) < 1e-12:
            return 0.0
        moved = np.asarray(self.moved[name], dtype=np.float64)
        size = float(np.sqrt(np.mean(moved * moved))) if moved.size else 0.0
        outputs = [float(np.max(np.abs(part), initial=0.0)) for part in self.outputs if part.dtype.kind == "f"]
        upstream = float(np.max(np.abs(self.weights), initial=0.0))
        return self.unit(name) * upstream * max(outputs, default=0.0) / size if size else 0.0

    @property
    def jitter(self) -> dict[str, float]:
        """By name: how much a last bit of the inputs moves the gradient, at most."""
        return {
            name: float(np.nanmax(np.abs(part - self.gradients[name]), initial=0.0))
            for name, part in self.nudged.items()
            if name in self.gradients and not np.isnan(part).all()
        }

    def noise(self) -> dict[str, float]:
        """Return by name the difference that rounding explains however small the gradient itself is."""
        return {
            name: 64 * self.unit(name) * size + 8 * self.jitter.get(name, 0.0) for name, size in self.typical.items()
        }

    def tolerances(self) -> dict[str, float]:
        """Return by name the relative difference that two computations of one gradient may have by rounding."""
        return {name: max(1e-9, 256 * self.unit(name)) for name in self.gradients}

    def scaled_upstream(self, factor: float) -> list[Array]:
        """Return the upstream times a number, in its own dtype."""
        return [np.asarray(np.asarray(part, np.float64) * factor, part.dtype) for part in self.upstream]

    def as_upstream(self, vector: Floats) -> list[Array]:
        """Return a vector of length M as one array per output, in the dtypes of the upstream."""
        return [np.asarray(a, b.dtype) for a, b in zip(split(vector, self.outputs), self.upstream, strict=True)]

    def function(
        self,
        name: str,
        inputs: Mapping[str, Array] | None = None,
        options: Mapping[str, Plain] | None = None,
        *,
        borrow: bool = False,
    ) -> Callable[[Floats], Floats]:
        """Return the forward as a function of one input: array of float64 to the vector of all outputs.

        Outside the layer's domain (it raises, or its outputs change their shapes) the vector is nan. With ``borrow`` it
        is the layer's own, and valid until the next call; and so is the array that it is called with, from then on.
        """
        run = partial(self.caller.borrow, given=name) if borrow else self.caller.forward
        base = dict(self.moved if inputs is None else inputs)
        home = base[name]
        size: int | None = None
        rechecked = False

        def call(x: Floats) -> Floats:
            nonlocal size, rechecked
            base[name] = x
            try:
                vector = flatten(run(base, options))
            except BudgetSpentError:
                raise
            except LayerError:
                if size is None:
                    raise
                if not rechecked:
                    # outside of the domain, or has the layer given up altogether? then this raises as well
                    rechecked = True
                    run({**base, name: home.copy()}, options)
                return np.full(size, np.nan)
            if size is None:
                size = vector.size
            return vector if vector.size == size else np.full(size, np.nan)

        return call

    def vjp(self, upstream: Sequence[Array], inputs: Mapping[str, Array] | None = None) -> dict[str, Floats]:
        """Ask the backward again; gradients of the wrong shape are left out."""
        pull = self.caller.pull(self.given if inputs is None else inputs, upstream, self.wrt)
        return comparable(pull, self.given if inputs is None else inputs)


def round_off(dtype: np.dtype[np.generic]) -> float:
    """Return the distance from 1 to the next number of a floating-point dtype; 0 for others."""
    return {2: 2.0**-10, 4: 2.0**-23, 8: 2.0**-52}.get(dtype.itemsize, 2.0**-63) if dtype.kind == "f" else 0.0


def comparable(pull: Pull, inputs: Mapping[str, Array]) -> dict[str, Floats]:
    """Return the gradients that have their input's shape and hold real numbers, as float64."""
    return {
        name: np.asarray(value, dtype=np.float64)
        for name, value in pull.gradients.by_input.items()
        if value.shape == np.shape(inputs[name]) and value.dtype.kind in "fiub"
    }


def to_float64(inputs: Mapping[str, Array], wrt: Sequence[str]) -> dict[str, Array]:
    """Return the inputs with floating-point arrays, and whatever is differentiated, in float64."""
    return {
        name: np.asarray(value, dtype=np.float64) if is_float(value) or name in wrt else value
        for name, value in inputs.items()
    }


def prepare(
    caller: Caller,
    inputs: Mapping[str, Array],
    wrt: Sequence[str],
    upstream: Sequence[Array] | None,
    rng: np.random.Generator,
) -> Subject:
    """Call the forward once and settle the upstream.

    A layer that refuses float64 where the case gives float32 is measured with what the case gives.

    Raises
    ------
    LayerError
        If the forward raises at the case's own inputs.
    UsageError
        If the upstream given does not have the outputs' shapes.
    """
    given = {name: np.array(value) for name, value in inputs.items()}
    moved = to_float64(given, wrt)
    try:
        outputs = caller.forward(moved)
    except LayerError:
        if all(moved[name].dtype == value.dtype for name, value in given.items()):
            raise
        moved = dict(given)
        outputs = caller.forward(moved)
    fixed = upstream is not None
    drawn = draw_upstream(outputs, rng)
    if upstream is not None:
        drawn = tuple(np.asarray(part, dtype=np.float64) for part in upstream)
        if len(drawn) == 1 and len(outputs) == 1 and drawn[0].size == outputs[0].size == 1:
            drawn = (drawn[0].reshape(outputs[0].shape),)
        shapes, wanted = [part.shape for part in drawn], [part.shape for part in outputs]
        if shapes != wanted:
            raise UsageError(
                f"the upstream has shape {_join(shapes)}, the output has {_join(wanted)}",
                "give one array of the output's shape per output",
            )
    coarse = [value.dtype for name, value in given.items() if name in wrt and is_float(value)]
    if coarse and all(kind.itemsize < 8 for kind in coarse):
        # a float32 layer is handed a float32 upstream, and the verdict uses just those numbers
        finest = max(coarse, key=lambda kind: kind.itemsize)
        drawn = tuple(part.astype(finest) for part in drawn)
    return Subject(caller, given, moved, tuple(wrt), outputs, drawn, fixed, rng)


def _join(shapes: Sequence[tuple[int, ...]]) -> str:
    return ", ".join(map(str, shapes))
