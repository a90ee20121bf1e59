"""What is said of one entry, given a claim, a measured value and its bound."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gradcheck.model import Status
from gradcheck.numeric.evaluate import Array, Mask, root_mean_square
from gradcheck.numeric.precision import Precision

# the numbers in status arrays are positions in this table
STATUSES = (Status.PASS, Status.FLOOR, Status.KINK, Status.UNDECIDED, Status.FAIL, Status.NONFINITE)
PASS, FLOOR, KINK, UNDECIDED, FAIL, NONFINITE = range(len(STATUSES))

Codes = NDArray[np.uint8]


@dataclass(eq=False, slots=True)
class Criteria:
    """The scales of a judgement.

    Attributes
    ----------
    tau
        Relative difference that nobody cares about.
    floor
        Absolute difference that nobody cares about: a billionth of the gradient's scale.
    resolved
        An entry passes when what would be accepted is at most this times the entry.
    negligible
        An entry too small for that still agrees when what would be accepted is at most this.
    scale
        G, the root mean square of the gradient.
    asked
        Whether a person asked for the tolerances.
    """

    tau: float
    floor: float
    resolved: float
    negligible: float
    scale: float
    asked: bool = False

    def allowance(self, claim: Array, value: Array, bound: Array) -> Array:
        """Largest difference between claim and value that is no evidence of anything."""
        size = np.maximum(np.abs(claim), np.abs(value))
        return bound + self.tau * np.where(np.isfinite(size), size, 0.0) + self.floor

    def needed(self, claim: Array) -> Array:
        """Largest bound with which a right claim is decided, but for the differences that nobody cares about."""
        needed: Array = np.maximum(self.negligible, self.resolved * np.abs(claim))
        return needed

    def surplus(self, claim: Array, value: Array, bound: Array) -> Array:
        """Difference as a multiple of the allowance; infinite where there is no difference to speak of.

        A tolerance that was asked for is no doubt about the measurement: what is beyond it is a multiple of the bound.
        """
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            apart, allowed = np.abs(claim - value), self.allowance(claim, value, bound)
            ratio = apart / allowed
            if self.asked:
                ratio = np.where(apart > allowed, np.maximum(ratio, 1 + (apart - allowed) / bound), ratio)
        return np.where(np.isnan(ratio), np.inf, ratio)

    def classify(self, claim: Array, value: Array, bound: Array, still: Mask) -> Codes:
        """Status of every entry; FAIL means suspect until it has been cross-examined.

        Parameters
        ----------
        claim, value, bound
            Arrays of one shape.
        still
            Where no output changed by a single bit: there a claim of exactly 0 needs no scale.
        """
        with np.errstate(invalid="ignore", over="ignore"):
            allowed = self.allowance(claim, value, bound)
            apart = np.abs(claim - value)
            size = np.maximum(np.abs(claim), np.abs(value))
            codes = np.full(np.shape(value), UNDECIDED, dtype=np.uint8)
            codes[allowed <= self.negligible] = FLOOR
            codes[allowed <= self.resolved * size] = PASS
            codes[still & (claim == 0)] = FLOOR
            codes[apart > allowed] = FAIL
            # a claim that is no number is wrong wherever the derivative is known to be one
            known = np.isfinite(value) & ((bound <= self.resolved * np.abs(value)) | (bound <= self.negligible) | still)
            codes[~np.isfinite(claim)] = UNDECIDED
            codes[~np.isfinite(claim) & known] = FAIL
            codes[~np.isfinite(value)] = NONFINITE
        return codes


def make_criteria(claim: Array, value: Array, precision: Precision, rtol: float | None, atol: float | None) -> Criteria:
    """Scales from the claim and a first measurement of all entries.

    The smaller of the two root mean squares counts, so that a claim blown up by a bug cannot make the rest of itself
    negligible; unless it is zero.
    """
    both = np.isfinite(claim) & np.isfinite(value)
    claimed, measured = root_mean_square(claim[both]), root_mean_square(value[both])
    if not both.any():
        measured = root_mean_square(value)
    scale = min(claimed, measured) or max(claimed, measured)
    double = precision.name == "float64"
    tau = max(1e-7, 32 * precision.eps) if rtol is None else rtol
    floor = max(64 * precision.eps, 2.0**-30) * scale if atol is None else max(atol, 0.0)
    return Criteria(
        tau=tau,
        floor=floor,
        resolved=max(5e-3 if double else 5e-2, 4 * tau),
        # in float64 an error of 1 % in an entry of a thousandth of the scale must not hide below the floor
        negligible=max((5e-6 if double else 1e-3) * scale, 4 * floor),
        scale=scale,
    )
