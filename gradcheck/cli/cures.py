"""The case that a blind spot asks for: the changes that an audit names, done to the case."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from gradcheck.casefile.draws import DRAWS, is_floating, spec_shape
from gradcheck.layers.vocabulary import AXES
from gradcheck.model import ANY_INPUT, ANY_SHAPE, BlindSpot, Case, InputSpec, Plain

FIXED = ("values", "file", "constant", "ones")
"""Draws that are not random."""


def apply_cure(case: Case, spot: BlindSpot) -> Case | None:
    """Return the case with the cure of a blind spot, under a name of its own; ``None`` where it takes a person."""
    changed: Case | None = case if spot.changes else None
    for key, asked in spot.changes.items():
        change = _CHANGES.get(key)
        changed = change(changed, asked) if change is not None and changed is not None else None
    if changed is None:
        return None
    bare = case.name.rpartition("/")[2].partition("[")[0].rpartition(":")[2]
    return replace(changed, name=f"{bare}-sees-{spot.rule}", variant={}, about="")


def _change_upstream(case: Case, asked: Plain) -> Case | None:
    if asked == "default":
        return None if case.settings.upstream is None else replace(case, settings=replace(case.settings, upstream=None))
    given = [InputSpec("values", parameters={"values": asked[0]})] if isinstance(asked, list) and asked else None
    return None if given is None else replace(case, settings=replace(case.settings, upstream=given))


def _change_seed(case: Case, asked: Plain) -> Case | None:
    if not isinstance(asked, int):
        return None
    return replace(case, settings=replace(case.settings, seed=case.settings.seed + asked))


def _change_options(case: Case, asked: Plain) -> Case | None:
    if not isinstance(asked, dict):
        return None
    changed = replace(case, options={**case.options, **asked})
    for name, value in asked.items():
        if name in AXES and isinstance(value, int):
            axis = value if case.settings.axis is not None else None
            changed = replace(changed, settings=replace(changed.settings, axis=axis))
    return changed


def _change_wrt(case: Case, asked: Plain) -> Case | None:
    """Differentiate one input more; what is differentiated anyway is named then, too."""
    known = case.settings.wrt
    if known is None:
        known = tuple(
            name for name, spec in case.inputs.items() if name != ANY_INPUT and is_floating(spec) is not False
        )
    wrt = (*(name for name in known if name != asked), str(asked))
    return replace(case, settings=replace(case.settings, wrt=wrt))


def _change_inputs(case: Case, asked: Plain) -> Case | None:
    if not isinstance(asked, dict):
        return None
    inputs = dict(case.inputs)
    for name, change in asked.items():
        for each in inputs if name == "*" else [name]:
            spec = inputs.get(each, inputs.get(ANY_INPUT, InputSpec(shape=ANY_SHAPE)))
            changed = _change_spec(spec, change) if isinstance(change, dict) else None
            if changed is None:
                return None
            inputs[each] = changed
    return replace(case, inputs=inputs)


def _change_spec(spec: InputSpec, change: dict[str, Plain]) -> InputSpec | None:
    """Return how one input is drawn afterwards; ``None`` where that cannot be said."""
    if "generic" in change:
        return _generic(spec)
    shape = spec_shape(spec)
    if shape is None:
        return None
    if "draw" in change:
        rest = {key: value for key, value in change.items() if key not in ("draw", "dtype")}
        dtype = change.get("dtype")
        return InputSpec(
            str(change["draw"]), shape, dtype if isinstance(dtype, str) else spec.dtype, rest, list(spec.pin)
        )
    if "pin" in change:
        return _pinned(spec, shape, change["pin"])
    if "labels" in change:
        return _labelled(spec, shape, negative=change["labels"] == "negative")
    return _longer(spec, shape, change)


def _longer(spec: InputSpec, shape: tuple[int, ...], change: dict[str, Plain]) -> InputSpec | None:
    lengths = list(shape)
    pairs, more = change.get("lengths"), change.get("longer")
    if isinstance(more, int) and lengths:
        lengths[-1] += more
    elif isinstance(pairs, list):
        for pair in pairs:
            axis, length = pair if isinstance(pair, list) and len(pair) == 2 else (None, None)
            if not isinstance(axis, int) or not isinstance(length, int) or axis >= len(lengths):
                return None
            lengths[axis] = length
    else:
        return None
    return replace(_generic(spec) if spec.draw in FIXED else spec, shape=tuple(lengths))


def _pinned(spec: InputSpec, shape: tuple[int, ...], value: Plain) -> InputSpec | None:
    if 0 in shape or not isinstance(value, (int, float)):
        return None
    # zero somewhere in the middle, where no slice is special
    at = tuple(length // 2 for length in shape) if value == 0 else (0,) * len(shape)
    kept = [each for each in spec.pin if each[0] != at]
    return replace(spec, pin=[*kept, (at, float(value))])


def _labelled(spec: InputSpec, shape: tuple[int, ...], *, negative: bool) -> InputSpec | None:
    """Draw labels with repetition, or below zero too."""
    values = spec.parameters.get("values")
    if not negative and isinstance(values, list) and len(values) > 1 and not isinstance(values[0], list):
        return replace(spec, parameters={"values": [*values[:-1], values[0]]})
    high = spec.parameters.get("high", max(_numbers(values), default=0) + 1)
    if not shape or not isinstance(high, (int, float)):
        return None
    low = -int(high) if negative else 0
    return InputSpec("integers", shape, spec.dtype, {"low": low, "high": int(high)})


def _generic(spec: InputSpec) -> InputSpec:
    values = _numbers(spec.parameters.get("values", spec.parameters.get("value")))
    shape, dtype = spec_shape(spec), spec.dtype
    if spec.draw in FIXED and (spec.draw in ("ones", "file") or any(isinstance(each, float) for each in values)):
        if values and all(0 < each < 1 for each in values):
            return InputSpec("uniform", shape, dtype, {"low": 0.05, "high": 0.95})
        return InputSpec("positive" if values and min(values) > 0 else "normal", shape, dtype)
    if spec.draw in FIXED:
        return spec
    kept = {key: value for key, value in spec.parameters.items() if key not in ("loc", "scale", "gap", "from")}
    draw = "normal" if spec.draw in ("ties", "distinct", "away-from", "normal") else spec.draw
    allowed = {key: value for key, value in kept.items() if key in DRAWS[draw].parameters}
    return replace(spec, draw=draw, parameters=allowed, pin=[])


def _numbers(values: Plain) -> list[float]:
    if isinstance(values, list):
        return [number for each in values for number in _numbers(each)]
    return [values] if isinstance(values, (int, float)) else []


_CHANGES: dict[str, Callable[[Case, Plain], Case | None]] = {
    "upstream": _change_upstream,
    "seed": _change_seed,
    "options": _change_options,
    "inputs": _change_inputs,
    "wrt": _change_wrt,
}
"""What :attr:`gradcheck.model.BlindSpot.changes` names -> what is done."""
