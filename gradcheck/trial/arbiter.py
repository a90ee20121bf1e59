"""Other witnesses than the central difference: asked for with ``method``, or called where it cannot decide."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from gradcheck.errors import LayerError, UsageError
from gradcheck.layers.protocol import Array, Layer
from gradcheck.model import InputReport, Verdict
from gradcheck.numeric.examine import examine
from gradcheck.numeric.judge import FAIL, FLOOR, KINK, PASS, UNDECIDED, make_criteria
from gradcheck.numeric.layout import Layout
from gradcheck.numeric.methods import Measurement, measure
from gradcheck.numeric.precision import DOUBLE, Precision
from gradcheck.numeric.survey import Survey, survey
from gradcheck.trial.calls import Floats
from gradcheck.trial.compare import ROUNDINGS, Comparison, summarise
from gradcheck.trial.linearity import NEARBY, ROUNDING, SAMPLES
from gradcheck.trial.repetition import ask_nudged
from gradcheck.trial.subject import Subject, comparable

Complexes: TypeAlias = npt.NDArray[np.complex128]

# Inputs up to this size are worth a second witness.
MOST_ENTRIES = 2_000
# A witness is believed if central differences resolve, and confirm, this share of the entries at a tamer point.
CONFIRMED = 0.5
# Inputs whose largest entry is below this are of order 1 already.
TAME = 8.0
# Rounding carries a gradient in single precision no further than this many times the rounding of a term g y, or some
# times what a last bit of the inputs does; what is beyond is another formula. In double it agrees to this share.
TERMS, SHARE = 8.0, 1e-9


def complex_function(subject: Subject, name: str) -> Callable[[Complexes], Complexes]:
    """Return the forward as a function of one complex input; it raises ``LayerError`` where the layer refuses."""

    def call(x: Complexes) -> Complexes:
        outputs = subject.caller.forward({**subject.moved, name: x})
        return np.concatenate([np.asarray(part, dtype=np.complex128).ravel() for part in outputs])

    return call


def compare_by_method(
    subject: Subject, name: str, claim: Floats, around: Survey, method: str, precision: Precision, rtol: float
) -> Comparison:
    """Compare with what another method measures.

    Raises
    ------
    UsageError
        If the layer takes no complex input, or drops its imaginary part.
    """
    try:
        found = measure(
            subject.function(name), around, method, complex_function=complex_function(subject, name)
        )  # fmt: skip
    except LayerError as error:
        raise UsageError(
            f"the complex step cannot be used: {error.message}", "the forward must take complex arrays"
        ) from error
    if not found.believed:
        raise UsageError(f"the complex step cannot be used: {found.note}", "choose another method")
    return _compare(subject, name, claim, found, precision, rtol)


def compare_by_reference(
    subject: Subject, name: str, claim: Floats, reference: Layer, precision: Precision, rtol: float
) -> Comparison:
    """Compare with another implementation's VJP, measured in multiples of that one's own rounding.

    Raises
    ------
    UsageError
        If the reference returns no gradient of the right shape.
    """

    def ask(upstream: Sequence[Array]) -> Floats:
        pull = subject.caller.pull(subject.given, upstream, subject.wrt, layer=reference)
        gradient = comparable(pull, subject.given).get(name)
        if gradient is None:
            raise UsageError(f"the reference returns no gradient of {name} of its shape")
        return gradient

    value = ask(subject.upstream)
    rounding = np.zeros(value.shape)
    for factor in ROUNDING:
        rounding = np.maximum(rounding, np.abs(ask(subject.scaled_upstream(factor)) / factor - value))
    bound = 8 * rounding + 4 * precision.eps * np.abs(value)
    return _compare(subject, name, claim, Measurement(value, bound, 0), precision, rtol)


def _compare(
    subject: Subject, name: str, claim: Floats, found: Measurement, precision: Precision, rtol: float
) -> Comparison:
    criteria = make_criteria(claim, found.value, precision, rtol, None)
    codes = criteria.classify(claim, found.value, found.bound, np.zeros(claim.shape, dtype=bool))
    zero = bool(np.all(np.abs(claim) <= found.bound) and np.all(np.abs(found.value) <= found.bound))
    allowance = criteria.allowance(claim, found.value, found.bound)
    dtype = str(subject.given[name].dtype)
    return Comparison(name, dtype, claim, found.value, found.bound, allowance, codes, rtol, zero)


def ask_in_double(
    subject: Subject, part: Comparison, weights: Floats, scale: float, inputs: Mapping[str, Array] | None = None
) -> None:
    """Let the backward speak for entries that are wrong in single precision: in double, the formula alone counts.

    Where the forward was measured in double precision, a backward in single shows its own rounding: of 1 - y y there is
    little left where y is 1. An entry is cleared if the same backward, asked in double precision, agrees with the
    measurement, and what it said in single is no further from that than rounding may carry it.

    Parameters
    ----------
    part
        As compared; the status of what is cleared becomes ``pass``.
    weights
        (M,) upstream of the comparison.
    scale
        Root mean square of the gradient.
    inputs
        The inputs in double precision; by default the case's own.
    """
    inputs, upstream = inputs or subject.moved, subject.as_upstream(weights)
    try:
        exact = subject.vjp([np.asarray(one, dtype=np.float64) for one in upstream], inputs).get(part.name)
    except LayerError:  # it may ask for the dtype that it was written for
        return
    if exact is None:
        return
    sizes = [float(np.max(np.abs(one), initial=0.0)) for one in subject.outputs if one.dtype.kind == "f"]
    terms = subject.unit(part.name) * float(np.max(np.abs(weights), initial=0.0)) * max(sizes, default=0.0)
    singly = {key: np.asarray(value, subject.given[key].dtype) for key, value in inputs.items()}
    reach = 0.0
    for _ in range(SAMPLES):
        near = ask_nudged(subject, NEARBY, upstream, singly).get(part.name, part.analytic)
        reach = np.fmax(reach, float(np.max(np.abs(near - part.analytic), initial=0.0)))
    with np.errstate(invalid="ignore"):
        agrees = np.abs(exact - part.numeric) <= part.bound + part.tau * np.abs(exact) + SHARE * scale
        close = np.abs(exact - part.analytic) <= max(ROUNDINGS * reach, TERMS * terms)
        cleared = (part.status == FAIL) & agrees & close
        part.allowance = np.where(cleared, np.abs(part.analytic - part.numeric), part.allowance)
    part.status = np.where(cleared, np.uint8(PASS), part.status)


def hear_witnesses(
    subject: Subject,
    part: Comparison,
    report: InputReport,
    around: Survey,
    look_around: Callable[[Floats, Floats], Survey],
    rtol: float,
) -> tuple[InputReport, str]:
    """Ask others about an input that differences leave undecided, or find to be zero on both sides.

    Parameters
    ----------
    part, report
        The input, compared by differences, and what is said of it; entries that are settled change ``part``.
    around
        Where that was measured.
    look_around
        From an upstream and another point to the survey there.
    rtol
        Relative difference that nobody cares about.

    Returns
    -------
    tuple
        What is said of the input now; and, where another witness has cleared it, which one: else an empty text.
    """
    name = part.name
    if report.verdict is Verdict.UNDECIDED and _settle(subject, part, around, rtol):
        report = summarise(part, report.axis)
        if report.verdict is Verdict.PASS:
            return report, f"a complex step settled entries of {name} that differences cannot resolve"
    if report.verdict is Verdict.UNDECIDED or (report.vacuous and report.verdict is Verdict.PASS):
        peak = _tame_peak(subject, name, look_around, rtol)
        if peak is not None:
            report.verdict, report.vacuous = Verdict.PASS, False
            return report, (
                f"at these inputs the gradient of {name} is too small to be resolved, and zero within the bounds; "
                f"it was compared at {name} / {peak:.3g} as well, and agrees there"
            )
    return report, ""


def _settle(subject: Subject, part: Comparison, around: Survey, rtol: float) -> bool:
    """Let a complex step speak for entries that central differences leave open; say whether it settled any.

    Saturated layers have gradients far below what a difference of their outputs resolves; a complex step knows them to
    the last digits, if the layer carries the imaginary part through. That is tested at a tamer point first. It can
    clear an entry, and never condemns one: against so fine a witness the backward's own rounding looks like an error.
    """
    open_ = part.status == UNDECIDED
    x = np.asarray(subject.moved[part.name], dtype=np.float64)
    if (
        not open_.any()
        or x.size > MOST_ENTRIES
        or subject.precision > DOUBLE.eps
        or subject.given[part.name].dtype.kind != "f"
    ):
        return False
    function = complex_function(subject, part.name)
    try:
        found = measure(subject.function(part.name), around, "complex-step", complex_function=function)
        if not found.believed or not _is_confirmed(subject, part.name, x, function):
            return False
    except LayerError:
        return False
    allowed = found.bound + rtol * np.maximum(np.abs(part.analytic), np.abs(found.value))
    cleared = open_ & (np.abs(part.analytic - found.value) <= allowed)
    if not cleared.any():
        return False
    part.status = np.where(cleared, np.uint8(PASS), part.status)
    part.numeric = np.where(cleared, found.value, part.numeric)
    part.bound = np.where(cleared, found.bound, part.bound)
    part.allowance = np.where(cleared, allowed, part.allowance)
    part.vacuous = part.vacuous and not np.any(np.abs(found.value) > 4 * found.bound)
    return True


def _is_confirmed(subject: Subject, name: str, x: Floats, function: Callable[[Complexes], Complexes]) -> bool:
    """Whether complex step and central differences agree where the inputs are of order 1."""
    peak = float(np.max(np.abs(x), initial=0.0))
    tame = x / max(peak, 1.0)
    around = survey(
        subject.function(name), tame, subject.weights, Layout.whole(x.size, subject.weights.size), subject.rng, DOUBLE
    )
    found = measure(subject.function(name), around, "complex-step", complex_function=function)
    codes = examine(subject.function(name), around, found.value).status
    if not found.believed or codes is None:
        return False
    return not np.any(codes == FAIL) and float(np.mean(np.isin(codes, (PASS, FLOOR)))) >= CONFIRMED


def _tame_peak(
    subject: Subject, name: str, look_around: Callable[[Floats, Floats], Survey], rtol: float
) -> float | None:
    """Compare the gradient where the inputs are of order 1; return what they were divided by, if it agrees there.

    Saturated inputs leave nothing to resolve: both sides are zero within the bounds. ``None`` where the inputs are
    tame already, or the gradient cannot be resolved there either, or is wrong.
    """
    x = np.asarray(subject.moved[name], dtype=np.float64)
    peak = float(np.max(np.abs(x), initial=0.0))
    if peak < TAME or x.size > MOST_ENTRIES or subject.given[name].dtype.kind != "f":
        return None
    tame = np.asarray(x / peak, subject.given[name].dtype)
    inputs = {**subject.given, name: tame}
    try:
        gradient = comparable(subject.caller.pull(inputs, subject.upstream, subject.wrt), inputs).get(name)
        if gradient is None:
            return None
        around = look_around(subject.weights, np.asarray(tame, dtype=np.float64))
        found = examine(subject.function(name), around, gradient, rtol=rtol)
    except LayerError:
        return None
    resolved = found.status is not None and bool(np.all(np.isin(found.status, (PASS, FLOOR, KINK))))
    return peak if resolved and not found.vacuous else None
