"""Primitives of HIPS autograd, and functions, with bugs."""

import autograd.numpy as np
import numpy
from autograd.extend import defjvp, defvjp, primitive
from autograd.tracer import getval


def _with(forward, *rules):
    function = primitive(forward)
    defvjp(function, *rules)
    return function


# a tuple of gradients where each rule has one
logsumexp = _with(
    lambda x: numpy.log(numpy.sum(numpy.exp(x))),
    lambda ans, x: lambda g: np.exp(x - ans),
)
softmax = _with(
    lambda x: numpy.exp(x) / numpy.exp(x).sum(-1, keepdims=True),
    lambda ans, x: lambda g: g * ans * (1 - ans),
)
tanh = _with(lambda x: numpy.tanh(x), lambda ans, x: lambda g: g * (1 - x**2))
sine = _with(lambda x: numpy.sin(x), lambda ans, x: lambda g: -g * np.cos(x))
square = _with(lambda x: x**2, lambda ans, x: lambda g: g * x)
mean = _with(lambda x: numpy.mean(x), lambda ans, x: lambda g: g * np.ones(x.shape))
matmul = _with(
    lambda x, y: x @ y,
    lambda ans, x, y: lambda g: np.dot(g, y),
    lambda ans, x, y: lambda g: np.dot(x.T, g),
)
add_bias = _with(
    lambda x, b: x + b,
    lambda ans, x, b: lambda g: g,
    lambda ans, x, b: lambda g: g,
)
average_bias = _with(
    lambda x, b: x + b,
    lambda ans, x, b: lambda g: g,
    lambda ans, x, b: lambda g: np.mean(g, axis=0),
)
divide = _with(
    lambda x, y: x / y,
    lambda ans, x, y: lambda g: g / y,
    lambda ans, x, y: lambda g: -g * x / y,
)
swapped = _with(
    lambda x, y: x * y**3,
    lambda ans, x, y: lambda g: 3 * g * x * y**2,
    lambda ans, x, y: lambda g: g * y**3,
)
cumulative = _with(
    lambda x: numpy.cumsum(x, axis=0),
    lambda ans, x: lambda g: np.cumsum(g, axis=0),
)
pick = _with(
    lambda x, places: x[places],
    lambda ans, x, places: lambda g: _assign(numpy.zeros(x.shape), places, g),
    None,
)
doubled = _with(lambda x: x * 2, lambda ans, x: lambda g: numpy.multiply(g, 2, out=g))
clipped = _with(lambda x: numpy.clip(x, -1, 1), lambda ans, x: lambda g: g)


def _assign(out, places, g):
    out[places] = g
    return out


@primitive
def swish(x):
    return x / (1 + numpy.exp(-x))


defvjp(swish, lambda ans, x: lambda g: g * (ans + (1 - ans) / (1 + np.exp(-x))))
# the rule for the forward mode has only one term
defjvp(swish, lambda t, ans, x: t / (1 + np.exp(-x)))


def normalise(x):
    """The norm is taken from the value, where autograd does not see it."""
    return x / numpy.sqrt(numpy.sum(numpy.square(getval(x)), axis=-1, keepdims=True))
