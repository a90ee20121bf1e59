"""Functions that return a value and its gradient at once, and Hessian products."""

import numpy as np
import pytest

from gradcheck.api import check
from gradcheck.errors import LayerError, UsageError
from gradcheck.layers.build import build, wrap
from gradcheck.model import LayerSpec
from tests.layers.tools import draw, is_right

X = draw(5)
A = draw(4, 5, seed=2)


def least_squares(x, A, b):
    residual = A @ x - b
    return 0.5 * residual @ residual, A.T @ residual


def with_arguments(x, *args):
    return least_squares(x, *args)


def two_gradients(x, w):
    return x @ w, w, x


def value_only(x):
    return np.sum(x)


def sine(x, frequency=1.0):
    return np.sin(frequency * x), frequency * np.cos(frequency * x)


def quadratic(x):
    return x**2, np.diag(2 * x)


def rosen_gradient(x):
    inner = x[1:] - x[:-1] ** 2
    gradient = np.zeros_like(x)
    gradient[1:] += 200 * inner
    gradient[:-1] += -400 * x[:-1] * inner - 2 * (1 - x[:-1])
    return gradient


def rosen_product(x, p):
    hessian = np.diag(-400 * x[:-1], 1) + np.diag(-400 * x[:-1], -1)
    diagonal = np.zeros_like(x)
    diagonal[0] = 1200 * x[0] ** 2 - 400 * x[1] + 2
    diagonal[-1] = 200
    diagonal[1:-1] = 202 + 1200 * x[1:-1] ** 2 - 400 * x[2:]
    return (hessian + np.diag(diagonal)) @ p


@pytest.mark.parametrize("function", [least_squares, with_arguments])
def test_value_and_gradient(function):
    layer = wrap(function, returns="gradient", inputs=["x", "A", "b"])

    assert layer.name == function.__name__
    assert is_right(layer, {"x": X, "A": A, "b": draw(4, seed=3)}, wrt=["x"])


def test_several_gradients():
    assert is_right(wrap(two_gradients, returns="gradient"), {"x": X, "w": draw(5, seed=4)})


def test_a_derivative_and_a_jacobian():
    assert is_right(wrap(sine, returns="derivative", options={"frequency": 3.0}), {"x": X}, {"frequency": 3.0})
    assert is_right(wrap(quadratic, returns="jacobian"), {"x": X})


def test_by_reference():
    spec = LayerSpec(target=f"{__name__}:least_squares", returns="gradient")
    layer = build(spec, ["x", "A", "b"])

    assert is_right(layer, {"x": X, "A": A, "b": draw(4, seed=3)}, wrt=["x"])
    assert is_right(layer.fresh(), {"x": X, "A": A, "b": draw(4, seed=3)}, wrt=["x"])


def test_a_function_that_returns_no_gradient():
    layer = wrap(value_only, returns="gradient")

    with pytest.raises(LayerError, match=r"^`value_only` returned a float64, which is no value with its gradient$"):
        layer.forward({"x": X}, {})


def test_without_a_word_it_is_a_function_without_a_backward():
    with pytest.raises(UsageError, match=r"^`sine` is a function without a backward"):
        wrap(sine)


def test_a_wrong_one_has_its_name():
    def wrong(x, A, b):
        value, gradient = least_squares(x, A, b)
        return value, 2 * gradient

    report = check(wrong, inputs={"x": X, "A": A, "b": draw(4, seed=3)}, wrt="x", returns="gradient")

    assert (report.verdict, report.findings[0].rule) == ("fail", "factor-two")


def test_a_hessian_product_is_a_vjp_of_the_gradient():
    assert check(rosen_gradient, rosen_product, {"x": X}, bind={"p": "upstream"}).verdict == "pass"
