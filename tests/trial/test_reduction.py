"""Large failing cases are cropped until they are small, and still fail."""

from __future__ import annotations

import numpy as np

from gradcheck.errors import LayerError
from gradcheck.model import Report, Verdict
from gradcheck.trial.reduction import reduce_case

INPUTS = {
    "x": np.zeros((64, 100)),
    "w": np.zeros((100, 30)),
    "labels": np.arange(64) % 30,
    "eps": np.zeros(()),
}


def shapes(inputs):
    return {name: array.shape for name, array in inputs.items()}


def test_axes_of_one_length_are_cropped_together_and_differ_from_each_other():
    found = reduce_case(INPUTS, lambda inputs: Report("small", Verdict.FAIL))

    assert found is not None
    small = shapes(found[0])
    assert small["x"][0] == small["labels"][0]
    assert small["x"][1] == small["w"][0]
    assert len({small["x"][0], small["x"][1], small["w"][1]}) == 3
    assert max(small["x"] + small["w"]) <= 5
    assert small["eps"] == ()


def test_indices_are_wrapped_around_where_they_no_longer_fit():
    def attempt(inputs):
        if inputs["labels"].max() >= inputs["w"].shape[1]:
            raise LayerError("index out of range")
        return Report("small", Verdict.FAIL)

    found = reduce_case(INPUTS, attempt)

    assert found is not None
    assert found[0]["labels"].max() < found[0]["w"].shape[1]


def test_what_no_longer_fails_is_no_reduction():
    assert reduce_case(INPUTS, lambda inputs: Report("small", Verdict.PASS)) is None


def test_a_small_case_stays_as_it_is():
    assert reduce_case({"x": np.zeros((2, 3))}, lambda inputs: Report("small", Verdict.FAIL)) is None
