"""Files for other tools: pre-commit's hooks, the GitHub action, the workflow. What they say of the tool is true."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from gradcheck.cli.audit import command as audit
from gradcheck.cli.run import command as run

ROOT = Path(__file__).parents[1]


def read(name: str) -> Any:
    return parse((ROOT / name).read_text(encoding="utf-8"))


def parse(text: str) -> Any:
    # `on:` of a workflow is the boolean true to YAML 1.1
    found = yaml.safe_load(text)
    return {"on" if key is True else key: value for key, value in found.items()} if isinstance(found, dict) else found


def complaints(schema: str, document: Any) -> list[str]:
    """Return what the schema of GitHub's files, as schemastore.org has it, says of a document."""
    vendored = find_spec("check_jsonschema")
    if vendored is None or vendored.origin is None:
        pytest.skip("needs the schemas that check-jsonschema brings")
    file = Path(vendored.origin).parent / "builtin_schemas" / "vendor" / f"{schema}.json"
    validator = jsonschema.Draft7Validator(json.loads(file.read_text(encoding="utf-8")))
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(document)]


def recipe() -> Any:
    """Return the workflow that the README shows."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"^```yaml\n(# \.github/workflows/.*?)^```", readme, re.DOTALL | re.MULTILINE)
    return parse(text)


WORKFLOWS = {"own": lambda: read(".github/workflows/gradcheck.yml"), "readme": recipe}


@pytest.mark.parametrize("name", WORKFLOWS)
def test_workflows_keep_to_the_schema(name: str) -> None:
    workflow = WORKFLOWS[name]()

    assert complaints("github-workflows", workflow) == []
    for job in workflow["jobs"].values():
        job["runs-in"] = job.pop("runs-on")
    assert complaints("github-workflows", workflow)


def test_the_action_keeps_to_the_schema() -> None:
    action = read("action.yml")

    assert complaints("github-actions", action) == []
    del action["runs"]["steps"][0]["shell"]
    assert complaints("github-actions", action)


@pytest.mark.parametrize("name", WORKFLOWS)
def test_workflows_use_the_action_as_it_is(name: str) -> None:
    workflow, action = WORKFLOWS[name](), read("action.yml")
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    (own,) = (step for step in steps if step.get("uses", "").startswith("./"))

    assert set(own["with"]) <= set(action["inputs"])
    run.make_context("run", shlex.split(f"{own['with']['targets']} {own['with']['arguments']}"))
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    extras = project.partition("[project.optional-dependencies]")[2].partition("\n[")[0]
    assert set(own["with"]["extras"].split(",")) <= set(re.findall(r"^(\w+) = \[", extras, re.MULTILINE))
    # a job that may write is one that says so, and an action runs where Python was set up before
    assert workflow["permissions"] == {"contents": "read"}
    job = next(job["steps"] for job in workflow["jobs"].values() if own in job["steps"])
    before = [step.get("uses", "") for step in job[: job.index(own)]]
    assert [each.partition("@")[0] for each in before] == ["actions/checkout", "actions/setup-python"]


@pytest.mark.parametrize(
    "file", ["action.yml", ".pre-commit-hooks.yaml", ".github/workflows/gradcheck.yml", "README.md"]
)
def test_no_address_is_made_up(file: str) -> None:
    text = (ROOT / file).read_text(encoding="utf-8")
    used = re.findall(r"uses: (\S+)", text)

    assert not re.search(r"OWNER|github\.com/\S+/gradcheck", text)
    assert all(each.startswith(("./", "actions/", "github/codeql-action/")) for each in used)


def test_hooks_have_what_pre_commit_asks_for() -> None:
    # https://pre-commit.com/#creating-new-hooks
    known = {
        "id", "name", "entry", "language", "description", "files", "exclude", "types", "types_or", "exclude_types",
        "always_run", "fail_fast", "verbose", "pass_filenames", "require_serial", "additional_dependencies", "args",
        "language_version", "log_file", "minimum_pre_commit_version", "stages",
    }  # fmt: skip
    hooks = read(".pre-commit-hooks.yaml")

    for hook in hooks:
        assert {"id", "name", "entry", "language"} <= set(hook) <= known
        assert hook["language"] == "python"
    assert len({hook["id"] for hook in hooks}) == len(hooks)


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
    install, check, gate = read("action.yml")["runs"]["steps"]
    program = tmp_path / "python"
    program.write_text('#!/bin/sh\nfor word; do echo "<$word>"; done\n')
    program.chmod(0o755)
    environ = {
        "GITHUB_ACTION_PATH": "/home/runner/work/a b/tools/gradcheck",
        "EXTRAS": "html,torch",
        "REQUIREMENTS": "scipy torch;id",
        "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}",
        "TARGETS": "cases/* a;b",
        "ARGUMENTS": "$(id) --strict",
    }

    def said(step: dict[str, Any]) -> list[str]:
        done = subprocess.run(
            ["bash", "-e", "-c", step["run"]], env={**environ, "FAIL_UNDER": "90"}, capture_output=True, check=True
        )
        return done.stdout.decode().removesuffix("\n").split("\n")

    folder = "</home/runner/work/a b/tools/gradcheck"
    assert said(install)[-3:] == [f"{folder}[html,torch]>", "<scipy>", "<torch;id>"]
    environ["EXTRAS"] = environ["REQUIREMENTS"] = ""
    assert said(install) == ["<-m>", "<pip>", "<install>", "<--disable-pip-version-check>", f"{folder}>"]
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
