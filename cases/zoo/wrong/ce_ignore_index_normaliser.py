"""Forward divides by the number of VALID targets, backward by the batch size."""

import numpy as np


def _logp(z):
    m = z.max(1, keepdims=True)
    return z - m - np.log(np.exp(z - m).sum(1, keepdims=True))


def forward(z, y, ignore=-1):
    ok = y != ignore
    safe = np.where(ok, y, 0)
    return -(ok * _logp(z)[np.arange(len(y)), safe]).sum() / ok.sum()


def _delta(z, y, ignore):
    ok = y != ignore
    d = np.exp(_logp(z))
    d[np.arange(len(y)), np.where(ok, y, 0)] -= 1
    return d * ok[:, None], ok


def backward(g, z, y, ignore=-1):
    d, ok = _delta(z, y, ignore)
    return (g * d / len(y),)


def correct_backward(g, z, y, ignore=-1):
    d, ok = _delta(z, y, ignore)
    return (g * d / ok.sum(),)
