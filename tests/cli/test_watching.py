"""``gradcheck run --watch`` and ``--durations``."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import types
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gradcheck.__main__ import main
from gradcheck.cli.watching import is_watched

Captured = pytest.CaptureFixture[str]
Batch = "set[tuple[str, str]]"


@pytest.fixture
def watcher(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """A package ``watchfiles`` that tells of the changes that a test makes, and is then interrupted."""

    def install(*steps: Callable[[], list[str]]) -> None:
        def watch(*_paths: object, **_options: object) -> Iterator[set[tuple[str, str]]]:
            yield set()
            for step in steps:
                yield {("modified", path) for path in step()}
                yield set()
            raise KeyboardInterrupt

        module = types.ModuleType("watchfiles")
        module.watch = watch  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "watchfiles", module)

    return install


def test_a_change_runs_again(project: Path, capsys: Captured, watcher: Callable[..., None]) -> None:
    def mend() -> list[str]:
        path = project / "cases" / "mine.py"
        path.write_text(path.read_text().replace("s * (1 - s) * g", "s * (g - (g * s).sum(axis, keepdims=True))"))
        return [str(path), str(project / "cases" / "mine.yaml")]

    watcher(mend)
    assert main(["run", "bad", "--watch"]) == 130

    out, err = capsys.readouterr()
    assert [line.split()[0] for line in out.split("\n") if line.startswith(("PASS", "FAIL"))] == ["FAIL", "PASS"]
    assert err == (f"gradcheck: watching {project}; Ctrl-C ends\ngradcheck: cases/mine.py and 1 more changed\n")


def test_a_half_written_file_is_no_end(project: Path, capsys: Captured, watcher: Callable[..., None]) -> None:
    path = project / "cases" / "mine.yaml"
    whole = path.read_text()

    def write(text: str) -> Callable[[], list[str]]:
        def step() -> list[str]:
            path.write_text(text)
            return [str(path)]

        return step

    watcher(write("cases: ["), write(whole))
    assert main(["run", "cases/mine.yaml::good", "--watch"]) == 130

    out, err = capsys.readouterr()
    assert out.count("PASS  mine/good") == 2
    assert "cases/mine.yaml:1:" in err
    assert "gradcheck: error:" in err


def test_without_the_package(project: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "watchfiles", None)

    assert main(["run", "good", "--watch"]) == 2
    assert capsys.readouterr() == (
        "",
        "gradcheck: error: --watch needs the package watchfiles, which is not installed\n"
        "  = help: pip install 'gradcheck[watch]'\n",
    )


@pytest.mark.parametrize(
    ("path", "watched"),
    [
        ("/p/mine.py", True),
        ("/p/cases/a.yaml", True),
        ("/p/pyproject.toml", True),
        ("/p/data/x.npz", True),
        ("/p/notes.txt", False),
        ("/p/__pycache__/mine.py", False),
        ("/p/.git/a.yaml", False),
        ("/p/.venv/lib/a.py", False),
        ("/p/cases/.mine.yaml.x1", False),
    ],
)
def test_what_is_watched(path: str, watched: bool) -> None:
    assert is_watched("modified", path) is watched


def test_with_the_package(project: Path) -> None:
    pytest.importorskip("watchfiles")
    root = Path(__file__).parents[2]
    process = subprocess.Popen(
        [sys.executable, "-m", "gradcheck", "run", "good", "--watch"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(root), "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    first = process.stdout.readline()
    path = project / "cases" / "mine.py"
    path.write_text(path.read_text() + "\n# changed\n")
    while not process.stdout.readline().startswith("PASS"):
        assert process.poll() is None
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)

    assert first.startswith("PASS  mine/good")
    assert process.returncode == 130
    assert "cases/mine.py changed" in err


def test_the_slowest_cases(project: Path, capsys: Captured) -> None:
    assert main(["run", "good", "known-bad", "--durations", "1"]) == 0

    out = capsys.readouterr().out
    assert re.search(r"calls\n\nthe slowest 1 case:\n  \d+\.\d\d s  mine/[-\w]+   \d+ forward and \d+ backward\n$", out)
    assert main(["run", "good", "known-bad", "--durations", "0", "--format", "json"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("{")
    assert err.startswith("the slowest 2 cases:\n")
    assert err.count("\n") == 3
