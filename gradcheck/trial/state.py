"""Whether the layer remembers other inputs, and whether it reads arrays that lie otherwise in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext

import numpy as np

from gradcheck.errors import LayerError
from gradcheck.layers.protocol import Array
from gradcheck.model import Finding, Severity
from gradcheck.trial.calls import Floats, Pull, equal_bits, flatten, is_float
from gradcheck.trial.contract import found
from gradcheck.trial.repetition import alike, differ
from gradcheck.trial.subject import Subject, comparable


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
    if not subject.repeats or all(equal_bits(other[name], subject.given[name]) for name in subject.wrt):
        return []
    caller = subject.caller
    try:
        caller.forward(subject.given)
        # a layer that is put back before each call would forget what it has just been shown
        with caller.luck.from_now_on() if caller.luck is not None else nullcontext():
            pull = caller.pull(other, subject.upstream, subject.wrt)
            if not np.array_equal(np.isfinite(flatten(pull.outputs)), np.isfinite(flatten(subject.outputs))):
                return []  # the other point lies outside the layer's domain, which says so in silence
            there = comparable(pull, other)
            # a layer that cannot be made anew is compared with differences at the other inputs instead
            fresh = _ask_twin(subject, other, pull)
            name = (fresh and differ(there, fresh, subject.tolerances(), subject.noise())) or agrees(other, there)
    except LayerError:
        return []  # here it says so loudly
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


def _ask_twin(subject: Subject, other: Mapping[str, Array], pull: Pull) -> dict[str, Floats] | None:
    """Return the gradients of a fresh layer at other inputs; none where that is another layer, with other weights."""
    caller = subject.caller
    if caller.luck is not None and caller.luck.moves:
        return None  # what each call moves of the layer, the twin has not gone through
    twin = caller.pull(other, subject.upstream, subject.wrt, layer=caller.fresh())
    if not alike(twin.outputs, pull.outputs):
        # memory of the forward, or weights that were drawn at the first call? those show at the case's own inputs
        own = caller.pull(subject.given, subject.upstream, subject.wrt, layer=caller.fresh())
        if subject.first is None or not alike(own.outputs, subject.first.outputs):
            return None
    return comparable(twin, other)


def check_strides(subject: Subject) -> list[Finding]:
    """Hand the same numbers over in Fortran order and with negative strides; nothing may change."""
    if subject.caller.luck is not None:
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
