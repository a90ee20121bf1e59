"""What was meant by a slip; the messages themselves are tested beside what raises them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from gradcheck.errors import LISTED, hint, nearest, suggest


def test_what_was_probably_meant() -> None:
    assert suggest("rn", ["run", "list"]) == "did you mean 'run'?"
    assert hint("rn", ["run", "list"]) == " (did you mean 'run'?)"


def test_what_there_is_where_nothing_is_near() -> None:
    assert suggest("zzz", ["run", "list"]) == "there are run, list"
    assert suggest("zzz", ["run"]) == "there is run"
    assert suggest(7, ["run", "list"]) == "there are run, list"
    assert hint("zzz", ["run", "list"]) == hint(7, ["run"]) == ""
    assert suggest("zzz", []) == hint("zzz", []) == ""


def test_a_long_list_is_cut() -> None:
    many = [f"word{number}" for number in range(LISTED + 1)]
    assert suggest("zzz", many[:-1]).endswith(", word29")
    assert suggest("zzz", many).endswith(", word29, …")


@pytest.mark.parametrize(
    ("word", "known", "meant"),
    [
        ("SoftMax", ["softmax", "sigmoid"], ["softmax"]),
        ("grad_otput", ["grad-output"], ["grad-output"]),
        ("softmax", ["softmax2", "Softmax"], ["Softmax"]),
        ("tolerence", ["rtol", "eps"], ["rtol"]),
        ("dim", ["axis"], ["axis"]),
        ("dim", ["dims", "axis"], ["axis"]),
        ("std", ["axis"], []),
        ("", ["axis"], []),
    ],
)
def test_capitals_underscores_and_the_words_of_other_tools(word: str, known: list[str], meant: list[str]) -> None:
    assert nearest(word, known) == meant


def test_several_and_how_alike() -> None:
    assert nearest("sofmax", ["softmax", "top/softmax", "tanh"], 3) == ["softmax", "top/softmax"]
    assert nearest("sofmax", ["softmax"], alike=0.95) == []


def test_a_very_long_word_costs_nothing() -> None:
    assert suggest("run" * 1000, ["run"]) == "there is run"


def test_nothing_of_a_known_word_is_obeyed_by_a_terminal() -> None:
    assert suggest("abc\x1b[31", ["abc\x1b[31m"]) == "did you mean 'abc\\x1b[31m'?"
    assert suggest("zzz", ["é\n", "漢字"]) == "there are \\xe9\\n, 漢字"


def test_only_a_slip_pays_for_the_matcher() -> None:
    code = "import sys, gradcheck.errors; print('difflib' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "False\n"
