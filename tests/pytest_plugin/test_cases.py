"""Case files as tests."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from junitparser import JUnitXml

from .conftest import OUTCOMES, Run

pytest_plugins = ["pytester"]


def outcomes(result: pytest.RunResult) -> dict[str, str]:
    """Return what became of each test, by the name of its case."""
    found = {}
    for line in result.outlines:
        head, _, rest = line.partition(" ")
        if "::" in head and rest.split(" ")[0] in ("PASSED", "FAILED", "XFAIL", "XPASS", "ERROR"):
            word = {"PASSED": "passed", "FAILED": "failed", "XFAIL": "xfailed"}[rest.split(" ")[0]]
            found[head.partition("::")[2]] = word
    return found


LIST = ("--collect-only", "-q")


def collected(result: pytest.RunResult) -> list[str]:
    return [line.partition("::")[2] for line in result.outlines if line.startswith("cases/tanh.yaml::")]


def test_every_case_is_a_test(project: pytest.Pytester, run: Run) -> None:
    result = run("--gradcheck", "cases", "-v")

    assert outcomes(result) == OUTCOMES
    result.assert_outcomes(passed=2, failed=5, xfailed=2)


def test_it_agrees_with_the_command_line(project: pytest.Pytester) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "gradcheck", "run", "cases", "--report", "junit=out.xml"], check=False, timeout=300
    )
    by_name = {case.name: bool(case.result) for suite in JUnitXml.fromfile("out.xml") for case in suite}

    assert done.returncode == 1
    assert by_name == {name: outcome == "failed" for name, outcome in OUTCOMES.items()}


def test_nothing_is_collected_unasked(project: pytest.Pytester, run: Run) -> None:
    assert run("cases", *LIST).ret == pytest.ExitCode.NO_TESTS_COLLECTED
    assert run(*LIST).ret == pytest.ExitCode.NO_TESTS_COLLECTED


@pytest.mark.parametrize(
    ("patterns", "count"),
    [("cases/**/*.yaml", 9), ("cases/tanh.yaml", 9), ("./cases/*.yaml", 9), ("other/**", 0), ("*.yaml", 0)],
)
def test_patterns_of_the_ini_file(project: pytest.Pytester, run: Run, patterns: str, count: int) -> None:
    project.makepyprojecttoml(f'[tool.pytest.ini_options]\ngradcheck_files = ["{patterns}"]\n')

    assert len(collected(run(*LIST))) == count


def test_a_folder_that_is_not_the_projects_is_collected_if_it_is_named(project: pytest.Pytester, run: Run) -> None:
    (project.path / "cases").rename(project.path / "elsewhere")

    assert run("--gradcheck", *LIST).ret == pytest.ExitCode.NO_TESTS_COLLECTED
    assert sum("elsewhere/tanh.yaml::" in line for line in run("--gradcheck", "elsewhere", *LIST).outlines) == 9


def test_a_case_by_its_address(project: pytest.Pytester, run: Run) -> None:
    assert collected(run("--gradcheck", "cases/tanh.yaml::right", *LIST)) == ["right[shape=2x3]", "right[shape=4]"]
    assert collected(run("--gradcheck", "cases/tanh.yaml::right[shape=4]", *LIST)) == ["right[shape=4]"]
    assert run("--gradcheck", "cases/tanh.yaml::rihgt", *LIST).ret == pytest.ExitCode.USAGE_ERROR


@pytest.mark.parametrize(
    ("choice", "names"),
    [
        (["-m", "fast"], ["right[shape=2x3]", "right[shape=4]", "known"]),
        (["-m", "known-bad"], ["known"]),
        (["-k", "fast and not known"], ["right[shape=2x3]", "right[shape=4]"]),
        (["-m", "gradcheck", "-k", "mended"], ["mended"]),
        (["-m", "not gradcheck"], []),
    ],
)
def test_tags_select(project: pytest.Pytester, run: Run, choice: list[str], names: list[str]) -> None:
    assert collected(run("--gradcheck", "cases", "--strict-markers", *choice, *LIST)) == names


@pytest.mark.parametrize("tag", ["skip", "xfail", "_private", "a: b", "f(x)", "two words"])
def test_no_tag_makes_pytest_do_anything(project: pytest.Pytester, run: Run, tag: str) -> None:
    path = project.path / "cases" / "tanh.yaml"
    path.write_text(path.read_text().replace("tags: [fast]", f'tags: ["{tag}"]'))

    run("--gradcheck", "cases", "--strict-markers", "-k", "right").assert_outcomes(passed=2, deselected=7)


def test_a_failure_shows_the_screen_of_the_case(project: pytest.Pytester, run: Run) -> None:
    result = run("--gradcheck", "cases/tanh.yaml::wrong")

    result.stdout.fnmatch_lines(
        [
            "*_ wrong _*",
            "FAIL  tanh/wrong   x (2, 3) float64   sign-error",
            "  slice    rel. error  at*",
            "  sign-error: *",
            "  repeat: gradcheck run cases/tanh.yaml::wrong --seed 0",
            "FAILED cases/tanh.yaml::wrong - sign-error: *",
        ]
    )
    assert "Traceback" not in result.stdout.str()
    assert "\x1b" not in result.stdout.str()


def test_a_bug_that_is_gone_or_another_one_fails(project: pytest.Pytester, run: Run) -> None:
    result = run("--gradcheck", "cases", "-k", "mended or other")

    result.assert_outcomes(failed=2, deselected=7)
    result.stdout.fnmatch_lines(["*not as expected: expected factor-two, got sign-error*"])
    result.stdout.fnmatch_lines(["*unexpected pass: the case expects sign-error; *"])


def test_an_expected_bug_says_so(project: pytest.Pytester, run: Run) -> None:
    result = run("--gradcheck", "cases/tanh.yaml::known", "-rx")

    result.stdout.fnmatch_lines(["XFAIL cases/tanh.yaml::known - as expected: fail: sign-error"])


def test_runxfail_shows_what_is_expected(project: pytest.Pytester, run: Run) -> None:
    result = run("--gradcheck", "cases/tanh.yaml::known", "--runxfail")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["  sign-error: *"])


def test_what_the_layer_printed_and_raised(project: pytest.Pytester, run: Run) -> None:
    result = run("--gradcheck", "cases/tanh.yaml::raising")
    result.stdout.fnmatch_lines(["*no gradient today*", "*about to raise*"])
    assert "Traceback" not in result.stdout.str()
    run("--gradcheck", "cases/tanh.yaml::raising", "-v").stdout.fnmatch_lines(["*Traceback*", "*layers.py*"])


def test_a_pass_is_shown_on_request(project: pytest.Pytester, run: Run) -> None:
    run("--gradcheck", "cases/tanh.yaml::right", "-rP").stdout.fnmatch_lines(["PASS  tanh/right[[]shape=2x3[]]*"])


def test_in_process(project: pytest.Pytester, run: Run) -> None:
    result = run("--gradcheck", "--gradcheck-in-process", "cases", "-k", "not dying", "-v")

    assert outcomes(result) == {name: word for name, word in OUTCOMES.items() if name != "dying"}


def test_xdist(project: pytest.Pytester, run: Run) -> None:
    result = run("--gradcheck", "cases", "-n", "2", "-rA")

    result.assert_outcomes(passed=2, failed=5, xfailed=2)
    result.stdout.fnmatch_lines(["FAIL  tanh/wrong   x (2, 3) float64   sign-error"])


def test_junit(project: pytest.Pytester, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    run("--gradcheck", "cases", "--junitxml", "out.xml")
    cases = {case.name: case for suite in JUnitXml.fromfile("out.xml") for case in suite}

    assert set(cases) == set(OUTCOMES)
    (failure,) = cases["wrong"].result
    assert failure.message.startswith("sign-error: ")
    assert "x[0, :]" in failure.text
    text = Path("out.xml").read_text(encoding="utf-8")
    assert '<property name="findings" value="sign-error"' in text
    assert "#x1B" not in text


def test_warnings_of_a_layer_are_no_errors(project: pytest.Pytester, run: Run) -> None:
    (project.path / "cases" / "layers.py").write_text(
        "import warnings\nimport numpy as np\nwarnings.warn('old', DeprecationWarning)\n"
        "def f(x):\n    warnings.warn('slow')\n    return x * 1.0\n"
        "def b(x, g):\n    warnings.warn('slow')\n    return g\n"
    )
    (project.path / "cases" / "tanh.yaml").write_text(
        "version: 1\ncases:\n  warns:\n    layer: {forward: layers.py:f, backward: layers.py:b}\n"
        "    inputs: {x: {shape: [3]}}\n"
    )
    for more in ([], ["--gradcheck-in-process"]):
        run("--gradcheck", "cases", "-W", "error", *more).assert_outcomes(passed=1)


def test_a_faulty_file_is_an_error_with_its_places(project: pytest.Pytester, run: Run) -> None:
    (project.path / "cases" / "bad.yaml").write_text("version: 1\ncases:\n  a: {layer: softmax, tolerence: 1}\n")
    result = run("--gradcheck", "cases")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["cases/bad.yaml:3:23: error: unknown key 'tolerence'*", "*did you mean*"])
    assert "Traceback" not in result.stdout.str()


def test_preferences_of_the_project_hold(project: pytest.Pytester, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run("--gradcheck", "cases/tanh.yaml::vacuous").assert_outcomes(failed=1)
    project.makepyprojecttoml("[tool.gradcheck]\nallow-undecided = true\nseed = 5\n")
    run("--gradcheck", "cases/tanh.yaml::vacuous").assert_outcomes(passed=1)
    run("--gradcheck", "cases/tanh.yaml::wrong").stdout.fnmatch_lines(["*--seed 5"])
    monkeypatch.setenv("GRADCHECK_SEED", "6")
    run("--gradcheck", "cases/tanh.yaml::wrong").stdout.fnmatch_lines(["*--seed 6"])


def test_a_preference_that_makes_no_sense(project: pytest.Pytester, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADCHECK_SEED", "six")
    result = run("--gradcheck", "cases")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["the variable GRADCHECK_SEED is 'six'*"])


def test_the_plugin_is_light() -> None:
    code = (
        "import sys, gradcheck.pytest_plugin; "
        "print(sorted({'numpy', 'pydantic', 'click', 'rich', 'yaml', 'jinja2'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)

    assert done.stdout == "[]\n"
