from __future__ import annotations

import gc
import math
import os
import random
import signal
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from gradcheck.runner.state import Change, State, describe_changes

STANDARD = "tabnanny"  # one that nobody else has imported
LATE = "gradcheck.__main__"


def test_nothing_changed() -> None:
    state = State.take()
    assert state.changes() == []
    assert state.restore(tracing=False) is False


def test_what_no_layer_should_change(tmp_path: Path) -> None:
    state = State.take()
    os.chdir(tmp_path)
    os.environ["SOME_NEW"] = "1"
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    signal.alarm(1000)
    changes = state.changes()
    state.restore(tracing=False)

    assert changes == [
        Change("the working directory", str(tmp_path)),
        Change("the environment", "SOME_NEW"),
        Change("the handlers of signals", "SIGUSR1"),
        Change("the alarm", "it is set"),
    ]
    assert state.changes() == []


def test_a_folder_that_is_gone(tmp_path: Path) -> None:
    state = State.take()
    (tmp_path / "a").mkdir()
    os.chdir(tmp_path / "a")
    (tmp_path / "a").rmdir()

    assert state.changes() == [Change("the working directory", "a folder that is gone")]
    state.restore(tracing=False)
    assert state.changes() == []


def test_what_is_put_back_without_a_word() -> None:
    state = State.take()
    expected = random.Random()
    expected.setstate(random.getstate())
    number = expected.random()
    before = np.random.get_state()[1].copy()
    random.seed(1)
    np.random.seed(1)
    np.seterr(all="raise")
    np.set_printoptions(precision=2)
    sys.path.insert(0, "nowhere")
    sys.setrecursionlimit(5000)
    warnings.simplefilter("ignore")
    gc.disable()

    assert state.changes() == []
    assert state.restore(tracing=False) is False
    assert random.random() == number
    assert (np.random.get_state()[1] == before).all()
    assert np.geterr()["divide"] == "warn"
    assert np.get_printoptions()["precision"] == 8
    assert sys.path[0] != "nowhere"
    assert sys.getrecursionlimit() != 5000
    assert warnings.filters[0][0] != "ignore"
    assert gc.isenabled()


def test_replaced_functions_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    state = State.take()
    genuine = math.sqrt
    monkeypatch.setattr(math, "sqrt", abs)

    assert state.restore(tracing=False) is True
    assert math.sqrt is genuine


def test_tracing_is_left_to_a_debugger() -> None:
    state = State.take()
    before = sys.gettrace()

    def trace(*_: object) -> None:
        return None

    sys.settrace(trace)
    try:
        state.restore(tracing=False)
        kept = sys.gettrace()
        state.restore()
        ended = sys.gettrace()
    finally:
        sys.settrace(before)
    assert (kept, ended) == (trace, None)


def test_modules_of_the_user_are_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sys.modules.pop(LATE, None)
    state = State.take()
    (tmp_path / "some_module_of_mine.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    __import__("some_module_of_mine")
    sys.modules.pop(STANDARD, None)
    __import__(STANDARD)
    __import__(LATE)
    state.forget_modules()

    assert "some_module_of_mine" not in sys.modules
    assert STANDARD in sys.modules
    assert LATE in sys.modules  # of gradcheck itself, which need not be installed


def test_words() -> None:
    assert describe_changes([Change("a", str(number)) for number in range(7)]) == "changed a (0, 1, 2, 3, 4, ...)"
    assert describe_changes([Change("a", "x"), Change("b", "y")]) == "changed a (x) and b (y)"
