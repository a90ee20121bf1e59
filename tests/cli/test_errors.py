"""Whatever a user can cause: one form of error, its full text, status 2, and never a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from gradcheck.__main__ import main
from gradcheck.cli.group import COMMANDS

Captured = pytest.CaptureFixture[str]

ERRORS = [
    (["rn"], "no such command 'rn'\n  = help: did you mean 'run'?"),
    (["zzz"], f"no such command 'zzz'\n  = help: there are {', '.join(COMMANDS)}"),
    (["run", "--axs", "1"], "no such option '--axs'\n  = help: did you mean '--axis'?"),
    (["run", "--mode", "ful"], "--mode 'ful' cannot be read\n  = help: did you mean 'full'?"),
    (
        ["run", "good", "--axis", "7"],
        "--axis 7 is out of range for the first input of 'mine/good'\n  = help: axes of shape (4, 5) go from -2 to 1",
    ),
    (
        ["run", "good", "--seed", "-1"],
        "invalid value for '--seed': -1 is not in the range x>=0\n  = help: see gradcheck run --help",
    ),
    (["run", "good", "--seed"], "option '--seed' requires an argument\n  = help: see gradcheck run --help"),
    (["show"], "missing argument 'CASE...'\n  = help: see gradcheck show --help"),
    (
        ["run", "-k", "nothing"],
        "no case is selected by -k 'nothing'\n  = help: gradcheck list shows what there is",
    ),
    (
        ["run", "cases", "-k", "bad", "--tag", "no"],
        "no case is selected by -k 'bad' and --tag no among cases\n  = help: gradcheck list shows what there is",
    ),
    (
        ["run", "-k", "(bad"],
        "-k '(bad' cannot be read: a bracket is not closed\n"
        "  = help: join parts of names with and, or, not and brackets",
    ),
    (
        ["run", "good", "--report", "table=none/out.txt"],
        "cannot write 'none/out.txt': there is no folder '{cwd}/none'\n  = help: make it first",
    ),
    (["run", "good", "--report", "tabl=x"], "--report 'tabl=x' cannot be read\n  = help: did you mean 'table'?"),
    (["run", "good", "--shape", "y=3"], "--shape names 'y', which is no input of 'mine/good'\n  = help: there is x"),
]


@pytest.mark.parametrize(("arguments", "text"), ERRORS, ids=[" ".join(arguments) for arguments, _ in ERRORS])
def test_errors(arguments: list[str], text: str, project: Path, capsys: Captured) -> None:
    assert main(arguments) == 2

    out, err = capsys.readouterr()
    assert out == ""
    assert err == f"gradcheck: error: {text.format(cwd=project)}\n"


def test_a_slip_in_a_rule(capsys: Captured) -> None:
    assert main(["explain", "stale-slice-countr"]) == 2
    assert capsys.readouterr().err.startswith(
        "gradcheck: error: there is no rule 'stale-slice-countr'\n  = help: did you mean stale-slice-counter"
    )


def test_a_slip_in_a_name(project: Path, capsys: Captured) -> None:
    assert main(["run", "known-bat"]) == 2
    assert capsys.readouterr().err.startswith(
        "gradcheck: error: there is no case, layer or file 'known-bat'\n  = help: did you mean 'known-bad'"
    )


def test_a_typing_slip_in_a_case_file(project: Path, capsys: Captured) -> None:
    path = Path("cases/mine.yaml")
    path.write_text(path.read_text().replace("tags: [core]", "tagz: [core]"))
    assert main(["run"]) == 2

    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("cases/mine.yaml:8:5: error: unknown key 'tagz'")
    assert err.endswith("\n\ngradcheck: error: 1 complaint in case files\n")
    assert "Traceback" not in err


@pytest.mark.parametrize(
    "arguments", [["run", "mine.py:sofmax"], ["run", "mine.py:softmax", "--backward", "mine.py:b"]]
)
def test_a_missing_attribute_is_no_traceback(arguments: list[str], project: Path, capsys: Captured) -> None:
    assert main(arguments) in (1, 2)

    out, err = capsys.readouterr()
    assert "Traceback" not in out + err
    assert "internal error" not in out + err


def test_debug_shows_a_traceback_of_an_error(project: Path, capsys: Captured) -> None:
    assert main(["run", "god", "--debug"]) == 2
    assert capsys.readouterr().err.startswith("Traceback (most recent call last):\n")


def test_a_bug_of_our_own_does_not_look_like_a_wrong_gradient(
    project: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_targets: object) -> None:
        raise TypeError("oh [no]\x1b")

    monkeypatch.setattr("gradcheck.casefile.discovery.find", broken)
    assert main(["run"]) == 2
    assert capsys.readouterr().err == (
        "gradcheck: error: internal error: TypeError: oh [no]\\x1b\n"
        "  = help: this is a bug in gradcheck, not in the layer; --debug shows where\n"
    )


def test_a_file_that_cannot_be_read(project: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_targets: object) -> None:
        raise PermissionError(13, "Permission denied", "cases/mine.yaml")

    monkeypatch.setattr("gradcheck.casefile.discovery.find", broken)
    assert main(["run"]) == 2
    assert capsys.readouterr().err == "gradcheck: error: cannot open cases/mine.yaml: Permission denied\n"
