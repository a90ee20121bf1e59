"""Failing cases made smaller: which shapes are tried, which are believed, and where."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gradcheck.errors import UsageError
from gradcheck.model import (
    Case,
    Counts,
    Expectation,
    Finding,
    InputReport,
    InputSpec,
    LayerSpec,
    Report,
    Severity,
    Verdict,
)
from gradcheck.report.json import write_json
from gradcheck.runner import Plan, run_cases
from gradcheck.runner.shrinking import CALLS, TRIES, apply_reduction, shrink

Shape = tuple[int, ...]
Rule = Callable[[Case], "str | None"]


def case(**shapes: Shape) -> Case:
    return Case("a", LayerSpec(target="x"), {name: InputSpec(shape=shape) for name, shape in shapes.items()})


def failure(rule: str = "bug", also: tuple[str, ...] = (), calls: int = 0) -> Report:
    finding = Finding(rule, Severity.BUG, "wrong", also=also)
    return Report("a", Verdict.FAIL, [finding], expected=False, counts=Counts(calls, 0))


class Layer:
    """A stand-in for the trial of a case: it fails with what the rule says, raises for ``error``, else passes."""

    def __init__(self, rule: Rule, calls: int = 10) -> None:
        self.rule, self.calls = rule, calls
        self.tried: list[Case] = []

    def __call__(self, case: Case, _: float | None) -> Report:
        self.tried.append(case)
        said = self.rule(case)
        counts = Counts(self.calls, 0)
        if said is None or said == "error":
            return Report("a", Verdict.PASS if said is None else Verdict.ERROR, counts=counts)
        return failure(said, calls=self.calls)


def shapes(case: Case) -> dict[str, Shape]:
    return {name: spec.shape or () for name, spec in case.inputs.items()}


def test_the_smallest_shape_that_still_fails() -> None:
    layer = Layer(lambda each: "bug" if shapes(each)["x"][0] >= 2 and shapes(each)["x"][1] >= 7 else None)
    report, big = failure(), case(x=(4, 30))
    shrink(report, big, layer)

    assert report.reduced is not None
    assert report.reduced.shapes == {"x": (2, 7)}
    assert report.reduced.tries == len(layer.tried) <= TRIES
    assert report.reduced.counts.forwards == 10 * len(layer.tried)
    assert shapes(apply_reduction(big, report.reduced)) == {"x": (2, 7)}


def test_equal_lengths_shrink_together() -> None:
    def rule(each: Case) -> str | None:
        x, w = shapes(each)["x"], shapes(each)["w"]
        return "bug" if x[1] == w[0] else "error"

    report = failure()
    shrink(report, case(x=(4, 5), w=(5, 3)), Layer(rule))

    assert report.reduced is not None
    assert report.reduced.shapes == {"x": (1, 1), "w": (1, 1)}


def test_an_option_that_says_a_length_follows_where_it_must() -> None:
    def rule(each: Case) -> str | None:
        return "bug" if shapes(each)["x"][1] == each.options["size"] else "error"

    small, report = case(x=(4, 5)), failure()
    small.options = {"size": 5, "groups": 7, "axis": 4, "flag": True}
    shrink(report, small, Layer(rule))

    assert report.reduced is not None
    assert (report.reduced.shapes, report.reduced.options) == ({"x": (1, 1)}, {"size": 1})
    # the layer did not ask for it
    report, indifferent = failure(), Layer(lambda _: "bug")
    shrink(report, small, indifferent)
    assert report.reduced is not None
    assert report.reduced.options == {}
    assert all(each.options == small.options for each in indifferent.tried)


def test_another_bug_is_not_believed() -> None:
    report = failure()
    shrink(report, case(x=(4, 6)), Layer(lambda each: "bug" if shapes(each)["x"][0] >= 3 else "other"))

    assert report.reduced is not None
    assert report.reduced.shapes == {"x": (3, 1)}


def test_what_is_consistent_with_more_is_not_believed() -> None:
    def attempt(each: Case, _: float | None) -> Report:
        return failure(also=("twin",) if shapes(each)["x"][0] < 3 else ())

    report = failure()
    shrink(report, case(x=(4,)), attempt)
    assert report.reduced is not None
    assert report.reduced.shapes == {"x": (3,)}


def test_a_failure_without_a_name() -> None:
    def unnamed(*names: str) -> Report:
        parts = [InputReport(name, (4,), "float64", Verdict.FAIL) for name in names]
        return Report("a", Verdict.FAIL, inputs=parts, expected=False)

    report = unnamed("x", "y")
    shrink(report, case(x=(4,)), lambda each, _: unnamed("x") if shapes(each)["x"][0] > 1 else unnamed("z"))

    assert report.reduced is not None
    assert report.reduced.shapes == {"x": (2,)}


def test_lengths_of_what_is_given_stay() -> None:
    fixed = case(x=(4, 5), w=(5,), pinned=(4, 2))
    fixed.inputs["labels"] = InputSpec("values", parameters={"values": [1, 2, 3, 4, 5]})
    fixed.inputs["pinned"].pin = [((0, 1), 0.0)]
    layer = Layer(lambda _: "bug")
    shrink(failure(), fixed, layer)

    assert layer.tried == []
    fixed.settings.upstream = [InputSpec(shape=(7, 1))]
    fixed.inputs["free"] = InputSpec(shape=(5, 7, 3))
    report = failure()
    shrink(report, fixed, layer)
    assert report.reduced is not None
    assert report.reduced.shapes == {"free": (5, 7, 1)}


@pytest.mark.parametrize(
    "report",
    [
        Report("a", Verdict.PASS, expected=False),
        Report("a", Verdict.ERROR, expected=False),
        Report("a", Verdict.UNDECIDED, expected=False),
        Report("a", Verdict.FAIL, expect=Expectation(Verdict.FAIL)),
    ],
)
def test_what_costs_nothing(report: Report) -> None:
    layer = Layer(lambda _: "bug")
    shrink(report, case(x=(4, 5)), layer)

    assert (layer.tried, report.reduced) == ([], None)


def test_nothing_smaller_fails() -> None:
    report = failure()
    shrink(report, case(x=(4, 5)), Layer(lambda _: None))

    assert report.reduced is None


def test_the_search_has_an_end() -> None:
    never = Layer(lambda _: None, calls=1)
    shrink(failure(), case(x=(4000, 5000, 6000)), never)
    assert len(never.tried) == TRIES

    dear = Layer(lambda _: None, calls=CALLS // 3)
    shrink(failure(calls=CALLS // 3), case(x=(4000, 5000, 6000)), dear)
    assert len(dear.tried) == 4

    late = Layer(lambda _: "bug")
    report = failure()
    shrink(report, case(x=(4, 5)), late, limit=0.0)
    assert (late.tried, report.reduced) == ([], None)


def test_a_worker_that_cannot_be_started_costs_no_report() -> None:
    def attempt(_: Case, __: float | None) -> Report:
        raise UsageError("a worker process cannot be started")

    report = failure()
    shrink(report, case(x=(4, 5)), attempt)

    assert (report.verdict, report.reduced) == (Verdict.FAIL, None)


def test_in_workers_and_here_alike(folder: Path) -> None:
    Path(folder, "twos.py").write_text(
        "import os\n"
        "def double(x):\n"
        "    return 2 * x\n"
        "def wrong(g, x):\n"
        "    return 4 * g\n"
        "def crash(g, x):\n"
        "    if x.size < 12:\n"
        "        os._exit(0)\n"
        "    return 4 * g\n"
    )
    cases = [
        Case(
            name,
            LayerSpec(forward="twos.py:double", backward=f"twos.py:{name}", base=str(folder)),
            {"x": InputSpec(shape=(3, 4))},
        )
        for name in ("wrong", "crash")
    ]
    found = {jobs: list(run_cases(cases, Plan(jobs=jobs, shrinking=True))) for jobs in (1, 2)}
    for reports in found.values():
        for report in reports:
            report.seconds = 0.0
        smaller, crashed = reports
        assert smaller.reduced is not None
        assert smaller.reduced.shapes == {"x": (1, 1)}
        # smaller shapes end the worker; the report is as it was
        assert (crashed.verdict, crashed.findings[0].rule, crashed.reduced) == (
            Verdict.FAIL,
            smaller.findings[0].rule,
            None,
        )
    assert write_json(found[1]) == write_json(found[2])
    (unasked,) = run_cases(cases[:1], Plan(jobs=1))
    assert unasked.reduced is None
