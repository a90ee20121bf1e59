"""Gradients by other means than the layers' own: the complex step, and mpmath for functions of one number."""

from collections.abc import Callable, Mapping, Sequence

import mpmath
import numpy as np

STEP = 1e-30  # the complex step has no difference to cancel, so the step can be smaller than any round-off


def complex_step(forward: Callable, inputs: Mapping, options: Mapping, wrt: str, upstream) -> np.ndarray:
    """Return the gradient of ``sum(upstream * forward(...))`` with respect to one input, entry by entry.

    W. Squire and G. Trapp, "Using complex variables to estimate derivatives of real functions", SIAM Review 40, 1998.
    """
    gradient = np.zeros(np.shape(inputs[wrt]))
    for index in np.ndindex(gradient.shape):
        moved = np.array(inputs[wrt], dtype=complex)
        moved[index] += STEP * 1j
        output = forward(**{**inputs, wrt: moved}, **options)
        gradient[index] = np.sum(np.imag(output) * upstream) / STEP
    return gradient


def as_tuple(gradients) -> tuple:
    return gradients if isinstance(gradients, tuple) else (gradients,)


def worst_difference(
    forward: Callable, backward: Callable, inputs: Mapping, options: Mapping, wrt: Sequence[str], seed: int = 0
) -> float:
    """Return the largest difference between a backward and the complex step, relative to the largest gradient."""
    outputs = forward(**inputs, **options)
    upstream = np.random.default_rng(seed).normal(size=outputs.shape)
    gradients = as_tuple(backward(upstream, **inputs, **options))
    assert len(gradients) == len(wrt)
    worst = 0.0
    for name, gradient in zip(wrt, gradients, strict=True):
        expected = complex_step(forward, inputs, options, name, upstream)
        assert gradient.shape == expected.shape
        scale = np.max(np.abs(expected), initial=0.0)
        assert scale > 0  # a gradient of zeros would agree with anything that is small
        worst = max(worst, float(np.max(np.abs(gradient - expected)) / scale))
    return worst


def evaluate_with_digits(function: Callable, points: np.ndarray, derivative: bool = False) -> np.ndarray:
    """Return a function of one number, or its derivative, rounded from 60 digits."""
    with mpmath.workdps(60):
        exact = [
            mpmath.diff(function, mpmath.mpf(float(x))) if derivative else function(mpmath.mpf(float(x)))
            for x in points
        ]
        return np.array([float(value) for value in exact])


def relative_error(value, expected) -> float:
    """Return the largest error of an entry relative to that entry; where both are equal there is none."""
    value, expected = np.asarray(value, dtype=float), np.asarray(expected, dtype=float)
    wrong = value != expected
    return float(np.max(np.abs(value - expected)[wrong] / np.abs(expected)[wrong], initial=0.0))
