"""In a workflow of GitHub's nothing that a layer, a case or a file says is taken for a command to the runner."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gradcheck.__main__ import main
from gradcheck.report.escape import disarm
from gradcheck.report.formats import FORMATS

ROOT = Path(__file__).parents[2]
JOB = {"GITHUB_ACTIONS": "true"}

# As the runner does (ActionCommand.cs): `::` after blanks, or `##[` anywhere.
OBEYED = re.compile(r"^\s*::|##\[")

ATTACK = "::error file=a.py,line=1::forged"
LAYERS = f"""
import numpy as np
TEXT = "first\\n{ATTACK}\\n   ::add-mask::e\\n##[error]forged\\n\\u3000::set-output name=a::b"
def forward(x):
    return x * x
def raising(x, g):
    raise ValueError(TEXT)
def wrong(x, g):
    return g * x
def leaving(x, g):
    print(TEXT, flush=True)
    import os
    os._exit(3)
"""
MORE = """
    about: "::error::about"
    inputs: {x: {shape: [2]}}
    tags: ["::warning::tag", "##[group]tag"]
"""
CASES = f"""
version: 1
cases:
  raising:
    layer: {{forward: mine.py:forward, backward: mine.py:raising}}{MORE}
  leaving:
    layer: {{forward: mine.py:forward, backward: mine.py:leaving}}{MORE}
  wrong:
    layer: {{forward: mine.py:forward, backward: mine.py:wrong}}{MORE}
"""


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    (tmp_path / "cases").mkdir()
    (tmp_path / "cases" / "mine.py").write_text(LAYERS)
    (tmp_path / "cases" / "mine.yaml").write_text(CASES)
    (tmp_path / "broken.yaml").write_text('version: 1\n"::error::a": 1\n? "##[error]b"\n: - c\n')
    return tmp_path


Gradcheck = Callable[..., tuple[str, str]]


@pytest.fixture
def gradcheck(hostile: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Gradcheck:
    """Run the command line in a folder of hostile cases as a job does; return all that is written, by whomever."""
    for name in os.environ:
        if name.startswith("GITHUB"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.chdir(hostile)

    def run(*arguments: str, **environ: str) -> tuple[str, str]:
        with monkeypatch.context() as patch:
            for name, value in environ.items():
                patch.setenv(name, value)
            main(arguments)
        out, err = capfd.readouterr()
        assert "internal error" not in err
        return out, err

    return run


def obeyed(text: str) -> list[str]:
    return [line for line in text.split("\n") if OBEYED.search(line)]


@pytest.mark.parametrize(
    "arguments",
    [
        ["run"],
        ["run", "-vv", "--debug"],
        ["run", "--in-process", "-k", "raising", "--debug"],
        ["run", "--durations", "0"],
        ["list", "-v"],
        ["show", "raising", "leaving"],
        ["show", "raising", "--format", "yaml"],
        ["audit"],
        ["run", "::error::nothing"],
        ["run", "broken.yaml"],
        ["run", "x\n::error::nothing"],
        ["sweep", "raising"],
        *(["run", "--format", kind, "--durations", "0"] for kind in FORMATS),
    ],
    ids=" ".join,
)
def test_no_command_reaches_the_runner(gradcheck: Gradcheck, arguments: list[str]) -> None:
    check_obeyed(*gradcheck(*arguments, **JOB), arguments)


def test_no_command_of_a_process_reaches_the_runner(hostile: Path) -> None:
    command = [sys.executable, "-m", "gradcheck", "run", "--debug"]
    env = {**os.environ, **JOB, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}
    done = subprocess.run(command, cwd=hostile, env=env, capture_output=True, text=True, check=False)

    check_obeyed(done.stdout, done.stderr, ["run"])


def check_obeyed(out: str, err: str, arguments: list[str]) -> None:
    """Check that the runner obeys nothing but the annotations of gradcheck's own, which a run has."""
    ours = [line for line in obeyed(out + err) if re.match(r"::(error|warning|notice) [^:]*title=gradcheck%3A ", line)]

    assert obeyed(out + err) == ours
    assert bool(ours) == (arguments[0] == "run" and not re.search("nothing|broken", arguments[-1]))


def test_it_is_the_workflow_that_makes_the_difference(gradcheck: Gradcheck) -> None:
    out, _ = gradcheck("run", "raising", "--debug")
    armed = obeyed(out)
    guarded, _ = gradcheck("run", "raising", "--debug", **JOB)

    assert f"  {ATTACK}" in armed
    assert any(line.startswith("    ::add-mask::e") for line in armed)
    assert f"  \\x3a{ATTACK[1:]}\n" in guarded
    assert "  \\x23#[error]forged\n" in guarded


def test_forms_are_read_back_as_they_were(gradcheck: Gradcheck) -> None:
    found = {}
    for kind in ("json", "junit", "sarif"):
        plain, guarded = (gradcheck("run", "raising", "--format", kind, **environ)[0] for environ in ({}, JOB))
        found[kind] = guarded
        assert obeyed(plain)
    error = json.loads(found["json"])["reports"][0]["error"]
    assert ATTACK in error
    assert "##[error]forged" in error
    json.loads(found["sarif"])
    from junitparser import JUnitXml

    suites = JUnitXml.fromstring(found["junit"].encode())
    messages = [each.message for suite in suites for case in suite for each in case.result]
    assert any("##[error]forged" in message for message in messages)


def test_a_report_that_a_test_prints(hostile: Path) -> None:
    code = (
        "import sys, gradcheck, numpy as np, mine\n"
        "report = gradcheck.check(mine.forward, mine.raising, {'x': np.ones(2)})\n"
        "print(report)\n"
        "gradcheck.assert_gradients(mine.forward, mine.raising, {'x': np.ones(2)})\n"
    )
    env = {**os.environ, **JOB, "PYTHONPATH": f"{ROOT}{os.pathsep}{hostile / 'cases'}"}
    done = subprocess.run([sys.executable, "-c", code], cwd=hostile, env=env, capture_output=True, text=True)  # noqa: PLW1510

    assert "GradientMismatch" in done.stderr
    assert "\\x3a:add-mask" in done.stdout
    assert obeyed(done.stdout + done.stderr) == []


@pytest.mark.parametrize(
    ("text", "way", "shown"),
    [
        ("::a::b", "visible", "\\x3a:a::b"),
        ("a ::b", "visible", "a ::b"),
        ("a\n \t::b", "visible", "a\n \t\\x3a:b"),
        ("a\r::b", "visible", "a\r::b"),
        (":", "visible", ":"),
        ("a ##[b", "json", "a \\u0023#[b"),
        ("##[b\n::c", "markup", "&#35;#[b\n&#58;:c"),
        ("### [b] #[c] a::b", "visible", "### [b] #[c] a::b"),
        ("###[b", "visible", "#\\x23#[b"),
    ],
)
def test_disarming(text: str, way: str, shown: str) -> None:
    assert disarm(text, way, JOB) == shown
    assert disarm(disarm(text, way, JOB), way, JOB) == shown
    assert disarm(text, way, {}) == text
    assert disarm(text, way, {"GITHUB_ACTIONS": ""}) == text


def test_a_screen_guards_both_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    from gradcheck.cli.screen import Screen

    out, err = io.StringIO(), io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    screen = Screen(color=False, width=80, progress=False)
    screen.print("::error::a")
    screen.print_form("github", "::error::ours")
    screen.warn("##[error]")
    screen.remark("##[error]")

    assert obeyed(out.getvalue()) == ["::error::ours"]
    assert obeyed(err.getvalue()) == []
