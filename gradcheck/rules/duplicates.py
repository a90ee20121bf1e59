"""Indices that occur twice, and of which one occurrence alone arrives."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gradcheck.rules.indexing import last_only, picks_entries, repeated_indices
from gradcheck.rules.predictions import Prediction, distance
from gradcheck.rules.registry import rule
from gradcheck.rules.view import View


@rule("duplicate-index-overwrite", "indexing", 12)
def duplicate_index(view: View) -> Iterator[Prediction]:
    """A fancy-indexed += keeps only the last contribution of an index that occurs twice.

    How it comes about: ``dW[idx] += g`` is buffered: NumPy adds once per distinct index.

    Formula: a_k is the upstream of the last occurrence of k, where the truth is the sum over all of them.

    Hidden when: all indices are different.

    Mended: ``np.add.at(dW, idx, g)``, or ``np.bincount``.

    Wrong::

        dW[idx] += g

    Right::

        np.add.at(dW, idx, g)
    """
    name = repeated_indices(view)
    message = f"of repeated {name or 'indices'} only the last contribution arrived"
    remedy = "accumulate with np.add.at, which adds every occurrence"
    matrix = last_only(view)
    if name and matrix is not None and _picks(view, name):
        yield Prediction(message, remedy, jacobian=matrix, usual=picks_entries(view))
    for label, axis, often in _uses(view):
        if view.A is None:
            return
        places = np.unravel_index(np.arange(view.N), view.x.shape)[axis]
        off = (np.abs(view.A - view.J) > 100 * view.zero).any(axis=0)
        wrong = np.bincount(places, weights=off, minlength=len(often)) > 0
        lost = np.abs(view.A) <= 100 * view.zero
        whole = np.abs(view.A - view.J) <= 100 * view.zero
        if np.array_equal(wrong, often) and not often.all() and (view.M == 1 or np.all(lost | whole)):
            text = f"of repeated {label} only the last contribution arrived"
            yield Prediction(text, remedy, explained=0.0, rank=12, evidence={"rows": np.flatnonzero(wrong).tolist()})


def _picks(view: View, name: str) -> bool:
    """Whether indices decide which entries of this input count: others are looked up beside it."""
    index = np.asarray(view.truth.inputs[name])
    if view.account is None:
        return True
    for other in (np.roll(index.ravel(), 1), index.ravel()[::-1]):
        matrix = view.measure({name: other.reshape(index.shape).copy()})
        if matrix is None or matrix.shape != view.J.shape or distance(matrix, view.J) > 10 * view.slack:
            return True
    return False


def _uses(view: View) -> Iterator[tuple[str, int, np.ndarray]]:
    """Yield which rows of x, along which axis, an input picks more than once: as integers, or as positions."""
    if view.A is None or view.offset.any() or view.x.ndim == 0 or not np.all(np.isfinite(view.A)):
        return
    for name, value in view.truth.inputs.items():
        array = np.asarray(value)
        if name == view.name or array.dtype.kind not in "iuf" or array.size < 2:
            continue
        whole = array.dtype.kind in "iu"
        # positions between entries: those below, and those above, are what an interpolation picks
        index = array.ravel() if whole else np.floor(array.ravel()).astype(np.int64)
        for axis in (0,) if whole else range(view.x.ndim):
            count = view.x.shape[axis]
            if index.min() < (-count if whole else 0) or index.max() >= count - (not whole):
                continue
            for shift in (0,) if whole else (0, 1):
                often = np.bincount((index + shift) % count, minlength=count) > 1
                if often.any():
                    yield (name if whole else f"positions in {name}"), axis, often
