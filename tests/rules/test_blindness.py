"""Blind spots: what a case cannot see is listed with its cure, and not when the case can see it."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck.rules.blindness import audit, blind
from gradcheck.rules.variants import variants

from .stand import Stand


def softmax(x, axis=-1):
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def random(*shape):
    return np.random.default_rng(shape).standard_normal(shape)


def truth(forward, inputs, options=None, upstream=None, wrt=None):
    stand = Stand(forward, None, inputs, wrt or (next(iter(inputs)),), options)
    if upstream is not None:
        stand.upstream = tuple(upstream(part) for part in stand.outputs)
    return stand.truth()


def log_softmax(x):
    return np.log(softmax(x))


def cross_entropy(z, y):
    return -np.log(softmax(z)[np.arange(len(y)), y]).mean()


def layer_norm(x, gamma):
    return gamma * (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5)


def linear(x, W, b):
    return x @ W + b


def dropout(x, mask):
    return x * mask


def scaled_softmax(x, T):
    return softmax(x / T)


def embedding(W, idx):
    return W[idx]


def mean_square(x, t, reduction):
    return ((x - t) ** 2).mean() if reduction == "mean" else ((x - t) ** 2).sum()


def clip(x):
    return np.clip(x, -1, 1)


def same_rows(part):
    return np.broadcast_to(random(part.shape[-1]), part.shape).copy()


def zero_mean(part):
    g = random(*part.shape)
    return g - g.mean(-1, keepdims=True)


LABELS = np.array([0, 2, 1, 0])
WEIGHTS = {"x": random(4, 3), "W": random(3, 3), "b": random(3)}

POOR = [
    ("stale-slice-counter", softmax, {"x": random(1, 3)}, {}, None),
    ("stale-slice-counter", softmax, {"x": random(4, 3)}, {}, same_rows),
    ("cross-sample-coupling", softmax, {"x": random(1, 4)}, {}, None),
    ("wrong-outer-product", softmax, {"x": np.full((2, 4), 0.3)}, {}, None),
    ("diagonal-only-jacobian", softmax, {"x": np.array([[60.0, 0, 0], [0, 70.0, 0]])}, {}, None),
    ("wrong-axis", softmax, {"x": random(2, 3, 4)}, {"axis": -1}, None),
    ("ignored-upstream", np.tanh, {"x": random(3, 4)}, {}, np.ones_like),
    ("nonlinear-in-upstream", np.tanh, {"x": random(3, 4)}, {}, lambda part: 0.2 + np.abs(random(*part.shape))),
    ("output-used-without-inverse-map", log_softmax, {"x": random(3, 5)}, {}, zero_mean),
    ("missing-one-over-n", cross_entropy, {"z": random(1, 3), "y": LABELS[:1]}, {}, None),
    ("extra-one-over-n", cross_entropy, {"z": random(1, 3), "y": LABELS[:1]}, {}, None),
    ("missing-inner-factor", scaled_softmax, {"x": random(3, 4)}, {"T": 1.0}, None),
    ("reduction-mode-ignored", mean_square, {"x": random(3, 2), "t": random(2, 3).T}, {"reduction": "mean"}, None),
    ("affine-scale-missing", layer_norm, {"x": random(3, 5), "gamma": np.ones(5)}, {}, None),
    ("variance-path-missing", layer_norm, {"x": random(3, 5), "gamma": np.ones(5)}, {}, np.ones_like),
    ("mask-not-applied-in-backward", dropout, {"x": random(3, 4), "mask": np.ones((3, 4))}, {}, None),
    ("duplicate-index-overwrite", embedding, {"W": random(5, 2), "idx": np.array([3, 1, 4])}, {}, None),
    ("saturation-mask-missing", clip, {"x": 0.1 * random(3, 4)}, {}, None),
    ("transposed-jacobian", linear, {**WEIGHTS, "W": np.eye(3)}, {}, None),
]

RICH = [
    ("stale-slice-counter", softmax, {"x": random(4, 3)}, {}, None),
    ("cross-sample-coupling", softmax, {"x": random(3, 4)}, {}, None),
    ("wrong-outer-product", softmax, {"x": random(2, 4)}, {}, None),
    ("wrong-axis", softmax, {"x": random(2, 3, 4)}, {"axis": 1}, None),
    ("ignored-upstream", np.tanh, {"x": random(3, 4)}, {}, None),
    ("missing-one-over-n", cross_entropy, {"z": random(4, 3), "y": LABELS}, {}, None),
    ("missing-inner-factor", scaled_softmax, {"x": random(3, 4)}, {"T": 2.5}, None),
    ("affine-scale-missing", layer_norm, {"x": random(3, 5), "gamma": 1.5 + random(5) ** 2}, {}, None),
    ("mask-not-applied-in-backward", dropout, {"x": random(3, 4), "mask": 1.0 * (random(3, 4) > 0)}, {}, None),
    ("duplicate-index-overwrite", embedding, {"W": random(5, 2), "idx": np.array([3, 1, 3])}, {}, None),
    ("saturation-mask-missing", clip, {"x": 2 * random(3, 4)}, {}, None),
    ("transposed-jacobian", linear, WEIGHTS, {}, None),
]


@pytest.mark.parametrize(("rule", "forward", "inputs", "options", "upstream"), POOR)
def test_a_poor_case_is_told_what_it_cannot_see(rule, forward, inputs, options, upstream) -> None:
    spots = {spot.rule: spot for spot in blind(truth(forward, inputs, options, upstream), "mine")}

    assert rule in spots
    assert spots[rule].cause
    assert spots[rule].cure
    assert spots[rule].case == "mine"


@pytest.mark.parametrize(("rule", "forward", "inputs", "options", "upstream"), RICH)
def test_a_rich_case_is_not(rule, forward, inputs, options, upstream) -> None:
    result = audit(truth(forward, inputs, options, upstream))

    assert rule in result.seen
    assert rule not in {spot.rule for spot in result.blind}


def test_the_audit_puts_every_predicting_rule_in_one_place() -> None:
    result = audit(truth(softmax, {"x": random(3, 4)}))
    spots = [spot.rule for spot in result.blind]

    assert len(set(result.seen) | set(spots) | set(result.moot)) == len(result.seen) + len(spots) + len(result.moot)
    assert 0.5 < result.score <= 1.0
    assert "kernel-not-flipped" in result.moot


def test_an_upstream_of_ones_costs_softmax_most_of_its_score() -> None:
    poor = audit(truth(softmax, {"x": random(3, 4)}, upstream=np.ones_like))
    rich = audit(truth(softmax, {"x": random(3, 4)}))

    assert poor.score < rich.score
    assert "stale-slice-counter" in {spot.rule for spot in poor.blind}


@pytest.mark.parametrize(("dtype", "others"), [("uint8", []), ("int8", [-3, -1, -100]), ("int64", [-3, -1, -100, 300])])
def test_labels_are_changed_only_to_what_their_dtype_holds(dtype, others) -> None:
    def ignoring(z, y, ignore):
        return cross_entropy(z, y)

    labels = np.array([0, 2, 1, 2], dtype)
    changed = [each.inputs["y"] for each in variants(truth(ignoring, {"z": random(4, 3), "y": labels}, {"ignore": 300}))
               if "y" in each.inputs]  # fmt: skip
    strange = [int(each[0]) for each in changed if each[0] not in labels]

    assert {each.dtype for each in changed} == {labels.dtype}
    assert strange == others
