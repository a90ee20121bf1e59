from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from gradcheck.model import Case, Expectation, InputSpec, LayerSpec, Report, Verdict
from gradcheck.runner import Plan, run_cases
from gradcheck.runner.capture import Tail, captured
from gradcheck.runner.serial import run_serially
from gradcheck.trial import case as trial
from tests.runner.layers import make_case


def case(name: str = "a", expect: Verdict = Verdict.PASS) -> Case:
    return Case(name, LayerSpec(target="x"), expect=Expectation(expect), options={"axis": 1})


def test_one_bad_case_costs_itself_only(monkeypatch: pytest.MonkeyPatch) -> None:
    def trying(each: Case, _: object = None) -> Report:
        if each.name == "exit":
            print("last words")
            sys.exit(3)
        if each.name == "bug":
            raise TypeError("oh")
        return Report(each.name, Verdict.PASS)

    monkeypatch.setattr(trial, "try_case", trying)
    first, left, broken, last = run_serially([*map(case, ["first", "exit", "bug", "last"])])

    assert (first.verdict, last.verdict) == (Verdict.PASS, Verdict.PASS)
    assert (left.verdict, left.error, left.output) == (
        Verdict.ERROR,
        "the layer ended the process: SystemExit(3)",
        "last words\n",
    )
    assert broken.error == "internal error: TypeError: oh\n  = help: this is a bug in gradcheck; --debug shows where"
    assert "in trying" in broken.trace
    assert not left.expected
    assert left.options == {"axis": 1}


def test_an_error_may_be_expected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "try_case", lambda *_: sys.exit(1))
    (report,) = run_serially([case(expect=Verdict.ERROR)])

    assert report.expected


def test_memory_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    def trying(each: Case, _: object = None) -> Report:
        raise MemoryError

    monkeypatch.setattr(trial, "try_case", trying)
    (report,) = run_serially([case()])

    assert report.error == "the case ran out of memory"


def test_ctrl_c_is_let_through(monkeypatch: pytest.MonkeyPatch) -> None:
    def trying(each: Case, _: object = None) -> Report:
        raise KeyboardInterrupt

    monkeypatch.setattr(trial, "try_case", trying)
    with pytest.raises(KeyboardInterrupt):
        list(run_serially([case()]))


def test_what_a_layer_prints_is_kept_away(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def trying(each: Case, _: object = None) -> Report:
        print("to stdout")
        print("to stderr", file=sys.stderr)
        return Report(each.name, Verdict.ERROR)

    monkeypatch.setattr(trial, "try_case", trying)
    (report,) = run_serially([case()])
    assert report.output == "to stdout\nto stderr\n"
    assert capsys.readouterr() == ("", "")

    (report,) = run_cases([case()], Plan(in_process=True))
    assert report.output == ""
    assert capsys.readouterr() == ("to stdout\n", "to stderr\n")


def test_the_process_is_put_in_order(folder: Path) -> None:
    names = ["moves", "sets_environment", "reseeds", "inspects"]
    moves, sets, reseeds, inspects = run_cases([make_case(name, folder) for name in names], Plan(in_process=True))

    assert moves.error == "the layer changed the working directory (/)"
    assert sets.error == "the layer changed the environment (LAYER_WAS_HERE)"
    assert reseeds.verdict is Verdict.PASS
    assert (os.getcwd(), "LAYER_WAS_HERE" in os.environ) == (str(folder), False)
    assert inspects.error.startswith("forward raised AssertionError")  # of standard output: pytest's own is there


def test_what_loading_changes_is_forgiven(folder: Path) -> None:
    (folder / "sets.py").write_text(
        "import os\nos.environ['LAYER_WAS_HERE'] = '1'\n"
        "def f(x): return x * x\n"
        "def f_backward(g, x): return 2 * x * g\n"
        "def g(x):\n    os.environ['AND_HERE'] = '1'\n    return x * x\n"
    )
    cases = [
        Case(name, LayerSpec(forward=f"sets.py:{name}", backward="sets.py:f_backward"), {"x": InputSpec(shape=(3,))})
        for name in "fg"
    ]
    loads, calls = run_serially(cases)

    assert (loads.verdict, loads.error) == (Verdict.PASS, "")
    assert calls.error == "the layer changed the environment (AND_HERE)"
    assert not {"LAYER_WAS_HERE", "AND_HERE"} & set(os.environ)


def test_a_tail_remembers_the_end() -> None:
    tail = Tail(cap=20)
    for number in range(100):
        assert tail.write(f"line {number}\n") > 0

    assert tail.text == "line 98\nline 99\n"
    assert tail.writable()


def test_a_tail_without_lines() -> None:
    tail = Tail(cap=5)
    tail.write("0123456789")

    assert tail.text == "56789"


def test_captured_gives_the_streams_back() -> None:
    before = sys.stdout
    with captured() as tail:
        print("x")

    assert tail.text == "x\n"
    assert sys.stdout is before
