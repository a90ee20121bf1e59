"""One direction at a time: the derivative along a move of many inputs against what the claim says of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gradcheck.numeric.evaluate import Array, Evaluator, Mask, median, root_sum_squares
from gradcheck.numeric.precision import round_to_grid
from gradcheck.numeric.survey import Survey

_DEVIATIONS = 4.0  # one more than for entries: a projection is all that is looked at
_KINKED = 84.0  # noises of an output's fourth difference (ten standard deviations) from where it is no noise
_ORDINARY = 30.0  # bound over round-off that a sound step of a smooth function has
_LADDER = (1.0, 2.0**-4, 2.0**-8, 2.0**-12)


@dataclass(frozen=True, slots=True)
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


class Projector:
    """Tests a claim along directions; moves are in multiples of the survey's steps.

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
        self.steps = survey.layout.scatter_inputs(survey.steps, survey.x.shape)
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
        rise, claimed, size, bend, reached = self._pair(move)
        far_rise, far_claimed, _, far_bend, far_reached = self._pair(2 * move)
        fourth = far_bend - 4 * bend
        drift = rise - far_rise / 2
        with np.errstate(invalid="ignore"):
            kinked = np.abs(self._weights * fourth) > _KINKED * self._sigma
        # many kinks do not cancel: what each adds counts in full
        truncation = (2 / 3) * self._sum_apart(drift, kinked) + self._sum_apart(fourth, kinked) / 3
        residual = (4 * (self._sum(rise) - claimed) - (self._sum(far_rise) - far_claimed) / 2) / 3
        roundoff = _DEVIATIONS * 0.95 * self._noise(reached | far_reached) + self._rounding(size, claimed)
        return self._residual(residual, roundoff, truncation, claimed, size)

    def test_quickly(self, move: Array) -> Residual:
        """Compare along `move` with two evaluations; its truncation is not known."""
        rise, claimed, size, _, reached = self._pair(move)
        roundoff = _DEVIATIONS * 0.71 * self._noise(reached) + self._rounding(size, claimed)
        return self._residual(self._sum(rise) - claimed, roundoff, 0.0, claimed, size)

    def _pair(self, move: Array) -> tuple[Array, float, float, Array, Mask]:
        """Rise of every output, claimed rise and its size, second differences, and the outputs that moved."""
        survey = self._survey
        x = survey.x
        up, down = x + move, x - move
        if survey.precision.name != "float64":  # or the function's own cast would move another way
            up, down = round_to_grid(up, survey.precision), round_to_grid(down, survey.precision)
        above, below = (survey.layout.gather_outputs(self._evaluate(point)).reshape(-1) for point in (up, down))
        shift = self._claim * ((up - down) / 2)  # the points that were really evaluated
        claimed = float(np.sum(shift))
        size = float(root_sum_squares(shift.reshape(1, -1))[0])
        with np.errstate(invalid="ignore"):
            rise = np.where(self._dead, 0.0, (above - below) / 2)
            bend = np.where(self._dead, 0.0, (above - self._y0) + (below - self._y0))
        reached: Mask = (above != self._y0) | (below != self._y0)
        return rise, claimed, size, bend, reached & ~self._dead

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
