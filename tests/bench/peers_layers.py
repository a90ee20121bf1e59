"""Three layers for the comparison with other checkers, each with its right backward and ten wrong ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]
Backward: TypeAlias = Callable[[Floats, Floats, str], Floats]

RIGHT = ""
EPSILON = 1e-5
# What goes wrong inside of a layer's backward; the layers below say how.
INNER = (
    "diagonal only",
    "stale slice",
    "mean term missing",
    "wrong axis",
    "upstream ignored",
)
# What goes wrong with any gradient, given the row and the column where a local bug strikes.
OUTER: dict[str, Callable[[Floats, int, int], Floats]] = {
    "all zero": lambda gradient, row, column: np.zeros_like(gradient),
    "one element 1 % off": lambda gradient, row, column: _scale(gradient, (row, column), 1.01),
    "one slice 1 % off": lambda gradient, row, column: _scale(gradient, (row, slice(None)), 1.01),
    "factor 1.0005": lambda gradient, row, column: 1.0005 * gradient,
    "sign": lambda gradient, row, column: -gradient,
}
BUGS = (*INNER, *OUTER)


@dataclass
class Layer:
    """A layer at one point whose calls are counted.

    Attributes
    ----------
    x
        The (n, K) input that is differentiated.
    bug
        One of ``BUGS``, or ``RIGHT``.
    row, column
        Where a bug of one slice or one element strikes.
    """

    x: Floats
    bug: str
    row: int
    column: int
    forwards: int = field(init=False, default=0)
    backwards: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        """Draw what else the layer needs."""

    def forward(self, x: Floats) -> Floats:
        """Return the outputs; every slice is a row of x."""
        self.forwards += 1
        return self._value(x)

    def backward(self, upstream: Floats, x: Floats) -> Floats:
        """Return the vector-Jacobian product, or what the bug makes of it."""
        self.backwards += 1
        gradient = self._product(upstream, x, self.bug if self.bug in INNER else RIGHT)
        return OUTER[self.bug](gradient, self.row, self.column) if self.bug in OUTER else gradient

    def _value(self, x: Floats) -> Floats:
        raise NotImplementedError

    def _product(self, g: Floats, x: Floats, bug: str) -> Floats:
        raise NotImplementedError


class Softmax(Layer):
    """Softmax of every row."""

    def _value(self, x: Floats) -> Floats:
        return _softmax(x)

    def _product(self, g: Floats, x: Floats, bug: str) -> Floats:
        s = _softmax(x)
        if bug == "stale slice":
            s = np.roll(s, 1, axis=0)
        if bug == "diagonal only":
            return s * (1 - s) * g
        if bug == "mean term missing":
            return s * g
        weighed = s if bug == "upstream ignored" else g * s
        return s * (g - weighed.sum(axis=0 if bug == "wrong axis" else 1, keepdims=True))


class LayerNorm(Layer):
    """Every row less its mean, over its standard deviation."""

    def _value(self, x: Floats) -> Floats:
        return _normalise(x)[0]

    def _product(self, g: Floats, x: Floats, bug: str) -> Floats:
        y, inverse = _normalise(x)
        if bug == "stale slice":
            y, inverse = np.roll(y, 1, axis=0), np.roll(inverse, 1, axis=0)
        if bug == "diagonal only":
            return inverse * g * (1 - (1 + y * y) / x.shape[1])
        axis = 0 if bug == "wrong axis" else 1
        mean = 0.0 if bug == "mean term missing" else g.mean(axis=axis, keepdims=True)
        weighed = y if bug == "upstream ignored" else g * y
        return inverse * (g - mean - y * weighed.mean(axis=axis, keepdims=True))


class CrossEntropy(Layer):
    """Mean over the rows of the cross-entropy with integer labels: a single number, so all upstreams are alike."""

    def __post_init__(self) -> None:
        """Draw the labels."""
        rows, classes = self.x.shape
        self._rows = np.arange(rows)
        self._labels = np.random.default_rng(rows).integers(classes, size=rows)

    def _value(self, x: Floats) -> Floats:
        shifted = x - x.max(axis=1, keepdims=True)
        chosen = shifted[self._rows, self._labels]
        return np.asarray(np.mean(np.log(np.exp(shifted).sum(axis=1)) - chosen))

    def _product(self, g: Floats, x: Floats, bug: str) -> Floats:
        s = _softmax(x, axis=0 if bug == "wrong axis" else 1)
        if bug == "stale slice":
            s = np.roll(s, 1, axis=0)
        s[self._rows, self._labels] -= 1
        if bug == "diagonal only":
            only = np.zeros_like(s)
            only[self._rows, self._labels] = s[self._rows, self._labels]
            s = only
        if bug != "mean term missing":
            s /= len(s)
        return s if bug == "upstream ignored" else s * g


LAYERS: dict[str, type[Layer]] = {"softmax": Softmax, "layer norm": LayerNorm, "cross-entropy": CrossEntropy}


def make_layer(name: str, shape: tuple[int, int], bug: str = RIGHT, seed: int = 0) -> Layer:
    """Return a layer at a standard normal point; the seed also says where a local bug strikes."""
    rng = np.random.default_rng([seed, *shape])
    x = rng.standard_normal(shape)
    return LAYERS[name](x, bug, int(rng.integers(shape[0])), int(rng.integers(shape[1])))


def _softmax(x: Floats, axis: int = 1) -> Floats:
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    e /= e.sum(axis=axis, keepdims=True)
    return e


def _normalise(x: Floats) -> tuple[Floats, Floats]:
    centred = x - x.mean(axis=1, keepdims=True)
    inverse = 1 / np.sqrt(np.mean(centred * centred, axis=1, keepdims=True) + EPSILON)
    return centred * inverse, inverse


def _scale(gradient: Floats, place: tuple[int, int | slice], factor: float) -> Floats:
    gradient[place] *= factor
    return gradient
