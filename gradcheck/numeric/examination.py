"""What an examination found out, entry by entry."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gradcheck.numeric.evaluate import Array, Mask
from gradcheck.numeric.judge import Codes
from gradcheck.numeric.look import Blocks
from gradcheck.numeric.survey import Survey


@dataclass(eq=False, slots=True)
class Examination:
    """What was found about every entry; arrays have the shape of x.

    Attributes
    ----------
    value, bound
        Measured derivative of the weighted outputs and how far it may be from the true one; nan and inf where it
        was not measured.
    status
        Positions in :data:`gradcheck.numeric.judge.STATUSES`; None where no claim was given.
    allowance
        Largest difference from the claim that would be accepted.
    scale, tau
        Root mean square of the gradient; relative difference that nobody cares about.
    lower, upper
        Range of the one-sided derivatives where a kink decided; nan elsewhere.
    examined
        Entries that were measured at all.
    suspected
        Entries that disagreed with a measurement, but not with enough of them to be called wrong: undecided, and a
        reason not to pass however small they are.
    vacuous
        Whether claim and measurement are both zero within what would be accepted, everywhere.
    kept
        Derivatives of every output, where they were to be kept.
    escalated
        Columns that needed more than two evaluations.
    evaluations
        Forward calls spent, without those of the survey.
    """

    value: Array
    bound: Array
    status: Codes | None
    allowance: Array
    scale: float
    tau: float
    lower: Array
    upper: Array
    examined: Mask
    suspected: Mask
    vacuous: bool
    kept: Blocks | None
    escalated: int
    evaluations: int
    survey: Survey

    @property
    def blocks(self) -> Array | None:
        """(S, m, n) derivatives of every output with respect to the inputs of its slice; None if they were not kept."""
        return None if self.kept is None else np.transpose(self.kept.value, (1, 2, 0))

    @property
    def block_bounds(self) -> Array | None:
        """(S, m, n) bounds of :attr:`blocks`."""
        return None if self.kept is None else np.transpose(self.kept.bound(self.survey), (1, 2, 0))

    @property
    def jacobian(self) -> Array | None:
        """(M, N) derivatives of every output, zero across slices; None if they were not kept."""
        blocks = self.blocks
        return None if blocks is None else spread_blocks(blocks, self.survey)

    @property
    def jacobian_bound(self) -> Array | None:
        """(M, N) bounds of :attr:`jacobian`."""
        bounds = self.block_bounds
        return None if bounds is None else spread_blocks(bounds, self.survey)


def spread_blocks(blocks: Array, survey: Survey) -> Array:
    """Dense (M, N) matrix of (S, m, n) blocks."""
    layout = survey.layout
    dense = np.zeros((survey.home.size + 1, layout.inputs.size))  # the last row takes what stands for no output
    dense[layout.outputs[:, :, None], layout.inputs[:, None, :]] = blocks
    return dense[:-1]
