"""Reports as plain JSON values, and back without loss. The dataclasses of the model say what goes where.

Numbers that JSON lacks are the texts ``"nan"``, ``"inf"`` and ``"-inf"`` where a float belongs. In values of any
kind (options, evidence) they are ``{"$number": "nan"}``, and a key that begins with ``$`` gets another ``$``, so that
no text can be taken for a number.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from functools import cache
from numbers import Integral, Real
from types import NoneType, UnionType
from typing import Any, TypeAlias, Union, get_args, get_origin, get_type_hints

JSON: TypeAlias = Any
"""What :mod:`json` reads and writes."""

SPECIAL = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}
MARK = "$"
NUMBER = "$number"


class RecordError(ValueError):
    """A value that is not what its place asks for.

    Parameters
    ----------
    path
        Where it stands, as ``reports[3].inputs[0].shape``.
    message
        What is wrong there.
    """

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{path}: {message}" if path else message)


@cache
def hints(kind: type) -> dict[str, Any]:
    """Return the types of a dataclass's fields; the model's ``Plain`` is ``Any``, for it contains itself."""
    return get_type_hints(kind, localns={"Plain": Any, "Scalar": Any})


def encode(kind: Any, value: Any) -> JSON:
    """Return a value of some type as JSON holds it.

    Parameters
    ----------
    kind
        A dataclass of the model, or what one of its fields is declared as.
    value
        A value of that type.
    """
    if value is None:
        return None
    if kind is Any:
        return _encode_any(value)
    if kind is float:
        return _encode_float(float(value))
    if is_dataclass(kind) and isinstance(kind, type):
        types = hints(kind)
        return {field.name: encode(types[field.name], getattr(value, field.name)) for field in fields(kind)}
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return encode(_not_none(inner), value)
    if origin in (list, tuple):
        return [encode(inner[0], item) for item in value]
    if origin is dict:
        return {str(key): encode(inner[1], item) for key, item in value.items()}
    if isinstance(value, Enum):
        return value.value
    return kind(value)


def decode(kind: Any, value: JSON, path: str = "") -> Any:
    """Return what :func:`encode` was given.

    A field that is missing gets its default, and one that is not known is passed over: a later gradcheck may have
    added it.

    Raises
    ------
    RecordError
        If the value is none of that type.
    """
    if kind is Any:
        return _decode_any(value)
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return None if value is None else decode(_not_none(inner), value, path)
    if is_dataclass(kind) and isinstance(kind, type):
        return _decode_dataclass(kind, value, path)
    if origin in (list, tuple):
        _expect(isinstance(value, list), "a list", value, path)
        return origin(decode(inner[0], item, f"{path}[{number}]") for number, item in enumerate(value))
    if origin is dict:
        _expect(isinstance(value, dict), "an object", value, path)
        return {key: decode(inner[1], item, f"{path}.{key}") for key, item in value.items()}
    if isinstance(kind, type) and issubclass(kind, Enum):
        known = [member.value for member in kind]
        _expect(value in known, f"one of {', '.join(known)}", value, path)
        return kind(value)
    return _decode_scalar(kind, value, path)


def _decode_dataclass(kind: type, value: JSON, path: str) -> Any:
    _expect(isinstance(value, dict), "an object", value, path)
    types = hints(kind)
    given: dict[str, Any] = {}
    for field in fields(kind):
        here = f"{path}.{field.name}" if path else field.name
        if field.name in value:
            given[field.name] = decode(types[field.name], value[field.name], here)
        elif field.default is MISSING and field.default_factory is MISSING:
            raise RecordError(here, "is missing")
    return kind(**given)


def _decode_scalar(kind: type, value: JSON, path: str) -> Any:
    if kind is float:
        if isinstance(value, str):
            _expect(value in SPECIAL, "a number", value, path)
            return SPECIAL[value]
        _expect(isinstance(value, (int, float)) and not isinstance(value, bool), "a number", value, path)
        try:
            return float(value)
        except OverflowError:
            raise RecordError(path, "the number is too large") from None
    if kind is int:
        _expect(isinstance(value, int) and not isinstance(value, bool), "a whole number", value, path)
    else:
        _expect(isinstance(value, kind), {str: "a text", bool: "true or false"}[kind], value, path)
    return value


def _expect(holds: bool, wanted: str, value: JSON, path: str) -> None:
    if not holds:
        shown = repr(value)
        raise RecordError(path, f"expected {wanted}, got {shown if len(shown) <= 40 else shown[:37] + '...'}")


def _not_none(kinds: tuple[Any, ...]) -> Any:
    """Return the one type of an optional one."""
    (kind,) = (each for each in kinds if each is not NoneType)
    return kind


def _encode_float(value: float) -> float | str:
    return value if math.isfinite(value) else str(value)


def _encode_any(value: Any) -> JSON:
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, Mapping):
        return {_key(str(key)): _encode_any(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_encode_any(item) for item in value]
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        number = float(value)
        return number if math.isfinite(number) else {NUMBER: str(number)}
    # An option given from Python may be anything; a report says at least what it looked like.
    return str(value)


def _key(key: str) -> str:
    return MARK + key if key.startswith(MARK) else key


def _decode_any(value: JSON) -> Any:
    if isinstance(value, list):
        return [_decode_any(item) for item in value]
    if isinstance(value, dict):
        if value.keys() == {NUMBER} and isinstance(value[NUMBER], str) and value[NUMBER] in SPECIAL:
            return SPECIAL[value[NUMBER]]
        return {key[1:] if key.startswith(MARK * 2) else key: _decode_any(item) for key, item in value.items()}
    return value
