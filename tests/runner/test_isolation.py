from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gradcheck.errors import UsageError
from gradcheck.model import Case, InputSpec, LayerSpec, Report, Verdict
from gradcheck.runner import Plan, run_cases
from gradcheck.runner.keeper import Keeper
from tests.runner.layers import ALLOWED, MORE, TWELVE, make_case, write_layers

MEMORY = 256 << 20
LIMITED = Plan(jobs=1, memory=MEMORY)
ENDLESS = ("loops", "locks", "backtracks")
ALL = [*TWELVE, *MORE, *ALLOWED, "leaves_processes"]


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, tuple[Report, Report]]]:
    """Every layer's report, and that of a layer which was tried after it and looks around.

    The latter is in the same worker, or the one that has taken its place: each of the two runs has one.
    """
    folder = tmp_path_factory.mktemp("layers")
    write_layers(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("HOME_OF_TEST", str(folder))
        with ThreadPoolExecutor(2) as pool:
            reports = [report for half in pool.map(lambda at: run_all(ALL[at::2], folder), range(2)) for report in half]
        yield {first.name: (first, after) for first, after in zip(reports[::2], reports[1::2], strict=True)}
        assert not survivors(folder)


def run_all(names: Sequence[str], folder: Path) -> list[Report]:
    cases = []
    for name in names:
        cases += [make_case(name, folder), make_case("inspects", folder, title=f"after {name}")]
        cases[-2].timeout = 1.0 if name in ENDLESS else None
    return list(run_cases(cases, LIMITED))


Pairs = dict[str, tuple[Report, Report]]


@pytest.mark.parametrize("name", [*TWELVE, *MORE])
def test_a_bad_layer_costs_its_own_case(name: str, pairs: Pairs) -> None:
    report, _ = pairs[name]

    assert report.verdict is Verdict.ERROR
    assert not report.expected
    assert report.error == {**TWELVE, **MORE}[name]


@pytest.mark.parametrize("name", ALL)
def test_the_case_after_it_sees_a_clean_process(name: str, pairs: Pairs) -> None:
    _, after = pairs[name]

    assert (after.verdict, after.error) == (Verdict.PASS, "")


@pytest.mark.parametrize("name", ALLOWED)
def test_what_is_allowed(name: str, pairs: Pairs) -> None:
    report, _ = pairs[name]

    assert (report.verdict, report.error) == (Verdict.PASS, "")


def test_processes_that_are_left_are_ended(pairs: Pairs) -> None:
    report, _ = pairs["leaves_processes"]

    assert report.error.startswith("the layer left ")
    assert report.error.endswith(" processes running")


@pytest.mark.parametrize(
    ("name", "output"),
    [
        ("raises", "about to\n"),
        ("leaves", "last words\n"),
        ("segfaults", "last words\n"),
        ("loops", "for ever\n"),
        ("prints", ""),  # what passes says nothing
    ],
)
def test_the_last_output_is_kept(name: str, output: str, pairs: Pairs) -> None:
    report = pairs[name][0]

    assert report.output[: len(output)] == output
    assert bool(report.output) == bool(output)


def test_a_flood_is_cut(pairs: Pairs) -> None:
    report = pairs["floods"][0]

    assert 3000 < len(report.output) <= 4096
    assert set(report.output) == {"y", "\n"}
    assert report.output.split("\n")[0] == "y" * 999


def test_where_it_crashed_is_in_the_trace(pairs: Pairs) -> None:
    report = pairs["segfaults"][0]

    assert report.trace.startswith("Fatal Python error: Segmentation fault\n")
    assert '/layers.py", line 41 in segfaults' in report.trace
    assert "Fatal" not in report.output


def test_memory_is_named(pairs: Pairs) -> None:
    report = pairs["allocates"][0]

    assert report.notes == ["a case may take 0.25 GiB here; --memory changes that"]


def test_what_the_gradients_are_is_said_all_the_same(pairs: Pairs) -> None:
    assert pairs["sets_handler"][0].notes == ["without that, the verdict would be: pass"]


def test_a_case_that_expects_an_error(folder: Path) -> None:
    case = make_case("leaves", folder)
    case.expect.verdict = Verdict.ERROR
    (report,) = run_cases([case], LIMITED)

    assert report.expected


def test_what_loading_changes_is_forgiven(folder: Path) -> None:
    text = "import os\nos.environ['LAYER_WAS_HERE'] = '1'\nos.chdir(os.sep)\nfrom math import *\n"
    (folder / "sets.py").write_text(text + "def f(x): return x * x\ndef f_backward(g, x): return 2 * x * g\n")
    spec = LayerSpec(forward="sets.py:f", backward="sets.py:f_backward", base=str(folder))
    first, after = run_cases([Case("a", spec, {"x": InputSpec(shape=(3,))}), make_case("inspects", folder)], LIMITED)

    assert (first.verdict, first.error) == (Verdict.PASS, "")
    assert after.verdict is Verdict.PASS


def test_a_file_that_forks_while_it_is_loaded(folder: Path) -> None:
    text = "import os\nos.fork()\nos.environ['LAYER_WAS_HERE'] = '1'\n"
    (folder / "forking.py").write_text(text + "def f(x): return x * x\ndef f_backward(g, x): return 2 * x * g\n")
    spec = LayerSpec(forward="forking.py:f", backward="forking.py:f_backward", base=str(folder))
    first, after = run_cases([Case("a", spec, {"x": InputSpec(shape=(3,))}), make_case("inspects", folder)], LIMITED)

    assert first.error == "the layer forked, and the child came back out of it"
    assert after.verdict is Verdict.PASS


def test_a_file_that_reads_the_command_line(folder: Path) -> None:
    text = "import argparse\nargparse.ArgumentParser().parse_args()\n"
    (folder / "reads.py").write_text(text + "def f(x): return x * x\ndef f_backward(g, x): return 2 * x * g\n")
    spec = LayerSpec(forward="reads.py:f", backward="reads.py:f_backward", base=str(folder))
    (report,) = run_cases([Case("a", spec, {"x": InputSpec(shape=(3,))})], LIMITED)

    assert (report.verdict, report.error) == (Verdict.PASS, "")


def test_modules_are_had_anew(folder: Path) -> None:
    """A package of the user's that remembers something does not hand it on to the next case."""
    (folder / "counting.py").write_text(
        "calls = []\n"
        "def f(x):\n    calls.append(1)\n    if len(calls) == 1: print('first')\n    return x * x\n"
        "def f_backward(g, x): raise ValueError(len(calls))\n"
    )
    spec = LayerSpec(forward="counting:f", backward="counting:f_backward", base=str(folder))
    cases = [Case(name, spec, {"x": InputSpec(shape=(3,))}) for name in "ab"]
    one, two = run_cases(cases, LIMITED)

    assert one.error == two.error
    assert one.output == two.output == "first\n"


def test_the_timeout_of_a_case(folder: Path) -> None:
    case = make_case("loops", folder)
    case.timeout = 0.5
    (report,) = run_cases([case], Plan(jobs=1))

    assert report.error == "timed out after 0.5 s in loops (layers.py)"


def test_a_worker_that_cannot_start(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gradcheck.runner.process._START", "raise SystemExit('out of order')")
    with pytest.raises(UsageError, match="a worker process cannot be started: out of order"):
        list(run_cases([make_case("good", folder)], LIMITED))


def test_a_worker_that_starts_the_second_time(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from gradcheck.runner import process

    flag = str(folder / "flag")
    first = f"import os, sys; os.path.exists({flag!r}) or sys.exit(open({flag!r}, 'w').close()); "
    monkeypatch.setattr(process, "_START", first + process._START)
    (report,) = run_cases([make_case("good", folder)], LIMITED)

    assert Path(flag).exists()
    assert report.verdict is Verdict.PASS


def test_a_system_that_starts_no_more_processes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(folder / "nothing"))
    monkeypatch.setattr(Keeper, "__init__", lambda _: None)
    monkeypatch.setattr(Keeper, "close", lambda _: None)
    with pytest.raises(UsageError, match="a worker process cannot be started: No such file"):
        list(run_cases([make_case("good", folder)], LIMITED))


def test_a_fault_of_our_own_ends_the_run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> Report:
        raise RuntimeError("oh")

    monkeypatch.setattr("gradcheck.runner.slot.Slot.run", broken)
    with pytest.raises(RuntimeError, match="oh"):
        list(run_cases([make_case("good", folder)], LIMITED))


def test_the_run_itself_imports_nothing_of_the_user(folder: Path) -> None:
    code = (
        "import sys\n"
        "from tests.runner.layers import make_case\n"
        "from gradcheck.runner import run_cases, Plan\n"
        f"reports = list(run_cases([make_case('good', {str(folder)!r})], Plan(jobs=1)))\n"
        "assert reports[0].verdict == 'pass', reports\n"
        "print(sorted(name for name in sys.modules if 'layers_' in name or name in ('numpy', 'pydantic', 'rich')))\n"
    )
    root = str(Path(__file__).parents[2])
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"


def survivors(folder: Path) -> list[str]:
    """Return the processes that were started from a folder, a moment later."""
    for _ in range(20):
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                if (entry / "cwd").resolve() == folder and b"gradcheck" in (entry / "cmdline").read_bytes():
                    found.append((entry / "cmdline").read_text())
            except OSError:
                continue
        if not found:
            break
        time.sleep(0.1)
    return found
