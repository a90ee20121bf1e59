from __future__ import annotations

from pathlib import Path

import pytest

from gradcheck.errors import UsageError
from gradcheck.model import Report, Verdict
from gradcheck.runner import Plan, run_cases
from tests.runner import hiding
from tests.runner.layers import TWELVE, make_case, make_suite
from tests.runner.test_parallel import text_of

MEMORY = 256 << 20


@pytest.mark.parametrize("executor", ["concurrent.futures:ThreadPoolExecutor", "tests.runner.hiding:pool"])
def test_the_same_as_at_home(executor: str, folder: Path) -> None:
    suite = [case for case in make_suite(folder, 24) if case.timeout is None]
    there = list(run_cases(suite, Plan(jobs=2, memory=MEMORY, executor=executor)))
    here = list(run_cases(suite, Plan(jobs=2, memory=MEMORY)))

    assert text_of(there) == text_of(here)
    assert sum(report.verdict is Verdict.ERROR for report in there) == len(TWELVE) - 2


def test_code_reaches_the_workers(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work = folder / "work"
    (work / "helpers").mkdir(parents=True)
    (work / "helpers" / "__init__.py").write_text("from helpers.more import square\n")
    (work / "helpers" / "more.py").write_text("def square(x): return x * x\n")
    (work / "beside.py").write_text("TWO = 2.0\n")
    (work / "mine.py").write_text(
        "import numpy as np, os\nfrom helpers import square\nfrom beside import TWO\n"
        "def f(x):\n    assert os.path.exists('mine.py')\n    return square(x)\n"
        "def f_backward(g, x): return TWO * x * g\n"
        "def bad(x): raise ValueError(__file__)\n"
    )
    monkeypatch.chdir(work)
    monkeypatch.setenv(hiding.FOLDER, str(work))
    cases = [make_case("good", work, title=name) for name in ("right", "wrong", "module")]
    for case, forward in zip(cases, ["mine.py:f", "mine.py:bad", "mine:f"], strict=True):
        case.layer.forward, case.layer.backward = forward, forward.replace(":bad", ":f") + "_backward"
    here = list(run_cases(cases, Plan(jobs=1)))
    there = list(run_cases(cases, Plan(jobs=1, executor="tests.runner.hiding:open_pool_elsewhere")))

    assert not any(work.iterdir())
    assert [report.verdict for report in there] == [Verdict.PASS, Verdict.ERROR, Verdict.PASS]
    assert there[0].source == here[0].source
    assert there[1].error == f"forward raised ValueError: {work}/mine.py (mine.py:8)"
    assert text_of(there) == text_of(here)


def test_a_result_that_is_lost_is_asked_for_again(folder: Path) -> None:
    cases = [make_case("good", folder, title=name) for name in ("a", "cursed", "b")]
    a, cursed, b = run_cases(cases, Plan(executor="tests.runner.hiding:Lossy"))

    assert a.verdict is b.verdict is Verdict.PASS
    assert cursed.error == "given up after 2 tries: each ended with the worker that ran it (ConnectionError)"


@pytest.mark.parametrize(
    ("executor", "message"),
    [
        ("spark://x:1", "unknown kind of executor 'spark://x:1'"),
        ("nothing", "'nothing' names no executor"),
        ("no_such_module:x", "the executor 'no_such_module:x' cannot be had: ModuleNotFoundError: "),
        ("tests.runner.hiding:missing", "the executor 'tests.runner.hiding:missing' cannot be had: AttributeError: "),
        ("tests.runner.hiding:nothing", "'tests.runner.hiding:nothing' is no concurrent.futures.Executor"),
        ("tests.runner.hiding:lose", "the executor 'tests.runner.hiding:lose' cannot be made: ConnectionError: "),
        ("tests.runner.hiding:broken", "cannot be made: RuntimeError: no workers today"),
        ("tests.runner.hiding:open_other_version", "the workers have gradcheck 0.0.0, here is "),
    ],
)
def test_executors_that_are_none(executor: str, message: str, folder: Path) -> None:
    with pytest.raises(UsageError) as caught:
        list(run_cases([make_case("good", folder)], Plan(executor=executor)))
    assert message in caught.value.message


def test_dask_that_is_not_installed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "distributed", None)
    with pytest.raises(UsageError, match="needs Dask, which is not installed") as caught:
        list(run_cases([make_case("good", folder)], Plan(executor="dask://localhost:8786")))
    assert caught.value.help == "pip install 'gradcheck[dask]'"


def test_what_arrives_late_is_nobodys(folder: Path) -> None:
    from gradcheck.runner.executors import Sending

    sending = Sending(hiding.Lossy(), lambda parcel: Report("a", Verdict.PASS), [])
    sending.stop()
    sending._receive(0, None)  # type: ignore[arg-type]

    assert sending.results.empty()
