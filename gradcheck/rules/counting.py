"""Counts: what the forward and the backward divide by."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gradcheck.rules.factors import plain
from gradcheck.rules.fields import columns, match, rows
from gradcheck.rules.invariance import lost
from gradcheck.rules.paths import splits
from gradcheck.rules.predictions import Prediction, distance
from gradcheck.rules.ratios import by_column, by_row, one_output, slack_by_column, slack_by_row
from gradcheck.rules.registry import rule
from gradcheck.rules.scale import batched, scaled
from gradcheck.rules.truth import Floats
from gradcheck.rules.view import View

# Paths that are sums over a slice.
SLICE_PATHS = {"mean", "variance", "projection", "sum"}


@rule("wrong-normaliser-count", "scale", 14)
def wrong_normaliser_count(view: View) -> Iterator[Prediction]:
    """The backward divides by another count than the forward.

    How it comes about: samples instead of elements, padded instead of valid labels, the whole kernel instead of the
    part inside the border, the input's size instead of the output's.

    Formula: a = (n_forward / n_backward) J^T g, for all entries or per row or window.

    Hidden when: the two counts coincide: one feature, no padding, nothing ignored, no overhang.

    Mended: compute the count once, in the forward, and use the same number.

    Wrong::

        return 2 * g * (y - t) / len(y)     # forward: ((y - t) ** 2).mean()

    Right::

        return 2 * g * (y - t) / y.size
    """
    ranks = {"count": 0, "1/count": 0, "window": 0, "quotient": 2}
    for factor, prediction in scaled(view, *ranks):
        prediction.rank = ranks[factor.kind]
        prediction.remedy = "divide by the count of the forward"
        yield prediction
    if view.account is None:
        yield from _usual_counts(view)
    yield from _inside_paths(view)
    yield from _of_one_output(view)
    yield from _weights_counted(view)
    for along, ratio in (("row", by_row(view)), ("column", by_column(view))):
        if ratio is None:
            continue
        fields = rows(view) if along == "row" else columns(view)
        slack = slack_by_row(view) if along == "row" else slack_by_column(view)
        for found in match(ratio, fields, least=2, slack=slack):
            if found.field.kind == "support" and abs(found.power) == 1.0:
                filled = np.where(np.isfinite(ratio), ratio, 0.0)
                yield Prediction(
                    f"the ratio to the truth goes with {found.field.label}: {plain(float(np.nanmin(ratio)))} to "
                    f"{plain(float(np.nanmax(ratio)))}",
                    "divide by the count of the forward",
                    jacobian=view.J * (filled[:, None] if along == "row" else filled[None, :]),
                    free=1,
                )


def _inside_paths(view: View) -> Iterator[Prediction]:
    """A mean over the slice inside one path is a sum, or is divided by another length."""
    for split in splits(view):
        if split.kept is None or view.account is None:
            continue
        pairs = zip(split.paths, split.kept, strict=True)
        off = [(path, share) for path, share in pairs if abs(share - 1.0) > 10 * view.slack]
        if not off or len(off) == len(split.paths) or {path.kind for path, _ in off} - SLICE_PATHS:
            continue
        share = off[0][1]
        if any(abs(other - share) > 10 * view.slack * abs(share) for _, other in off):
            continue
        sizes = {len(rows) for rows, _ in view.blocks}
        lengths = {float(a) / b for size in sizes for a, b in ((size, 1), (1, size))}
        lengths |= {float(n) / size for size in sizes for n in view.x.shape}
        lengths |= {float(size) / n for size in sizes for n in view.x.shape}
        found = [n for n in lengths - {1.0, 2.0, 0.5} if abs(share - n) < 10 * view.slack * n]
        if found:
            words = " and ".join(path.label for path, _ in off)
            matrix = view.J + sum(((share - 1.0) * path.matrix for path, _ in off), np.zeros_like(view.J))
            text = f"{words} counts {plain(share)} times: a mean over the slice was divided by another count"
            yield Prediction(text, "take the mean over the slice where the forward does", jacobian=matrix, rank=2)


def _of_one_output(view: View) -> Iterator[Prediction]:
    """One of several outputs is a mean along one axis of the input, and was divided by the length of another."""
    part = one_output(view)
    if part is None:
        return
    ratio, matrix, places = part
    rows = np.concatenate([np.arange(view.M)[view.sections[place]] for place in places])
    uses = np.count_nonzero(np.abs(view.J[rows]) > view.zero, axis=1)
    for length in {*view.x.shape, view.N} - {int(uses[0])}:
        if np.all(uses == uses[0]) and abs(ratio - uses[0] / length) < 10 * view.slack * ratio:
            which = ", ".join(map(str, places))
            text = f"output {which} is made of {uses[0]} entries each, what comes from it was divided by {length}"
            remedy = "divide by the count of the forward"
            yield Prediction(text, remedy, jacobian=matrix, evidence={"ratio": ratio, "output": which})


def _weights_counted(view: View) -> Iterator[Prediction]:
    """The forward divides by the sum of weights (of a mask) of each sample, and the backward by how many there are."""
    ratio = None if len(view.shapes) != 1 else by_row(view)
    if ratio is None or not view.shapes[0] or view.account is None:
        return
    (shape,) = view.shapes
    for name, value in view.truth.inputs.items():
        array = np.asarray(value)
        if name == view.name or array.dtype.kind not in "fb" or array.ndim < 2 or len(array) != shape[0]:
            continue
        share = array.reshape(len(array), -1).mean(axis=1, dtype=np.float64)
        if not np.all(share) or np.ptp(share) < 1e-3 * np.abs(share).max():
            continue
        spread = np.broadcast_to(share.reshape((-1,) + (1,) * (len(shape) - 1)), shape).ravel()
        for factor, words in ((spread, "how many there are"), (1.0 / spread, "their sum")):
            text = f"the backward divides by {words}, the forward not: {name}"
            remedy = "divide by the sum that the forward divides by"
            yield Prediction(text, remedy, jacobian=view.J * factor[:, None], rank=1)


def _usual_counts(view: View) -> Iterator[Prediction]:
    """Counts that are often mixed up: samples for elements, all labels for valid ones, kernels for clipped windows."""
    linked = np.abs(view.J) > view.zero
    if view.x.ndim >= 2 and batched(view):
        share = view.x.size / view.x.shape[0]
        yield Prediction("samples were counted for elements", "", jacobian=share * view.J, usual=True)
    others = [np.asarray(value) for name, value in view.truth.inputs.items() if name != view.name]
    if any(value.dtype.kind in "iu" for value in others) and view.M == 1 and view.x.ndim:
        alive = linked.any(axis=0).reshape(view.x.shape[0], -1).any(axis=1).mean()
        yield Prediction("all labels were counted for the valid ones", "", jacobian=alive * view.J, usual=True)
    uses = linked.sum(axis=1)
    several = view.M > 1 and 1 < uses.max(initial=0) < view.N
    if several and not view.alike and np.all(linked.sum(axis=0) <= 1):
        whole = view.J * (uses / uses.max())[:, None]
        yield Prediction("the whole kernel was counted for a clipped window", "", jacobian=whole, usual=True)


@rule("ddof-mismatch", "scale", 7)
def ddof_mismatch(view: View) -> Iterator[Prediction]:
    """One side divides by N, the other by N - 1.

    How it comes about: the forward takes the unbiased variance, the backward the biased one.

    Formula: a = (N - 1)/N J^T g, or the inverse.

    Hidden when: N is large and the tolerance loose, or ddof is 0.

    Mended: divide by ``n - ddof`` in the backward as well.

    Wrong::

        return g * 2 * (x - x.mean()) / n

    Right::

        return g * 2 * (x - x.mean()) / (n - ddof)
    """
    centred = _centred(view)
    for factor, prediction in scaled(view, "ddof"):
        if not centred:
            # no deviations from a mean: a quotient of two counts that happens to be (n - 1)/n
            prediction.rank += 10
        prediction.message = f"the ratio is {factor.label}: N on one side, N - 1 on the other"
        prediction.remedy = "divide by n - ddof in the backward as well"
        yield prediction
    for split in splits(view):
        off = [
            (path, share) for path, share in zip(split.paths, split.kept or (), strict=False) if path.kind == "variance"
        ]
        others = [share for path, share in zip(split.paths, split.kept or (), strict=False) if path.kind != "variance"]
        sizes = {len(slices) for slices, _ in view.blocks}
        if len(off) != 1 or len(sizes) != 1 or any(abs(share - 1.0) > 10 * view.slack for share in others):
            continue
        (path, kept), n = off[0], float(sizes.pop())
        for share in ((n - 1.0) / n, n / (n - 1.0)) if n > 2 else ():
            if abs(kept - share) < 10 * view.slack:
                text = f"{path.label} counts {plain(kept)} times: N on one side, N - 1 on the other"
                words = "divide by n - ddof in the backward as well"
                matrix = view.J + (kept - 1.0) * path.matrix
                yield Prediction(text, words, jacobian=matrix, rank=7, evidence={"ratio": kept})
    for part in lost(view):
        n = float(part.size)
        for share in ((n - 1.0) / n, n / (n - 1.0)):
            if part.kept is not None and abs(part.kept - share) < 1e-4:
                text = f"the variance path is scaled by {share:.4g}: N on one side, N - 1 on the other"
                words = "divide by n - ddof in the backward as well"
                yield Prediction(text, words, explained=0.0, rank=8, evidence={"ratio": part.kept})
    for option, value in view.truth.options.items():
        if isinstance(value, (bool, int)) and value in (0, 1):
            other = view.measure(options={option: type(value)(1 - value)})
            if other is not None and other.shape == view.J.shape and _by_degrees(view, other):
                plain_count = view.J if not value else other
                yield Prediction(
                    f"the backward divides as if {option} were {int(not value)}",
                    "divide by n - ddof in the backward as well",
                    jacobian=other if view.account is not None else plain_count,
                    usual=view.account is None,
                )


def _centred(view: View) -> bool:
    """Whether adding a number to the whole input changes nothing, as in all that is made of deviations from a mean."""
    size = float(np.linalg.norm(np.abs(view.J).sum(axis=1)))
    return view.account is None or float(np.linalg.norm(view.J.sum(axis=1))) < max(1e-6, view.slack) * size


def _by_degrees(view: View, other: Floats) -> bool:
    """Whether two Jacobians differ by (n - 1)/n or its inverse, n a length that occurs."""
    size = float(np.vdot(view.J, view.J))
    ratio = float(np.vdot(view.J, other)) / size if size else 1.0
    lengths = {n for part in view.truth.inputs.values() for n in (*np.shape(part), np.size(part)) if n > 1}
    forms = [r for n in lengths for r in ((n - 1) / n, n / (n - 1), np.sqrt((n - 1) / n), np.sqrt(n / (n - 1)))]
    even = distance(other, ratio * view.J) < view.tolerance
    return even and any(np.isclose(ratio, r, rtol=10 * view.slack) for r in forms)
