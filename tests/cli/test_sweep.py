"""``gradcheck sweep``: which entry, what is drawn, and what it is refused for."""

from __future__ import annotations

from pathlib import Path

import pytest

from gradcheck.__main__ import main

Captured = pytest.CaptureFixture[str]


def test_the_entry_that_decided_the_verdict(project: Path, capsys: Captured) -> None:
    assert main(["sweep", "bad"]) == 0

    out, err = capsys.readouterr()
    assert err == ""
    assert out.startswith("FAIL  mine/bad   x[")
    assert " apart, x" in out
    assert "would have shown it" in " ".join(out.split())
    assert "as round-off does" in " ".join(out.split())
    assert "as for a smooth function" in " ".join(out.split())


def test_an_entry_of_ones_own(project: Path, capsys: Captured) -> None:
    assert main(["sweep", "good", "--of", "x", "--at", "1,-1", "--axis", "1", "--seed", "3"]) == 0

    out = capsys.readouterr().out
    assert out.startswith("PASS  mine/good   x[1, 4]\n")
    assert "so: they agree to " in out


def test_a_target_without_a_case(project: Path, capsys: Captured) -> None:
    arguments = ["sweep", "mine.py:softmax", "--backward", "mine.py:wrong_backward", "--shape", "3,4", "--axis", "1"]

    assert main(arguments) == 0
    assert capsys.readouterr().out.startswith("FAIL  mine.py:softmax   x[")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (
            ["good", "--at", "9,9"],
            "x of shape (4, 5) has no entry [9, 9]\n  = help: give one number per axis, as --at 1,3",
        ),
        (["good", "--at", "1"], "x of shape (4, 5) has no entry [1]\n  = help: give one number per axis, as --at 1,3"),
        (["good", "--at", "a"], "--at 'a' cannot be read\n  = help: write one number per axis, as 1,3"),
        (["good", "--of", "y"], "'y' is not differentiated\n  = help: the inputs are x"),
        (
            ["cases"],
            "'cases' stands for 7 cases; a sweep is of one\n  = help: there are mine/good, mine/bad, mine/known-bad, "
            "mine/mended, mine/raising, mine/leaving, ...",
        ),
    ],
)
def test_what_is_refused(arguments: list[str], error: str, project: Path, capsys: Captured) -> None:
    assert main(["sweep", *arguments]) == 2
    assert capsys.readouterr() == ("", f"gradcheck: error: {error}\n")


def test_a_layer_that_raises(project: Path, capsys: Captured) -> None:
    assert main(["sweep", "raising"]) == 2
    assert "backward raised ValueError" in capsys.readouterr().err


def test_where_there_is_no_entry_it_says_why(project: Path, capsys: Captured) -> None:
    Path("odd.py").write_text(
        "import numpy as np\ndef f(x): return np.tanh(x)\ndef none(g, x): return None\n"
        "def tanh(g, x): return g * (1 - np.tanh(x) ** 2)\n"
    )
    said = []
    for backward, shape, dtype in (("none", "2,2", "float64"), ("tanh", "0", "float64"), ("tanh", "2", "bool")):
        changes = ["--shape", shape, "--dtype", dtype]
        assert main(["sweep", "odd.py:f", "--backward", f"odd.py:{backward}", *changes]) == 2
        said.append(capsys.readouterr().err.splitlines()[1])

    assert said == [
        "  = help: missing-input-gradient: the backward returned None as the gradient of x",
        "  = help: the inputs that are differentiated are empty",
        "  = help: there is nothing to compare: no input is differentiated",
    ]
