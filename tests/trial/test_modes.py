"""How much is measured: the mode that is chosen, what it costs in calls, and what it sees."""

from __future__ import annotations

from math import ceil, log2

import numpy as np
import pytest

import gradcheck

RNG = np.random.default_rng(11)


def softmax(x, axis=-1):
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def softmax_backward(g, x, axis=-1):
    s = softmax(x, axis)
    return s * (g - (g * s).sum(axis, keepdims=True))


def loss(x):
    return np.sum(np.tanh(x) ** 2) / 1000 + x.mean() ** 2


def loss_backward(g, x):
    return g * (2 * np.tanh(x) * (1 - np.tanh(x) ** 2) / 1000 + 2 * x.mean() / x.size)


@pytest.mark.parametrize(
    ("forward", "backward", "shape", "mode"),
    [
        pytest.param(softmax, softmax_backward, (4, 5), "full", id="small"),
        pytest.param(softmax, softmax_backward, (40, 30), "slices", id="slices"),
        pytest.param(np.tanh, lambda g, x: g * (1 - np.tanh(x) ** 2), (40, 30), "slices", id="elementwise"),
        pytest.param(loss, loss_backward, (20, 30), "full", id="scalar loss: one backward call gives its Jacobian"),
        pytest.param(loss, loss_backward, (200, 100), "directions", id="too large for the budget"),
        pytest.param(
            lambda x: softmax(x.ravel()).reshape(x.shape), lambda g, x: softmax_backward(g.ravel(), x.ravel())
            .reshape(x.shape), (50, 60), "entries", id="no structure",
        ),
    ],
)  # fmt: skip
def test_choice(forward, backward, shape, mode):
    report = gradcheck.check(lambda x: forward(x), backward, {"x": RNG.standard_normal(shape)})  # noqa: PLW0108

    assert report.verdict == "pass"
    assert report.mode == mode


@pytest.mark.parametrize(("shape", "axis"), [((64, 20), 1), ((20, 64), 0), ((4, 16, 20), -1), ((1000, 12), 1)])
def test_cost_of_slices(shape, axis):
    k = shape[axis]
    n = int(np.prod(shape)) // k

    report = gradcheck.check(softmax, softmax_backward, {"x": RNG.standard_normal(shape)}, axis=axis)

    assert report.verdict == "pass"
    assert report.mode == "slices"
    assert report.counts.forwards <= 2.2 * k + 4 * ceil(log2(n)) + 80 + report.counts.backwards
    assert report.counts.backwards <= 2 * k + 4 * ceil(log2(n)) + 20


def test_cost_of_directions():
    report = gradcheck.check(loss, loss_backward, {"x": RNG.standard_normal((400, 300))}, mode="directions")

    assert report.verdict == "pass"
    assert report.counts.forwards - report.counts.backwards <= 4 * 8 + 60


@pytest.mark.parametrize("mode", ["full", "slices", "entries", "directions"])
@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda d: d * 1.0005, id="all by 1.0005"),
        pytest.param(lambda d: d * 0, id="zero"),
        pytest.param(lambda d: d * np.where(np.arange(d.size).reshape(d.shape) == 37, 1.01, 1.0), id="one by 1 %"),
        pytest.param(lambda d: d * (np.arange(len(d)) != 3)[:, None], id="one slice zero"),
    ],
)
def test_every_mode_sees_the_bug(mode, spoil):
    x = RNG.standard_normal((12, 10))

    report = gradcheck.check(softmax, lambda g, x: spoil(softmax_backward(g, x)), {"x": x}, mode=mode)

    assert report.mode == mode
    assert report.verdict == "fail"


def test_a_small_entry_beside_large_ones_is_seen_block_by_block():
    scale = np.array([1e6, 1.0])

    def backward(g, x):
        return g[:, :1] * scale[0] * np.cos(x) + g[:, 1:] * scale[1] * np.cos(x) * 1.05

    report = gradcheck.check(lambda x: np.sin(x) * scale, backward, {"x": RNG.standard_normal((3, 1))})

    assert report.verdict == "fail"


def test_budget_is_kept():
    x = RNG.standard_normal(500)

    report = gradcheck.check(lambda x: np.sum(np.cumsum(x) ** 3), lambda g, x: g * 3 * (np.cumsum(x) ** 2)[::-1]
                             .cumsum()[::-1], {"x": x})  # fmt: skip

    assert report.verdict == "pass"
    assert report.counts.forwards <= 2.3 * x.size + 80


@pytest.mark.parametrize("backward", [lambda g, x: softmax(x) * (1 - softmax(x)) * g])
def test_a_large_failing_case_is_named_on_a_small_one(backward):
    report = gradcheck.check(softmax, backward, {"x": RNG.standard_normal((100, 90))})

    assert report.verdict == "fail"
    assert report.findings[0].rule == "diagonal-only-jacobian"
    assert "cropped" in report.notes[0]


def test_an_input_without_effect_is_no_harm():
    def backward(g, z, b):
        s = softmax(z + b[:, None])
        d = s * (g - (g * s).sum(1, keepdims=True))
        return d, d.sum(1)

    inputs = {"z": RNG.standard_normal((3, 4)), "b": RNG.standard_normal(3)}

    assert gradcheck.check(lambda z, b: softmax(z + b[:, None]), backward, inputs).verdict == "pass"


def test_a_tiny_gradient_beside_a_large_one_is_not_taken_for_none():
    weights = np.array([[0.0, 1.0], [60.0, 0.0]])

    def backward(g, x, v):
        s = softmax(x)
        return 1.01 * s * (g[:, None] * v - (g[:, None] * v * s).sum(1, keepdims=True)), s * g[:, None]

    inputs = {"x": 60 * weights, "v": RNG.standard_normal((2, 2))}

    assert gradcheck.check(lambda x, v: (softmax(x) * v).sum(1), backward, inputs).verdict != "pass"
