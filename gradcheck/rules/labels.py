"""Labels: those that are to be ignored, and those that are smoothed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from gradcheck.rules.masks import Mask, dead, leaking
from gradcheck.rules.predictions import Prediction, distance
from gradcheck.rules.registry import rule
from gradcheck.rules.truth import Array, Floats
from gradcheck.rules.view import View


@rule("ignore-index-not-masked", "masks", 9)
def ignore_index(view: View) -> Iterator[Prediction]:
    """Rows whose label is to be ignored receive a gradient.

    How it comes about: the forward skips them, the backward computes softmax for all rows; the padding of an embedding
    is looked up like any other index.

    Formula: a_n is not zero where t_n is exactly zero.

    Hidden when: no label is ignored.

    Mended: set the rows of ignored labels to zero.

    Wrong::

        d = p.copy(); d[rows, y[rows]] -= 1; return g * d / keep.sum()

    Right::

        d[~keep] = 0
    """
    message = "rows whose label is to be ignored received a gradient"
    remedy = "set the gradient of those rows to 0"
    for name, value in view.truth.inputs.items():
        labels = np.asarray(value)
        if name == view.name or not labels.ndim or not _numbers(view, labels):
            continue
        number = _looked_up(view, labels)
        if number is not None:
            text = f"places where {name} is {number} are to be ignored, and received a gradient"
            yield Prediction(text, remedy, explained=0.0, evidence={"labels": name, "ignored": number})
        if labels.ndim >= view.x.ndim + 1:
            continue
        if labels.shape != view.x.shape[: labels.ndim]:
            continue
        ignored = _ignored(view, labels)
        if not ignored.any():
            continue
        rows = np.ravel(
            np.broadcast_to(ignored.reshape(ignored.shape + (1,) * (view.x.ndim - labels.ndim)), view.x.shape)
        )
        bad = leaking(view)
        if bad is not None and np.all(rows[bad]) and np.all(dead(view)[rows]):
            yield Prediction(message, remedy, explained=0.0, evidence={"rows": int(ignored.sum()), "labels": name})
        valid = labels[~ignored]
        filled = view.measure({name: np.where(ignored, valid.flat[0] if valid.size else 0, labels)})
        if filled is not None and filled.shape == view.J.shape:
            matrix = np.where(rows[None, :], filled, view.J)
            yield Prediction(message, remedy, jacobian=matrix, rank=1, usual=bool(np.all(dead(view)[rows])))


def _numbers(view: View, labels: Array) -> bool:
    """Whether labels are integers, or whole numbers some of which are negative and stand for nothing to be learnt."""
    if labels.dtype.kind in "iu":
        return True
    if labels.dtype.kind != "f" or labels.shape != view.x.shape or not np.all(labels == np.round(labels)):
        return False
    unknown = np.ravel(labels < 0)
    return bool(unknown.any() and np.array_equal(unknown, dead(view)))


def _looked_up(view: View, labels: Array) -> int | None:
    """Return the label whose outputs depend on nothing (a padding of an embedding), where those alone are wrong."""
    shape = np.shape(view.truth.outputs[0])
    if view.A is None or len(view.truth.outputs) != 1 or labels.shape != shape[: labels.ndim] or view.offset.any():
        return None
    given = {value for value in view.truth.options.values() if isinstance(value, int) and not isinstance(value, bool)}
    for number in sorted({0, -1} | given):
        spread = (labels == number).reshape(labels.shape + (1,) * (len(shape) - labels.ndim))
        rows = np.ravel(np.broadcast_to(spread, shape))
        still = np.abs(view.J).max(axis=1, initial=0.0) <= view.zero
        if not rows.any() or rows.all() or not np.array_equal(rows, still):
            continue
        rest = distance(view.A[~rows], view.J[~rows])
        if rest < view.tolerance and np.all(np.abs(view.A[rows]).max(axis=1, initial=0.0) > 100 * view.zero):
            return number
    return None


def _ignored(view: View, labels: Array) -> Mask:
    """Return which labels are negative, or equal to an option that is an integer, where such rows do not count."""
    ignored: Mask = np.asarray(labels < 0)
    for value in view.truth.options.values():
        if isinstance(value, int) and not isinstance(value, bool) and np.any(labels == value):
            trial = ignored | np.asarray(labels == value)
            rows = np.ravel(
                np.broadcast_to(trial.reshape(trial.shape + (1,) * (view.x.ndim - labels.ndim)), view.x.shape)
            )
            if np.all(dead(view)[rows]):
                ignored = trial
    return ignored


@rule("label-smoothing-mismatch", "masks", 9)
def label_smoothing(view: View) -> Iterator[Prediction]:
    """Label smoothing is missing in the gradient, or distributed differently: eps/(K - 1) for eps/K.

    How it comes about: the loss was given smoothing later, or the two conventions are mixed.

    Formula: a - t takes two values per row, at the label and elsewhere: multiples of eps (1/K - y) / N.

    Hidden when: eps = 0; nearly, with many classes and a loose tolerance.

    Mended: use the smoothed targets of the forward.

    Wrong::

        return g * (p - onehot) / n

    Right::

        return g * (p - ((1 - eps) * onehot + eps / K)) / n
    """
    remedy = "use the smoothed targets of the forward in the gradient"
    if view.alike or not _labelled(view):
        return
    for option, value in view.truth.options.items():
        if not isinstance(value, float) or not 0.0 <= value < 1.0 or view.x.ndim < 1:
            continue
        sharp = without(view, option, value, {})
        if sharp is None or sharp.shape != view.J.shape or not shifts_only(view, option, value):
            continue
        message = f"the labels were not smoothed: {option} was taken to be 0"
        yield Prediction(message, remedy, jacobian=sharp, usual=True)
        classes = view.x.shape[-1]
        part = view.J - sharp
        for share, words in ((classes / max(classes - 1, 1), "eps/(K - 1)"), ((classes - 1) / classes, "eps/K")):
            text = f"the labels were smoothed with {words} in another convention than the forward's"
            yield Prediction(text, remedy, jacobian=sharp + share * part, rank=1)
        yield from _two_values(view, remedy)


def without(view: View, option: str, value: float, inputs: Mapping[str, Array]) -> Floats | None:
    """Measure the Jacobian for an option of 0; extrapolate where that is not defined but the Jacobian is affine in it.

    A forward with q log q in it gives nan for targets of 0.
    """
    sharp = view.measure(inputs, {option: 0.0})
    if sharp is not None or value == 0.0:
        return sharp
    parts = [view.measure(inputs, {option: value * share}) for share in (1.0, 0.5, 0.25)]
    if any(part is None for part in parts):
        return None
    whole, half, quarter = (np.asarray(part, dtype=np.float64) for part in parts)
    if whole.shape != half.shape or distance(whole - half, 2.0 * (half - quarter)) > 1e-3:
        return None
    return 2.0 * half - whole


def _labelled(view: View) -> bool:
    """Whether there are labels among the inputs: whole numbers, or rows of zeros and ones."""
    for name, value in view.truth.inputs.items():
        array = np.asarray(value)
        if (
            name != view.name
            and array.size
            and np.all(array == np.round(array))
            and array.shape[:1] == view.x.shape[:1]
        ):
            return True
    return False


def shifts_only(view: View, option: str, value: float) -> bool:
    """Whether an option adds to the Jacobian what does not depend on the input."""
    other = view.x * 0.5 + 0.01
    probe = value or 0.1
    parts = []
    for point in (view.x, other):
        with_it = view.measure({view.name: point}, {option: probe})
        sharp = without(view, option, probe, {view.name: point})
        if with_it is None or sharp is None or with_it.shape != sharp.shape:
            return False
        parts.append(with_it - sharp)
    scale = np.abs(parts[0]).max(initial=0.0)
    return bool(scale > 1e-9 and np.abs(parts[0] - parts[1]).max() < view.slack * max(scale, np.abs(view.J).max()))


def _two_values(view: View, remedy: str) -> Iterator[Prediction]:
    """The difference takes two values: one at the labels, one elsewhere."""
    if view.A is None or view.M != 1 or view.offset.any():
        return
    rest = (view.A - view.J)[0]
    values = np.unique(np.round(rest / max(np.abs(rest).max(), 1e-300), 5))
    rows = rest.reshape(-1, view.x.shape[-1])
    middle = np.median(rows, axis=1)
    odd = (
        np.abs(rows - middle[:, None])
        > max(1e-5, 1e2 * view.zero / max(np.abs(rest).max(), 1e-300)) * np.abs(rest).max()
    )
    if len(values) == 2 and view.N >= 6 and np.all(odd.sum(axis=1) == 1):
        yield Prediction(
            "the difference takes two values, one at the labels and one elsewhere: the targets are not the forward's",
            remedy,
            explained=0.0,
            rank=4,
        )
