"""A case changed by the options of the command line: pure functions from case to cases."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from gradcheck.casefile.draws import GIVEN, is_floating, spec_shape
from gradcheck.errors import UsageError, suggest
from gradcheck.model import ANY_INPUT, Case, InputSpec, LayerSpec, Plain, Settings

PLAIN = ("seed", "mode", "method", "rtol", "atol", "eps", "budget")
"""Settings that the command line replaces as they are."""


@dataclass(slots=True)
class Overrides:
    """What the command line says differently from the case. Empty means: as the case has it.

    Attributes
    ----------
    backward
        Reference to the backward of a function, or name of a method.
    axes
        Axes, each of which makes a case of its own, or ``all``.
    shapes, dtypes
        By name of the input; the empty name stands for the case as a whole.
    order
        Order of the derivatives: the option of that name, of a layer that a framework differentiates.
    """

    backward: str | None = None
    axes: tuple[int, ...] | Literal["all"] = ()
    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    dtypes: Mapping[str, str] = field(default_factory=dict)
    wrt: tuple[str, ...] = ()
    options: Mapping[str, Plain] = field(default_factory=dict)
    seed: int | None = None
    mode: str | None = None
    method: str | None = None
    rtol: float | None = None
    atol: float | None = None
    eps: float | None = None
    budget: int | None = None
    order: int | None = None


def apply(case: Case, overrides: Overrides) -> list[Case]:
    """Return the case as the command line wants it: one, or one per axis.

    Raises
    ------
    UsageError
        If an axis is out of range, an input does not exist, or the backward of a chain is to be replaced.
    """
    changed = replace(
        case,
        layer=_with_backward(case, overrides.backward),
        inputs=_with_dtypes(case, _with_shapes(case, overrides.shapes), overrides.dtypes),
        options={**case.options, **overrides.options, **_order(overrides)},
        settings=_with_settings(case.settings, overrides),
    )
    changed = _relabelled(changed, _labels(overrides))
    axes = _axes(changed, overrides.axes)
    if not axes:
        return [changed]
    many = len(axes) > 1 or overrides.axes == "all" or "axis" in case.variant
    return [_along(changed, axis, rename=many) for axis in axes]


def _with_backward(case: Case, backward: str | None) -> LayerSpec:
    layer = case.layer
    if backward is None:
        return layer
    if layer.chain is not None:
        raise UsageError(f"--backward cannot be given for {case.name!r}, which is a chain", "name one of its links")
    backward = _from_here(backward, layer.base)
    if layer.target is not None and ":" in layer.target:
        # The target was taken for a layer of any kind; with a backward beside it, it is a forward function.
        return replace(layer, target=None, forward=layer.target, backward=backward)
    if layer.target is not None:
        raise UsageError(
            f"--backward needs a forward function beside it, and {layer.target!r} names a whole layer",
            "give the forward as module:attr or file.py:attr",
        )
    return replace(layer, backward=backward)


def _from_here(reference: str, base: str) -> str:
    """A file on the command line starts from the current folder, whatever folder the case's own files start from."""
    file, colon, attribute = reference.rpartition(":")
    if not colon or not file.endswith(".py") or os.path.abspath(base or ".") == os.getcwd():
        return reference
    return f"{os.path.abspath(file)}:{attribute}"


def _with_shapes(case: Case, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, InputSpec]:
    inputs = dict(case.inputs)
    if "" in shapes:
        inputs = _reshape_all(case, shapes[""])
    for name, shape in shapes.items():
        if not name:
            continue
        spec = _spec(case, inputs, name, "--shape")
        if spec.draw in GIVEN:
            raise UsageError(f"--shape cannot change {name!r} of {case.name!r}", "its values are given, not drawn")
        inputs[name] = replace(spec, shape=shape)
    return inputs


def _reshape_all(case: Case, shape: tuple[int, ...]) -> dict[str, InputSpec]:
    """Give the first input a shape; the others follow where their sizes are its sizes, as a scale per column does."""
    if not case.inputs:
        return {ANY_INPUT: InputSpec(shape=shape)}
    drawn = {name: spec for name, spec in case.inputs.items() if spec.draw not in GIVEN}
    if not drawn:
        raise UsageError(f"--shape cannot change the inputs of {case.name!r}", "their values are given, not drawn")
    first = next(iter(drawn))
    old = drawn[first].shape
    sizes: dict[int, set[int]] = {}
    if old is not None and len(old) == len(shape):
        for before, after in zip(old, shape, strict=True):
            sizes.setdefault(before, set()).add(after)
    reshaped = dict(case.inputs)
    for name, spec in drawn.items():
        follow = shape if name == first or spec.shape == old else _follow(spec.shape, sizes)
        reshaped[name] = replace(spec, shape=follow)
    return reshaped


def _follow(shape: tuple[int, ...] | None, sizes: Mapping[int, set[int]]) -> tuple[int, ...] | None:
    """Exchange sizes of another input's shape, unless one of them could become two things."""
    if shape is None or any(len(sizes.get(size, ())) > 1 for size in shape):
        return shape
    return tuple(next(iter(sizes.get(size, {size}))) for size in shape)


def _with_dtypes(case: Case, inputs: dict[str, InputSpec], dtypes: Mapping[str, str]) -> dict[str, InputSpec]:
    whole = dtypes.get("")  # a matter of precision: labels and masks keep theirs
    if whole is not None:
        inputs = {
            name: spec if is_floating(spec) is False else replace(spec, dtype=whole)
            for name, spec in (inputs or {ANY_INPUT: InputSpec()}).items()
        }
    for name, dtype in dtypes.items():
        if name:
            inputs = {**inputs, name: replace(_spec(case, inputs, name, "--dtype"), dtype=dtype)}
    return inputs


def _spec(case: Case, inputs: Mapping[str, InputSpec], name: str, option: str) -> InputSpec:
    named = [known for known in inputs if known != ANY_INPUT]
    if name in inputs or not case.inputs:
        return inputs.get(name, inputs.get(ANY_INPUT, InputSpec()))
    raise UsageError(f"{option} names {name!r}, which is no input of {case.name!r}", suggest(name, named))


def _with_settings(settings: Settings, overrides: Overrides) -> Settings:
    asked = {
        **{name: getattr(overrides, name) for name in (*PLAIN, "order")},
        "wrt": overrides.wrt or None,
        "axis": overrides.options.get("axis", overrides.options.get("dim")),
    }
    given = {key: value for key, value in asked.items() if value is not None}
    if not isinstance(given.get("axis"), int):
        given.pop("axis", None)
    return replace(settings, **given) if given else settings


def _order(overrides: Overrides) -> dict[str, Plain]:
    return {} if overrides.order is None else {"order": overrides.order}


def _axes(case: Case, axes: tuple[int, ...] | Literal["all"]) -> tuple[int, ...]:
    if not axes:
        return ()
    shape = first_shape(case)
    if axes == "all":
        if shape is None:
            raise UsageError(
                f"--axis all needs to know the shape of the first input of {case.name!r}", "give --shape, or the axes"
            )
        if not shape:
            raise UsageError(f"--axis all: the first input of {case.name!r} is a single number and has no axis")
        return tuple(range(len(shape)))
    for axis in axes:
        if shape is not None and not -len(shape) <= axis < len(shape):
            allowed = f"axes of shape {shape} go from {-len(shape)} to {len(shape) - 1}" if shape else "it has no axis"
            raise UsageError(f"--axis {axis} is out of range for the first input of {case.name!r}", allowed)
    return axes


def _along(case: Case, axis: int, *, rename: bool) -> Case:
    options = {key: axis if key in ("axis", "dim") else value for key, value in case.options.items()}
    along = replace(case, options=options, settings=replace(case.settings, axis=axis))
    if not rename:
        return along
    if "axis" in case.variant:
        return _relabelled(along, {"axis": axis})
    # As variants of a matrix are named.
    base, _, label = case.name.partition("[") if case.variant else (case.name, "", "")
    labels = [*filter(None, [label.removesuffix("]")]), f"axis={axis}"]
    return replace(along, name=f"{base}[{','.join(labels)}]", variant={**case.variant, "axis": axis})


def _labels(overrides: Overrides) -> dict[str, Plain]:
    """Return what the command line says of keys that a matrix may have."""
    said: dict[str, Plain] = {name: getattr(overrides, name) for name in PLAIN}
    said |= {"shape": list(overrides.shapes[""]) if "" in overrides.shapes else None, "dtype": overrides.dtypes.get("")}
    said |= {**overrides.options, **_order(overrides)}
    return {key: value for key, value in said.items() if value is not None}


def _relabelled(case: Case, said: Mapping[str, Plain]) -> Case:
    """Let the name of a variant say what it has become; variants that became alike have one name."""
    if not case.variant.keys() & said.keys():
        return case
    base, _, label = case.name.partition("[")
    parts = [part.partition("=") for part in label.removesuffix("]").split(",")]
    words = [f"{key}={_label(said[key]) if key in said else text}" for key, _, text in parts]
    variant = {key: said.get(key, value) for key, value in case.variant.items()}
    return replace(case, name=f"{base}[{','.join(words)}]", variant=variant)


def _label(value: Plain) -> str:
    return "x".join(map(str, value)) or "scalar" if isinstance(value, list) else str(value)


def first_shape(case: Case) -> tuple[int, ...] | None:
    """Return the shape of the first input, or ``None`` where only drawing it would tell."""
    return spec_shape(next(iter(case.inputs.values()), InputSpec()))
