from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from uuid import uuid4

import pytest

ROOT = Path(__file__).parents[2]
LAYERS = """
import os, re, subprocess, sys, time
import numpy as np


def good(x):
    return np.tanh(x)


def backward(g, x):
    return g * (1 - np.tanh(x) ** 2)


def started():
    open("started", "w").close()


def loops(x):
    started()
    while True:
        pass


def backtracks(x):  # which lets no other thread of its process run
    started()
    re.match(r"(a+)+$", "a" * 60 + "b")


def forks(x):
    if os.fork() == 0:
        time.sleep(1000)
    started()
    time.sleep(1000)


def daemonises(x):
    if os.fork() == 0:
        os.setsid()
        time.sleep(1000)
    started()
    time.sleep(1000)


def shares(x):
    with open("pids", "a") as file:
        file.write(f"{os.getpid()}\\n")
    with open("pids") as file:
        helped = len(set(file.read().split())) > 1
    if helped:
        started()
        time.sleep(1000)
    time.sleep(0.1)
    return np.tanh(x)


def runs(x):
    subprocess.Popen(["sleep", "1000"])
    started()
    time.sleep(1000)
"""
CASES = """
version: 1
defaults:
  inputs: {x: {shape: [2, 3]}}
cases:
  first: {layer: {forward: mine.py:good, backward: mine.py:backward}}
  stuck: {layer: {forward: mine.py:STUCK, backward: mine.py:backward}}
  last: {layer: {forward: mine.py:good, backward: mine.py:backward}}
"""


class Run:
    """A run of ``python -m gradcheck`` whose processes can be told from all others by their environment."""

    def __init__(self, folder: Path, stuck: str, arguments: Sequence[str], program: Sequence[str]) -> None:
        (folder / "cases").mkdir()
        (folder / "cases" / "mine.py").write_text(LAYERS)
        (folder / "cases" / "all.yaml").write_text(CASES.replace("STUCK", stuck))
        self.mark = f"STOPPING_TEST={uuid4().hex}"
        name, _, value = self.mark.partition("=")
        environment = {**os.environ, "PYTHONPATH": str(ROOT), name: value}
        command = [sys.executable, *program, "run", *arguments]
        self.process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        deadline = time.monotonic() + 60
        # The layer runs in the worker's folder, which is that of the run.
        while not (folder / "started").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        assert (folder / "started").exists(), self.process.communicate(timeout=5)

    def processes(self) -> list[str]:
        """Return the processes of the run that are alive."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                if self.mark.encode() in (entry / "environ").read_bytes():
                    found.append(f"{entry.name} {(entry / 'cmdline').read_text()}")
            except OSError:
                continue
        return found

    def left_after(self, seconds: float) -> list[str]:
        """Return the processes that are there still after so many seconds, or sooner if there are none."""
        deadline = time.monotonic() + seconds
        while (found := self.processes()) and time.monotonic() < deadline:
            time.sleep(0.05)
        return found


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[list[Run]]:
    """The runs of a test, whose processes are ended after it whatever became of them."""
    started: list[Run] = []
    yield started
    for run in started:
        for process in run.processes():
            os.kill(int(process.split()[0]), signal.SIGKILL)
        run.process.communicate()


def begin(
    runs: list[Run], folder: Path, stuck: str, *arguments: str, program: Sequence[str] = ("-m", "gradcheck")
) -> Run:
    runs.append(Run(folder, stuck, arguments, program))
    return runs[-1]


@pytest.mark.parametrize(
    ("stuck", "number"),
    [
        ("loops", signal.SIGINT),
        ("loops", signal.SIGTERM),
        ("backtracks", signal.SIGTERM),
        ("forks", signal.SIGINT),
        ("daemonises", signal.SIGTERM),
        ("runs", signal.SIGINT),
        ("shares", signal.SIGTERM),
    ],
)
def test_a_run_is_stopped(number: signal.Signals, stuck: str, tmp_path: Path, runs: list[Run]) -> None:
    run = begin(runs, tmp_path, stuck, "-j", "2", "--report", "json=report.json")
    time.sleep(0.5)  # for the cases beside it
    run.process.send_signal(number)
    begun = time.monotonic()
    out, err = run.process.communicate(timeout=20)
    took = time.monotonic() - begun

    assert took < 2
    assert not run.left_after(0.5)
    assert (run.process.returncode, err) == (130, "")
    assert "PASS  all/first" in out
    assert "PASS  all/last" in out  # finished out of turn
    assert "interrupted after 2 of 3 cases: 2 passed" in out
    reports = json.loads((tmp_path / "report.json").read_text())["reports"]
    assert [report["verdict"] for report in reports] == ["pass", "error", "pass"]
    assert reports[1]["error"] == "not run: the run was interrupted"
    assert reports[1]["repeat"] == "gradcheck run cases/all.yaml::stuck --seed 0"


@pytest.mark.parametrize("stuck", ["loops", "backtracks", "forks", "runs", "daemonises", "shares"])
def test_nothing_is_left_of_a_run_that_is_killed(stuck: str, tmp_path: Path, runs: list[Run]) -> None:
    run = begin(runs, tmp_path, stuck, "-j", "2")
    assert len(run.processes()) >= 3  # the run, a worker, and the one that watches
    run.process.kill()

    assert not run.left_after(2)
    assert run.process.wait() == -signal.SIGKILL


def test_it_is_the_keeper_that_ends_them(tmp_path: Path, runs: list[Run]) -> None:
    without = (
        "from gradcheck.runner.keeper import Keeper; Keeper.add = lambda *_: None; "
        "from gradcheck.__main__ import main; main()"
    )
    run = begin(runs, tmp_path, "backtracks", "-j", "2", program=("-c", without))
    run.process.kill()

    assert run.left_after(1)


@pytest.mark.parametrize(
    "executor",
    ["concurrent.futures:ThreadPoolExecutor", "concurrent.futures:ProcessPoolExecutor"],
)
def test_a_run_on_an_executor_is_stopped(executor: str, tmp_path: Path, runs: list[Run]) -> None:
    run = begin(runs, tmp_path, "loops", "-j", "2", "--executor", executor)
    time.sleep(1)
    run.process.send_signal(signal.SIGINT)
    begun = time.monotonic()
    out, _ = run.process.communicate(timeout=20)

    assert time.monotonic() - begun < 2
    assert run.process.returncode == 130
    assert "interrupted after 2 of 3 cases: 2 passed" in out
    assert not run.left_after(2)


def test_a_run_in_process_is_stopped(tmp_path: Path, runs: list[Run]) -> None:
    run = begin(runs, tmp_path, "loops", "--in-process")
    run.process.send_signal(signal.SIGTERM)
    out, err = run.process.communicate(timeout=20)

    assert (run.process.returncode, err) == (130, "")
    assert out.startswith("PASS  all/first")


def test_a_signal_that_is_ignored_stays_so(tmp_path: Path) -> None:
    from gradcheck.runner.stopping import stoppable

    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with stoppable():
            assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, before)


def test_handlers_are_given_back() -> None:
    from gradcheck.runner.stopping import Terminated, stoppable

    before = signal.getsignal(signal.SIGTERM)
    with stoppable(), pytest.raises(Terminated):
        signal.raise_signal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is before
