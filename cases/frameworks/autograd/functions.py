"""Primitives of HIPS autograd, and functions that it differentiates, all right."""

import autograd.numpy as np
import numpy
from autograd.extend import defjvp, defvjp, primitive


@primitive
def logsumexp(x):
    """The example of autograd's own documentation."""
    peak = numpy.max(x)
    return peak + numpy.log(numpy.sum(numpy.exp(x - peak)))


defvjp(logsumexp, lambda ans, x: lambda g: np.full(x.shape, g) * np.exp(x - np.full(x.shape, ans)))


@primitive
def softmax(x, axis=-1):
    e = numpy.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


defvjp(softmax, lambda ans, x, axis=-1: lambda g: ans * (g - np.sum(g * ans, axis=axis, keepdims=True)))


@primitive
def swish(x):
    return x / (1 + numpy.exp(-x))


def _swish_slope(x):
    s = 1 / (1 + np.exp(-x))
    return s + x * s * (1 - s)


defvjp(swish, lambda ans, x: lambda g: g * _swish_slope(x))
defjvp(swish, lambda t, ans, x: t * _swish_slope(x))


@primitive
def linear(x, W, b):
    return x @ W + b


defvjp(
    linear,
    lambda ans, x, W, b: lambda g: np.dot(g, W.T),
    lambda ans, x, W, b: lambda g: np.dot(x.T, g),
    lambda ans, x, W, b: lambda g: np.sum(g, axis=0),
)


@primitive
def pick(x, places):
    """The second argument holds integers and has no rule."""
    return x[places]


def _unpick(ans, x, places):
    def vjp(g):
        out = numpy.zeros(x.shape)
        numpy.add.at(out, places, g)
        return out

    return vjp


defvjp(pick, _unpick, None)


@primitive
def cumulative(x):
    return numpy.cumsum(x, axis=0)


defvjp(cumulative, lambda ans, x: lambda g: np.cumsum(g[::-1], axis=0)[::-1])


def mlp(params, x):
    """Nested arguments."""
    hidden = np.tanh(np.dot(x, params["W"]) + params["b"])
    return np.sum(hidden**2, axis=1)


def moments(x):
    """Several outputs."""
    centre = np.mean(x, axis=0)
    return centre, np.mean((x - centre) ** 2, axis=0)


def network(x, w):
    """A primitive within a function."""
    return softmax(swish(np.dot(x, w)))


def layer_norm(x, gamma, beta, eps=1e-5):
    centred = x - np.mean(x, axis=-1, keepdims=True)
    return gamma * centred / np.sqrt(np.mean(centred**2, axis=-1, keepdims=True) + eps) + beta


def determinant(x):
    return np.linalg.slogdet(np.dot(x, x.T))[1]
