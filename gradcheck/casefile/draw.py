"""Drawing the inputs of a case. Same seed and same name, same numbers, in whatever order inputs are listed."""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from gradcheck.casefile.draws import DRAWS, DTYPES, shape_of, size_complaint
from gradcheck.casefile.samples import DRAWERS
from gradcheck.casefile.words import quote
from gradcheck.errors import UsageError, suggest
from gradcheck.model import InputSpec

Array: TypeAlias = npt.NDArray[Any]


def draw_inputs(specs: Mapping[str, InputSpec], seed: int, case_name: str, base: str = "") -> dict[str, Array]:
    """Return the inputs of a case, drawn.

    Parameters
    ----------
    specs
        How each input is drawn, by name.
    seed
        Seed of the case, not negative.
    case_name
        Its name. Only the part between the last ``/`` and the ``[`` counts: a case keeps its numbers when its file
        is moved, and all its variants share theirs where their shapes agree.
    base
        The folder from which files are looked for.

    Returns
    -------
    dict
        New arrays, contiguous and writable; each input has its own generator, seeded by its name.

    Raises
    ------
    UsageError
        If an input cannot be drawn; the message begins with its name.
    """
    arrays: dict[str, Array] = {}
    for key, spec in specs.items():
        rng = np.random.default_rng([*seed_words(seed, case_name), _hash(key)])
        try:
            arrays[key] = draw(spec, rng, base)
        except UsageError as error:
            raise UsageError(f"input {quote(key)}: {error.message}", error.help) from None
    return arrays


def seed_words(seed: int, case_name: str) -> list[int]:
    """Return what a generator for a case is seeded with: its seed, and a hash of its name as said above.

    Raises
    ------
    UsageError
        If the seed is negative.
    """
    if seed < 0:
        raise UsageError(f"the seed {seed} is negative", "a seed is 0 or more")
    return [seed, _hash(case_name.rsplit("/", 1)[-1].split("[", 1)[0])]


def _hash(text: str) -> int:
    return zlib.crc32(text.encode("utf-8", "surrogatepass"))


def draw(spec: InputSpec, rng: np.random.Generator, base: str = "") -> Array:
    """Return one array.

    Parameters
    ----------
    spec
        How it is drawn. Floats are drawn in float64 and rounded to the dtype asked for, so that a float32 array holds
        the numbers of the float64 one; whole numbers that do not fit the dtype are refused.
    rng
        The generator that the numbers come from.
    base
        The folder from which a file is looked for.

    Raises
    ------
    UsageError
        If the draw or dtype is unknown, a number of it is missing or out of range, the shape is missing or larger than
        ``2**28`` elements (nothing is allocated), or a file cannot be read.
    """
    if spec.draw not in DRAWS:
        raise UsageError(f"unknown draw {quote(spec.draw)}", suggest(spec.draw, DRAWS))
    if spec.dtype is not None and spec.dtype not in DTYPES:
        raise UsageError(f"unknown dtype {quote(spec.dtype)}", suggest(spec.dtype, DTYPES))
    if spec.shape is not None and (problem := size_complaint(spec.shape)):
        raise UsageError(problem)
    numbers = _numbers(spec)
    array: Array
    if spec.draw == "values":
        array = _given(numbers["values"])
        _agree(spec, array)
    elif spec.draw == "file":
        array = _from_file(spec, base)
    else:
        if spec.shape is None:
            raise UsageError("no shape is given", "write for example shape: [4, 5], or --shape 4,5")
        try:
            array = DRAWERS[spec.draw](rng, tuple(spec.shape), numbers)
        except (ValueError, OverflowError) as error:
            raise UsageError(f"the draw '{spec.draw}' fails: {error}") from None
    return _finish(array, spec)


def _numbers(spec: InputSpec) -> dict[str, Any]:
    known = DRAWS[spec.draw]
    for name in spec.parameters:
        if name not in known.parameters:
            takes = ", ".join(known.parameters) or "no numbers"
            raise UsageError(f"the draw '{spec.draw}' takes no {quote(name)}", f"it takes {takes}")
    for name in known.required:
        if spec.parameters.get(name) is None:
            raise UsageError(f"the draw '{spec.draw}' needs {quote(name)}")
    return {**known.parameters, **{name: value for name, value in spec.parameters.items() if value is not None}}


def _finish(array: Array, spec: InputSpec) -> Array:
    """Round to the dtype asked for and set the pins; the result is new, contiguous and writable."""
    target = np.dtype(spec.dtype) if spec.dtype is not None else array.dtype
    given = spec.draw in ("values", "file", "constant")
    array = _convert(array, target, exact=given)
    for at, value in spec.pin:
        if len(at) > array.ndim or any(not -length <= i < length for i, length in zip(at, array.shape, strict=False)):
            raise UsageError(f"the pin at {list(at)} is out of range for an array of shape {list(array.shape)}")
        array[at] = _convert(np.asarray(value, dtype=np.float64), target, exact=True)
    return array


def _convert(array: Array, target: np.dtype[Any], *, exact: bool) -> Array:
    """Return a copy in another dtype; with ``exact``, a change of any whole number is refused, not rounded."""
    if target == array.dtype:
        return np.array(array, order="C")
    if target.kind == "b":
        if exact and not np.all((array == 0) | (array == 1)):
            raise UsageError("values other than 0 and 1 do not fit into bool")
        return np.array(array != 0, order="C")
    with np.errstate(all="ignore"):
        rounded = np.rint(array) if target.kind in "iu" and array.dtype.kind == "f" else array
        if target.kind in "iu":
            limits = np.iinfo(target)
            # below, not at, the next number up: 2**63 - 1 is no float
            if not np.all((rounded >= limits.min) & (rounded < float(limits.max) + 1) & np.isfinite(rounded)):
                raise UsageError(f"there are values that do not fit into {target}")
            if exact and not np.all(rounded == array):
                raise UsageError(f"there are values that are not whole, and {target} was asked for")
        result = np.array(rounded.astype(target), order="C")
        if target.kind == "f" and not np.all(np.isfinite(result) == np.isfinite(array)):
            raise UsageError(f"there are values that overflow in {target}")
    return result


def _given(values: Any) -> Array:
    try:
        shape = shape_of(values)
    except ValueError as error:
        raise UsageError(str(error)) from None
    if problem := size_complaint(shape):
        raise UsageError(problem)
    try:
        array: Array = np.array(values)
    except (OverflowError, ValueError):
        raise UsageError("there are values that do not fit into int64") from None
    if not array.size:
        return np.zeros(shape)
    if array.dtype.kind not in "bif":  # numpy falls back on uint64 and object
        raise UsageError("there are values that do not fit into int64")
    return array


def _agree(spec: InputSpec, array: Array) -> None:
    if spec.shape is not None and array.shape != tuple(spec.shape):
        raise UsageError(f"the array has shape {list(array.shape)}, not {list(spec.shape)}", "leave the shape out")


def _from_file(spec: InputSpec, base: str) -> Array:
    from gradcheck.casefile.arrays import read_array  # few cases have files

    key = spec.parameters.get("key")
    path = Path(base) / str(spec.parameters["file"])
    array = read_array(path, None if key is None else str(key))
    if path.suffix == ".csv" and spec.shape is not None and array.size == math.prod(spec.shape):
        return array.reshape(tuple(spec.shape))
    _agree(spec, array)
    return array
