"""Inner derivatives that got lost."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gradcheck.rules.factors import named, plain
from gradcheck.rules.fields import columns, match
from gradcheck.rules.paths import Path, Split, splits
from gradcheck.rules.predictions import Prediction, distance
from gradcheck.rules.ratios import by_column, by_row, slack_by_column
from gradcheck.rules.registry import rule
from gradcheck.rules.scale import scaled
from gradcheck.rules.terms import compositions
from gradcheck.rules.truth import Floats
from gradcheck.rules.view import View


def one_off(split: Split, slack: float) -> tuple[Path, float] | None:
    """Return the only path of a split of which not all was kept, and how much of it was."""
    if split.kept is None:
        return None
    off = [(path, share) for path, share in zip(split.paths, split.kept, strict=True) if abs(share - 1.0) > slack]
    return off[0] if len(off) == 1 and len(split.paths) > 1 else None


def rebuilt(split: Split) -> Floats:
    """Return the Jacobian with what was kept of every path."""
    shares = split.kept or (1.0,) * len(split.paths)
    total: Floats = np.zeros_like(split.paths[0].matrix)
    for path, share in zip(split.paths, shares, strict=True):
        total = total + share * path.matrix
    return total


@rule("missing-inner-factor", "chain", 11)
def missing_inner_factor(view: View) -> Iterator[Prediction]:
    """An inner derivative is dropped: 1/T, alpha, beta, 1/sqrt(d), 1/(1 - p).

    How it comes about: the layer was written and tested with the parameter at its neutral value.

    Formula: a = c J^T g with c = T, alpha, sqrt(d), 1 - p ...; or some terms or branches only are scaled.

    Hidden when: the option has its neutral value (T = 1, alpha = 1, p = 0, d = 1).

    Mended: differentiate what is inside as well; test with no option at its neutral value.

    Wrong::

        return p * (g - (p * g).sum(-1, keepdims=True))       # forward: softmax(x / T)

    Right::

        return p * (g - (p * g).sum(-1, keepdims=True)) / T
    """
    yield from _neutral(view)
    ranks = {"option": 0, "root": 1, "constant": 6, "window": 4}
    for factor, prediction in scaled(view, *ranks):
        prediction.rank = ranks[factor.kind]
        prediction.remedy = f"multiply by the inner derivative: {factor.label} got lost (or its inverse is too many)"
        yield prediction
    yield from _partly_scaled(view)
    yield from _branch_scaled(view)
    for outer, inner, _, slope, inner_slope in compositions(view):
        yield Prediction(
            f"the derivative of {outer.label} at {inner.label} was taken, without the derivative of {inner.label}",
            f"multiply by the derivative of {inner.label}",
            jacobian=np.diag(slope),
            # a derivative that is 1 or -1 is a sign, and a sign that is wrong has a name of its own
            rank=2 if np.ptp(np.abs(inner_slope)) else 5,
        )
    for found in match(_ratio(view, by_column(view)), columns(view), slack=slack_by_column(view)):
        # a square is a denominator that was multiplied with instead of divided by
        whole = abs(found.power) != 2.0
        if whole and found.field.kind == "weight" and abs(abs(found.constant) - 1.0) < 10 * view.slack:
            yield Prediction(
                f"the ratio to the truth is {found.field.label} to the power {found.power:g}, entry by entry",
                f"multiply by {found.field.label} as the chain rule says",
                explained=columnwise(view),
                rank=6,
            )
    yield from _of_outputs(view)


def _of_outputs(view: View) -> Iterator[Prediction]:
    """What comes from every output is off by a power of that output: the derivative of a root, an exponential, a mean.

    The last step y = u(s) has the derivative u'(s), which is a power of y or a multiple of one, and it was left out.
    """
    ratio = None if view.alike or view.M < 3 else by_row(view)
    if ratio is None or np.any(view.y == 0) or np.ptp(np.abs(view.y)) < 1e-2 * np.abs(view.y).max():
        return
    for power in (1.0, -1.0, 2.0, -2.0):
        for share in (1.0, 2.0, 0.5):
            text = f"{plain(share)} times " if share != 1.0 else ""
            words = f"the ratio to the truth is {text}the output to the power {power:g}, output by output"
            remedy = "multiply by the derivative of the last step, which is made of the output"
            yield Prediction(words, remedy, jacobian=view.J * (share * view.y**power)[:, None], rank=8)


def _ratio(view: View, ratio: Floats | None) -> Floats:
    return np.full(view.N, np.nan) if ratio is None else ratio


def columnwise(view: View) -> float:
    """Return how well A = J diag(c) holds for the ratios found."""
    ratio = by_column(view)
    if ratio is None or view.A is None:
        return float("inf")
    return distance(view.A, view.J * np.where(np.isfinite(ratio), ratio, 0.0))


def _partly_scaled(view: View) -> Iterator[Prediction]:
    """One path of several was scaled by an option."""
    for split in splits(view):
        off = one_off(split, 10 * view.slack)
        if off is None or off[0].kind in ("identity", "rest", "penalty") or abs(off[1]) < 10 * view.slack:
            continue
        for factor in named(view, off[1]):
            if factor.kind in ("option", "root"):
                yield Prediction(
                    f"{off[0].label} is {plain(off[1])} times the true one, and that is {factor.label}",
                    f"{factor.label} got lost (or its inverse is too many) in one of the terms",
                    jacobian=rebuilt(split),
                    free=1,
                    rank=5,
                )
                break


def _branch_scaled(view: View) -> Iterator[Prediction]:
    """Some entries are off by a factor, or by a constant, that is an option; the others are right."""
    ratios = by_column(view)
    single = np.all((np.abs(view.J) > view.zero).sum(axis=0) <= 1)
    if view.A is None or ratios is None or not single:
        return
    seen, true = view.A.sum(axis=0), view.J.sum(axis=0)
    bad = np.abs(seen - true) > 10 * view.B.sum(axis=0) + view.slack * np.abs(true).max(initial=0.0)
    if bad.sum() < 2:
        return
    ratio = _shared(seen[bad] / np.where(true[bad] == 0, np.nan, true[bad]), 2 * view.slack)
    shift = _shared(seen[bad] - true[bad], 2 * view.slack)
    if ratio is not None and abs(ratio) > view.slack and not bad.all():
        for factor in named(view, ratio):
            if factor.kind == "option":
                yield Prediction(
                    f"{int(bad.sum())} of {view.N} entries are {plain(ratio)} times the true ones: {factor.label}",
                    f"{factor.label} is missing (or too many) in one branch",
                    jacobian=np.where(bad[None, :], ratio * view.J, view.J),
                    free=1,
                    rank=3,
                )
                break
    if shift is not None:
        for option, value in view.truth.options.items():
            if isinstance(value, float) and any(
                abs(shift - s) < view.slack * max(1.0, abs(s)) for s in (1 - value, value - 1, value, -value)
            ):
                yield Prediction(
                    f"{int(bad.sum())} of {view.N} entries are off by {shift:.6g}: {option} is missing there",
                    f"put {option} into the derivative of that branch",
                    jacobian=view.J + np.where(bad[None, :] & (view.J != 0), shift, 0.0)
                    if not view.elementwise
                    else np.diag(np.where(bad, true + shift, true)),
                    free=1,
                    rank=3 if not bad.all() else 8,
                )
                break


def _shared(values: Floats, slack: float) -> float | None:
    """Return the number that all values are, or ``None``."""
    if not np.all(np.isfinite(values)):
        return None
    middle = float(np.median(values))
    return middle if np.all(np.abs(values - middle) <= slack * max(abs(middle), 1e-3)) else None


def _rooted(view: View) -> Iterator[float]:
    """Yield the roots of lengths that the forward scales by: zeros added along an axis change nothing else."""
    shapes = {name: np.shape(value) for name, value in view.truth.inputs.items()}
    for axis in range(view.x.ndim):
        back = axis - view.x.ndim
        length = view.x.shape[axis]
        group = [name for name, shape in shapes.items() if len(shape) >= -back and shape[back] == length]
        for names in ({view.name, *group}, *({view.name, other} for other in group if other != view.name)):
            wide = {}
            for name in names:
                shape = shapes[name]
                more = [(0, 3 * length if place == len(shape) + back else 0) for place in range(len(shape))]
                wide[name] = np.pad(np.asarray(view.truth.inputs[name]), more)
            outputs, halved = view.truth.forward(wide, {}), view.truth.forward({view.name: view.x / 2.0}, {})
            if outputs is None or halved is None or _same(outputs, view):
                continue
            if np.shape(outputs[0]) == np.shape(halved[0]) and np.allclose(
                outputs[0], halved[0], rtol=1e-9, atol=1e-12
            ):
                yield float(np.sqrt(length))
                return


def _neutral(view: View) -> Iterator[Prediction]:
    """Layers that scale their input or output by an option: the gradient without that scale."""
    if view.account is None:
        for root in _rooted(view):
            yield Prediction("the root of a length is missing", "", jacobian=root * view.J, usual=True)
        for option, value in view.truth.options.items():
            for neutral in (1.0, 0.0):
                if isinstance(value, float) and (value >= 0.01 or value == neutral):
                    matrix = view.measure(options={option: neutral})
                    if matrix is not None and matrix.shape == view.J.shape:
                        text = f"the backward takes {option} to be {'one' if neutral else 'zero'}"
                        yield Prediction(text, "", jacobian=matrix, usual=True)
        return
    for option, value in view.truth.options.items():
        if not isinstance(value, float) or value == 0.0:
            continue
        usual = view.account is None
        for scale, label in ((1.0 / value, "1/{}"), (value, "{}")):
            moved = view.truth.forward({view.name: view.x * scale}, {option: 1.0})
            if moved is not None and _same(moved, view):
                matrix = view.measure({view.name: view.x * scale}, {option: 1.0})
                if matrix is not None and matrix.shape == view.J.shape:
                    yield Prediction(
                        f"the inner derivative {label.format(option)} is missing",
                        f"multiply by {label.format(option)}",
                        jacobian=matrix,
                        usual=usual,
                    )


def _same(outputs: tuple[np.ndarray, ...], view: View) -> bool:
    y = np.concatenate([np.asarray(part, dtype=np.float64).ravel() for part in outputs])
    return y.shape == view.y.shape and bool(np.allclose(y, view.y, rtol=view.grain, atol=1e-12))
