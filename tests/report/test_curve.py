from __future__ import annotations

import math
from dataclasses import replace

import pytest

from gradcheck.model import Curve, Verdict
from gradcheck.report.curve import draw_curve

from .test_screens import compare

STEPS = [1.5 * 10.0 ** (number / 2) for number in range(-20, 1)]
V = [1e-16 / step + 1e-2 * step**2 for step in STEPS]
CURVE = Curve((1, 3), STEPS, V, 0.25, 2e-11, 0.5, 1e-4, 1e-5, -1.0, 2.0, 40)


def draw(curve: Curve, verdict: Verdict = Verdict.FAIL, width: int = 80, *, color: bool = False) -> str:
    return draw_curve(curve, case="mine", verdict=verdict, name="x", width=width, color=color)


def flat(curve: Curve, verdict: Verdict = Verdict.FAIL) -> str:
    return " ".join(draw(curve, verdict).split())


def test_the_v() -> None:
    compare("curve", draw(CURVE))


@pytest.mark.parametrize("width", [20, 40, 79, 80, 200])
def test_it_fits(width: int) -> None:
    plot = draw(CURVE, width=width).split("\n")[3:20]

    assert max(map(len, plot)) <= max(width, 34)


def test_a_difference_that_only_some_steps_show() -> None:
    assert flat(replace(CURVE, analytic=0.25 + 1e-8)).endswith(
        "so: they are 1.0e-08 apart, x499 the bound; every step from 4.7e-08 to 4.7e-04 would have shown it "
        "40 forward calls"
    )


def test_agreement() -> None:
    assert "so: they agree to 1.0e-11, within the bound" in flat(replace(CURVE, analytic=0.25 + 1e-11))


def test_what_is_accepted_beyond_the_bound() -> None:
    assert "apart, x499 the bound, but within what is accepted" in flat(
        replace(CURVE, analytic=0.25 + 1e-8), Verdict.PASS
    )


def test_a_kink() -> None:
    assert (
        "the error grows as step^1.0; a smooth function would give 2.0: a step of this length crosses a kink"
        in flat(replace(CURVE, truncation=1.02))
    )


def test_other_exponents() -> None:
    said = flat(replace(CURVE, truncation=3.1, roundoff=-0.1))

    assert "the error grows as step^3.1; a smooth function would give 2.0 chosen" in said
    assert "step^-0.1 for shorter steps, round-off alone would give -1.0" in said


def test_no_branches_and_no_errors() -> None:
    exact = replace(CURVE, errors=[0.0] * len(STEPS), bound=0.0, analytic=0.25, roundoff=math.nan, truncation=math.nan)
    said = flat(exact)

    assert "no step shows any error: the difference is exact" in said
    assert "round-off: no step is so short that it shows" in said
    assert "truncation: no step is so long that it shows" in said


def test_outside_of_the_domain_and_zeros() -> None:
    errors = [0.0, *V[1:-2], math.nan, math.nan]
    lines = draw(replace(CURVE, errors=errors)).split("\n")

    assert lines[3].endswith("x x")
    assert any(line.startswith("       0 |*") for line in lines)
    assert "x outside of the domain" in flat(replace(CURVE, errors=errors))


def test_a_backward_that_says_nothing() -> None:
    said = draw(replace(CURVE, analytic=math.nan))

    assert "=" not in said
    assert "the backward says nan" in said
    assert "so:" not in said


def test_colors_change_no_words() -> None:
    import re

    assert re.sub("\x1b\\[[0-9;]*m", "", draw(CURVE, color=True)) == draw(CURVE)
    assert "\x1b[" in draw(CURVE, color=True)


def test_names_are_made_visible() -> None:
    assert "\x1b" not in draw_curve(CURVE, case="a\x1b[31m", verdict=Verdict.FAIL, name="x\n")
