"""m * 2**e; the backward raises 2 to the exponent in INTEGER arithmetic, which is 0 for every negative exponent."""


def forward(m, e):
    return m * 2.0**e


def backward(g, m, e):
    return (g * (2.0**e).astype(e.dtype),)


def correct_backward(g, m, e):
    return (g * 2.0**e,)
