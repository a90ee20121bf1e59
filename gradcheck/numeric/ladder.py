"""Cross-examination: entries in doubt are measured again at other steps, and from each side alone.

Nothing is called wrong on one measurement. A suspect is measured again as far down as the disagreement would still
stand out of the noise sixteen times; what is too noisy is measured at longer steps; what is not smooth at shorter
ones, until it is smooth, or is a kink at the point itself, whose one-sided slopes no longer change.

Where the noise is much larger than rounding explains, it may be a pole that was taken for noise, and the steps made
from it may reach across. So a suspect is first measured at the step that ordinary rounding would allow; if it is closer
to the claim there than to the first measurement, nothing is said against it.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from gradcheck.numeric.estimate import Context, Estimate, combine
from gradcheck.numeric.evaluate import Array, Evaluator, Indices, Mask, pick, power_of_two
from gradcheck.numeric.judge import FAIL, FLOOR, KINK, NONFINITE, PASS, UNDECIDED, Codes, Criteria
from gradcheck.numeric.slopes import measure_slopes
from gradcheck.numeric.survey import Survey

_RUNGS = 5
_SHRINK, _DIVE, _GROW, _ESCAPE = 1 / 8, 1 / 16, 8.0, 1 / 64
_ORDINARY, _NOISY = 8.0, 64.0  # units in the last place that a sound function loses; from where on noise is odd
LONGEST = _GROW**_RUNGS  # how much longer than the first a step can become
_MOST, _LEAST = 2.0**-14, 0.5  # a confirming step is between these times the first
_CLEAR = 0.02  # share of a discrepancy that the truncation may be
_EXCESS = 2.0  # of two refutations one must be this many times what would be accepted
_STEADY = 0.1  # one-sided slopes of a kink at the point change by no more than this share of their gap
_INSIDE, _OUTSIDE = 2, 3  # steady rungs that settle a kink


@dataclass(eq=False, slots=True)
class Outcome:
    """What was found; flat arrays, one element per examined entry."""

    status: Codes
    value: Array
    bound: Array
    lower: Array
    upper: Array
    suspected: Mask


@dataclass(eq=False, slots=True)
class _Rung:
    """One measurement of the entries in question; flat arrays."""

    value: Array
    roundoff: Array
    truncation: Array
    bound: Array
    ahead: Array
    behind: Array
    lower: Array
    upper: Array
    still: Mask
    one_sided: Mask

    @classmethod
    def of(cls, estimate: Estimate, rows: Indices, places: Indices) -> _Rung:
        return cls(*(getattr(estimate, item.name)[rows, places] for item in fields(cls)))

    def put(self, chosen: Mask, other: _Rung) -> None:
        """Overwrite the chosen entries by those of `other`."""
        for item in fields(self):
            getattr(self, item.name)[chosen] = getattr(other, item.name)[chosen]


def cross_examine(
    evaluate: Evaluator,
    survey: Survey,
    columns: Indices,
    first: Estimate,
    claim: Array,
    doubtful: Mask,
    criteria: Criteria,
    context: Context,
) -> Outcome:
    """Examine the doubtful entries on at most five rungs of four evaluations a column.

    Parameters
    ----------
    columns
        (S, C) column of every slice, measured with four evaluations as `first`.
    claim, doubtful
        (S, C) claimed derivatives, and which of them are in doubt; the outcome lists them in C order.
    """
    return _Ladder(evaluate, survey, columns, first, claim, doubtful, criteria, context).climb()


class _Ladder:
    def __init__(
        self,
        evaluate: Evaluator,
        survey: Survey,
        columns: Indices,
        first: Estimate,
        claim: Array,
        doubtful: Mask,
        criteria: Criteria,
        context: Context,
    ) -> None:
        self._evaluate, self._survey = evaluate, survey
        self._criteria, self._context = criteria, context
        self._rows, self._places = np.nonzero(doubtful)
        self._column = columns[self._rows, self._places]
        self._claim = claim[self._rows, self._places]
        self._diving = survey.rho > _NOISY
        self._rung = _Rung.of(first, self._rows, self._places)
        self._step = first.half[self._rows, self._places].copy()
        self._origin = self._step.copy()
        self._shortest = survey.shortest[self._rows, self._column]
        count = self._rows.size
        self._best = _Rung.of(first, self._rows, self._places)
        self._judged = self._judge()
        self._done = np.isin(self._judged, (PASS, FLOOR))
        self._growing = (self._judged == UNDECIDED) & ~(self._rung.truncation > 0.5 * self._rung.roundoff)
        self._status = self._judged.copy()
        self._status[self._judged == FAIL] = UNDECIDED
        self._suspected = self._judged == FAIL
        self._excess = np.where(self._suspected, self._surplus(), 0.0)
        self._discrepancy = np.where(self._suspected, self._apart(), np.inf)
        self._refutations = np.zeros(count, dtype=int)
        self._kinks = _Kinks(count)
        self._jumps = _Kinks(count)

    def climb(self) -> Outcome:
        for number in range(_RUNGS):
            active = ~self._done
            if not active.any():
                break
            exhausted = self._advance(active, first=number == 0)
            before = _Rung(*(getattr(self._rung, item.name).copy() for item in fields(_Rung)))
            self._measure(active)
            self._judged = self._judge()
            self._weigh(active, before, diving=number == 0 and self._diving)
            self._done |= active & exhausted & ~self._growing
        self._settle_kinks()
        best = self._best
        return Outcome(self._status, best.value, best.bound, best.lower, best.upper, self._suspected)

    def _judge(self) -> Codes:
        return self._criteria.classify(self._claim, self._rung.value, self._rung.bound, self._rung.still)

    def _allowed(self) -> Array:
        return self._criteria.allowance(self._claim, self._rung.value, self._rung.bound)

    def _apart(self) -> Array:
        with np.errstate(invalid="ignore"):
            apart = np.abs(self._claim - self._rung.value)
        return np.where(np.isnan(apart), np.inf, apart)

    def _surplus(self) -> Array:
        return self._criteria.surplus(self._claim, self._rung.value, self._rung.bound)

    def _advance(self, active: Mask, *, first: bool) -> Mask:
        """Set the next steps; say where they can become no shorter."""
        rung = self._rung
        rough = (rung.truncation > 30 * rung.roundoff) & (rung.truncation > _CLEAR * self._apart())
        factor = np.where(rough, _DIVE, _SHRINK)
        if first:
            with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
                trusted = rung.roundoff * (_ORDINARY / self._survey.rho if self._diving else 1.0)
                visible = np.clip(16 * trusted / np.abs(self._claim - rung.value), _MOST, _LEAST)
            factor = np.where(self._suspected & np.isfinite(visible) & (~rough | self._diving), visible, factor)
        factor = np.where(self._judged == NONFINITE, _ESCAPE, factor)
        factor = np.where(self._growing, _GROW, factor)
        with np.errstate(under="ignore", over="ignore"):
            step = np.maximum(power_of_two(self._step * factor), self._shortest)
        self._step = np.where(active, step, self._step)
        exhausted: Mask = self._step <= self._shortest
        return exhausted

    def _measure(self, active: Mask) -> None:
        rows = self._rows[active]
        where = np.arange(rows.size) - np.searchsorted(rows, rows)  # the first of every slice together, then the next
        columns = np.zeros((len(self._survey.steps), int(where.max()) + 1), dtype=np.intp)
        columns[rows, where] = self._column[active]
        steps = pick(self._survey.steps, columns)
        steps[rows, where] = self._step[active]
        near = measure_slopes(self._evaluate, self._survey, columns, steps, hull=True)
        far = measure_slopes(self._evaluate, self._survey, columns, 2 * steps, hull=True)
        estimate = combine(near, far, self._survey, columns, self._context)
        places = np.zeros(self._rows.size, dtype=np.intp)
        places[active] = where
        self._rung.put(active, _Rung.of(estimate, self._rows, places))

    def _weigh(self, active: Mask, before: _Rung, *, diving: bool) -> None:
        """Draw the conclusions of one rung."""
        rung, best, judged = self._rung, self._best, self._judged
        with np.errstate(invalid="ignore"):
            blind = ~np.isfinite(best.bound) | ~np.isfinite(rung.bound)
            agrees = blind | (np.abs(rung.value - best.value) <= rung.bound + best.bound)
        sharper = active & (rung.bound < best.bound)

        between = self._kinks.note(active & (judged != NONFINITE), rung, rung.lower, rung.upper, before, self._claim)
        self._note_jumps(active, before)
        refuted = active & (judged == FAIL) & ~between
        surplus = np.where(refuted, self._surplus(), 0.0)
        # refutations that contradict each other say that the step matters, not that the claim is wrong
        most = np.where(agrees, np.maximum(surplus, self._excess), surplus)
        # a discrepancy that truncation comes near to may be a pole or a kink that the step reaches across
        with np.errstate(invalid="ignore"):
            small = np.where(rung.one_sided, np.minimum(self._apart(), np.abs(rung.value)), self._apart())
            clear = ~(rung.truncation > np.maximum(_CLEAR * small, 2 * rung.roundoff))
        self._refutations += refuted
        # a longer step may reach across what it should measure (a period, an edge): it can clear, not convict
        confirmed = refuted & self._suspected & agrees & (most > _EXCESS) & (clear | (self._refutations >= _RUNGS))
        confirmed &= ~self._growing
        # agreement at a resolution that could not have seen an earlier discrepancy does not take it back
        agreeing = active & np.isin(judged, (PASS, FLOOR))
        accepted = agreeing & (self._allowed() < self._discrepancy)
        open_ = active & (judged == UNDECIDED)
        rough = rung.truncation > 2 * rung.roundoff

        self._status[active] = np.where(judged[active] == FAIL, UNDECIDED, judged[active])
        self._status[agreeing & ~accepted] = UNDECIDED
        self._status[confirmed] = FAIL
        # a first refutation that is not repeated where it should be visible is withdrawn
        unrepeated = open_ & self._suspected & ~rough
        withdrawn = unrepeated
        if diving:
            withdrawn = unrepeated & ~(np.abs(self._claim - rung.value) > np.abs(before.value - rung.value))
            self._step = np.where(unrepeated & ~withdrawn, self._origin, self._step)
        lengthened = refuted & self._growing
        stuck = open_ & ~rough & np.where(self._growing, ~sharper, True) & ~unrepeated
        self._done |= confirmed | agreeing | lengthened | withdrawn | stuck
        self._excess = np.where(refuted, most, self._excess)
        self._discrepancy = np.where(refuted, self._apart(), self._discrepancy)
        self._suspected |= refuted
        best.put((sharper | accepted | (refuted & ~agrees)) & ~lengthened, rung)

    def _note_jumps(self, active: Mask, before: _Rung) -> None:
        """A jump at the point itself: the one-sided slopes grow as the step shrinks, those beside the point do not."""
        rung = self._rung
        with np.errstate(invalid="ignore", over="ignore"):
            size = np.maximum(np.abs(rung.lower), np.abs(rung.upper))
            grows = (size > 4 * np.maximum(np.abs(before.lower), np.abs(before.upper))) & (size > 4 * rung.roundoff)
            low, high = np.minimum(rung.ahead, rung.behind), np.maximum(rung.ahead, rung.behind)
        usable = active & grows & np.isfinite(rung.value)
        old = _Rung(*(getattr(before, item.name) for item in fields(_Rung)))
        with np.errstate(invalid="ignore"):
            old.lower, old.upper = np.minimum(old.ahead, old.behind), np.maximum(old.ahead, old.behind)
        self._jumps.note(usable, rung, low, high, old, self._claim, any_gap=True)

    def _settle_kinks(self) -> None:
        left = np.isin(self._status, (UNDECIDED, FAIL)) & ~((self._status == FAIL) & self._done)
        kinks, jumps = self._kinks, self._jumps
        inside = left & (kinks.inside >= _INSIDE) & (kinks.outside == 0)
        outside = left & (kinks.outside >= _OUTSIDE) & (kinks.inside == 0)
        # where the function jumps there is no derivative: that of both sides is accepted, nothing is refuted
        jumped = left & ~inside & ~outside & (jumps.inside >= _INSIDE) & (jumps.outside == 0)
        self._status[inside | jumped] = KINK
        self._status[outside] = FAIL
        settled = inside | outside
        self._best.put(settled, self._rung)
        self._best.lower[jumped] = np.minimum(self._rung.ahead, self._rung.behind)[jumped]
        self._best.upper[jumped] = np.maximum(self._rung.ahead, self._rung.behind)[jumped]


class _Kinks:
    """Counts, per entry, of the rungs on which a range of slopes stood still with the claim in or out of it."""

    def __init__(self, count: int) -> None:
        self.inside = np.zeros(count, dtype=int)
        self.outside = np.zeros(count, dtype=int)

    def note(
        self, active: Mask, rung: _Rung, lower: Array, upper: Array, before: _Rung, claim: Array, any_gap: bool = False
    ) -> Mask:
        """Add a rung; say where the claim lies within the range, steady or not."""
        with np.errstate(invalid="ignore", over="ignore"):
            noise = 2 * rung.roundoff
            gap = upper - lower
            drift = np.maximum(np.abs(lower - before.lower), np.abs(upper - before.upper))
            steady = drift <= _STEADY * gap + noise + 2 * before.roundoff
            # noise would not repeat a gap to six digits
            real = (gap > 2 * noise) | ((gap > 0) & (drift <= 1e-6 * gap))
            kinked = active & np.isfinite(gap) & (any_gap | real)
            # one-sided slopes are off by half the curvature times the step: what they still change by, and no more
            margin = np.minimum(2 * drift, _STEADY * gap) + noise
            within: Mask = (claim >= lower - margin) & (claim <= upper + margin)
            # a gap lost in the noise says nothing; one that moved or went away takes back what was said
            gone = active & (2 * noise < 0.5 * (before.upper - before.lower)) & ~kinked
        standing = kinked & steady
        reset = (kinked & ~steady) | gone
        self.inside = np.where(reset, 0, self.inside + (standing & within))
        self.outside = np.where(reset, 0, self.outside + (standing & ~within))
        found: Mask = kinked & within
        return found
