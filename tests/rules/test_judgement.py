"""Judgement: the simplest name first, compositions, several inputs, and no name where there is no evidence."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from gradcheck.model import Severity
from gradcheck.rules.judgement import explain

from .stand import Stand


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def right(g, x):
    s = softmax(x)
    return (s * (g - (g * s).sum(-1, keepdims=True)),)


def diagonal(g, x):
    s = softmax(x)
    return (g * s * (1 - s),)


def bench(forward, backward, wrt=("x",), options=None, upstream=None, **inputs):
    return Stand(forward, backward, inputs, wrt, options, upstream=upstream)


def random(*shape):
    return np.random.default_rng(shape).standard_normal(shape)


def named(stand, **options):
    return explain(stand.truth(), stand.account(), **options)


def test_a_right_gradient_has_no_finding() -> None:
    assert named(bench(softmax, right, x=random(3, 4))) == []


def test_the_finding_carries_its_evidence() -> None:
    (finding,) = named(bench(softmax, diagonal, x=random(3, 4)))

    assert finding.rule == "diagonal-only-jacobian"
    assert finding.severity is Severity.BUG
    assert finding.wrt == "x"
    assert finding.message
    assert finding.remedy
    assert finding.evidence["explained"] < 1e-6
    assert finding.evidence["truth"] > 0.01


@pytest.mark.parametrize(("scale", "second"), [(-1.0, "sign-error"), (2.0, "factor-two"), (1 / 3, "extra-one-over-n")])
def test_a_scale_and_a_structure_are_two_findings(scale, second) -> None:
    def backward(g, x):
        return (scale * diagonal(g, x)[0],)

    findings = named(bench(softmax, backward, x=random(3, 5)))

    assert [finding.rule for finding in findings] == ["diagonal-only-jacobian", second]


def test_a_scale_without_a_name_is_no_composition() -> None:
    findings = named(bench(softmax, lambda g, x: (1.234 * diagonal(g, x)[0],), x=random(3, 5)))

    assert [finding.rule for finding in findings] == ["mismatch"]


def test_nothing_that_is_known_is_a_mismatch_with_a_fingerprint() -> None:
    matrix = random(12, 12)

    def backward(g, x):
        return (right(g, x)[0] + (matrix @ g.ravel()).reshape(x.shape),)

    (finding,) = named(bench(softmax, backward, x=random(3, 4)))

    assert finding.rule == "mismatch"
    assert finding.evidence["entries"] == "12 of 12"
    assert finding.evidence["rank"] > 5
    assert finding.evidence["depends on the upstream"] is True
    assert len(finding.evidence["ratio"]) == 2


def test_a_mismatch_says_where() -> None:
    def backward(g, x):
        gradient = right(g, x)[0]
        gradient[1] += 0.1 * np.cos(3 * g[1]) + 0.3
        return (gradient,)

    findings = named(bench(softmax, backward, x=random(4, 3)))

    assert findings[0].rule in {"mismatch", "nonlinear-in-upstream"}
    if findings[0].rule == "mismatch":
        assert findings[0].evidence["where"] == "index 1 of axis 0"


def test_a_gradient_that_is_no_array_of_the_shape_is_a_mismatch() -> None:
    (finding,) = named(bench(softmax, lambda g, x: (np.zeros((2, 2)),), x=random(3, 4)))

    assert finding.rule == "mismatch"
    assert finding.evidence["expected"] == [3, 4]


def test_several_inputs_have_one_name_each() -> None:
    def forward(a, b):
        return a * b

    findings = named(
        bench(forward, lambda g, a, b: (-g * b, g * a / 2), ("a", "b"), a=random(3, 4), b=random(3, 4) + 3)
    )

    assert {finding.wrt: finding.rule for finding in findings} == {"a": "sign-error", "b": "factor-two"}


def test_a_rule_that_explains_all_wrong_inputs_comes_first() -> None:
    def forward(q, k):
        return q @ k.T / np.sqrt(q.shape[1])

    findings = named(bench(forward, lambda g, q, k: (g @ k, g.T @ q), ("q", "k"), q=random(3, 5), k=random(4, 5)))

    assert [finding.rule for finding in findings] == ["missing-inner-factor"] * 2


def test_only_the_inputs_known_to_be_wrong_are_explained() -> None:
    def forward(a, b):
        return a - b

    stand = bench(forward, lambda g, a, b: (-g, g), ("a", "b"), a=random(2, 3), b=random(2, 3))

    assert [finding.wrt for finding in named(stand, wrong={"b"})] == ["b"]


def test_n_is_told_from_k_by_changing_the_shape() -> None:
    def forward(z, t):
        return ((z - t) ** 2).sum(1).mean()

    def backward(g, z, t):
        return (2 * g * (z - t),)

    (finding,) = named(bench(forward, backward, ("z",), z=random(4, 4), t=random(4, 4) + 1))

    assert finding.rule == "missing-one-over-n"


def test_explanations_that_agree_are_listed_with_what_would_tell_them_apart() -> None:
    def forward(x):
        return np.cumsum(x)

    (finding,) = named(bench(forward, lambda g, x: (np.cumsum(g),), x=random(5)))

    assert finding.rule == "scan-direction-not-reversed"
    assert "transposed-jacobian" in finding.also
    assert finding.evidence["to tell them apart"]


def test_without_the_implied_jacobian_the_gradient_alone_is_explained() -> None:
    stand = bench(softmax, diagonal, x=random(3, 4))
    account = dataclasses.replace(stand.account(), implied={})

    assert explain(stand.truth(), account)[0].rule == "diagonal-only-jacobian"


@pytest.mark.parametrize("level", [1e-6, 1e-4])
def test_noise_may_cost_the_name_but_makes_no_wrong_one(level) -> None:
    stand = bench(softmax, diagonal, x=random(3, 4))
    truth = stand.truth()
    rng = np.random.default_rng(1)
    noisy = {"x": truth.jacobians["x"] + level * rng.standard_normal((12, 12))}
    truth = dataclasses.replace(truth, jacobians=noisy, bounds={"x": np.full((12, 12), 4 * level)})

    assert explain(truth, stand.account())[0].rule in {"diagonal-only-jacobian", "mismatch"}


@pytest.mark.parametrize(
    ("forward", "x"),
    [
        (lambda x: x**2, np.array(1.5)),
        (lambda x: x**2, np.zeros((0, 3))),
        (lambda x: (x.sum(), x**2), random(2, 3)),
        (lambda x: x.sum(), random(2, 2, 2)),
        (lambda x: np.concatenate([x, x]), random(3)),
        (lambda x: x[:, None] * x[None, :], random(3)),
        (np.round, random(3, 3)),
        (lambda x: x[:, :, None] + np.zeros(2), random(2, 3)),
        (lambda x: np.ones(3), random(2)),
        (lambda x: np.pad(x, 1), random(2, 2)),
    ],
)
@pytest.mark.parametrize("wrong", ["sign", "random", "ones"])
def test_odd_shapes_are_explained_without_raising(forward, x, wrong) -> None:
    def backward(g, x):
        if wrong == "ones":
            return (np.ones_like(x),)
        parts = g if isinstance(g, tuple) else (g,)
        total = sum(float(np.sum(part)) for part in parts)
        return (-np.full(x.shape, total) if wrong == "sign" else total * np.cos(np.arange(x.size)).reshape(x.shape),)

    findings = named(bench(forward, backward, x=x))

    assert bool(findings) is bool(x.size)
