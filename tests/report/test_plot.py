"""The error against the step as an inline SVG: what is drawn where, and what is said of it."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import Any

import lxml.html
import pytest

from gradcheck.model import Verdict
from gradcheck.report.html import MOST_CURVES, write_html
from gradcheck.report.plot import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, view_curve

from .grids import curve, drawn
from .samples import failing, right


def plot(**changes: Any) -> dict[str, Any]:
    found = view_curve(replace(curve(), **changes), "x", Verdict.FAIL)["plot"]
    assert found is not None
    return found


def numbers_of(path: str) -> list[float]:
    return [float(each) for each in re.findall(r"-?\d+\.?\d*", path)]


def test_everything_is_inside() -> None:
    found = plot()
    places = numbers_of(found["line"])

    assert all(LEFT <= x <= WIDTH - RIGHT for x in places[::2])
    assert all(TOP <= y <= HEIGHT - BOTTOM for y in places[1::2])
    assert TOP <= found["claim"] < found["bound"] <= HEIGHT - BOTTOM
    assert found["chosen"] in list(zip(places[::2], places[1::2], strict=True))


def test_the_v_goes_down_and_up_again() -> None:
    heights = numbers_of(plot()["line"])[1::2]
    lowest = heights.index(max(heights))

    assert 0 < lowest < len(heights) - 1
    assert heights[: lowest + 1] == sorted(heights[: lowest + 1])
    assert heights[lowest:] == sorted(heights[lowest:], reverse=True)


def test_ticks_are_few_and_right() -> None:
    found = plot()

    for ticks in (found["steps"], found["errors"]):
        assert 2 <= len(ticks) <= 8
        assert len({label for _, label in ticks}) == len(ticks)
    places = [x for x, _ in found["steps"]]
    assert places == sorted(places)


def test_steps_outside_of_the_domain_are_crossed() -> None:
    errors = curve().errors
    errors[0], errors[-1] = math.nan, math.inf
    found = plot(errors=errors)

    assert found["outside"].count("M") == 2
    assert len(numbers_of(found["line"])) == 2 * (len(errors) - 2)
    assert plot()["outside"] == ""


def test_zeros_lie_on_the_floor() -> None:
    errors = curve().errors
    errors[3] = 0.0

    assert numbers_of(plot(errors=errors)["line"])[7] == HEIGHT - BOTTOM


@pytest.mark.parametrize("value", [math.nan, math.inf, 0.25])
def test_no_line_without_a_distance(value: float) -> None:
    assert plot(analytic=value)["claim"] is None
    assert plot(bound=math.inf)["bound"] is None


def test_nothing_but_zeros_is_words_only() -> None:
    zeros = replace(curve(), errors=[0.0] * len(curve().errors))
    found = view_curve(zeros, "x", Verdict.PASS)

    assert found["plot"] is None
    assert ("measured", "0.25 ± 2e-11; the backward says 0.5") in found["words"]


def test_the_page_draws_it_without_scripts_or_styles() -> None:
    root = lxml.html.document_fromstring(write_html([with_curve("a")]))
    (svg,) = root.xpath("//figure[@class='curve']/svg")

    assert svg.get("role") == "img"
    assert "x[1, 3]" in svg.get("aria-label")
    assert not svg.xpath(".//script | .//@style | .//image | .//use | .//foreignobject")
    assert [text.text for text in svg.xpath(".//text[contains(@class, 'label')]")] == [
        "chosen", "distance of the backward", "bound of the measurement",
    ]  # fmt: skip
    said = " ".join(root.xpath("//figure[@class='curve']")[0].text_content().split())
    assert "so" in said
    assert "every step from" in said


def test_a_page_of_thousands_stays_small() -> None:
    reports = [with_curve(f"wrong-{number}") for number in range(MOST_CURVES + 50)]
    page = write_html(reports)

    assert page.count('<figure class="curve">') == MOST_CURVES
    one = len(write_html(reports[:2])) - len(write_html(reports[:1]))
    bare = len(write_html([failing(), failing()])) - len(write_html([failing()]))
    assert one - bare < 5000


def test_what_is_not_as_expected_is_drawn_first() -> None:
    expected = [with_curve(f"known-{number}", expected=True) for number in range(MOST_CURVES)]
    root = lxml.html.document_fromstring(write_html([*expected, with_curve("new")]))

    assert root.xpath("//li[@data-name='new']//figure[@class='curve']")
    assert not root.xpath(f"//li[@data-name='known-{MOST_CURVES - 1}']//figure[@class='curve']")


def with_curve(name: str, **changes: object) -> Any:
    report = drawn(name, **changes)
    report.inputs[0].curve = curve()
    report.inputs[0].gradient = None
    report.inputs.append(right("w"))
    return report
