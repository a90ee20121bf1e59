"""Whether the backward is linear in its upstream, and how well it rounds: both from asking it again with multiples."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from gradcheck.model import Finding, Severity
from gradcheck.trial.calls import Floats, draw_upstream
from gradcheck.trial.contract import found
from gradcheck.trial.repetition import ask_nudged, ask_same_again
from gradcheck.trial.subject import Subject

# Multiples that are no powers of two change every rounding of the backward without changing what it computes.
ROUNDING = (1.0 / 3.0, 0.7, 1.9)
# Beyond this relative residual no arithmetic of at least half precision explains what a linear map would return.
TOLERANCE = 2.0**-5
# Round-offs of a gradient's typical size that are noise.
NOISE_UNITS = 64.0
# Where a law seems broken, the gradient is asked for at so many points, each up to so many round-offs away.
SAMPLES = 4
NEARBY = 4.0


def smallest(unit: float) -> float:
    """Return a size below which numbers of this precision begin to lose digits."""
    return 1e-300 if unit < 1e-12 else 1e-32 if unit < 1e-5 else 1e-4


@dataclass(eq=False, slots=True)
class Linearity:
    """What was learnt from asking the backward again.

    Attributes
    ----------
    nonlinear
        Names of the inputs whose gradient is not linear in the upstream.
    offset
        By name: what it returns for an upstream of zeros.
    rounding
        By name and entry: how much its own rounding moves it.
    findings
        What is wrong.
    """

    nonlinear: set[str] = field(default_factory=set)
    offset: dict[str, Floats] = field(default_factory=dict)
    rounding: dict[str, Floats] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    @property
    def linear(self) -> bool:
        """Whether all gradients are linear in the upstream."""
        return not self.nonlinear


def examine_linearity(subject: Subject) -> Linearity:
    """Ask for ``0``, ``-g``, ``2 g``, odd multiples, a tiny one and, unless the upstream is given, ``g + g'``.

    The four laws of a linear map are ``a(0) = 0``, ``a(-g) = -a(g)``, ``a(c g) = c a(g)`` and
    ``a(g + g') = a(g) + a(g')``.
    """
    result = Linearity()
    base = subject.gradients
    if not base or any(not np.all(np.isfinite(part)) for part in base.values()):
        return result
    peak = {name: float(np.max(np.abs(part), initial=0.0)) for name, part in base.items()}
    # a gradient that cancels to nothing is rounding noise, and noise is not linear; nor are subnormal numbers
    noise = {
        name: max(
            NOISE_UNITS * subject.unit(name) * subject.typical.get(name, 0.0),
            smallest(subject.unit(name)),
            8 * subject.jitter.get(name, 0.0),
            NOISE_UNITS * subject.cancelling(name),
        )
        for name in base
    }
    scale = {name: max(size, noise[name] / TOLERANCE) for name, size in peak.items()}

    def ask(factor: float) -> dict[str, Floats]:
        return subject.vjp(subject.scaled_upstream(factor))

    laws = _Laws(scale)
    result.offset = ask(0.0)
    for name, part in result.offset.items():
        laws.test(name, "a(0) is not 0", np.abs(part))
    result.rounding = {name: np.zeros_like(part) for name, part in base.items()}
    for factor, label in ((-1.0, "a(-g) is not -a(g)"), (2.0, "a(2 g) is not 2 a(g)"), *((c, "") for c in ROUNDING)):
        for name, part in ask(factor).items():
            if name not in base:
                continue
            residual = np.abs(part / factor - base[name])
            if laws.test(name, label or f"a({factor:.2g} g) is not {factor:.2g} a(g)", residual):
                result.rounding[name] = np.maximum(result.rounding[name], residual)
    if not laws.broken and not subject.fixed_upstream:
        other = draw_upstream(subject.outputs, subject.rng)
        theirs = subject.vjp(other)
        both = subject.vjp([np.add(a, b) for a, b in zip(subject.scaled_upstream(1.0), other, strict=True)])
        for name, part in both.items():
            if name in base and name in theirs:
                total = base[name] + theirs[name]
                size = float(np.max(np.abs(total), initial=0.0))
                laws.test(name, "a(g + g') is not a(g) + a(g')", np.abs(part - total), size)
    if laws.broken:
        for name, residual in laws.forgive(_scatter(subject)).items():
            result.rounding[name] = np.maximum(result.rounding[name], residual)
    if laws.broken and (unsteady := ask_same_again(subject)):
        return Linearity(rounding=result.rounding, findings=unsteady)
    result.nonlinear = set(laws.broken)
    if laws.broken:
        result.findings.append(laws.finding())
    else:
        result.findings += _underflow(subject, scale)
        result.findings += _coarse(subject, result.rounding, scale)
    nearby = [subject.nudged]
    if any(subject.unit(name) > 1e-12 for name in base):
        # one draw of signs leaves many sums as they were: in single precision that decides what is taken for rounding
        nearby += [ask_nudged(subject) for _ in range(SAMPLES)]
    for near in nearby:
        for name, part in near.items():
            if name in result.rounding:
                result.rounding[name] = np.fmax(result.rounding[name], np.abs(part - base[name]))
    return result


def _scatter(subject: Subject) -> dict[str, float]:
    """Return by name how far rounding moves the gradients, from points that differ from the case's in the last bits.

    A gradient whose terms cancel to nothing is as large as their rounding, which for another upstream may be many times
    that for this one: it is known from the size of terms such as ``g y / x``. What is more than that is no noise: where
    maxima are tied, a last bit decides as well.
    """
    found = dict.fromkeys(subject.gradients, 0.0)
    for _ in range(SAMPLES):
        for name, part in ask_nudged(subject, NEARBY).items():
            if name in found:
                apart = np.abs(part - subject.gradients[name])
                found[name] = max(found[name], float(np.max(apart[np.isfinite(apart)], initial=0.0)))
    noise = {}
    for name, size in found.items():
        most = _rounding_of_terms(subject, name)
        nothing_else = float(np.max(np.abs(subject.gradients[name]), initial=0.0)) <= 8 * size
        noise[name] = most if nothing_else else min(8 * size, most)
    return noise


def _rounding_of_terms(subject: Subject, name: str) -> float:
    moved = np.abs(np.asarray(subject.moved[name], dtype=np.float64))
    sizes = [float(np.max(np.abs(part), initial=0.0)) for part in subject.outputs if part.dtype.kind == "f"]
    upstream = float(np.max(np.abs(subject.weights), initial=0.0))
    return (
        NOISE_UNITS
        * subject.unit(name)
        * upstream
        * max(sizes, default=0.0)
        / float(np.min(moved[moved > 0], initial=np.inf))
    )


class _Laws:
    """Which laws of a linear map are broken, by which gradient, and by how much."""

    def __init__(self, scale: dict[str, float]) -> None:
        self.scale = scale
        self.broken: dict[str, list[tuple[str, Floats, float]]] = {}

    def test(self, name: str, law: str, residual: Floats, size: float = 0.0) -> bool:
        """Note whether a residual is more than rounding; return whether the law holds."""
        share = float(np.max(residual, initial=0.0)) / (max(size, self.scale.get(name, 0.0)) or 1.0)
        if share <= TOLERANCE:
            return True
        self.broken.setdefault(name, []).append((law, residual, share))
        return False

    def forgive(self, noise: dict[str, float]) -> dict[str, Floats]:
        """Take back what noise explains, and return by name the largest residuals that were nothing else."""
        forgiven: dict[str, Floats] = {}
        for name, cases in list(self.broken.items()):
            left = [case for case in cases if not np.max(case[1], initial=0.0) <= noise.get(name, 0.0)]
            if not left:
                forgiven[name] = np.max([residual for _, residual, _ in cases], axis=0)
                del self.broken[name]
        return forgiven

    def finding(self) -> Finding:
        """Return what is to be said of it."""
        laws = list(dict.fromkeys(law for cases in self.broken.values() for law, _, _ in cases))
        shares = [share for cases in self.broken.values() for _, _, share in cases if np.isfinite(share)]
        return found(
            "nonlinear-in-upstream",
            f"the backward is not linear in the upstream: {'; '.join(laws[:2])}",
            "a vector-Jacobian product is linear: multiply by the upstream once, and clip or mask nothing of it",
            wrt=next(iter(self.broken)) if len(self.broken) == 1 else None,
            residual=max(shares, default=0.0),
            laws=list(laws),
        )


def _underflow(subject: Subject, scale: dict[str, float]) -> list[Finding]:
    """Compare a(1e-8 g) with 1e-8 a(g): in half precision the small one is lost.

    Where the case itself is in half precision such an upstream cannot even be handed over.
    """
    factor = 2.0**-27
    findings: list[Finding] = []
    handed = [*subject.upstream, *(subject.given[name] for name in subject.wrt), *subject.outputs]
    if subject.first is not None:
        handed += subject.first.outputs
    if any(part.dtype.kind == "f" and part.dtype.itemsize < 4 for part in handed):
        return findings
    for name, part in subject.vjp(subject.scaled_upstream(factor)).items():
        base = subject.gradients.get(name)
        if base is None or not scale[name] or scale[name] * factor < 1e-30:
            continue
        share = float(np.max(np.abs(part / factor - base), initial=0.0)) / scale[name]
        if not share <= TOLERANCE:
            severity = Severity.WARNING if subject.precision > 1e-5 else Severity.BUG
            findings.append(
                found(
                    "low-precision-underflow",
                    f"an upstream of 1e-8 g loses {100 * min(share, 1.0):.0f} % of the gradient of {name}",
                    "keep the backward in the precision of its inputs, or scale the loss",
                    severity=severity,
                    wrt=name,
                    lost=share,
                )
            )
    return findings


def _coarse(subject: Subject, rounding: dict[str, Floats], scale: dict[str, float]) -> list[Finding]:
    """Report a float64 layer whose backward rounds as single or half precision does."""
    findings: list[Finding] = []
    if subject.precision > 1e-12 or any(part.dtype.itemsize < 8 for part in subject.upstream):
        return findings
    for name, part in rounding.items():
        if subject.given[name].dtype.itemsize < 8:
            continue
        # beside a gradient that cancels to nothing any rounding looks large
        share = float(np.max(part, initial=0.0)) / (max(scale[name], subject.typical.get(name, 0.0)) or 1.0)
        value = subject.first.gradients.by_input[name] if subject.first else part
        if share > 2.0**-30 and np.array_equal(value, np.asarray(value, dtype=np.float32).astype(value.dtype)):
            findings.append(
                found(
                    "low-precision-backward",
                    f"the gradient of {name} is computed in single precision although the forward is not",
                    "keep the intermediate arrays of the backward in float64",
                    severity=Severity.WARNING,
                    wrt=name,
                    rounding=share,
                )
            )
    return findings
