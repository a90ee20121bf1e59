"""Files for other tools: pre-commit's hooks, the GitHub action, the workflow. What they say of the tool is true."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from gradcheck.cli.audit import command as audit
from gradcheck.cli.run import command as run

ROOT = Path(__file__).parents[1]


def read(name: str) -> Any:
    # `on:` of a workflow is the boolean true to YAML 1.1
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


def test_hooks_call_what_there_is() -> None:
    hooks = {hook["id"]: hook for hook in read(".pre-commit-hooks.yaml")}

    assert list(hooks) == ["gradcheck-cases", "gradcheck"]
    for hook in hooks.values():
        program, command, *arguments = shlex.split(hook["entry"])
        assert (program, command) == ("gradcheck", "run")
        run.make_context("run", list(arguments))
    changed = re.compile(hooks["gradcheck-cases"]["files"])
    assert changed.search("cases/a.yaml")
    assert changed.search("sub/cases/deep/a.yml")
    assert not changed.search("mkdocs.yaml")
    assert hooks["gradcheck"]["pass_filenames"] is False


def test_the_action_hands_everything_over_as_variables() -> None:
    action = read("action.yml")
    steps = action["runs"]["steps"]

    assert action["runs"]["using"] == "composite"
    used = set(re.findall(r"inputs\.([\w-]+)", (ROOT / "action.yml").read_text()))
    assert used == set(action["inputs"])
    for step in steps:
        # text of a workflow that is put into a script is run
        assert "${{" not in step["run"]
        assert set(re.findall(r"\$\{?([A-Z_]+)", step["run"])) <= {*step["env"], "GITHUB_ACTION_PATH"}
        assert step["shell"] == "bash"


@pytest.mark.skipif(sys.platform == "win32", reason="there is no bash")
def test_the_step_of_the_action_runs(tmp_path: Path) -> None:
    check, gate = (step for step in read("action.yml")["runs"]["steps"] if "gradcheck " in step["run"])
    program = tmp_path / "python"
    program.write_text('#!/bin/sh\nfor word; do echo "<$word>"; done\n')
    program.chmod(0o755)
    environ = {
        "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}",
        "TARGETS": "cases/* a;b",
        "ARGUMENTS": "$(id) --strict",
    }

    def said(step: dict[str, Any]) -> list[str]:
        done = subprocess.run(
            ["bash", "-e", "-c", step["run"]], env={**environ, "FAIL_UNDER": "90"}, capture_output=True, check=True
        )
        return done.stdout.decode().split()

    assert said(check) == ["<-m>", "<gradcheck>", "<run>", "<cases/*>", "<a;b>", "<$(id)>", "<--strict>"]
    assert said(gate)[2:] == ["<audit>", "<cases/*>", "<a;b>", "<--fail-under>", "<90>"]


def test_the_workflow() -> None:
    workflow = read(".github/workflows/gradcheck.yml")
    jobs = workflow["jobs"]
    versions = jobs["tests"]["strategy"]["matrix"]["python-version"]

    assert versions == ["3.10", "3.11", "3.12", "3.13", "3.14"]
    project = (ROOT / "pyproject.toml").read_text()
    assert re.findall(r'Python :: (3\.\d+)"', project) == versions
    assert 'requires-python = ">=3.10"' in project
    own = next(step for step in jobs["gradients"]["steps"] if step["uses"] == "./")
    assert set(own["with"]) <= set(read("action.yml")["inputs"])
    run.make_context("run", shlex.split(f"{own['with']['targets']} {own['with']['arguments']}"))


def test_the_gate_of_the_action_is_an_option() -> None:
    assert audit.make_context("audit", ["cases", "--fail-under", "90"]).params["fail_under"] == 90
