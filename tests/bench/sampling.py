"""Random correct cases for the benches: reference layers x shapes x axes x dtypes x scales of the inputs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.reference import activations, attention, cross_entropy, gated, linear, losses, norms, softmax

SCALES = (1.0, 1.0, 1e-3, 1e3, 30.0)


@dataclass
class Sample:
    """One random correct case; ``wrt`` is ``None`` for all floats."""

    name: str
    forward: Callable[..., Any]
    backward: Callable[..., Any]
    inputs: dict[str, np.ndarray]
    options: dict[str, Any]
    wrt: tuple[str, ...] | None
    dtype: str
    scale: float


def _shape(rng: np.random.Generator, least: int = 1) -> tuple[int, ...]:
    return tuple(int(n) for n in rng.integers(2, 7, rng.integers(least, 4)))


def _axis(rng: np.random.Generator, shape: tuple[int, ...]) -> int:
    return int(rng.integers(-len(shape), len(shape)))


def _rows(rng: np.random.Generator, shape: tuple[int, ...], axis: int) -> np.ndarray:
    e = np.exp(rng.standard_normal(shape))
    return e / e.sum(axis, keepdims=True)


def _elementwise(rng: np.random.Generator, scale: float) -> tuple[Any, ...]:
    name = str(rng.choice(["sigmoid", "tanh", "relu", "leaky_relu", "gelu", "gelu_tanh", "silu", "softplus"]))
    x = scale * rng.standard_normal(_shape(rng))
    module = gated if hasattr(gated, f"{name}_backward") else activations
    return name, getattr(module, name), getattr(module, f"{name}_backward"), {"x": x}, {}, None


def _softmaxes(rng: np.random.Generator, scale: float) -> tuple[Any, ...]:
    name = str(rng.choice(["softmax", "log_softmax", "logsumexp"]))
    shape = _shape(rng)
    x = scale * rng.standard_normal(shape)
    options = {"axis": _axis(rng, shape)}
    return name, getattr(softmax, name), getattr(softmax, f"{name}_backward"), {"x": x}, options, None


def _norms(rng: np.random.Generator, scale: float) -> tuple[Any, ...]:
    name = str(rng.choice(["layer_norm", "rms_norm", "batch_norm"]))
    shape = _shape(rng, 2)
    axis = 0 if name == "batch_norm" else _axis(rng, shape)
    size = tuple(n for i, n in enumerate(shape) if i != 0) if name == "batch_norm" else (shape[axis],)
    inputs = {"x": scale * rng.standard_normal(shape), "gamma": 1 + rng.random(size)}
    if name != "rms_norm":
        inputs["beta"] = rng.standard_normal(size)
    return name, getattr(norms, name), getattr(norms, f"{name}_backward"), inputs, {"axis": axis}, None


def _linear(rng: np.random.Generator, scale: float) -> tuple[Any, ...]:
    n, k, m = rng.integers(1, 7, 3)
    inputs = {
        "x": scale * rng.standard_normal((n, k)),
        "weight": rng.standard_normal((k, m)),
        "bias": rng.standard_normal(m),
    }
    return "linear", linear.linear, linear.linear_backward, inputs, {}, None


def _cross_entropy(rng: np.random.Generator, scale: float) -> tuple[Any, ...]:
    n, k = (int(v) for v in rng.integers(2, 7, 2))
    logits = scale * rng.standard_normal((n, k))
    target = rng.integers(0, k, n) if rng.random() < 0.5 else _rows(rng, (n, k), 1)
    options = {
        "reduction": str(rng.choice(["none", "sum", "mean"])),
        "label_smoothing": float(rng.choice([0.0, 0.1])),
    }
    inputs = {"logits": logits, "target": target}
    module = cross_entropy
    return "cross_entropy", module.cross_entropy, module.cross_entropy_backward, inputs, options, ("logits",)


def _losses(rng: np.random.Generator, scale: float) -> tuple[Any, ...]:
    name = str(rng.choice(["squared_error", "binary_cross_entropy_with_logits", "huber"]))
    shape = _shape(rng)
    first = "logits" if name.startswith("binary") else "prediction"
    target = rng.integers(0, 2, shape).astype(float) if name.startswith("binary") else rng.standard_normal(shape)
    inputs = {first: scale * rng.standard_normal(shape), "target": target}
    options = {"reduction": str(rng.choice(["none", "sum", "mean"]))}
    return name, getattr(losses, name), getattr(losses, f"{name}_backward"), inputs, options, (first,)


def _attention(rng: np.random.Generator, scale: float) -> tuple[Any, ...]:
    t, s, d, e = (int(v) for v in rng.integers(2, 5, 4))
    inputs = {
        "query": scale * rng.standard_normal((t, d)),
        "key": rng.standard_normal((s, d)),
        "value": rng.standard_normal((s, e)),
    }
    return "attention", attention.attention, attention.attention_backward, inputs, {}, None


FAMILIES = (_elementwise, _softmaxes, _norms, _linear, _cross_entropy, _losses, _attention)


def draw_samples(count: int, seed: int, dtype: str | None = None, scale: float | None = None) -> Iterator[Sample]:
    """Yield random correct cases; a dtype or scale that is given holds for all of them."""
    for number in range(count):
        rng = np.random.default_rng([seed, number])
        kind = dtype or str(rng.choice(["float64", "float64", "float32"]))
        size = float(rng.choice(SCALES)) if scale is None else scale
        name, forward, backward, inputs, options, wrt = FAMILIES[rng.integers(len(FAMILIES))](rng, size)
        cast = {key: a.astype(kind) if a.dtype.kind == "f" else a for key, a in inputs.items()}
        yield Sample(name, forward, backward, cast, options, wrt, kind, size)
