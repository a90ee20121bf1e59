from __future__ import annotations

from pathlib import Path

import pytest
from junitparser import Error, Failure, JUnitXml
from lxml import etree

from gradcheck.model import Place
from gradcheck.report.junit import write_junit

from .grids import HOSTILE, all_reports, hostile, hostile_error
from .samples import SAMPLES, failing, passing


def parse(text: str) -> JUnitXml:
    return JUnitXml.fromstring(text.encode("utf-8"))


def test_counts_and_results() -> None:
    placed = {"place": Place("cases/a.yaml", 4, 3)}
    reports = [
        passing(seconds=0.25, **placed),
        failing(seconds=0.5, **placed),
        failing(name="zoo/known", expected=True, **placed),
        SAMPLES["error"],
        SAMPLES["undecided"],
    ]
    suites = list(parse(write_junit(reports)))

    assert [(suite.name, suite.tests, suite.failures, suite.errors) for suite in suites] == [
        ("cases/a.yaml", 3, 1, 0),
        ("gradcheck", 2, 1, 1),
    ]
    assert suites[0].time == 0.75
    results = {case.name: case.result for suite in suites for case in suite}
    assert {name: [type(each) for each in result] for name, result in results.items()} == {
        "softmax": [],
        "stale-counter": [Failure],
        "known": [],
        "node-softmax": [Error],
        "noisy": [Failure],
    }
    (failure,) = results["stale-counter"]
    assert failure.type == "stale-slice-counter"
    assert failure.message == "stale-slice-counter: every slice was given the upstream of slice 0."
    assert "x[1, :]     9.4e-01  [1, 3]" in failure.text


def test_the_smaller_case() -> None:
    (case,) = etree.fromstring(write_junit([SAMPLES["fail-reduced"]]).encode()).iter("testcase")
    found = {each.get("name"): each.get("value") for each in case.iter("property")}

    assert found["repeat-smaller"] == "gradcheck run stale-counter --shape 2,3 --seed 0"
    assert found["repeat"] == SAMPLES["fail"].repeat


def test_a_case_says_where_it_is_and_how_to_repeat_it() -> None:
    written = write_junit([failing(name="documents/stale", tags=("a", "b"), place=Place("c.yaml", 4, 3))])
    (case,) = etree.fromstring(written.encode("utf-8")).iter("testcase")
    found = {each.get("name"): each.get("value") for each in case.iter("property")}

    assert dict(case.attrib) == {
        "classname": "documents",
        "name": "stale",
        "time": "0.000",
        "file": "c.yaml",
        "line": "4",
    }
    assert found == {
        "verdict": "fail",
        "expected": "no",
        "findings": "stale-slice-counter",
        "seed": "0",
        "tags": "a, b",
        "backward": "cases/documents/axis_softmax.py:31:0",
        "repeat": "gradcheck run cases/documents/axis_softmax.yaml::stale-counter --seed 0",
    }


def test_what_a_layer_printed() -> None:
    (suite,) = parse(write_junit([SAMPLES["error"]]))
    (case,) = suite

    assert case.system_out.endswith("line 11\n\\x1b[2Jcleared")


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_forges_a_result_or_breaks_the_file(text: str) -> None:
    written = write_junit([hostile(text), hostile_error(text)])
    tree = etree.fromstring(written.encode("utf-8"))

    assert [each.tag for each in tree.iter("failure", "error", "skipped")] == ["failure", "error"]
    assert "\x1b" not in written
    assert len(list(parse(written))) == 1


def test_every_situation_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "r.xml"
    path.write_text(write_junit(all_reports()), encoding="utf-8")
    suites = JUnitXml.fromfile(str(path))

    assert suites.tests == len(all_reports()) == sum(len(suite) for suite in suites)


def test_no_colour_gets_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")

    assert "\x1b" not in write_junit([failing()])


def test_no_reports() -> None:
    assert list(parse(write_junit([]))) == []
