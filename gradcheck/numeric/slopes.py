"""Differences along single columns: all slices at once, reduced with the upstream after differencing.

Outputs that a move does not reach cancel bit for bit when they are differenced before they are summed; that is worth
an order of magnitude of accuracy over differences of the summed scalar, at no cost.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gradcheck.numeric.evaluate import Array, Evaluator, Indices, Mask, pick, root_sum_squares
from gradcheck.numeric.layout import NotLocalError
from gradcheck.numeric.survey import Survey

_CHUNK = 1 << 16  # numbers held per array while columns are worked on together: what a cache holds
_FEW = 16  # outputs, or one in so many, that may change unexpectedly and be looked into one by one
_KINK = 0.25  # share of the larger one-sided slope by which the two must differ before an output counts as kinked


@dataclass(eq=False, slots=True)
class Slopes:
    """Slopes at one step; arrays are (S, C): slices times columns.

    Attributes
    ----------
    half
        Half the distance of the two points that were really evaluated.
    central, forward, backward
        Slopes of the weighted outputs from the three pairs of points.
    bend
        Second difference of the weighted outputs.
    last_place
        What the move adds to a unit in the last place of the weighted outputs, summed in squares.
    lower, upper
        Range of slopes where outputs with a kink at the point may take any of their one-sided slopes.
    moved
        Whether any output changed by a single bit.
    outputs, bends
        (C, S, m) central slopes and second differences per output, where they were asked for.
    """

    half: Array
    central: Array
    forward: Array
    backward: Array
    bend: Array
    last_place: Array
    lower: Array
    upper: Array
    moved: Mask
    outputs: Array | None = None
    bends: Array | None = None

    def columns(self, chosen: Indices | Mask) -> Slopes:
        """Slopes of some of the columns; without those per output where every slice has columns of its own."""
        entries = {name: pick(getattr(self, name), chosen) for name in _ENTRIES}
        if chosen.ndim == 2:
            return Slopes(**entries)
        more = {name: value[chosen] for name in _OUTPUTS if (value := getattr(self, name)) is not None}
        return Slopes(**entries, **more)


_ENTRIES = ("half", "central", "forward", "backward", "bend", "last_place", "lower", "upper", "moved")
_OUTPUTS = ("outputs", "bends")


def measure_slopes(
    evaluate: Evaluator,
    survey: Survey,
    columns: Indices,
    steps: Array,
    *,
    detail: bool = False,
    hull: bool = False,
    store: Array | None = None,
    rows: Indices | None = None,
) -> Slopes:
    """Move each column of all slices up and down by its step (2 evaluations a column).

    Parameters
    ----------
    columns
        C column numbers, each below n; or (S, C): those of every slice.
    steps
        (S, C) steps.
    detail
        Keep slopes and second differences per output: C x S x m numbers each.
    hull
        Find the range of slopes that kinked outputs leave open; without it, that of the weighted sum.
    store, rows
        (any, S, m) array to write the slopes per output to, and the row of each column in it.
    """
    count = columns.shape[-1]
    size = max(1, int(survey.y0.size))
    chunk = max(1, min(count, _CHUNK // size)) if count else 1
    values = _values(evaluate, survey, columns, steps)
    room = np.empty((2, min(chunk, count), *survey.y0.shape))  # for the differences of every chunk in its turn
    parts = []
    for start in range(0, max(count, 1), chunk):
        place = slice(start, start + chunk)
        kept = () if store is None or rows is None else tuple(store[row] for row in rows[place])
        parts.append(_measure(values, survey, columns[..., place], steps[:, place], room, detail, hull, kept))
    return join_slopes(parts)


def join_slopes(parts: list[Slopes]) -> Slopes:
    """Slopes of the columns of all parts; per output only if every part has them."""
    if len(parts) == 1:
        return parts[0]
    joined = {name: np.concatenate([getattr(part, name) for part in parts], axis=1) for name in _ENTRIES}
    kept = {}
    for name in _OUTPUTS:
        values = [getattr(part, name) for part in parts]
        if all(value is not None for value in values):
            kept[name] = np.concatenate(values)
    return Slopes(**joined, **kept)


def _measure(
    values: Iterator[Array],
    survey: Survey,
    columns: Indices,
    steps: Array,
    room: Array,
    detail: bool,
    hull: bool,
    store: tuple[Array, ...],
) -> Slopes:
    here = pick(survey.layout.gather_inputs(survey.x), columns)
    up, down = here + steps, here - steps
    rise, fall = room[:, : here.shape[1]]
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        for number in range(len(rise)):
            np.subtract(next(values), survey.y0, out=rise[number])
            np.subtract(survey.y0, next(values), out=fall[number])
        for number, slopes in enumerate(store):
            np.add(rise[number], fall[number], out=slopes)
            slopes /= (up - down)[:, number, None]
    return _reduce(survey, rise, fall, (here, up, down), detail, hull)


def _values(evaluate: Evaluator, survey: Survey, columns: Indices, steps: Array) -> Iterator[Array]:
    """(S, m) values with each column up by its step, then down, column after column."""
    dead = bool(survey.dead.any())
    values = evaluate.many(_points(survey, columns, steps))
    if survey.layout.colours is not None:
        values = _put_together(evaluate, survey, columns, steps, values)
    else:
        values = map(survey.layout.gather_outputs, values)
    for value in values:
        yield np.where(survey.dead, 0.0, value) if dead else value


def _points(survey: Survey, columns: Indices, steps: Array) -> Iterator[Array]:
    layout, here = survey.layout, survey.x.reshape(-1)
    groups = layout.groups
    for number, inputs in enumerate(pick(layout.inputs, columns).T):
        for sign in (1.0, -1.0):
            for rows in groups:
                places = inputs[rows]
                moved = survey.x.copy()
                moved.reshape(-1)[places] = here[places] + sign * steps[rows, number]
                yield moved


def _put_together(
    evaluate: Evaluator, survey: Survey, columns: Indices, steps: Array, values: Iterator[Array]
) -> Iterator[Array]:
    """(S, m) values from those of each colour, whose slices are taken from it.

    Raises
    ------
    NotLocalError
        If outputs changed that none of the slices that were moved reaches: with the inputs that do.
    """
    layout = survey.layout
    groups = layout.groups
    for number, column in enumerate(columns):
        missed: list[tuple[int, int]] = []
        astray = False
        for sign in (1.0, -1.0):
            together = np.empty(layout.outputs.shape)
            for rows in groups:
                flat = next(values)
                reached = layout.outputs[rows]
                together[rows] = np.append(flat, 0.0)[reached]
                strays = np.append((flat != survey.home) & ~(np.isnan(flat) & np.isnan(survey.home)), [False])
                strays[reached] = False
                if strays.any():
                    if int(strays.sum()) > max(_FEW, strays.size // _FEW):
                        raise NotLocalError
                    moves = sign * steps[rows, number]
                    missed += _locate(evaluate, survey, layout.inputs[rows, column], moves, np.flatnonzero(strays))
                    astray = True
            if astray and sign < 0:
                raise NotLocalError(layout if missed else None, missed)
            yield together


def _locate(
    evaluate: Evaluator, survey: Survey, places: Indices, moves: Array, strays: Indices
) -> list[tuple[int, int]]:
    """Outputs that changed with the inputs at some places, each with the one that changes it, by binary numbers."""
    codes = np.arange(places.size)
    found = np.zeros(strays.size, dtype=np.intp)
    for bit in range((places.size - 1).bit_length()):
        chosen = ((codes >> bit) & 1).astype(bool)
        moved = survey.x.copy()
        moved.reshape(-1)[places[chosen]] += moves[chosen]
        found |= (evaluate.view(moved)[strays] != survey.home[strays]).astype(np.intp) << bit
    # with two that change it the number is wrong: one pair too many, and the output will stray again
    return [(int(output), int(places[code])) for output, code in zip(strays, found, strict=True) if code < places.size]


def _reduce(
    survey: Survey, rise: Array, fall: Array, points: tuple[Array, Array, Array], detail: bool, hull: bool
) -> Slopes:
    here, up, down = points
    with np.errstate(invalid="ignore", divide="ignore", over="ignore", under="ignore"):
        outputs = (rise + fall) / (up - down).T[:, :, None] if detail else None
        (ahead, length), (behind, other) = _weigh(rise, survey.weights), _weigh(fall, survey.weights)
        forward, backward = ahead / (up - here), behind / (here - down)
        central = (ahead + behind) / (up - down)
        moved = (ahead != 0) | (behind != 0)
        for row, number in zip(*np.nonzero(~moved), strict=True):  # sums may cancel, or weights be zero
            moved[row, number] = bool(rise[number, row].any() or fall[number, row].any())
        slopes = Slopes(
            half=(up - down) / 2,
            central=central,
            forward=forward,
            backward=backward,
            bend=ahead - behind,
            last_place=2.0**-52 * np.maximum(length, other),
            lower=central,
            upper=central,
            moved=moved,
            outputs=outputs,
            bends=rise - fall if detail else None,
        )
        if hull:
            spread = _spread(survey, rise / (up - here).T[:, :, None], fall / (here - down).T[:, :, None], slopes.half)
            slopes.lower, slopes.upper = central - spread, central + spread
    return slopes


def _weigh(values: Array, weights: Array) -> tuple[Array, Array]:
    """(S, C) weighted sums of (C, S, m) values, and lengths; in the sum an output without weight may be no number."""
    weighed = values * weights
    total: Array = (weighed[:, :, 0] if weights.shape[1] == 1 else weighed.sum(axis=2)).T
    broken = ~np.isfinite(total)
    if broken.any() and bool((weights == 0).any()):
        total = np.where(broken, np.where(weights == 0, 0.0, weighed).sum(axis=2).T, total)
    return total, root_sum_squares(weighed).T


def _spread(survey: Survey, ahead: Array, behind: Array, half: Array) -> Array:
    """(S, C) half of the range that kinked outputs leave open, given both one-sided slopes of every output."""
    gap = np.abs(ahead - behind)
    noise = 6 * survey.sigma / half.T[:, :, None]
    kinked = gap > _KINK * np.maximum(np.abs(ahead), np.abs(behind)) + noise
    half_range: Array = _weigh(np.where(kinked, gap, 0.0), np.abs(survey.weights))[0] / 2
    return half_range
