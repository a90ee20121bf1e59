"""Layers that a framework differentiates: by rules that their author wrote for it, or by rules of its own.

What is known of one framework is an :class:`~gradcheck.layers.engines.Engine`; the layer is the same for all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np

from gradcheck.errors import LayerError
from gradcheck.layers.calling import call
from gradcheck.layers.engines import SEED, Engine, Pullback, Run, Target, Tensors
from gradcheck.layers.outputs import describe_value, read_outputs, to_array
from gradcheck.layers.protocol import Array, Gradients, Inputs, Mismatch, Options
from gradcheck.model import Place


@dataclass(slots=True)
class DifferentiableLayer:
    """A layer whose gradients come from a framework.

    Attributes
    ----------
    engine
        The framework.
    target
        The code.
    order
        ``2``: the layer is the vector-Jacobian product of the code.
    forward_mode
        Whether the gradients are put together from Jacobian-vector products.
    upstreams
        With order 2: names of the inputs that are the upstream.
    """

    engine: Engine
    target: Target
    order: int = 1
    forward_mode: bool = False
    upstreams: tuple[str, ...] = ()
    name: str = field(init=False)
    inputs: tuple[str, ...] = field(init=False)
    options: tuple[str, ...] = field(init=False)
    defaults: Mapping[str, Array] = field(init=False)
    source: Place | None = field(init=False)
    replays: ClassVar[bool] = True
    """The backward runs the forward again."""
    _before: dict[str, object] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.name = self.target.name if self.order == 1 else f"{self.target.name} (order {self.order})"
        self.inputs = (*self.target.inputs, *self.upstreams)
        self.options, self.defaults, self.source = self.target.options, self.target.defaults, self.target.source

    def forward(self, inputs: Inputs, options: Options) -> tuple[Array, ...]:
        """Return the outputs; see :class:`gradcheck.layers.protocol.Layer`."""
        with self.engine.session():
            self._before = np.random.get_state(legacy=False)
            self.engine.seed()
            run = self._run(inputs, options)
            arrays = self.target.settle(inputs)
            tensors = {name: self.engine.lift(array) for name, array in arrays.items()}
            leaves = call(run, (tensors,), role="forward")
            outputs = self._read_outputs(leaves)
            self._show_changes(run, tensors, arrays, inputs)
            return outputs

    def vjp(
        self,
        upstream: Sequence[Array],
        inputs: Inputs,
        outputs: Sequence[Array],
        options: Options,
        wrt: Sequence[str],
    ) -> Gradients:
        """Return the analytic gradients; see :class:`gradcheck.layers.protocol.Layer`.

        The forward is run again, in the random state that it had, so that it is recorded for these inputs alone.
        """
        with self.engine.session():
            after = np.random.get_state(legacy=False)
            if self._before is not None:
                np.random.set_state(self._before)
            self.engine.seed()
            run = self._run(inputs, options)
            settled = self.target.settle(inputs)
            arrays = {name: _as_floats(array) if name in wrt else array for name, array in settled.items()}
            tensors = {name: self.engine.lift(array) for name, array in arrays.items()}
            if self.forward_mode:
                return self._push(self._repeatable(run), tensors, arrays, upstream, wrt)
            recorded: Any = call(self.engine.trace, (run, tensors, wrt), role="forward")
            traced, pull = recorded
            np.random.set_state(after)
            self.engine.seed()
            returned = call(self._pull, (pull, upstream, wrt), role="backward")
            self._show_changes(run, tensors, arrays, inputs)
        if isinstance(returned, Mismatch):
            return Gradients({}, [returned])
        found = self._read_gradients(returned, arrays, wrt)
        changed = _find_other_output(outputs, self._read_outputs(traced))
        found.mismatches += [changed] if changed else []
        return found

    def fresh(self) -> DifferentiableLayer:
        """Return an equal layer with no memory of earlier calls."""
        return replace(self, target=self.target.fresh())

    def _run(self, inputs: Inputs, options: Options) -> Run:
        engine, target = self.engine, self.target

        def run(tensors: Tensors) -> list[object]:
            return engine.leaves(target.call(tensors, options))

        if self.order == 1:
            return run
        names = [name for name, array in inputs.items() if array.dtype.kind == "f" and name not in self.upstreams]

        def run_twice(tensors: Tensors) -> list[object]:
            own = {name: tensor for name, tensor in tensors.items() if name not in self.upstreams}
            given = [tensors[name] for name in self.upstreams if name in tensors]
            return engine.gradients(run, own, names, given)

        return run_twice

    def _repeatable(self, run: Run) -> Run:
        """Return a function that sets the random state before each call to what it was before the first."""
        state = np.random.get_state(legacy=False) if self._before is None else self._before

        def run_again(tensors: Tensors) -> list[object]:
            np.random.set_state(state)
            self.engine.seed()
            return run(tensors)

        return run_again

    def _read_outputs(self, leaves: object) -> tuple[Array, ...]:
        assert isinstance(leaves, list)
        if not leaves:
            raise LayerError("forward returned None, which is no array of numbers")
        with_arrays = [self.engine.lower(leaf) for leaf in leaves]
        return read_outputs(with_arrays[0] if len(with_arrays) == 1 else tuple(with_arrays)).arrays

    def _pull(self, pull: Pullback, upstream: Sequence[Array], wrt: Sequence[str]) -> object:
        try:
            return pull(upstream)
        except Exception as error:
            complaint = self.engine.read_complaint(error, wrt)
            if complaint is None:
                raise
            return complaint

    def _read_gradients(self, returned: object, inputs: Inputs, wrt: Sequence[str]) -> Gradients:
        assert isinstance(returned, list)
        found = Gradients({})
        for name, value in zip(wrt, returned, strict=True):
            lowered = self.engine.lower(value)
            # a framework's "no gradient" is a gradient of zero
            array = np.zeros(np.shape(inputs[name])) if lowered is None else to_array(lowered)
            if array is None:
                message = f"the backward returned {describe_value(value)} as the gradient of {name}, which is no array"
                found.mismatches.append(Mismatch("not-an-array", message, name))
            else:
                found.by_input[name] = array
        return found

    def _show_changes(self, run: Run, tensors: Tensors, arrays: Inputs, inputs: Inputs) -> None:
        """Write changes made in place, which tensors would keep to themselves, into the arrays handed over."""
        for name, value in self.engine.hidden_changes(run, tensors, arrays, by_hand=self.target.by_hand).items():
            if inputs[name].flags.writeable:
                np.copyto(inputs[name], value, casting="unsafe")

    def _push(
        self, run: Run, tensors: Tensors, inputs: Inputs, upstream: Sequence[Array], wrt: Sequence[str]
    ) -> Gradients:
        """Put gradients together from the Jacobian's columns, and see whether a rule is linear in its tangent."""
        found = Gradients({})
        for name in wrt:
            array = inputs[name]
            random = np.random.default_rng(SEED).standard_normal(array.shape)
            basis = np.eye(array.size).reshape(array.size, *array.shape)
            tangents = np.concatenate([basis, random[None]]).astype(array.dtype)
            pushed = call(self.engine.push, (run, tensors, name, tangents), role="forward mode")
            assert isinstance(pushed, list)
            rows = [np.asarray(part).reshape(array.size + 1, -1) for part in pushed]
            gradient = np.zeros(array.size)
            for row, g in zip(rows, upstream, strict=True):
                gradient += np.asarray(row[:-1] @ np.asarray(g, row.dtype).ravel(), np.float64)
                if not _is_combination(row, np.asarray(tangents[-1]).ravel()):
                    message = f"the forward-mode rule is not linear in the tangent of {name}"
                    remedy = "multiply by the tangent once, and clip or mask nothing of it"
                    found.mismatches.append(Mismatch("nonlinear-in-upstream", message, name, remedy))
            found.by_input[name] = gradient.reshape(array.shape).astype(array.dtype)
        return found


def _as_floats(array: Array) -> Array:
    return array.astype(np.float64) if array.dtype.kind in "iub" else array


def _unit(array: Array) -> float:
    """Return the distance from 1 to the next number of an array's dtype, or of float64 for integers."""
    info: Any = np.finfo(array.dtype if array.dtype.kind == "f" else np.float64)  # type: ignore[type-var]
    return float(info.eps)


def _is_combination(rows: Array, tangent: Array) -> bool:
    """Whether the last row is the combination of the others with the tangent's entries as weights."""
    expected = np.asarray(tangent, np.float64) @ np.asarray(rows[:-1], np.float64)
    size = float(np.max(np.abs(rows), initial=0.0))
    unit = _unit(rows)
    return bool(np.all(np.abs(expected - rows[-1]) <= 2**12 * unit * size * max(1, len(rows)) ** 0.5)) or not np.all(
        np.isfinite(rows)
    )


def _find_other_output(outputs: Sequence[Array], traced: Sequence[Array]) -> Mismatch | None:
    """Compare what the forward returns by itself with what it returns while it is differentiated."""
    for position, (one, other) in enumerate(zip(outputs, traced, strict=False)):
        if one.shape == other.shape and one.dtype.kind == "f":
            unit = max(_unit(one), _unit(other))
            size = float(np.max(np.abs(one[np.isfinite(one)]), initial=0.0))
            if np.allclose(one, other, rtol=0, atol=unit**0.5 * size, equal_nan=True):
                continue
        elif one.shape == other.shape and np.array_equal(one, other):
            continue
        which = f"output {position}" if len(outputs) > 1 else "the output"
        return Mismatch(
            "derivative-of-another-function",
            f"{which} has other values while it is differentiated than by itself",
            remedy="let the rule for differentiation return the same outputs as the function",
        )
    return None
