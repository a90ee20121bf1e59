"""Accumulation and indexing: sums of which only a part arrives."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gradcheck.rules.predictions import Prediction
from gradcheck.rules.registry import rule
from gradcheck.rules.truth import Floats
from gradcheck.rules.view import View


def last_only(view: View, first: bool = False) -> Floats | None:
    """Keep, for every input entry, only the last output entry it contributes to; ``None`` if that is all there is.

    A loop over the places of a kernel, or a loop that runs backward, leaves the ``first`` instead.
    """
    linked = np.abs(view.J) > view.zero
    if not np.any(linked.sum(axis=0) > 1):
        return None
    last = np.argmax(linked, axis=0) if first else view.M - 1 - np.argmax(linked[::-1], axis=0)
    keep = np.zeros_like(linked)
    keep[last, np.arange(view.N)] = True
    return np.where(keep, view.J, 0.0)


def last_along(view: View, axis: int, first: bool = False) -> Floats | None:
    """Keep, of what every input entry contributes along one axis of the output, the last (or first) term alone."""
    (shape,) = view.shapes
    linked = np.moveaxis((np.abs(view.J) > view.zero).reshape(*shape, view.N), axis, 0)
    if len(shape) < 2 or not np.any(linked.sum(axis=0) > 1):
        return None
    size = shape[axis]
    kept = np.argmax(linked, axis=0) if first else size - 1 - np.argmax(linked[::-1], axis=0)
    keep = np.arange(size).reshape(-1, *(1,) * kept.ndim) == kept
    return np.where(np.moveaxis(keep, 0, axis).reshape(view.M, view.N), view.J, 0.0)


def repeated_indices(view: View) -> str:
    """Name an input of integers in which a number occurs twice, or return an empty string."""
    for name, value in view.truth.inputs.items():
        array = np.asarray(value)
        if name != view.name and array.dtype.kind in "iu" and array.size > np.unique(array).size:
            return name
    return ""


def _uneven(view: View) -> bool:
    """Whether some input entries contribute to one output entry and others to several."""
    uses = (np.abs(view.J) > view.zero).sum(axis=0)
    uses = uses[uses > 0]
    return bool(uses.size and uses.min() != uses.max())


def picks_entries(view: View) -> bool:
    """Whether the layer picks entries, each output entry being one of the input's (or a multiple of it)."""
    return bool(np.all((np.abs(view.J) > view.zero).sum(axis=1) <= 1))


@rule("overlap-overwrite", "indexing", 13)
def overlap_overwrite(view: View) -> Iterator[Prediction]:
    """Where windows overlap, the last one overwrites what the others contributed.

    How it comes about: ``=`` instead of ``+=`` in the loop over windows.

    Formula: a_i is the contribution of the last window that covers i.

    Hidden when: the stride is at least the kernel.

    Mended: ``+=``.

    Wrong::

        dx[:, i * s : i * s + k] = g[:, i : i + 1] / k

    Right::

        dx[:, i * s : i * s + k] += g[:, i : i + 1] / k
    """
    matrix = last_only(view)
    if matrix is not None and not repeated_indices(view) and not picks_entries(view) and _uneven(view):
        yield Prediction(
            "entries that several windows cover received the contribution of the last window only",
            "accumulate with += over the windows",
            jacobian=matrix,
            usual=True,
        )
    matrix = last_only(view, first=True) if view.account is not None else None
    if matrix is not None and not repeated_indices(view) and not picks_entries(view) and _uneven(view):
        yield Prediction(
            "entries that several windows cover received the contribution of one window only, the first",
            "accumulate with += over the windows",
            jacobian=matrix,
            rank=1,
        )


@rule("loop-overwrites-accumulator", "indexing", 14)
def loop_overwrites(view: View) -> Iterator[Prediction]:
    """A loop over samples, steps or columns assigns where it should add: the last term survives.

    How it comes about: ``=`` instead of ``+=``, or ``= -c`` instead of ``-= c``.

    Formula: a is the last term of the sum.

    Hidden when: the loop runs once: one sample, one step, one column.

    Mended: ``+=``.

    Wrong::

        for i in range(n): dW = np.outer(x[i], g[i])

    Right::

        for i in range(n): dW += np.outer(x[i], g[i])
    """
    remedy = "accumulate with += inside the loop"
    for axis, size, keep in slabs(view):
        matrix = np.where((keep == size - 1)[:, None], view.J, 0.0)
        yield Prediction(
            f"only the last of the {size} terms along axis {axis} of the output arrived",
            remedy,
            jacobian=matrix,
            usual=view.account is None and (size == 1 or not _block_diagonal(view, keep)),
        )
    last = last_only(view)
    if last is not None:
        yield Prediction("only the last contribution to every entry arrived", remedy, jacobian=last, rank=2)
    first = last_only(view, first=True) if view.account is not None else None
    if first is not None:
        yield Prediction("only one contribution to every entry arrived, the first", remedy, jacobian=first, rank=4)
    for axis, _, _ in slabs(view) if view.account is not None else ():
        for which, first_one in (("last", False), ("first", True)):
            part = last_along(view, axis, first_one)
            if part is not None:
                text = f"of the terms along axis {axis} of the output only the {which} arrived at every entry"
                yield Prediction(text, remedy, jacobian=part, rank=5)
    for words, part in _samples(view, -1):
        yield Prediction(f"only the last sample's contribution arrived{words}", remedy, jacobian=part, rank=4)


def _block_diagonal(view: View, keep: np.ndarray) -> bool:
    """Whether every input entry reaches one index of an output axis only, so that there is nothing to sum along it."""
    linked = np.abs(view.J) > view.zero
    return all(len(np.unique(keep[linked[:, column]])) <= 1 for column in range(view.N))


def slabs(view: View) -> Iterator[tuple[int, int, np.ndarray]]:
    """Yield every axis of a single output, its length, and the index of every output entry along it."""
    if len(view.shapes) != 1:
        return
    (shape,) = view.shapes
    place = np.unravel_index(np.arange(view.M), shape) if shape else ()
    for axis, size in enumerate(shape):
        if size > 1 or view.account is None:
            yield axis, int(size), place[axis]


def _samples(view: View, which: int) -> Iterator[tuple[str, Floats]]:
    """Yield the Jacobian that one sample alone gives, for a loss over a batch; as it is, and divided by the batch."""
    if view.M != 1:
        return
    lengths = {np.shape(v)[0] for v in view.truth.inputs.values() if np.ndim(v)}
    for count in sorted(lengths):
        if count < 2:
            continue
        touched = {
            name: np.asarray(value)[[which]]
            for name, value in view.truth.inputs.items()
            if np.ndim(value) and np.shape(value)[0] == count
        }
        part = view.measure(touched)
        if part is None or part.shape[0] != 1:
            continue
        matrix = part
        if view.name in touched:
            if part.shape[1] * count != view.N:
                continue
            matrix = np.zeros_like(view.J)
            width = part.shape[1]
            start = (count - 1) * width if which == -1 else 0
            matrix[:, start : start + width] = part
        if matrix.shape == view.J.shape:
            yield "", matrix
            yield f", divided by {count}", matrix / count


@rule("early-exit-from-loop", "indexing", 15)
def early_exit(view: View) -> Iterator[Prediction]:
    """A return or break stands inside the loop: only the first sample, channel or window is done.

    How it comes about: ``return`` is indented one level too deep.

    Formula: a is right on the first block and 0 elsewhere.

    Hidden when: there is one window, or one sample.

    Mended: move the return out of the loop.

    Wrong::

        for i in range(n):
            for j in range(m): ...
            return dx

    Right::

        for i in range(n):
            for j in range(m): ...
        return dx
    """
    message, remedy = "only the first {} was done, the rest is 0", "move the return (or break) out of the loop"
    for axis, size, keep in slabs(view):
        matrix = np.where((keep == 0)[:, None], view.J, 0.0)
        text = message.format(f"of {size} along axis {axis} of the output")
        yield Prediction(text, remedy, jacobian=matrix, usual=True)
    if view.M > 1:
        matrix = np.where((np.arange(view.M) == 0)[:, None], view.J, 0.0)
        yield Prediction(message.format("output entry"), remedy, jacobian=matrix, rank=1)
    place = np.unravel_index(np.arange(view.N), view.x.shape) if view.x.ndim else ()
    for axis, index in enumerate(place):
        if view.x.shape[axis] > 1:
            matrix = np.where((index == 0)[None, :], view.J, 0.0)
            text = message.format(f"index along axis {axis} of {view.name}")
            yield Prediction(text, remedy, jacobian=matrix, rank=2)
            # all but the last is another bug: a loop that stops one short
            for count in range(2, view.x.shape[axis] - 1) if view.account is not None else ():
                matrix = np.where((index < count)[None, :], view.J, 0.0)
                text = message.format(f"{count} of {view.x.shape[axis]} along axis {axis} of {view.name}")
                yield Prediction(text, remedy, jacobian=matrix, rank=5)
    for words, part in _samples(view, 0):
        yield Prediction(message.format(f"sample{words}"), remedy, jacobian=part, rank=4)
    if view.A is not None and not view.offset.any() and view.A.any():
        done: np.ndarray = np.asarray(np.count_nonzero(view.A, axis=1) > 0)
        count = int(np.argmin(done)) if not done.all() else 0
        if 0 < count < view.M and not done[count:].any():
            matrix = np.where(done[:, None], view.J, 0.0)
            yield Prediction(message.format(f"{count} of {view.M} output entries"), remedy, jacobian=matrix, rank=8)
