from __future__ import annotations

import signal

import pytest

from gradcheck.model import Case, Expectation, LayerSpec, Place, Report, Verdict
from gradcheck.runner.outcome import describe_end, describe_flood, describe_timeout, fail, failed, not_run


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (0, "the layer ended its process with the status 0"),
        (3, "the layer ended its process with the status 3"),
        (None, "the layer closed or overwrote the pipe of its process"),
        (-signal.SIGSEGV, "the layer crashed with a segmentation fault (SIGSEGV)"),
        (-signal.SIGABRT, "the layer aborted (SIGABRT)"),
        (-signal.SIGTERM, "the process of the layer was killed by SIGTERM"),
        (-signal.SIGKILL, "the process of the layer was killed by SIGKILL, perhaps by the system for want of memory"),
        (-99, "the process of the layer was killed by signal 99"),
    ],
)
def test_ends(status: int | None, text: str) -> None:
    assert describe_end(status) == text


def test_where() -> None:
    assert describe_end(-signal.SIGSEGV, "f (mine.py:3)").endswith("(SIGSEGV) in f (mine.py:3)")
    assert describe_timeout(60, "f (mine.py)") == "timed out after 60 s in f (mine.py)"
    assert describe_timeout(0.5) == "timed out after 0.5 s"
    assert describe_flood(32 << 20) == "the layer flooded its output: more than 32 MiB"


def test_a_failed_case_says_which_it_is() -> None:
    case = Case("a", LayerSpec(target="x", label="mine"), options={"k": 1}, place=Place("a.yaml", 3), tags=("t",))
    case.settings.seed, case.settings.axis = 7, -1
    report = failed(case, "oh", trace="where", output="words")

    assert (report.name, report.layer, report.verdict, report.expected) == ("a", "mine", Verdict.ERROR, False)
    assert (report.error, report.trace, report.output) == ("oh", "where", "words")
    assert (report.options, report.place, report.tags, report.seed, report.axis) == (
        {"k": 1},
        case.place,
        ("t",),
        7,
        -1,
    )


def test_what_was_said_before_is_kept() -> None:
    case = Case("a", LayerSpec(target="x"), expect=Expectation(Verdict.ERROR))
    passed, raised = Report("a", Verdict.PASS), Report("a", Verdict.ERROR, error="forward raised E\n  = help: x")
    fail(passed, case, "oh")
    fail(raised, case, "oh")

    assert (passed.verdict, passed.error, passed.expected) == (Verdict.ERROR, "oh", True)
    assert passed.notes == ["without that, the verdict would be: pass"]
    assert raised.notes == ["besides, forward raised E"]


def test_not_run() -> None:
    assert not_run(Case("a", LayerSpec(target="x"))).error == "not run: the run was interrupted"
