"""Whether the layer remembers: calls repeated, inputs changed in between, and arrays that lie otherwise in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from gradcheck.errors import LayerError
from gradcheck.layers.protocol import Array
from gradcheck.model import Finding, Severity
from gradcheck.trial.calls import draw_upstream, equal_bits, flatten, is_float
from gradcheck.trial.contract import found
from gradcheck.trial.subject import Subject, comparable, round_off

Floats: TypeAlias = npt.NDArray[np.float64]


def differ(
    a: Mapping[str, Floats],
    b: Mapping[str, Floats],
    tolerances: Mapping[str, float],
    noise: Mapping[str, float] | None = None,
) -> str | None:
    """Return the first name whose arrays differ by more than its tolerance times their largest entry, and its noise."""
    for name in a:
        if name not in b or a[name].shape != b[name].shape:
            return name
        both = np.isfinite(a[name]) & np.isfinite(b[name])
        if not np.array_equal(np.isnan(a[name]), np.isnan(b[name])):
            return name
        size = max(float(np.max(np.abs(part[both]), initial=0.0)) for part in (a[name], b[name]))
        allowed = tolerances.get(name, 1e-6) * size + (noise or {}).get(name, 0.0)
        if float(np.max(np.abs(a[name][both] - b[name][both]), initial=0.0)) > allowed:
            return name
    return None


def check_repeatable_forward(subject: Subject) -> list[Finding]:
    """Call the forward a second time; where it differs, pin the global random state and try again."""
    again = subject.caller.forward(subject.moved)
    if all(map(equal_bits, again, subject.outputs)):
        return []
    size = float(np.max(np.abs(flatten(again)), initial=0.0))
    if np.allclose(flatten(again), flatten(subject.outputs), rtol=0, atol=1e-9 * size, equal_nan=True):
        return []  # threaded reductions: noise, which the measurement knows how to treat
    subject.caller.pin = True
    subject.outputs = subject.caller.forward(subject.moved)
    pinned = all(map(equal_bits, subject.caller.forward(subject.moved), subject.outputs))
    subject.caller.pin = pinned
    return [
        found(
            "nondeterministic-forward",
            "two calls of the forward with the same inputs differ"
            + ("; the global random state was set before each call" if pinned else ""),
            "pass the mask, or a seeded generator, as an input",
            severity=Severity.NOTE if pinned else Severity.WARNING,
            pinned=pinned,
        )
    ]


def check_repeatable_backward(subject: Subject) -> list[Finding]:
    """Call forward and backward again with the same arguments, and tell accumulation from randomness."""
    tolerance = subject.tolerances()
    first = subject.gradients
    second, third = subject.vjp(subject.upstream), subject.vjp(subject.upstream)
    subject.typical = _typical_sizes(subject)
    name = differ(first, second, tolerance, subject.noise())
    if name is None:
        subject.nudged = ask_nudged(subject)
        return _check_resampling(subject, tolerance)
    growth = {key: second[key] - first[key] for key in first if key in second}
    steady = {key: third[key] - second[key] for key in first if key in second and key in third}
    if differ(growth, steady, {}) is None and any(np.any(part) for part in growth.values()):
        return [
            found(
                "accumulates-across-calls",
                f"each call of the backward adds to the gradient of {name} that the call before returned",
                "start each backward with a buffer of zeros",
                wrt=name,
                second_over_first=_ratio(second[name], first[name]),
            )
        ]
    rule = (
        "randomness-resampled-in-backward"
        if differ(second, third, tolerance, subject.noise())
        else "remembers-earlier-calls"
    )
    return [
        found(
            rule,
            f"two calls with the same arguments return different gradients of {name}",
            "draw the mask once, in the forward, and keep it for the backward"
            if rule.startswith("randomness")
            else "make the backward depend on its arguments and on the forward just before it, on nothing else",
            wrt=name,
        )
    ]


def _typical_sizes(subject: Subject) -> dict[str, float]:
    """Return the largest entry of each gradient for a Gaussian upstream as large as the case's own."""
    size = float(np.sqrt(np.mean(np.square(subject.weights)))) if subject.weights.size else 0.0
    drawn = draw_upstream(subject.outputs, np.random.default_rng(20_011))
    pull = subject.vjp([np.asarray(a * size, b.dtype) for a, b in zip(drawn, subject.upstream, strict=True)])
    return {
        name: max(float(np.max(np.abs(part[np.isfinite(part)]), initial=0.0)) for part in (pull[name], own))
        for name, own in subject.gradients.items()
        if name in pull
    }


def ask_nudged(subject: Subject, most: float = 1.0) -> dict[str, Floats]:
    """Ask again at inputs a last bit away: what that changes, no computation in this precision can know.

    ``most``: how many round-offs away; more than one is drawn, so that several such points differ.
    """
    inputs = dict(subject.given)
    for name in subject.wrt:
        value = subject.given[name]
        if value.dtype.kind == "f":
            unit = max(subject.precision, round_off(value.dtype))
            signs = subject.rng.choice([-1.0, 1.0], value.shape)
            factor = 1.0 + unit * (
                signs if most == 1.0 else np.rint(signs * subject.rng.uniform(1.0, most, value.shape))
            )
            inputs[name] = np.asarray(np.asarray(value, np.float64) * factor, value.dtype)
    try:
        return subject.vjp(subject.upstream, inputs)
    except LayerError:
        return {}  # the inputs lie on the very edge of the domain


def _check_resampling(subject: Subject, tolerance: Mapping[str, float]) -> list[Finding]:
    """Where the forward draws from the global state, move that state between forward and backward."""
    if not subject.caller.pin:
        return []
    pulls = [
        comparable(subject.caller.pull(subject.given, subject.upstream, subject.wrt, reseed=seed), subject.given)
        for seed in (1, 2)
    ]
    name = differ(pulls[0], pulls[1], tolerance, subject.noise())
    if name is None:
        return []
    return [
        found(
            "randomness-resampled-in-backward",
            f"the gradient of {name} depends on random numbers drawn in the backward",
            "draw the mask once, in the forward, and keep it for the backward",
            wrt=name,
        )
    ]


def nudge(subject: Subject) -> dict[str, Array]:
    """Return inputs of the same shapes a tenth away from the case's own: signs, zeros and integers stay."""
    moved: dict[str, Array] = dict(subject.given)
    for name in subject.wrt:
        value = subject.given[name]
        if is_float(value):
            factor = 1.0 + 0.1 * subject.rng.uniform(-1.0, 1.0, value.shape)
            moved[name] = np.asarray(np.asarray(value, np.float64) * factor, dtype=value.dtype)
    return moved


def check_memory(
    subject: Subject, agrees: Callable[[Mapping[str, Array], Mapping[str, Floats]], str | None]
) -> list[Finding]:
    """Run forward(x1), forward(x2), backward(x2), and compare with a fresh layer and with differences at x2.

    Parameters
    ----------
    agrees
        ``agrees(inputs, gradients)``: measures at other inputs and names an input whose gradient is wrong there.
    """
    other = nudge(subject)
    if all(equal_bits(other[name], subject.given[name]) for name in subject.wrt):
        return []
    try:
        subject.caller.forward(subject.given)
        pull = subject.caller.pull(other, subject.upstream, subject.wrt)
        there = comparable(pull, other)
        fresh = comparable(
            subject.caller.pull(other, subject.upstream, subject.wrt, layer=subject.caller.fresh()), other
        )
    except LayerError:
        return []  # the other point lies outside the layer's domain
    if not np.array_equal(np.isfinite(flatten(pull.outputs)), np.isfinite(flatten(subject.outputs))):
        return []  # so it does here, in silence
    tolerance = subject.tolerances()
    # a layer that cannot be made anew is compared with differences at the other inputs instead
    name = differ(there, fresh, tolerance, subject.noise()) or agrees(other, there)
    if name is None:
        return []
    return [
        found(
            "stale-forward-cache",
            f"after a forward at other inputs the gradient of {name} still belongs to the inputs before",
            "let every forward renew what the backward reads",
            wrt=name,
        )
    ]


def check_strides(subject: Subject) -> list[Finding]:
    """Hand the same numbers over in Fortran order and with negative strides; nothing may change."""
    if subject.caller.pin:
        return []  # random numbers are drawn in the order of memory: another layout is another mask
    tolerance = subject.tolerances()
    for how, lay in (("in Fortran order", _fortran), ("with negative strides", _mirrored)):
        if all(part.ndim < (2 if "Fortran" in how else 1) for part in (*subject.given.values(), *subject.upstream)):
            continue
        try:
            gradients = _pull_as_laid(subject, lay)
        except LayerError as error:
            return [
                found("non-contiguous", f"arrays {how} are refused: {error.message}",
                      "read arrays through their indices or make them contiguous first", severity=Severity.WARNING)
            ]  # fmt: skip
        name = differ(subject.gradients, gradients, tolerance, subject.noise())
        if name is not None:
            return [
                found("non-contiguous", f"the gradient of {name} changes when the arrays lie {how}",
                      "read arrays through their indices, not through their memory", wrt=name)
            ]  # fmt: skip
    return []


def _fortran(array: Array) -> Array:
    return np.asfortranarray(array) if array.ndim > 1 else array


def _mirrored(array: Array) -> Array:
    flip = tuple(slice(None, None, -1) for _ in range(array.ndim))
    return np.ascontiguousarray(array[flip])[flip] if array.ndim else array


def _pull_as_laid(subject: Subject, lay: Callable[[Array], Array]) -> dict[str, Floats]:
    caller = subject.caller
    caller.prepare_call()
    caller.counts.backwards += 1
    layer = caller.layer
    inputs = {name: lay(value.copy()) for name, value in subject.given.items()}
    outputs = layer.forward(inputs, caller.options)
    upstream = [lay(part.copy()) for part in subject.upstream]
    gradients = layer.vjp(upstream, inputs, outputs, caller.options, subject.wrt)
    return {
        name: np.array(value, dtype=np.float64)
        for name, value in gradients.by_input.items()
        if value.shape == subject.given[name].shape and value.dtype.kind in "fiub"
    }


def _ratio(a: Floats, b: Floats) -> float:
    return float(np.sum(a * b) / (np.sum(b * b) or 1.0))
