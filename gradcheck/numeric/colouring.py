"""Locality: each output sees few inputs, as in a convolution, a pooling or a table look-up; found by moving inputs.

Inputs that no output sees both of share a colour, and are moved at once: the column grouping of Curtis, Powell and
Reid, "On the Estimation of Sparse Jacobian Matrices" (IMA J. Appl. Math. 13, 1974). The pattern is not given, it is
measured:

1. Along every axis the inputs are numbered in a Gray code; those with bit b set are moved, then those without. The
   outputs that change with the ones only see none of the others. Neighbours differ in one bit, so that what a window
   of inputs has in common leaves a set that is hardly larger than the window (2 ceil(log2 n) evaluations).
2. These sets are coloured, and each colour is moved up and down: an output that stands still sees not the one input of
   that colour which its set holds (two evaluations a colour).

What is found is what moved outputs at some distance from x. Nobody relies on it unseen: see ``numeric.locality``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import prod

import numpy as np

from gradcheck.numeric.evaluate import Array, Evaluator, Function, Indices, Mask, as_evaluator
from gradcheck.numeric.layout import Layout

MOST_PAIRS = 2_000_000  # of outputs with inputs that they may see
_DENSE = 0.9  # share of the outputs that see both halves of an axis, coarsely and finely, where it is not local


def find_local(
    function: Function | Evaluator, x: Array, y0: Array, rng: np.random.Generator, most: int
) -> Layout | None:
    """Find which outputs each input reaches, and colours of inputs that have none in common.

    Parameters
    ----------
    function
        Takes a float64 array of the shape of `x`, returns M numbers.
    y0
        (M,) values at `x`.
    rng
        Generator of the moves.
    most
        Colours from which on it is of no use.

    Returns
    -------
    Layout or None
        One slice per input with the outputs that it reaches; None where there are too many colours. A function whose
        axes all mix is refused after some four evaluations an axis.
    """
    evaluate = as_evaluator(function)
    before = evaluate.count
    # some output sees N / M inputs at least, if they are seen at all, and those need as many colours
    if x.size < 2 or x.size > most * y0.size or not np.isfinite(x).all() or not np.isfinite(y0).all():
        return None
    pairs = _candidates(evaluate, x, y0, rng, most)
    if pairs is None:
        return None
    colours = colour(pairs[1], pairs[0], x.size, y0.size)
    if int(colours.max()) >= most:
        return None
    seen, by = _prune(evaluate, x, y0, pairs, colours, rng)
    found = _lay_out(seen, by, x.size, y0.size)
    if found is None or found.colours is None or int(found.colours.max()) >= most:
        return None
    return replace(found, evaluations=evaluate.count - before)


def extend(layout: Layout, missed: Sequence[tuple[int, int]], outputs: int) -> Layout | None:
    """Add pairs of an output and an input to a coloured layout, and colour it anew; None where it gets too large."""
    reached = layout.outputs < outputs
    seen, by = layout.outputs[reached], np.nonzero(reached)[0]
    pairs = np.unique(np.concatenate([np.stack([by, seen], 1), np.array(missed, dtype=np.intp)[:, ::-1]]), axis=0)
    return _lay_out(pairs[:, 1], pairs[:, 0], layout.size, outputs)


def _lay_out(seen: Indices, by: Indices, inputs: int, outputs: int) -> Layout | None:
    """Layout of pairs of an output and an input that it sees; None where an input reaches too many."""
    reached = np.bincount(by, minlength=inputs)
    width = max(1, int(reached.max()))
    if width * inputs > MOST_PAIRS:
        return None
    table = np.full((inputs, width), outputs, dtype=np.intp)
    order = np.lexsort((seen, by))
    place = np.arange(by.size) - np.repeat(np.cumsum(reached) - reached, reached)
    table[by[order], place] = seen[order]
    return Layout(np.arange(inputs).reshape(-1, 1), table, "coloured", (), 0.0, 0, colour(by, seen, inputs, outputs))


def colour(columns: Indices, rows: Indices, count: int, height: int) -> Indices:
    """Colour columns so that none of a colour share a row: each the first colour that is free, in their order.

    Parameters
    ----------
    columns, rows
        Pairs of a column and a row in which it is not zero.
    count, height
        Number of columns and of rows.
    """
    order = np.argsort(columns, kind="stable")
    ends = np.cumsum(np.bincount(columns, minlength=count)).tolist()
    row_of = rows[order].tolist()
    taken = [0] * height  # by row: one bit per colour
    colours = np.zeros(count, dtype=np.intp)
    start = 0
    for column, end in enumerate(ends):
        mine = row_of[start:end]
        start = end
        met = 0
        for row in mine:
            met |= taken[row]
        free = ~met & (met + 1)
        for row in mine:
            taken[row] |= free
        colours[column] = free.bit_length() - 1
    return colours


def _candidates(
    evaluate: Evaluator, x: Array, y0: Array, rng: np.random.Generator, most: int
) -> tuple[Indices, Indices] | None:
    """Outputs and inputs that they may see, as pairs; None where some output may see too many."""
    bits: list[tuple[int, int, Mask, Mask]] = []
    everything = np.ones(y0.size, dtype=bool)
    dense = 1
    for axis in sorted(range(x.ndim), key=lambda axis: -x.shape[axis]):
        found = _probe_axis(evaluate, x, y0, axis, rng)
        if found is None:
            dense *= x.shape[axis]
            if dense > most:
                return None
            found = [(everything, everything)] * (x.shape[axis] - 1).bit_length()
        bits += [(axis, number, zeros, ones) for number, (zeros, ones) in enumerate(found)]
    live = np.ones(y0.size, dtype=bool)
    free = np.zeros(y0.size)
    for _, _, zeros, ones in bits:
        live &= zeros | ones
        free += zeros & ones
    if float(np.sum(2.0 ** free[live])) > MOST_PAIRS:
        return None
    outputs = np.flatnonzero(live)
    codes = [np.zeros(outputs.size, dtype=np.intp) for _ in range(x.ndim)]
    for axis, number, zeros, ones in bits:
        without, having = zeros[outputs], ones[outputs]
        outputs = np.concatenate([outputs[without], outputs[having]])
        set_ = [np.concatenate([code[without], code[having]]) for code in codes]
        set_[axis][int(without.sum()) :] |= 1 << number
        codes = set_
    places = [_from_gray(code) for code in codes]
    inside = np.ones(outputs.size, dtype=bool)
    for place, length in zip(places, x.shape, strict=True):
        inside &= place < length
    inputs = np.zeros(int(inside.sum()), dtype=np.intp)
    for place, length in zip(places, x.shape, strict=True):
        inputs = inputs * length + place[inside]
    return outputs[inside], inputs


def _probe_axis(
    evaluate: Evaluator, x: Array, y0: Array, axis: int, rng: np.random.Generator
) -> list[tuple[Mask, Mask]] | None:
    """Per bit the outputs that see coordinates without it, and with it; None where nearly all see everything."""
    count = (x.shape[axis] - 1).bit_length()
    codes = np.arange(x.shape[axis])
    codes ^= codes >> 1
    found: dict[int, tuple[Mask, Mask]] = {}
    # the coarsest halves and the finest ones first: where both are seen by nearly all outputs, all others will be
    for number in dict.fromkeys([count - 1, 0, *range(count)] if count else []):
        masks = []
        for value in (0, 1):
            along = (((codes >> number) & 1) == value).reshape([-1 if k == axis else 1 for k in range(x.ndim)])
            masks.append(_changed(evaluate(np.where(along, _moved(x, rng), x)), y0))
        found[number] = masks[0], masks[1]
        if len(found) == min(2, count) and all(_is_dense(*pair) for pair in found.values()):
            return None
    return [found[number] for number in range(count)]


def _is_dense(zeros: Mask, ones: Mask) -> bool:
    seen = int((zeros | ones).sum())
    return int((zeros & ones).sum()) >= _DENSE * seen


def _prune(
    evaluate: Evaluator,
    x: Array,
    y0: Array,
    pairs: tuple[Indices, Indices],
    colours: Indices,
    rng: np.random.Generator,
) -> tuple[Indices, Indices]:
    """Pairs whose output changes when the colour of the input is moved up, or down."""
    outputs, inputs = pairs
    changed = np.zeros((int(colours.max()) + 1, y0.size), dtype=bool)
    for number, point in enumerate(_of_each_colour(x, colours, rng)):
        changed[number // 2] |= _changed(evaluate(point), y0)
    kept = changed[colours[inputs], outputs]
    return outputs[kept], inputs[kept]


def _of_each_colour(x: Array, colours: Indices, rng: np.random.Generator) -> Iterator[Array]:
    for number in range(int(colours.max()) + 1):
        mine = (colours == number).reshape(x.shape)
        moved = _moved(x, rng)
        yield np.where(mine, moved, x)
        yield np.where(mine, x - (moved - x), x)


def _moved(x: Array, rng: np.random.Generator) -> Array:
    """All inputs moved by about their own size, at random; probabilities and the like stay on their side of zero."""
    typical = float(np.sqrt(np.mean(x * x))) or 1.0
    one_signed = bool(np.all(x >= 0) or np.all(x <= 0))
    size = np.where(x == 0, typical, np.abs(x)) if one_signed else np.maximum(np.abs(x), typical)
    sign = np.where((x == 0) & one_signed, 1.0, rng.choice([-1.0, 1.0], x.shape))
    moved: Array = x + sign * size * rng.uniform(0.25, 0.75, x.shape)
    return moved


def _changed(values: Array, y0: Array) -> Mask:
    """Outputs of which any bit changed; all, where there is another number of them."""
    if values.size != y0.size:
        return np.ones(y0.size, dtype=bool)
    changed: Mask = values != y0
    return changed


def _from_gray(codes: Indices) -> Indices:
    numbers: Indices = codes.copy()
    shift = 1
    while shift < 64:
        numbers = numbers ^ (numbers >> shift)
        shift *= 2
    return numbers


def group_rows(layout: Layout, outputs: int) -> Indices:
    """Colours of the outputs, -1 for those that no input reaches: of a colour no two see the same input."""
    reached = layout.outputs < outputs
    rows = layout.outputs[reached]
    columns = np.nonzero(reached)[0]
    colours = colour(rows, columns, outputs, prod(layout.inputs.shape))
    colours[np.bincount(rows, minlength=outputs) == 0] = -1
    return colours
