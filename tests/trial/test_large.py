"""Large cases: what fails always has a finding, and a mode that cannot be paid is refused before it is begun."""

import numpy as np
import pytest

import gradcheck
from gradcheck.errors import UsageError


def softmax(x):
    e = np.exp(x - x.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def softmax_backward(g, x):
    y = softmax(x)
    return y * (g - (g * y).sum(1, keepdims=True))


def one_entry_off(g, x):
    result = softmax_backward(g, x)
    result[41, 57] *= 1.5
    return result


def two_rows_off(g, x):
    result = softmax_backward(g, x)
    result[[41, 60]] *= 2.0
    return result


X = np.random.default_rng(0).standard_normal((200, 200))


def test_one_wrong_entry_of_a_large_array_is_a_finding_with_its_place():
    report = gradcheck.check(softmax, one_entry_off, {"x": X})

    assert report.verdict.value == "fail"
    [finding] = report.findings
    assert (finding.rule, finding.wrt) == ("mismatch", "x")
    assert finding.message == "1 of 40000 entries of x is wrong: x[41, 57]"
    assert finding.evidence["ratio"] == pytest.approx([1.5, 1.5])
    assert "the backward is 1.5 times the true one" in str(report)


def test_wrong_rows_of_a_large_array_are_counted():
    report = gradcheck.check(softmax, two_rows_off, {"x": X})

    assert [finding.message for finding in report.findings] == [
        "400 of 40000 entries of x are wrong, in 2 of 200 slices"
    ]


def test_large_array_that_is_right_has_no_finding():
    report = gradcheck.check(softmax, softmax_backward, {"x": X})

    assert (report.verdict.value, report.findings) == ("pass", [])


def test_mismatch_of_a_cropped_case_says_whose_entries_it_counts():
    rng = np.random.default_rng(0)
    inputs = {"x": rng.standard_normal((64, 20)), "W": rng.standard_normal((20, 100))}

    report = gradcheck.check(lambda x, W: x @ W, lambda g, x, W: (g @ W.T, x.T @ g / 64), inputs)

    [finding] = report.findings
    assert finding.message == "15 of 15 entries of W are wrong; counted on the case cropped to x (4, 3), W (3, 5)"
    assert "the backward is 0.015625 times the true one" in " ".join(str(report).split())


@pytest.mark.parametrize("mode", ["entries", "full"])
def test_mode_that_costs_more_than_the_case_may_is_refused_at_once(mode):
    calls = []

    def forward(x):
        calls.append(1)
        return (x * x).sum()

    x = np.random.default_rng(0).standard_normal(41_000)

    with pytest.raises(UsageError, match="needs some 82060 forward calls, and this case may cost 80000") as refused:
        gradcheck.check(forward, lambda g, x: 2 * g * x, {"x": x}, mode=mode)

    assert "set the budget to 20515" in str(refused.value)
    assert len(calls) < 100


def test_mode_that_can_be_paid_is_not_refused():
    x = np.random.default_rng(0).standard_normal(100)

    report = gradcheck.check(lambda x: (x * x).sum(), lambda g, x: 2 * g * x, {"x": x}, mode="entries")

    assert (report.verdict.value, report.mode) == ("pass", "entries")


def test_nan_where_the_outputs_are_none_is_no_bug():
    report = gradcheck.check(lambda x: 1 / x, lambda g, x: -g / x**2, {"x": np.array([0.0, 2.0])})

    assert report.verdict.value == "undecided"
    assert "cannot be decided: the backward is no number where the" in str(report)


def test_nan_beside_such_outputs_is_one_and_is_named_with_its_place():
    def backward(g, x):
        result = -g / x**2
        result[1] = np.nan
        return result

    report = gradcheck.check(lambda x: 1 / x, backward, {"x": np.array([0.0, 2.0, 3.0])})

    assert report.verdict.value == "fail"
    bug = report.findings[0]
    assert "nan" in bug.message
    assert "0 of" not in bug.message
    assert "another shape" not in str(report)


def test_nan_where_the_input_is_nan_is_no_bug():
    x = np.array([[1.0, np.nan], [2.0, 0.5]])
    report = gradcheck.check(np.tanh, lambda g, x: g * (1 - np.tanh(x) ** 2), {"x": x})

    assert report.verdict.value == "undecided"
    assert "x: 1 of 4 entries cannot be decided: the backward is no number where the" in str(report)


def test_nan_beside_a_nan_input_is_one():
    def backward(g, x):
        result = g * (1 - np.tanh(x) ** 2)
        result[1, 0] = np.nan
        return result

    report = gradcheck.check(np.tanh, backward, {"x": np.array([[1.0, np.nan], [2.0, 0.5]])})

    assert report.verdict.value == "fail"
    assert "x[1, 0]" in str(report)
