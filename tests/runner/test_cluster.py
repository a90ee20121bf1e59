"""A real Dask cluster of processes, some of which are killed."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gradcheck.errors import UsageError
from gradcheck.model import Case, Report, Verdict
from gradcheck.runner import Plan, run_cases
from tests.runner.layers import make_case, make_suite
from tests.runner.test_parallel import check_suite, text_of
from tests.runner.test_shards import case as large
from tests.runner.test_shards import forget_calls, say_alone

distributed = pytest.importorskip("distributed")

pytestmark = [
    pytest.mark.dask,
    # What distributed and tornado leave behind when processes die is theirs.
    pytest.mark.filterwarnings("ignore"),
]
MEMORY = 256 << 20


@pytest.fixture
def cluster(folder: Path) -> Iterator[Any]:
    """Two workers, each a process that its nanny starts anew when it dies."""
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
    ) as running:
        yield running


def address(cluster: Any) -> str:
    return str(cluster.scheduler_address).replace("tcp://", "dask://")


def kill_a_worker(cluster: Any) -> None:
    os.kill(next(iter(cluster.workers.values())).pid, signal.SIGKILL)


def run_with_a_worker_killed(cluster: Any, suite: list[Case], plan: Plan) -> list[Report]:
    running = run_cases(suite, plan)
    reports = [next(running) for _ in range(len(suite) // 10)]
    kill_a_worker(cluster)
    return [*reports, *running]


def test_a_suite_with_a_worker_killed(cluster: Any, folder: Path) -> None:
    suite = make_suite(folder, 24)
    plan = Plan(memory=MEMORY, executor=address(cluster))
    there = run_with_a_worker_killed(cluster, suite, plan)
    here = list(run_cases(suite, Plan(jobs=2, memory=MEMORY)))

    check_suite(there, 24)
    assert text_of(there) == text_of(here)


@pytest.mark.long
def test_two_hundred_cases_with_a_worker_killed(cluster: Any, folder: Path) -> None:
    suite = make_suite(folder, 200)
    plan = Plan(memory=MEMORY, executor=address(cluster))
    there = run_with_a_worker_killed(cluster, suite, plan)
    here = list(run_cases(suite, Plan(jobs=4, memory=MEMORY)))

    check_suite(there, 200)
    assert text_of(there) == text_of(here)


def test_a_case_that_kills_workers_is_given_up(cluster: Any, folder: Path) -> None:
    (folder / "kills.py").write_text(
        "import os, signal, time\n"
        "def f(x):\n"
        "    with open('tries', 'a') as file: file.write('x')\n"
        "    time.sleep(0.3)\n"
        "    os.kill(os.getppid(), signal.SIGKILL)\n"
        "    time.sleep(10)\n"
        "def f_backward(g, x): return g\n"
    )
    bad = make_case("good", folder, title="bad")
    bad.layer.forward, bad.layer.backward = "kills.py:f", "kills.py:f_backward"
    cases = [make_case("good", folder, title="a"), bad, *(make_case("good", folder, title=name) for name in "bcdef")]
    reports = list(run_cases(cases, Plan(executor=address(cluster))))

    assert [report.verdict for report in reports] == [Verdict.PASS, Verdict.ERROR, *[Verdict.PASS] * 5]
    assert reports[1].error == "given up after 2 tries: each ended with the worker that ran it"
    assert (folder / "tries").read_text() == "xx"


def test_a_cluster_is_left_as_it_was(cluster: Any, folder: Path) -> None:
    before = {worker.pid for worker in cluster.workers.values()}
    list(run_cases([make_case("good", folder), make_case("leaves", folder)], Plan(executor=address(cluster))))

    assert {worker.pid for worker in cluster.workers.values()} == before


def test_a_closed_run_is_over_at_once(cluster: Any, folder: Path) -> None:
    cases = [make_case("good", folder, title="a"), *(make_case("loops", folder, title=name) for name in "bcd")]
    running = run_cases(cases, Plan(executor=address(cluster)))
    next(running)
    begun = time.monotonic()
    running.close()

    assert time.monotonic() - begun < 2


def test_nobody_answers(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gradcheck.runner.cluster._PATIENCE", 0.5)
    with pytest.raises(UsageError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:9") as caught:
        list(run_cases([make_case("good", folder)], Plan(executor="dask://127.0.0.1:9")))
    assert caught.value.help == "start one: dask scheduler"


def test_a_large_case_is_shared_by_the_workers(cluster: Any, folder: Path) -> None:
    made = large(folder)
    here = say_alone(made)[0]
    forget_calls()
    (there,) = run_cases([made], Plan(executor=address(cluster)))

    assert text_of([there]) == here
    assert len(set(Path("calls").read_text().split())) == 2


def test_a_worker_is_killed_while_it_helps(cluster: Any, folder: Path) -> None:
    made = large(folder, help_="if calls > 20: os.kill(os.getppid(), signal.SIGKILL)")
    here = say_alone(made)[0]
    forget_calls()
    (there,) = run_cases([made], Plan(executor=address(cluster)))

    assert text_of([there]) == here
    assert len(set(Path("calls").read_text().split())) >= 2
