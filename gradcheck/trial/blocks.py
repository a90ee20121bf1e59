"""The whole analytic Jacobian against the measured one, block by block: what one upstream cannot resolve.

In a sum over outputs a small entry hides behind large ones. Here each entry of each block is compared on its own;
a row that looks wrong is then measured and judged with its own unit upstream, like any other gradient.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gradcheck.errors import LayerError
from gradcheck.numeric.examination import Examination
from gradcheck.numeric.survey import Survey
from gradcheck.trial.calls import Floats
from gradcheck.trial.compare import Places
from gradcheck.trial.series import Series
from gradcheck.trial.subject import Subject

# What looks wrong by less than this many times what would be accepted is not worth a second measurement.
CLEARLY = 4.0
# A first look allows for this many standard deviations of noise, and this much truncation; the second one is exact.
NOISES = 4.0
TRUNCATION = 1e-6
# Numbers of the rows that are compared together (some ten of a large case), and of a tile of them.
_ROWS = 1 << 20
_TILE = 1 << 16
# Backward calls that overlapping slices may cost.
MOST_QUESTIONS = 1_200
# From so many rows on it is worth asking whether the backward needs a forward before each of them.
_WORTH_LEAVING_OUT = 32
# Rows that are looked at again.
MOST_ROWS = 3


def peak_of(result: Examination) -> float:
    """Return the largest entry of the measured Jacobian."""
    if result.blocks is None:
        return 0.0
    highest, lowest = float(np.max(result.blocks, initial=0.0)), float(np.min(result.blocks, initial=0.0))
    if np.isfinite(highest) and np.isfinite(lowest):  # nan would show in both: no copies of the blocks
        return max(highest, -lowest)
    return float(np.max(np.abs(result.blocks[np.isfinite(result.blocks)]), initial=0.0))


def find_suspicious(
    subject: Subject, name: str, result: Examination, rtol: float, rounding: float, offset: Floats | None
) -> list[Floats]:
    """Return upstreams, as vectors of length M, for which the analytic gradient looks wrong; the worst first.

    Output i of every slice is given the upstream 1 at once, so that m backward calls ask for all blocks; where slices
    overlap, all outputs that have no input in common. An absolute difference of ``rounding`` times the Jacobian's
    largest entry is explained by the rounding of such entries.
    """
    if result.blocks is None:
        return []
    if result.survey.layout.colours is not None:
        return _scan_overlapping(subject, name, result, (rtol, rounding), offset)
    series = Series(subject, forwards=result.survey.layout.outputs.shape[1] < _WORTH_LEAVING_OUT)
    rows = _scan(series, subject, name, result, (rtol, rounding), offset)
    if not series.is_steady():
        rows = _scan(Series(subject, forwards=True), subject, name, result, (rtol, rounding), offset)
    outputs = result.survey.layout.outputs
    return [_unit(subject.weights.size, outputs[:, i]) for i in rows]


def _scan_overlapping(
    subject: Subject, name: str, result: Examination, allowed: tuple[float, float], offset: Floats | None
) -> list[Floats]:
    """Return upstreams for slices that overlap; as :func:`find_suspicious` does."""
    assert result.blocks is not None
    around, offset = result.survey, None if offset is None or not np.any(offset) else offset
    tolerance, floor = max(allowed[0], TRUNCATION), allowed[1] * peak_of(result)
    found: list[tuple[float, Floats]] = []
    for unit, numeric, sigma in _questions(result.blocks, around):
        try:
            gradients = subject.vjp(subject.as_upstream(unit))
        except LayerError:
            return []
        if name not in gradients:
            return []
        analytic = around.layout.gather_inputs(gradients[name] if offset is None else gradients[name] - offset)
        worst = _excess(analytic, numeric, NOISES * sigma, around.steps, tolerance, floor)
        if worst > CLEARLY:
            found.append((worst, unit))
    found.sort(key=lambda row: -row[0])
    return [unit for _, unit in found[:MOST_ROWS]]


def _questions(blocks: Floats, around: Survey) -> Iterator[tuple[Floats, Floats, Floats]]:
    """Upstreams of zeros and ones, what is measured for them, (S, n), and the noise of that output, (S, 1)."""
    from gradcheck.numeric.colouring import group_rows

    layout = around.layout
    colours = np.append(group_rows(layout, around.home.size), -1)
    for number in range(int(colours.max()) + 1 if colours.max() < MOST_QUESTIONS else 0):
        chosen = colours[layout.outputs] == number  # one output at most of each input's
        numeric = np.where(chosen, blocks[:, :, 0], 0.0).sum(axis=1, keepdims=True)
        sigma = np.where(chosen, around.sigma, 0.0).sum(axis=1, keepdims=True)
        yield np.asarray(colours[:-1] == number, dtype=np.float64), numeric, sigma


def _scan(
    series: Series,
    subject: Subject,
    name: str,
    result: Examination,
    allowed: tuple[float, float],
    offset: Floats | None,
) -> list[int]:
    """Return the outputs of a slice whose rows look wrong; the worst first."""
    blocks, around = result.blocks, result.survey
    assert blocks is not None
    layout, count = around.layout, around.layout.outputs.shape[1]
    tolerance, rounding = max(allowed[0], TRUNCATION), allowed[1]
    # few entries are as large as the largest: most rows agree even if only that of these is allowed for
    sample = blocks[:, :, around.audit]
    rough = rounding * float(np.max(np.abs(sample[np.isfinite(sample)]), initial=0.0))
    offset = None if offset is None or not np.any(offset) else layout.gather_inputs(offset)
    found: list[tuple[float, int]] = []
    together = max(1, _ROWS // max(layout.size, 1))
    unit = np.zeros(subject.weights.size)
    claimed = np.empty((min(together, count), layout.slices, layout.width))
    for start in range(0, count, together):
        rows = range(start, min(start + together, count))
        for i, analytic in zip(rows, claimed, strict=False):
            unit[layout.outputs[:, i]] = 1.0
            try:
                gradients = series.ask(subject.as_upstream(unit))
            except LayerError:
                return []
            if name not in gradients:
                return []
            analytic[:] = layout.gather_inputs(gradients[name])
            if offset is not None:
                analytic -= offset
            if i < count - 1:  # the last one is asked for again
                unit[layout.outputs[:, i]] = 0.0
        for i in _find_unequal(claimed[: len(rows)], blocks, rows, CLEARLY * tolerance, CLEARLY * rough):
            floor = rounding * peak_of(result)
            sigma = NOISES * around.sigma[:, i : i + 1]
            worst = _excess(claimed[i - start], blocks[:, i], sigma, around.steps, tolerance, floor)
            if worst > CLEARLY:
                found.append((worst, i))
    found.sort(key=lambda row: -row[0])
    return [i for _, i in found[:MOST_ROWS]]


def _unit(size: int, places: Places) -> Floats:
    vector = np.zeros(size)
    vector[places] = 1.0
    return vector


def _find_unequal(claimed: Floats, blocks: Floats, rows: range, relative: float, absolute: float) -> list[int]:
    """Return the rows in which an entry of some block is off by more, noise apart; most rows have none."""
    _, slices, width = claimed.shape
    unequal = np.zeros(len(rows), dtype=bool)
    # the blocks lie in memory the other way round: what is read and written across is to stay in the cache
    tile = min(slices, max(1, _TILE // max(len(rows) * width, 1)))
    buffer = np.empty((len(rows), tile, width))
    with np.errstate(all="ignore"):
        for start in range(0, slices, tile):
            analytic = claimed[:, start : start + tile]
            difference = buffer[:, : analytic.shape[1]]
            np.copyto(difference, blocks[start : start + tile, rows.start : rows.stop].transpose(1, 0, 2))
            np.subtract(analytic, difference, out=difference)
            # strictly less, here and below: what is infinite, or no number, is not
            if difference.max(initial=0.0) < absolute and difference.min(initial=0.0) > -absolute:
                continue
            allowed = relative * np.abs(analytic) + absolute
            unequal |= ~(np.abs(difference, out=difference) < allowed).all(axis=(1, 2))
    return [rows[place] for place in np.flatnonzero(unequal)]


def _excess(analytic: Floats, numeric: Floats, noise: Floats, steps: Floats, tolerance: float, floor: float) -> float:
    """Return by how many times what is allowed the worst entry of a row is off; 0 where none clearly is."""
    with np.errstate(invalid="ignore", divide="ignore"):
        difference = np.abs(analytic - numeric)
        allowed = noise / steps + tolerance * np.fmax(np.abs(analytic), np.abs(numeric)) + floor
        excess = difference / np.maximum(allowed, 1e-300)
    excess = np.where(np.isfinite(numeric), np.where(np.isnan(excess), np.inf, excess), 0.0)
    return float(np.max(excess, initial=0.0))
