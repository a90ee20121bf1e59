from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from gradcheck.__main__ import main
from gradcheck.cli.running import Size, make_plan
from gradcheck.cli.session import duration
from gradcheck.runner import Plan

Captured = pytest.CaptureFixture[str]


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("123", 123),
        ("500M", 500 << 20),
        ("2G", 2 << 30),
        ("1.5 GiB", 3 << 29),
        ("1kb", 1024),
        ("1T", 1 << 40),
    ],
)
def test_sizes(text: str, size: int) -> None:
    assert Size().convert(text, None, None) == size
    assert Size().convert(size, None, None) == size


@pytest.mark.parametrize("text", ["", "G", "much", "1X", "-1G", "1e9", "0x10"])
def test_no_sizes(text: str) -> None:
    with pytest.raises(click.BadParameter, match="is no size: write 500M or 2G"):
        Size().convert(text, None, None)


def test_plans() -> None:
    assert make_plan(2, 5.0, 1 << 30, "x:y", in_process=False) == Plan(2, 5.0, 1 << 30, False, "x:y", shrinking=True)
    assert make_plan(1, None, None, None, in_process=True) == Plan(1, in_process=True)
    with pytest.raises(click.UsageError, match="--in-process and --timeout exclude each other"):
        make_plan(None, 5.0, None, None, in_process=True)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.2, "0 s"), (59.4, "59 s"), (90, "2 min"), (3599, "60 min"), (7200, "2.0 h")]
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    "arguments", [("-j", "0"), ("-j", "x"), ("--timeout", "-1"), ("--memory", "lots"), ("--executor", "nowhere")]
)
def test_what_makes_no_sense(arguments: tuple[str, ...], project: Path, capsys: Captured) -> None:
    assert main(["run", "good", *arguments]) == 2
    assert capsys.readouterr().err.startswith("gradcheck: error: ")


def test_the_same_screen_whatever_the_number_of_jobs(project: Path, capsys: Captured) -> None:
    screens = []
    for arguments in (("-j", "1"), ("-j", "3"), ("--executor", "concurrent.futures:ThreadPoolExecutor")):
        assert main(["run", "-v", *arguments]) == 1
        screens.append(capsys.readouterr().out)

    assert screens[0] == screens[1] == screens[2]
    assert "7 cases: " in screens[0]


def test_limits_are_kept(project: Path, capsys: Captured) -> None:
    path = project / "cases" / "mine.py"
    path.write_text(
        path.read_text()
        + "\n\ndef raising_backward(x, g, axis=-1):\n    while True: pass\n"
        + "\n\ndef leaving_backward(x, g, axis=-1):\n    return np.ones(1 << 28)\n"
    )
    assert main(["run", "raising", "leaving", "--timeout", "2", "--memory", "300M"]) == 1

    out = capsys.readouterr().out
    assert "timed out after 2 s in raising_backward (mine.py)" in out
    assert "Unable to allocate 2.00 GiB" in out
    assert "repeat: gradcheck run cases/mine.yaml::raising --seed 0" in out


def test_files_of_a_run_whose_disk_is_full(project: Path, capsys: Captured) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full")
    status = main(["run", "good", "--report", "json=/dev/full", "--report", "json=report.json"])
    out, err = capsys.readouterr()

    assert status == 2
    assert out.startswith("PASS  mine/good")  # the screen is not lost, nor is the other file
    assert err == "gradcheck: error: cannot write '/dev/full': No space left on device\n"
    assert len(json.loads(Path("report.json").read_text())["reports"]) == 1
    assert sorted(os.listdir(project)) == ["cases", "mine.py", "pyproject.toml", "report.json"]


def test_a_debugger_in_the_process(project: Path) -> None:
    path = project / "cases" / "mine.py"
    path.write_text(path.read_text() + "\n\ndef raising_backward(x, g, axis=-1):\n    breakpoint()\n    return g\n")
    done = subprocess.run(
        [sys.executable, "-m", "gradcheck", "run", "raising", "--in-process"],
        input="p 6 * 7\nq\n",
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        timeout=60,
    )

    assert "(Pdb) 42" in done.stdout
    assert "Traceback" not in done.stderr


def test_a_debugger_in_a_worker_says_how(project: Path, capsys: Captured) -> None:
    path = project / "cases" / "mine.py"
    path.write_text(path.read_text() + "\n\ndef raising_backward(x, g, axis=-1):\n    breakpoint()\n    return g\n")
    assert main(["run", "raising"]) == 1
    assert "run it with --in-process" in capsys.readouterr().out
