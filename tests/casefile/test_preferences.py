from __future__ import annotations

from pathlib import Path

import pytest

from gradcheck.casefile.discovery import find
from gradcheck.casefile.preferences import BY_NAME, PREFERENCES, check_table, misspelt, prefer
from gradcheck.casefile.project import complain, find_project
from gradcheck.errors import CaseFileError
from gradcheck.model import Case, LayerSpec, Settings


def said(text: str, folder: Path) -> str:
    (folder / "pyproject.toml").write_text(text)
    with pytest.raises(CaseFileError) as caught:
        find_project(folder)
    return str(caught.value)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_all_slips_come_at_once_with_their_places(tmp_path: Path) -> None:
    text = """\
# a project
[tool.gradcheck]
tolerence = 1e-6
seed = "3"
mode = "ful"
rtol = -1
strict = 1
"""

    expected = """\
pyproject.toml:3:1: error: unknown key 'tolerence' in [tool.gradcheck]
  |
3 | tolerence = 1e-6
  | ^^^^^^^^^
  = help: did you mean 'rtol'?
pyproject.toml:4:8: error: [tool.gradcheck] seed takes a whole number from 0 on, not the text '3'
  |
4 | seed = "3"
  |        ^^^
  = help: write seed = 3
pyproject.toml:5:8: error: [tool.gradcheck] mode takes one of a few words, not the text 'ful'
  |
5 | mode = "ful"
  |        ^^^^^
  = help: did you mean 'full'?
pyproject.toml:6:8: error: [tool.gradcheck] rtol takes a number from 0 on, not -1
  |
6 | rtol = -1
  |        ^^
pyproject.toml:7:10: error: [tool.gradcheck] strict takes true or false, not 1
  |
7 | strict = 1
  |          ^"""

    assert said(text, tmp_path) == expected


def test_a_table_on_one_line(tmp_path: Path) -> None:
    assert said("tool = {gradcheck = {sed = 1}}\n", tmp_path).startswith(
        "pyproject.toml:1:22: error: unknown key 'sed' in [tool.gradcheck]"
    )


def test_no_toml_is_said_with_its_place(tmp_path: Path) -> None:
    assert said("[tool.gradcheck]\nseed = \n", tmp_path).startswith("pyproject.toml:2:8: error: not valid TOML: ")
    assert said("[tool.gradcheck", tmp_path).startswith("pyproject.toml:1:16: error: not valid TOML: ")
    assert said("[tool.gradcheck]\nseed = 1\nseed = 2\n", tmp_path).startswith("pyproject.toml:3:")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("eps", 0),
        ("eps", float("inf")),
        ("rtol", float("nan")),
        ("rtol", True),
        ("seed", 1.0),
        ("budget", 0),
        ("jobs", 0),
        ("strict", "yes"),
        ("format", 3),
        ("cases", "cases"),
        ("cases", [1]),
        ("seed", None),
    ],
)
def test_what_is_refused(key: str, value: object) -> None:
    assert len(list(check_table({key: value}))) == 1


@pytest.mark.parametrize(
    ("key", "value"),
    [("eps", 1e-6), ("rtol", 0), ("rtol", 1), ("seed", 0), ("timeout", 0), ("show", 3), ("show", "all"), ("cases", [])],
)
def test_what_is_taken(key: str, value: object) -> None:
    assert list(check_table({key: value})) == []


def test_a_preference_holds_where_the_case_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "cases").mkdir()
    (tmp_path / "cases" / "a.yaml").write_text(
        "version: 1\n"
        "defaults: {seed: 0, layer: softmax, inputs: {x: {shape: [2, 3]}}}\n"
        "cases:\n"
        "  plain: {}\n"
        "  own: {rtol: 1e-3, mode: auto, timeout: 9}\n"
        "  varied: {matrix: {mode: [full, entries]}}\n"
    )
    (tmp_path / "pyproject.toml").write_text(
        "[tool.gradcheck]\nseed = 7\nrtol = 1e-5\nmode = 'slices'\ntimeout = 3\nbudget = 50\n"
    )
    cases = {case.name: case for case in find()}

    assert [(case.settings.seed, case.settings.rtol, case.settings.mode, case.timeout) for case in cases.values()] == [
        (0, 1e-5, "slices", 3),
        (0, 1e-3, "auto", 9),
        (0, 1e-5, "full", 3),
        (0, 1e-5, "entries", 3),
    ]
    assert {case.settings.budget for case in cases.values()} == {50}
    (softmax,) = find(["gradcheck.reference.softmax:softmax"])
    assert softmax.settings.seed == 7


def test_nothing_is_changed_without_preferences() -> None:
    case = Case("a", LayerSpec(target="softmax"))

    assert prefer(case, {}) is case
    assert prefer(case, {"strict": True, "jobs": 3}) is case


def test_every_preference_of_a_case_is_one_of_its_settings() -> None:
    settings = Settings()

    assert all(each.name == "timeout" or hasattr(settings, each.name) for each in PREFERENCES if each.of_case)


def test_slips_in_variables() -> None:
    environ = {"GRADCHECK_SED": "1", "GRADCHECK_SEED": "1", "GRADCHECK_EXAMPLES": "5", "GRADCHECK_JOSB": ""}

    assert list(misspelt(environ)) == [("GRADCHECK_SED", "GRADCHECK_SEED")]
    assert BY_NAME["allow-undecided"].variable == "GRADCHECK_ALLOW_UNDECIDED"


def test_a_complaint_of_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.gradcheck]\nformat = 'jsn'\n")

    error = complain(find_project(tmp_path), "format", "no such form", "did you mean 'json'?")

    assert str(error).split("\n") == [
        "pyproject.toml:2:10: error: no such form",
        "  |",
        "2 | format = 'jsn'",
        "  |          ^^^^^",
        "  = help: did you mean 'json'?",
    ]
