"""Several points through one call: copies of a batch put one after the other along its first axis.

Nothing is believed of a layer that can be tried. Before copies are put together, some that were moved far apart went
through one call and, one by one, through calls of their own: every output has to be the same, bit for bit. And each
later call carries the point itself along as its last copy, whose outputs are known; if they are not what they were,
that call does not count, and there is no other of its kind.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from gradcheck.errors import LayerError
from gradcheck.trial.calls import SALT, BudgetSpentError, Floats, equal_bits
from gradcheck.trial.subject import Subject

# Copies that are worth putting together, and how many are at most.
FEWEST = 4
MOST = 32
# Numbers of all copies, inputs and outputs: beyond, arithmetic in the caches costs more than the calls that it saves.
NUMBERS = 1 << 17
# Arrays of the size of its inputs and outputs that a layer may hold while it works, for the memory allowed.
HELD = 16
# Copies of the trial call, and how far they are moved as a share of the inputs' sizes.
_TRIED = 4
_FARTHEST = 0.75


def find_batch(
    subject: Subject,
    name: str,
    function: Callable[[Floats], Floats],
    x: Floats,
    memory: int,
) -> Batch | None:
    """Find out whether copies of the inputs can go through one call; ``None`` where they cannot, or it does not pay.

    Parameters
    ----------
    function
        The forward as a function of the input `name`, one point at a time.
    x
        The point around which it will be evaluated.
    memory
        Bytes that the copies may take.
    """
    inputs, outputs = subject.moved, subject.outputs
    if not subject.steady or subject.caller.luck is not None or not x.ndim or not x.size:
        return None
    length = x.shape[0]
    if any(part.shape[:1] != (length,) for part in outputs):
        return None
    stacked = [key for key, value in inputs.items() if value.shape[:1] == (length,)]
    numbers = sum(inputs[key].size for key in stacked) + sum(part.size for part in outputs)
    together = min(MOST, NUMBERS // max(numbers, 1), memory // max(8 * HELD * numbers, 1)) - 1
    if together < FEWEST:
        return None
    batch = Batch(subject, name, function, x, [key for key in stacked if key != name], together)
    return batch if batch.holds() else None


class Batch:
    """The forward as a function of one input that takes several points at once (see ``numeric.evaluate.ManyAtOnce``).

    Parameters
    ----------
    carried
        Names of the other inputs that have the batch's axis: of these every copy gets the same.
    together
        Points that go through one call.
    """

    def __init__(
        self,
        subject: Subject,
        name: str,
        function: Callable[[Floats], Floats],
        x: Floats,
        carried: Sequence[str],
        together: int,
    ) -> None:
        self.together, self.carried = together, tuple(carried)
        self._subject, self._name, self._function, self._x = subject, name, function, x
        self._inputs = dict(subject.moved)
        self._tiles = {key: np.concatenate([self._inputs[key]] * (together + 1)) for key in carried}
        self._home: Floats | None = None

    def __call__(self, x: Floats) -> Floats:
        """Return the outputs at one point, from a call of its own."""
        return self._function(x)

    def many(self, points: Sequence[Floats]) -> Sequence[Floats]:
        """Return the outputs at several points, from one call, or from calls of their own where that fails."""
        found = self._call(points) if self.together > 1 else None
        if found is None:
            self.together = 1
            return [self._function(x) for x in points]
        return found

    def begin(self) -> None:
        """Remember the outputs at the point itself, by which every later call is judged."""
        self._home = self._function(self._x.copy()).copy()

    def holds(self) -> bool:
        """Try it: copies that are moved far apart, and their outputs one by one."""
        rng = np.random.default_rng(SALT)  # the trial's own would draw other directions afterwards
        points = [_move_far(self._x, rng) for _ in range(_TRIED)]
        self.begin()
        few = self._call(points)
        # as many copies as there will be: a layer may treat a long batch in another way
        many = None if few is None else self._call([points[number % _TRIED] for number in range(self.together)])
        if not self._answers_as_before() or few is None or many is None:
            return False
        return all(equal_bits(found, few[number % _TRIED]) for number, found in enumerate(many)) and all(
            equal_bits(found, self._function(point)) for point, found in zip(points, few, strict=True)
        )

    def _call(self, points: Sequence[Floats]) -> Sequence[Floats] | None:
        """Outputs at the points from one call; None where the call says that copies do not go together."""
        copies = len(points) + 1
        rows = copies * len(self._x)
        inputs = {**self._inputs, **{key: tile[:rows] for key, tile in self._tiles.items()}}
        inputs[self._name] = np.concatenate([*points, self._x])
        try:
            outputs = self._subject.caller.forward(inputs, points=len(points))
        except BudgetSpentError:
            raise
        except LayerError:
            return None
        known = self._subject.outputs
        if len(outputs) != len(known):
            return None
        parts = []
        for part, one in zip(outputs, known, strict=True):
            if part.shape != (rows, *one.shape[1:]) or part.dtype != one.dtype:
                return None
            parts.append(np.asarray(part, dtype=np.float64).reshape(copies, -1))
        together = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)
        if self._home is None or not equal_bits(together[-1], self._home):
            return None
        return list(together[:-1])

    def _answers_as_before(self) -> bool:
        """Whether the layer still answers as before; one that the long batch has changed is made anew."""
        assert self._home is not None
        try:
            if equal_bits(self._function(self._x.copy()), self._home):
                return True
        except LayerError:
            pass
        self._subject.caller.layer = self._subject.caller.fresh()
        return False


def _move_far(x: Floats, rng: np.random.Generator) -> Floats:
    """Return a point at some distance where no number has changed its sign."""
    size = np.where(x == 0, float(np.sqrt(np.mean(x * x))) or 1.0, np.abs(x))
    # zeros of probabilities or counts move up, where the others are
    sign = np.where((x == 0) & bool(np.all(x >= 0)), 1.0, rng.choice([-1.0, 1.0], x.shape))
    moved: Floats = x + sign * size * rng.uniform(0.25, _FARTHEST, x.shape)
    return moved
