"""Which bug explains a wrong gradient: every rule predicts, the simplest that fits is named."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gradcheck.model import Finding, Plain, Severity
from gradcheck.rules.factors import named
from gradcheck.rules.fingerprint import fingerprint
from gradcheck.rules.predictions import Prediction, distance, residual
from gradcheck.rules.ratios import changes, observe
from gradcheck.rules.registry import Rule, predicted, rules
from gradcheck.rules.truth import Account, Truth
from gradcheck.rules.view import View


@dataclass
class Fit:
    """A rule that explains the gradient of one input."""

    rule: Rule
    prediction: Prediction
    explained: float

    @property
    def rank(self) -> int:
        """Simplicity of this explanation; lower is simpler."""
        return int(self.rule.rank + self.prediction.rank)


def explain(truth: Truth, account: Account, wrong: set[str] | None = None) -> list[Finding]:
    """Name the bug of every wrong input, best explanation first.

    Parameters
    ----------
    truth, account
        What is true, and what the backward did.
    wrong
        Names of the inputs known to be wrong; found out by default.

    Returns
    -------
    list of Finding
        One finding per wrong input; ``mismatch`` with its fingerprint where no rule explains it. Empty where nothing
        is wrong.
    """
    # the rules try formulas at points where they do not hold: that is no news
    with np.errstate(all="ignore"):
        return _explain(truth, account, wrong)


def _explain(truth: Truth, account: Account, wrong: set[str] | None) -> list[Finding]:
    views = {name: View(truth, account, name) for name in truth.wrt}
    suspects = [name for name in truth.wrt if (name in wrong if wrong is not None else views[name].wrong)]
    fits = {name: fitting(views[name]) for name in suspects}
    shared: dict[str, int] = {}
    for found in fits.values():
        for rule in {fit.rule.id for fit in found}:
            shared[rule] = shared.get(rule, 0) + 1
    ranked: list[tuple[tuple[int, int], Finding]] = []
    for name in suspects:
        found = sorted(fits[name], key=lambda fit: (-shared[fit.rule.id], fit.rank, fit.explained))
        if found:
            key = (-shared[found[0].rule.id], found[0].rank)
            ranked += [(key, finding) for finding in _findings(views[name], found)]
        else:
            ranked.append(((1, 1000), fingerprint(views[name])))
    ranked.sort(key=lambda pair: pair[0])
    return [finding for _, finding in ranked]


def fitting(view: View) -> list[Fit]:
    """All rules that explain the gradient of one input, each with its best prediction."""
    found: list[Fit] = []
    scaled: list[Fit] = []
    for entry in rules().values():
        if entry.predict is None:
            continue
        for prediction in predicted(entry, view):
            value = residual(view, prediction)
            if acceptable(view, prediction, value):
                found.append(Fit(entry, prediction, value))
            elif not found and not prediction.free:
                scaled += composed(view, entry, prediction)
    return _best(separate(view, found) if found else scaled)


def _best(found: list[Fit]) -> list[Fit]:
    """Keep the best prediction of every rule."""
    best: dict[str, Fit] = {}
    for fit in found:
        known = best.get(fit.rule.id)
        if known is None or (fit.rank, _coarse(fit)) < (known.rank, _coarse(known)):
            best[fit.rule.id] = fit
    return list(best.values())


def composed(view: View, entry: Rule, prediction: Prediction) -> list[Fit]:
    """Explain the gradient by a rule and a scale that has a name, if the rule alone does not explain it."""
    matrix = prediction.jacobian
    if matrix is None or view.A is None or prediction.offset is not None or prediction.law is not None:
        return []
    gradient = matrix.T @ view.g
    size = float(gradient @ gradient)
    scale = float(gradient @ view.a) / size if size and view.a is not None else 0.0
    if view.a is None or distance(scale * gradient, view.a) > view.tolerance:
        return []
    same = distance(matrix, view.J) < 1e-3
    if abs(scale) < 1e-9 or abs(scale - 1.0) < 1e-3 or same or np.count_nonzero(np.abs(matrix) > view.zero) < 6:
        return []
    again = replace(prediction, jacobian=scale * matrix)
    value = residual(view, again)
    if not acceptable(view, again, value):
        return []
    labels = {
        -1.0: ("sign-error", "the wrong sign"),
        2.0: ("factor-two", "a factor of 2"),
        0.5: ("factor-two", "a half"),
    }
    for number, (other, words) in labels.items():
        if abs(scale - number) < 10 * view.slack:
            return [Fit(entry, _with_scale(again, scale, other, words), value)]
    for factor in named(view, scale):
        if factor.kind in MEANING:
            return [Fit(entry, _with_scale(again, scale, MEANING[factor.kind], factor.label), value)]
    return []


MEANING = {
    "samples": "missing-one-over-n",
    "1/samples": "extra-one-over-n",
    "option": "missing-inner-factor",
    "root": "missing-inner-factor",
    "count": "wrong-normaliser-count",
    "1/count": "wrong-normaliser-count",
    "ddof": "ddof-mismatch",
}


def _with_scale(prediction: Prediction, scale: float, rule: str, words: str) -> Prediction:
    evidence: dict[str, Plain] = {**prediction.evidence, "scale": scale, "scale is": words, "second bug": rule}
    return replace(prediction, rank=prediction.rank + 40, evidence=evidence)


def _coarse(fit: Fit) -> int:
    """The residual in steps of a hundred, so that round-off does not decide between equals."""
    return int(np.log10(max(fit.explained, 1e-12)) / 2)


def separate(view: View, found: list[Fit]) -> list[Fit]:
    """Where several named numbers fit a ratio, change the case so that they differ, and keep those that still fit."""
    laws = [fit for fit in found if fit.prediction.law is not None]
    if len({fit.rule.id for fit in laws}) < 2:
        return found
    for change in changes(view):
        seen = observe(view, change)
        if seen is None:
            continue
        situation, ratio = seen
        still = [
            fit
            for fit in laws
            if fit.prediction.law is not None
            and abs(fit.prediction.law(situation) - ratio) <= max(1e-4, view.slack) * abs(ratio)
        ]
        laws = still or laws
    return [fit for fit in found if fit.prediction.law is None or fit in laws]


def acceptable(view: View, prediction: Prediction, value: float) -> bool:
    """Whether a residual is evidence: within the noise, far below the error itself, and paid for by entries."""
    if not np.isfinite(value) or value > view.tolerance:
        return False
    if view.wrongness < 30.0 * value:
        return False
    return _informative(view) >= prediction.free + 2 or prediction.free == 0


def _informative(view: View) -> int:
    """How many entries the backward was compared on."""
    if view.A is not None:
        return int(np.count_nonzero(np.abs(view.A) + np.abs(view.J) > view.zero))
    return int(view.N)


def _findings(view: View, found: list[Fit]) -> list[Finding]:
    """Write the best fit down, and the scale as a second finding where it takes one."""
    best = found[0]
    evidence: dict[str, Plain] = {"explained": best.explained, "truth": view.wrongness, **best.prediction.evidence}
    also = tuple(fit.rule.id for fit in found[1:])
    if also and (hint := apart(view)):
        evidence["to tell them apart"] = hint
    first = Finding(
        best.rule.id,
        Severity.BUG,
        best.prediction.message,
        best.prediction.remedy,
        evidence,
        wrt=view.name,
        also=also,
    )
    second = best.prediction.evidence.get("second bug")
    if not isinstance(second, str):
        return [first]
    words = f"besides, everything is multiplied with {best.prediction.evidence['scale']:.6g}"
    words += f": {best.prediction.evidence['scale is']}"
    return [first, Finding(second, Severity.BUG, words, "mend the scale as well", dict(evidence), wrt=view.name)]


def apart(view: View) -> str:
    """Name a change of the case under which explanations that agree here would differ."""
    shapes = [np.shape(value) for value in view.truth.inputs.values()] + list(view.shapes)
    lengths = sorted({length for shape in shapes for length in shape})
    if any(len(set(shape)) < len(shape) for shape in shapes):
        return "make the lengths of all axes differ"
    options = [value for value in view.truth.options.values() if isinstance(value, (int, float))]
    if 2 in lengths:
        return "use axes longer than 2"
    if any(value in lengths for value in options):
        return "give the options values that are no lengths"
    if view.M == 1:
        return "check the loss without its reduction"
    return "try other lengths, options and inputs"
