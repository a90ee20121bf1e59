"""One input of a layer, measured and compared with what the backward said of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gradcheck.errors import LayerError
from gradcheck.layers.protocol import Array, Layer
from gradcheck.model import InputReport, Settings, Verdict
from gradcheck.numeric.evaluate import Evaluator
from gradcheck.numeric.examination import Examination
from gradcheck.numeric.examine import examine
from gradcheck.numeric.judge import FAIL, FLOOR, KINK, NONFINITE, PASS, UNDECIDED, Codes
from gradcheck.numeric.layout import Layout
from gradcheck.numeric.precision import DOUBLE
from gradcheck.numeric.survey import Survey, survey
from gradcheck.trial.blocks import find_suspicious, peak_of
from gradcheck.trial.calls import Floats, flatten
from gradcheck.trial.compare import Comparison, own_rounding, summarise
from gradcheck.trial.kinks import find_inconsistent
from gradcheck.trial.linearity import Linearity
from gradcheck.trial.plan import MANY, Plan, choose_plan
from gradcheck.trial.settling import precision_of
from gradcheck.trial.subject import Subject, to_float64

if TYPE_CHECKING:
    from gradcheck.numeric.directions import Directions


# An entry that agrees is settled if what would be accepted is at most this share of it.
RESOLVED = 0.01

# Evaluations that directions take, about.
_DIRECTIONS = 32


@dataclass(eq=False, slots=True)
class Measured:
    """What is said of one input: in which mode, with which remark, and for which upstream if not the case's own."""

    report: InputReport
    mode: str
    note: str = ""
    upstream: list[Array] | None = None


def compare_input(
    subject: Subject,
    name: str,
    linearity: Linearity,
    settings: Settings,
    axis: int | None,
    reference: Layer | None = None,
    *,
    local: bool = True,
    known: Layout | None = None,
) -> Measured:
    """Measure the gradient with respect to one input, and compare.

    ``reference`` is another implementation of the layer, for the method of that name; ``local`` says whether colours
    may be tried, ``known`` which ones. Raises ``NotLocalError`` where they do not hold: see ``trial.attempts``.
    """
    claim = subject.gradients[name]
    function: Callable[[Floats], Floats] = Evaluator(subject.function(name, borrow=True))
    x = np.asarray(subject.moved[name], dtype=np.float64)
    plan = choose_plan(subject, name, settings, function, x, local=local, known=known)
    function = _speed_up(subject, name, function, x, plan, settings.memory)
    coarse, own = precision_of(subject.unit(name)), precision_of(subject.precision)
    rtol = settings.rtol if settings.rtol is not None else max(1e-7, 32 * coarse.eps)
    asked = settings.rtol is not None or bool(settings.atol)

    def look_around(weights: Floats, at: Floats = x) -> Survey:
        return survey(function, at, weights, plan.layout, subject.rng, own, eps=settings.eps)

    def compare(weights: Floats, gradient: Floats, keep: bool, floor: float = 0.0) -> tuple[Comparison, Examination]:
        around = look_around(weights)
        result = examine(function, around, gradient, rtol=rtol, atol=settings.atol, keep_jacobian=keep, asked=asked)
        slack = own_rounding(gradient, linearity.rounding.get(name), coarse, result.scale)
        part = _compare(subject, name, gradient, result, slack + floor, linearity.rounding.get(name))
        _forgive_rounding(subject, part, weights, result.scale)
        return part, result

    if settings.method == "reference" and reference is not None:
        from gradcheck.trial.arbiter import compare_by_reference  # as below: few cases need more than differences

        part = compare_by_reference(subject, name, claim, reference, coarse, rtol)
        return Measured(summarise(part, axis), settings.method)
    if settings.method != "central":
        around = look_around(subject.weights)
        from gradcheck.trial.arbiter import compare_by_method

        part = compare_by_method(subject, name, claim, around, settings.method, coarse, rtol)
        return Measured(summarise(part, axis), settings.method)
    if plan.mode == "directions":
        around = look_around(subject.weights)
        from gradcheck.numeric.directions import try_directions

        tried = try_directions(function, around, claim, subject.rng, rtol=rtol, atol=settings.atol)
        return _sum_up_directions(subject, name, claim, tried, axis)
    part, result = compare(subject.weights, claim, plan.blocks)
    if plan.mode == "coloured":
        from gradcheck.numeric.locality import verify

        verify(function, result, claim, subject.rng)
    part.status = _join_kinks(subject, name, part.status)
    report = summarise(part, axis)
    if report.verdict is Verdict.UNDECIDED or report.vacuous:
        from gradcheck.trial.arbiter import hear_witnesses

        report, note = hear_witnesses(subject, part, report, result.survey, look_around, rtol)
        if note:
            return Measured(report, plan.mode, note)
    if plan.blocks and report.verdict is not Verdict.FAIL and linearity.linear and not subject.fixed_upstream:
        # an entry a billion times smaller than the Jacobian's largest may be lost in the forward's own rounding
        rounding = max(64 * coarse.eps, 2.0**-30)
        for unit in find_suspicious(subject, name, result, rtol, rounding, linearity.offset.get(name)):
            upstream = subject.as_upstream(unit)
            gradient = subject.vjp(upstream).get(name)
            other = None if gradient is None else compare(unit, gradient, False, rounding * peak_of(result))[0]
            if other is not None and np.any(other.status == FAIL):
                # one upstream cannot show an entry that is small beside the others of its column: show this one
                note = f"the gradient of {name} is shown for an upstream of 1 at single outputs, where it is wrong"
                return Measured(summarise(other, axis), plan.mode, note, upstream)
    return Measured(report, plan.mode)


def _speed_up(
    subject: Subject, name: str, function: Callable[[Floats], Floats], x: Floats, plan: Plan, memory: int
) -> Callable[[Floats], Floats]:
    """Return the same function for several points at once, or for several processes, where that is worth it."""
    if plan.stackable and 2 * plan.layout.width > MANY:
        from gradcheck.trial.batch import find_batch  # what few cases need, here and below

        function = find_batch(subject, name, function, x, memory) or function
    if subject.helpers is not None:
        from gradcheck.trial.shared import share

        expected = _DIRECTIONS if plan.mode == "directions" else 2 * plan.layout.width
        function = share(subject, name, function, expected)
    return function


def _sum_up_directions(subject: Subject, name: str, claim: Floats, tried: Directions, axis: int | None) -> Measured:
    """Turn what random directions said into a report, and state what they would have seen."""
    count = len(tried.residuals)
    relative = tried.one / tried.scale if tried.scale > 0 else np.inf
    power = (
        f"{count} random directions of {name}: noticed with 99 % probability would have been an error of "
        f"{relative:.1g} of a typical entry in one entry, or of {tried.all:.1g} in all"
    )
    if tried.examination is not None:
        part = _compare(subject, name, claim, tried.examination, np.zeros(claim.shape))
        _forgive_rounding(subject, part, subject.weights, tried.examination.scale)
        part.examined = tried.examination.examined
        report = summarise(part, axis)
        if report.verdict is Verdict.PASS and tried.disagree:
            report.verdict = Verdict.UNDECIDED
        said = "disagree; bisection found the entries"
        if not tried.disagree:
            said = f"of {name} agree; entries too small to be seen along them were measured one by one"
        return Measured(report, "directions", f"{count} random directions {said}")
    verdict = Verdict.PASS if tried.measured and tried.agrees else Verdict.UNDECIDED
    report = InputReport(name, tuple(map(int, claim.shape)), str(subject.given[name].dtype), verdict, axis=axis)
    report.size, report.resolution = int(claim.size), float(relative)
    with np.errstate(all="ignore"):
        report.error = float(np.max(np.abs(tried.residuals) / tried.bounds, initial=0.0)) * tried.all
        margin = float(np.min(tried.bounds / np.abs(tried.residuals), initial=np.inf))
    report.margin = margin if np.isfinite(margin) else None
    report.vacuous = not np.any(claim)
    return Measured(report, "directions", power)


def _compare(
    subject: Subject, name: str, claim: Floats, result: Examination, slack: Floats, rounding: Floats | None = None
) -> Comparison:
    assert result.status is not None
    status = result.status
    allowance = result.allowance + slack
    # the backward's own rounding is no bug, however exactly the measurement shows it
    failed = status == FAIL
    near = np.abs(claim - result.value) <= allowance
    resolved = allowance <= RESOLVED * np.maximum(np.abs(claim), np.abs(result.value))
    status = np.where(near & (failed | ((status == UNDECIDED) & resolved)), np.uint8(PASS), status)
    lost = (result.value == 0) & (np.abs(claim) <= _lost_size(subject, name))
    if not np.all(np.isfinite(flatten(subject.outputs))):  # where all outputs are no numbers, nothing can be wrong
        lost |= ~np.isfinite(claim) & (np.abs(result.value) <= result.bound)
        # an input that is no number cannot be moved: its gradient may well be none either
        given = np.reshape(np.asarray(subject.given[name]), claim.shape)
        unmoved = (status == NONFINITE) & ~np.isfinite(claim) & ~np.isfinite(given)
        status = np.where(unmoved, np.uint8(UNDECIDED), status)
    status = np.where(failed & ~near & lost, np.uint8(UNDECIDED), status)
    dtype = str(subject.given[name].dtype)
    part = Comparison(name, dtype, claim, result.value, result.bound, allowance, status, result.tau, result.vacuous)
    if not part.vacuous and _has_no_effect(subject, name, claim, result, rounding):
        part.vacuous = True
        part.status = np.where(status == UNDECIDED, np.uint8(FLOOR), status)
        return part
    part.suspected = bool(np.any(result.suspected & ~near & (status == UNDECIDED)))
    return part


def _forgive_rounding(
    subject: Subject, part: Comparison, weights: Floats, scale: float, inputs: Mapping[str, Array] | None = None
) -> None:
    """Clear what is wrong by the rounding of single precision alone."""
    if np.any(part.status == FAIL) and subject.unit(part.name) > DOUBLE.eps >= subject.precision:
        from gradcheck.trial.arbiter import ask_in_double  # what few cases need

        ask_in_double(subject, part, weights, scale, inputs)


def _has_no_effect(subject: Subject, name: str, claim: Floats, result: Examination, rounding: Floats | None) -> bool:
    """Whether both sides are zero within bounds that are small beside what inputs of this layer usually do.

    A bias before a softmax moves nothing: its gradient is rounding, and no harm to a case with other inputs. A tiny
    gradient that the backward knows to many digits, as of saturated inputs, is no rounding: it stays unresolved.
    """
    if not claim.size or not np.all(np.isfinite(result.bound)):
        return False
    noise = 0.0 if rounding is None else float(np.max(rounding, initial=0.0))
    if float(np.max(np.abs(claim))) > 1e3 * noise:
        return False
    x, y = np.asarray(subject.moved[name], dtype=np.float64), flatten(subject.outputs)
    reach = float(np.max(np.abs(y[np.isfinite(y)]), initial=0.0)) / max(1.0, float(np.max(np.abs(x), initial=0.0)))
    usual = float(np.sqrt(np.mean(np.square(subject.weights)))) * reach
    zero = np.all(np.abs(claim) <= result.bound) and np.all(np.abs(result.value) <= result.bound)
    return bool(zero and np.max(result.bound) <= 1e-4 * usual)


def _lost_size(subject: Subject, name: str) -> float:
    """Return the size of a gradient that leaves no trace in sums of numbers as large as inputs and outputs.

    A loss of saturated logits is exactly 0 where the truth is 1e-20: no bit moves, and no noise is seen.
    """
    x = np.asarray(subject.moved[name], dtype=np.float64)
    numbers = np.concatenate([x.ravel(), flatten(subject.outputs), [1.0]])
    upstream = float(np.sqrt(np.mean(np.square(subject.weights)))) if subject.weights.size else 0.0
    return 64 * subject.precision * upstream * float(np.max(np.abs(numbers[np.isfinite(numbers)])))


def _join_kinks(subject: Subject, name: str, status: Codes) -> Codes:
    """Mark entries at kinks that are right one by one and wrong together."""
    bad = find_inconsistent(subject, name, status == KINK)
    return np.where(bad, np.uint8(FAIL), status)


def gradients_agree(
    subject: Subject, inputs: Mapping[str, Array], gradients: Mapping[str, Floats], settings: Settings
) -> str | None:
    """Return the name of an input whose gradient is wrong at another point, or ``None``.

    What the settings tolerate at the case's own point is tolerated there as well.
    A random direction tells whether anything is wrong for a few forward calls; only then every entry is measured.
    """
    moved = to_float64(inputs, subject.wrt)
    weights = subject.weights
    for name, gradient in gradients.items():
        if not gradient.size or not np.all(np.isfinite(gradient)):
            continue
        function = subject.function(name, moved)
        x = np.asarray(moved[name], dtype=np.float64)
        try:
            if _direction_agrees(subject, function, x, weights, gradient):
                continue
            around = survey(
                function, x, weights, Layout.whole(x.size, weights.size), subject.rng, precision_of(subject.precision)
            )
            coarse = precision_of(subject.unit(name))
            result = examine(function, around, gradient, rtol=max(1e-6, 64 * coarse.eps))
        except LayerError:
            continue
        # what is remembered from other inputs is not off by a rounding
        slack = np.full(gradient.shape, 1e-3 * result.scale + 16 * coarse.tiny) + (settings.atol or 0.0)
        slack += (settings.rtol or 0.0) * np.maximum(np.abs(gradient), np.abs(result.value))
        part = _compare(subject, name, gradient, result, slack)
        _forgive_rounding(subject, part, weights, result.scale, moved)
        if np.any(part.status == FAIL):
            return name
    return None


def _direction_agrees(
    subject: Subject,
    function: Callable[[Floats], Floats],
    x: Floats,
    weights: Floats,
    gradient: Floats,
) -> bool:
    step = subject.precision ** (1 / 3)
    size = np.maximum(np.abs(x), float(np.sqrt(np.mean(x * x))) or 1.0)
    direction = step * np.minimum(1.0, size) * subject.rng.choice([-1.0, 1.0], x.shape)
    up, down = x + direction, x - direction
    measured = float(np.sum(weights * (function(up) - function(down))))  # no dot: see numeric.evaluate.norm
    expected = float(np.sum(gradient * (up - down)))
    size_of_terms = float(np.sqrt(np.sum(np.square(gradient * (up - down)))))
    return bool(abs(measured - expected) <= max(1e-5, 50 * step**2) * size_of_terms + 1e-300)
