"""The fixture ``check_gradients``."""

from __future__ import annotations

import pytest

from .conftest import Run

pytest_plugins = ["pytester"]

HEAD = """
import numpy as np

X = {"x": np.array([[0.5, -1.0, 2.0]])}

def tanh(x):
    return np.tanh(x)
"""


def test_a_right_backward_passes_and_gives_its_report(project: pytest.Pytester, run: Run) -> None:
    project.makepyfile(
        HEAD
        + """
def test_tanh(check_gradients):
    report = check_gradients(tanh, lambda g, x: g * (1 - np.tanh(x) ** 2), X, axis=1)
    assert report.verdict.value == "pass"
    assert report.axis == 1
"""
    )
    run().assert_outcomes(passed=1)


def test_a_wrong_one_fails_with_the_table_at_the_line_of_the_test(project: pytest.Pytester, run: Run) -> None:
    project.makepyfile(
        HEAD
        + """
def test_tanh(check_gradients):
    check_gradients(tanh, lambda g, x: -g * (1 - np.tanh(x) ** 2), X)
"""
    )
    result = run()

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            ">*check_gradients(tanh, lambda g, x: -g * (1 - np.tanh(x) ** 2), X)",
            "E *GradientMismatch: tanh: sign-error",  # the line that the summary shows
            "E *FAIL  tanh*sign-error*",
            "E *rel. error*analytic*numeric*",
            "*.py:9: GradientMismatch",
        ]
    )
    assert "pytest_plugin.py" not in result.stdout.str()


def test_undecided_fails_unless_it_is_allowed(project: pytest.Pytester, run: Run) -> None:
    project.makepyfile(
        HEAD
        + """
def zero(x):
    return np.zeros_like(x)

def test_strict(check_gradients):
    check_gradients(zero, lambda g, x: g * 0, X)

def test_lenient(check_gradients):
    check_gradients(zero, lambda g, x: g * 0, X, allow_undecided=True)
"""
    )
    run().assert_outcomes(passed=1, failed=1)


def test_a_request_that_makes_no_sense(project: pytest.Pytester, run: Run) -> None:
    project.makepyfile(
        HEAD
        + """
def test_tanh(check_gradients):
    check_gradients(tanh, lambda g, x: g, X, wrt="y")
"""
    )
    result = run()

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E *UsageError: wrt names 'y', which is no input*"])


def test_the_verdict_is_in_the_junit_file(project: pytest.Pytester, run: Run) -> None:
    project.makepyfile(
        HEAD
        + """
def test_tanh(check_gradients):
    check_gradients(tanh, lambda g, x: g * (1 - np.tanh(x) ** 2), X)
"""
    )
    run("--junitxml", "out.xml")

    assert 'name="gradcheck" value="tanh: pass"' in (project.path / "out.xml").read_text(encoding="utf-8")
