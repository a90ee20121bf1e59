"""The case that a blind spot asks for: what an audit says in words, done to the case."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from gradcheck.casefile.checks import spec_shape
from gradcheck.casefile.draws import DRAWS
from gradcheck.model import ANY_INPUT, ANY_SHAPE, BlindSpot, Case, InputSpec, Plain

Change = Callable[["Case", "re.Match[str]"], "Case | None"]

GIVEN = ("values", "file", "constant", "ones")
"""Draws that are not random."""

WHOLE = 6
"""Whole numbers in the place of a float are drawn from minus this up to this."""


def apply_cure(case: Case, spot: BlindSpot) -> Case | None:
    """Return the case with the cure of a blind spot, under a name of its own; ``None`` where it takes a person."""
    for pattern, change in _CURES.items():
        match = re.fullmatch(pattern, spot.cure)
        changed = change(case, match) if match else None
        if changed is not None:
            bare = case.name.rpartition("/")[2].partition("[")[0].rpartition(":")[2]
            return replace(changed, name=f"{bare}-sees-{spot.rule}", variant={}, about="")
    return None


def _usual_upstream(case: Case, _match: re.Match[str]) -> Case | None:
    return None if case.settings.upstream is None else replace(case, settings=replace(case.settings, upstream=None))


def _random_inputs(case: Case, _match: re.Match[str]) -> Case:
    """Draw whatever was given, scaled or pinned anew."""
    return replace(case, inputs={name: _generic(spec) for name, spec in case.inputs.items()})


def _generic(spec: InputSpec) -> InputSpec:
    values = _numbers(spec.parameters.get("values", spec.parameters.get("value")))
    shape, dtype = spec_shape(spec), spec.dtype
    if spec.draw in GIVEN and (spec.draw in ("ones", "file") or any(isinstance(each, float) for each in values)):
        if values and all(0 < each < 1 for each in values):
            return InputSpec("uniform", shape, dtype, {"low": 0.05, "high": 0.95})
        return InputSpec("positive" if values and min(values) > 0 else "normal", shape, dtype)
    if spec.draw in GIVEN:
        return spec
    kept = {key: value for key, value in spec.parameters.items() if key not in ("loc", "scale", "gap", "from")}
    draw = "normal" if spec.draw in ("ties", "distinct", "away-from", "normal") else spec.draw
    allowed = {key: value for key, value in kept.items() if key in DRAWS[draw].parameters}
    return replace(spec, draw=draw, parameters=allowed, pin=[])


def _numbers(values: Plain) -> list[float]:
    if isinstance(values, list):
        return [number for each in values for number in _numbers(each)]
    return [values] if isinstance(values, (int, float)) else []


def _longer(case: Case, match: re.Match[str]) -> Case | None:
    inputs = dict(case.inputs)
    for axis, name in re.findall(r"axis (\d+) of ([^,]+)", match["axes"]):
        spec = _spec(case, name)
        shape = spec_shape(spec)
        if shape is None or int(axis) >= len(shape):
            return None
        longer = (*shape[: int(axis)], int(match["length"]), *shape[int(axis) + 1 :])
        inputs[name] = replace(_generic(spec) if spec.draw in GIVEN else spec, shape=longer)
    return replace(case, inputs=inputs)


def _one_longer(case: Case, match: re.Match[str]) -> Case | None:
    spec = _spec(case, match["name"])
    shape = spec_shape(spec)
    if not shape:
        return None
    drawn = _generic(spec) if spec.draw in GIVEN else spec
    return _with(case, match["name"], replace(drawn, shape=(*shape[:-1], shape[-1] + 1)))


def _option(case: Case, match: re.Match[str]) -> Case | None:
    try:
        value: Plain = ast.literal_eval(match["value"])
    except (ValueError, SyntaxError):
        return None
    changed = replace(case, options={**case.options, match["name"]: value})
    if match["name"] in ("axis", "dim") and isinstance(value, int):
        changed.settings = replace(case.settings, axis=value if case.settings.axis is not None else None)
    return changed


def _pin(case: Case, match: re.Match[str]) -> Case | None:
    spec = _spec(case, match["name"])
    shape = spec_shape(spec)
    if shape is None or 0 in shape:
        return None
    # somewhere in the middle, where no slice is special
    at = tuple(length // 2 for length in shape) if match["value"] == "0" else (0,) * len(shape)
    kept = [each for each in spec.pin if each[0] != at]
    return _with(case, match["name"], replace(spec, pin=[*kept, (at, float(match["value"]))]))


def _draw(draw: str, parameters: Mapping[str, Plain] | None = None, dtype: str | None = None) -> Change:
    def change(case: Case, match: re.Match[str]) -> Case | None:
        spec = _spec(case, match["name"])
        shape = spec_shape(spec)
        if shape is None:
            return None
        kept = spec.dtype if dtype is None else dtype
        changed = _with(case, match["name"], InputSpec(draw, shape, kept, dict(parameters or {}), list(spec.pin)))
        if draw == "integers" and changed.settings.wrt is None:
            # whole numbers are not differentiated unless they are asked for
            changed.settings = replace(changed.settings, wrt=(match["name"],))
        return changed

    return change


def _scaled(factor: float) -> Change:
    def change(case: Case, match: re.Match[str]) -> Case | None:
        return _draw("normal", {"scale": factor})(case, match)

    return change


def _labels(case: Case, match: re.Match[str], *, low: int = 0) -> Case | None:
    """Draw labels with repetition, or below zero too."""
    spec = _spec(case, match["name"])
    shape, values = spec_shape(spec), _numbers(spec.parameters.get("values"))
    high = spec.parameters.get("high", max(values, default=0) + 1)
    if not shape or not isinstance(high, (int, float)):
        return None
    return _with(
        case, match["name"], InputSpec("integers", shape, spec.dtype, {"low": low * int(high), "high": int(high)})
    )


def _repeated(case: Case, match: re.Match[str]) -> Case | None:
    spec = _spec(case, match["name"])
    values = spec.parameters.get("values")
    if isinstance(values, list) and len(values) > 1 and not isinstance(values[0], list):
        return _with(case, match["name"], replace(spec, parameters={"values": [*values[:-1], values[0]]}))
    return _labels(case, match)


def _negative(case: Case, match: re.Match[str]) -> Case | None:
    return _labels(case, match, low=-1)


def _spec(case: Case, name: str) -> InputSpec:
    return case.inputs.get(name, case.inputs.get(ANY_INPUT, InputSpec(shape=ANY_SHAPE)))


def _with(case: Case, name: str, spec: InputSpec) -> Case:
    return replace(case, inputs={**case.inputs, name: spec})


_CURES: dict[str, Change] = {
    "use a signed Gaussian upstream, the default": _usual_upstream,
    "draw the inputs at random and of order 1": _random_inputs,
    r"make (?P<axes>axis \d+ of .+) longer: (?P<length>\d+)": _longer,
    r"make the last axis of (?P<name>.+) longer by 1": _one_longer,
    r"set an entry of (?P<name>.+) to (?P<value>0)": _pin,
    r"set one of (?P<name>.+) to (?P<value>-?\d+)": _pin,
    r"set (?P<name>\S+) to (?P<value>.+)": _option,
    r"draw (?P<name>.+) with ties": _draw("ties"),
    r"draw (?P<name>.+) with near ties": _draw("distinct", {"gap": 0.003}),
    r"draw (?P<name>.+) with both signs": _draw("normal"),
    r"draw (?P<name>.+) with negative numbers": _negative,
    r"draw (?P<name>.+) from a wider range \(scale 4\)": _scaled(4.0),
    r"draw (?P<name>.+) with a scale of 0\.01": _scaled(0.01),
    r"draw (?P<name>.+) around 1000": _draw("normal", {"loc": 1000.0}),
    r"try (?P<name>.+) with whole numbers": _draw("integers", {"low": -WHOLE, "high": WHOLE + 1}, "int64"),
    r"repeat a number in (?P<name>.+)": _repeated,
}
"""What an audit says -> what is done; the words are those of :mod:`gradcheck.rules.variants`."""
