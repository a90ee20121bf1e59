"""The command line as a whole: exit statuses and streams."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from gradcheck.__main__ import main

Captured = pytest.CaptureFixture[str]


def test_a_pass_is_short_and_status_0(project: Path, capsys: Captured) -> None:
    assert main(["run", "good", "--axis", "1"]) == 0

    out, err = capsys.readouterr()
    first, *rest = out.removesuffix("\n").split("\n")
    assert first.startswith("PASS  mine/good  axis 1  x (4, 5)")
    # of one case there is time to say what it could not have seen
    assert "".join(rest).strip().startswith("blind spot: ")
    assert err == ""


def test_a_failure_names_the_bug_and_is_status_1(project: Path, capsys: Captured) -> None:
    assert main(["run", "bad"]) == 1

    out, err = capsys.readouterr()
    assert out.startswith("FAIL  mine/bad")
    assert "diagonal-only-jacobian:" in out
    assert "minimum tolerance that would pass:" in out
    assert err == ""


def test_the_command_that_repeats_repeats(project: Path, capsys: Captured) -> None:
    main(["run", "bad", "--axis", "0", "--shape", "3,4", "--seed", "5"])
    first = capsys.readouterr().out
    command = first.rstrip("\n").rpartition("repeat: ")[2]
    assert shlex.split(command)[:3] == ["gradcheck", "run", "cases/mine.yaml::bad"]

    assert main(shlex.split(command)[1:]) == 1
    assert capsys.readouterr().out == first


def test_a_file_of_ones_own_without_a_case_file(project: Path, capsys: Captured) -> None:
    arguments = ["run", "mine.py:softmax", "--axis", "1", "--shape", "4,5", "--backward"]

    assert main([*arguments, "mine.py:softmax_backward"]) == 0
    assert capsys.readouterr().out.startswith("PASS  mine.py:softmax")
    assert main([*arguments, "mine.py:wrong_backward"]) == 1
    out = capsys.readouterr().out
    assert "diagonal-only-jacobian" in out.split("\n")[0]
    assert out.endswith(
        "repeat: gradcheck run mine.py:softmax --backward mine.py:wrong_backward --axis 1 --shape 4,5 --seed 0\n"
    )


def test_the_backward_of_a_case_replaced(project: Path, capsys: Captured) -> None:
    assert main(["run", "bad", "--backward", "mine.py:softmax_backward"]) == 0
    assert main(["run", "good", "--backward", "mine.py:wrong_backward"]) == 1


def test_what_is_expected_is_status_0(project: Path, capsys: Captured) -> None:
    assert main(["run", "known-bad"]) == 0
    assert "as expected" in capsys.readouterr().out


def test_an_unexpected_pass_is_status_1(project: Path, capsys: Captured) -> None:
    assert main(["run", "mended"]) == 1
    assert "not as expected: unexpected pass" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "said"),
    [("raising", "raised ValueError: shapes (4, 5) and [/bold]"), ("leaving", "raised SystemExit: 3")],
)
def test_a_layer_that_raises_is_a_verdict_and_no_traceback(
    name: str, said: str, project: Path, capsys: Captured
) -> None:
    assert main(["run", name]) == 1

    out, err = capsys.readouterr()
    assert out.startswith(f"ERROR  mine/{name}")
    assert said in out.replace("\n    ", " ")
    assert "Traceback" not in out + err
    assert "\x1b" not in out + err


def test_debug_shows_where_a_layer_raised(project: Path, capsys: Captured) -> None:
    main(["run", "raising", "--debug"])

    assert "in raising_backward" in capsys.readouterr().out


def test_undecided_is_status_1_unless_it_is_allowed(project: Path, capsys: Captured) -> None:
    assert main(["run", "zero"]) == 1
    assert capsys.readouterr().out.startswith("UNDECIDED  mine/zero")
    assert main(["run", "zero", "--allow-undecided"]) == 0


def test_a_run_of_everything(project: Path, capsys: Captured) -> None:
    assert main(["run"]) == 1

    out, err = capsys.readouterr()
    assert [line.split()[1] for line in out.split("\n") if line.startswith(("PASS", "FAIL", "ERROR", "UNDEC"))] == [
        f"mine/{name}" for name in ("good", "bad", "known-bad", "mended", "raising", "leaving", "zero")
    ]
    assert "\n7 cases: 2 passed (1 not as expected), 2 failed (1 as expected), 1 undecided,\n  2 errors" in out
    assert "Traceback" not in out + err
    assert err == ""


def test_stop_at_the_first(project: Path, capsys: Captured) -> None:
    assert main(["run", "-x"]) == 1

    out = capsys.readouterr().out
    assert "stopped after 2 of 7 cases: 1 passed, 1 failed," in out


def test_selection(project: Path, capsys: Captured) -> None:
    assert main(["run", "-k", "good or known"]) == 0
    assert "2 cases: 1 passed, 1 failed (as expected)," in capsys.readouterr().out
    assert main(["run", "--tag", "core"]) == 0
    assert capsys.readouterr().out.startswith("PASS  mine/good")


def test_several_axes(project: Path, capsys: Captured) -> None:
    assert main(["run", "good", "--axis", "all"]) == 0

    out = capsys.readouterr().out
    assert [line.split()[1] for line in out.split("\n") if line.startswith("PASS")] == [
        "mine/good[axis=0]",
        "mine/good[axis=1]",
    ]


def test_quiet_and_verbose(project: Path, capsys: Captured) -> None:
    assert main(["run", "good", "-q"]) == 0
    assert capsys.readouterr().out == ""
    assert main(["run", "good", "known-bad", "-q"]) == 0
    assert capsys.readouterr().out.startswith("2 cases: ")
    assert main(["run", "bad", "-qq"]) == 1
    assert capsys.readouterr().out == ""
    assert main(["run", "good", "known-bad", "-v"]) == 0
    out = capsys.readouterr().out
    assert out.count("rel. error") == 2
    assert "forward and" in out


def test_a_report_file_beside_the_screen(project: Path, capsys: Captured) -> None:
    assert main(["run", "good", "bad", "--report", "table=out.txt"]) == 1

    assert Path("out.txt").read_text(encoding="utf-8") == capsys.readouterr().out


def test_the_same_seed_gives_the_same_bytes(project: Path, capsys: Captured) -> None:
    main(["run", "good", "bad", "--seed", "3"])
    first = capsys.readouterr().out
    main(["run", "good", "bad", "--seed", "3"])

    assert capsys.readouterr().out == first


def test_show(project: Path, capsys: Captured) -> None:
    assert main(["show", "known-bad"]) == 0

    out = capsys.readouterr().out
    assert out.startswith("mine/known-bad   cases/mine.yaml:14\n")
    assert "  expect    fail: diagonal-only-jacobian\n" in out


def test_show_as_a_case_file(project: Path, capsys: Captured) -> None:
    assert main(["show", "known-bad", "--format", "yaml"]) == 0
    Path("cases/copy.yaml").write_text(capsys.readouterr().out)

    assert main(["run", "cases/copy.yaml"]) == 0


def test_schema(capsys: Captured) -> None:
    assert main(["schema"]) == 0
    assert "cases" in json.loads(capsys.readouterr().out)["properties"]


def test_heatmap(project: Path, capsys: Captured) -> None:
    assert main(["run", "bad", "--show", "heatmap"]) == 1
    out = capsys.readouterr().out
    assert "x: gradient (4, 5)" in out
    assert "x: Jacobian, outputs x inputs (20, 20)" in out


def test_a_page_and_a_json_file_keep_what_is_drawn(project: Path, capsys: Captured) -> None:
    assert main(["run", "good", "bad", "--report", "json=wrong.json", "-j", "2"]) == 1
    good, bad = json.loads(Path("wrong.json").read_text())["reports"]
    assert [part["curve"] is None for report in (good, bad) for part in report["inputs"]] == [True, False]
    assert bad["inputs"][0]["jacobian"]["outputs"] == [[4, 5]]

    assert main(["run", "good", "bad", "--report", "json=all.json", "--report", "html=page.html", "-j", "1"]) == 1
    good, bad = json.loads(Path("all.json").read_text())["reports"]
    assert good["inputs"][0]["curve"] is not None
    assert main(["report", "all.json", "--report", "html=again.html"]) == 0
    page = Path("page.html").read_text()
    assert page.count("<svg ") == 2
    assert page.count('data-kind="Jacobian') == 2
    assert Path("again.html").read_text() == page

    assert main(["run", "good", "bad", "--report", "json=j2.json", "--report", "html=j2.html", "-j", "2"]) == 1
    assert Path("j2.html").read_text() == page
    capsys.readouterr()
    assert main(["report", "all.json", "--show", "heatmap", "-v"]) == 0
    assert "x: Jacobian, outputs x inputs (20, 20)" in capsys.readouterr().out


def test_what_is_drawn_changes_nothing_else_on_the_screen(project: Path, capsys: Captured) -> None:
    main(["run", "bad"])
    plain = capsys.readouterr().out
    assert "repeat smaller: " in plain
    for form in ("html", "json"):
        main(["run", "bad", "--report", f"{form}=file"])
        assert capsys.readouterr().out == plain


def test_list(project: Path, capsys: Captured) -> None:
    assert main(["list"]) == 0
    assert capsys.readouterr().out.startswith("mine/good\nmine/bad\nmine/known-bad\n")
    assert main(["list", "--tag", "core"]) == 0
    assert capsys.readouterr().out == "mine/good\n"
    assert main(["list", "cases", "-k", "bad", "-v"]) == 0
    assert capsys.readouterr().out == (
        "mine/bad         tags slow   cases/mine.yaml:9\n"
        "mine/known-bad   expect fail: diagonal-only-jacobian   cases/mine.yaml:14\n"
    )
    assert main(["list", "-k", "nothing-of-the-kind"]) == 0
    assert capsys.readouterr().out == ""


def test_explain(capsys: Captured) -> None:
    assert main(["explain"]) == 0
    assert "  diagonal-only-jacobian  " in capsys.readouterr().out
    assert main(["explain", "diagonal_only_jacobian"]) == 0
    assert capsys.readouterr().out.startswith("diagonal-only-jacobian   ")
    assert main(["explain", "--format", "markdown"]) == 0
    assert capsys.readouterr().out.startswith("| rule |")
    assert main(["explain", "diagonal-only-jacobian", "--format", "markdown"]) == 0
    assert capsys.readouterr().out.startswith("## `diagonal-only-jacobian`\n\n")


def test_allow_empty(project: Path, capsys: Captured) -> None:
    assert main(["run", "-k", "nothing", "--allow-empty"]) == 0


def test_without_a_command_the_help_is_shown(capsys: Captured) -> None:
    assert main([]) == 2
    assert capsys.readouterr().err.startswith("Usage: gradcheck [OPTIONS] ")


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["run", "--help"], ["list", "-h"], ["explain", "--help"]])
def test_help(arguments: list[str], capsys: Captured) -> None:
    assert main(arguments) == 0

    out, err = capsys.readouterr()
    assert out.startswith("Usage: gradcheck")
    assert err == ""
    assert max(map(len, out.split("\n"))) <= 90


def test_ctrl_c_shows_what_is_finished(project: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    from gradcheck.trial import case as trial

    done: list[object] = []
    genuine = trial.try_case

    def interrupted(case: object, _: object = None) -> object:
        if done:
            raise KeyboardInterrupt
        done.append(case)
        return genuine(case)  # type: ignore[arg-type]

    monkeypatch.setattr(trial, "try_case", interrupted)
    assert main(["run", "--in-process", "--report", "table=out.txt"]) == 130

    out = capsys.readouterr().out
    assert out.startswith("PASS  mine/good")
    assert "\ninterrupted after 1 of 7 cases: 1 passed," in out


def test_ctrl_c_before_anything_has_run(project: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_targets: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("gradcheck.casefile.discovery.find", interrupted)
    assert main(["run"]) == 130
    assert capsys.readouterr().err == "\ngradcheck: interrupted\n"
