"""Where along a direction the claim is wrong: halves that disagree are halved, O(log N) evaluations for each entry.

Residuals are additive: that of the right half is that of the whole less that of the left.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from gradcheck.numeric.evaluate import Array
from gradcheck.numeric.projection import Projector, Residual

_SHORT = 0.25  # halves are measured with two evaluations, at a quarter of the move, where truncation is small
_SURE = 8.0  # an inferred residual closer to its bound than this is measured
_GENERATIONS = 3  # a range all of whose great-grandchildren disagree is wrong as a whole


@dataclass(slots=True)
class Location:
    """Where a claim disagrees.

    Attributes
    ----------
    entries
        Flat indices that disagree on their own.
    blocks
        Ranges (start, stop) of flat indices that disagree throughout.
    lost
        Ranges that disagreed as a whole but in no part of them: too small to be followed, or the budget was spent.
    """

    entries: list[int] = field(default_factory=list)
    blocks: list[tuple[int, int]] = field(default_factory=list)
    lost: list[tuple[int, int]] = field(default_factory=list)


@dataclass(slots=True)
class _Range:
    start: int
    stop: int
    path: int  # position among the ranges of its generation
    value: float
    bound: float


def locate(projector: Projector, move: Array, whole: Residual, *, budget: int = 500, most: int = 64) -> Location:
    """Follow a residual down to single entries.

    Parameters
    ----------
    move
        Along which the claim disagrees.
    whole
        Residual of the entire move, from four evaluations.
    budget
        Evaluations that may be spent.
    most
        Entries after which the search stops.
    """
    return _Search(projector, move, budget, most).run(whole)


class _Search:
    def __init__(self, projector: Projector, move: Array, budget: int, most: int) -> None:
        self._projector, self._move = projector, move
        self._left, self._most = budget, most

    def run(self, whole: Residual) -> Location:
        found = Location()
        ranges = [_Range(0, self._move.size, 1, whole.value, whole.bound)] if self._move.size else []
        while ranges:
            found.entries += self._settle([part for part in ranges if part.stop - part.start == 1])
            larger = [part for part in ranges if part.stop - part.start > 1]
            if self._left <= 0 or len(found.entries) >= self._most:
                found.lost += [(part.start, part.stop) for part in larger]
                break
            ranges = []
            for part in larger:
                halves = self._split(part)
                ranges += halves
                if not halves:
                    found.lost.append((part.start, part.stop))
            ranges = self._take_blocks(ranges, found)
        found.entries.sort()
        found.blocks.sort()
        return found

    def _settle(self, leaves: list[_Range]) -> list[int]:
        """Single entries that four evaluations confirm."""
        return [leaf.start for leaf in leaves if self._measure(leaf.start, leaf.stop).refutes]

    def _split(self, part: _Range) -> list[_Range]:
        """Halves that disagree."""
        middle = (part.start + part.stop) // 2
        left = self._measure_quickly(part.start, middle)
        value, bound = part.value - left[0], part.bound + left[1]
        left_bad, right_bad = abs(left[0]) > left[1], abs(value) > bound
        if not left_bad and not right_bad:
            careful = self._measure(part.start, middle)
            left, left_bad = (careful.value, careful.bound), careful.refutes
            careful = self._measure(middle, part.stop)
            value, bound, right_bad = careful.value, careful.bound, careful.refutes
        elif right_bad and abs(value) < _SURE * bound:
            value, bound = self._measure_quickly(middle, part.stop)
            right_bad = abs(value) > bound
        halves = []
        if left_bad:
            halves.append(_Range(part.start, middle, 2 * part.path, *left))
        if right_bad:
            halves.append(_Range(middle, part.stop, 2 * part.path + 1, value, bound))
        return halves

    def _take_blocks(self, ranges: list[_Range], found: Location) -> list[_Range]:
        """Take out ranges whose ancestor of three generations ago disagrees in all its parts."""
        families: dict[int, list[_Range]] = {}
        for part in ranges:
            families.setdefault(part.path >> _GENERATIONS, []).append(part)
        rest = []
        for ancestor, members in families.items():
            if ancestor >= 1 and len(members) == 2**_GENERATIONS:
                start, stop = members[0].start, members[-1].stop
                if found.blocks and found.blocks[-1][1] == start:
                    start = found.blocks.pop()[0]
                found.blocks.append((start, stop))
            else:
                rest += members
        return rest

    def _part(self, start: int, stop: int, share: float) -> Array:
        moved = np.zeros(self._move.size)
        moved[start:stop] = share * self._move.reshape(-1)[start:stop]
        return moved.reshape(self._move.shape)

    def _measure(self, start: int, stop: int) -> Residual:
        self._left -= 4
        return self._projector.test(self._part(start, stop, 1.0))

    def _measure_quickly(self, start: int, stop: int) -> tuple[float, float]:
        self._left -= 2
        residual = self._projector.test_quickly(self._part(start, stop, _SHORT))
        return residual.value / _SHORT, residual.bound / _SHORT
