"""Why a verdict holds: one entry of a gradient measured with steps from far too short to far too long."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from gradcheck.errors import LayerError, UsageError
from gradcheck.model import Case, Curve, Report, Verdict
from gradcheck.trial.calls import Caller, borrowed_random_state, quiet
from gradcheck.trial.case import draw_upstreams, realise, seed_of, try_case
from gradcheck.trial.chosen import choose_inputs
from gradcheck.trial.pictures import sweep_entry, worst_entry
from gradcheck.trial.repetition import check_repeatable_forward
from gradcheck.trial.settling import settle_precision
from gradcheck.trial.subject import Subject, comparable, prepare

_WORST_FIRST = (Verdict.FAIL, Verdict.UNDECIDED, Verdict.PASS)


@dataclass(slots=True)
class SweptEntry:
    """One entry over many steps.

    Attributes
    ----------
    report
        The case as it was tried.
    name
        Of which input.
    curve
        The measurements; what the backward says is nan if it says nothing.
    """

    report: Report
    name: str
    curve: Curve


def sweep_case(case: Case, name: str | None = None, index: Sequence[int] | None = None) -> SweptEntry:
    """Measure one entry of one input over many steps.

    Parameters
    ----------
    case
        The case.
    name, index
        Which entry; by default the one that decided the verdict: the most wrong one, or the one nearest to its limit.

    Raises
    ------
    UsageError
        If there is no such entry, or the case cannot be run.
    LayerError
        If the layer raises.
    """
    # neither the name of a bug nor what else the layer does matters here
    report = try_case(
        replace(case, settings=replace(case.settings, naming=False, glance=False, probes=False, pictures="none"))
    )
    if report.verdict is Verdict.ERROR:
        raise LayerError(report.error, report.trace)
    layer, inputs, options = realise(case)
    caller = Caller(layer, options)
    arrays, wrt = choose_inputs(layer, inputs, options, case.settings.wrt)
    rng = np.random.default_rng(seed_of(case))
    with borrowed_random_state(), quiet():
        subject = prepare(caller, arrays, wrt, draw_upstreams(case, layer, inputs, options), rng)
        check_repeatable_forward(subject)
        name, place = _choose(subject, report, name, index)
        settle_precision(subject)
        subject.gradients = comparable(caller.pull(subject.given, subject.upstream, wrt), subject.given)
        claim = subject.gradients.get(name)
        analytic = float(claim[place]) if claim is not None else float("nan")
        curve = sweep_entry(subject, name, place, analytic, case.settings.eps)
    return SweptEntry(report, name, curve)


def _choose(
    subject: Subject, report: Report, name: str | None, index: Sequence[int] | None
) -> tuple[str, tuple[int, ...]]:
    """Return input and entry: those asked for, else those that decided the verdict."""
    if name is not None and name not in subject.wrt:
        raise UsageError(f"{name!r} is not differentiated", f"the inputs are {', '.join(subject.wrt)}")
    parts = [part for part in report.inputs if part.size and name in (None, part.name)]
    if not parts:
        bug = report.bug
        why = f"{bug.rule}: {bug.message}" if bug is not None else ""
        why = why or next(iter(report.notes), "the inputs that are differentiated are empty")
        raise UsageError("there is no entry to be looked at", why)
    part = min(parts, key=lambda each: (_WORST_FIRST.index(each.verdict), each.margin or 0.0))
    worst = worst_entry(part)
    place = tuple(index) if index is not None else worst.index if worst is not None else (0,) * len(part.shape)
    shape = np.shape(subject.given[part.name])
    if len(place) != len(shape) or not all(-n <= i < n for i, n in zip(place, shape, strict=False)):
        raise UsageError(
            f"{part.name} of shape {tuple(map(int, shape))} has no entry {list(place)}",
            "give one number per axis, as --at 1,3" if shape else "it is a single number: leave --at out",
        )
    return part.name, tuple(int(i) % n for i, n in zip(place, shape, strict=True))
