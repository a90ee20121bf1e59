"""Wrong backward passes: a factor that what comes from one of several outputs lost."""

from ..draws import normal
from ..stand import mutant


@mutant("factor-two-in-one-path", {"x": normal(3, 4)}, "x")
def moments_second_without_its_two():
    def forward(x):
        return x.sum(1), (x**2).mean(1), x[:, 0] * x[:, 1]

    def backward(g, x):
        sums, squares, products = g
        dx = sums[:, None] + x * squares[:, None] / x.shape[1]
        dx[:, 0] += products * x[:, 1]
        dx[:, 1] += products * x[:, 0]
        return (dx,)

    return forward, backward


@mutant("missing-inner-factor", {"x": normal(3, 4), "W": normal(4, 2)}, "x", options={"scale": 0.3})
def one_head_without_its_scale():
    def forward(x, W, scale=0.3):
        return x @ W, scale * x**2

    def backward(g, x, W, scale=0.3):
        return (g[0] @ W.T + 2 * x * g[1],)

    return forward, backward
