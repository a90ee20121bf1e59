"""One direction at a time: the derivative along a move of many inputs against what the claim says of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from gradcheck.numeric.evaluate import Array, Evaluator, Mask, median, root_sum_squares
from gradcheck.numeric.precision import round_to_grid
from gradcheck.numeric.specks import find_specks, short_steps
from gradcheck.numeric.survey import Survey

_DEVIATIONS = 4.0  # one more than for entries: a projection is all that is looked at
_KINKED = 84.0  # noises of an output's fourth difference (ten standard deviations) from where it is no noise
_ORDINARY = 30.0  # bound over round-off that a sound step of a smooth function has
_LADDER = (1.0, 2.0**-4, 2.0**-8, 2.0**-12)


@dataclass(eq=False, slots=True)
class Residual:
    """Measured minus claimed rise of the weighted outputs along a move, and how far it may be from the truth.

    Attributes
    ----------
    value, bound
        In units of the weighted outputs.
    roundoff
        The part of the bound that is round-off.
    claimed
        Rise that the claim says.
    size
        Root of the sum of squares of the claim's contributions: what a random change of all entries is felt by.
    """

    value: float
    bound: float
    roundoff: float
    claimed: float
    size: float

    @property
    def refutes(self) -> bool:
        """Whether the claim cannot be right."""
        return not abs(self.value) <= self.bound


@dataclass(eq=False, slots=True)
class _Pair:
    """Rise of every output, claimed rise and its size, second differences, and the outputs that moved."""

    rise: Array
    claimed: float
    size: float
    bend: Array
    reached: Mask


class Projector:
    """Tests a claim along directions; moves are in multiples of the survey's steps, of specks within their own size.

    Parameters
    ----------
    survey
        Of a whole layout.
    claim
        Analytic gradient in the shape of x.
    """

    def __init__(self, evaluate: Evaluator, survey: Survey, claim: Array) -> None:
        self._evaluate, self._survey = evaluate, survey
        self._claim = np.asarray(claim, dtype=np.float64).reshape(survey.x.shape)
        self._y0 = survey.y0.reshape(-1)
        self._weights = survey.weights.reshape(-1)
        self._sigma = np.abs(self._weights) * survey.sigma.reshape(-1)
        self._dead = survey.dead.reshape(-1)
        self.steps = survey.layout.scatter_inputs(short_steps(survey, find_specks(survey)), survey.x.shape)
        self.multiplier = 1.0

    def draw(self, rng: np.random.Generator) -> Array:
        """Signed random move of all inputs: between one and two steps each."""
        shape = self.steps.shape
        return rng.choice([-1.0, 1.0], size=shape) * rng.uniform(1.0, 2.0, size=shape) * self.steps * self.multiplier

    def calibrate(self, rng: np.random.Generator) -> Residual:
        """Choose the multiplier of the steps with the smallest bound (4 evaluations each, mostly one or two).

        A move of all inputs crosses many kinks; shorter ones cross fewer. The first step will do where nothing but
        round-off and an ordinary truncation is seen.
        """
        move = self.draw(rng)
        shortest = median(self._survey.shortest)
        best, chosen = self.test(move), 1.0
        for shrink in _LADDER[1:]:
            ordinary = best.bound <= _ORDINARY * best.roundoff
            if ordinary or shrink * median(self.steps) < shortest:
                break
            residual = self.test(move * shrink)
            scaled = residual.bound / shrink
            if scaled > 4 * best.bound / chosen:
                break
            if scaled < best.bound / chosen:
                best, chosen = residual, shrink
        self.multiplier = chosen
        return best

    def test(self, move: Array) -> Residual:
        """Compare along `move` with four evaluations."""
        return next(self.test_each([move]))[0]

    def test_each(self, moves: Iterable[Array]) -> Iterator[tuple[Residual, Array]]:
        """Compare along every one of the moves with four evaluations; residuals with their moves."""
        under_way: deque[Array] = deque()
        values = self._evaluate.many(self._ends(moves, under_way))
        for above in values:
            move = under_way[0]
            near = self._pair(move, above, values)
            yield self._compare(near, self._pair(2 * move, next(values), values)), move
            under_way.popleft()

    def _compare(self, near: _Pair, far: _Pair) -> Residual:
        fourth = far.bend - 4 * near.bend
        drift = near.rise - far.rise / 2
        with np.errstate(invalid="ignore"):
            kinked = np.abs(self._weights * fourth) > _KINKED * self._sigma
        # many kinks do not cancel: what each adds counts in full
        truncation = (2 / 3) * self._sum_apart(drift, kinked) + self._sum_apart(fourth, kinked) / 3
        residual = (4 * (self._sum(near.rise) - near.claimed) - (self._sum(far.rise) - far.claimed) / 2) / 3
        roundoff = _DEVIATIONS * 0.95 * self._noise(near.reached | far.reached)
        roundoff += self._rounding(near.size, near.claimed)
        return self._residual(residual, roundoff, truncation, near.claimed, near.size)

    def test_quickly(self, move: Array) -> Residual:
        """Compare along `move` with two evaluations; its truncation is not known."""
        values = self._evaluate.many(self._two_ends(move))
        pair = self._pair(move, next(values), values)
        roundoff = _DEVIATIONS * 0.71 * self._noise(pair.reached) + self._rounding(pair.size, pair.claimed)
        return self._residual(self._sum(pair.rise) - pair.claimed, roundoff, 0.0, pair.claimed, pair.size)

    def _ends(self, moves: Iterable[Array], under_way: deque[Array]) -> Iterator[Array]:
        """Points of the pairs along each move and its double; the moves are handed on as well."""
        for move in moves:
            under_way.append(move)
            yield from self._two_ends(move)
            yield from self._two_ends(2 * move)

    def _two_ends(self, move: Array) -> tuple[Array, Array]:
        x, precision = self._survey.x, self._survey.precision
        up, down = x + move, x - move
        if precision.name != "float64":  # or the function's own cast would move another way
            up, down = round_to_grid(up, precision), round_to_grid(down, precision)
        return up, down

    def _pair(self, move: Array, above: Array, values: Iterator[Array]) -> _Pair:
        """Make a pair of the value above, which is at hand, and the next one, below."""
        survey = self._survey
        up, down = self._two_ends(move)
        above = survey.layout.gather_outputs(above).reshape(-1).copy()  # the next value may lie in the same place
        below = survey.layout.gather_outputs(next(values)).reshape(-1)
        shift = self._claim * ((up - down) / 2)  # the points that were really evaluated
        with np.errstate(invalid="ignore"):
            rise = np.where(self._dead, 0.0, (above - below) / 2)
            bend = np.where(self._dead, 0.0, (above - self._y0) + (below - self._y0))
        reached: Mask = (above != self._y0) | (below != self._y0)
        size = float(root_sum_squares(shift.reshape(1, -1))[0])
        return _Pair(rise, float(np.sum(shift)), size, bend, reached & ~self._dead)

    def _sum(self, values: Array) -> float:
        return float(np.sum(values * self._weights))

    def _sum_apart(self, values: Array, kinked: Mask) -> float:
        weighted = values * self._weights
        return abs(float(np.sum(weighted[~kinked]))) + float(np.sum(np.abs(weighted[kinked])))

    def _noise(self, reached: Mask) -> float:
        """Noise of the outputs that a move reaches."""
        if not reached.any():
            return 0.0
        common = float(self._survey.common[0]) if 2 * int(reached.sum()) > reached.size else 1.0
        return common * float(root_sum_squares(np.where(reached, self._sigma, 0.0).reshape(1, -1))[0])

    def _rounding(self, size: float, claimed: float) -> float:
        """Rounding of the claim itself, and of its sum."""
        return self._survey.precision.eps * (4 * size + abs(claimed))

    @staticmethod
    def _residual(value: float, roundoff: float, truncation: float, claimed: float, size: float) -> Residual:
        bound = roundoff + truncation
        if not (np.isfinite(value) and np.isfinite(bound)):
            # outside of the domain, or a claim that is no number: nothing is known of the one, all of the other
            return Residual(np.inf if not np.isfinite(claimed) else 0.0, np.inf, roundoff, claimed, size)
        return Residual(value, bound, roundoff, claimed, size)
