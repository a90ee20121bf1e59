"""In which precision a layer computes, and its inputs as numbers of that precision."""

from __future__ import annotations

import numpy as np

from gradcheck.numeric.precision import DOUBLE, HALF, SINGLE, Precision, detect_precision, round_to_grid
from gradcheck.trial.calls import is_float
from gradcheck.trial.subject import Subject, to_float64


def precision_of(unit: float) -> Precision:
    """Return the precision that a unit round-off (the distance from 1 to the next number) belongs to."""
    return next((kind for kind in (DOUBLE, SINGLE) if unit <= kind.eps), HALF)


def settle_precision(subject: Subject) -> None:
    """Find the precision that the layer computes in, and move its inputs to that grid."""
    name = next((name for name in subject.wrt if np.size(subject.given[name])), None)
    if name is None or not any(part.size for part in subject.outputs):
        return
    x = np.asarray(subject.moved[name], dtype=np.float64)
    function = subject.function(name)
    precision = detect_precision(function, x, function(x.copy()), subject.rng)
    if precision.eps > 2.0**-50:
        # outputs of saturated inputs hardly move, as if the layer read its input coarsely: look where they do
        tame = x / max(1.0, float(np.max(np.abs(x[np.isfinite(x)]), initial=0.0)))
        tame = tame * (1.0 + 0.1 * subject.rng.uniform(-1.0, 1.0, x.shape))
        there = function(tame.copy())
        if np.all(np.isfinite(there)):
            precision = min(precision, detect_precision(function, tame, there, subject.rng), key=lambda p: p.eps)
    subject.precision = precision.eps
    if precision.eps > 2.0**-50:
        for key in subject.wrt:
            if is_float(subject.given[key]):
                rounded = round_to_grid(np.asarray(subject.given[key], dtype=np.float64), precision)
                subject.given[key] = rounded.astype(subject.given[key].dtype)
        subject.moved = to_float64(subject.given, subject.wrt)
        subject.outputs = subject.caller.forward(subject.moved)
