"""What a bug would make a backward return, and how well that explains what one did return."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from gradcheck.model import Plain

if TYPE_CHECKING:
    from gradcheck.rules.quantities import Situation
    from gradcheck.rules.truth import Floats
    from gradcheck.rules.view import View


@dataclass
class Prediction:
    """What one bug would make of the gradient with respect to one input.

    Attributes
    ----------
    jacobian
        ``(M, N)``: row i is what would be returned for the i-th unit upstream.
    gradient
        Flat: what would be returned for the upstream of the case, where there is no such matrix.
    offset
        Flat: what would be returned for an upstream of zeros; zeros by default.
    respond
        For bugs that are not linear in the upstream: from a flat upstream to the flat gradient.
    explained
        For bugs that are recognised rather than predicted: how far off the recognised pattern is (relative).
    message, remedy
        In terms of this case, one sentence each.
    free
        Numbers that were fitted to the backward: each must be paid for with entries.
    rank
        Added to the rule's rank.
    evidence
        Facts to be printed with the name.
    law
        Where the prediction is the truth times a number: that number in another situation.
    usual
        Whether it is a plain form of the bug, which the audit asks a case about.
    """

    message: str
    remedy: str
    jacobian: Floats | None = None
    gradient: Floats | None = None
    offset: Floats | None = None
    respond: Callable[[Floats], Floats] | None = None
    explained: float | None = None
    free: int = 0
    rank: int = 0
    evidence: dict[str, Plain] = field(default_factory=dict)
    law: Callable[[Situation], float] | None = None
    usual: bool = False

    def at(self, g: Floats) -> Floats | None:
        """Return the predicted flat gradient for an upstream."""
        if self.respond is not None:
            return self.respond(g)
        if self.jacobian is not None:
            value: Floats = self.jacobian.T @ g
            return value if self.offset is None else value + self.offset
        return self.gradient


def distance(first: Floats, second: Floats) -> float:
    """Relative distance of two arrays: the norm of the difference over the larger norm; 0 for two zeros."""
    if first.shape != second.shape:
        return float("inf")
    largest = max(np.abs(first).max(initial=0.0), np.abs(second).max(initial=0.0))
    if not np.isfinite(largest):
        return float("inf")
    if largest == 0.0:
        return 0.0
    scale = max(float(np.linalg.norm(first / largest)), float(np.linalg.norm(second / largest)))
    return float(np.linalg.norm(first / largest - second / largest)) / scale


def residual(view: View, prediction: Prediction) -> float:
    """How far the backward is from a prediction, relative: the worst over the implied Jacobian and the gradient."""
    if prediction.explained is not None:
        return prediction.explained
    if prediction.respond is not None:
        return _response(view, prediction.respond)
    parts: list[float] = []
    expected = prediction.at(view.g)
    if view.a is not None and expected is not None:
        parts.append(distance(view.a, expected))
        if parts[0] > 10.0 * view.tolerance:
            return parts[0]  # far off already: the whole Jacobian need not be looked at
    if prediction.jacobian is not None and view.A is not None:
        offset = np.zeros(view.N) if prediction.offset is None else prediction.offset
        parts.append(distance(np.vstack([view.A, view.offset]), np.vstack([prediction.jacobian, offset])))
    return max(parts, default=float("inf"))


def _response(view: View, respond: Callable[[Floats], Floats]) -> float:
    """Compare a response that need not be linear at several upstreams: multiples of the case's, and others."""
    worst = 0.0
    known = 0
    for g in view.upstreams():
        seen = view.respond(g)
        if seen is not None:
            known += 1
            worst = max(worst, distance(seen, respond(g)))
    return worst if known else float("inf")
