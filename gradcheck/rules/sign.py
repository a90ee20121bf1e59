"""Signs: of the whole gradient, or of one branch, one class or one term of it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gradcheck.rules.functions import ACTIVATIONS, evaluate, library
from gradcheck.rules.masks import wrong_columns
from gradcheck.rules.paths import splits
from gradcheck.rules.predictions import Prediction, distance
from gradcheck.rules.registry import rule
from gradcheck.rules.view import View


@rule("sign-error", "sign", 5)
def sign_error(view: View) -> Iterator[Prediction]:
    """The gradient of one input is negated.

    How it comes about: the minus of a loss, or of the second operand of a subtraction, is lost or written twice.

    Formula: a = -J^T g.

    Hidden when: only norms or absolute values are compared, or only the other operand is checked.

    Mended: follow the sign through the derivation.

    Wrong::

        def subtract_backward(g, a, b): return g, g

    Right::

        def subtract_backward(g, a, b): return g, -g
    """
    yield Prediction("the gradient has the opposite sign", "negate it", jacobian=-view.J, usual=True)


@rule("sign-error-in-one-branch", "sign", 13)
def sign_in_branch(view: View) -> Iterator[Prediction]:
    """The sign is wrong on one branch, one class or one term only.

    How it comes about: the derivative of (t - y)^k, or of |d|, is written for one sign of its argument.

    Formula: a = -t on a subset, or a = t - 2 (term).

    Hidden when: only the other branch is sampled; the exponent is even.

    Mended: carry the sign, np.sign(d), through the derivative.

    Wrong::

        np.where(t > 0, -1 / p, -1 / (1 - p))

    Right::

        np.where(t > 0, -1 / p, 1 / (1 - p))
    """
    remedy = "carry the sign through the branch (or the term) where it is lost"
    if view.A is not None and not view.offset.any() and np.all(np.isfinite(view.A)):
        turned = np.abs(view.A + view.J) < np.abs(view.A - view.J)
        live = np.abs(view.J) > 100 * view.zero
        bad = (turned & live).any(axis=0)
        if (turned & live).any() and not turned[live].all():
            whole = bool(np.all(turned[:, bad] | ~live[:, bad]))
            rows = (turned & live).any(axis=1)
            whole = whole or bool(np.all(turned[rows] | ~live[rows]))
            yield Prediction(
                f"the sign is wrong for {int((turned & live).sum())} of {int(live.sum())} entries of the Jacobian",
                remedy,
                jacobian=np.where(turned, -view.J, view.J),
                rank=0 if whole else 8,
                evidence={"entries": int(bad.sum())},
            )
    for split in splits(view):
        for path in split.paths:
            if path.kind not in ("identity", "rest", "sum", "projection"):
                yield Prediction(
                    f"{path.label} has the wrong sign", remedy, jacobian=view.J - 2.0 * path.matrix, rank=6
                )
                wrong = wrong_columns(view)
                if wrong is not None and 1 < wrong.sum() < view.N:
                    some = view.J - 2.0 * np.where(wrong[None, :], path.matrix, 0.0)
                    text = f"{path.label} has the wrong sign for {int(wrong.sum())} entries"
                    yield Prediction(text, remedy, jacobian=some, rank=7)
    yield from _term_below_zero(view, remedy)
    if view.account is None and view.M >= 1:
        low = view.J.sum(axis=0) < 0
        if low.any() or view.N:
            yield Prediction("wrong sign where negative", remedy, jacobian=np.where(low, -view.J, view.J), usual=True)


def _term_below_zero(view: View, remedy: str) -> Iterator[Prediction]:
    """One of several terms has the wrong sign wherever the input is negative (or positive): 1 / |x| for 1 / x."""
    bad = wrong_columns(view)
    if bad is None or view.A is None or view.offset.any() or not view.elementwise or bad.sum() < 3:
        return
    x, seen = view.x.ravel(), np.diag(view.A)
    if np.any(view.A - np.diag(seen)) or not (np.array_equal(bad, x < 0) or np.array_equal(bad, x > 0)):
        return
    term = 0.5 * (view.diagonal - seen)[bad]
    for function in (*library(view.truth.options), *ACTIVATIONS):
        slope = evaluate(function.df, x[bad])
        if slope is not None and np.ptp(slope) > 1e-3 * np.abs(slope).max():
            for share in (1.0, -1.0):
                if distance(term, share * slope) < max(1e-7, view.slack):
                    side = "negative" if x[bad][0] < 0 else "positive"
                    text = f"the derivative of {function.label} has the wrong sign where {view.name} is {side}"
                    yield Prediction(text, remedy, explained=0.0, rank=4, evidence={"entries": int(bad.sum())})
                    return
