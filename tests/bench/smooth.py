"""Smooth functions in any dtype, with true gradients by complex steps in extended precision."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
_TINY = np.longdouble(1e-200)
_LONG = np.longdouble
_ERF = np.frompyfunc(math.erf, 1, 1)


@dataclass(frozen=True)
class Smooth:
    """A function of an array `x` and parameters `p`, whose rows (or entries) are independent as `kind` says."""

    forward: Callable[[Array, dict[str, Array]], Array]
    kind: str  # "rows", "entries" or "all"
    inputs: str = "real"  # "positive", "probabilities"
    derivative: Callable[[Array], Array] | None = None


def _top(x: Array) -> Array:
    return x.real.max(-1, keepdims=True)


def _lse(x: Array) -> Array:
    return np.log(np.exp(x - _top(x)).sum(-1, keepdims=True)) + _top(x)


def _softmax(x: Array) -> Array:
    e = np.exp(x - _top(x))
    return e / e.sum(-1, keepdims=True)


def _abs(x: Array) -> Array:
    return np.where(x.real >= 0, x, -x)


def _sigmoid(x: Array) -> Array:
    e = np.exp(-_abs(x))
    return np.where(x.real >= 0, 1 / (1 + e), e / (1 + e))


def _softplus(x: Array) -> Array:
    return np.where(x.real >= 0, x, 0 * x) + np.log1p(np.exp(-_abs(x)))


def _attention(x: Array, p: dict[str, Array]) -> Array:
    return _softmax((x @ p["K"].T) / x.dtype.type(np.sqrt(x.shape[-1]))) @ p["V"]


def _standardise(x: Array, axis: int) -> Array:
    d = x - x.mean(axis, keepdims=True)
    return d / np.sqrt((d * d).mean(axis, keepdims=True) + x.dtype.type(1e-5))


def _gelu(x: Array, _: dict[str, Array]) -> Array:
    erf = np.array(_ERF(x * x.dtype.type(0.7071067811865476)), dtype=x.dtype)
    return x.dtype.type(0.5) * x * (1 + erf)


def _gelu_slope(x: Array) -> Array:
    mpmath.mp.dps = 30
    root = mpmath.mpf(0.7071067811865476)

    def slope(value: float) -> np.longdouble:
        v = mpmath.mpf(value)
        exact = (1 + mpmath.erf(v * root)) / 2 + v * root * mpmath.exp(-((v * root) ** 2)) / mpmath.sqrt(mpmath.pi)
        return _LONG(mpmath.nstr(exact, 25) if abs(exact) > mpmath.mpf(10) ** -4000 else 0)

    return np.array([slope(float(v)) for v in x.ravel()], dtype=_LONG).reshape(x.shape)


def _rms(x: Array) -> Array:
    return x / np.sqrt((x * x).mean(-1, keepdims=True) + x.dtype.type(1e-6))


def _tanh_gelu(x: Array, _: dict[str, Array]) -> Array:
    t = x.dtype.type
    return t(0.5) * x * (1 + np.tanh(t(0.7978845608028654) * (x + t(0.044715) * x * x * x)))


# the functions of the notes that the engine was designed with
KNOWN: dict[str, Smooth] = {
    "softmax": Smooth(lambda x, p: _softmax(x), "rows"),
    "log-softmax": Smooth(lambda x, p: x - _lse(x), "rows"),
    "logsumexp": Smooth(lambda x, p: _lse(x)[..., 0], "rows"),
    "ce of logits": Smooth(lambda x, p: -(p["T"] * (x - _lse(x))).sum(-1).mean(), "all"),
    "ce of probs": Smooth(lambda x, p: -(p["T"] * np.log(x)).sum(-1).mean(), "all", "probabilities"),
    "layer norm": Smooth(lambda x, p: _standardise(x, -1) * p["g"] + p["b"], "rows"),
    "gelu erf": Smooth(_gelu, "entries", derivative=_gelu_slope),
    "gelu tanh": Smooth(_tanh_gelu, "entries"),
    "mse": Smooth(lambda x, p: ((x - p["t"]) * (x - p["t"])).mean(), "all"),
    "squared error": Smooth(lambda x, p: (x - p["t"]) * (x - p["t"]), "entries"),
    "attention": Smooth(_attention, "rows"),
    "rms norm": Smooth(lambda x, p: _rms(x) * p["g"], "rows"),
    "sin 50x": Smooth(lambda x, p: np.sin(x.dtype.type(50) * x), "entries"),
    "sqrt(x) log x": Smooth(lambda x, p: np.sqrt(x) * np.log(x), "entries", "positive"),
    "bce of logits": Smooth(lambda x, p: _softplus(x) - x * p["t"], "entries"),
}

# functions that played no part in the tuning
FRESH: dict[str, Smooth] = {
    "sigmoid": Smooth(lambda x, p: _sigmoid(x), "entries"),
    "silu": Smooth(lambda x, p: x * _sigmoid(x), "entries"),
    "mish": Smooth(lambda x, p: x * np.tanh(_softplus(x)), "entries"),
    "gaussian": Smooth(lambda x, p: np.exp(-x * x / x.dtype.type(2)), "entries"),
    "log cosh": Smooth(lambda x, p: _abs(x) + np.log1p(np.exp(-2 * _abs(x))), "entries"),
    "l2 normalise": Smooth(lambda x, p: x / np.sqrt((x * x).sum(-1, keepdims=True)), "rows"),
    "batch norm": Smooth(lambda x, p: _standardise(x, 0) * p["g"], "all"),
    "student t": Smooth(lambda x, p: np.log1p((x - p["t"]) * (x - p["t"]) / x.dtype.type(3)).sum(-1), "rows"),
    "cosine": Smooth(lambda x, p: (x * p["t"]).sum(-1) / np.sqrt((x * x).sum(-1)), "rows"),
    "kl of logits": Smooth(lambda x, p: (p["T"] * (np.log(p["T"]) - (x - _lse(x)))).sum(-1).mean(), "all"),
    "cumsum tanh": Smooth(lambda x, p: np.cumsum(np.tanh(x), -1), "rows"),
    "x log x": Smooth(lambda x, p: x * np.log(x), "entries", "positive"),
    "focal": Smooth(lambda x, p: (1 - _softmax(x)) ** 2 * p["T"] * (_lse(x) - x), "rows"),
    "linear tanh": Smooth(lambda x, p: np.tanh(x @ p["K"].T) @ p["V"], "rows"),
}


def draw(
    function: Smooth, scale: str, count: int, seed: int, dtype: str
) -> tuple[Array, dict[str, Array], Callable[[Array], Array]]:
    """Point, parameters and forward (float64 in and out, `dtype` inside)."""
    rng = np.random.default_rng([seed, count, sum(map(ord, scale + str(function.kind)))])
    shape = {10: (1, 10), 12: (3, 4), 100: (10, 10), 1000: (20, 50), 10000: (100, 100)}[count]
    normal = rng.standard_normal(shape)
    x = {"1": normal, "1e-3": 1e-3 * normal, "1e3": 1e3 * normal, "mixed": normal * 10 ** rng.uniform(-6, 3, shape)}[
        scale
    ]
    if function.inputs == "positive":
        x = np.abs(x)
    if function.inputs == "probabilities":
        x = np.asarray(_softmax({"1": 1.0, "1e-3": 1e-3, "1e3": 12.0, "mixed": 4.0}[scale] * normal))
    p = {
        "t": rng.uniform(size=shape),
        "T": rng.dirichlet(np.ones(shape[1]), size=shape[0]),
        "g": rng.normal(1, 0.2, shape[1]),
        "b": rng.normal(0, 0.2, shape[1]),
        "K": rng.standard_normal((12, shape[1])),
        "V": rng.standard_normal((12, shape[1])),
    }
    if dtype != "float64":
        x = x.astype(dtype).astype(float)
        p = {name: value.astype(dtype).astype(float) for name, value in p.items()}
    cast = {name: value.astype(dtype) for name, value in p.items()}

    def forward(z: Array) -> Array:
        return np.asarray(function.forward(z.astype(dtype), cast)).astype(np.float64).reshape(-1)

    return x, p, forward


def true_gradient(function: Smooth, x: Array, p: dict[str, Array], weights: Array, entries: Array) -> Array:
    """Gradient of the weighted outputs at some flat entries: complex steps in 80-bit precision."""
    if function.derivative is not None:
        return (function.derivative(x).ravel() * weights.ravel())[entries]
    long = {name: value.astype(_LONG) for name, value in p.items()}
    base = x.astype(np.clongdouble)
    gradient = np.zeros(x.shape, dtype=_LONG)
    step = _TINY * 1j
    if function.kind == "entries":
        y = function.forward(base + step, long)
        gradient = (y.imag / _TINY) * weights.reshape(x.shape).astype(_LONG)
    elif function.kind == "rows":
        for column in range(x.shape[1]):
            moved = base.copy()
            moved[:, column] += step
            y = function.forward(moved, long).reshape(x.shape[0], -1)
            gradient[:, column] = (y.imag / _TINY * weights.reshape(x.shape[0], -1)).sum(1)
    else:
        for entry in entries:
            moved = base.copy()
            moved.reshape(-1)[entry] += step
            y = np.asarray(function.forward(moved, long)).reshape(-1)
            gradient.reshape(-1)[entry] = (y.imag / _TINY * weights).sum()
    return gradient.reshape(-1)[entries]
