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


@pytest.mark.parametrize(
    ("shape", "axis"), [((64, 20), 1), ((20, 64), 0), ((4, 16, 20), -1), ((1000, 12), 1), ((64, 100), 1)]
)
def test_cost_of_slices(shape, axis):
    k = shape[axis]
    n = int(np.prod(shape)) // k

    report = gradcheck.check(softmax, softmax_backward, {"x": RNG.standard_normal(shape)}, axis=axis)

    assert report.verdict == "pass"
    assert report.mode == "slices"
    assert report.counts.forwards <= 2.2 * k + 4 * ceil(log2(n)) + 80
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


KERNEL = np.array([0.5, -2.0, 1.0, 0.25, -0.75])


def convolve(x):
    return np.tanh(np.convolve(x, KERNEL, "valid"))


def convolve_backward(g, x):
    return np.convolve(g * (1 - convolve(x) ** 2), KERNEL[::-1], "full")


def pool(x):
    return x.reshape(len(x), -1, 4).max(-1)


def pool_backward(g, x):
    parts = x.reshape(len(x), -1, 4)
    return ((parts == parts.max(-1, keepdims=True)) * g[..., None]).reshape(x.shape)


def average(x):
    return np.lib.stride_tricks.sliding_window_view(x, 7).mean(-1)


@pytest.mark.parametrize(
    ("forward", "backward", "shape"),
    [
        pytest.param(convolve, convolve_backward, (200,), id="convolution of 200"),
        pytest.param(convolve, convolve_backward, (2000,), id="convolution of 2000"),
        pytest.param(pool, pool_backward, (2, 600), id="pooling"),
        pytest.param(average, lambda g, x: np.convolve(g, np.ones(7) / 7), (700,), id="moving average"),
    ],
)
def test_cost_of_colours(forward, backward, shape):
    x = np.random.default_rng(0).standard_normal(shape)  # a tie in a window costs more

    report = gradcheck.check(forward, backward, {"x": x})

    assert report.verdict == "pass"
    assert report.mode == "coloured"
    assert report.counts.forwards < 180 < 2 * 200
    assert report.counts.backwards < 30


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda d: d * 1.0005, id="all by 1.0005"),
        pytest.param(lambda d: d * 0, id="zero"),
        pytest.param(lambda d: d * np.where(np.arange(d.size) == 137, 1.001, 1.0), id="one by 0.1 %"),
        pytest.param(lambda d: d + 1e-3 * d.mean(), id="a little of everything"),
        pytest.param(lambda d: np.roll(d, 1), id="one place off"),
    ],
)
@pytest.mark.parametrize("mode", ["auto", "coloured"])
def test_colours_see_the_bug(mode, spoil):
    report = gradcheck.check(
        convolve, lambda g, x: spoil(convolve_backward(g, x)), {"x": RNG.standard_normal(400)}, mode=mode
    )

    assert report.mode == "coloured"
    assert report.verdict == "fail"


def test_colours_find_the_one_entry():
    def backward(g, x):
        d = convolve_backward(g, x)
        d[137] *= 1.001
        return d

    report = gradcheck.check(convolve, backward, {"x": RNG.standard_normal(400)})

    assert report.inputs[0].worst[0].index == (137,)
    assert report.inputs[0].counts["fail"] == 1


def test_rows_of_a_colour_show_what_one_upstream_hides():
    """Nothing beside the other entry of its column, half as large again: only its own output's upstream shows it."""

    def forward(x):
        return 1e7 * np.sin(x[:-1]) + np.sin(x[1:])

    def backward(g, x, wrong):
        d = np.zeros(x.shape)
        d[:-1] += 1e7 * g * np.cos(x[:-1])
        d[1:] += g * np.cos(x[1:]) * np.where(np.arange(299) == 50, wrong, 1.0)
        return d

    x = RNG.standard_normal(300)
    right = gradcheck.check(forward, lambda g, x: backward(g, x, 1.0), {"x": x})
    wrong = gradcheck.check(forward, lambda g, x: backward(g, x, 1.5), {"x": x})

    assert (right.verdict, right.mode) == ("pass", "coloured")
    assert (wrong.verdict, wrong.mode) == ("fail", "coloured")
    assert "upstream of 1 at single outputs" in wrong.notes[0]
    assert wrong.inputs[0].worst[0].index == (51,)


def test_outputs_that_wake_beside_the_point_are_added_to_the_pattern():
    """Outputs of a relu a hair below 0: far moves may leave them asleep, the small ones of the measurement do not."""
    x = np.random.default_rng(900).standard_normal(900)
    offset = np.where(np.arange(896) % 80 == 7, np.convolve(x, KERNEL, "valid") + 1e-9, 0.0)

    def forward(x):
        return np.maximum(np.convolve(x, KERNEL, "valid") - offset, 0.0)

    def backward(g, x):
        return np.convolve(g * (forward(x) > 0), KERNEL[::-1], "full")

    report = gradcheck.check(forward, backward, {"x": x})

    assert report.verdict == "pass"
    assert report.mode == "coloured"
    assert report.counts.forwards < 0.6 * gradcheck.check(forward, backward, {"x": x}, mode="full").counts.forwards


def hidden(x):
    """Each output sees its neighbour; one of them also an input far away, where that is close to a certain value."""
    y = np.diff(x) ** 2
    y[200] += 1e-3 * (x[10] - HOME[10]) * (np.abs(x[10] - HOME[10]) < 0.01)
    return y


HOME = np.random.default_rng(5).standard_normal(300)


def hidden_backward(g, x):
    d = np.zeros(x.shape)
    d[1:] += 2 * g * np.diff(x)
    d[:-1] -= 2 * g * np.diff(x)
    d[10] += 1e-3 * g[200]
    return d


def test_a_pattern_that_does_not_hold_is_given_up():
    """At a distance nothing tells of input 10: the colours are found wrong at the point, and not used."""
    report = gradcheck.check(hidden, hidden_backward, {"x": HOME.copy()})

    assert report.mode == "full"
    assert report.counts.forwards > 2 * HOME.size


@pytest.mark.parametrize("mode", ["full", "slices", "entries"])
def test_colours_are_not_used_where_another_mode_is_asked_for(mode):
    report = gradcheck.check(convolve, convolve_backward, {"x": RNG.standard_normal(200)}, mode=mode)

    assert report.mode == {"slices": "full"}.get(mode, mode)
    assert report.verdict == "pass"


def test_colours_of_slices():
    """A batch of signals: slices would move each of 300 places, colours move every fifth, in all signals."""

    def forward(x):
        return np.stack([convolve(row) for row in x])

    report = gradcheck.check(
        forward, lambda g, x: np.stack([convolve_backward(*pair) for pair in zip(g, x, strict=True)]),
        {"x": RNG.standard_normal((3, 300))},
    )  # fmt: skip

    assert (report.verdict, report.mode) == ("pass", "coloured")
    assert report.counts.forwards < 180
