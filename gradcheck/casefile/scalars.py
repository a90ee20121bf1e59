"""Plain scalars of YAML 1.2 (core schema), which reads numbers and booleans as their authors meant them.

YAML 1.1 (PyYAML) takes ``1e-6`` for a text, ``no`` for false, ``010`` for 8 and ``12:30`` for 750.

Source: https://yaml.org/spec/1.2.2/#103-core-schema
"""

from __future__ import annotations

import math
import re

from gradcheck.model import Scalar

MAX_DIGITS = 100

_CONSTANTS: dict[str, Scalar] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
}
INTEGER = re.compile(r"[-+]?[0-9]+")
OCTAL = re.compile(r"0o[0-7]+")
HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]+")
FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")


def resolve(text: str) -> Scalar:
    """Return the value of a plain (unquoted) scalar.

    Raises
    ------
    ValueError
        If it is a number that no float can hold, or one of more than 100 digits; the message says so.
    """
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if text[0] not in "-+.0123456789":
        return text
    if INTEGER.fullmatch(text):
        return int(_bounded(text))
    if OCTAL.fullmatch(text):
        return int(_bounded(text)[2:], 8)
    if HEXADECIMAL.fullmatch(text):
        return int(_bounded(text)[2:], 16)
    if FLOAT.fullmatch(text):
        value = float(_bounded(text))
        if math.isinf(value):
            raise ValueError("the number is too large for a float; write .inf if infinity is meant")
        return value
    return text


def _bounded(text: str) -> str:
    if len(text) > MAX_DIGITS:
        raise ValueError(f"a number of more than {MAX_DIGITS} digits")
    return text
