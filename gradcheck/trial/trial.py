"""The trial of one layer at one point: whether its gradients are right, and which bug it is if they are not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from gradcheck.errors import LayerError
from gradcheck.layers.protocol import Array, Layer
from gradcheck.layers.vocabulary import AXES
from gradcheck.model import Finding, InputReport, Plain, Report, Settings, Severity, Verdict
from gradcheck.trial.attempts import measure_input
from gradcheck.trial.calls import SALT, Caller, borrowed_random_state, keep_freed_memory, quiet
from gradcheck.trial.chosen import choose_inputs, note_unchecked
from gradcheck.trial.contract import check_finite, check_returned, check_unchanged, leave_out_dead_outputs
from gradcheck.trial.linearity import Linearity, examine_linearity
from gradcheck.trial.measure import gradients_agree
from gradcheck.trial.naming import MEMORY, name_bugs, named_or_described, order
from gradcheck.trial.probes import check_large_inputs
from gradcheck.trial.repetition import check_repeatable_backward, check_repeatable_forward
from gradcheck.trial.settling import settle_precision
from gradcheck.trial.state import check_memory, check_strides
from gradcheck.trial.subject import Subject, comparable, prepare

if TYPE_CHECKING:
    from gradcheck.trial.helpers import Helpers

# A Jacobian of up to this many entries is measured, several times, for naming; a larger case is cropped first.
COMFORTABLE = 10_000


@dataclass(eq=False, slots=True)
class Trial:
    """A trial under way; :func:`try_layer` is the way in.

    Attributes
    ----------
    axis
        Of the table: that of the settings, or else of the options.
    reference
        Another implementation, for the method of that name.
    parts
        What is said of the inputs so far.
    shown
        The upstream for which the gradients are shown, where that is not the case's own.
    upstreams
        By name: the upstream for which the gradient of an input is shown.
    """

    subject: Subject
    settings: Settings
    axis: int | None
    reference: Layer | None = None
    findings: list[Finding] = field(default_factory=list)
    linearity: Linearity = field(default_factory=Linearity)
    parts: list[InputReport] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    mode: str = ""
    shown: list[Array] | None = None
    upstreams: dict[str, Sequence[Array]] = field(default_factory=dict)


def try_layer(
    layer: Layer,
    inputs: Mapping[str, Array],
    *,
    name: str = "",
    options: Mapping[str, Plain] | None = None,
    settings: Settings | None = None,
    upstream: Sequence[Array] | None = None,
    seed: Sequence[int] | None = None,
    reference: Layer | None = None,
    helpers: Helpers | None = None,
) -> Report:
    """Try one layer at one point.

    Parameters
    ----------
    layer
        The implementation, in the one shape of :class:`~gradcheck.layers.protocol.Layer`.
    inputs
        Arrays by name; parameters that the layer holds need not be given.
    options
        Options of the forward.
    settings
        Axis, tolerances, mode and so on.
    upstream
        One array per output; a signed Gaussian from the seed where it is ``None``.
    seed
        Seeds of the trial's generator; ``settings.seed`` by default.
    reference
        Another implementation of the layer, for the method of that name.
    helpers
        Other processes that may evaluate some of its points; the report is the same.

    Returns
    -------
    Report
        A layer that raises gives a report with the verdict ``error``.

    Raises
    ------
    UsageError
        If the request itself makes no sense: an unknown ``wrt``, an axis out of range, a misshapen upstream.
    """
    settings = settings or Settings()
    options = dict(options or {})
    caller = Caller(layer, options, budget=max(settings.budget, 1000) * 4)
    arrays, wrt = choose_inputs(layer, inputs, options, settings.wrt)
    rng = np.random.default_rng(list(seed) if seed is not None else [settings.seed, SALT])
    report = Report(
        name or layer.name, Verdict.ERROR, layer=layer.name, options=options, seed=settings.seed, source=layer.source,
        counts=caller.counts,
    )  # fmt: skip
    report.axis = settings.axis if settings.axis is not None else _axis_option(options, arrays)
    keep_freed_memory(arrays.values())
    try:
        with borrowed_random_state(), quiet():
            trial = Trial(prepare(caller, arrays, wrt, upstream, rng), settings, report.axis, reference)
            trial.subject.helpers = helpers
            trial.notes += note_unchecked(layer, arrays) if settings.wrt is None else []
            _run(trial, report)
    except LayerError as error:
        report.verdict, report.error, report.trace = Verdict.ERROR, error.message, error.trace
    return report


def _axis_option(options: Mapping[str, Plain], arrays: Mapping[str, Array]) -> int | None:
    most = max((array.ndim for array in arrays.values()), default=0)
    for key in AXES:
        value = options.get(key)
        # `dim` is a size as often as an axis: RMSNorm(dim=512)
        if isinstance(value, int) and not isinstance(value, bool) and (key == "axis" or -most <= value < most):
            return value
    return None


def _run(trial: Trial, report: Report) -> None:
    subject = trial.subject
    trial.findings += check_repeatable_forward(subject)
    dead, alive = leave_out_dead_outputs(subject)
    trial.findings += dead
    if not alive:
        report.verdict, report.findings = Verdict.UNDECIDED, order(trial.findings)
        report.notes.append("no output is finite: there is nothing to differentiate")
        return
    settle_precision(subject)
    subject.first = subject.caller.pull(subject.given, subject.upstream, subject.wrt)
    subject.gradients = comparable(subject.first, subject.given)
    trial.findings += check_returned(subject, subject.first)
    trial.findings += check_unchanged(subject.first, subject.wrt, subject.caller.layer.defaults)
    trial.findings += check_finite(subject)
    if subject.gradients:
        trial.findings += check_repeatable_backward(subject)
        if subject.lost:
            _give_up(trial, report)
            return
        if not MEMORY & {finding.rule for finding in trial.findings}:
            trial.linearity = examine_linearity(subject)
            trial.findings += trial.linearity.findings
            if hasattr(subject.caller.layer, "vjp_onto") or hasattr(subject.caller.layer, "members"):
                from gradcheck.trial.accumulation import check_accumulation  # nodes, and chains that may hold some

                trial.findings += check_accumulation(subject)
    subject.steady = not (MEMORY | {"nondeterministic-forward"}) & {finding.rule for finding in trial.findings}
    for name in subject.wrt:
        if name in subject.gradients:
            measured = measure_input(
                subject, name, trial.linearity, trial.settings, _axis_of(trial, name), trial.reference
            )
            trial.parts.append(measured.report)
            trial.mode = trial.mode or measured.mode
            trial.notes += [measured.note] if measured.note else []
            trial.shown = trial.shown or measured.upstream
            trial.upstreams[name] = measured.upstream or subject.upstream
    if trial.settings.probes and subject.gradients:
        _probe(trial)
    _conclude(trial, report)
    if trial.settings.glance and report.verdict is not Verdict.ERROR:
        from gradcheck.trial.blind import glance  # as below: what most runs do without, so that they start sooner

        named = {name for finding in report.findings for name in (finding.rule, *finding.also)}
        report.blind = [spot for spot in glance(subject, trial.axis) if spot.rule not in named]
    if trial.settings.pictures != "none":
        from gradcheck.trial.pictures import take_pictures

        every = trial.settings.pictures == "all"
        take_pictures(subject, trial.parts, trial.linearity, trial.findings, trial.upstreams, trial.settings.eps, every)


def _give_up(trial: Trial, report: Report) -> None:
    """Say nothing of gradients that differ from call to call because the outputs do."""
    report.findings = order(trial.findings)
    report.verdict = Verdict.UNDECIDED if report.bug is None else Verdict.FAIL
    report.notes.append("outputs and gradients differ from call to call, and could not be made to repeat themselves")


def _axis_of(trial: Trial, name: str) -> int | None:
    ndim = np.ndim(trial.subject.given[name])
    return trial.axis if trial.axis is not None and -ndim <= trial.axis < ndim else None


def _probe(trial: Trial) -> None:
    """Look at memory, strides and large inputs, where the gradients themselves leave room for it."""
    subject = trial.subject
    if not MEMORY & {finding.rule for finding in trial.findings}:
        if all(part.verdict is not Verdict.FAIL for part in trial.parts):
            # what could not be measured here cannot be measured at other inputs either
            decided = {part.name for part in trial.parts if part.verdict is Verdict.PASS}
            trial.findings += check_memory(
                subject,
                lambda inputs, gradients: gradients_agree(
                    subject,
                    inputs,
                    {name: part for name, part in gradients.items() if name in decided},
                    trial.settings,
                ),
            )
        trial.findings += check_strides(subject)
    trial.findings += check_large_inputs(subject)


def _conclude(trial: Trial, report: Report) -> None:
    """Come to the verdict, and to the findings."""
    # rounding is judged where the gradient is right, and not nothing but rounding itself
    sound = {part.name for part in trial.parts if part.verdict is Verdict.PASS and not part.vacuous}
    trial.findings = [item for item in trial.findings if item.rule != "low-precision-backward" or item.wrt in sound]
    report.inputs, report.mode, report.notes = trial.parts, trial.mode, trial.notes
    wrong = {part.name for part in trial.parts if part.verdict is Verdict.FAIL}
    bugs = [finding for finding in trial.findings if finding.severity is Severity.BUG]
    if wrong or bugs:
        report.verdict = Verdict.FAIL
        shapes = {finding.wrt for finding in bugs if finding.rule == "wrong-shape" and finding.wrt}
        suspect = wrong | shapes | trial.linearity.nonlinear
        report.findings = _name(trial, report, suspect) if trial.settings.naming else order(trial.findings)
        return
    report.findings = order(trial.findings)
    undecided = any(part.verdict is Verdict.UNDECIDED for part in trial.parts)
    if undecided or not trial.parts or all(part.vacuous for part in trial.parts):
        report.verdict = Verdict.UNDECIDED
        if not trial.parts:
            report.notes.append("there is nothing to compare: no input is differentiated")
    else:
        report.verdict = Verdict.PASS


def _name(trial: Trial, report: Report, suspect: set[str]) -> list[Finding]:
    """Return the findings of a failing case: by the link of a chain, on a smaller case, or on this one."""
    subject = trial.subject
    if trial.shown is not None:
        # the names are to explain the upstream for which the gradients are shown
        subject.upstream = tuple(trial.shown)
        subject.first = subject.caller.pull(subject.given, subject.upstream, subject.wrt)
        subject.gradients = comparable(subject.first, subject.given)
    from gradcheck.trial.chain import find_link_findings
    from gradcheck.trial.evidence import is_small

    links = find_link_findings(subject, trial.settings, try_layer)
    named: list[Finding] | None = None
    if links:
        named = order([*links, *(item for item in trial.findings if item.at is None)])
    elif not is_small(subject, COMFORTABLE):
        named = _reduce(trial, report)
    if named is None:
        named = name_bugs(subject, trial.findings, trial.linearity, suspect, trial.axis)
    return named_or_described(named, trial.parts)


def _reduce(trial: Trial, report: Report) -> list[Finding] | None:
    """Name the bug of a large case on the smallest cropping of its inputs that still fails."""
    subject = trial.subject
    settings = replace(trial.settings, probes=False, mode="auto", pictures="none")

    def attempt(inputs: dict[str, Array]) -> Report:
        return try_layer(subject.caller.fresh(), inputs, options=subject.caller.options, settings=settings)

    from gradcheck.trial.reduction import reduce_case

    found_one = reduce_case(subject.given, attempt)
    if found_one is None:
        return None
    inputs, smaller = found_one
    shapes = ", ".join(f"{name} {inputs[name].shape}" for name in subject.wrt)
    report.notes.append(f"named on the case cropped to {shapes}, which fails as well")
    known = {finding.rule for finding in smaller.findings}
    for finding in smaller.findings:
        if finding.rule == "mismatch":  # it counts entries, and they are those of the cropped case
            finding.message += f"; counted on the case cropped to {shapes}"
    return order([*smaller.findings, *(finding for finding in trial.findings if finding.rule not in known)])
