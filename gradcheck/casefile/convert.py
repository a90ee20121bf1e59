"""From the models of the schema to the plain data of :mod:`gradcheck.model`."""

from __future__ import annotations

from typing import Any

from gradcheck.casefile.inputs import Input
from gradcheck.casefile.schema import (
    AnyLayer,
    CaseModel,
    ChainForm,
    FailsBy,
    LongExpectation,
    NodeForm,
    ObjectForm,
    Target,
)
from gradcheck.model import Case, Expectation, InputSpec, LayerSpec, Place, Settings, Verdict


def input_spec(model: Input) -> InputSpec:
    """Return how an input is drawn."""
    values: dict[str, Any] = model.model_dump(by_alias=True, exclude_none=True)
    draw = values.pop("draw")
    shape, dtype, pins = values.pop("shape", None), values.pop("dtype", None), values.pop("pin")
    pin = [((pin["at"],) if isinstance(pin["at"], int) else tuple(pin["at"]), pin["value"]) for pin in pins]
    return InputSpec(draw, None if shape is None else tuple(shape), dtype, values, pin)


def layer_spec(model: AnyLayer, base: str) -> LayerSpec:
    """Return which code a layer is."""
    if isinstance(model, str):
        return LayerSpec(target=model, base=base)
    if isinstance(model, ChainForm):
        links = [layer_spec(link, base) for link in model.chain]
        return LayerSpec(chain=links, label=model.label, inputs=model.inputs, base=base)
    spec = LayerSpec(label=model.label, inputs=model.inputs, bind=dict(model.bind), returns=model.returns, base=base)
    if isinstance(model, Target):
        spec.target = model.target
    else:
        spec.forward, spec.backward = model.forward, model.backward
    if isinstance(model, ObjectForm):
        spec.object = model.object
    if isinstance(model, NodeForm):
        spec.node, spec.value, spec.gradient = model.node, model.value, model.gradient
    if isinstance(model, (Target, ObjectForm)):
        spec.parameters = dict(model.parameters)
    if isinstance(model, (Target, ObjectForm, NodeForm)):
        spec.init = dict(model.init)
    return spec


def expectation(model: Any) -> Expectation:
    """Return what a case is expected to say."""
    if isinstance(model, FailsBy):
        return Expectation(Verdict.FAIL, model.fail)
    if isinstance(model, LongExpectation):
        return Expectation(Verdict(model.verdict), model.finding, model.wrt, model.at)
    return Expectation(Verdict(model))


def upstream(model: Any) -> str | list[InputSpec] | None:
    """Return how the upstream is drawn: a name as it is, everything else as one spec per output."""
    if model is None or isinstance(model, str):
        return model
    items = model if isinstance(model, list) else [model]
    return [InputSpec(draw=item) if isinstance(item, str) else input_spec(item) for item in items]


def settings(model: CaseModel, base: str) -> Settings:
    """Return how a case is checked."""
    result = Settings(
        wrt=(model.wrt,) if isinstance(model.wrt, str) else None if model.wrt is None else tuple(model.wrt),
        axis=model.axis,
        upstream=upstream(model.upstream),
        seed=model.seed,
        mode=model.mode,
        method=model.method,
        reference=None if model.reference is None else layer_spec(model.reference, base),
        rtol=model.rtol,
        atol=model.atol,
        eps=model.eps,
        probes=model.probes,
    )
    result.budget = model.budget or result.budget
    result.memory = model.memory or result.memory
    return result


def case(name: str, model: CaseModel, base: str, place: Place | None) -> Case:
    """Return a case before its matrix is expanded."""
    return Case(
        name=name,
        layer=layer_spec(model.layer, base),
        inputs={key: input_spec(value) for key, value in model.inputs.items()},
        options=dict(model.options),
        settings=settings(model, base),
        expect=expectation(model.expect),
        tags=tuple(model.tags),
        about=model.about.strip(),
        timeout=model.timeout,
        place=place,
        given=tuple(sorted(model.model_fields_set)),
    )
