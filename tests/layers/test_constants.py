"""The defaults of a layer's arguments, as the search for a bug's name wants them."""

from __future__ import annotations

import numpy as np
import pytest

import gradcheck
from gradcheck.layers.build import wrap
from gradcheck.layers.constants import default_options

X = {"x": np.random.default_rng(3).standard_normal((4, 3))}


def scaled(x, T=2.0, axis=-1, mode="plain"):
    e = np.exp(x / T)
    return e / e.sum(axis, keepdims=True)


def unscaled(g, x, T=2.0, axis=-1):
    s = scaled(x, T, axis)
    return s * (g - (g * s).sum(axis, keepdims=True))


class Scaled:
    """The same as an object."""

    def forward(self, x, T=2.0):
        self.s = scaled(x, T)
        return self.s

    def backward(self, g, T=2.0):
        return self.s * (g - (g * self.s).sum(-1, keepdims=True))


@pytest.mark.parametrize(
    ("layer", "found"),
    [
        (wrap(scaled, unscaled, inputs=["x"]), {"T": 2.0, "axis": -1}),
        (wrap(Scaled, inputs=["x"]), {"T": 2.0}),
        (wrap(Scaled(), inputs=["x"]), {"T": 2.0}),
        (wrap(np.tanh, lambda g, y: g * (1 - y**2), inputs=["x"]), {}),
    ],
)
def test_numbers_that_nobody_gives(layer, found):
    assert default_options(layer) == found


@pytest.mark.parametrize("layer", [(scaled, unscaled), (Scaled, None)])
def test_a_factor_at_its_default_has_its_name(layer):
    report = gradcheck.check(*layer, inputs=X)

    assert report.findings[0].rule == "missing-inner-factor"
    assert "1/T" in report.findings[0].message
    assert gradcheck.check(*layer, inputs=X, options={"T": 1.0}).verdict == "pass"
