from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from gradcheck.model import Case, Report, Verdict
from gradcheck.report.json import write_json
from gradcheck.report.terminal import draw
from gradcheck.runner import Plan, run_cases
from tests.runner.layers import TWELVE, make_case, make_suite

LIMITS = Plan(memory=256 << 20)


def text_of(reports: list[Report]) -> str:
    """Return everything that is said of a run, but for times."""
    for report in reports:
        report.seconds = 0.0
    return write_json(reports) + "\n".join(draw(report, debug=True, verbose=1) for report in reports)


def check_suite(reports: list[Report], size: int) -> None:
    """Check that the twelve have a clear error each, and all others the verdict that is right."""
    assert len(reports) == size
    assert all(report.expected for report in reports)
    errors = [report for report in reports if report.verdict is Verdict.ERROR]
    said = {report.name.split()[1]: report.error for report in errors}
    assert said == TWELVE
    assert sum(report.verdict is Verdict.FAIL for report in reports) >= size // 5 - len(TWELVE)


def test_reports_are_the_same_whatever_the_number_of_jobs(folder: Path) -> None:
    suite = make_suite(folder, 24)
    alone = list(run_cases(suite, replace(LIMITS, jobs=1)))
    together = list(run_cases(suite, replace(LIMITS, jobs=4)))

    check_suite(alone, 24)
    assert text_of(together) == text_of(alone)


@pytest.mark.long
def test_two_hundred_cases(folder: Path) -> None:
    suite = make_suite(folder, 200)
    alone = list(run_cases(suite, replace(LIMITS, jobs=1)))
    together = list(run_cases(suite, replace(LIMITS, jobs=4)))

    check_suite(alone, 200)
    assert text_of(together) == text_of(alone)


def test_the_text_would_show_a_difference(folder: Path) -> None:
    first, second = (list(run_cases([make_case("good", folder)], Plan(jobs=1))) for _ in range(2))
    second[0].inputs[0].error *= 1 + 1e-15

    assert text_of(first) != text_of(second)


def test_reports_come_in_order_and_as_soon_as_they_can(folder: Path) -> None:
    cases = [make_case("inspects", folder, title="a"), make_case("loops", folder, title="b")]
    cases += [make_case("inspects", folder, title=name) for name in "cd"]
    running = run_cases(cases, Plan(jobs=2, timeout=3))
    begun = time.monotonic()

    assert next(running).name == "a"
    assert time.monotonic() - begun < 3  # not held back by the one behind it
    assert [report.name for report in running] == ["b", "c", "d"]


def test_a_run_that_is_closed_stops(folder: Path) -> None:
    running = run_cases([make_case("good", folder, title="a"), make_case("loops", folder)], Plan(jobs=2))
    next(running)
    begun = time.monotonic()
    running.close()

    assert time.monotonic() - begun < 2


def test_what_is_running_is_told(folder: Path) -> None:
    seen: list[tuple[int, tuple[str, ...]]] = []
    cases = [make_case("good", folder, title="a"), make_case("loops", folder, title="b")]
    plan = Plan(jobs=2, timeout=1)
    list(run_cases(cases, plan, watch=lambda done, running: seen.append((done, tuple(running)))))

    assert seen[0][0] == 0
    assert (1, ("b",)) in seen


def test_one_worker_does_them_all_until_one_misbehaves(folder: Path) -> None:
    text = "import os\ndef f(x): raise ValueError(os.getpid())\ndef f_backward(g, x): return g\n"
    (folder / "pids.py").write_text(text)

    def case(name: str) -> Case:
        made = make_case("good", folder, title=name)
        made.layer.forward, made.layer.backward = "pids.py:f", "pids.py:f_backward"
        return made

    cases = [case("a"), case("b"), make_case("moves", folder), case("c"), case("d")]
    a, b, _, c, d = (report.error for report in run_cases(cases, Plan(jobs=1)))

    assert a == b
    assert c == d
    assert a != c


def test_no_cases() -> None:
    assert list(run_cases([], Plan(jobs=2))) == []
