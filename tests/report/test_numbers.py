import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradcheck.report import numbers

POSITIVE = st.floats(min_value=1e-300, max_value=1e300)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.94084, "9.4e-01"), (0.0, "0"), (3.14e-11, "3.1e-11"), (math.inf, "inf"), (math.nan, "nan"), (2.0, "2.0e+00")],
)
def test_relative(value: float, text: str) -> None:
    assert numbers.relative(value) == text


@pytest.mark.parametrize(
    ("value", "digits", "up", "down"),
    [
        (1.7e-12, 1, "2e-12", "1e-12"),
        (1.2341e-3, 2, "1.3e-03", "1.2e-03"),
        (9.96e-5, 2, "1.0e-04", "9.9e-05"),
        (9.96e-5, 1, "1e-04", "9e-05"),
        (1.04e5, 1, "2e+05", "1e+05"),
        (2e-12, 1, "2e-12", "2e-12"),
        (0.0, 2, "0", "0"),
        (math.inf, 2, "inf", "inf"),
        (math.nan, 2, "nan", "nan"),
    ],
)
def test_directed_rounding(value: float, digits: int, up: str, down: str) -> None:
    assert (numbers.round_up(value, digits), numbers.round_down(value, digits)) == (up, down)


@given(POSITIVE, st.integers(1, 6))
def test_directed_rounding_never_claims_too_much(value: float, digits: int) -> None:
    up, down = float(numbers.round_up(value, digits)), float(numbers.round_down(value, digits))

    assert down <= value <= up
    assert up <= value * (1 + 10.0 ** (1 - digits)) * (1 + 1e-12)
    assert down >= value * (1 - 10.0 ** (1 - digits)) * (1 - 1e-12)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0325, "3.2 %"), (0.94999, "94 %"), (2.0, "200 %"), (0.0055, "0.55 %"), (1.59e-5, "1.5e-05"), (0.999, "99 %")],
)
def test_percent_is_rounded_down(value: float, text: str) -> None:
    assert numbers.percent(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(1.39, "x1.3"), (40.9, "x40"), (9999.0, "x9999"), (2.9e5, "x2e+05"), (math.inf, "xinf")]
)
def test_times_is_rounded_down(value: float, text: str) -> None:
    assert numbers.times(value) == text


@given(st.floats(min_value=1e-15, max_value=0.5), st.floats(min_value=1.0, max_value=9.99))
def test_digits_tell_different_numbers_apart(error: float, value: float) -> None:
    digits = numbers.digits_to_tell(error)

    assert numbers.significant(value, digits) != numbers.significant(value * (1 + 2 * error), digits)


@pytest.mark.parametrize(("error", "digits"), [(0.5, 6), (1e-4, 6), (1.7e-6, 8), (0.0, 6), (math.nan, 6), (1e-30, 17)])
def test_digits(error: float, digits: int) -> None:
    assert numbers.digits_to_tell(error) == digits


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0311206, "0.0311206"), (-0.0, "0"), (math.nan, "nan"), (-math.inf, "-inf"), (1e300, "1e+300")],
)
def test_significant(value: float, text: str) -> None:
    assert numbers.significant(value) == text


def test_counts_and_places() -> None:
    assert [numbers.count(n) for n in (0, 9999, 10_000, 1_000_000)] == ["0", "9999", "10,000", "1,000,000"]
    assert numbers.plural(1, "entry", "entries") == "1 entry"
    assert numbers.plural(0, "slice") == "0 slices"
    assert [numbers.at(index) for index in ((), (3,), (1, 3))] == ["", "[3]", "[1, 3]"]
    assert [numbers.shape(sizes) for sizes in ((), (5,), (4, 5))] == ["()", "(5,)", "(4, 5)"]
