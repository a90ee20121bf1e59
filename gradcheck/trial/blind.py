"""Would this test have noticed? Every rule's bug, put into the measured truth, against what the case can tell apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from gradcheck.errors import UsageError
from gradcheck.layers.protocol import Array, Layer
from gradcheck.model import Audit, BlindSpot, Plain, Settings
from gradcheck.rules.blindness import COMMON, audit
from gradcheck.trial.calls import SALT, Caller, borrowed_random_state, quiet
from gradcheck.trial.chosen import choose_inputs
from gradcheck.trial.evidence import gather_truth, is_small
from gradcheck.trial.repetition import check_repeatable_forward
from gradcheck.trial.subject import Subject, prepare

# `run` mentions the worst blind spot of cases up to this size; beyond, `audit` is asked for on its own.
GLANCE = 400


def audit_layer(
    layer: Layer,
    inputs: Mapping[str, Array],
    *,
    name: str = "",
    options: Mapping[str, Plain] | None = None,
    settings: Settings | None = None,
    upstream: Sequence[Array] | None = None,
    seed: Sequence[int] | None = None,
) -> Audit:
    """Audit one case: the arguments are those of :func:`gradcheck.trial.trial.try_layer`.

    Raises
    ------
    UsageError
        If the case is too large for its Jacobian to be held.
    LayerError
        If the forward raises.
    """
    settings = settings or Settings()
    caller = Caller(layer, dict(options or {}))
    arrays, wrt = choose_inputs(layer, inputs, caller.options, settings.wrt)
    rng = np.random.default_rng(list(seed) if seed is not None else [settings.seed, SALT])
    with borrowed_random_state(), quiet():
        subject = prepare(caller, arrays, wrt, upstream, rng)
        if not is_small(subject):
            raise UsageError(
                "the case is too large to be audited entry by entry", "audit a smaller shape of the same layer"
            )
        check_repeatable_forward(subject)  # chance is held still for the measurement
        truth = gather_truth(subject, settings.axis)
        # what is given as integers stays such: some bugs need them
        truth.inputs = {key: _whole(subject.given[key], value) for key, value in truth.inputs.items()}
        return audit(truth, name or layer.name, given=subject.fixed_upstream)


def _whole(given: Array, moved: Array) -> Array:
    return given if given.dtype.kind in "iu" else moved


def glance(subject: Subject, axis: int | None) -> list[BlindSpot]:
    """Return the blind spots of a small case among the commonest bugs; a full audit asks for all of them."""
    size = sum(np.size(subject.given[name]) for name in subject.wrt)
    if size > GLANCE or not is_small(subject):
        return []
    spots = audit(gather_truth(subject, axis), only=COMMON, given=subject.fixed_upstream).blind
    return sorted(spots, key=lambda spot: COMMON.index(spot.rule))
