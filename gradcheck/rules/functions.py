"""Functions of one variable with their derivatives, to recognise elementwise layers and what was differentiated."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from gradcheck.model import Plain
from gradcheck.rules.truth import Floats

Map = Callable[[Floats], Floats]


@dataclass(frozen=True)
class Function:
    """A function of one variable, its derivative, and a name."""

    label: str
    f: Map
    df: Map


def _erf(x: Floats) -> Floats:
    return np.array([math.erf(v) for v in x.ravel()], dtype=np.float64).reshape(x.shape)


def sigmoid(x: Floats) -> Floats:
    """Return 1 / (1 + exp(-x)), without overflow."""
    value: Floats = 0.5 * (1.0 + np.tanh(0.5 * x))
    return value


def _phi(x: Floats) -> Floats:
    value: Floats = np.exp(-0.5 * x * x) / math.sqrt(2.0 * math.pi)
    return value


def _cdf(x: Floats) -> Floats:
    value: Floats = 0.5 * (1.0 + _erf(x / math.sqrt(2.0)))
    return value


def _softplus(x: Floats) -> Floats:
    value: Floats = np.logaddexp(0.0, x)
    return value


def _gelu_tanh(x: Floats) -> Floats:
    value: Floats = 0.5 * x * (1.0 + np.tanh(_K * (x + 0.044715 * x**3)))
    return value


def _gelu_tanh_slope(x: Floats) -> Floats:
    inner = np.tanh(_K * (x + 0.044715 * x**3))
    value: Floats = 0.5 * (1.0 + inner) + 0.5 * x * (1.0 - inner**2) * _K * (1.0 + 3 * 0.044715 * x * x)
    return value


_K = math.sqrt(2.0 / math.pi)

BASIC: tuple[Function, ...] = (
    Function("x", lambda x: x, np.ones_like),
    Function("x^2", lambda x: x * x, lambda x: 2 * x),
    Function("x^3", lambda x: x**3, lambda x: 3 * x * x),
    Function("1/x", lambda x: 1 / x, lambda x: -1 / (x * x)),
    Function("1/x^2", lambda x: x**-2.0, lambda x: -2 * x**-3.0),
    Function("sqrt(x)", np.sqrt, lambda x: 0.5 / np.sqrt(x)),
    Function("1/sqrt(x)", lambda x: x**-0.5, lambda x: -0.5 * x**-1.5),
    Function("exp(x)", np.exp, np.exp),
    Function("exp(-x)", lambda x: np.exp(-x), lambda x: -np.exp(-x)),
    Function("exp(x) - 1", np.expm1, np.exp),
    Function("2^x", lambda x: 2.0**x, lambda x: math.log(2.0) * 2.0**x),
    Function("10^x", lambda x: 10.0**x, lambda x: math.log(10.0) * 10.0**x),
    Function("exp(-x^2)", lambda x: np.exp(-x * x), lambda x: -2 * x * np.exp(-x * x)),
    Function("exp(-x^2/2)", lambda x: np.exp(-x * x / 2), lambda x: -x * np.exp(-x * x / 2)),
    Function("log(x)", np.log, lambda x: 1 / x),
    Function("log2(x)", np.log2, lambda x: 1 / (x * math.log(2.0))),
    Function("log10(x)", np.log10, lambda x: 1 / (x * math.log(10.0))),
    Function("log(1 + x)", np.log1p, lambda x: 1 / (1 + x)),
    Function("1 + x", lambda x: 1 + x, np.ones_like),
    Function("1 - x", lambda x: 1 - x, lambda x: -np.ones_like(x)),
    Function("1 + x^2", lambda x: 1 + x * x, lambda x: 2 * x),
    Function("1 + |x|", lambda x: 1 + np.abs(x), np.sign),
    Function("1 + exp(-x)", lambda x: 1 + np.exp(-x), lambda x: -np.exp(-x)),
    Function("1 + exp(x)", lambda x: 1 + np.exp(x), np.exp),
    Function("sqrt(1 + x^2)", lambda x: np.sqrt(1 + x * x), lambda x: x / np.sqrt(1 + x * x)),
    Function("|x|", np.abs, np.sign),
    Function("sin(x)", np.sin, np.cos),
    Function("cos(x)", np.cos, lambda x: -np.sin(x)),
    Function("tan(x)", np.tan, lambda x: 1 + np.tan(x) ** 2),
    Function("arcsin(x)", np.arcsin, lambda x: 1 / np.sqrt(1 - x * x)),
    Function("arctan(x)", np.arctan, lambda x: 1 / (1 + x * x)),
    Function("sinh(x)", np.sinh, np.cosh),
    Function("cosh(x)", np.cosh, np.sinh),
    Function("tanh(x)", np.tanh, lambda x: 1 - np.tanh(x) ** 2),
    Function("arcsinh(x)", np.arcsinh, lambda x: 1 / np.sqrt(1 + x * x)),
    Function("sigmoid(x)", sigmoid, lambda x: sigmoid(x) * (1 - sigmoid(x))),
    Function("log sigmoid(x)", lambda x: -_softplus(-x), lambda x: 1 - sigmoid(x)),
    Function("softplus(x)", _softplus, sigmoid),
    Function(
        "tanh(softplus(x))", lambda x: np.tanh(_softplus(x)), lambda x: (1 - np.tanh(_softplus(x)) ** 2) * sigmoid(x)
    ),
    Function("Phi(x)", _cdf, _phi),
    Function("erf(x)", _erf, lambda x: 2 / math.sqrt(math.pi) * np.exp(-x * x)),
)

ACTIVATIONS: tuple[Function, ...] = (
    Function("ReLU", lambda x: np.maximum(x, 0), lambda x: (x > 0).astype(np.float64)),
    Function("SiLU", lambda x: x * sigmoid(x), lambda x: sigmoid(x) * (1 + x * (1 - sigmoid(x)))),
    Function("GELU", lambda x: x * _cdf(x), lambda x: _cdf(x) + x * _phi(x)),
    Function("GELU (tanh)", _gelu_tanh, _gelu_tanh_slope),
    Function(
        "GELU (sigmoid)",
        lambda x: x * sigmoid(1.702 * x),
        lambda x: sigmoid(1.702 * x) * (1 + 1.702 * x * (1 - sigmoid(1.702 * x))),
    ),
    Function("softsign", lambda x: x / (1 + np.abs(x)), lambda x: 1 / (1 + np.abs(x)) ** 2),
    Function("ELU", lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))), lambda x: np.exp(np.minimum(x, 0))),
    Function(
        "SELU",
        lambda x: 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(np.minimum(x, 0))),
        lambda x: 1.0507009873554805 * np.where(x > 0, 1.0, 1.6732632423543772 * np.exp(np.minimum(x, 0))),
    ),
    Function("hard sigmoid", lambda x: np.clip(x / 6 + 0.5, 0, 1), lambda x: np.where(np.abs(x) < 3, 1 / 6, 0.0)),
    Function(
        "hard sigmoid (0.2)", lambda x: np.clip(0.2 * x + 0.5, 0, 1), lambda x: np.where(np.abs(x) < 2.5, 0.2, 0.0)
    ),
    Function(
        "hard swish",
        lambda x: x * np.clip(x / 6 + 0.5, 0, 1),
        lambda x: np.where(x >= 3, 1.0, np.where(x <= -3, 0.0, x / 3 + 0.5)),
    ),
)


def powers(options: Mapping[str, Plain]) -> Iterator[Function]:
    """Yield functions that an option takes part in: a x, x/a, x + a, x^a, a^x and their scaled sigmoids."""
    for name, value in options.items():
        if isinstance(value, bool) or not isinstance(value, (int, float)) or value == 0:
            continue
        a = float(value)
        yield Function(f"{name} x", lambda x, a=a: a * x, lambda x, a=a: a * np.ones_like(x))  # type: ignore[misc]
        yield Function(f"x / {name}", lambda x, a=a: x / a, lambda x, a=a: np.ones_like(x) / a)  # type: ignore[misc]
        yield Function(f"x + {name}", lambda x, a=a: x + a, np.ones_like)  # type: ignore[misc]
        yield Function(f"x - {name}", lambda x, a=a: x - a, np.ones_like)  # type: ignore[misc]
        yield Function(f"x^{name}", lambda x, a=a: x**a, lambda x, a=a: a * x ** (a - 1))  # type: ignore[misc]
        if a > 0:
            yield Function(f"{name}^x", lambda x, a=a: a**x, lambda x, a=a: math.log(a) * a**x)  # type: ignore[misc]


def library(options: Mapping[str, Plain]) -> list[Function]:
    """All functions of one variable that are known by name."""
    return [*BASIC, *powers(options)]


def evaluate(function: Map, x: Floats) -> Floats | None:
    """Evaluate a function; ``None`` where it is not finite, or so large that products of it would not be."""
    with np.errstate(all="ignore"):
        value = np.asarray(function(x), dtype=np.float64)
    return value if np.all(np.abs(value) < 1e60) else None


def equals(values: Floats, known: Floats, rtol: float, atol: float = 1e-12) -> bool:
    """Whether two arrays of one shape are close, as :func:`numpy.allclose` says, and sooner where they are not.

    Of hundreds of combinations of known functions nearly all differ in the first entry already.
    """
    if values.size and known.size:
        one, other = float(values.flat[0]), float(known.flat[0])
        if one != other and not (abs(one - other) <= atol + rtol * abs(other) < np.inf):
            return False
    return bool(np.allclose(values, known, rtol=rtol, atol=atol))
