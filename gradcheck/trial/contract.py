"""What is asked of a backward before its numbers are compared: right shapes, finite, and its arguments left alone."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from gradcheck.model import Finding, Plain, Severity
from gradcheck.trial.calls import Pull, is_float
from gradcheck.trial.subject import Subject

# Exponentials of numbers beyond this overflow in single precision.
LARGE = 80.0

# What to do, where the layer knows no better.
REMEDIES = {
    "wrong-number-of-gradients": "return one gradient per differentiated input",
    "missing-input-gradient": "return its gradient, or leave it out of wrt",
    "not-an-array": "return an array of floating-point numbers",
    "wrong-shape": "a gradient has the shape of what it is the gradient of",
    "unstable-backward-overflow": "shift the exponent by the maximum, as the forward does",
    "nan-at-special-point": "treat the special point on its own: mask it before the division or the logarithm",
    "division-by-input-at-zero": "multiply the other factors instead of dividing by this one",
}


def found(
    rule: str,
    message: str,
    remedy: str = "",
    *,
    severity: Severity = Severity.BUG,
    wrt: str | None = None,
    **evidence: Plain,
) -> Finding:
    """Make a finding of a contract check."""
    return Finding(rule, severity, message, remedy, evidence, wrt)


def leave_out_dead_outputs(subject: Subject) -> tuple[list[Finding], bool]:
    """Give outputs that are not finite no upstream: their derivative means nothing. Return also whether any is left."""
    dead = [~np.isfinite(part) if is_float(part) else np.zeros(part.shape, bool) for part in subject.outputs]
    count = int(sum(mask.sum() for mask in dead))
    if not count:
        return [], True
    if not subject.fixed_upstream:
        subject.upstream = tuple(
            np.where(mask, part.dtype.type(0), part) for mask, part in zip(dead, subject.upstream, strict=True)
        )
    total = sum(part.size for part in subject.outputs)
    finding = found(
        "non-finite-output",
        f"{count} of {total} outputs are nan or infinite at the case's own inputs",
        "choose inputs inside the domain of the layer",
        severity=Severity.WARNING,
        count=count,
    )
    return [finding], count < sum(part.size for part in subject.outputs if is_float(part))


def check_returned(subject: Subject, pull: Pull) -> list[Finding]:
    """Check what the backward returned: number, shape and kind of the gradients."""
    findings = [
        found(item.rule, item.message, item.remedy or REMEDIES.get(item.rule, ""), wrt=item.wrt)
        for item in pull.gradients.mismatches
        # an output that is another one each time is so while it is differentiated, too
        if subject.repeats or item.rule != "derivative-of-another-function"
    ]
    for name, value in pull.gradients.by_input.items():
        shape = np.shape(subject.given[name])
        if value.dtype.kind not in "fiub":
            findings.append(
                found("not-an-array", f"the gradient of {name} is an array of {value.dtype}, not of real numbers",
                      REMEDIES["not-an-array"], wrt=name, dtype=str(value.dtype))
            )  # fmt: skip
        elif value.shape != shape:
            findings.append(
                found("wrong-shape", f"the gradient of {name} has shape {value.shape}, {name} has {shape}",
                      _shape_remedy(value.shape, shape, name), wrt=name,
                      got=list(value.shape), wanted=list(shape))
            )  # fmt: skip
    return findings


def _shape_remedy(got: tuple[int, ...], wanted: tuple[int, ...], name: str) -> str:
    if len(got) > len(wanted) and got[len(got) - len(wanted) :] == wanted:
        axes = tuple(range(len(got) - len(wanted)))
        return f"{name} was broadcast in the forward: sum its gradient over axis {axes[0] if len(axes) == 1 else axes}"
    if len(got) == len(wanted) and sorted(got) == sorted(wanted):
        return "the axes are in another order: transpose it back"
    if len(got) == len(wanted) and all(b in (1, a) for a, b in zip(got, wanted, strict=True)):
        axes = tuple(i for i, (a, b) in enumerate(zip(got, wanted, strict=True)) if a != b)
        return f"{name} was broadcast in the forward: sum its gradient over axis {axes[0] if len(axes) == 1 else axes}"
    return f"a gradient has the shape of what it is the gradient of: {wanted}"


def check_finite(subject: Subject) -> list[Finding]:
    """Look for nan and infinity in gradients where the forward is finite."""
    findings = []
    forward_finite = all(bool(np.all(np.isfinite(part))) for part in subject.outputs if part.dtype.kind == "f")
    for name, gradient in subject.gradients.items():
        bad = ~np.isfinite(gradient)
        if not bad.any() or not forward_finite:
            continue
        at = tuple(int(i) for i in np.argwhere(bad)[0])
        x = np.asarray(subject.given[name], dtype=np.float64)
        rule = "unstable-backward-overflow" if _is_large(subject, bad, x) else "nan-at-special-point"
        if rule == "nan-at-special-point" and _divides(subject, name, bad, x):
            rule = "division-by-input-at-zero"
        value = gradient[at]
        message = (
            f"{int(bad.sum())} of {bad.size} entries are {'nan' if np.isnan(value) else 'infinite'} "
            f"where the forward is finite, first at {name}{list(at)} = {x[at]:g}"
        )
        findings.append(found(rule, message, REMEDIES[rule], wrt=name, count=int(bad.sum()), index=list(at)))
    return findings


def _is_large(subject: Subject, bad: np.typing.NDArray[np.bool_], x: np.typing.NDArray[np.float64]) -> bool:
    """Whether the bad entries come from large numbers: their own, or others' where they are not zero themselves."""
    if np.all(np.abs(x[bad]) > LARGE):
        return True
    peaks = (float(np.max(np.abs(value), initial=0.0)) for value in subject.given.values() if value.dtype.kind == "f")
    return max(peaks, default=0.0) > LARGE and not any(
        value.shape == bad.shape and bool(np.all(value[bad] == 0)) for value in subject.given.values()
    )


def _divides(subject: Subject, name: str, bad: np.typing.NDArray[np.bool_], x: np.typing.NDArray[np.float64]) -> bool:
    """Whether every bad entry is 0 in an input that the forward, there, is a straight line in: a factor of a product.

    Nothing but a division by it is special at such a point: logarithms, roots and norms are no straight lines at 0.
    """
    if not np.all(x[bad] == 0) or np.any(x[~bad] == 0):
        return False
    function = subject.function(name)
    for at in np.argwhere(bad)[:4]:
        moved = []
        for step in (-0.5, 0.0, 0.25, 0.5):
            point = x.copy()
            point[tuple(at)] = step
            moved.append(function(point))
        low, middle, near, high = moved
        scale = float(np.abs(high - low).max(initial=0.0))
        slack = 1e3 * subject.precision * max(float(np.abs(middle).max(initial=0.0)), scale)
        off = max(float(np.abs(low + high - 2 * middle).max()), float(np.abs(near - 0.5 * (middle + high)).max()))
        if not np.isfinite(scale) or scale <= slack or not off <= slack:
            return False
    return True


def check_unchanged(pull: Pull, wrt: Sequence[str], held: Collection[str] = ()) -> list[Finding]:
    """Report inputs or upstreams that the layer changed in place.

    ``held``: names of the layer's own parameters; where its backward moves one, that is an optimiser's step.
    """
    findings = []
    for name in pull.changed_inputs:
        step = name in held and pull.changed_by == "backward"
        finding = found(
            "mutates-input",
            f"the {pull.changed_by} changes {name}" + (", which the layer holds" if step else " in place"),
            "compute all gradients first, and take the optimiser's step outside of the backward"
            if step
            else "work on a copy: the caller, and other branches of the graph, still need it",
            severity=Severity.WARNING if step else Severity.BUG,
            wrt=name if name in wrt else None,
            input=name,
        )
        findings.append(finding)
    if pull.changed_upstream:
        findings.append(
            found(
                "mutates-upstream",
                "the backward changes the upstream in place",
                "work on a copy: other branches of the graph receive the same array",
            )
        )
    return findings
