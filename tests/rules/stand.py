"""A test stand: the truth of a forward by central differences, and an account of a backward."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from gradcheck.rules.truth import Account, Truth


@dataclass
class Mutant:
    """A forward with a wrong backward.

    Attributes
    ----------
    rule
        The bug.
    name
        Of the layer and its bug.
    build
        Returns forward(*inputs, **options) and backward(upstream, *inputs, **options).
    also
        Other names that are right as well: the two bugs return the same numbers here, for the reason in the test.
    scale
        Of the Gaussian upstream.
    """

    rule: str
    name: str
    build: Callable
    inputs: dict
    wrt: tuple[str, ...]
    options: dict = field(default_factory=dict)
    also: tuple[str, ...] = ()
    scale: float = 1.0


MUTANTS: list[Mutant] = []


def mutant(rule, inputs, wrt, options=None, also=(), scale=1.0):
    """Register a wrong backward under the bug that it has."""

    def register(build):
        wrt_names = (wrt,) if isinstance(wrt, str) else tuple(wrt)
        MUTANTS.append(Mutant(rule, build.__name__, build, inputs, wrt_names, options or {}, tuple(also), scale))
        return build

    return register


def _tuple(value):
    return tuple(map(np.asarray, value)) if isinstance(value, tuple) else (np.asarray(value),)


class Stand:
    """Calls a forward and a backward of plain functions as the checker would."""

    def __init__(self, forward, backward, inputs, wrt, options=None, scale=1.0, seed=0, upstream=None):
        self.forward_function, self.backward_function = forward, backward
        self.inputs, self.wrt, self.options = inputs, wrt, dict(options or {})
        self.single = not isinstance(forward(*self._copies(inputs), **self.options), tuple)
        self.outputs = self.forward({}, {})
        rng = np.random.default_rng([5, seed])
        self.upstream = upstream or tuple(scale * rng.standard_normal(np.shape(part)) for part in self.outputs)

    def _copies(self, inputs):
        return [np.array(inputs[name]) for name in self.inputs]

    def forward(self, inputs, options):
        try:
            with np.errstate(all="ignore"):
                return _tuple(
                    self.forward_function(*self._copies({**self.inputs, **inputs}), **{**self.options, **options})
                )
        except Exception:  # noqa: BLE001 - a forward may refuse other shapes in any way
            return None

    def _flat(self, inputs, options):
        outputs = self.forward(inputs, options)
        return None if outputs is None else np.concatenate([np.ravel(part).astype(float) for part in outputs])

    def measure(self, name, inputs, options):
        """Four-point central differences."""
        x = np.asarray({**self.inputs, **inputs}[name], dtype=float)
        if self._flat(inputs, options) is None:
            return None
        columns = []
        h = 1e-4
        for index in np.ndindex(*x.shape):
            moved = []
            for step in (h, -h, 2 * h, -2 * h):
                z = x.copy()
                z[index] += step
                moved.append(self._flat({**inputs, name: z}, options))
            if any(part is None for part in moved):
                return None
            a, b, c, d = moved
            with np.errstate(all="ignore"):
                columns.append((8 * (a - b) - (c - d)) / (12 * h))
        return np.stack(columns, axis=1) if columns else np.zeros((self._flat(inputs, options).size, 0))

    def truth(self):
        jacobians = {name: self.measure(name, {}, {}) for name in self.wrt}
        level = 2e-11 * (1.0 + max(np.abs(part).max(initial=0.0) for part in self.outputs))
        bounds = {name: np.full(matrix.shape, level) for name, matrix in jacobians.items()}
        axis = self.options.get("axis")
        return Truth(
            self.inputs,
            self.options,
            self.outputs,
            self.upstream,
            axis if isinstance(axis, int) else None,
            self.wrt,
            jacobians,
            bounds,
            self.measure,
            self.forward,
        )

    def call(self, upstream, inputs, options):
        full = self._copies({**self.inputs, **inputs})
        given = tuple(np.array(part) for part in upstream)
        try:
            with np.errstate(all="ignore"):
                answer = self.backward_function(
                    given[0] if self.single else given, *full, **{**self.options, **options}
                )
        except Exception:  # noqa: BLE001 - a wrong backward may raise anything elsewhere
            return None
        return {name: np.asarray(part) for name, part in zip(self.wrt, answer, strict=True) if part is not None}

    def account(self):
        def vjp(upstream):
            return self.call(upstream, {}, {})

        def elsewhere(inputs, options, upstream):
            outputs = self.forward(inputs, options)
            if outputs is None:
                return None
            rng = np.random.default_rng(9)
            given = tuple(upstream or (rng.standard_normal(np.shape(part)) for part in outputs))
            answer = self.call(given, inputs, options)
            return None if answer is None else (answer, given)

        offset = vjp(tuple(np.zeros(np.shape(part)) for part in self.outputs)) or {}
        sizes = [int(np.prod(np.shape(part))) for part in self.outputs]
        implied = {}
        rows = {name: [] for name in self.wrt}
        for unit in np.eye(sum(sizes)):
            parts = np.split(unit, np.cumsum(sizes)[:-1])
            answer = vjp([part.reshape(np.shape(out)) for part, out in zip(parts, self.outputs, strict=True)]) or {}
            for name in self.wrt:
                seen = answer.get(name)
                good = seen is not None and seen.shape == np.shape(self.inputs[name]) and name in offset
                rows[name].append((seen - offset[name]).ravel().astype(float) if good else None)
        for name, found in rows.items():
            if found and all(row is not None for row in found):
                implied[name] = np.stack(found)
        linear = _linear(vjp, self.outputs, offset)
        return Account(vjp(self.upstream) or {}, implied, offset, linear, vjp, elsewhere)


def _linear(vjp, outputs, offset):
    rng = np.random.default_rng(6)
    first, second = (tuple(rng.standard_normal(np.shape(part)) for part in outputs) for _ in range(2))
    answers = [vjp(first), vjp(second), vjp(tuple(a - 2 * b for a, b in zip(first, second, strict=True)))]
    if any(answer is None for answer in answers):
        return True
    a, b, both = answers
    for name in a:
        if name in offset and np.shape(both[name]) == np.shape(offset[name]):
            expected = a[name] - 2.0 * b[name] + 2.0 * offset[name]
            if not np.allclose(both[name], expected, rtol=1e-6, atol=1e-9, equal_nan=True):
                return False
    return True


def stand(case: Mutant, seed: int = 0, backward=None) -> Stand:
    """Set a mutant up with inputs of a seed; with another backward if given."""
    rng = np.random.default_rng([3, seed])
    inputs = {name: draw(rng) for name, draw in case.inputs.items()}
    forward, wrong = case.build()
    return Stand(forward, backward or wrong, inputs, case.wrt, case.options, case.scale, seed)
