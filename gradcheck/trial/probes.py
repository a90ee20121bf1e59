"""Looks at other points than the case's own: large inputs. What they find is a warning."""

from __future__ import annotations

import numpy as np

from gradcheck.errors import LayerError
from gradcheck.model import Finding, Severity
from gradcheck.trial.calls import is_float
from gradcheck.trial.contract import found
from gradcheck.trial.subject import Subject, comparable

LARGE = 1000.0


def check_large_inputs(subject: Subject) -> list[Finding]:
    """Scale each input of mixed signs to 1000 and look for nan that comes from an overflow.

    Masks and rows that sum to 1 are left alone: a scaled one leaves the layer's domain. An output that is nan
    without any overflow on the way (arccos beyond 1) is outside the domain as well; one that is infinite (exp) is
    right.
    """
    findings = []
    for name in subject.wrt:
        x = np.asarray(subject.moved[name], dtype=np.float64)
        peak = float(np.max(np.abs(x), initial=0.0))
        if not is_float(subject.given[name]) or not peak or peak >= LARGE / 2 or _is_normalised(x):
            continue
        scaled = x * (LARGE / peak)
        overflow = _Overflow()
        old = np.seterrcall(overflow)
        try:
            subject.caller.prepare_call()
            with np.errstate(over="call", invalid="ignore", divide="ignore", under="ignore"):
                outputs = subject.caller.layer.forward({**subject.moved, name: scaled}, subject.caller.options)
        except LayerError:
            continue
        finally:
            np.seterrcall(old)
        floats = [np.asarray(part) for part in outputs if np.asarray(part).dtype.kind == "f"]
        if overflow.seen and any(bool(np.isnan(part).any()) for part in floats):
            findings.append(
                found(
                    "overflow-in-forward",
                    f"with {name} around {LARGE:g} the forward returns nan: an exponential overflows",
                    "subtract the maximum before the exponential",
                    severity=Severity.WARNING,
                    wrt=name,
                )
            )
            continue
        if all(bool(np.isfinite(part).all()) for part in floats):
            findings += _backward_there(subject, name, scaled)
    return findings


def _is_normalised(x: np.typing.NDArray[np.float64]) -> bool:
    """Whether these are probabilities that sum to 1 along an axis, or a mask of zeros and ones."""
    if np.any(x < 0):
        return False
    sums = any(bool(np.allclose(x.sum(axis), 1.0, rtol=1e-6)) for axis in range(x.ndim))
    return sums or bool(np.all((x == 0) | (x == 1)))


def _backward_there(subject: Subject, name: str, scaled: np.typing.NDArray[np.float64]) -> list[Finding]:
    inputs = {**subject.given, name: scaled.astype(subject.given[name].dtype)}
    try:
        gradients = comparable(subject.caller.pull(inputs, subject.upstream, subject.wrt), inputs)
    except LayerError:
        return []
    bad = [key for key, part in gradients.items() if np.isnan(part).any()]
    if not bad or any(np.isnan(part).any() for part in subject.gradients.values()):
        return []
    return [
        found(
            "unstable-backward-overflow",
            f"with {name} around {LARGE:g} the forward is finite and the gradient of {bad[0]} is nan",
            "shift the exponent by the maximum, as the forward does",
            severity=Severity.WARNING,
            wrt=bad[0],
        )
    ]


class _Overflow:
    """Remembers that numpy reported an overflow; numpy calls it with the kind of error and a flag."""

    def __init__(self) -> None:
        self.seen = False

    def __call__(self, kind: str, flag: int) -> None:
        self.seen = self.seen or "overflow" in kind
