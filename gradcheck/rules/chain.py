"""Chain and product rule: a factor or a term that got lost on the way."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gradcheck.rules.factors import plain
from gradcheck.rules.inner import one_off, rebuilt
from gradcheck.rules.paths import Split, splits
from gradcheck.rules.predictions import Prediction, distance
from gradcheck.rules.ratios import one_output
from gradcheck.rules.registry import rule
from gradcheck.rules.terms import modulated
from gradcheck.rules.truth import Floats
from gradcheck.rules.view import View


@rule("product-rule-term-missing", "chain", 17)
def product_rule(view: View) -> Iterator[Prediction]:
    """Only one term of the product rule is there.

    How it comes about: u v is differentiated as u' v, the other factor being taken for a number.

    Formula: a = (u' v) g where the truth is (u' v + u v') g.

    Hidden when: the lost term vanishes: at x = 0, or where the other factor is saturated.

    Mended: (u v)' = u' v + u v'.

    Wrong::

        return g * sigmoid(x)                                   # forward: x * sigmoid(x)

    Right::

        return g * (sigmoid(x) + x * sigmoid(x) * (1 - sigmoid(x)))
    """
    for split in splits(view):
        if all(path.kind.endswith("product") for path in split.paths):
            for kept, lost in (split.paths, split.paths[::-1]):
                yield Prediction(
                    f"one term of the product rule is missing: {lost.label}",
                    "(u v)' = u' v + u v'",
                    jacobian=kept.matrix,
                    rank=-2 if lost.kind == "known product" else 0,
                    usual=True,
                )


@rule("factor-treated-as-constant", "chain", 16)
def factor_constant(view: View) -> Iterator[Prediction]:
    """A factor that depends on x is treated as a constant.

    How it comes about: a modulating factor, a weight or a denominator is detached, on purpose or by habit.

    Formula: a = J_1^T g with J = J_1 + J_2, the second part dropped.

    Hidden when: the factor does not vary: an exponent of 0, saturation.

    Mended: differentiate the factor as well, or say that it is detached and leave it out of the check.

    Wrong::

        return g * (1 - pt) ** gamma * d_log_pt                 # forward: (1 - pt) ** gamma * log(pt)

    Right::

        return g * ((1 - pt) ** gamma * d_log_pt - gamma * (1 - pt) ** (gamma - 1) * log(pt) * dpt)
    """
    remedy = "differentiate that factor as well"
    for option, matrix in modulated(view):
        if _switched(view, matrix):
            continue
        yield Prediction(f"the factor with {option} was treated as a constant", remedy, jacobian=matrix, usual=True)
        yield Prediction(
            f"only the derivative of the factor with {option} was returned", remedy, jacobian=view.J - matrix, rank=2
        )
    for split in splits(view):
        without = split.without("sum")
        if without is not None:
            yield Prediction("the sum over the slice was treated as a constant", remedy, jacobian=without)
    if view.A is None or view.elementwise or view.offset.any() or view.M < 2:
        return
    x = view.x.ravel()
    seen = view.A @ x
    if distance(seen, view.y) < view.tolerance < 1e-2 * distance(view.J @ x, view.y):
        yield Prediction(
            f"the weights that {view.name} is multiplied with were treated as constants, though they depend on it",
            remedy,
            explained=distance(seen, view.y),
            rank=30,
            evidence={"checked": "A x = y"},
        )


def _switched(view: View, matrix: Floats) -> bool:
    """Whether a part of the Jacobian is whole columns of it, and the rest nothing: a branch, and no factor."""
    part = np.abs(matrix).max(axis=0, initial=0.0) > 100 * view.zero
    same = np.abs(matrix - view.J).max(axis=0, initial=0.0) <= 100 * view.zero
    return bool(view.account is not None and np.all(same | ~part) and np.any(same & part))


@rule("additive-constant-offset", "chain", 19)
def additive_constant(view: View) -> Iterator[Prediction]:
    """A constant is missing from (or added to) every entry.

    How it comes about: the derivative of p log p is written as log p, without the + 1.

    Formula: a = J^T g + c 1.

    Hidden when: what comes before removes constants, as the backward of softmax does; or the upstream is zero.

    Mended: (p log p)' = log p + 1.

    Wrong::

        return g * (np.log(p) - np.log(q))                      # forward: sum p log(p / q)

    Right::

        return g * (np.log(p) - np.log(q) + 1)
    """
    remedy = "add the constant: the derivative of p log p is log p + 1"
    if view.A is None or view.N < 3:
        return
    rest = view.A - view.J
    linked = np.abs(view.J) > view.zero
    if not view.offset.any() and np.all(linked.sum(axis=0) <= 1):
        own = rest.sum(axis=0)
        middle = float(np.median(own))
        alive = view.J.sum(axis=0)[linked.any(axis=0)]
        if alive.size and np.ptp(alive) <= 100 * view.zero:
            return  # a constant Jacobian that is off by a constant is scaled
        matrix = view.J + np.where(view.J == view.J, middle, 0.0) * (np.ones_like(linked) if view.M == 1 else linked)
        if abs(middle) > 100 * view.zero:
            yield Prediction(
                f"every entry is off by the same number, {middle:.6g} times the upstream",
                remedy,
                jacobian=matrix,
                free=1,
                rank=0 if view.M == 1 else 12,
                evidence={"constant": middle},
            )
    elif view.offset.any() and np.ptp(view.offset) <= 1e-9 * np.abs(view.offset).max():
        yield Prediction(
            f"{view.offset[0]:.6g} is added to every entry, whatever the upstream is",
            "an upstream of zeros must give a gradient of zeros: take the constant out",
            jacobian=view.J,
            offset=view.offset,
            free=1,
        )


@rule("additive-term-wrong-scale", "chain", 13)
def additive_term(view: View) -> Iterator[Prediction]:
    """One summand of a loss has the wrong factor in the gradient, or none: mostly the penalty on the weights.

    How it comes about: the penalty is reg * sum(W^2), its gradient is written as reg * W.

    Formula: a = J^T g + k W, with k a multiple of the penalty's weight.

    Hidden when: the weight of the penalty is zero or tiny, or W = 0.

    Mended: d/dW reg W^2 = 2 reg W; multiply it with the upstream as well.

    Wrong::

        return X.T @ r / n + reg * W

    Right::

        return X.T @ r / n + 2 * reg * W
    """
    remedy = "scale every summand of the gradient as the forward does"
    for split in splits(view):
        for path in split.paths:
            if path.kind == "penalty":
                for share in (0.5, 0.0, 2.0):
                    yield Prediction(
                        f"{path.label} was kept {share:g} times",
                        remedy,
                        jacobian=view.J + (share - 1.0) * path.matrix,
                        usual=share == 0.5,
                    )
        yield from _other_penalty(view, split, remedy)
        off = one_off(split, 10 * view.slack)
        if off is not None and (off[0].kind == "penalty" or (off[0].kind == "option" and view.M == 1)):
            message = f"{off[0].label} is {plain(off[1])} times the true one"
            rank = 0 if off[0].kind == "penalty" else 6
            yield Prediction(message, remedy, jacobian=rebuilt(split), free=1, rank=rank, evidence={"share": off[1]})
    if view.A is None or view.N < 4:
        return
    for label, word in ((view.name, view.x.ravel()), (f"the signs of {view.name}", np.sign(view.x.ravel()))):
        size = float(word @ word)
        if size == 0 or np.ptp(word) == 0:
            continue
        if view.M == 1 and not view.offset.any():
            share = float((view.A - view.J)[0] @ word) / size
            yield Prediction(
                f"{share:.6g} times {label} is missing or too many",
                remedy,
                jacobian=view.J + share * word[None, :],
                free=1,
                rank=4,
                evidence={"share": share},
            )
        elif view.offset.any():
            share = float(view.offset @ word) / size
            yield Prediction(
                f"{share:.6g} times {label} is added, whatever the upstream is",
                "multiply every summand with the upstream",
                jacobian=view.J,
                offset=share * word,
                free=1,
                rank=4,
                evidence={"share": share},
            )


def _other_penalty(view: View, split: Split, remedy: str) -> Iterator[Prediction]:
    """The derivative of one penalty was written for another: w for sign(w), or the reverse."""
    x = view.x.ravel()
    for path in split.paths:
        if path.kind != "penalty" or not np.all(x):
            continue
        share = path.matrix[0] / x
        signs = np.ptp(share) > 1e-6 * np.abs(share).max()
        size = float(np.median(path.matrix[0] / (np.sign(x) if signs else x)))
        for factor in (1.0, 2.0) if signs else (1.0, 0.5):
            word = factor * size * (x if signs else np.sign(x))
            text = f"{path.label} was differentiated as if it were the {'squares' if signs else 'sizes'} of {view.name}"
            matrix = view.J - path.matrix + word
            yield Prediction(text, remedy, jacobian=matrix, rank=2)


@rule("factor-two-in-one-path", "chain", 15)
def factor_two_in_one_path(view: View) -> Iterator[Prediction]:
    """A factor of 2 or of one-half is missing in one of several paths.

    How it comes about: d (v + eps)^(-1/2) loses its one-half, or 2 (x - mean) its 2, in a backward that is written step
    by step.

    Formula: a = J^T g + c (path), with c = 1 or -1/2.

    Hidden when: the upstream does not take that path: orthogonal to xhat for the variance.

    Mended: write down the derivative of every step and check each on its own.

    Wrong::

        dvar = -(g * (x - mean)).sum(0) / std ** 3

    Right::

        dvar = -0.5 * (g * (x - mean)).sum(0) / std ** 3
    """
    for split in splits(view):
        for path in split.paths:
            if path.kind in ("identity", "rest", "penalty"):
                continue
            for share in (2.0, 0.5):
                yield Prediction(
                    f"{path.label} counts {plain(share)} times",
                    "look for a 2 or a one-half that was lost in one step",
                    jacobian=view.J + (share - 1.0) * path.matrix,
                    usual=share == 2.0 and path.kind == "variance",
                )
    part = one_output(view)
    if part is not None and min(abs(part[0] - 2.0), abs(part[0] - 0.5)) < 10 * view.slack:
        yield Prediction(
            f"what comes from output {', '.join(map(str, part[2]))} counts {plain(part[0])} times",
            "look for a 2 or a one-half that was lost on the way from that output",
            jacobian=part[1],
            evidence={"ratio": part[0]},
        )
