"""Functions with rules of their own for jax, and functions that jax differentiates, all right."""

from functools import partial

import jax
import jax.numpy as jnp


@jax.custom_vjp
def softmax(x):
    return jax.nn.softmax(x)


def softmax_fwd(x):
    y = softmax(x)
    return y, y


def softmax_bwd(y, g):
    return (y * (g - jnp.sum(g * y, axis=-1, keepdims=True)),)


softmax.defvjp(softmax_fwd, softmax_bwd)


@partial(jax.custom_vjp, nondiff_argnums=(1,))
def logsumexp(x, axis):
    return jax.scipy.special.logsumexp(x, axis=axis)


def logsumexp_fwd(x, axis):
    y = logsumexp(x, axis)
    return y, (x, y)


def logsumexp_bwd(axis, saved, g):
    x, y = saved
    return (jnp.expand_dims(g, axis) * jnp.exp(x - jnp.expand_dims(y, axis)),)


logsumexp.defvjp(logsumexp_fwd, logsumexp_bwd)


@jax.custom_jvp
def softplus(x):
    return jnp.logaddexp(x, 0.0)


@softplus.defjvp
def softplus_jvp(primals, tangents):
    (x,), (t,) = primals, tangents
    return softplus(x), jax.nn.sigmoid(x) * t


@jax.custom_jvp
def product(x, y):
    return x * y


product.defjvps(lambda t, ans, x, y: t * y, lambda t, ans, x, y: x * t)


@jax.custom_vjp
def linear(params, x):
    """A pytree in, and a pytree of gradients back."""
    return x @ params["W"] + params["b"]


def linear_fwd(params, x):
    return linear(params, x), (params, x)


def linear_bwd(saved, g):
    params, x = saved
    return {"W": x.T @ g, "b": g.sum(0)}, g @ params["W"].T


linear.defvjp(linear_fwd, linear_bwd)


@jax.custom_vjp
def top(x):
    """Two outputs, one of integers."""
    return x.max(-1), x.argmax(-1)


def top_fwd(x):
    values, places = top(x)
    return (values, places), (places, x.shape[-1])


def top_bwd(saved, g):
    places, size = saved
    return (jax.nn.one_hot(places, size, dtype=g[0].dtype) * g[0][..., None],)


top.defvjp(top_fwd, top_bwd)


@jax.jit
def layer_norm(x, gamma, beta, eps=1e-5):
    centred = x - x.mean(-1, keepdims=True)
    return gamma * centred / jnp.sqrt(jnp.square(centred).mean(-1, keepdims=True) + eps) + beta


def attention(params, x):
    q, k, v = (x @ params[name] for name in ("q", "k", "v"))
    return jax.nn.softmax(q @ k.T / jnp.sqrt(q.shape[-1])) @ v


@jax.jit
def recurrent(params, x):
    def step(h, row):
        h = jnp.tanh(row @ params["W"] + h @ params["U"])
        return h, h

    return jax.lax.scan(step, jnp.zeros(params["U"].shape[0], x.dtype), x)


def dropout(x, seed):
    mask = jax.random.bernoulli(jax.random.key(seed), 0.6, x.shape)
    return jnp.where(mask, x / 0.6, 0.0)


def silu(x):
    return x * jax.nn.sigmoid(x)


def silu_backward(g, x):
    s = jax.nn.sigmoid(x)
    return g * (s + x * s * (1 - s))
