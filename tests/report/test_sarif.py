from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from gradcheck.model import Place, Report
from gradcheck.report.manual import use_manual
from gradcheck.report.sarif import write_sarif

from .grids import HOSTILE, all_reports, hostile
from .samples import NASTY, OVERFLOW, SAMPLES, failing, passing

SCHEMA = json.loads((Path(__file__).parent / "sarif-schema-2.1.0.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft4Validator(SCHEMA)


@dataclass
class Page:
    id: str
    summary: str
    page: str


@pytest.fixture
def _manual() -> Iterator[None]:
    use_manual(lambda rule: Page(rule, "The counter stands still.", "The counter stands still.\n\nIt {is} not moved."))
    yield
    use_manual(None)


def run_of(*reports: Report) -> dict[str, Any]:
    document = json.loads(write_sarif(reports))
    VALIDATOR.validate(document)
    (run,) = document["runs"]
    assert isinstance(run, dict)
    return run


def test_a_result_points_to_the_backward_and_names_the_case() -> None:
    (result,) = run_of(failing(place=Place("cases/documents/axis_softmax.yaml", 6, 3)))["results"]

    assert result["ruleId"] == "stale-slice-counter"
    assert result["level"] == "error"
    assert result["message"]["text"] == (
        "stale-counter: stale-slice-counter: every slice was given the upstream of slice 0. "
        "advance the index with the slice."
    )
    (location,) = result["locations"]
    assert location["physicalLocation"] == {
        "artifactLocation": {"uri": "cases/documents/axis_softmax.py", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 31},
    }
    (related,) = result["relatedLocations"]
    assert related["physicalLocation"]["region"] == {"startLine": 6, "startColumn": 3}
    assert result["properties"]["evidence"] == {"explained": 1.8e-11, "truth": 0.94}
    assert result["properties"]["repeat"].endswith("--seed 0")


@pytest.mark.usefixtures("_manual")
def test_rules_carry_their_pages() -> None:
    run = run_of(failing(), passing(findings=[OVERFLOW]))
    rules = run["tool"]["driver"]["rules"]

    assert [rule["id"] for rule in rules] == ["overflow-in-forward", "stale-slice-counter"]
    assert rules[1]["shortDescription"]["text"] == "The counter stands still."
    assert rules[1]["help"]["text"] == "The counter stands still.\n\nIt {{is}} not moved."
    assert [rule["defaultConfiguration"]["level"] for rule in rules] == ["warning", "error"]
    assert [rules[result["ruleIndex"]]["id"] for result in run["results"]] == [
        result["ruleId"] for result in run["results"]
    ]


def test_without_pages_the_rules_say_where_they_are() -> None:
    (rule,) = run_of(failing())["tool"]["driver"]["rules"]

    assert rule["help"]["text"].endswith("gradcheck explain stale-slice-counter prints its page.")


def test_what_is_as_expected_is_no_result() -> None:
    assert run_of(passing(), failing(expected=True))["results"] == []


def test_every_way_not_to_be_as_expected_has_a_rule() -> None:
    found = run_of(SAMPLES["error"], SAMPLES["undecided"], SAMPLES["pass-unexpected"], SAMPLES["fail-nonfinite"])

    assert [(result["ruleId"], result["level"]) for result in found["results"]] == [
        ("layer-error", "error"),
        ("undecided", "warning"),
        ("unexpected-pass", "error"),
        ("gradient-mismatch", "error"),
    ]


def test_without_a_backward_it_points_to_the_case() -> None:
    (result,) = run_of(failing(source=None, place=Place("cases/a.yaml", 6, 3)))["results"]

    assert result["locations"][0]["physicalLocation"]["region"] == {"startLine": 6, "startColumn": 3}
    assert "relatedLocations" not in result
    (result,) = run_of(failing(source=None))["results"]
    assert "locations" not in result


def test_paths_are_addresses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_WORKSPACE", raising=False)

    def uri(file: str) -> str:
        (result,) = run_of(failing(source=Place(file, 1)))["results"]
        return str(result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"])

    assert uri(str(tmp_path / "a b#c.py")) == "a%20b%23c.py"
    assert uri("sub/../ä.py") == "%C3%A4.py"
    assert uri("/usr/lib/x.py") == "file:///usr/lib/x.py"
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path / "sub")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    assert uri("x.py") == "sub/x.py"


def test_fingerprints_tell_cases_apart_and_stay() -> None:
    def prints(*reports: Report) -> list[str]:
        return [str(result["partialFingerprints"]) for result in run_of(*reports)["results"]]

    assert prints(failing(), failing(seed=3)) == prints(failing()) * 2
    assert len(set(prints(failing(), failing(name="other"), SAMPLES["error"]))) == 3


@pytest.mark.parametrize("text", [*HOSTILE, NASTY])
def test_no_text_is_a_link_or_a_placeholder(text: str) -> None:
    for result in run_of(hostile(text))["results"]:
        message = result["message"]["text"]
        assert "](" not in message.replace("\\](", "")
        assert "{" not in message.replace("{{", "")
        assert "\x1b" not in message


def test_every_situation_is_valid() -> None:
    assert len(run_of(*all_reports())["results"]) > 20


def test_the_schema_refuses_what_is_wrong() -> None:
    document = json.loads(write_sarif([failing()]))
    document["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"] = 0
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate(document)
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate({"version": "2.1.0", "runs": [{"results": []}]})
