"""What the cases of the reference layers cover, and that each of them can be called as it stands."""

import importlib
from pathlib import Path

import numpy as np
import pytest

from gradcheck.casefile.draw import draw_inputs
from gradcheck.casefile.parse import load
from gradcheck.reference import catalogue

from .differences import as_tuple

FOLDER = Path(__file__).parents[2] / "cases" / "reference"
CASES = [case for path in sorted(FOLDER.glob("*.yaml")) for case in load(path)]


def resolve(reference):
    module, _, attribute = reference.partition(":")
    return getattr(importlib.import_module(module), attribute)


def first(case):
    return next(iter(case.inputs.values()))


def dtype_of(case):
    return first(case).dtype or "float64"


def axes_along(reference, cases):
    """Return the pairs of (dimensions, axis counted from the front, dtype) along which a layer is checked."""
    found = set()
    for case in cases:
        axis = case.options.get("axis")
        if case.layer.forward == reference and isinstance(axis, int):
            dimensions = len(first(case).shape)
            found.add((dimensions, axis % dimensions, dtype_of(case)))
    return found


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case_can_be_called(case):
    inputs = draw_inputs(case.inputs, case.settings.seed, case.name)
    output = resolve(case.layer.forward)(**inputs, **case.options)
    gradients = as_tuple(resolve(case.layer.backward)(np.ones(output.shape), **inputs, **case.options))

    assert output.dtype == dtype_of(case)
    assert np.all(np.isfinite(output))
    for name, gradient in zip(case.settings.wrt or case.inputs, gradients, strict=True):
        assert (gradient.shape, gradient.dtype) == (inputs[name].shape, inputs[name].dtype)
        assert np.all(np.isfinite(gradient))


def test_every_layer_has_cases_in_both_dtypes():
    covered = {(case.layer.forward, dtype_of(case)) for case in CASES}

    assert covered == {
        (case.layer.forward, dtype) for case in catalogue.CASES.values() for dtype in ("float64", "float32")
    }


@pytest.mark.parametrize(
    "reference", sorted({case.layer.forward for case in catalogue.CASES.values() if "axis" in case.options})
)
def test_every_axis_of_matrices_and_some_blocks_is_covered(reference):
    axes = axes_along(reference, CASES)

    assert {(2, axis, dtype) for axis in (0, 1) for dtype in ("float64", "float32")} <= axes
    assert {dimensions for dimensions, _, _ in axes} == {2, 3}


def test_a_missing_axis_would_be_noticed():
    reference = "gradcheck.reference.softmax:softmax"
    kept = [case for case in CASES if case.options.get("axis") != 0]

    assert (2, 0, "float32") in axes_along(reference, CASES)
    assert (2, 0, "float32") not in axes_along(reference, kept)


def test_names_are_unique_and_shapes_are_not_square():
    assert len({case.name for case in CASES}) == len(CASES)
    assert not {case.name for case in CASES} & set(catalogue.CASES)  # `gradcheck run softmax` is the entry point
    for case in CASES:
        shape = first(case).shape
        assert len(set(shape)) == len(shape)
