"""Vanilla RNN through time; the hidden gradient coming back from step t+1 is never added."""

import numpy as np


def forward(x, Wx, Wh):
    h = np.zeros(Wh.shape[0])
    out = []
    for xt in x:
        h = np.tanh(xt @ Wx + h @ Wh)
        out.append(h)
    return np.stack(out)


def _back(g, x, Wx, Wh, carry):
    hs = forward(x, Wx, Wh)
    dx, dWx, dWh = np.zeros_like(x), np.zeros_like(Wx), np.zeros_like(Wh)
    dnext = np.zeros(Wh.shape[0])
    for t in range(len(x) - 1, -1, -1):
        dh = g[t] + (dnext if carry else 0)
        dz = dh * (1 - hs[t] ** 2)
        prev = hs[t - 1] if t else np.zeros_like(dz)
        dx[t] = Wx @ dz
        dWx += np.outer(x[t], dz)
        dWh += np.outer(prev, dz)
        dnext = Wh @ dz
    return dx, dWx, dWh


def backward(g, x, Wx, Wh):
    return _back(g, x, Wx, Wh, False)


def correct_backward(g, x, Wx, Wh):
    return _back(g, x, Wx, Wh, True)
