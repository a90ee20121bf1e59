"""Wrong backward passes: one less a quotient, of every sample or as the mean over them."""

from ..draws import bernoulli, uniform
from ..stand import mutant

OVERLAP = {"p": uniform(0.1, 0.9, 4, 6), "t": bernoulli(4, 6, pin=[((slice(None), 0), 1.0), ((slice(None), 1), 0.0)])}


def parts(p, t):
    """Numerator, denominator, and what one entry adds to them."""
    both = (p * t).sum(1, keepdims=True)
    return both + 1, p.sum(1, keepdims=True) + t.sum(1, keepdims=True) - both + 1, t, 1 - t


def each(p, t):
    u, v, _, _ = parts(p, t)
    return 1 - (u / v)[:, 0]


def mean(p, t):
    return each(p, t).mean()


# labels of 0 and 1 only would make of this a wrong sign in one branch
@mutant("quotient-rule-error", {"p": uniform(0.1, 0.9, 4, 6), "t": uniform(0.1, 0.9, 4, 6)}, "p")
def overlap_with_plus():
    def backward(g, p, t):
        u, v, du, dv = parts(p, t)
        return (-g[:, None] * (du * v + u * dv) / v**2,)

    return each, backward


@mutant("quotient-rule-error", OVERLAP, "p", also=("factor-treated-as-constant",))
def mean_overlap_with_a_constant_denominator():
    def backward(g, p, t):
        _, v, du, _ = parts(p, t)
        return (-g * du / v / len(p),)

    return mean, backward


@mutant("quotient-rule-error", OVERLAP, "p")
def mean_overlap_denominator_not_squared():
    def backward(g, p, t):
        u, v, du, dv = parts(p, t)
        return (-g * (du * v - u * dv) / v / len(p),)

    return mean, backward


@mutant("operator-precedence", OVERLAP, "p")
def overlap_without_parentheses():
    def backward(g, p, t):
        u, v, du, dv = parts(p, t)
        return (-g[:, None] * (du * v - u * dv) / v * v,)

    return each, backward
