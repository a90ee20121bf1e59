"""One input of a case, as the rules see it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from itertools import pairwise

import numpy as np

from gradcheck.model import Plain
from gradcheck.rules.anatomy import Anatomy, dissect
from gradcheck.rules.predictions import distance
from gradcheck.rules.scalars import account_with, scalars, with_scalars
from gradcheck.rules.truth import Account, Array, Floats, Truth


class View:
    """Truth and account of one input, with what every rule asks for.

    Attributes
    ----------
    truth
        As given; inputs that are numbers are among its options as well.
    x, y
        The input and the outputs (flat and concatenated in ``y``) in float64.
    J, B
        True Jacobian ``(M, N)`` and how far it may be off.
    g, t
        The upstream ``(M,)`` and the true gradient ``J^T g``, ``(N,)``, both flat.
    A, offset, a
        What the backward implies: its Jacobian ``(M, N)`` or ``None``, its answer to an upstream of zeros ``(N,)``, its
        flat gradient for the case's upstream or ``None`` where its shape is wrong.
    memory
        What other modules found out about this view.
    """

    def __init__(self, truth: Truth, account: Account | None, name: str) -> None:
        numbers = scalars(truth, name)
        if numbers and account is not None:
            account = account_with(account, truth, numbers)
        self.truth = with_scalars(truth, numbers) if numbers else truth
        self.account = account
        self.name = name
        self.x: Floats = np.asarray(truth.inputs[name], dtype=np.float64)
        self.J: Floats = truth.jacobians[name]
        self.B: Floats = truth.bounds[name]
        self.M, self.N = self.J.shape
        self.g: Floats = truth.g
        self.shapes = tuple(np.shape(part) for part in truth.outputs)
        self.y: Floats = np.concatenate([np.asarray(part, dtype=np.float64).ravel() for part in truth.outputs])
        self.t: Floats = self.J.T @ self.g
        self.memory: dict[str, object] = {}
        self._measured: dict[str, Floats | None] = {}
        self.A: Floats | None = None
        self.offset: Floats = np.zeros(self.N)
        self.a: Floats | None = None
        self.linear = True
        if account is not None:
            self._open(account)

    def _open(self, account: Account) -> None:
        implied = account.implied.get(self.name)
        if implied is not None and np.shape(implied) == self.J.shape:
            self.A = np.asarray(implied, dtype=np.float64)
        offset = account.offset.get(self.name)
        if offset is not None and np.shape(offset) == self.x.shape:
            self.offset = np.asarray(offset, dtype=np.float64).ravel()
        self.a = self.flat(account.gradients.get(self.name))
        self.linear = account.linear

    def flat(self, gradient: Array | None) -> Floats | None:
        """Flatten a gradient of the right shape, or return ``None``."""
        if gradient is None or np.shape(gradient) != self.x.shape or np.asarray(gradient).dtype.kind not in "iufb":
            return None
        return np.asarray(gradient, dtype=np.float64).ravel()

    # -----------------------------------------------------------------------------------------------------------
    # how good the numbers are

    @cached_property
    def noise(self) -> float:
        """Relative uncertainty of the measured Jacobian."""
        size = float(np.linalg.norm(self.J))
        return float(np.linalg.norm(self.B)) / size if size else 0.0

    @cached_property
    def zero(self) -> float:
        """Below this an entry of the Jacobian is taken for zero."""
        return max(
            1e-9 * float(np.abs(self.J).max(initial=0.0)), 4.0 * float(np.median(self.B)) if self.B.size else 0.0
        )

    @cached_property
    def tolerance(self) -> float:
        """Relative distance below which a prediction counts as equal to what was returned."""
        return min(1e-3, max(2e-6, 10.0 * self.noise))

    @cached_property
    def slack(self) -> float:
        """Relative difference at which two single entries (or numbers made of them) still count as equal."""
        largest = float(np.abs(self.J).max(initial=0.0))
        typical = float(np.median(self.B)) / largest if largest and self.B.size else 0.0
        return min(1e-2, max(1e-6, 20.0 * self.noise, 5.0 * typical))

    @cached_property
    def grain(self) -> float:
        """Relative precision of the forward's outputs."""
        single = any(np.asarray(part).dtype.itemsize < 8 for part in self.truth.outputs)
        return max(1e-9, 2e-6 if single else 0.0, self.noise if self.noise > 1e-6 else 0.0)

    @cached_property
    def wrongness(self) -> float:
        """How far the backward is from the truth, relative."""
        parts: list[float] = []
        if self.A is not None:
            parts.append(distance(np.vstack([self.A, self.offset]), np.vstack([self.J, np.zeros(self.N)])))
        if self.a is not None:
            parts.append(distance(self.a, self.t))
        return max(parts, default=float("inf"))

    @cached_property
    def wrong(self) -> bool:
        """Whether the gradient of this input differs from the truth by more than the measurement could."""
        if self.account is None:
            return False
        if self.a is None:
            return True
        if not np.all(np.isfinite(self.a)):
            return True
        slack = 10.0 * (self.B.T @ np.abs(self.g)) + 1e-6 * np.abs(self.t).max(initial=0.0)
        return bool(np.any(np.abs(self.a - self.t) > slack)) and self.wrongness > self.tolerance

    # -----------------------------------------------------------------------------------------------------------
    # elsewhere

    def measure(
        self, inputs: Mapping[str, Array] | None = None, options: Mapping[str, Plain] | None = None
    ) -> Floats | None:
        """Measure the true Jacobian with some inputs and options replaced; remembered."""
        inputs, options = inputs or {}, options or {}
        key = repr([(k, np.shape(v), np.asarray(v).tobytes()) for k, v in sorted(inputs.items())]) + repr(
            sorted(options.items())
        )
        if key not in self._measured:
            value = self.truth.measure(self.name, inputs, options)
            if value is not None and not np.all(np.isfinite(value)):
                value = None
            self._measured[key] = value
        return self._measured[key]

    def respond(self, g: Floats) -> Floats | None:
        """Ask the backward for its flat gradient at a flat upstream."""
        if self.account is None:
            return None
        answer = self.account.vjp(self.split(g))
        return None if answer is None else self.flat(answer.get(self.name))

    def upstreams(self) -> list[Floats]:
        """The case's upstream, multiples of it, and two others, all flat."""
        rng = np.random.default_rng(self.M)
        return [self.g, -self.g, 2.0 * self.g, rng.standard_normal(self.M), 3.0 * np.abs(rng.standard_normal(self.M))]

    def split(self, flat: Floats) -> list[Array]:
        """Cut a flat array over all outputs into one array per output."""
        parts: list[Array] = []
        start = 0
        for shape in self.shapes:
            size = int(np.prod(shape))
            parts.append(flat[start : start + size].reshape(shape))
            start += size
        return parts

    # -----------------------------------------------------------------------------------------------------------
    # shapes

    @cached_property
    def sections(self) -> list[slice]:
        """Rows of the Jacobian that belong to each output."""
        stops = np.cumsum([0, *(int(np.prod(shape)) for shape in self.shapes)])
        return [slice(int(a), int(b)) for a, b in pairwise(stops)]

    @cached_property
    def alike(self) -> bool:
        """Whether there is one output and it has the input's shape."""
        return len(self.shapes) == 1 and self.shapes[0] == self.x.shape

    @cached_property
    def diagonal(self) -> Floats:
        """Diagonal of the Jacobian of a layer with ``alike`` input and output."""
        value: Floats = np.diag(self.J).copy()
        return value

    @cached_property
    def coupled(self) -> bool:
        """Whether some output entry depends on another input entry than its own."""
        return self.alike and bool(np.any(np.abs(self.J - np.diag(self.diagonal)) > self.zero))

    @cached_property
    def elementwise(self) -> bool:
        """Whether every output entry depends on its own input entry alone."""
        return self.alike and not self.coupled

    @cached_property
    def axes(self) -> tuple[int, ...]:
        """Axes along which entries of an ``alike`` layer influence each other."""
        if not self.alike:
            return ()
        place = np.stack(np.unravel_index(np.arange(self.N), self.x.shape), 0) if self.x.ndim else np.zeros((0, self.N))
        linked = np.abs(self.J) > self.zero
        return tuple(
            axis for axis in range(self.x.ndim) if np.any(linked & (place[axis][:, None] != place[axis][None, :]))
        )

    @cached_property
    def anatomy(self) -> Anatomy | None:
        """Diagonal and outer products of the Jacobian, if it is of that kind."""
        return dissect(self)

    @cached_property
    def blocks(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Connected components of the Jacobian's support: pairs of rows and columns, in the order of the columns."""
        linked = np.abs(self.J) > self.zero
        return components(linked)


def components(linked: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Split a boolean matrix into its connected components (rows, columns); empty rows and columns are left out."""
    m, n = linked.shape
    row_label = np.full(m, -1)
    found: list[tuple[np.ndarray, np.ndarray]] = []
    for column in range(n):
        if not linked[:, column].any() or any(column in columns for _, columns in found):
            continue
        columns = np.zeros(n, dtype=bool)
        columns[column] = True
        while True:
            rows = linked[:, columns].any(axis=1)
            grown = linked[rows].any(axis=0) | columns
            if np.array_equal(grown, columns):
                break
            columns = grown
        row_label[rows] = len(found)
        found.append((np.flatnonzero(rows), np.flatnonzero(columns)))
    return found


def switched(first: Floats, second: Floats, zero: float) -> bool:
    """Whether two Jacobians differ in whole rows that are nothing in one of them, and agree in others: a branch."""
    live, other = np.abs(first).max(axis=1, initial=0.0) > zero, np.abs(second).max(axis=1, initial=0.0) > zero
    same = np.abs(first - second).max(axis=1, initial=0.0) <= zero
    return bool(np.any(live != other) and np.all(same[live & other]) and np.any(live & other))


def distinct(values: Floats, slack: float) -> Floats:
    """Return the different values among some; those count as one that differ by less than a share of the largest."""
    ordered = np.sort(values)
    apart = np.diff(ordered) > slack * max(float(np.abs(ordered).max(initial=0.0)), 1e-300)
    return ordered[np.concatenate([[True], apart])] if len(ordered) else ordered


def kinds(values: Floats, apart: float) -> int:
    """How many different numbers that are not 0 there are among some, counting those that are so far apart."""
    live = np.sort(values[np.abs(values) > apart])
    return int(live.size and 1 + np.count_nonzero(np.diff(live) > apart))
