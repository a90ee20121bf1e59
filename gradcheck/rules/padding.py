"""Padding: gradients that were cropped at the wrong place."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from gradcheck.model import Plain
from gradcheck.rules.predictions import Prediction, distance
from gradcheck.rules.registry import rule
from gradcheck.rules.truth import Floats
from gradcheck.rules.view import View, kinds
from gradcheck.rules.windows import shifted


@rule("padding-offset-wrong", "axis", 13)
def padding_offset(view: View) -> Iterator[Prediction]:
    """The padded gradient is cropped from index 0 instead of from the padding.

    How it comes about: ``dxp[:n]`` for ``dxp[pad : pad + n]``.

    Formula: a[i] = t[i - pad].

    Hidden when: there is no padding; on one side only where padding is one-sided.

    Mended: crop as many entries from the front as the forward padded.

    Wrong::

        return dxp[:, : x.shape[1]]

    Right::

        return dxp[:, pad : pad + x.shape[1]]
    """
    remedy = "crop the padded gradient from the padding, not from 0"
    for option, value in view.truth.options.items():
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 16:
            continue
        for axes in [
            axes for size in range(1, min(3, view.x.ndim) + 1) for axes in combinations(range(view.x.ndim), size)
        ]:
            matrix = _padded(view, option, value, axes)
            if matrix is not None:
                for place in ("start", "end"):
                    yield Prediction(
                        f"the padded gradient was cropped from the {place}, not from {option} = {value}",
                        remedy,
                        jacobian=_crop(view, matrix, value, axes, place),
                        usual=place == "start",
                    )
    if view.A is None or view.M < 2:
        return
    for axis in range(view.x.ndim):
        for by in (1, -1, 2, -2, 3, -3):
            if abs(by) >= view.x.shape[axis]:
                continue
            moved = np.stack([shifted(row.reshape(view.x.shape), axis, by).ravel() for row in view.J])
            text = f"the gradient is shifted by {by} along axis {axis}"
            yield Prediction(text, remedy, jacobian=moved, rank=4)
    yield from _bordered(view, remedy)


def _bordered(view: View, remedy: str) -> Iterator[Prediction]:
    """Yield shifts along some axes that leave a border: what moved in there is what fell into the padding."""
    if view.A is None or view.offset.any() or not np.all(np.isfinite(view.A)) or view.x.ndim > 4:
        return
    key = np.random.default_rng(view.N).standard_normal(view.M)
    true, seen = key @ view.J, key @ view.A
    close = max(1e-3 * view.tolerance, view.slack) * float(np.abs(true).max(initial=0.0))
    for many in range(1, view.x.ndim + 1):
        for axes in combinations(range(view.x.ndim), many):
            shortest = min(view.x.shape[axis] for axis in axes)
            for by in (sign * step for step in range(1, shortest) for sign in (1, -1)):
                into, source = _overlap(view.x.shape, axes, by)
                # different columns, so that it matters which is which, and a good part of them all
                moved = np.abs(true[into] - true[source]) > 100 * close
                enough = moved.sum() >= max(4, 0.2 * view.N) and kinds(true[source], 100 * close) >= 4
                if not enough or np.abs(seen[into] - true[source]).max() > close:
                    continue
                off = distance(view.A[:, into], view.J[:, source])
                text = f"the gradient is shifted by {by} along {' and '.join(f'axis {axis}' for axis in axes)}"
                facts: dict[str, Plain] = {"entries": len(into), "border": view.N - len(into)}
                yield Prediction(f"{text}, but for a border", remedy, explained=off, rank=10, evidence=facts)


def _overlap(shape: tuple[int, ...], axes: tuple[int, ...], by: int) -> tuple[np.ndarray, np.ndarray]:
    """Return which entries of an array a shift fills, and from where."""
    numbers = np.arange(int(np.prod(shape))).reshape(shape)
    later = tuple(slice(abs(by), None) if axis in axes else slice(None) for axis in range(len(shape)))
    earlier = tuple(slice(None, -abs(by)) if axis in axes else slice(None) for axis in range(len(shape)))
    pair = numbers[later].ravel(), numbers[earlier].ravel()
    return pair if by > 0 else pair[::-1]


def _padded(view: View, option: str, value: int, axes: tuple[int, ...]) -> Floats | None:
    """Pad the input by hand, without the option; the whole Jacobian if the output is the same."""
    width = [(value, value) if axis in axes else (0, 0) for axis in range(view.x.ndim)]
    wide = np.pad(view.x, width)
    outputs = view.truth.forward({view.name: wide}, {option: 0})
    if outputs is None or len(outputs) != 1 or np.shape(outputs[0]) != view.shapes[0]:
        return None
    if not np.allclose(np.ravel(outputs[0]), view.y, rtol=view.grain, atol=1e-12) or (
        value == 0 and "pad" not in option
    ):
        return None
    matrix = view.measure({view.name: wide}, {option: 0})
    return matrix if matrix is not None and matrix.shape == (view.M, wide.size) else None


def _crop(view: View, matrix: Floats, value: int, axes: tuple[int, ...], place: str) -> Floats:
    wide = tuple(size + (2 * value if axis in axes else 0) for axis, size in enumerate(view.x.shape))
    start = 0 if place == "start" else 2 * value
    window = [slice(start, start + size) if axis in axes else slice(None) for axis, size in enumerate(view.x.shape)]
    return np.stack([row.reshape(wide)[tuple(window)].ravel() for row in matrix])
