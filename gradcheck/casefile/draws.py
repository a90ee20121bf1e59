"""The draws: which there are, which numbers each takes, and what is known of an array before it is drawn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, get_args

from gradcheck.model import InputSpec, Plain

MAX_ELEMENTS = 1 << 28
MAX_DIMENSIONS = 32  # the most that every numpy of today has

Dtype: TypeAlias = Literal[
    "float64",
    "float32",
    "float16",
    "int64",
    "int32",
    "int16",
    "int8",
    "uint64",
    "uint32",
    "uint16",
    "uint8",
    "bool",
]
DTYPES: tuple[str, ...] = get_args(Dtype)


@dataclass(frozen=True, slots=True)
class Draw:
    """One way to draw an array.

    Attributes
    ----------
    parameters
        Name of a parameter -> its default; ``None`` where it is left out or worked out from the rest.
    required
        Parameters that must be given.
    dtype
        NumPy name of the dtype where none is asked for; empty where it follows from the values.
    """

    summary: str
    parameters: dict[str, Plain] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    dtype: str = "float64"


DRAWS: dict[str, Draw] = {
    "normal": Draw("loc + scale * standard normal", {"loc": 0.0, "scale": 1.0}),
    "uniform": Draw("evenly spread from low up to high", {"low": 0.0, "high": 1.0}),
    "positive": Draw("low + scale * |standard normal|", {"low": 0.5, "scale": 1.0}),
    "integers": Draw(
        "whole numbers from low up to, not including, high", {"low": 0, "high": None}, ("high",), dtype="int64"
    ),
    "permutation": Draw(
        "whole numbers from low up to, not including, high, none of them twice", {"low": 0, "high": None}, dtype="int64"
    ),
    "one-hot": Draw("a single 1 along the axis, elsewhere 0", {"axis": -1}),
    "simplex": Draw("positive numbers that sum to 1 along the axis", {"axis": -1, "scale": 1.0}),
    "bernoulli": Draw("1 with probability p, otherwise 0", {"p": 0.5}),
    "distinct": Draw("shuffled numbers a gap apart: no two alike and none zero", {"gap": 0.1, "loc": 0.0}),
    "away-from": Draw("at least a gap away from a number, on either side", {"from": 0.0, "gap": 0.2, "scale": 1.0}),
    "ties": Draw("numbers a gap apart whose two largest along the axis are equal", {"axis": -1, "gap": 0.1}),
    "ones": Draw("all ones"),
    "constant": Draw("one value everywhere", {"value": None}, ("value",)),
    "values": Draw("the numbers given", {"values": None}, ("values",), dtype=""),
    "file": Draw("the array in a .npy, .npz or .csv file", {"file": None, "key": None}, ("file",), dtype=""),
}

GIVEN = ("values", "file")
"""Draws that bring their own shape."""


def spec_shape(spec: InputSpec) -> tuple[int, ...] | None:
    """Return the shape of an input where its spec says it."""
    if spec.shape is None and spec.draw == "values":
        return shape_of(spec.parameters["values"])
    return spec.shape


def is_floating(spec: InputSpec) -> bool | None:
    """Whether an input holds floating-point numbers; ``None`` where only its file says it."""
    if spec.dtype is not None:
        return spec.dtype.startswith("float")
    if spec.draw == "values":
        return any(isinstance(value, float) for value in _leaves(spec.parameters["values"]))
    return None if spec.draw == "file" else DRAWS[spec.draw].dtype.startswith("float")


def _leaves(values: Plain) -> list[Plain]:
    return [leaf for value in values for leaf in _leaves(value)] if isinstance(values, list) else [values]


def size_complaint(shape: Sequence[int]) -> str:
    """Say why a shape cannot be drawn, from its numbers alone; an empty string if it can."""
    if len(shape) > MAX_DIMENSIONS:
        return f"{len(shape)} dimensions; an array has at most {MAX_DIMENSIONS}"
    if any(length < 0 for length in shape):
        return "a dimension is negative"
    # numpy multiplies the dimensions that are not zero, to know its strides
    size = math.prod(length for length in shape if length)
    if size > MAX_ELEMENTS:
        return f"{size:.3g} elements; at most {MAX_ELEMENTS:.3g} are drawn"
    return ""


_NUMBERS = {int, float, bool}


def shape_of(values: Plain) -> tuple[int, ...]:
    """Return the shape of nested lists of numbers.

    Raises
    ------
    ValueError
        If they are ragged or hold anything but numbers and booleans; the message says where.
    """
    if not isinstance(values, list):
        if not isinstance(values, (int, float)):
            raise ValueError("only numbers can be values")  # noqa: TRY004  (a fault of the file, not of a type)
        return ()
    if {*map(type, values)} <= _NUMBERS:
        return (len(values),)  # a long row costs no call for each of its numbers
    shapes = [shape_of(value) for value in values]
    for index, shape in enumerate(shapes[1:], 1):
        if shape != shapes[0]:
            raise ValueError(f"rows of different lengths: row 0 has shape {shapes[0]}, row {index} has {shape}")
    return (len(values), *(shapes[0] if shapes else ()))
