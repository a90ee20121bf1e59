"""Wrong backward passes: the chain, product and quotient rule."""

import numpy as np

from ..draws import away, normal, positive
from ..stand import mutant


@mutant("factor-two-in-one-path", {"x": normal(2, 8)}, "x", options={"groups": 2})
def gn_dvar_half():
    def forward(x, groups=2):
        z = x.reshape(len(x), groups, -1)
        return ((z - z.mean(2, keepdims=True)) / np.sqrt(z.var(2, keepdims=True) + 1e-05)).reshape(x.shape)

    def backward(g, x, groups=2):
        z = x.reshape(len(x), groups, -1)
        d = g.reshape(z.shape)
        s = np.sqrt(z.var(2, keepdims=True) + 1e-05)
        h = (z - z.mean(2, keepdims=True)) / s
        return (((d - d.mean(2, keepdims=True) - 2 * h * (d * h).mean(2, keepdims=True)) / s).reshape(x.shape),)

    return forward, backward


@mutant("factor-two-in-one-path", {"x": normal(3, 6)}, "x", options={"alpha": 0.7, "beta": 0.75})
def lrn_two():
    def _s(x, k, a, n):
        p = np.pad(x * x, ((0, 0), (n // 2, n // 2)))
        return k + a / n * np.stack([p[:, i : i + n].sum(1) for i in range(x.shape[1])], 1)

    def forward(x, alpha=0.7, beta=0.75):
        return x * _s(x, 1.0, alpha, 3) ** (-beta)

    def backward(g, x, alpha=0.7, beta=0.75):
        s = _s(x, 1.0, alpha, 3)
        r = g * x * s ** (-beta - 1)
        p = np.pad(r, ((0, 0), (1, 1)))
        return (
            g * s ** (-beta) - alpha * beta / 3 * x * np.stack([p[:, i : i + 3].sum(1) for i in range(x.shape[1])], 1),
        )

    return forward, backward


@mutant(
    "factor-two-in-one-path",
    {"m": normal(6), "v": positive(6), "t": normal(6)},
    "v",
    also=("additive-term-wrong-scale",),
)
def gaussian_nll_half():
    def forward(m, v, t):
        return 0.5 * (np.log(v) + (t - m) ** 2 / v)

    def backward(g, m, v, t):
        return (g * (1 / v - 0.5 * (t - m) ** 2 / v**2),)

    return forward, backward


@mutant("missing-inner-factor", {"x": away(3, 4)}, "x", options={"scale": 1.05, "alpha": 1.67})
def selu_lambda_missing():
    def forward(x, scale=1.05, alpha=1.67):
        return scale * np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))

    def backward(g, x, scale=1.05, alpha=1.67):
        return (g * np.where(x > 0, 1.0, alpha * np.exp(np.minimum(x, 0))),)

    return forward, backward


@mutant("missing-inner-factor", {"x": normal(3, 4)}, "x", options={"beta": 2.0}, also=("factor-two",))
def softplus_beta():
    def forward(x, beta=2.0):
        return np.log1p(np.exp(beta * x))

    def backward(g, x, beta=2.0):
        return (g / (1 + np.exp(-beta * x)),)

    return forward, backward


@mutant("missing-inner-factor", {"x": normal(3, 4)}, "x", options={"beta": 1.7})
def swish_beta_term():
    def forward(x, beta=1.7):
        return x / (1 + np.exp(-beta * x))

    def backward(g, x, beta=1.7):
        s = 1 / (1 + np.exp(-beta * x))
        return (g * (s + x * s * (1 - s)),)

    return forward, backward


@mutant("missing-inner-factor", {"x": normal(7)}, "x")
def tanh_square_inner():
    def forward(x):
        return np.tanh(x**2)

    def backward(g, x):
        return (g * (1 - np.tanh(x**2) ** 2),)

    return forward, backward


@mutant("missing-inner-factor", {"x": normal(10, scale=2.0), "t": normal(10)}, "x", options={"delta": 1.5})
def smoothl1_delta_linear():
    def forward(x, t, delta=1.5):
        a = np.abs(x - t)
        return np.where(a < delta, 0.5 * a * a, delta * (a - 0.5 * delta)).mean()

    def backward(g, x, t, delta=1.5):
        d = x - t
        return (g * np.where(np.abs(d) < delta, d, np.sign(d)) / x.size,)

    return forward, backward


@mutant(
    "missing-inner-factor",
    {"q": normal(3, 2), "k": normal(4, 2)},
    ("q", "k"),
    options={"tau": 0.5},
    also=("wrong-normaliser-count", "factor-two"),
)
def attn_logit_scale():
    def forward(q, k, tau=0.5):
        return np.exp(q @ k.T / tau) / 1.0

    def backward(g, q, k, tau=0.5):
        e = g * np.exp(q @ k.T / tau)
        return (e @ k, e.T @ q)

    return forward, backward


@mutant("missing-inner-factor", {"x": normal(6)}, "x", options={"sigma": 1.6})
def gaussian_sigma():
    def forward(x, sigma=1.6):
        return np.exp(-(x**2) / (2 * sigma**2))

    def backward(g, x, sigma=1.6):
        return (-g * x * forward(x, sigma),)

    return forward, backward


@mutant("missing-inner-factor", {"x": normal(3, 4)}, "x", options={"omega": 3.7})
def sine_omega():
    def forward(x, omega=3.7):
        return np.sin(omega * x)

    def backward(g, x, omega=3.7):
        return (g * np.cos(omega * x),)

    return forward, backward
