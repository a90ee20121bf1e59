"""What an installed package changes as it is imported is its own doing; what a layer changes costs its case."""

from __future__ import annotations

import importlib
import os
import signal
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from gradcheck.model import Case, InputSpec, LayerSpec, Report, Verdict
from gradcheck.runner import Plan, run_cases
from gradcheck.runner.imports import observed_imports
from gradcheck.runner.state import Change, State
from tests.runner.layers import make_case

PACKAGE = """
import os, random, signal, sys, warnings
import numpy as np

os.environ["SET_BY_PACKAGE"] = "1"
os.environ.pop("TAKEN_BY_PACKAGE", None)
signal.signal(signal.SIGUSR1, signal.SIG_IGN)
warnings.filterwarnings("ignore", "what the package says")
sys.path.insert(0, "front-of-package")
sys.path.append("end-of-package")
sys.setrecursionlimit(4321)
np.seterr(under="print")
np.random.seed(3)
random.seed(3)
from some_package import part


def meddle():
    os.environ["SET_BY_CALL"] = "1"
"""
PART = "import os\nos.environ['SET_BY_PART'] = '1'\n"
LAYER = """
import os
import numpy as np

def plain(x):
    import some_package
    assert os.environ["SET_BY_PACKAGE"] == "1"
    return np.tanh(x)

def own(x):
    os.environ["SET_BEFORE"] = "1"
    import some_package
    os.environ["SET_AFTER"] = "1"
    return np.tanh(x)

def calls(x):
    import some_package
    some_package.meddle()
    return np.tanh(x)

def draws(x):
    import some_package
    return np.tanh(x) + np.random.rand()

def mine(x):
    import sibling_of_mine
    return np.tanh(x)

def breaks(x):
    import broken_package

def backward(g, x):
    return g * (1 - np.tanh(x) ** 2)
"""


@pytest.fixture
def installed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of installed packages, and a file of layers that use one."""
    site = folder / "site-packages"
    (site / "some_package").mkdir(parents=True)
    (site / "some_package" / "__init__.py").write_text(PACKAGE)
    (site / "some_package" / "part.py").write_text(PART)
    (site / "broken_package.py").write_text("import os\nos.environ['SET_BY_BROKEN'] = '1'\nraise ValueError('no')\n")
    (folder / "uses.py").write_text(LAYER)
    (folder / "sibling_of_mine.py").write_text("import os\nos.environ['SET_BY_MINE'] = '1'\n")
    monkeypatch.syspath_prepend(folder)
    monkeypatch.syspath_prepend(site)
    monkeypatch.setenv("TAKEN_BY_PACKAGE", "1")
    yield site
    for name in ("some_package", "some_package.part", "broken_package"):
        sys.modules.pop(name, None)


def case(name: str, folder: Path) -> Case:
    spec = LayerSpec(forward=f"uses.py:{name}", backward="uses.py:backward", base=str(folder))
    return Case(name, spec, {"x": InputSpec(shape=(2, 3))})


def run(names: str, folder: Path) -> list[Report]:
    return list(run_cases([case(name, folder) for name in names.split()], Plan(jobs=1)))


def test_what_a_package_sets_is_not_the_layers_doing(installed: Path) -> None:
    first, again = run("plain plain", installed.parent)

    assert (first.verdict, first.error) == (Verdict.PASS, "")
    assert (again.verdict, again.error) == (Verdict.PASS, "")  # and it is still set


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("own", "the layer changed the environment (SET_AFTER, SET_BEFORE)"),
        ("calls", "the layer changed the environment (SET_BY_CALL)"),
        ("mine", "the layer changed the environment (SET_BY_MINE)"),
    ],
)
@pytest.mark.parametrize("before", ["", "plain"])
def test_what_the_layer_sets_costs_its_case(name: str, said: str, before: str, installed: Path) -> None:
    report = run(f"{before} {name}", installed.parent)[-1]

    assert report.error == said


def test_a_case_in_this_process(installed: Path) -> None:
    before = dict(os.environ), signal.getsignal(signal.SIGUSR1), list(sys.meta_path)
    try:
        reports = list(run_cases([case(name, installed.parent) for name in ("plain", "own")], Plan(in_process=True)))
        kept = os.environ.get("SET_BY_PACKAGE"), os.environ.get("SET_BEFORE")
    finally:
        os.environ.clear()
        os.environ.update(before[0])
        signal.signal(signal.SIGUSR1, before[1])
        sys.path[:] = [entry for entry in sys.path if not entry.endswith("-of-package")]

    assert [report.error for report in reports] == ["", "the layer changed the environment (SET_AFTER, SET_BEFORE)"]
    assert kept == ("1", None)
    assert sys.meta_path == before[2]


def test_a_package_that_draws_numbers_disturbs_nobody(installed: Path) -> None:
    first, again = run("draws draws", installed.parent)
    first.seconds = again.seconds = 0

    assert first == again


def test_a_package_that_raises(installed: Path) -> None:
    (report,) = run("breaks", installed.parent)

    assert report.error == "forward raised ValueError: no (uses.py:30)"
    assert report.notes == []


def test_what_the_state_takes_over(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SET_BY_PACKAGE", "SET_BY_PART"):
        monkeypatch.delenv(name, raising=False)
    genuine, state = State.take(), State.take()
    random_before = np.random.get_state()[1].copy()
    try:
        with observed_imports(state):
            os.environ["SET_BY_TEST"] = "1"
            importlib.import_module("some_package")
            loader = sys.modules["some_package"].__loader__
            changes = state.changes()
            os.environ.pop("SET_BY_TEST")
        state.restore(tracing=False)
        after = State.take()
        drawn = np.random.get_state()[1].copy()
    finally:
        genuine.restore(tracing=False)

    assert changes == [Change("the environment", "SET_BY_TEST")]
    assert after.environment.keys() ^ genuine.environment.keys() == {
        "SET_BY_PACKAGE",
        "SET_BY_PART",
        "TAKEN_BY_PACKAGE",
    }
    assert after.handlers[signal.SIGUSR1] == signal.SIG_IGN
    assert after.quiet["path"] == ["front-of-package", *genuine.quiet["path"], "end-of-package"]
    assert after.quiet["filters"][1:] == genuine.quiet["filters"]
    assert after.quiet["recursion"] == 4321
    assert after.quiet["errors"] == {**genuine.quiet["errors"], "under": "print"}
    assert (drawn == random_before).all()
    assert "exec_module" not in vars(loader)
    assert warnings.filters == genuine.quiet["filters"]


def test_without_an_observer_it_is_the_layers_doing(installed: Path) -> None:
    state = State.take()
    try:
        importlib.import_module("some_package")
        changes = state.changes()
    finally:
        state.restore(tracing=False)

    assert [change.detail for change in changes] == ["SET_BY_PACKAGE", "SET_BY_PART", "TAKEN_BY_PACKAGE", "SIGUSR1"]


def test_finders_that_ask_each_other_come_to_an_end(installed: Path) -> None:
    class Asking:
        """As some packages' finders do: it asks all the others."""

        busy = False

        def find_spec(self, name: str, path: object = None, target: object = None) -> object:
            if self.busy:
                return None
            self.busy = True
            try:
                return importlib.util.find_spec(name)
            finally:
                self.busy = False

    asking, genuine, state = Asking(), State.take(), State.take()
    sys.meta_path.insert(0, asking)  # type: ignore[arg-type]
    try:
        with observed_imports(state):
            importlib.import_module("some_package")
        changes = state.changes()
    finally:
        sys.meta_path.remove(asking)  # type: ignore[arg-type]
        genuine.restore(tracing=False)
    assert changes == []


def test_what_is_imported_by_a_module_of_the_user_is_his(folder: Path) -> None:
    """Not so what lies in a folder that only looks like one of packages."""
    (folder / "my-site-packages-of-old").mkdir()
    (folder / "my-site-packages-of-old" / "sets.py").write_text(
        "import os\nimport numpy as np\n"
        "def f(x):\n    os.environ['SET_BY_MINE'] = '1'\n    return np.tanh(x)\n"
        "def f_backward(g, x): return g * (1 - np.tanh(x) ** 2)\n"
    )
    made = make_case("good", folder)
    made.layer.forward, made.layer.backward = (
        f"my-site-packages-of-old/sets.py:{name}" for name in ("f", "f_backward")
    )
    (report,) = run_cases([made], Plan(jobs=1))

    assert report.error == "the layer changed the environment (SET_BY_MINE)"
