"""Weights, and other numbers that the forward multiplies with."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gradcheck.rules.fields import columns, match, rows
from gradcheck.rules.predictions import Prediction, distance
from gradcheck.rules.ratios import by_column, by_row, slack_by_column, slack_by_row
from gradcheck.rules.registry import rule
from gradcheck.rules.truth import Floats
from gradcheck.rules.view import View


@rule("sample-weight-not-in-backward", "scale", 10)
def sample_weight(view: View) -> Iterator[Prediction]:
    """Weights of samples or classes are used in the forward only, or on the wrong samples.

    How it comes about: the weights were added to the loss later; pos_weight multiplies the whole of sigma - t instead
    of the positive part.

    Formula: a_n = t_n / w_n, up to the normaliser.

    Hidden when: all weights are equal, or all labels are positive.

    Mended: multiply the gradient of every sample with its weight, and divide by the same sum.

    Wrong::

        return g * d / len(y)

    Right::

        return g * d * w[y][:, None] / w[y].sum()
    """
    if view.alike and view.coupled:
        return
    remedy = "multiply the gradient of every sample with its weight, as the forward does"
    for name, value in view.truth.inputs.items():
        array = np.asarray(value)
        if name == view.name or array.dtype.kind != "f" or array.ndim > view.x.ndim or view.elementwise:
            continue
        if array.ndim == 0:
            continue  # one number for all samples is no weight of theirs
        if set(np.unique(array)) <= {-1.0, 0.0, 1.0} and np.size(array) > 1:
            continue
        matrix = view.measure({name: np.ones_like(array)})
        if matrix is not None and matrix.shape == view.J.shape:
            usual = _weighs(view, name, array)
            text = f"the gradient is that for {name} = 1: the weights are not in it"
            yield Prediction(text, remedy, jacobian=matrix, usual=usual)
    by_entry = by_column(view)
    if by_entry is not None:
        rebuilt = view.J * np.where(np.isfinite(by_entry), by_entry, 0.0)
        for found in match(by_entry, columns(view), least=2, slack=slack_by_column(view)):
            signs = set(np.unique(found.field.values)) <= {-1.0, 0.0, 1.0}
            if found.field.kind == "weight" and not view.elementwise and abs(found.power) == 1.0 and not signs:
                yield Prediction(
                    f"the ratio to the truth is {found.field.label} to the power {found.power:g}",
                    remedy,
                    explained=distance(view.A if view.A is not None else rebuilt, rebuilt),
                    free=1,
                    rank=1,
                )
        yield from _by_label(view, by_entry, remedy)
        yield from _both_labels(view, by_entry, remedy)
    by_output = by_row(view)
    if by_output is not None and not view.alike:
        for found in match(by_output, rows(view), least=2, slack=slack_by_row(view)):
            signs = set(np.unique(found.field.values)) <= {-1.0, 0.0, 1.0}
            if found.field.kind == "weight" and not signs:
                yield Prediction(
                    f"the ratio to the truth is {found.field.label} to the power {found.power:g}",
                    remedy,
                    explained=0.0,
                    free=1,
                    rank=1,
                )
    for option, number in view.truth.options.items():
        if isinstance(number, float):
            matrix = view.measure(options={option: 1.0})
            if matrix is not None and matrix.shape == view.J.shape and _splits_labels(view, matrix, number):
                yield Prediction(f"the gradient is that for {option} = 1", remedy, jacobian=matrix, usual=True)


def _weighs(view: View, name: str, array: Floats) -> bool:
    """Whether doubling an input doubles the Jacobian or leaves it alone, and it is not itself differentiated."""
    if name in view.truth.wrt:
        return False
    double = view.measure({name: 2.0 * array})
    if double is None or double.shape != view.J.shape:
        return False
    return distance(double, view.J) < 10 * view.slack or distance(double, 2.0 * view.J) < 10 * view.slack


def _splits_labels(view: View, other: Floats, value: float) -> bool:
    """Whether an option scales some entries by its value and leaves the others alone, as a weight of positives does."""
    live = np.abs(other) > view.zero
    if view.M != 1 or not live.any() or len(view.truth.inputs) < 2:
        return False
    probe = 2.0 if value == 1.0 else value
    moved = view.J if value != 1.0 else None
    if moved is None:
        option = next(key for key, v in view.truth.options.items() if v == value)
        moved = view.measure(options={option: probe})
    if moved is None or moved.shape != other.shape:
        return False
    ratio = np.where(live, moved, 1.0) / np.where(live, other, 1.0)
    scaled = np.isclose(ratio, probe, rtol=10 * view.slack)
    if not np.all(scaled | np.isclose(ratio, 1.0, rtol=10 * view.slack)):
        return False
    labels = [np.asarray(v) for name, v in view.truth.inputs.items() if name != view.name]
    off, known = np.any(scaled, axis=0), np.any(live, axis=0)
    return any(array.shape == view.x.shape and _told_apart(array.ravel(), off, known) for array in labels)


def _by_label(view: View, ratio: Floats, remedy: str) -> Iterator[Prediction]:
    """The ratio is 1 for one kind of label and an option for the other."""
    known = np.isfinite(ratio)
    off = known & (np.abs(ratio - 1.0) > 10 * view.slack)
    if view.elementwise or not off.any() or off.sum() == known.sum() or view.A is None:
        return
    middle = float(np.median(ratio[off]))
    if np.abs(ratio[off] - middle).max() > 10 * view.slack * abs(middle):
        return
    for option, value in view.truth.options.items():
        if not isinstance(value, float) or not any(
            abs(middle - v) < 10 * view.slack for v in (value, 1 / value if value else 0, 1 - value)
        ):
            continue
        for name, labels in view.truth.inputs.items():
            array = np.asarray(labels)
            if name != view.name and array.shape == view.x.shape and _told_apart(array.ravel(), off, known):
                yield Prediction(
                    f"entries are off by {option} = {value:g} according to {name}: the weight is on the wrong ones",
                    remedy,
                    jacobian=view.J * np.where(known, ratio, 0.0),
                    evidence={"ratio": middle},
                )


def _both_labels(view: View, ratio: Floats, remedy: str) -> Iterator[Prediction]:
    """Two kinds of labels weigh w and 1 - w: they are missing, the same for both, or exchanged."""
    known = np.isfinite(ratio)
    if view.A is None:
        return
    for name, labels in view.truth.inputs.items():
        array = np.asarray(labels)
        if name == view.name or array.shape != view.x.shape or len(np.unique(array)) != 2:
            continue
        first = array.ravel() == array.min()
        groups = [ratio[known & first], ratio[known & ~first]]
        if any(len(group) < 2 or np.ptp(group) > 10 * view.slack * np.abs(group).max() for group in groups):
            continue
        pair = sorted(float(np.median(group)) for group in groups)
        for option, w in view.truth.options.items():
            if not isinstance(w, float) or not 0.0 < w < 1.0 or w == 0.5:
                continue
            odds = w / (1.0 - w)
            for ways, words in (
                ((1.0 / w, 1.0 / (1.0 - w)), "is missing"),
                ((1.0, odds), "is the same for both"),
                ((1.0, 1.0 / odds), "is the same for both"),
                ((odds, 1.0 / odds), "is exchanged"),
            ):
                if np.allclose(pair, sorted(ways), rtol=10 * view.slack):
                    yield Prediction(
                        f"the weight {option} or 1 - {option} {words}, according to {name}",
                        remedy,
                        jacobian=view.J * np.where(known, ratio, 0.0),
                        evidence={"ratios": list(pair)},
                    )


def _told_apart(labels: np.ndarray, off: np.ndarray, known: np.ndarray) -> bool:
    kinds = set(labels.tolist())
    return len(kinds) <= max(2, len(labels) // 2) and not set(labels[off].tolist()) & set(labels[known & ~off].tolist())
