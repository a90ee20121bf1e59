"""The arrays with which somebody repeats a case by hand: those of the case, or the smallest that show the same bug."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from gradcheck.errors import GradcheckError, UsageError
from gradcheck.layers.protocol import Array, Layer
from gradcheck.model import Case, Plain, Report, Verdict
from gradcheck.trial.calls import Caller
from gradcheck.trial.case import draw_upstreams, realise, seed_of
from gradcheck.trial.chosen import choose_inputs
from gradcheck.trial.reduction import reduce_case
from gradcheck.trial.subject import prepare
from gradcheck.trial.trial import try_layer

SMALL = 60
"""An input with more numbers is cropped first, as long as the same bug is found."""


@dataclass(slots=True)
class Example:
    """What a layer is called with; ``upstream`` is ``None`` where any shows the bug."""

    inputs: dict[str, Array]
    options: dict[str, Plain]
    upstream: Sequence[Array] | None = None


def find_example(case: Case, *, failing: bool, rule: str | None) -> Example:
    """Draw the arrays of a case once more.

    Parameters
    ----------
    case
        The case.
    failing
        Whether its gradient was found to be wrong: then its inputs are cropped while the same is found, and the
        upstream is given if that is needed for it.
    rule
        Of the bug that was named; ``None`` if none was.

    Raises
    ------
    UsageError, LayerError
        If the case cannot be run.
    """
    layer, inputs, options = realise(case)
    upstream: Sequence[Array] | None = draw_upstreams(case, layer, inputs, options)
    if failing:
        inputs, upstream = _settle(case, rule, layer, inputs, options, upstream)
    return Example(inputs, options, upstream)


def _settle(
    case: Case,
    rule: str | None,
    layer: Layer,
    inputs: dict[str, Array],
    options: dict[str, Plain],
    upstream: Sequence[Array] | None,
) -> tuple[dict[str, Array], Sequence[Array] | None]:
    """Return the smallest inputs on which the same bug is found, and an upstream if that is needed for it."""
    settings = replace(case.settings, probes=rule is None or case.settings.probes, glance=False, pictures="none")

    def attempt(arrays: dict[str, Array], given: Sequence[Array] | None = None) -> Report:
        found = try_layer(layer.fresh(), arrays, options=options, settings=settings, upstream=given)
        if found.verdict is not Verdict.FAIL or (found.bug.rule if found.bug is not None else None) != rule:
            raise UsageError("another bug")
        return found

    if upstream is None and sum(array.size for array in inputs.values()) > SMALL:
        reduced = reduce_case(inputs, attempt)
        if reduced is not None:
            return reduced[0], None
    if upstream is None:
        # the upstream of the run itself, so that the numbers are the same
        drawn = _drawn(case, layer, inputs, options)
        for given in (drawn, None):
            try:
                attempt(inputs, given)
            except GradcheckError:
                continue
            return inputs, given
    return inputs, upstream


def _drawn(case: Case, layer: Layer, inputs: Mapping[str, Array], options: Mapping[str, Plain]) -> tuple[Array, ...]:
    arrays, wrt = choose_inputs(layer, inputs, options, case.settings.wrt)
    return prepare(Caller(layer, options), arrays, wrt, None, np.random.default_rng(seed_of(case))).upstream
