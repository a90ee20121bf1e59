"""What was measured with the inputs of a colour moved at once, put to the test before anybody believes it.

A pattern of which output sees which input was found at some distance from the point, and may have missed something. An
output that changes although none of the moved inputs should reach it shows at once, where the slopes are measured. One
that is reached by another input of the same colour lends it its change. That shows here: in no direction but those
that were measured do such derivatives add up to what the outputs do. Last, an entry that is called wrong has to do
alone what it did in company, bit for bit.
"""

from __future__ import annotations

import numpy as np

from gradcheck.numeric.evaluate import Array, Evaluator, Function, Indices, as_evaluator
from gradcheck.numeric.examination import Examination
from gradcheck.numeric.judge import FAIL
from gradcheck.numeric.layout import NotLocalError
from gradcheck.numeric.survey import moves_alone

_DIRECTIONS = 2
_DEVIATIONS = 8.0  # of the noise: all outputs are looked at, and it costs many calls to mistrust what is right
_MARGIN = 2.0  # times what truncation, kinks and the entries' own bounds explain
_ALONE = 6  # entries that are called wrong and moved alone


def verify(
    function: Function | Evaluator,
    result: Examination,
    claim: Array,
    rng: np.random.Generator,
) -> None:
    """Test an examination that was made in colours: four evaluations a direction, and four a wrong entry, at most 24.

    Parameters
    ----------
    function
        As examined.
    result
        An examination with a coloured layout that kept the Jacobian.
    claim
        As examined.
    rng
        Generator of the directions.

    Raises
    ------
    NotLocalError
        If the layout has missed something.
    """
    evaluate = as_evaluator(function)
    for _ in range(_DIRECTIONS):
        if not _adds_up(evaluate, result, rng):
            raise NotLocalError
    wrong = np.flatnonzero(result.status == FAIL) if result.status is not None else np.zeros(0, dtype=np.intp)
    for entry in _worst(result, claim, wrong):
        if not all(moves_alone(evaluate, result.survey, int(entry), 0, sign) for sign in (1.0, -1.0)):
            raise NotLocalError


def _adds_up(evaluate: Evaluator, result: Examination, rng: np.random.Generator) -> bool:
    """Whether every output rises along a random direction as the derivatives say."""
    around = result.survey
    layout, x, home = around.layout, around.x, around.home
    steps = layout.scatter_inputs(around.steps, x.shape)
    move = steps * rng.choice([-1.0, 1.0], x.shape) * rng.uniform(1.0, 2.0, x.shape)
    points = (x + share * move for share in (1.0, -1.0, 2.0, -2.0))
    up, down, far_up, far_down = (value.copy() for value in evaluate.many(points))
    shift = layout.gather_inputs(((x + move) - (x - move)) / 2)[:, 0]
    blocks, bounds = result.blocks, result.block_bounds
    assert blocks is not None
    assert bounds is not None

    def per_output(values: Array) -> Array:
        """Sum what the inputs of each output add to it."""
        summed: Array = np.zeros(home.size + 1)
        np.add.at(summed, layout.outputs, values)
        return summed[:-1]

    with np.errstate(invalid="ignore", over="ignore"):
        predicted = per_output(blocks[:, :, 0] * shift[:, None])
        allowed = per_output(bounds[:, :, 0] * np.abs(shift)[:, None])
        noise = np.zeros(home.size + 1)
        np.maximum.at(noise, layout.outputs, around.sigma)
        near, far = (up - down) / 2, (far_up - far_down) / 4
        fourth = np.abs((far_up - home) + (far_down - home) - 4 * ((up - home) + (down - home)))
        allowed += np.abs(near - far) + fourth
        apart = np.abs((4 * near - far) / 3 - predicted)
        # what is no number on the way says nothing of the pattern
        off = apart > _MARGIN * allowed + _DEVIATIONS * noise[:-1]
    return not bool(off.any())


def _worst(result: Examination, claim: Array, wrong: Indices) -> Indices:
    """Some of the wrong entries: those that are most wrong, and some from all over."""
    if not wrong.size:
        return wrong
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        excess = np.abs(claim.reshape(-1) - result.value.reshape(-1)) / result.allowance.reshape(-1)
    order = wrong[np.argsort(-np.nan_to_num(excess[wrong], nan=np.inf), kind="stable")]
    spread = wrong[:: max(1, wrong.size // (_ALONE // 2))]
    return np.unique(np.concatenate([order[: _ALONE // 2], spread[: _ALONE // 2]]))
