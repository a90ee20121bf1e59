"""What a forward returned, as arrays, and how its author had put them together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gradcheck.errors import LayerError
from gradcheck.layers.protocol import Array

NUMERIC = "biufc"
"""Kinds of dtype that hold numbers."""


@dataclass(frozen=True, slots=True)
class Returned:
    """The outputs of a forward.

    Attributes
    ----------
    arrays
        One array per output.
    single
        Whether the forward returned an array rather than a collection of arrays.
    keys
        Keys of the dict that it returned, if it did.
    cache
        What it returned beside its outputs, for the backward.
    """

    arrays: tuple[Array, ...]
    single: bool = True
    keys: tuple[object, ...] | None = None
    cache: object = None


def collect(arrays: Sequence[object], like: Returned | None) -> object:
    """Put arrays, one per output, together as the forward had put its outputs: bare, as a tuple or as a dict."""
    if like is not None and like.keys is not None and len(like.keys) == len(arrays):
        return dict(zip(like.keys, arrays, strict=True))
    return arrays[0] if len(arrays) == 1 else tuple(arrays)


def read_outputs(returned: object, *, with_cache: bool = False) -> Returned:
    """Turn what a forward returned into arrays.

    An array, a number or a list of numbers is one output; a tuple, a list of arrays or a dict holds several.

    Parameters
    ----------
    returned
        What the forward returned.
    with_cache
        Whether its last item is no output but what the backward takes as ``cache``.

    Raises
    ------
    LayerError
        If something in it is no array of numbers.
    """
    cache = None
    if with_cache:
        if not isinstance(returned, tuple | list) or len(returned) < 2:
            raise LayerError(
                "the backward takes a cache, so the forward must return (output, cache); "
                f"it returned {describe_value(returned)}"
            )
        *front, cache = returned
        returned = front[0] if len(front) == 1 else tuple(front)
    if isinstance(returned, Mapping):
        if not returned:
            raise LayerError("forward returned an empty dict")
        arrays = tuple(_to_output(value, f"output {key!r}") for key, value in returned.items())
        return Returned(arrays, False, tuple(returned), cache)
    if isinstance(returned, tuple) or (isinstance(returned, list) and not _is_numbers(returned)):
        if not returned:
            raise LayerError(f"forward returned an empty {type(returned).__name__}")
        arrays = tuple(_to_output(value, f"output {position}") for position, value in enumerate(returned))
        return Returned(arrays, False, None, cache)
    return Returned((_to_output(returned, ""),), True, None, cache)


def to_array(value: object) -> Array | None:
    """Return an array of numbers without copying one that is there already, or ``None`` where that is impossible."""
    if value is None or isinstance(value, str | bytes | Mapping | set | frozenset):
        return None
    if type(value) is np.ndarray:
        return value if value.dtype.kind in NUMERIC else _from_objects(value)
    dense = getattr(value, "toarray", None)  # the sparse matrices of SciPy, which numpy would wrap as an object
    try:
        array = np.asarray(dense() if callable(dense) and not isinstance(value, np.ndarray) else value)
    except Exception:  # noqa: BLE001  __array__ of a foreign class may raise anything
        return None
    return array if array.dtype.kind in NUMERIC else _from_objects(array)


def describe_value(value: object) -> str:
    """Say in a few words what a value is: ``None``, ``a str``, ``an array of objects``, ``2 items``."""
    if value is None:
        return "None"
    if isinstance(value, np.ndarray):
        if value.dtype.kind in NUMERIC:
            return f"an array of shape {value.shape}"
        return "an array of objects" if value.dtype.kind == "O" else f"an array of dtype {value.dtype}"
    kind = type(value).__name__
    if isinstance(value, tuple | list | Mapping):
        return f"a {kind} of {len(value)} item{'' if len(value) == 1 else 's'}"
    return f"{'an' if kind[:1].lower() in tuple('aeiou') else 'a'} {kind}"


def _from_objects(array: Array) -> Array | None:
    """Return numbers that were stored as objects (``Fraction``, ``mpf``, Python integers beyond 64 bits) as floats."""
    if array.dtype.kind != "O" or not array.size:
        return None
    if not all(isinstance(item, int | float) or hasattr(item, "__float__") for item in array.flat):
        return None
    if any(isinstance(item, np.ndarray) and item.ndim for item in array.flat):
        return None
    try:
        return array.astype(np.float64)
    except (TypeError, ValueError, OverflowError):
        return None


def _to_output(value: object, which: str) -> Array:
    array = to_array(value)
    if array is None:
        what = f"{describe_value(value)} as {which}" if which else describe_value(value)
        raise LayerError(f"forward returned {what}, which is no array of numbers")
    return array


def _is_numbers(items: Sequence[object]) -> bool:
    """Whether a list, however nested, holds bare numbers, and so is one array rather than several."""
    return bool(items) and all(
        _is_numbers(item)
        if isinstance(item, list)
        else isinstance(item, int | float | complex | np.generic) or (isinstance(item, np.ndarray) and item.ndim == 0)
        for item in items
    )
