"""Layers that draw random numbers of their own, or move what they hold with each call: right ones pass, wrong fail."""

from __future__ import annotations

import random

import numpy as np
import pytest

import gradcheck
from gradcheck.model import Report, Severity

X = np.random.default_rng(1).standard_normal((6, 5))


def rules(report: Report, severity: Severity = Severity.BUG) -> list[str]:
    return [finding.rule for finding in report.findings if finding.severity is severity]


class Dropout:
    def __init__(self, p=0.4):
        self.p, self.rng = p, np.random.default_rng(0)

    def forward(self, x):
        self.mask = (self.rng.random(x.shape) > self.p) / (1 - self.p)
        return x * self.mask

    def backward(self, g):
        return g * self.mask


class LegacyDropout(Dropout):
    def __init__(self):
        self.rng = np.random.RandomState(3)

    def forward(self, x):
        self.mask = self.rng.rand(*x.shape) > 0.4
        return x * self.mask


class PythonScale:
    def forward(self, x):
        self.scale = random.random()
        return x * self.scale

    def backward(self, g):
        return g * self.scale


class Unmasked(Dropout):
    def backward(self, g):
        return g


class Redrawn(Dropout):
    def backward(self, g):
        return g * (self.rng.random(g.shape) > self.p) / (1 - self.p)


class StaleDropout(Dropout):
    def forward(self, x):
        if not hasattr(self, "x"):
            self.x = x.copy()
        self.mask = self.rng.random(x.shape) > 0.3
        return x**2 * self.mask

    def backward(self, g):
        return 2 * g * self.x * self.mask


class Spectral:
    """A linear layer over an estimate of its norm, which one step of a power iteration improves with each call."""

    def __init__(self):
        rng = np.random.default_rng(0)
        self.W, self.u = rng.standard_normal((5, 4)), rng.standard_normal(5)

    def forward(self, x):
        v = self.W.T @ self.u
        self.u = self.W @ (v / np.linalg.norm(v))
        self.norm = np.linalg.norm(self.u)
        self.u = self.u / self.norm
        self.x = x
        return np.tanh(x @ self.W / self.norm)

    def backward(self, g):
        return g * (1 - np.tanh(self.x @ self.W / self.norm) ** 2) @ self.W.T / self.norm


class SpectralTwice(Spectral):
    def backward(self, g):
        return 2 * super().backward(g)


class StaleSpectral(Spectral):
    def forward(self, x):
        kept = getattr(self, "x", x.copy())
        y = super().forward(x)
        self.x = kept
        return y


class Entropy:
    def forward(self, x):
        self.mask = np.random.default_rng().random(x.shape)
        return x * self.mask

    def backward(self, g):
        return g * self.mask


class EntropyOfAnotherShape(Entropy):
    def backward(self, g):
        return (g * self.mask)[0]


_rng = np.random.default_rng(3)
_kept = {}


def drawing(x):
    _kept["mask"] = _rng.random(x.shape) > 0.4
    return np.sin(x) * _kept["mask"]


def with_cache(x, p=0.4):
    mask = (_rng.random(x.shape) > p) / (1 - p)
    return x * mask, mask


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(
    ("forward", "backward"),
    [
        pytest.param(Dropout, None, id="class"),
        pytest.param(Dropout(), None, id="instance"),
        pytest.param(LegacyDropout, None, id="RandomState"),
        pytest.param(PythonScale, None, id="python's random"),
        pytest.param(drawing, lambda g, x: g * np.cos(x) * _kept["mask"], id="of the module"),
        pytest.param(with_cache, lambda g, cache: g * cache, id="returned with the output"),
        pytest.param(Spectral, None, id="power iteration"),
        pytest.param([Dropout(), Spectral()], None, id="chain"),
    ],
)
def test_right_layers_that_never_repeat_themselves_pass(forward, backward, seed):
    report = gradcheck.check(forward, backward, {"x": X}, seed=seed)

    assert report.verdict == "pass"
    assert rules(report) == []
    assert rules(report, Severity.NOTE) == ["nondeterministic-forward"]


@pytest.mark.parametrize(
    ("forward", "backward", "rule"),
    [
        pytest.param(Unmasked, None, "mask-not-applied-in-backward", id="no mask"),
        pytest.param(drawing, lambda g, x: g * np.cos(x), "mask-not-applied-in-backward", id="no mask, functions"),
        pytest.param(Redrawn, None, "randomness-resampled-in-backward", id="mask drawn again"),
        pytest.param(
            lambda x: x * random.random(),
            lambda g, x: g * random.random(),
            "randomness-resampled-in-backward",
            id="python's random drawn again",
        ),
        pytest.param(SpectralTwice, None, "factor-two", id="factor"),
        pytest.param(StaleDropout, None, "stale-forward-cache", id="stale, with a mask"),
        pytest.param(StaleSpectral, None, "stale-forward-cache", id="stale, with moving state"),
    ],
)
def test_wrong_layers_that_never_repeat_themselves_fail_by_name(forward, backward, rule):
    report = gradcheck.check(forward, backward, {"x": X})

    assert report.verdict == "fail"
    assert rules(report)[0] == rule


def test_chance_that_cannot_be_put_back_is_undecided():
    report = gradcheck.check(Entropy, None, {"x": X})

    assert report.verdict == "undecided"
    assert rules(report) == []
    assert rules(report, Severity.WARNING) == ["nondeterministic-forward"]
    assert "could not be made to repeat themselves" in report.notes[0]


def test_what_is_wrong_whatever_is_drawn_still_fails():
    report = gradcheck.check(EntropyOfAnotherShape, None, {"x": X})

    assert report.verdict == "fail"
    assert rules(report) == ["wrong-shape"]


def test_random_states_are_given_back():
    before = random.getstate(), np.random.get_state()[1].copy()

    gradcheck.check(PythonScale, None, {"x": X})

    assert random.getstate() == before[0]
    assert np.array_equal(np.random.get_state()[1], before[1])


def test_a_layer_that_repeats_itself_is_not_copied_for_each_call():
    copies = []

    class Tanh:
        def __deepcopy__(self, memory):
            copies.append(1)
            return type(self)()

        def forward(self, x):
            self.y = np.tanh(x)
            return self.y

        def backward(self, g):
            return g * (1 - self.y**2)

    report = gradcheck.check(Tanh(), None, {"x": X})

    assert report.verdict == "pass"
    assert len(copies) <= 4  # when it is taken over, and for the layer without memory
    assert report.counts.forwards > 40


def test_the_audit_holds_chance_still():
    audit = gradcheck.audit(Dropout, None, {"x": X})

    assert audit.score > 0.8


class SeldomRedrawn:
    """Drops a sample in every fourth backward: the first three are alike by chance."""

    calls = 0

    def forward(self, x):
        return np.sin(x)

    def backward(self, g, x):
        self.calls += 1
        return g * np.cos(x) * (np.arange(len(x))[:, None] + self.calls % 4 > 0)


@pytest.mark.parametrize(
    ("layer", "rule"),
    [
        pytest.param(SeldomRedrawn(), "randomness-resampled-in-backward", id="redrawn"),
        pytest.param((np.sin, lambda g, x: np.maximum(g, 0) * np.cos(x)), "nonlinear-in-upstream", id="rectified"),
    ],
)
def test_a_mask_that_repeats_itself_by_chance_is_no_bent_upstream(layer, rule):
    forward, backward = layer if isinstance(layer, tuple) else (layer.forward, layer.backward)

    report = gradcheck.check(forward, backward, {"x": X})

    assert report.verdict == "fail"
    assert rules(report)[0] == rule
