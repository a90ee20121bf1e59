"""What is drawn of a trial beside its numbers: both Jacobians, and the error of a difference against its step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from gradcheck.errors import LayerError
from gradcheck.layers.protocol import Array
from gradcheck.model import Counts, Curve, Entry, Finding, Grid, InputReport, Verdict
from gradcheck.numeric.jacobian import Jacobian, measure_jacobian
from gradcheck.numeric.layout import Layout
from gradcheck.numeric.survey import survey
from gradcheck.numeric.sweep import sweep
from gradcheck.trial.calls import SALT, Floats
from gradcheck.trial.evidence import imply_jacobians
from gradcheck.trial.linearity import Linearity
from gradcheck.trial.naming import MEMORY
from gradcheck.trial.settling import precision_of
from gradcheck.trial.subject import Subject

# Numbers, and rows or columns, of a Jacobian that is drawn: of an input that agrees, and of one that does not.
MOST_RIGHT = (4_096, 64)
MOST_WRONG = (16_384, 256)
# Beyond this relative difference (and the rounding of the largest entry) an entry of a Jacobian is marked as wrong.
WRONG = 1e-6


def take_pictures(
    subject: Subject,
    parts: Sequence[InputReport],
    linearity: Linearity,
    findings: Sequence[Finding],
    upstreams: Mapping[str, Sequence[Array]],
    eps: float | None,
    every: bool,
) -> None:
    """Add to what is said of each input its Jacobian, where that is small, and a sweep of its worst entry.

    Nothing else in the report depends on it. What the layer refuses now is not drawn.

    Parameters
    ----------
    parts
        What is said of the inputs.
    upstreams
        By name: the upstream for which the gradient is shown.
    eps
        Step of the differences, where the case gives one.
    every
        Whether inputs whose gradients agree are drawn as well.
    """
    # what the verdict cost stays what it is, whatever is drawn
    counts, subject.caller.counts = subject.caller.counts, Counts()
    # without state: numbers of single calls mean little where a call remembers the one before
    stateless = not MEMORY & {finding.rule for finding in findings}
    implied: dict[str, Floats] | None = None
    for part in parts:
        if not part.size or not (every or part.verdict is not Verdict.PASS):
            continue
        try:
            if stateless and _is_small(subject, part):
                implied = imply_jacobians(subject, linearity) if implied is None else implied
                part.jacobian = _draw_jacobian(subject, part, implied)
            part.curve = _draw_curve(subject, part, upstreams[part.name], eps)
        except LayerError:
            continue
    counts.pictures, subject.caller.counts = subject.caller.counts.forwards, counts


def sweep_entry(
    subject: Subject, name: str, index: tuple[int, ...], analytic: float, eps: float | None = None
) -> Curve:
    """Measure one entry of one input with steps from far too short to far too long, for the subject's upstream.

    Raises
    ------
    LayerError
        If the layer raises at the case's own inputs.
    """
    function, x = subject.function(name), np.asarray(subject.moved[name], dtype=np.float64)
    layout = Layout.whole(x.size, subject.weights.size)
    # a generator of its own: the picture does not depend on what else was looked at
    rng = np.random.default_rng(SALT)
    around = survey(function, x, subject.weights, layout, rng, precision_of(subject.precision), eps=eps)
    found = sweep(function, around, entry=int(np.ravel_multi_index(index, x.shape)) if x.ndim else 0)
    return Curve(
        index=tuple(int(i) for i in index),
        steps=found.steps.tolist(),
        errors=[float(f"{error:.6g}") for error in found.errors],
        numeric=found.reference,
        bound=found.bound,
        analytic=analytic,
        chosen=found.chosen,
        best=found.best,
        roundoff=found.roundoff,
        truncation=found.truncation,
        evaluations=found.evaluations + around.evaluations,
    )


def worst_entry(part: InputReport) -> Entry | None:
    """Return the entry of an input that decided its verdict, where the report keeps any."""
    entries = [*part.worst, *(row.worst for row in part.slices)]
    return max(entries, key=lambda entry: entry.error if np.isfinite(entry.error) else -1.0, default=None)


def _is_small(subject: Subject, part: InputReport) -> bool:
    rows, columns = subject.weights.size, part.size
    numbers, longest = MOST_RIGHT if part.verdict is Verdict.PASS else MOST_WRONG
    # of a single output the Jacobian is the gradient once more
    return rows > 1 and rows * columns <= numbers and max(rows, columns) <= longest


def _draw_jacobian(subject: Subject, part: InputReport, implied: Mapping[str, Floats]) -> Grid | None:
    analytic = implied.get(part.name)
    if analytic is None:
        return None
    x = np.asarray(subject.moved[part.name], dtype=np.float64)
    measured = measure_jacobian(subject.function(part.name), x, np.random.default_rng(SALT))
    wrong = _differing(analytic, measured, subject.unit(part.name)) if part.verdict is Verdict.FAIL else []
    claim, numeric = ([float(f"{value:.12g}") for value in each.ravel()] for each in (analytic, measured.value))
    bound = [float(f"{value:.3g}") for value in measured.bound.ravel()]
    outputs = [tuple(map(int, output.shape)) for output in subject.outputs]
    return Grid((len(analytic), part.size), claim, numeric, bound, wrong, outputs)


def _differing(analytic: Floats, measured: Jacobian, unit: float) -> list[int]:
    """Return the flat places where the two Jacobians are further apart than measurement and rounding explain."""
    numeric = measured.value
    peak = float(np.max(np.abs(numeric[np.isfinite(numeric)]), initial=0.0))
    with np.errstate(invalid="ignore"):
        allowed = 2 * measured.bound + max(WRONG, 256 * unit) * np.fmax(np.abs(analytic), np.abs(numeric))
        apart = ~(np.abs(analytic - numeric) <= allowed + 64 * unit * peak) & np.isfinite(numeric)
    return [int(i) for i in np.flatnonzero(apart)]


def _draw_curve(subject: Subject, part: InputReport, upstream: Sequence[Array], eps: float | None) -> Curve | None:
    worst = worst_entry(part)
    if worst is None:
        return None
    kept = subject.upstream
    subject.upstream = tuple(upstream)
    try:
        return sweep_entry(subject, part.name, worst.index, worst.analytic, eps)
    finally:
        subject.upstream = kept
