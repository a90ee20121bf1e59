"""Points of one large case, shared out among several processes; the values are those that one process would get.

A shard is some neighbouring points of one call of :meth:`Shared.many`. The first is evaluated here meanwhile. Values
are merged in order, and counted as if all had been evaluated here. What a helper does not deliver is evaluated here.
Nothing is believed of a layer that can be tried: the first two points that a helper gets are evaluated here as well,
and if any bit differs, nothing is shared.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count, pairwise
from math import ceil
from typing import cast

import numpy as np

from gradcheck.layers.protocol import Array
from gradcheck.model import Plain
from gradcheck.numeric.evaluate import ManyAtOnce
from gradcheck.trial.batch import Batch
from gradcheck.trial.calls import Floats
from gradcheck.trial.helpers import Helpers, Recipe, equal_tables, pack_part, pack_rows, unpack_values
from gradcheck.trial.subject import Subject

# Seconds of work left from where on help is worth asking for.
WORTHWHILE = 1.0
# Seconds that one round should take, and bytes of points and values that it may hold.
ROUND = 0.5
HELD = 64 << 20
# Seconds that a helper may take longer than this process did, and how many times as long.
PATIENCE = 2.0
TIMES = 5.0
# Points that are evaluated on both sides before a helper is believed.
TRIED = 2
# A round that takes more than this share of the time that it would have taken here alone is in vain; and so many in a
# row end the sharing.
ENOUGH = 0.9
VAIN = 3

_numbers = count(1)


def share(
    subject: Subject,
    name: str,
    function: Callable[[Floats], Floats],
    expected: int,
    inputs: Mapping[str, Array] | None = None,
    options: Mapping[str, Plain] | None = None,
) -> Callable[[Floats], Floats]:
    """Return a function of one input whose points may be shared; the same one where that cannot be.

    Parameters
    ----------
    name, inputs, options
        As for :meth:`Subject.function`.
    function
        What that has returned, or a batch of it.
    expected
        About how many points there will be.
    """
    if subject.helpers is None or not subject.steady or subject.caller.luck is not None:
        return function
    each = (time.perf_counter() - subject.begun) / max(subject.caller.counts.points, 1)  # with all that was done beside
    if each * expected < WORTHWHILE / 4:
        return function  # a small case pays nothing for what large ones gain
    moved = dict(subject.moved if inputs is None else inputs)
    given = dict(subject.caller.options if options is None else options)
    batch = (function.carried, function.together) if isinstance(function, Batch) else ((), 1)
    return Shared(subject, function, Recipe(name, moved, given, *batch), subject.helpers, expected)


@dataclass(slots=True)
class _Pace:
    """How long points take here, and how many are to come."""

    left: int
    seconds: float = 0.0

    def note(self, points: int, seconds: float) -> None:
        """Take note of points that were evaluated here."""
        self.left -= points
        each = seconds / max(points, 1)
        self.seconds = each if not self.seconds else 0.5 * (self.seconds + each)

    def is_long(self) -> bool:
        """Whether the work that is left is worth sharing."""
        return self.left * self.seconds > WORTHWHILE


class Shared:
    """A function of one input whose points may be evaluated in other processes as well.

    Parameters
    ----------
    subject
        The layer on trial; it must be steady.
    function
        What evaluates points here.
    recipe
        How it is evaluated elsewhere.
    helpers
        Who may come to help.
    expected
        About how many points there will be.
    """

    def __init__(
        self, subject: Subject, function: Callable[[Floats], Floats], recipe: Recipe, helpers: Helpers, expected: int
    ) -> None:
        self._subject, self._function, self._helpers, self._recipe = subject, function, helpers, recipe
        self._number = next(_numbers)
        self._x = np.asarray(recipe.moved[recipe.name], dtype=np.float64)
        self._pace = _Pace(expected)
        self._told: set[int] = set()
        self._proven: set[int] = set()
        self._vain = 0

    @property
    def together(self) -> int:
        """Points that are taken at once: as many as keep everybody busy for a while; few where nobody helps."""
        crew = 1 + len(self._crew())
        unit = together_of(self._function)
        if crew == 1:
            return unit
        held = HELD / (8 * (self._x.size + self._subject.weights.size) * crew)
        each = min(ROUND / max(self._pace.seconds, 1e-9), held)
        return crew * unit * max(round(each / unit), ceil(TRIED / unit))

    def __call__(self, x: Floats) -> Floats:
        """Return the value at one point, evaluated here."""
        return self._evaluate([x])[0]

    def many(self, points: Sequence[Floats]) -> Sequence[Floats]:
        """Return the values at several points, in their order."""
        begun = time.perf_counter()
        unit = together_of(self._function)
        crew = self._crew() if self._affords(len(points)) else []
        shards = _divide(len(points), 1 + len(crew), unit)
        for helper, (start, end) in zip(crew, shards[1:], strict=False):
            tried = [] if helper in self._proven else points[:TRIED]
            self._give(helper, [*tried, *points[start:end]])
        values = self._evaluate(points[: shards[0][1]])
        patience = PATIENCE + TIMES * (time.perf_counter() - begun)
        for helper, (start, end) in zip(crew, shards[1:], strict=False):
            found = self._take(helper, values[:TRIED], end - start, patience)
            if found is None or together_of(self._function) != unit:  # or it would not have been evaluated in that way
                values += self._evaluate(points[start:end])
            else:
                values += found
                self._pace.left -= len(found)
                counts = self._subject.caller.counts
                counts.forwards += ceil(len(found) / unit)
                counts.points += len(found)
        if len(shards) > 1:  # too few points for two shards say nothing of the help
            self._judge(len(points), time.perf_counter() - begun)
        return values

    def _evaluate(self, points: Sequence[Floats]) -> list[Floats]:
        begun = time.perf_counter()
        values = evaluate_all(self._function, points)
        self._pace.note(len(points), time.perf_counter() - begun)
        return values

    def _crew(self) -> Sequence[int]:
        """Return the helpers that are there; ask for more if it is worth it."""
        if self._vain >= VAIN:
            return ()
        if self._pace.is_long():
            self._helpers.ask()
        return self._helpers.present()

    def _give(self, helper: int, points: Sequence[Floats]) -> None:
        recipe = None if helper in self._told else self._recipe
        self._helpers.give(helper, pack_part(self._number, recipe, pack_rows(points, self._x)))
        self._told.add(helper)

    def _affords(self, points: int) -> bool:
        """Whether the budget is enough for all points; else it ends where it would without help."""
        caller = self._subject.caller
        return caller.budget is None or caller.counts.points + points <= caller.budget

    def _take(self, helper: int, known: Sequence[Floats], count: int, patience: float) -> list[Floats] | None:
        """Return what a helper has found, if it is to be believed."""
        data = self._helpers.take(helper, patience)
        if data is None or self._vain >= VAIN:
            return None
        rows = unpack_values(data)
        if helper not in self._proven:
            if not equal_tables(rows[:TRIED], np.stack(known)):
                self._subject.helpers = None  # nor for any other function of this layer
                self._give_up()
                return None
            self._proven.add(helper)
            rows = rows[TRIED:]
        return list(rows) if len(rows) == count else None

    def _judge(self, points: int, seconds: float) -> None:
        """Give up if it takes no less time than to do it all here."""
        self._vain = self._vain + 1 if seconds > ENOUGH * points * self._pace.seconds else 0
        if self._vain >= VAIN:
            self._give_up()

    def _give_up(self) -> None:
        self._vain = VAIN
        if self._subject.helpers is None:
            self._helpers.release()


def evaluate_all(function: Callable[[Floats], Floats], points: Sequence[Floats]) -> list[Floats]:
    """Evaluate a function at points, several at once where it takes them so: as an evaluator does."""
    values: list[Floats] = []
    while len(values) < len(points):
        piece = points[len(values) : len(values) + together_of(function)]
        values += [function(piece[0])] if len(piece) == 1 else cast("ManyAtOnce", function).many(piece)
    return values


def together_of(function: Callable[[Floats], Floats]) -> int:
    """Return how many points a function takes at once."""
    return max(1, int(getattr(function, "together", 1)))


def _divide(points: int, shards: int, unit: int) -> list[tuple[int, int]]:
    """Divide points into so many neighbouring shards of whole units, the first of which is large enough to be tried.

    There are fewer shards where there are too few points.
    """
    units = ceil(points / unit)
    shards = max(1, min(shards, units // ceil(TRIED / unit)))
    ends = [min(points, unit * round(units * number / shards)) for number in range(shards + 1)]
    return list(pairwise(ends))
