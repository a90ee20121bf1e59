"""One large case, evaluated by several workers: the report of one, and nothing else that shows."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from gradcheck.model import Case, InputSpec, LayerSpec, Report, Settings, Verdict
from gradcheck.runner import Plan, run_cases
from tests.runner.layers import make_case
from tests.runner.test_isolation import survivors
from tests.runner.test_parallel import text_of

# The worker that has the case is the first to call the layer; all others only help.
LAYER = """
import os, signal, sys, time
import numpy as np

W = np.random.default_rng(0).standard_normal((6, 6))


def note():
    try:
        with open("home", "x") as file:
            file.write(str(os.getpid()))
    except FileExistsError:
        pass
    with open("calls", "a") as file:
        file.write(f"{os.getpid()}\\n")
    with open("calls") as file:
        calls = file.read().split()
    with open("home") as file:
        helping = file.read() != str(os.getpid())
    return helping, calls.count(str(os.getpid())), len(set(calls)) > 1


def forward(x):
    time.sleep(0.02)
    helping, calls, helped = note()
    if helping:
        HELP
    return (np.tanh(x) @ W).T


def rows(x):
    time.sleep(0.0006 * len(x))
    note()
    return np.tanh(x)


def quick(x):
    note()
    return (np.tanh(x) @ W).T


def endless(x):
    if note()[2]:
        time.sleep(1000)
    time.sleep(0.02)
    return (np.tanh(x) @ W).T


def backward(g, x):
    return (g.T @ W.T) * (1 - np.tanh(x) ** 2)


def rows_backward(g, x):
    return g * (1 - np.tanh(x) ** 2)
"""


def case(folder: Path, forward: str = "forward", backward: str = "backward", *, help_: str = "pass") -> Case:
    (folder / "large.py").write_text(LAYER.replace("HELP", help_))
    spec = LayerSpec(forward=f"large.py:{forward}", backward=f"large.py:{backward}", base=str(folder))
    settings = Settings(mode="entries", glance=False)
    return Case("large", spec, {"x": InputSpec(shape=(12, 6))}, settings=settings)


def run(made: Case, jobs: int, *, timeout: float | None = None) -> tuple[Report, list[int]]:
    """Return the report, and how often each worker has called the layer: the one that has the case first."""
    for name in ("home", "calls"):
        Path(name).unlink(missing_ok=True)
    (report,) = run_cases([made], Plan(jobs=jobs, timeout=timeout))
    counts = Counter(Path("calls").read_text().split())
    home = counts.pop(Path("home").read_text())
    return report, [home, *counts.values()]


_alone: dict[str | None, tuple[str, int]] = {}


def say_alone(made: Case) -> tuple[str, int]:
    """Return what one worker says of a case, and how often it calls the layer; that is the same for all of a layer."""
    if made.layer.forward not in _alone:
        report, (calls,) = run(made, 1)
        assert report.verdict is Verdict.PASS, report.error
        _alone[made.layer.forward] = text_of([report]), calls
    return _alone[made.layer.forward]


def check_equal(made: Case, jobs: int = 2) -> list[int]:
    """Check that the report is that of one worker; return the calls of each."""
    together, shared = run(made, jobs)

    assert text_of([together]) == say_alone(made)[0]
    return shared


def test_a_large_case_is_shared(folder: Path) -> None:
    made = case(folder)
    home, helper = check_equal(made)

    assert helper > 30
    assert home < say_alone(made)[1]


def test_points_that_go_through_one_call_are_shared(folder: Path) -> None:
    made = case(folder, "rows", "rows_backward")
    made.settings = replace(made.settings, mode="full")
    made.inputs["x"] = InputSpec(shape=(12, 12))
    shared = check_equal(made)

    assert say_alone(made)[1] < 2 * 12 * 12  # calls are fewer than points
    assert len(shared) == 2


def test_a_small_case_is_not(folder: Path) -> None:
    assert len(check_equal(case(folder, "quick"))) == 1


def test_nobody_helps_who_has_a_case_of_his_own(folder: Path) -> None:
    made = case(folder)
    other = make_case("loops", folder)
    other.timeout = 8.0
    Path("calls").unlink(missing_ok=True)
    list(run_cases([other, made], Plan(jobs=2)))

    assert len(set(Path("calls").read_text().split())) == 1


@pytest.mark.parametrize(
    ("help_", "most"),
    [
        ("if calls > 20: os.kill(os.getpid(), signal.SIGKILL)", 3 * 21),
        ("if calls > 20: os._exit(0)", 3 * 21),
        ("raise ValueError('not here')", 3),
        ("return (np.tanh(x) @ W).T * (1 + 1e-15)", 40),
        ("print('I am helping')", 40),
        ("os.environ['LAYER_WAS_HERE'] = '1'", 1000),
        ("return np.tanh(x)[:1]", 40),
        ("os.fork()", 40),
    ],
    ids=["killed", "exits", "raises", "differs", "prints", "sets", "shape", "forks"],
)
def test_help_that_is_no_help(help_: str, most: int, folder: Path) -> None:
    _, *helpers = check_equal(case(folder, help_=help_))

    assert helpers
    assert all(calls <= most for calls in helpers)
    assert not survivors(folder)


def test_a_helper_that_hangs(folder: Path) -> None:
    _, *helpers = check_equal(case(folder, help_="time.sleep(1000)"))

    assert helpers
    assert not survivors(folder)


def test_a_case_that_times_out_while_it_is_shared(folder: Path) -> None:
    report, calls = run(case(folder, "endless"), 2, timeout=8)

    assert report.error == "timed out after 8 s in endless (large.py)"
    assert len(calls) == 2
    assert not survivors(folder)


def test_a_run_that_is_stopped_while_a_case_is_shared(folder: Path) -> None:
    """By Ctrl-C, in the middle of a shard."""
    made = case(folder, help_="signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(1000)")
    Path("calls").write_text("")

    def interrupt(_: int, __: object) -> None:
        if len(set(Path("calls").read_text().split())) > 1:
            begun.append(time.monotonic())
            raise KeyboardInterrupt

    begun: list[float] = []
    with pytest.raises(KeyboardInterrupt):
        list(run_cases([made], Plan(jobs=2), watch=interrupt))
    assert time.monotonic() - begun[0] < 2  # the limit of the whole run
    assert not survivors(folder)


def test_the_case_is_lost_while_it_is_shared(folder: Path) -> None:
    """Its helper is free for the next one, in a worker that is as good as new."""
    made = case(folder, "forward")
    text = (folder / "large.py").read_text()
    (folder / "large.py").write_text(
        text.replace("    if helping:\n", "    if helped and not helping: os._exit(3)\n    if helping:\n")
    )
    lost, calls = run(made, 2)

    assert lost.error == "the layer ended its process with the status 3"
    assert len(calls) == 2
    assert not survivors(folder)


def test_four_workers(folder: Path) -> None:
    assert len(check_equal(case(folder), 4)) == 4
