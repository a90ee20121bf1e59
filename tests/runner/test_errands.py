"""What is fetched of cases in place of a trial: in their order, from workers, with what went wrong said."""

from __future__ import annotations

import os
import threading
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from gradcheck.errors import LayerError, UsageError
from gradcheck.model import Audit, Case, Verdict
from gradcheck.runner import Plan, run_errand
from gradcheck.runner.errands import AuditErrand, ExampleErrand, SweepErrand, fetch
from gradcheck.trial.case import audit_case, realise
from tests.runner.layers import make_case


@dataclass(frozen=True)
class Where:
    """Names the process that the errand is run in."""

    def __call__(self, case: Case) -> int:
        return os.getpid()


@dataclass(frozen=True)
class Unsendable:
    """Finds what cannot be sent."""

    def __call__(self, case: Case) -> object:
        return threading.Lock()


def test_audits_come_in_the_order_of_their_cases(folder: Path) -> None:
    cases = [make_case(name, folder, title=str(i)) for i, name in enumerate(["good", "leaves", "good", "raises"])]
    found = {jobs: list(run_errand(cases, AuditErrand(), Plan(jobs=jobs))) for jobs in (1, 2)}

    assert [name for name, _ in found[1]] == ["0", "1", "2", "3"]
    for (_, one), (_, other) in zip(found[1], found[2], strict=True):
        assert isinstance(one, LayerError) == isinstance(other, LayerError)
        assert str(one) == str(other)
    for place in (0, 2):
        assert found[1][place][1] == audit_case(cases[place])
    (_, left), (_, raised) = found[1][1], found[1][3]
    assert str(left) == "the layer ended its process with the status 0"
    assert isinstance(raised, LayerError)
    assert str(raised).startswith("forward raised ValueError: no way [/bold]")
    assert "in raises" in raised.trace


def test_the_users_code_is_run_elsewhere(folder: Path) -> None:
    ((_, worker),) = run_errand([make_case("good", folder)], Where(), Plan(jobs=1))
    ((_, here),) = run_errand([make_case("good", folder)], Where(), Plan(in_process=True))

    assert worker != os.getpid()
    assert here == os.getpid()


def test_no_executor_is_asked(folder: Path) -> None:
    ((_, found),) = run_errand([make_case("good", folder)], Where(), Plan(jobs=1, executor="nowhere:at_all"))

    assert isinstance(found, int)


def test_what_cannot_be_sent(folder: Path) -> None:
    ((_, found),) = run_errand([make_case("good", folder)], Unsendable(), Plan(jobs=1))

    assert isinstance(found, LayerError)
    assert str(found).startswith("internal error: the report cannot be sent")


def test_a_layer_that_leaves_traces_has_no_result(folder: Path) -> None:
    case = make_case("sets_environment", folder)
    ((_, found),) = run_errand([case], AuditErrand(), Plan(jobs=1))

    assert str(found) == "the layer changed the environment (LAYER_WAS_HERE)"


def test_whoever_has_enough_ends_the_rest(folder: Path) -> None:
    cases = [make_case("good", folder), make_case("loops", folder)]
    with closing(run_errand(cases, AuditErrand(), Plan(jobs=1, timeout=100))) as running:
        name, found = next(running)

    assert name == cases[0].name
    assert isinstance(found, Audit)
    assert not [each for each in threading.enumerate() if each.name.startswith("gradcheck")]


def test_an_errand_that_is_refused(folder: Path) -> None:
    report = fetch(make_case("good", folder), SweepErrand("y"))

    assert report.verdict is Verdict.ERROR
    assert report.error == "'y' is not differentiated\n  = help: the inputs are x"
    assert "in sweep_case" in report.trace
    assert report.found is None


def test_an_error_of_our_own_is_told_from_the_layers(folder: Path) -> None:
    class Broken:
        def __call__(self, case: Case) -> object:
            raise UsageError("no") if case.name == "refused" else KeyError("oh")

    cases = [make_case("good", folder, title=title) for title in ("refused", "broken")]
    (_, refused), (_, broken) = run_errand(cases, Broken(), Plan(in_process=True))

    assert str(refused) == "no"
    assert str(broken).startswith("internal error: KeyError: 'oh'")


def test_the_arrays_that_repeat_a_case(folder: Path) -> None:
    case = make_case("good", folder)
    ((_, example),) = run_errand([case], ExampleErrand(failing=False, rule=None), Plan(jobs=1))

    assert not isinstance(example, LayerError)
    np.testing.assert_array_equal(example.inputs["x"], realise(case)[1]["x"])
    assert example.upstream is None


@pytest.mark.parametrize("errand", [AuditErrand(), SweepErrand("x", (1,)), ExampleErrand(failing=True, rule="r")])
def test_errands_are_plain_data(errand: object) -> None:
    import pickle

    assert pickle.loads(pickle.dumps(errand)) == errand
