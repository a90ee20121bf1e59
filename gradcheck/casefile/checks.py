"""What a case must fulfil beyond the schema: shapes, axes and names that fit each other, files that are there."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator
from pathlib import Path

from gradcheck.casefile.draws import DRAWS, size_complaint, spec_shape
from gradcheck.casefile.positions import Problem
from gradcheck.casefile.words import count, printable, quote, quote_path
from gradcheck.errors import nearest, suggest
from gradcheck.model import Case, InputSpec, LayerSpec

_DOTTED = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")
_NAME = re.compile(r"[\w.+-]+")
_REFERENCE_HELP = "write package.module:name, or file.py:name"


def check_layer(case: Case) -> Iterator[Problem]:
    """Yield what is wrong with the code that a case refers to, without importing it; the same for all variants."""
    yield from check_code(case.layer, ("layer",))
    if case.settings.reference is not None:
        yield from check_code(case.settings.reference, ("reference",))
    names = [*case.inputs]
    plain_functions = case.layer.forward is not None and case.layer.object is None and case.layer.node is None
    if plain_functions and names:
        for name in case.settings.wrt or ():
            if name not in names:
                yield Problem(("wrt",), f"the case has no input {quote(name)}", suggest(name, names))
        wrt = case.expect.wrt
        if wrt is not None and wrt not in names:
            yield Problem(("expect", "wrt"), f"the case has no input {quote(wrt)}", suggest(wrt, names))
    for name, spec in case.inputs.items():
        yield from check_data(name, spec, case.layer.base)


def check_data(name: str, spec: InputSpec, base: str) -> Iterator[Problem]:
    """Yield what is wrong with the file that an input comes from."""
    if spec.draw == "file":
        yield from _check_file(str(spec.parameters["file"]), base, ("inputs", name, "file"))


def check_code(layer: LayerSpec, location: tuple[str | int, ...]) -> Iterator[Problem]:
    """Yield what is wrong with the references of a layer."""
    for index, link in enumerate(layer.chain or ()):
        yield from check_code(link, (*location, "chain", index))
    if layer.target is not None:
        if ":" in layer.target or layer.target.endswith(".py"):
            yield from check_reference(layer.target, layer.base, (*location, "target"))
        elif not _NAME.fullmatch(layer.target):
            yield Problem(
                (*location, "target"), f"{quote(layer.target)} is neither a name nor a reference", _REFERENCE_HELP
            )
    holder = "object" if layer.object is not None else "node" if layer.node is not None else None
    if holder is not None:
        yield from check_reference(layer.object or layer.node or "", layer.base, (*location, holder))
    for key, value in (("forward", layer.forward), ("backward", layer.backward)):
        if value is None:
            continue
        if holder is None:
            yield from check_reference(value, layer.base, (*location, key))
        elif not _DOTTED.fullmatch(value):
            yield Problem(
                (*location, key), f"{quote(value)} is not the name of a method", "only its name: the class is given"
            )


def check_reference(text: str, base: str, location: tuple[str | int, ...]) -> Iterator[Problem]:
    """Yield what is wrong with a reference to code, as far as can be said without importing it."""
    module, colon, attribute = text.rpartition(":")
    if not colon or not module:
        help_ = f"write {printable(text)}:name" if text.endswith(".py") else _REFERENCE_HELP
        yield Problem(location, f"{quote(text)} is not a reference", help_)
    elif not _DOTTED.fullmatch(attribute):
        yield Problem(location, f"{quote(attribute)} is not the name of a function or class", _REFERENCE_HELP)
    elif module.endswith(".py"):
        yield from _check_file(module, base, location)
    elif not _DOTTED.fullmatch(module):
        yield Problem(location, f"{quote(module)} is neither a module nor a .py file", _REFERENCE_HELP)


def _check_file(name: str, base: str, location: tuple[str | int, ...]) -> Iterator[Problem]:
    path = Path(base) / name
    try:
        if path.is_file():
            return
        near = nearest(path.name, _siblings(path))
    except (OSError, ValueError):  # a name that no file system takes
        near = []
    if near:
        help_ = f"did you mean {quote_path(os.path.join(os.path.dirname(name), near[0]))}?"
    else:
        help_ = f"looked in {quote_path(base)}" if base and not os.path.isabs(name) else ""
    yield Problem(location, f"there is no file {quote_path(name)}", help_)


def _siblings(path: Path) -> list[str]:
    if not path.parent.is_dir():
        return []
    return sorted(each.name for each in path.parent.iterdir() if each.suffix == path.suffix)[:1000]


def check_inputs(case: Case) -> Iterator[Problem]:
    """Yield what is wrong with shapes, pins and axes of one variant."""
    for name, spec in case.inputs.items():
        for problem in check_input(name, spec):
            yield _in_variant(case, problem, name)
    axis = case.settings.axis
    names = [name for name in case.settings.wrt or () if name in case.inputs] or [*case.inputs]
    shapes = {name: spec_shape(case.inputs[name]) for name in names}
    if axis is None or not shapes or any(shape is None for shape in shapes.values()):
        return
    name, shape = max(shapes.items(), key=lambda item: len(item[1] or ()))
    dimensions = len(shape or ())
    if not -dimensions <= axis < dimensions:
        # the axis cuts the table; a 0-d input has but one entry, whatever the axis
        message = f"axis {axis} is out of range: input {quote(name)} has {count(dimensions, 'dimension')}"
        help_ = f"choose one from {-dimensions} to {dimensions - 1}" if dimensions else "leave it out"
        yield _in_variant(case, Problem(("axis",), message, help_), name)


def check_input(name: str, spec: InputSpec) -> Iterator[Problem]:
    """Yield what is wrong with one input by itself."""
    location = ("inputs", name)
    shape = spec_shape(spec)
    if shape is None:
        if spec.draw != "file":
            yield Problem(
                location, f"the input {quote(name)} has no shape", "write for example shape: [4, 5]", key=True
            )
        return
    if problem := size_complaint(shape):
        yield Problem((*location, "shape"), f"{quote(name)}: {problem}")
    for index, (at, _) in enumerate(spec.pin):
        if len(at) > len(shape) or any(not -length <= i < length for i, length in zip(at, shape, strict=False)):
            yield Problem(
                (*location, "pin", index, "at"),
                f"the pin at {list(at)} is out of range: input {quote(name)} has shape {list(shape)}",
            )
    axis = spec.parameters.get("axis", -1)
    if "axis" in DRAWS[spec.draw].parameters and not (isinstance(axis, int) and -len(shape) <= axis < len(shape)):
        message = f"axis {axis} is out of range: input {quote(name)} has {count(len(shape), 'dimension')}"
        yield Problem((*location, "axis"), message)
    if spec.draw == "permutation":
        low, high, size = spec.parameters.get("low", 0), spec.parameters.get("high"), math.prod(shape)
        if isinstance(low, int) and isinstance(high, int) and high - low < size:
            message = f"{size} different numbers do not fit between {low} and {high}"
            yield Problem((*location, "high"), message, f"high must be at least {low + size}")


def _in_variant(case: Case, problem: Problem, name: str) -> Problem:
    """Say which variant is meant, and point at the value of the matrix that is to blame."""
    if not case.variant:
        return problem
    end = problem.location[-1]
    candidates = (str(end), name, f"input:{name}", "shape")
    blamed = [key for key in candidates if key in case.variant]
    location = ("matrix", blamed[0]) if blamed else ("matrix",)
    given = ", ".join(f"{key}: {_flow(value)}" for key, value in case.variant.items())
    help_ = f"leave it out with `exclude: [{{{given}}}]`" if len(given) < 160 else problem.help
    return Problem(location, f"{problem.message} in {quote(case.name.rpartition('/')[2])}", help_, key=True)


def _flow(value: object) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(each)}" for key, each in value.items()) + "}"
    return printable(value) if isinstance(value, str) else quote(value)
