"""Entries at kinks, taken together: a subgradient must fit along every direction, not only along each axis.

Pick-one and even-split conventions at a tie are both right, and both give the tied entries together the derivative
that the function has when they move together. A mask that marks every tied entry gives too much.
"""

from __future__ import annotations

import numpy as np

from gradcheck.numeric.evaluate import Mask
from gradcheck.trial.calls import Floats
from gradcheck.trial.subject import Subject

MOST_KINKS = 64


def find_inconsistent(subject: Subject, name: str, kinks: Mask) -> Mask:
    """Return which of the entries at kinks belong to a group whose gradient no subgradient can have.

    For a group moved together, output i has the one-sided derivatives F_i and B_i; whatever subgradient the
    backward chose for each output, ``<a, d>`` lies between ``sum_i min(g_i F_i, g_i B_i)`` and the sum of the maxima.

    Parameters
    ----------
    kinks
        Mask of the entries found to lie at a kink, of the input's shape.
    """
    bad = np.zeros(kinks.shape, dtype=bool)
    if kinks.sum() < 2 or kinks.sum() > MOST_KINKS:
        return bad
    function = subject.function(name)
    x = np.asarray(subject.moved[name], dtype=np.float64)
    y = function(x.copy())
    weights = subject.weights
    gradient = subject.gradients[name]
    step = float(np.finfo(np.float64).eps ** 0.5 if subject.precision < 1e-12 else 2.0**-8)
    step *= max(1.0, float(np.max(np.abs(x[kinks]), initial=0.0)))
    noise = 64 * subject.precision * float(np.sum(np.abs(weights * y))) / step

    def sides(mask: Mask) -> tuple[Floats, Floats]:
        up, down = x.copy(), x.copy()
        up[mask] += step
        down[mask] -= step
        return (function(up) - y) / step, (y - function(down)) / step

    touched: list[tuple[tuple[int, ...], Mask]] = []
    for at in zip(*np.nonzero(kinks), strict=True):
        one = np.zeros(kinks.shape, dtype=bool)
        one[at] = True
        forward, backward = sides(one)
        jump = np.abs(forward - backward)
        touched.append((tuple(int(i) for i in at), jump > 1e-3 * max(float(np.max(jump, initial=0.0)), 1e-300)))
    for group in _connected(touched):
        if len(group) < 2:
            continue
        mask = np.zeros(kinks.shape, dtype=bool)
        for at in group:
            mask[at] = True
        forward, backward = sides(mask)
        low = float(np.sum(np.minimum(weights * forward, weights * backward)))
        high = float(np.sum(np.maximum(weights * forward, weights * backward)))
        got = float(np.sum(gradient[mask]))
        slack = noise + 1e-4 * (abs(low) + abs(high) + float(np.sum(np.abs(gradient[mask]))))
        if not low - slack <= got <= high + slack:
            bad |= mask
    return bad


def _connected(
    touched: list[tuple[tuple[int, ...], Mask]],
) -> list[list[tuple[int, ...]]]:
    """Group entries that have an output with a kink in common."""
    groups: list[tuple[list[tuple[int, ...]], Mask]] = []
    for at, outputs in touched:
        members, union = [at], outputs
        rest = []
        for group in groups:
            if np.any(group[1] & union):
                members, union = group[0] + members, group[1] | union
            else:
                rest.append(group)
        groups = [*rest, (members, union)]
    return [members for members, _ in groups]
