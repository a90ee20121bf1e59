"""Flags, variables and the project's file: which comes before which, and where a slip is said to be."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from gradcheck.__main__ import main
from gradcheck.casefile.preferences import PREFERENCES
from gradcheck.cli.preferred import Preferred
from gradcheck.cli.run import command

Captured = pytest.CaptureFixture[str]


def prefer(text: str) -> None:
    Path("pyproject.toml").write_text(f"[tool.gradcheck]\n{text}\n")


def seed_of(arguments: list[str], capsys: Captured) -> str:
    main(["run", "bad", *arguments])
    return capsys.readouterr().out.rstrip("\n").rpartition("--seed ")[2]


def test_flag_before_variable_before_file_before_default(
    project: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert seed_of([], capsys) == "0"
    prefer("seed = 2")
    assert seed_of([], capsys) == "2"
    monkeypatch.setenv("GRADCHECK_SEED", "3")
    assert seed_of([], capsys) == "3"
    assert seed_of(["--seed", "4"], capsys) == "4"
    monkeypatch.setenv("GRADCHECK_SEED", "")
    assert seed_of([], capsys) == "2"


def test_a_case_before_the_file_but_after_a_variable(
    project: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path("cases/mine.yaml")
    path.write_text(path.read_text().replace("tags: [slow]", "seed: 8"))
    prefer("seed = 2")
    assert seed_of([], capsys) == "8"
    monkeypatch.setenv("GRADCHECK_SEED", "3")
    assert seed_of([], capsys) == "3"


def test_settings_of_the_run(project: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    prefer("allow-undecided = true\nallow-empty = true\nformat = 'json'")
    assert main(["run", "zero"]) == 0
    assert capsys.readouterr().out.startswith("{")
    assert main(["run", "-k", "nothing"]) == 0
    assert main(["run", "zero", "--format", "table"]) == 0
    assert capsys.readouterr().out.rpartition("}\n")[2].startswith("UNDECIDED")
    monkeypatch.setenv("GRADCHECK_ALLOW_UNDECIDED", "no")
    assert main(["run", "zero"]) == 1


ERRORS = [
    (
        {},
        "format = 'jsn'",
        "pyproject.toml:2:10: error: [tool.gradcheck] format is 'jsn'\n  |\n2 | format = 'jsn'\n  |          ^^^^^\n"
        "  = help: did you mean 'json'?\n\ngradcheck: error: 1 complaint in pyproject.toml\n",
    ),
    (
        {},
        "sed = 1",
        "pyproject.toml:2:1: error: unknown key 'sed' in [tool.gradcheck]\n  |\n2 | sed = 1\n  | ^^^\n"
        "  = help: did you mean 'seed'?\n\ngradcheck: error: 1 complaint in pyproject.toml\n",
    ),
    (
        {"GRADCHECK_FORMAT": "tabl"},
        "",
        "gradcheck: error: the variable GRADCHECK_FORMAT is 'tabl'\n  = help: did you mean 'table'?\n",
    ),
    (
        {"GRADCHECK_SEED": "-1"},
        "",
        "gradcheck: error: the variable GRADCHECK_SEED is '-1'\n  = help: -1 is not in the range x>=0\n",
    ),
]


@pytest.mark.parametrize(("environ", "text", "error"), ERRORS)
def test_slips(
    environ: dict[str, str], text: str, error: str, project: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    prefer(text)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)

    assert main(["run", "good"]) == 2
    assert capsys.readouterr() == ("", error)


def test_a_flag_is_complained_of_as_one(project: Path, capsys: Captured) -> None:
    assert main(["run", "good", "--budget", "0"]) == 2
    assert capsys.readouterr().err.startswith("gradcheck: error: invalid value for '--budget': 0 is not in the range")


def test_a_faulty_project_does_not_keep_anybody_from_the_help(project: Path, capsys: Captured) -> None:
    prefer("sed = 1")
    assert main(["run", "--help"]) == 0
    assert "variables GRADCHECK_NAME: seed, mode, " in " ".join(capsys.readouterr().out.split())
    assert main(["explain"]) == 0


def test_a_slip_in_a_variable_is_a_warning(project: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADCHECK_SED", "3")

    assert main(["run", "good"]) == 0
    assert capsys.readouterr().err == (
        "gradcheck: warning: there is no variable GRADCHECK_SED; did you mean GRADCHECK_SEED?\n"
    )


def test_what_a_project_prefers_does_not_contradict_a_flag(project: Path, capsys: Captured) -> None:
    prefer("jobs = 2")
    assert main(["run", "good", "--in-process"]) == 0
    assert main(["run", "good", "--in-process", "-j", "2"]) == 2
    assert "--in-process and -j exclude each other" in capsys.readouterr().err


def test_every_preference_is_an_option_of_its_name() -> None:
    made = [each for each in command.params if isinstance(each, Preferred)]

    assert {each.name for each in PREFERENCES} - {each.preference.name for each in made} == {"cases", "fail-under"}
    for each in made:
        assert f"--{each.preference.name}" in each.opts
        assert each.envvar == each.preference.variable
        assert isinstance(each, click.Option)
