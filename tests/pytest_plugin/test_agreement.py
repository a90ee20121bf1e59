"""``pytest cases/`` and ``gradcheck run cases/`` say the same of every case of the project."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from junitparser import Failure, JUnitXml

from gradcheck.report.json import read_json

ROOT = Path(__file__).parents[2]


def by_command_line(targets: list[str], folder: Path) -> dict[str, bool]:
    path = folder / "run.json"
    command = [sys.executable, "-m", "gradcheck", "run", *targets, "-qq", "-j", "2", "--report", f"json={path}"]
    done = subprocess.run(command, cwd=ROOT, check=False, timeout=1200)
    reports = read_json(path.read_text(encoding="utf-8"))

    assert done.returncode == (not all(report.expected for report in reports))
    found = {}
    for report in reports:
        assert report.place is not None
        found[f"{report.place.file}::{report.name.rpartition('/')[2]}"] = report.expected
    return found


def by_pytest(targets: list[str], folder: Path, workers: int) -> dict[str, bool]:
    path = folder / "junit.xml"
    installed = any(each.value == "gradcheck.pytest_plugin" for each in entry_points(group="pytest11"))
    plugin = [] if installed else ["-p", "gradcheck.pytest_plugin"]
    options = ["--gradcheck", "-q", "-n", str(workers), "--tb=no", "-p", "no:cacheprovider", f"--junitxml={path}"]
    command = [sys.executable, "-m", "pytest", *plugin, *options, *targets]
    subprocess.run(command, cwd=ROOT, check=False, timeout=1200, stdout=subprocess.DEVNULL)
    found = {}
    for suite in JUnitXml.fromfile(str(path)):
        for case in suite:
            # pytest writes the path of a file with dots.
            file = case.classname.removesuffix(".yaml").replace(".", "/")
            found[f"{file}.yaml::{case.name}"] = not any(isinstance(each, Failure) for each in case.result)
    return found


@pytest.mark.parametrize(
    ("targets", "workers"),
    [
        pytest.param(["cases/documents", "cases/zoo/right/calling.yaml"], 0, id="some"),
        pytest.param(["cases"], 2, marks=pytest.mark.long, id="all"),
    ],
)
def test_they_agree(targets: list[str], workers: int, tmp_path: Path) -> None:
    expected = by_command_line(targets, tmp_path)

    assert len(expected) > 50
    assert by_pytest(targets, tmp_path, workers) == expected
