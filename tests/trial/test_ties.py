"""Windows that overlap, with ties: an entry is in several, and each may have chosen it or not."""

from __future__ import annotations

import numpy as np
import pytest

import gradcheck


def slide(x):
    return np.lib.stride_tricks.sliding_window_view(x, 2).max(-1)


def first(g, x):
    back = np.zeros_like(x)
    np.add.at(back, np.arange(len(g)) + np.lib.stride_tricks.sliding_window_view(x, 2).argmax(-1), g)
    return back


def every(g, x):
    tied = np.lib.stride_tricks.sliding_window_view(x, 2) == slide(x)[:, None]
    back = np.zeros_like(x)
    np.add.at(back, np.arange(len(g)), g * tied[:, 0])
    np.add.at(back, np.arange(len(g)) + 1, g * tied[:, 1])
    return back


def ties(seed, size):
    return {"x": np.random.default_rng(seed).integers(0, 2, size).astype(float)}


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("size", [12, 60])
def test_the_first_of_every_window_is_right(seed, size):
    report = gradcheck.check(slide, first, ties(seed, size), seed=seed)

    assert report.verdict == "pass"
    assert report.inputs[0].counts["kink"] > size / 3


def test_more_kinks_than_suspects_that_are_examined_at_once():
    assert gradcheck.check(slide, first, ties(0, 120)).verdict == "pass"


@pytest.mark.parametrize("seed", range(3))
def test_every_one_of_them_is_wrong(seed):
    report = gradcheck.check(slide, every, ties(seed, 30), seed=seed)

    assert report.verdict == "fail"
    assert report.findings[0].rule == "tie-double-count"
