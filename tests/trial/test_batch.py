"""Several points through one call: where it is done, that it changes nothing, and where it must not be."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from gradcheck.layers import wrap
from gradcheck.model import Counts, Settings
from gradcheck.trial.trial import try_layer

RNG = np.random.default_rng(23)
X = RNG.standard_normal((4, 100))
W = RNG.standard_normal((100, 7))


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def softmax_backward(g, x):
    s = softmax(x)
    return s * (g - (g * s).sum(-1, keepdims=True))


def spoilt(g, x):
    d = softmax_backward(g, x)
    d[2, 37] *= 1.01
    return d


def try_functions(forward, backward, inputs, **settings):
    layer = wrap(forward, backward, inputs=tuple(inputs))
    return try_layer(layer, inputs, settings=Settings(probes=False, **settings))


def without_cost(report):
    return dataclasses.replace(report, counts=Counts(), seconds=0.0)


class Mixing:
    """Two inputs and two outputs with one leading axis, beside a matrix without."""

    inputs = {"x": X, "w": W, "scale": RNG.uniform(1, 2, 4), "label": np.array([3, 0, 6, 2])}  # noqa: RUF012

    @staticmethod
    def forward(x, w, scale, label):
        z = np.tanh(x @ w) * scale[:, None]
        return z, z[np.arange(len(z)), label] * x.sum(1)

    @staticmethod
    def backward(g0, g1, x, w, scale, label):
        t = np.tanh(x @ w)
        rows = np.arange(len(x))
        z = t * scale[:, None]
        dz = g0.copy()
        dz[rows, label] += g1 * x.sum(1)
        d = (dz * scale[:, None] * (1 - t * t)) @ w.T
        return d + (g1 * z[rows, label])[:, None]


@pytest.mark.parametrize(
    ("forward", "backward", "inputs"),
    [
        pytest.param(softmax, softmax_backward, {"x": X}, id="slices"),
        pytest.param(softmax, softmax_backward, {"x": X[:1]}, id="a batch of one"),
        pytest.param(softmax, spoilt, {"x": X}, id="wrong at one entry"),
        pytest.param(Mixing.forward, Mixing.backward, Mixing.inputs, id="several inputs and outputs"),
    ],
)
def test_fewer_calls_say_the_same(forward, backward, inputs):
    together = try_functions(forward, backward, inputs, wrt=("x",), naming=False)
    alone = try_functions(forward, backward, inputs, wrt=("x",), naming=False, memory=1)

    assert together.verdict == ("fail" if backward is spoilt else "pass")
    assert without_cost(together) == without_cost(alone)
    assert alone.counts.points == alone.counts.forwards > 2 * 100
    assert together.counts.points > 2 * 100
    # columns are moved up and down: with a call for each there would be twice as many as columns
    assert together.counts.forwards - together.counts.backwards < 60


def test_a_wrong_entry_is_found_where_it_is():
    report = try_functions(softmax, spoilt, {"x": X})

    assert report.verdict == "fail"
    assert report.counts.points > report.counts.forwards
    assert report.inputs[0].worst[0].index == (2, 37)
    assert report.inputs[0].counts["fail"] == 1


def batch_norm(x):
    return (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-5)


def batch_norm_backward(g, x):
    s = np.sqrt(x.var(0) + 1e-5)
    h = (x - x.mean(0)) / s
    return (g - g.mean(0) - h * (g * h).mean(0)) / s


def row_mix(x):
    return np.tanh(np.cumsum(x, 1)) + 1e-9 * x.mean()


def row_mix_backward(g, x):
    t = g * (1 - np.tanh(np.cumsum(x, 1)) ** 2)
    return np.cumsum(t[:, ::-1], 1)[:, ::-1] + 1e-9 * g.sum() / x.size


def mean_rows(x):
    return softmax(x) / len(x)


def mean_rows_backward(g, x):
    return softmax_backward(g, x) / len(x)


def fixed(x):
    return softmax(x.reshape(4, 100))


POSITION = RNG.uniform(1, 2, (4, 1))


def positioned(x):
    return softmax(x) * POSITION[: len(x)]


def shape_bound(x):
    if len(x) > 4:
        return softmax(x)[:4]
    return softmax(x)


def centred(x):
    return softmax(x - x.max())  # the batch's largest number: the same but for roundings


def special(x):
    y = softmax(x)
    y[:-4] += x[:-4] ** 2
    return y


@pytest.mark.parametrize(
    ("forward", "backward"),
    [
        pytest.param(special, softmax_backward, id="only the last rows are what they were"),
        pytest.param(batch_norm, batch_norm_backward, id="batch norm"),
        pytest.param(row_mix, row_mix_backward, id="coupled a little"),
        pytest.param(mean_rows, mean_rows_backward, id="divided by the length"),
        pytest.param(fixed, softmax_backward, id="a length in its code"),
        pytest.param(positioned, lambda g, x: softmax_backward(g * POSITION, x), id="one weight per row"),
        pytest.param(shape_bound, softmax_backward, id="another length comes out"),
        pytest.param(centred, softmax_backward, id="only roundings differ"),
        pytest.param(lambda x: softmax(x).sum(), lambda g, x: 0 * x, id="no axis left"),
    ],
)
def test_what_couples_the_batch_is_called_point_by_point(forward, backward):
    report = try_functions(forward, backward, {"x": X}, mode="full")  # where nothing is known of slices

    assert report.verdict in ("pass", "undecided")  # the sum of a softmax is constant
    assert report.counts.forwards >= report.counts.points - 40  # what was tried
    assert report.counts.forwards > 2 * 100


class Remembering:
    """Keeps a buffer of the longest batch it met: a call with a longer one changes every later answer."""

    def __init__(self):
        self.longest = 0

    def forward(self, x):
        self.longest = max(self.longest, len(x))
        self.x = x
        return softmax(x) / self.longest

    def backward(self, g):
        return softmax_backward(g, self.x) / self.longest


class Observing:
    """Counts what it saw, as running statistics do; nothing depends on it."""

    def __init__(self):
        self.seen = 0

    def forward(self, x):
        self.seen += len(x)
        self.x = x
        return softmax(x)

    def backward(self, g):
        return softmax_backward(g, self.x)


def test_a_layer_that_a_long_batch_would_change_is_left_as_it_was():
    report = try_layer(wrap(Remembering()), {"x": X}, settings=Settings())

    assert report.verdict == "pass"
    assert report.counts.forwards > 2 * 100


def test_a_count_of_what_was_seen_is_no_harm():
    report = try_layer(wrap(Observing()), {"x": X}, settings=Settings())

    assert report.verdict == "pass"
    assert report.counts.forwards - report.counts.backwards < 70


def test_chance_goes_point_by_point():
    def dropout(x):
        return softmax(x) * (np.random.random(x.shape) < 0.8)

    def dropout_backward(g, x):
        return softmax_backward(g * (np.random.random(x.shape) < 0.8), x)

    report = try_functions(dropout, dropout_backward, {"x": X})

    assert report.counts.forwards == report.counts.points


def test_coupling_that_shows_later_ends_it():
    """The fifth long batch mixes its rows: its outputs are thrown away, and asked for again one by one."""
    long = []

    def forward(x):
        long.append(len(x) > 4)
        y = softmax(x)
        return y + y.mean(0) * (len(x) > 4 and sum(long) > 3)

    report = try_functions(forward, softmax_backward, {"x": X})

    assert report.verdict == "pass"
    assert sum(long) == 4


def test_a_budget_counts_points():
    report = try_functions(softmax, softmax_backward, {"x": RNG.standard_normal((4, 5000))}, budget=1, mode="slices")

    assert report.verdict == "error"
    assert "4000 forward calls" in report.error
