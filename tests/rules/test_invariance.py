"""Errors along directions in which a layer does not change, and rules that break down."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck.rules.invariance import lost, power_off
from gradcheck.rules.registry import Rule, predicted

from .test_machinery import random, view


def normalised(x):
    c = x - x.mean(-1, keepdims=True)
    s = np.sqrt((c * c).mean(-1, keepdims=True))
    return c / s, s


WEIGHTS = random(5, 3)


def project(x):
    return normalised(x)[0] @ WEIGHTS


def backward(mean, variance):
    def bound(g, x):
        h, s = normalised(x)
        d = g @ WEIGHTS.T
        return ((d - mean * d.mean(-1, keepdims=True) - variance * h * (d * h).mean(-1, keepdims=True)) / s,)

    return bound


@pytest.mark.parametrize(
    ("mean", "variance", "kind", "kept"),
    [(0.0, 1.0, "mean", None), (1.0, 0.0, "scale", 0.0), (0.0, 0.0, "both", 0.0), (1.0, 0.8, "scale", 0.8)],
)
def test_what_was_lost_is_told_by_direction_and_share(mean, variance, kind, kept) -> None:
    (found,) = lost(view(project, {"x": random(4, 5)}, backward(mean, variance)))
    assert (found.kind, found.shifts, found.size) == (kind, True, 5)
    assert found.kept is None if kept is None else found.kept == pytest.approx(kept, abs=1e-6)


def test_a_right_gradient_and_another_error_have_lost_nothing() -> None:
    x = random(4, 5)
    assert lost(view(project, {"x": x}, backward(1.0, 1.0))) == []
    assert lost(view(project, {"x": x}, lambda g, x: (backward(1.0, 1.0)(g, x)[0] * (1 + 0.1 * random(4, 5)),))) == []


def direction(x):
    return x / np.linalg.norm(x)


def test_the_power_of_one_term_is_found_by_scaling() -> None:
    def wrong(g, x):
        n = np.linalg.norm(x)
        return (g / n - x * (g * x).sum() / n**2,)

    def constant(g, x):
        return (g / np.linalg.norm(x),)

    assert power_off(view(direction, {"x": random(6)}, wrong)) == 1.0
    assert power_off(view(direction, {"x": random(6)}, constant)) is None


def test_a_rule_that_breaks_down_yields_no_more() -> None:
    def breaks(seen):
        yield "first"
        raise IndexError(seen)

    def stops(seen):
        yield "first"
        raise KeyboardInterrupt(seen)

    assert list(predicted(Rule("x", "chain", 1, "", breaks), "view")) == ["first"]
    with pytest.raises(KeyboardInterrupt):
        list(predicted(Rule("x", "chain", 1, "", stops), "view"))
