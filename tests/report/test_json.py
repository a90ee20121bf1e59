from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradcheck.errors import UsageError
from gradcheck.model import Finding, Report, Severity, Verdict
from gradcheck.report.json import read_json, write_json
from gradcheck.report.record import RecordError, decode, encode
from gradcheck.report.schema import json_schema

from .grids import all_reports, drawn
from .samples import SAMPLES, failing, passing

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def refuse(constant: str) -> Any:
    raise AssertionError(f"{constant} is no JSON")


def same(one: object, other: object) -> bool:
    # nan equals nan here, and 0.0 is not -0.0
    return repr(one) == repr(other)


def test_round_trip_of_every_situation() -> None:
    reports = all_reports()

    assert same(read_json(write_json(reports)), reports)


def test_it_is_valid_json_of_ascii_characters_with_a_report_a_line() -> None:
    reports = all_reports()
    text = write_json(reports)

    assert text.isascii()
    json.loads(text, parse_constant=refuse)
    assert sum(line.startswith('{"name": ') for line in text.splitlines()) == len(reports)


def test_no_reports() -> None:
    assert read_json(write_json([])) == []


def test_the_summary_counts() -> None:
    document = json.loads(write_json([passing(), failing(), failing(expected=True), SAMPLES["error"]]))

    assert document["summary"] == {"cases": 4, "expected": 2, "pass": 1, "fail": 2, "undecided": 0, "error": 1}


@given(PLAIN)
def test_evidence_of_any_kind_comes_back(value: Any) -> None:
    report = failing(findings=[Finding("rule", Severity.BUG, "message", "", {"$number": value, "$": value, "": "nan"})])

    assert same(read_json(write_json([report])), [report])


def test_a_text_is_never_taken_for_a_number() -> None:
    evidence: dict[str, Any] = {"text": "nan", "number": math.nan, "mapping": {"$number": "nan"}}
    back = decode(dict[str, Any], json.loads(json.dumps(encode(Any, evidence))))
    assert back.keys() == evidence.keys()
    (report,) = read_json(write_json([failing(findings=[Finding("r", Severity.BUG, "m", "", evidence)])]))
    found = report.findings[0].evidence

    assert found["text"] == "nan"
    assert isinstance(found["number"], float)
    assert found["mapping"] == {"$number": "nan"}


def test_options_that_json_cannot_hold_are_described() -> None:
    report = passing(options={"table": (1, 2), "other": {1}, "class": int})
    (back,) = read_json(write_json([report]))

    assert back.options == {"table": [1, 2], "other": "{1}", "class": "<class 'int'>"}


def test_whole_numbers_become_floats_where_floats_belong() -> None:
    document = json.loads(write_json([passing(seconds=2.0)]))
    document["reports"][0]["seconds"] = 2
    (report,) = read_json(json.dumps(document))

    assert isinstance(report.seconds, float)


def test_fields_of_a_later_version_are_passed_over_and_missing_ones_get_their_defaults() -> None:
    document = json.loads(write_json([failing()]))
    document["later"] = document["reports"][0]["later"] = {"a": 1}
    del document["reports"][0]["notes"]
    (report,) = read_json(json.dumps(document))

    assert same(report, failing())


def changed(**changes: Any) -> str:
    document = json.loads(write_json([drawn()]))
    for path, value in changes.items():
        *steps, last = path.split("__")
        inner = document
        for step in steps:
            inner = inner[int(step[1:]) if step[1:].isdigit() else step]
        inner[int(last[1:]) if last[1:].isdigit() else last] = value
    return json.dumps(document)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "r.json: not JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        ('{"a": NaN}', "r.json: not JSON: NaN is no JSON number"),
        ("[" * 200_000, "r.json: too deeply nested for a report"),
        ("[]", "r.json: not a report of gradcheck"),
        ('{"format": "other"}', "r.json: not a report of gradcheck"),
        (changed(version=2), "r.json: version 2 of a report is not known"),
        (changed(version=True), "r.json: version True of a report is not known"),
        (changed(reports=None), "r.json: reports: expected a list, got None"),
        (changed(reports__i0__name=3), "r.json: reports[0].name: expected a text, got 3"),
        (changed(reports__i0__seed="0"), "r.json: reports[0].seed: expected a whole number, got '0'"),
        (changed(reports__i0__seed=True), "r.json: reports[0].seed: expected a whole number, got True"),
        (changed(reports__i0__seconds="NaN"), "r.json: reports[0].seconds: expected a number, got 'NaN'"),
        (changed(reports__i0__seconds=10**400), "r.json: reports[0].seconds: the number is too large"),
        (
            changed(reports__i0__verdict="good"),
            "r.json: reports[0].verdict: expected one of pass, fail, undecided, error, got 'good'",
        ),
        (changed(reports__i0__inputs__i0__shape={}), "r.json: reports[0].inputs[0].shape: expected a list, got {}"),
        (changed(reports__i0__inputs__i0=[]), "r.json: reports[0].inputs[0]: expected an object, got []"),
        (changed(reports__i0__expected=1), "r.json: reports[0].expected: expected true or false, got 1"),
        (changed(reports__i0={}), "r.json: reports[0].name: is missing"),
    ],
)
def test_what_is_no_report_is_refused(text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_json(text, "r.json")

    assert caught.value.message == message
    assert caught.value.help or "deeply" in message


def test_a_number_of_thousands_of_digits_is_refused() -> None:
    with pytest.raises(UsageError, match="not JSON"):
        read_json(write_json([passing()]).replace('"seed": 0', f'"seed": {"1" * 10_000}'))


def test_an_error_says_where() -> None:
    assert str(RecordError("a[0].b", "is missing")) == "a[0].b: is missing"


def test_the_schema_is_valid_and_describes_what_is_written() -> None:
    schema = json_schema()
    validator = jsonschema.Draft202012Validator(schema)
    validator.check_schema(schema)
    validator.validate(json.loads(write_json(all_reports())))
    validator.validate(json.loads(write_json([])))

    assert schema["$defs"]["Entry"]["properties"]["error"]["description"].startswith("``|a - n|")
    assert {"Report", "Finding", "Entry", "Grid", "Verdict"} <= schema["$defs"].keys()


@pytest.mark.parametrize(
    "text",
    [
        changed(version=2),
        changed(format="other"),
        changed(reports__i0__verdict="good"),
        changed(reports__i0__seconds="NaN"),
        changed(reports__i0__seed=0.5),
        changed(reports__i0__inputs__i0__gradient=[]),
        changed(reports__i0__findings__i0__severity="fatal"),
    ],
)
def test_the_schema_refuses_what_is_wrong(text: str) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(json.loads(text), json_schema())


def test_same_reports_same_text() -> None:
    assert write_json(all_reports()) == write_json(all_reports())


def test_every_field_of_a_report_is_written() -> None:
    report = replace(failing(), verdict=Verdict.ERROR, error="e", trace="t", output="o", about="a", tags=("x",))
    written = json.loads(write_json([report]))["reports"][0]

    assert set(written) == set(Report.__dataclass_fields__)
