"""The matrix of a case: every combination of the values of its keys becomes a case of its own.

========================  ==========================================================================================
key                       what a value of it does
========================  ==========================================================================================
``axis``                  sets the axis of the table, and the option ``axis`` or ``dim`` where the case has one
``shape``                 a list: the shape of every input that has the shape of the first one; a mapping: the
                          shape of each input named
``dtype``                 the dtype of every input of floating-point numbers
``seed``, ``mode``,       the setting of that name
``upstream``
name of an option         the value of that option
name of an input          changes the input: its keys replace those of the input; a new draw keeps shape and dtype
``option:NAME``,          the same where a name could mean two of these
``input:NAME``,
``setting:NAME``
========================  ==========================================================================================
"""

from __future__ import annotations

import itertools
import json
import math
import re
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from pydantic import TypeAdapter, ValidationError

from gradcheck.casefile import convert
from gradcheck.casefile.draws import GIVEN, Dtype, is_floating
from gradcheck.casefile.fields import Axis, InputName, Seed, Shape
from gradcheck.casefile.inputs import IMPLIED, AnyInput
from gradcheck.casefile.messages import explain
from gradcheck.casefile.positions import Problem
from gradcheck.casefile.schema import AnyUpstream
from gradcheck.casefile.words import quote
from gradcheck.errors import suggest
from gradcheck.model import Case, InputSpec, Mode, Plain

MAX_VARIANTS = 2000

Matrix: TypeAlias = "dict[str, list[Any]]"

_SHAPES: TypeAdapter[Any] = TypeAdapter(dict[InputName, Shape])
_ADAPTERS: dict[str, TypeAdapter[Any]] = {
    "axis": TypeAdapter(Axis),
    "shape": TypeAdapter(Shape),
    "dtype": TypeAdapter(Dtype),
    "seed": TypeAdapter(Seed),
    "mode": TypeAdapter(Mode),
    "upstream": TypeAdapter(AnyUpstream),
}
_INPUT: TypeAdapter[Any] = TypeAdapter(AnyInput)


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of one key of a matrix: what it is called and what it changes."""

    key: str
    role: str
    name: str
    value: Any
    plain: Plain
    label: str


def expand(
    case: Case, matrix: Matrix, exclude: list[dict[str, Any]], inputs: dict[str, Any]
) -> tuple[list[Case], list[Problem]]:
    """Return the variants of a case, in the order of the matrix, and what is wrong with its matrix.

    Parameters
    ----------
    case
        The case without its matrix.
    matrix, exclude
        As in the file.
    inputs
        The inputs as in the file, for keys that change an input.
    """
    size = math.prod(map(len, matrix.values()))
    if size > MAX_VARIANTS:
        message = f"the matrix has {size:,} combinations; at most {MAX_VARIANTS:,}"
        return [], [Problem(("matrix",), message, key=True)]
    problems: list[Problem] = []
    columns: list[list[Choice]] = []
    for key, values in matrix.items():
        column, wrong = _column(case, key, values, inputs)
        columns.append(column)
        problems += wrong
    problems += _check_exclusions(exclude, matrix)
    if problems:
        return [], problems
    excluded = [{key: _token(value) for key, value in entry.items()}.items() for entry in exclude]
    variants = []
    for choices in itertools.product(*columns):
        tokens = {choice.key: _token(choice.plain) for choice in choices}.items()
        if not any(entry <= tokens for entry in excluded):
            variants.append(_vary(case, choices))
    if not variants:
        problems.append(Problem(("exclude",), "every combination of the matrix is excluded", key=True))
    return variants, problems


def _column(case: Case, key: str, values: list[Any], inputs: dict[str, Any]) -> tuple[list[Choice], list[Problem]]:
    role, name, problem = _role(case, key)
    if problem is not None:
        return [], [problem]
    choices: list[Choice] = []
    problems: list[Problem] = []
    labels = _labels(key, values)
    seen: set[str] = set()
    for index, value in enumerate(values):
        location = ("matrix", key, index)
        if _token(value) in seen:
            problems.append(Problem(location, f"{quote(value)} is given twice"))
        seen.add(_token(value))
        try:
            choices.append(Choice(key, role, name, _read(case, role, name, value, inputs), value, labels[index]))
        except ValidationError as error:
            problems += explain(error.errors(), location)
        except LookupError as error:
            name_, message, help_ = error.args
            problems.append(Problem((*location, name_), message, help_, key=True))
    return choices, problems


def _role(case: Case, key: str) -> tuple[str, str, Problem | None]:
    """Return what a key of the matrix stands for: ``option``, ``input`` or the name of a setting, and its name."""
    prefix, colon, name = key.partition(":")
    owners: dict[str, list[str]] = {"option": [*case.options], "input": [*case.inputs], "setting": [*_ADAPTERS]}
    if colon and prefix in owners:
        if name in owners[prefix]:
            return name if prefix == "setting" else prefix, name, None
        help_ = suggest(name, owners[prefix])
        return "", "", Problem(("matrix", key), f"the case has no {prefix} {quote(name)}", help_, key=True)
    roles = [role for role, names in owners.items() if key in names]
    if key == "axis":  # sets both
        roles = [role for role in roles if role != "option"]
    if len(roles) == 1:
        return key if roles == ["setting"] else roles[0], key, None
    if roles:
        meant = " or ".join(f"the {role}" for role in roles)
        help_ = "write " + " or ".join(f"'{role}:{key}'" for role in roles)
        return "", "", Problem(("matrix", key), f"{quote(key)} could mean {meant} of that name", help_, key=True)
    help_ = suggest(key, [*_ADAPTERS, *case.inputs, *case.options])
    if not help_.startswith("did"):
        help_ += "; an option is given a value under 'options' first"
    return "", "", Problem(("matrix", key), f"unknown matrix key {quote(key)}", help_, key=True)


def _read(case: Case, role: str, name: str, value: Any, inputs: dict[str, Any]) -> Any:
    """Return the checked value of a choice; LookupError(key, message, help) for an input that is not there."""
    if role == "option":
        return value
    if role == "input":
        return convert.input_spec(_INPUT.validate_python(_overlay(inputs[name], value)))
    if role == "shape" and isinstance(value, dict):
        for each in value:
            if each not in case.inputs:
                raise LookupError(each, f"the case has no input {quote(each)}", suggest(each, case.inputs))
        return _SHAPES.validate_python(value, strict=True)
    checked = _ADAPTERS[role].validate_python(value, strict=True)
    return convert.upstream(checked) if role == "upstream" else checked


def _overlay(base: Any, change: Any) -> Any:
    if not isinstance(change, dict) or not isinstance(base, dict):
        return change
    if "draw" in change or change.keys() & IMPLIED.keys():
        own_shape = change.get("draw") in GIVEN or any(key in change for key in GIVEN)
        kept = ("dtype",) if own_shape else ("shape", "dtype")
        base = {key: base[key] for key in kept if key in base}
    return {**base, **change}


def _check_exclusions(exclude: list[dict[str, Any]], matrix: Matrix) -> list[Problem]:
    problems = []
    known = {key: set(map(_token, values)) for key, values in matrix.items()}
    for index, entry in enumerate(exclude):
        if not entry:
            problems.append(Problem(("exclude", index), "an exclusion without a key would exclude everything"))
        for key, value in entry.items():
            location = ("exclude", index, key)
            if key not in matrix:
                help_ = suggest(key, matrix)
                problems.append(Problem(location, f"{quote(key)} is no key of the matrix", help_, key=True))
            elif _token(value) not in known[key]:
                problems.append(
                    Problem(location, f"{quote(value)} is none of the values of {quote(key)} in the matrix")
                )
    return problems


def _token(value: Any) -> str:
    # 1 and true are equal in Python, not in a case file
    return json.dumps(value, sort_keys=True)


def pinpoint(problem: Problem, variant: Case, matrix: Matrix) -> Problem:
    """Return a problem at a key of the matrix as one at the value that the variant has of it."""
    if len(problem.location) != 2 or problem.location[0] != "matrix":
        return problem
    key = str(problem.location[1])
    index = list(map(_token, matrix[key])).index(_token(variant.variant[key]))
    return replace(problem, location=("matrix", key, index), key=False)


def _vary(case: Case, choices: tuple[Choice, ...]) -> Case:
    label = ",".join(f"{choice.key.replace(':', '.')}={choice.label}" for choice in choices)
    variant = replace(
        case,
        name=f"{case.name}[{label}]",
        inputs={name: replace(spec) for name, spec in case.inputs.items()},
        options=dict(case.options),
        settings=replace(case.settings),
        variant={choice.key: choice.plain for choice in choices},
    )
    # a whole input first: shape and dtype of the matrix hold for what it became
    for choice in sorted(choices, key=lambda each: each.role != "input"):
        _apply(variant, choice)
    return variant


def _apply(case: Case, choice: Choice) -> None:
    role, value = choice.role, choice.value
    if role == "input":
        case.inputs[choice.name] = replace(value)
    elif role == "option":
        case.options[choice.name] = value
    elif role == "axis":
        case.settings.axis = value
        case.options.update({name: value for name in ("axis", "dim") if name in case.options})
    elif role == "shape":
        _reshape(case.inputs, value)
    elif role == "dtype":
        for spec in case.inputs.values():
            if is_floating(spec):
                spec.dtype = value
    else:
        setattr(case.settings, role, value)


def _reshape(inputs: dict[str, InputSpec], shape: Any) -> None:
    if isinstance(shape, dict):
        for name, each in shape.items():
            inputs[name].shape = tuple(each)
        return
    drawn = [spec for spec in inputs.values() if spec.draw not in GIVEN]
    first = next((spec.shape for spec in drawn if spec.shape is not None), None)
    for spec in drawn:
        if spec.shape in (first, None):
            spec.shape = tuple(shape)


def _labels(key: str, values: list[Any]) -> list[str]:
    labels = [_label(key, value) for value in values]
    fine = [re.fullmatch(r"[\w.+:-]{1,40}", label) and labels.count(label) == 1 for label in labels]
    return [label if good else f"no.{index}" for index, (label, good) in enumerate(zip(labels, fine, strict=True), 1)]


def _label(key: str, value: Any) -> str:
    """Return the short text by which a value appears in the name of a variant."""
    if isinstance(value, dict):
        if list(value) == ["draw"]:
            return _label(key, value["draw"])
        if key == "shape":
            return "+".join(_label(key, each) for each in value.values())
        return "+".join(f"{name}:{_label(name, each)}" for name, each in value.items())
    if isinstance(value, list):
        joint = "x" if key == "shape" else "+"
        return joint.join(_label("", each) for each in value) or ("scalar" if key == "shape" else "empty")
    if value is None or isinstance(value, bool):
        return quote(value)
    return str(value)
