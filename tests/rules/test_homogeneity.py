"""Forms over norms: how much of the projection there is, whatever the degree of the form."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck.rules.homogeneity import form_degree
from gradcheck.rules.judgement import explain

from .stand import Stand
from .test_machinery import random, view

MATRIX = random(6, 6) @ random(6, 6).T
WEIGHTS = random(7, 6)[0]


def squares(x):
    return (x * x).sum(-1, keepdims=True)


def rayleigh(x):
    return ((x @ MATRIX) * x).sum(-1) / squares(x)[..., 0]


def cosine(x):
    return x @ WEIGHTS / np.sqrt(squares(x)[..., 0])


def rayleigh_backward(share):
    def backward(g, x):
        d = 2 * x @ MATRIX / squares(x) - share * 2 * rayleigh(x)[..., None] * x / squares(x)
        return (np.asarray(g)[..., None] * d,)

    return backward


def cosine_backward(share):
    def backward(g, x):
        d = WEIGHTS / np.sqrt(squares(x)) - share * cosine(x)[..., None] * x / squares(x)
        return (np.asarray(g)[..., None] * d,)

    return backward


LAYERS = {"rayleigh": (rayleigh, rayleigh_backward), "cosine": (cosine, cosine_backward)}


@pytest.mark.parametrize(
    ("forward", "degree"),
    [
        (cosine, 1),
        (rayleigh, 2),
        (lambda x: x / np.sqrt(squares(x)), 1),
        (lambda x: np.tanh(rayleigh(x)), None),
        (lambda x: np.abs(x[..., 0]) / np.abs(x).sum(-1), None),
        (lambda x: (x @ MATRIX * x).sum(-1), None),
    ],
)
@pytest.mark.parametrize("shape", [(6,), (4, 6)])
def test_the_degree_is_measured(forward, degree, shape) -> None:
    assert form_degree(view(forward, {"x": random(*shape)}, lambda g, x: (x,))) == degree


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("shape", [(6,), (4, 6)])
@pytest.mark.parametrize(
    ("share", "rule"),
    [(0.0, "norm-treated-as-constant"), (0.5, "factor-two-in-one-path"), (2.0, "factor-two-in-one-path")],
)
def test_a_projection_that_is_there_in_part_is_not_missing(name, shape, share, rule) -> None:
    forward, backward = LAYERS[name]
    bench = Stand(forward, backward(share), {"x": random(*shape)}, ("x",))

    (finding,) = explain(bench.truth(), bench.account())

    assert finding.rule == rule
    assert share == 0.0 or "norm-treated-as-constant" not in finding.also


@pytest.mark.parametrize("name", LAYERS)
def test_the_whole_projection_and_another_error_is_neither(name) -> None:
    forward, backward = LAYERS[name]
    noise = 1 + 0.1 * random(4, 6)
    assert not explain(
        *(lambda b: (b.truth(), b.account()))(Stand(forward, backward(1.0), {"x": random(4, 6)}, ("x",)))
    )
    bench = Stand(forward, lambda g, x: (backward(1.0)(g, x)[0] * noise,), {"x": random(4, 6)}, ("x",))

    (finding,) = explain(bench.truth(), bench.account())

    assert finding.rule == "mismatch"
