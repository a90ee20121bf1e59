"""The trial of one case: build its layer, draw its inputs, try it, and say whether that was expected."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gradcheck.casefile.draw import draw, draw_inputs, seed_words
from gradcheck.errors import LayerError, UsageError
from gradcheck.layers.build import build
from gradcheck.layers.protocol import Array, Layer
from gradcheck.layers.vocabulary import AXES
from gradcheck.model import ANY_INPUT, ANY_SHAPE, Audit, Case, InputSpec, Plain, Report, Verdict
from gradcheck.trial.calls import Caller
from gradcheck.trial.expectation import judge
from gradcheck.trial.trial import try_layer

if TYPE_CHECKING:
    from gradcheck.trial.helpers import Helpers


def try_case(case: Case, helpers: Helpers | None = None) -> Report:
    """Try one case; whatever goes wrong with its layer or its inputs ends in the report, as the verdict ``error``.

    ``helpers`` may evaluate some of its points, which changes nothing in the report.
    """
    start = time.perf_counter()
    try:
        report = _try(case, helpers)
    except (LayerError, UsageError) as error:
        report = Report(case.name, Verdict.ERROR, error=str(error), trace=getattr(error, "trace", ""))
        report.seed, report.options = case.settings.seed, dict(case.options)
    report.place, report.tags, report.about = case.place, case.tags, case.about
    judge(report, case.expect)
    report.seconds = time.perf_counter() - start
    return report


def _try(case: Case, helpers: Helpers | None) -> Report:
    layer, inputs, options = realise(case)
    check_axis(case.settings.axis, inputs)
    return try_layer(
        layer,
        inputs,
        name=case.name,
        options=options,
        settings=case.settings,
        upstream=draw_upstreams(case, layer, inputs, options),
        seed=seed_of(case),
        reference=_reference(case, inputs, options),
        helpers=helpers,
    )


def audit_case(case: Case) -> Audit:
    """Say which bugs a case, as it stands, could have revealed.

    Raises
    ------
    UsageError, LayerError
        If the case cannot be run, or is too large.
    """
    from gradcheck.trial.blind import audit_layer  # the rules: most runs do without them, and start sooner

    layer, inputs, options = realise(case)
    return audit_layer(
        layer,
        inputs,
        name=case.name,
        options=options,
        settings=case.settings,
        upstream=draw_upstreams(case, layer, inputs, options),
        seed=seed_of(case),
    )


def _reference(case: Case, inputs: Mapping[str, Array], options: Mapping[str, Plain]) -> Layer | None:
    spec = case.settings.reference
    if case.settings.method == "reference" and spec is None:
        raise UsageError(
            "the method 'reference' needs another implementation", "reference: {forward: ..., backward: ...}"
        )
    return None if spec is None else build(replace(spec, base=spec.base or case.layer.base), tuple(inputs), options)


def with_axis(options: Mapping[str, Plain], axis: int | None) -> dict[str, Plain]:
    """Return the options with the case's axis among them; layers that take neither ``axis`` nor ``dim`` ignore it."""
    if axis is None or any(name in options for name in AXES):
        return dict(options)
    return {**options, AXES[0]: axis}


def seed_of(case: Case) -> list[int]:
    """Return the seeds of the trial's generator: that of the run, and one from the case's name."""
    return seed_words(case.settings.seed, case.name)


def realise(case: Case) -> tuple[Layer, dict[str, Array], dict[str, Plain]]:
    """Build the layer of a case, draw its inputs, and settle its options.

    Where the case does not name all inputs of the layer, the spec under ``*`` (or an array of shape ``ANY_SHAPE``) is
    drawn for each of the others.
    """
    layer, specs, options = _build(case)
    if not set(AXES) & set(layer.options):
        options = dict(case.options)
    return layer, draw_inputs(specs, case.settings.seed, case.name, case.layer.base), options


def _build(case: Case) -> tuple[Layer, dict[str, InputSpec], dict[str, Plain]]:
    if case.settings.order is not None:
        _check_order(case, case.settings.order)
    options = with_axis(case.options, case.settings.axis)
    specs = {name: spec for name, spec in case.inputs.items() if name != ANY_INPUT}
    if case.inputs and ANY_INPUT not in case.inputs:
        layer = build(case.layer, tuple(specs), options)
    else:
        layer = build(case.layer, None, options)
        rest = case.inputs.get(ANY_INPUT, InputSpec(shape=ANY_SHAPE))
        specs = {name: specs.get(name, rest) for name in layer.inputs if name not in layer.defaults or name in specs}
    return layer, specs, options


def _check_order(case: Case, order: int) -> None:
    """Refuse an order of derivatives that the layer has no idea of.

    Raises
    ------
    UsageError
        If no framework differentiates the layer, or ``order`` is an argument of its own.
    """
    rest = {key: value for key, value in case.options.items() if key != "order"}
    plain = replace(case, options=rest, settings=replace(case.settings, order=None))
    if not hasattr(_build(plain)[0], "order"):
        raise UsageError(
            f"--order {order} means nothing for `{case.name}`: no framework differentiates it",
            "leave it out; an option of that name is given as --option order=N",
        )
    layer = _build(replace(case, settings=plain.settings))[0]
    if getattr(layer, "order", None) != order:
        raise UsageError(
            f"--order {order} means nothing for `{case.name}`, which has an argument `order` of its own",
            f"give that as --option order={order}",
        )


def check_axis(axis: int | None, inputs: Mapping[str, Array]) -> None:
    """Refuse an axis that no input has.

    Raises
    ------
    UsageError
        Naming the range.
    """
    deepest = max((np.ndim(value) for value in inputs.values()), default=0)
    if axis is not None and not -deepest <= axis < deepest:
        raise UsageError(
            f"axis {axis} is out of range: the inputs have at most {deepest} axes",
            f"choose an axis from {-deepest} to {deepest - 1}" if deepest else "leave the axis out",
        )


def draw_upstreams(
    case: Case, layer: Layer, inputs: Mapping[str, Array], options: Mapping[str, Plain]
) -> tuple[Array, ...] | None:
    """Draw the upstream that the case asks for, one array of its output's shape each; ``None`` where it asks nothing.

    ``ones``, ``normal`` and so on draw in the output's shape; a full spec brings its own.
    """
    asked = case.settings.upstream
    if asked is None:
        return None
    outputs = Caller(layer, options).forward(inputs)
    specs = asked if isinstance(asked, list) else [InputSpec(asked)] * len(outputs)
    if len(specs) == 1:
        specs = specs * len(outputs)
    if len(specs) != len(outputs):
        raise UsageError(f"{len(specs)} upstreams are given for {len(outputs)} outputs", "give one for each output")
    rng = np.random.default_rng([*seed_of(case), 1])
    drawn = []
    for spec, part in zip(specs, outputs, strict=True):
        shaped = InputSpec(spec.draw, spec.shape or part.shape, spec.dtype, spec.parameters, spec.pin)
        drawn.append(draw(shaped, rng, case.layer.base))
    return tuple(drawn)
