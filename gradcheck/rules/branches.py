"""Branches: the derivative of the wrong piece of a function that is put together from pieces."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gradcheck.rules.masks import dead, leaking, wrong_columns
from gradcheck.rules.predictions import Prediction, distance
from gradcheck.rules.registry import rule
from gradcheck.rules.truth import Floats
from gradcheck.rules.view import View, distinct, switched


@rule("branch-condition-wrong", "masks", 17)
def branch_condition(view: View) -> Iterator[Prediction]:
    """A branch of the backward is chosen by another condition than in the forward.

    How it comes about: the threshold is compared with the signed difference, the test of the margin is forgotten.

    Formula: on some entries a is the derivative of the *other* branch.

    Hidden when: the inputs stay on one branch: tiny scores, positive differences.

    Mended: choose the branch as the forward does: ``np.abs(d) <= delta``.

    Wrong::

        np.where(d < delta, d, delta)

    Right::

        np.clip(d, -delta, delta)
    """
    remedy = "choose the branch by the condition of the forward"
    bad = wrong_columns(view)
    for label, other in _elsewhere(view):
        differs = np.abs(other - view.J).max(axis=0) > 100 * view.zero
        if not differs.any() and view.account is not None:
            continue
        message = f"some entries have the derivative of the other branch ({label})"
        if bad is not None and bad.any() and not view.offset.any():
            yield Prediction(
                message,
                remedy,
                jacobian=np.where(bad[None, :], other, view.J),
                evidence={"entries": int(bad.sum())},
                free=0 if bad.sum() > 1 else 1,
                rank=0 if np.any(differs & ~bad) or bad.sum() > 1 else 8,
            )
        elif bad is None:
            yield Prediction(message, remedy, jacobian=other, rank=6)
        if view.account is None:
            low = view.J.min(axis=0, initial=0.0) < 0
            matrix = other if label == "no margin" else np.where(low[None, :], other, view.J)
            yield Prediction(
                message, remedy, jacobian=matrix, usual=view.M == 1 or (view.elementwise and label != "no margin")
            )
    yield from _decided(view, remedy)
    yield from _pieces(view, bad, remedy)
    yield from _slopes(view, bad, remedy)
    yield from _continued(view, bad, remedy)
    yield from _lost(view, bad, remedy)
    yield from _untested(view, remedy)


def _decided(view: View, remedy: str) -> Iterator[Prediction]:
    """Outputs are switched on and off as if an input, which decides their branch, were 0."""
    if view.account is None or view.A is None or not switched(view.J, view.A, 100 * view.zero):
        return
    for name, value in view.truth.inputs.items():
        if np.asarray(value).dtype.kind == "f" and np.any(value):
            other = view.measure({name: np.zeros_like(value)})
            if other is not None and other.shape == view.J.shape:
                message = f"outputs are on the branch that they would be on if {name} were 0"
                rows = int(np.count_nonzero(np.any(np.abs(other - view.J) > 100 * view.zero, axis=1)))
                yield Prediction(message, remedy, jacobian=other, evidence={"outputs": rows})


def _untested(view: View, remedy: str) -> Iterator[Prediction]:
    """Entries that the loss leaves alone where they are, and not elsewhere, received a gradient: a missing test."""
    bad = leaking(view)
    if bad is None or view.account is None or view.alike or bad.sum() < 2 or not np.all(bad == dead(view)):
        return
    reached = np.zeros(view.N, dtype=bool)
    for scale in (-1.0, 0.1, -0.1, 5.0):
        other = view.measure({view.name: scale * view.x})
        if other is not None and other.shape == view.J.shape:
            reached |= np.abs(other).max(axis=0, initial=0.0) > view.zero
    if np.all(reached[bad]):
        text = f"{int(bad.sum())} entries on the branch that returns a constant received the gradient of the other"
        yield Prediction(text, remedy, explained=0.0, rank=20, evidence={"entries": int(bad.sum())})


def _lost(view: View, bad: np.ndarray | None, remedy: str) -> Iterator[Prediction]:
    """Some entries are right, the others receive nothing, and they are no block that a loop or an index could miss."""
    account = view.account
    if bad is None or view.A is None or account is None or view.offset.any() or account.contract:
        return
    if not 2 <= bad.sum() <= view.N - 2 or np.abs(view.A[:, bad]).max() > view.zero:
        return
    if any(np.asarray(value).dtype.kind in "iub" for value in view.truth.inputs.values()) or view.coupled:
        return
    # entries in a row along one axis, or whole slices, are what a loop leaves out
    grid = bad.reshape(view.x.shape)
    for axis, length in enumerate(view.x.shape):
        lines: np.ndarray = np.moveaxis(grid, axis, 0).reshape(length, -1)
        if view.x.ndim > 1 and np.all(lines.all(axis=1) | ~lines.any(axis=1)):
            return
        if np.all(np.count_nonzero(np.diff(lines.astype(int), axis=0), axis=0) <= 1):
            return
    text = f"{int(bad.sum())} entries receive nothing, as on another branch, and the others are right"
    yield Prediction(text, remedy, explained=0.0, rank=30, evidence={"entries": int(bad.sum())})


def _continued(view: View, bad: np.ndarray | None, remedy: str) -> Iterator[Prediction]:
    """One polynomial is returned everywhere, which is the derivative of the middle piece alone."""
    if bad is None or view.A is None or view.offset.any() or not view.elementwise or bad.all() or not bad.any():
        return
    seen, x = np.diag(view.A), view.x.ravel()
    good = x[~bad]
    if np.any(view.A - np.diag(seen)) or len(good) < 5 or np.any((x[bad] >= good.min()) & (x[bad] <= good.max())):
        return
    for degree in (1, 2):
        powers = np.vander(x, degree + 1)
        # fitted where it is right, it must hold where it is wrong
        fit = np.linalg.lstsq(powers[~bad], view.diagonal[~bad], rcond=None)[0]
        off = distance(powers @ fit, seen)
        if off < view.tolerance and len(good) >= degree + 4 and abs(fit[0]) > 1e-6 * np.abs(fit).max():
            text = f"{int(bad.sum())} entries have the derivative of the piece beside theirs"
            yield Prediction(text, remedy, explained=off, rank=2, evidence={"entries": int(bad.sum())})
            return


def _slopes(view: View, bad: np.ndarray | None, remedy: str) -> Iterator[Prediction]:
    """A function of straight pieces: wrong entries have the slope of another piece."""
    if bad is None or view.A is None or view.offset.any() or not bad.any():
        return
    linked = np.abs(view.J) > view.zero
    if np.any(linked.sum(axis=0) > 1) or (not view.elementwise and (view.M > 1 or not linked.all())):
        return
    seen, true = view.A.sum(axis=0), view.J.sum(axis=0)
    if np.abs(view.A - np.where(linked, view.A, 0.0)).max() > view.zero and not view.elementwise:
        return
    if view.elementwise and np.any(view.A - np.diag(np.diag(view.A))):
        return
    slopes = distinct(true, 10 * view.slack)
    close = 10 * view.slack if view.elementwise else min(10 * view.slack, 1e-5) * float(np.abs(slopes).max())
    if not 2 <= len(slopes) <= 3 or np.any(np.abs(seen[:, None] - slopes[None, :]).min(axis=1) >= close):
        return
    # all of them wrong: with two pieces that is the condition turned round, where there are entries on both
    counts = [int(np.sum(np.abs(true - slope) < close)) for slope in slopes]
    if bad.all() and (len(slopes) > 2 or min(counts) < 2):
        return
    # a loss has as many slopes as entries unless it is made of straight pieces
    if not view.elementwise and min(counts) < 2:
        return
    pieces = len(distinct(true[bad], 10 * view.slack))
    yield Prediction(
        f"{int(bad.sum())} entries have the slope of another piece of the function",
        remedy,
        explained=0.0,
        rank=0 if pieces > 1 or bad.sum() > 1 else 6,
        evidence={"slopes": [float(v) for v in slopes]},
    )


def _elsewhere(view: View) -> Iterator[tuple[str, Floats]]:
    """Yield Jacobians in which entries are on another branch: an option far away, or smaller inputs."""
    for option, value in view.truth.options.items():
        if isinstance(value, float) and value != 0.0:
            for other in (1e3 * value, 1e-3 * value):
                matrix = view.measure(options={option: other})
                if (
                    matrix is not None
                    and matrix.shape == view.J.shape
                    and (view.account is None or _some_kept(view, matrix))
                ):
                    yield f"{option} = {other:g}", matrix
    if view.account is not None and view.coupled:
        # far out every slice is on the outer branch; where that forgets the scale, its derivative falls as 1/scale
        far = view.measure({view.name: 30.0 * view.x})
        if far is not None and far.shape == view.J.shape:
            for share in (1.0, 30.0):
                if _some_kept(view, share * far):
                    yield "large inputs", share * far
    flat = dead(view)
    if flat.any() or view.account is None:
        small = view.measure({view.name: 0.01 * view.x})
        if small is not None and small.shape == view.J.shape:
            matrix = np.where(flat[None, :], small, view.J)
            if view.account is None or np.any(np.abs(matrix[:, flat]) > view.zero):
                yield "no margin", matrix


def _some_kept(view: View, matrix: Floats) -> bool:
    """Whether some columns are as they were and others are not: the option moves a threshold, and no scale."""
    same = np.abs(matrix - view.J).max(axis=0) <= max(100 * view.zero, view.slack * np.abs(view.J).max())
    return bool(same.any())


def _pieces(view: View, bad: np.ndarray | None, remedy: str) -> Iterator[Prediction]:
    """Wrong entries follow the law that right entries follow: the same constant, or the same multiple of x - t."""
    if bad is None or view.A is None or not bad.any() or bad.all() or view.offset.any():
        return
    linked = (np.abs(view.J) > view.zero).sum(axis=0)
    if np.any(linked > 1) or np.any((np.abs(view.A) > view.zero).sum(axis=0) > 1):
        return
    seen, true = view.A.sum(axis=0), view.J.sum(axis=0)
    x = view.x.ravel()
    words: dict[str, Floats] = {"a constant": np.ones(view.N), f"a multiple of {view.name}": x}
    for name, value in view.truth.inputs.items():
        other = np.asarray(value)
        if name != view.name and other.shape == view.x.shape and other.dtype.kind in "iuf":
            words[f"a multiple of {view.name} - {name}"] = x - other.ravel()
            words[f"a multiple of {name}"] = other.ravel().astype(np.float64)
    for label, word in words.items():
        usable = np.abs(word) > 1e-9
        if not np.all(usable[bad]):
            continue
        law = seen[bad] / word[bad]
        right = true[~bad & usable] / word[~bad & usable]
        middle = float(np.median(law))
        if middle == 0 or np.abs(law - middle).max() > view.slack * abs(middle):
            continue
        shared = np.abs(np.abs(right) - abs(middle)) <= view.slack * abs(middle)
        if shared.sum() >= 2 and bad.sum() >= 1 and np.any(~shared):
            yield Prediction(
                f"{int(bad.sum())} entries have the derivative of the other branch, {label}",
                remedy,
                explained=0.0,
                rank=4 if bad.sum() > 1 else 10,
                evidence={"entries": int(bad.sum())},
            )
