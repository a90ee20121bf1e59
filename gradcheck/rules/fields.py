"""Named arrays: one number per entry of the input (or of the output) that a ratio may equal a power of."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from gradcheck.rules.quantities import picked
from gradcheck.rules.truth import Floats
from gradcheck.rules.view import View


@dataclass(frozen=True)
class Field:
    """An array with a name; ``kind``: ``self``, ``weight``, ``sum``, ``norm``, ``support`` or ``length``."""

    label: str
    kind: str
    values: Floats


@dataclass(frozen=True)
class Match:
    """A ratio is ``constant * field ** power``."""

    field: Field
    power: float
    constant: float


POWERS = (1.0, -1.0, 2.0, -2.0, 0.5, -0.5)


def match(ratio: Floats, fields: Iterator[Field], *, least: int = 3, slack: Floats | float = 2e-6) -> Iterator[Match]:
    """Yield the fields of which a ratio is a power, times a constant; entries that are nan are not compared.

    Parameters
    ----------
    ratio
        Flat array; nan where it is unknown.
    fields
        Candidates of the same size.
    least
        How many different values the ratio must take.
    slack
        Relative difference at which two values count as equal; one for all, or one per entry.
    """
    known = np.isfinite(ratio)
    if known.sum() < least or np.any(ratio[known] == 0):
        return
    # a ratio of nearly 0 is a lost path, not a power of something
    sizes = np.sort(np.abs(ratio[known]))
    allowed = np.broadcast_to(slack, ratio.shape)[known]
    steps = np.diff(np.sort(ratio[known])) > 1e3 * float(np.median(allowed)) * sizes[-1]
    if sizes[0] < 1e-6 * sizes[-1] or 1 + np.count_nonzero(steps) < least:
        return
    for field in fields:
        values = field.values[known]
        if np.any(values == 0) or not np.all(np.isfinite(values)):
            continue
        for power in POWERS:
            if power % 1 and np.any(values < 0):
                continue
            quotient = ratio[known] / values**power
            middle = float(quotient[np.argmin(allowed)])
            if np.all(np.abs(quotient - middle) <= 2 * allowed * abs(middle)):
                yield Match(field, power, middle)
                break


def columns(view: View) -> Iterator[Field]:
    """Yield arrays with one number per entry of the input."""
    shape = view.x.shape
    yield Field(view.name, "self", view.x.ravel())
    if view.alike:
        yield Field("the output", "output", view.y)
    for name, value in view.truth.inputs.items():
        array = np.asarray(value)
        if name == view.name or array.dtype.kind not in "iuf" or array.size < 2:
            continue
        for label, values in _fits(name, np.asarray(array, dtype=np.float64), shape):
            yield Field(label, "weight", values)
        for label, values in _fits(name, np.asarray(array, dtype=np.float64), shape):
            yield Field(f"{view.name} + {label}", "sum", view.x.ravel() + values)
            yield Field(f"{view.name} - {label}", "sum", view.x.ravel() - values)
    for weights, labels in picked(view):
        chosen = np.asarray(view.truth.inputs[weights], dtype=np.float64)[np.asarray(view.truth.inputs[labels])]
        for label, values in _fits(f"{weights}[{labels}]", chosen, shape):
            yield Field(label, "weight", values)
    for label, values in _members(view):
        yield Field(label, "support", values)
    yield from _slices(view)
    support = (np.abs(view.J) > view.zero).sum(axis=0).astype(np.float64)
    yield Field("the number of outputs that use the entry", "support", support)


def _members(view: View) -> Iterator[tuple[str, Floats]]:
    """Yield how often a label occurs, for the rows of a table with one row per label, and for the labelled samples."""
    if not view.x.ndim:
        return
    length = len(view.x)
    trailing = (length,) + (1,) * (view.x.ndim - 1)
    for name, value in view.truth.inputs.items():
        labels = np.asarray(value)
        if name == view.name or labels.dtype.kind not in "iu" or labels.ndim != 1 or labels.min(initial=0) < 0:
            continue
        if labels.max(initial=0) < length:
            count = np.bincount(labels, minlength=length).astype(np.float64).reshape(trailing)
            yield f"how often {name} names the row", np.broadcast_to(count, view.x.shape).ravel()
        if len(labels) == length:
            own = np.bincount(labels)[labels].astype(np.float64).reshape(trailing)
            yield f"how many samples have the {name} of the sample", np.broadcast_to(own, view.x.shape).ravel()


def rows(view: View) -> Iterator[Field]:
    """Yield arrays with one number per entry of the output."""
    linked = np.abs(view.J) > view.zero
    yield Field("the number of inputs of each output", "support", linked.sum(axis=1).astype(np.float64))
    yield Field("the output", "output", view.y)
    if len(view.shapes) != 1:
        return
    for name, value in view.truth.inputs.items():
        # members of groups that integers number: a bag counts an index as often as it holds it
        array = np.asarray(value)
        length = view.shapes[0][0] if view.shapes[0] else 0
        if array.dtype.kind in "iu" and array.ndim == 1 and array.min(initial=0) >= 0 and array.size > length > 1:
            count = np.bincount(array)
            if len(count) == length and name != view.name:
                trailing = (length,) + (1,) * (len(view.shapes[0]) - 1)
                spread = np.broadcast_to(count.reshape(trailing), view.shapes[0]).ravel()
                yield Field(f"the size of the groups of {name}", "support", spread.astype(np.float64))
    for name, value in view.truth.inputs.items():
        array = np.asarray(value)
        if array.dtype.kind in "iuf" and array.size > 1 and name != view.name:
            for label, values in _fits(name, np.asarray(array, dtype=np.float64), view.shapes[0]):
                yield Field(label, "weight", values)
    for weights, labels in picked(view):
        chosen = np.asarray(view.truth.inputs[weights], dtype=np.float64)[np.asarray(view.truth.inputs[labels])]
        for label, values in _fits(f"{weights}[{labels}]", chosen, view.shapes[0]):
            yield Field(label, "weight", values)
    yield from _reduced(view)


def _fits(name: str, array: Floats, shape: tuple[int, ...]) -> Iterator[tuple[str, Floats]]:
    """Spread an array over a shape: as NumPy broadcasts it, or along the leading axes."""
    with suppress(ValueError):
        yield name, np.broadcast_to(array, shape).ravel().astype(np.float64)
    if array.ndim and array.ndim < len(shape) and array.shape == shape[: array.ndim]:
        trailing = array.reshape(array.shape + (1,) * (len(shape) - array.ndim))
        yield f"{name} (per sample)", np.broadcast_to(trailing, shape).ravel().astype(np.float64)


def _slices(view: View) -> Iterator[Field]:
    """Sums and norms of the slices of the input along every axis, spread over its entries."""
    x = view.x
    for axis in range(x.ndim):
        if x.shape[axis] < 2:
            continue
        for label, values in (
            ("the norm", np.linalg.norm(x, axis=axis, keepdims=True)),
            ("the sum", x.sum(axis=axis, keepdims=True)),
            ("the standard deviation", x.std(axis=axis, keepdims=True)),
        ):
            yield Field(
                f"{label} of {view.name} along axis {axis}", "norm", np.broadcast_to(values, x.shape).ravel().copy()
            )
        for name, value in view.truth.inputs.items():
            other = np.asarray(value)
            if name != view.name and other.shape == x.shape and other.dtype.kind in "iufb":
                total = (x + other).sum(axis=axis, keepdims=True)
                yield Field(
                    f"the sum of {view.name} and {name} along axis {axis}",
                    "sum",
                    np.broadcast_to(total, x.shape).ravel().copy(),
                )


def _reduced(view: View) -> Iterator[Field]:
    """Sums and norms of the slices of the input, where the output has one entry per slice."""
    x = view.x
    inputs = {
        n: np.asarray(v, dtype=np.float64) for n, v in view.truth.inputs.items() if np.asarray(v).dtype.kind in "iufb"
    }
    for axis in range(x.ndim):
        if x.shape[:axis] + x.shape[axis + 1 :] != view.shapes[0]:
            continue
        for name, other in inputs.items():
            if other.shape == x.shape:
                yield Field(f"the sum of {name} along axis {axis}", "sum", other.sum(axis=axis).ravel())
                yield Field(f"the norm of {name} along axis {axis}", "norm", np.linalg.norm(other, axis=axis).ravel())
                if name != view.name:
                    label = f"the sum of {view.name} and {name} along axis {axis}"
                    yield Field(label, "sum", (x + other).sum(axis=axis).ravel())
