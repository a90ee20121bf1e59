"""Whether the layer repeats itself, and what chance or its own state has to do with it where it does not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from gradcheck.errors import LayerError
from gradcheck.layers.protocol import Array
from gradcheck.model import Finding, Severity
from gradcheck.trial.calls import SALT, Floats, Pull, draw_upstream, equal_bits, flatten
from gradcheck.trial.contract import found
from gradcheck.trial.subject import Subject, comparable, round_off

# How often a backward that looks nonlinear is asked the same again: a mask of few bits may repeat itself by chance.
AGAIN = 8
# Gradients that differ by no more than this from call to call can still be measured, with that as their rounding.
SLIGHT = 2.0**-10


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
        if np.array_equal(a[name], b[name]):
            continue
        both = np.isfinite(a[name]) & np.isfinite(b[name])
        if not np.array_equal(np.isnan(a[name]), np.isnan(b[name])):
            return name
        size = max(float(np.max(np.abs(part[both]), initial=0.0)) for part in (a[name], b[name]))
        allowed = tolerances.get(name, 1e-6) * size + (noise or {}).get(name, 0.0)
        if float(np.max(np.abs(a[name][both] - b[name][both]), initial=0.0)) > allowed:
            return name
    return None


def alike(one: Sequence[Array], other: Sequence[Array]) -> bool:
    """Whether outputs of two calls are the same but for what threaded reductions make of them."""
    if len(one) == len(other) and all(map(equal_bits, one, other)):
        return True
    a, b = flatten(one), flatten(other)
    size = float(np.max(np.abs(a[np.isfinite(a)]), initial=0.0))
    return a.shape == b.shape and np.allclose(a, b, rtol=0, atol=1e-9 * size, equal_nan=True)


def check_repeatable_forward(subject: Subject) -> list[Finding]:
    """Call the forward a second time; where it differs, hold chance or the layer's own state still."""
    if alike(subject.outputs, subject.caller.forward(subject.moved)):
        return []  # or noise, which the measurement knows how to treat
    from gradcheck.trial.luck import TOLD, hold_still  # few layers need it

    how = hold_still(subject)
    subject.repeats = bool(how)
    return [
        found(
            "nondeterministic-forward",
            "two calls of the forward with the same inputs differ" + (f"; {TOLD[how]}" if how else ""),
            "pass the mask, or a seeded generator, as an input",
            severity=Severity.NOTE if how else Severity.WARNING,
            pinned=bool(how),
            how=how,
        )
    ]


def check_repeatable_backward(subject: Subject) -> list[Finding]:
    """Call forward and backward again with the same arguments, and tell accumulation from chance and from memory."""
    assert subject.first is not None
    tolerance, noise = subject.tolerances(), subject.noise()
    pulls = [subject.first, *(subject.caller.pull(subject.given, subject.upstream, subject.wrt) for _ in range(2))]
    first, second, third = (comparable(pull, subject.given) for pull in pulls)
    name = differ(first, second, tolerance, noise) or differ(second, third, tolerance, noise)
    if name is not None and not _same_outputs(pulls):
        # what the backward made of other outputs says nothing against it
        return _check_with_other_outputs(subject, name, (first, second, third))
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
    return [_unsteady(name, by_chance=differ(second, third, tolerance, subject.noise()) is not None)]


def _unsteady(name: str, *, by_chance: bool) -> Finding:
    """Return the finding of a gradient that is another one each time, or that depends on the calls before."""
    return found(
        "randomness-resampled-in-backward" if by_chance else "remembers-earlier-calls",
        f"two calls with the same arguments return different gradients of {name}",
        "draw the mask once, in the forward, and keep it for the backward"
        if by_chance
        else "make the backward depend on its arguments and on the forward just before it, on nothing else",
        wrt=name,
    )


def ask_same_again(subject: Subject) -> list[Finding]:
    """Ask a backward that broke a law of linear maps for the same gradient a few times: it may draw random numbers.

    A mask of few samples, or one that seldom drops any, is the same one twice or three times often enough.
    """
    for _ in range(AGAIN):
        name = differ(subject.gradients, subject.vjp(subject.upstream), subject.tolerances(), subject.noise())
        if name is not None:
            return [_unsteady(name, by_chance=True)]
    return []


def _same_outputs(pulls: Sequence[Pull]) -> bool:
    return all(alike(pulls[0].outputs, pull.outputs) for pull in pulls[1:])


def _check_with_other_outputs(subject: Subject, name: str, gradients: Sequence[Mapping[str, Floats]]) -> list[Finding]:
    """Look into gradients that differ where the outputs differ as well: chance, or a backward that moves the layer."""
    if not subject.repeats:
        subject.lost = not _slight(gradients)
        return []
    from gradcheck.trial.luck import WHOLE, hold_still

    if not hold_still(subject, (WHOLE,)):
        message = f"the backward changes what the forward returns for the same inputs, and so the gradient of {name}"
        remedy = "leave what the forward reads as it is: an optimiser's step belongs after the backward"
        return [found("remembers-earlier-calls", message, remedy, wrt=name)]
    pulls = [subject.caller.pull(subject.given, subject.upstream, subject.wrt) for _ in range(2)]
    subject.first = pulls[0]
    subject.gradients = comparable(pulls[0], subject.given)
    if not _same_outputs(pulls) or differ(
        subject.gradients, comparable(pulls[1], subject.given), subject.tolerances(), subject.noise()
    ):
        subject.lost = True
        return []
    from gradcheck.trial.updates import moved_parameters

    subject.typical = _typical_sizes(subject)
    subject.nudged = ask_nudged(subject)
    moved = ", ".join(moved_parameters(subject)) or "what the forward reads"
    return [
        found(
            "mutates-input",
            f"the backward changes {moved}, which the layer holds; it was put back before each call",
            "compute all gradients first, and take the optimiser's step outside of the backward",
            severity=Severity.WARNING,
            moved=moved,
        )
    ]


def _slight(gradients: Sequence[Mapping[str, Floats]]) -> bool:
    """Whether gradients differ by little more than noise."""
    return all(differ(gradients[0], other, dict.fromkeys(other, SLIGHT)) is None for other in gradients[1:])


def _typical_sizes(subject: Subject) -> dict[str, float]:
    """Return the largest entry of each gradient for a Gaussian upstream as large as the case's own."""
    size = float(np.sqrt(np.mean(np.square(subject.weights)))) if subject.weights.size else 0.0
    drawn = draw_upstream(subject.outputs, np.random.default_rng(SALT))
    pull = subject.vjp([np.asarray(a * size, b.dtype) for a, b in zip(drawn, subject.upstream, strict=True)])
    return {
        name: max(float(np.max(np.abs(part[np.isfinite(part)]), initial=0.0)) for part in (pull[name], own))
        for name, own in subject.gradients.items()
        if name in pull
    }


def ask_nudged(
    subject: Subject,
    most: float = 1.0,
    upstream: Sequence[Array] | None = None,
    inputs: Mapping[str, Array] | None = None,
) -> dict[str, Floats]:
    """Ask again at inputs a last bit away: what that changes, no computation in this precision can know.

    ``most``: how many round-offs away; more than one is drawn, so that several such points differ. ``upstream`` and
    ``inputs`` are the case's own where none are given.
    """
    inputs = dict(subject.given if inputs is None else inputs)
    for name in subject.wrt:
        value = inputs[name]
        if value.dtype.kind == "f":
            unit = max(subject.precision, round_off(value.dtype))
            signs = subject.rng.choice([-1.0, 1.0], value.shape)
            factor = 1.0 + unit * (
                signs if most == 1.0 else np.rint(signs * subject.rng.uniform(1.0, most, value.shape))
            )
            inputs[name] = np.asarray(np.asarray(value, np.float64) * factor, value.dtype)
    try:
        return subject.vjp(subject.upstream if upstream is None else upstream, inputs)
    except LayerError:
        return {}  # the inputs lie on the very edge of the domain


def _check_resampling(subject: Subject, tolerance: Mapping[str, float]) -> list[Finding]:
    """Where the forward draws random numbers that can be put back, let the backward draw others than the forward."""
    if subject.caller.luck is None:
        return []
    pulls = [subject.caller.pull(subject.given, subject.upstream, subject.wrt, reseed=seed) for seed in (1, 2)]
    if not _same_outputs(pulls):
        return []
    one, other = (comparable(pull, subject.given) for pull in pulls)
    name = differ(one, other, tolerance, subject.noise())
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


def _ratio(a: Floats, b: Floats) -> float:
    return float(np.sum(a * b) / (np.sum(b * b) or 1.0))
