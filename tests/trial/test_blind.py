"""What a case could not have revealed."""

from __future__ import annotations

import numpy as np
import pytest

import gradcheck
from gradcheck.errors import UsageError
from gradcheck.layers.build import wrap
from gradcheck.model import Settings
from gradcheck.trial.trial import try_layer

X = np.random.default_rng(4).standard_normal((3, 4))


def softmax(x):
    e = np.exp(x - x.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def backward(g, x):
    s = softmax(x)
    return s * (g - (g * s).sum(1, keepdims=True))


def blind(x, **arguments) -> dict[str, tuple[str, str]]:
    audit = gradcheck.audit(softmax, backward, {"x": x}, **arguments)
    return {spot.rule: (spot.cause, spot.cure) for spot in audit.blind}


def test_all_ones_hide_the_stale_counter():
    spots = blind(X, upstream="ones")

    assert spots["stale-slice-counter"][0] == "all entries of the upstream are equal"
    assert "Gaussian" in spots["stale-slice-counter"][1]


def test_one_slice_hides_what_mixes_slices():
    spots = blind(X[:1])

    assert {"stale-slice-counter", "cross-sample-coupling"} <= set(spots)
    assert "axis 0" in spots["cross-sample-coupling"][0]


def test_a_good_case_sees_them():
    audit = gradcheck.audit(softmax, backward, {"x": X})

    assert {"stale-slice-counter", "cross-sample-coupling", "diagonal-only-jacobian"} <= set(audit.seen)
    assert not {"stale-slice-counter", "cross-sample-coupling"} & {spot.rule for spot in audit.blind}
    assert 0.5 < audit.score <= 1.0


@pytest.mark.parametrize(("x", "rules"), [(X, []), (X[:1], ["stale-slice-counter"])])
def test_a_glance(x, rules):
    layer = wrap(softmax, backward, inputs=("x",))

    report = try_layer(layer, {"x": x}, settings=Settings(glance=True))

    assert [spot.rule for spot in report.blind][:1] == rules


def test_a_case_that_is_too_large():
    with pytest.raises(UsageError, match="too large to be audited"):
        gradcheck.audit(softmax, backward, {"x": np.zeros((200, 200))})


def test_a_glance_says_nothing_of_the_bug_that_was_found():
    def forward(x, axis=1):
        return softmax(x) if axis in (1, -1) else softmax(x.T).T

    def derivative(g, x, axis=1):
        s = forward(x, axis)
        return s * (g - (g * s).sum(axis=axis, keepdims=True))

    def other(g, x, axis=1):
        s = forward(x, axis)
        return s * (g - (g * s).sum(axis=0, keepdims=True))

    x = np.random.default_rng(1).standard_normal((4, 5))

    right = try_layer(
        wrap(forward, derivative, inputs=("x",)), {"x": x}, options={"axis": 1}, settings=Settings(glance=True)
    )
    wrong = try_layer(
        wrap(forward, other, inputs=("x",)), {"x": x}, options={"axis": 1}, settings=Settings(glance=True)
    )

    assert "wrong-axis" in [spot.rule for spot in right.blind]
    assert wrong.bug is not None
    assert wrong.bug.rule == "wrong-axis"
    assert "wrong-axis" not in [spot.rule for spot in wrong.blind]
