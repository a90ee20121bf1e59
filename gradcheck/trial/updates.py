"""Steps of an optimiser within the backward: gradients that are right for parameters as it left them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from gradcheck.errors import LayerError
from gradcheck.layers.objects import ObjectLayer
from gradcheck.layers.protocol import Array
from gradcheck.model import Finding
from gradcheck.trial.calls import Floats, equal_bits
from gradcheck.trial.contract import found
from gradcheck.trial.subject import Subject, round_off

if TYPE_CHECKING:
    from gradcheck.rules.truth import Truth


def moved_parameters(subject: Subject) -> dict[str, tuple[Array, Array]]:
    """Return the arrays of the layer's object that its backward changes and its forward reads: before and after it."""
    layer = subject.caller.layer
    if not isinstance(layer, ObjectLayer):
        return {}
    layer.watching = True
    try:
        subject.caller.pull(subject.given, subject.upstream, subject.wrt)
        moved = dict(layer.moved)
        if not moved:
            return {}
        home = subject.caller.forward(subject.moved)
        read = {}
        for name, (before, after) in moved.items():
            if layer.adopt(name):
                there = subject.caller.forward({**subject.moved, name: after})
                if not all(map(equal_bits, there, home)):
                    read[name] = (before, after)
                elif name not in layer.defaults:
                    layer.release(name)  # a gradient or a cache: calls must not put it back
    except LayerError:
        return {}
    finally:
        layer.watching = False
    return read


def find_updated_parameters(subject: Subject, truth: Truth, wrong: set[str]) -> list[Finding]:
    """Look whether a gradient is right for the inputs as the backward left them: an optimiser's step came too early."""
    moved = moved_parameters(subject)
    if subject.first is not None:
        moved |= {name: (subject.given[name], after) for name, after in subject.first.after.items()}
    if not moved:
        return []
    after = {name: pair[1] for name, pair in moved.items()}
    findings = []
    changed = ", ".join(after)
    for name in sorted(wrong & set(subject.gradients)):
        elsewhere = truth.measure(name, after, {})
        gradient = subject.gradients[name].ravel()
        if elsewhere is None or elsewhere.shape != truth.jacobians[name].shape:
            continue
        size = float(np.linalg.norm(gradient)) or 1.0
        explained = float(np.linalg.norm(elsewhere.T @ truth.g - gradient)) / size
        off = float(np.linalg.norm(truth.jacobians[name].T @ truth.g - gradient)) / size
        if explained < 1e-6 < 1e-2 * off:
            message = f"the gradient of {name} is right for {changed} as the backward left it, not as it was given"
            findings.append(_step_too_early(message, name, explained, off))
    return findings or find_steps(subject, truth, wrong, moved)


def find_steps(
    subject: Subject, truth: Truth, wrong: set[str], moved: Mapping[str, tuple[Array, Array]]
) -> list[Finding]:
    """Look for a step of the optimiser between uses of a parameter: it moved by a multiple of its own gradient.

    The gradients are right then for upstreams so small that the step does not matter, which is the other evidence.
    """
    steps = {name: _rate(_gradient_of(subject, truth, name, pair[0]), *pair) for name, pair in moved.items()}
    rates = {name: rate for name, rate in steps.items() if rate is not None}
    suspects = sorted(wrong & set(subject.gradients))
    if not rates or not suspects:
        return []
    small = 1e-6
    try:
        seen = subject.vjp(subject.scaled_upstream(small))
    except LayerError:
        return []
    findings = []
    for name in suspects:
        true = truth.jacobians[name].T @ truth.g
        size = float(np.linalg.norm(true))
        if name not in seen or not size:
            continue
        explained = float(np.linalg.norm(seen[name].ravel() / small - true)) / size
        off = float(np.linalg.norm(subject.gradients[name].ravel() - true)) / size
        if explained < 1e-3 * off:
            which, rate = next(((key, value) for key, value in rates.items() if key != name), next(iter(rates.items())))
            message = f"{which} was moved by {rate:.6g} times its gradient while the gradient of {name} was computed"
            findings.append(_step_too_early(message, name, explained, off))
    return findings


def _step_too_early(message: str, name: str, explained: float, off: float) -> Finding:
    remedy = "compute all gradients first, and take the optimiser's step outside of the backward"
    return found("uses-updated-parameters", message, remedy, wrt=name, explained=explained, truth=off)


def _gradient_of(subject: Subject, truth: Truth, name: str, before: Array) -> Floats | None:
    """Return the gradient of a parameter: what the backward says, or else the true one."""
    if name in subject.gradients:
        return subject.gradients[name]
    measured = truth.measure(name, {name: before}, {})
    return None if measured is None else np.asarray(measured.T @ truth.g).reshape(before.shape)


def _rate(gradient: Floats | None, before: Array, after: Array) -> float | None:
    """Return c where the backward moved a parameter by c times its gradient, at least in two entries."""
    if gradient is None or gradient.shape != after.shape:
        return None
    step = np.asarray(after, np.float64) - np.asarray(before, np.float64)
    size = float(np.vdot(gradient, gradient))
    if np.count_nonzero(step) < 2 or not np.isfinite(size) or not size:
        return None
    rate = float(np.vdot(gradient, step)) / size
    grain = 64 * round_off(before.dtype) * float(np.abs(before).max())
    close = np.abs(step - rate * gradient).max() <= 1e-6 * np.abs(step).max() + grain
    return rate if close and rate else None
