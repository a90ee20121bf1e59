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

# The worker that has the case is the first to call the layer; all others only help. A call takes its time until
# help has come, for quick cases are not shared; then there is nothing left to wait for.
LAYER = """
import os, signal, sys, time
import numpy as np

W = np.random.default_rng(0).standard_normal((6, 6))
PAUSE = float(os.environ.get("PAUSE_OF_LAYER", "0.02"))
ENOUGH = int(os.environ.get("ENOUGH_FOR_LAYER", "1"))


def note(pauses=1):
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
    helped = len(set(calls)) > ENOUGH
    time.sleep(pauses * (PAUSE / 20 if helped else PAUSE))
    return helping, calls.count(str(os.getpid())), helped


def forward(x):
    helping, calls, helped = note()
    if helping:
        HELP
    return (np.tanh(x) @ W).T


def rows(x):
    note(len(x) / 20)
    return np.tanh(x)


def endless(x):
    if note()[2]:
        time.sleep(1000)
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
    forget_calls()
    (report,) = run_cases([made], Plan(jobs=jobs, timeout=timeout))
    counts = Counter(Path("calls").read_text().split())
    home = counts.pop(Path("home").read_text())
    return report, [home, *counts.values()]


def forget_calls() -> None:
    """Have the next worker that calls the layer be the first."""
    for name in ("home", "calls"):
        Path(name).unlink(missing_ok=True)


_alone: dict[str | None, tuple[str, int]] = {}


def say_alone(made: Case) -> tuple[str, int]:
    """Return what one worker says of a case, and how often it calls the layer; that is the same for all of a layer."""
    if made.layer.forward not in _alone:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PAUSE_OF_LAYER", "0")  # nobody comes, so nobody is waited for
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


def test_a_small_case_is_not(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAUSE_OF_LAYER", "0")

    assert len(check_equal(case(folder))) == 1


def test_nobody_helps_who_has_a_case_of_his_own(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not for as long as it takes him: until the large case has called its layer as often as one worker does alone."""
    monkeypatch.setenv("PAUSE_OF_LAYER", "0.01")
    made = case(folder)
    calls = say_alone(made)[1]
    (folder / "busy.py").write_text(
        "import time\n"
        "def count():\n"
        "    try: return len(open('calls').readlines())\n"
        "    except FileNotFoundError: return 0\n"
        "def f(x):\n"
        f"    while count() < {calls}: time.sleep(0.02)\n"
        "    return x\n"
        "def f_backward(g, x): return g\n"
    )
    other = make_case("good", folder)
    other.layer.forward, other.layer.backward = "busy.py:f", "busy.py:f_backward"
    forget_calls()
    reports = list(run_cases([other, made], Plan(jobs=2, timeout=60)))

    assert [report.verdict for report in reports] == [Verdict.PASS] * 2
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
    report, calls = run(case(folder, "endless"), 2, timeout=5)

    assert report.error == "timed out after 5 s in endless (large.py)"
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


def test_four_workers(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENOUGH_FOR_LAYER", "3")

    assert len(check_equal(case(folder), 4)) == 4
