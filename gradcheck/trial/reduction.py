"""A large failing case made small: its arrays are cropped until the bug can be named, and repeated by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from gradcheck.errors import GradcheckError
from gradcheck.layers.protocol import Array
from gradcheck.model import Report, Verdict

# The smallest length of an axis after cropping; different axes get different lengths, so that no shape is square.
SMALLEST = (3, 7, 13)


def reduce_case(
    inputs: Mapping[str, Array], attempt: Callable[[dict[str, Array]], Report]
) -> tuple[dict[str, Array], Report] | None:
    """Find smaller inputs of the same layer on which it still fails.

    All axes of one length are taken for the same dimension and cropped together. Integer arrays (labels, indices)
    whose values no longer fit are wrapped around.

    Parameters
    ----------
    attempt
        Tries the layer on the given inputs.

    Returns
    -------
    tuple or None
        The smallest inputs that still fail, and their report; ``None`` where no cropping works.
    """
    for candidate in _candidates(inputs):
        try:
            report = attempt(candidate)
        except GradcheckError:
            continue
        if report.verdict is Verdict.FAIL:
            return candidate, report
    return None


def _candidates(inputs: Mapping[str, Array]) -> Iterator[dict[str, Array]]:
    lengths = sorted({length for array in inputs.values() for length in array.shape if length > SMALLEST[0]})
    leading = {array.shape[0] for array in inputs.values() if array.ndim} & set(lengths)
    seen: set[tuple[tuple[int, ...], ...]] = set()
    for smallest in SMALLEST:
        for chosen in (set(lengths), leading, *({length} for length in lengths)):
            target = {length: smallest + place for place, length in enumerate(sorted(chosen))}
            cropped = {name: _crop(array, target) for name, array in inputs.items()}
            shapes = tuple(array.shape for array in cropped.values())
            if shapes in seen or all(cropped[name].shape == inputs[name].shape for name in inputs):
                continue
            seen.add(shapes)
            yield cropped
            if any(array.dtype.kind in "iu" and array.size for array in inputs.values()):
                yield _wrap(cropped, set(target.values()))


def _crop(array: Array, target: Mapping[int, int]) -> Array:
    index = tuple(slice(0, min(length, target.get(length, length))) for length in array.shape)
    return np.array(array[index])


def _wrap(inputs: Mapping[str, Array], lengths: set[int]) -> dict[str, Array]:
    """Bring indices back into the range of the smallest cropped axis."""
    limit = min(lengths, default=1)
    return {
        name: np.asarray(array % limit, array.dtype) if array.dtype.kind in "iu" else array
        for name, array in inputs.items()
    }
