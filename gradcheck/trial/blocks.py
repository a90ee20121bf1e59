"""The whole analytic Jacobian against the measured one, block by block: what one upstream cannot resolve.

In a sum over outputs a small entry hides behind large ones. Here each entry of each block is compared on its own;
a row that looks wrong is then measured and judged with its own unit upstream, like any other gradient.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from gradcheck.errors import LayerError
from gradcheck.numeric.examination import Examination
from gradcheck.numeric.survey import Survey
from gradcheck.trial.subject import Subject

Floats: TypeAlias = npt.NDArray[np.float64]

# What looks wrong by less than this many times what would be accepted is not worth a second measurement.
CLEARLY = 4.0
# A first look allows for this many standard deviations of noise, and this much truncation; the second one is exact.
NOISES = 4.0
TRUNCATION = 1e-6
# Numbers of the rows that are compared together, and of a tile of them.
_ROWS = 1 << 21
_TILE = 1 << 16
# Backward calls that overlapping slices may cost.
MOST_QUESTIONS = 1_200
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
    subject: Subject, name: str, result: Examination, rtol: float, floor: float, offset: Floats | None
) -> list[Floats]:
    """Return upstreams, as vectors of length M, for which the analytic gradient looks wrong; the worst first.

    Output i of every slice is given the upstream 1 at once, so that m backward calls ask for all blocks; where slices
    overlap, all outputs that have no input in common. ``floor`` is the absolute difference that the rounding of entries
    as large as the Jacobian's explains.
    """
    blocks, around = result.blocks, result.survey
    if blocks is None:
        return []
    offset = None if offset is None or not np.any(offset) else offset
    tolerance = max(rtol, TRUNCATION)
    found: list[tuple[float, Floats]] = []
    for unit, numeric, sigma in _questions(blocks, around):
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
    layout, count = around.layout, around.layout.outputs.shape[1]
    if layout.colours is not None:
        from gradcheck.numeric.colouring import group_rows

        colours = np.append(group_rows(layout, around.home.size), -1)
        for number in range(int(colours.max()) + 1 if colours.max() < MOST_QUESTIONS else 0):
            chosen = colours[layout.outputs] == number  # one output at most of each input's
            numeric = np.where(chosen, blocks[:, :, 0], 0.0).sum(axis=1, keepdims=True)
            sigma = np.where(chosen, around.sigma, 0.0).sum(axis=1, keepdims=True)
            yield np.asarray(colours[:-1] == number, dtype=np.float64), numeric, sigma
        return
    together = max(1, _ROWS // max(layout.size, 1))
    for start in range(0, count, together):
        rows = range(start, min(start + together, count))
        for i, numeric in zip(rows, _take_rows(blocks, rows), strict=True):
            unit = np.zeros(around.home.size)
            unit[layout.outputs[:, i]] = 1.0
            yield unit, numeric, around.sigma[:, i : i + 1]


def _take_rows(blocks: Floats, rows: range) -> Floats:
    """(R, S, n) copies of row i of every block, for some i; the blocks lie in memory the other way round."""
    slices, _, width = blocks.shape
    taken = np.empty((len(rows), slices, width))
    tile = max(1, _TILE // max(len(rows) * width, 1))  # what is read and written across stays in the cache
    for start in range(0, slices, tile):
        part = slice(start, start + tile)
        taken[:, part] = blocks[part, rows.start : rows.stop].transpose(1, 0, 2)
    return taken


def _excess(analytic: Floats, numeric: Floats, noise: Floats, steps: Floats, tolerance: float, floor: float) -> float:
    """Return by how many times what is allowed the worst entry of a row is off; 0 where none clearly is."""
    with np.errstate(invalid="ignore", divide="ignore"):
        difference = np.abs(analytic - numeric)
        allowed = np.abs(numeric)
        allowed *= CLEARLY * tolerance
        allowed += CLEARLY * floor
        if bool((difference <= allowed).all()):  # most rows are right: the noise need not even be looked at
            return 0.0
        allowed = noise / steps + tolerance * np.fmax(np.abs(analytic), np.abs(numeric)) + floor
        excess = difference / np.maximum(allowed, 1e-300)
    excess = np.where(np.isfinite(numeric), np.where(np.isnan(excess), np.inf, excess), 0.0)
    return float(np.max(excess, initial=0.0))
