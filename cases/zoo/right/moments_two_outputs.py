"""Two outputs (mean, variance), both upstreams used. Correct."""


def forward(x):
    return x.mean(0), x.var(0, ddof=1)


def backward(g, x):
    gm, gv = g
    n = len(x)
    return (gm / n + 2 * gv * (x - x.mean(0)) / (n - 1),)
