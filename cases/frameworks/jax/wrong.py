"""Rules for jax, and functions, with bugs that tests of their own did not notice."""

from functools import partial

import jax
import jax.numpy as jnp


def _rule(forward, backward):
    """Return a custom_vjp function of a forward that saves its inputs and its output."""
    function = jax.custom_vjp(forward)

    def keep(*inputs):
        output = forward(*inputs)
        return output, (*inputs, output)

    function.defvjp(keep, backward)
    return function


softmax_diagonal = _rule(lambda x: jax.nn.softmax(x), lambda saved, g: (g * saved[1] * (1 - saved[1]),))

tanh_of_input = _rule(lambda x: jnp.tanh(x), lambda saved, g: (g * (1 - saved[0] ** 2),))

gelu_local = _rule(lambda x: x**3, lambda saved, g: (3 * saved[0] ** 2,))

mean_square = _rule(
    lambda x, y: jnp.mean((x - y) ** 2),
    lambda saved, g: (2 * g * (saved[0] - saved[1]), -2 * g * (saved[0] - saved[1]) / saved[0].size),
)

mean_square_of_batch = _rule(
    lambda x, y: jnp.mean((x - y) ** 2),
    lambda saved, g: (2 * g * (saved[0] - saved[1]) / len(saved[0]), -2 * g * (saved[0] - saved[1]) / len(saved[0])),
)

matmul = _rule(lambda x, y: x @ y, lambda saved, g: (g @ saved[1], saved[0].T @ g))

bias_mean = _rule(lambda x, b: x + b, lambda saved, g: (g, g.mean(0)))

bias_wide = _rule(lambda x, b: x + b, lambda saved, g: (g, g))

one_gradient = _rule(lambda x, y: x * y, lambda saved, g: (g * saved[1],))

no_gradient = _rule(lambda x, y: x * y, lambda saved, g: (g * saved[1], jnp.zeros_like(saved[1])))

swapped = _rule(lambda x, y: x * y**3, lambda saved, g: (3 * g * saved[0] * saved[1] ** 2, g * saved[1] ** 3))

subtract = _rule(lambda x, y: x - y, lambda saved, g: (g, g))

relu6 = _rule(lambda x: jnp.clip(x, 0, 1), lambda saved, g: (g,))

clipped = _rule(lambda x: x**2, lambda saved, g: (2 * saved[0] * jnp.clip(g, -0.5, 0.5),))
"""Clips the upstream, as `optax.clip` does with gradients in another place."""


@jax.custom_vjp
def saved_sum(x):
    return jnp.sin(x)


# what the rule returns as the output is not what the function returns
saved_sum.defvjp(lambda x: (jnp.sin(x) + 1, x), lambda x, g: (g * jnp.cos(x),))


@partial(jax.custom_vjp, nondiff_argnums=(1,))
def softmax(x, axis):
    return jax.nn.softmax(x, axis)


def softmax_fwd(x, axis):
    y = softmax(x, axis)
    return y, y


def softmax_bwd(axis, y, g):
    return (y * (g - jnp.sum(g * y, axis=0, keepdims=True)),)


softmax.defvjp(softmax_fwd, softmax_bwd)


@jax.custom_jvp
def log1pexp(x):
    return jnp.logaddexp(x, 0.0)


@log1pexp.defjvp
def log1pexp_jvp(primals, tangents):
    (x,), (t,) = primals, tangents
    return log1pexp(x), 2 * jax.nn.sigmoid(x) * t


@jax.custom_jvp
def absolute(x):
    return jnp.sin(x)


@absolute.defjvp
def absolute_jvp(primals, tangents):
    (x,), (t,) = primals, tangents
    return absolute(x), jnp.cos(x) * jnp.abs(t)


def normalise(x):
    """The norm leaves the graph."""
    return x / jax.lax.stop_gradient(jnp.linalg.norm(x, axis=-1, keepdims=True))


def quantise(x):
    """A straight-through estimator: on purpose mostly, and yet no gradient."""
    return x + jax.lax.stop_gradient(jnp.round(x) - x)


def silu(x):
    return x * jax.nn.sigmoid(x)


def silu_backward(g, x):
    return g * jax.nn.sigmoid(x)
