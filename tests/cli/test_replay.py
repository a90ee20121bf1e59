"""Failing cases repeated: from a report, and as a Python file."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gradcheck.__main__ import main
from gradcheck.cli.changes import choose
from gradcheck.cli.overrides import Overrides
from gradcheck.cli.pycode import Script, write_array
from gradcheck.cli.replay import merge, read_command
from gradcheck.cli.run import command
from gradcheck.model import LayerSpec, Report, Verdict

Captured = pytest.CaptureFixture[str]
ROOT = Path(__file__).parents[2]


def verdicts(out: str) -> list[tuple[str, str]]:
    words = [line.split()[:2] for line in out.split("\n") if line.startswith(("PASS", "FAIL", "ERROR", "UNDECIDED"))]
    return [(name, verdict) for verdict, name in words]


def test_the_failing_cases_of_a_report(project: Path, capsys: Captured) -> None:
    assert main(["run", "--report", "json=out.json"]) == 1
    capsys.readouterr()

    assert main(["run", "--failed", "out.json", "-q"]) == 1
    assert verdicts(capsys.readouterr().out) == [
        ("mine/bad", "FAIL"),
        ("mine/mended", "PASS"),
        ("mine/raising", "ERROR"),
        ("mine/leaving", "ERROR"),
        ("mine/zero", "UNDECIDED"),
    ]
    assert main(["run", "--failed", "out.json", "-k", "bad", "-q"]) == 1
    assert verdicts(capsys.readouterr().out) == [("mine/bad", "FAIL")]
    assert main(["run", "--failed", "out.json", "--allow-undecided", "-k", "zero or bad"]) == 1
    assert verdicts(capsys.readouterr().out) == [("mine/bad", "FAIL")]


def test_cases_are_repeated_as_they_were_run(project: Path, capsys: Captured) -> None:
    main(["run", "bad", "--axis", "all", "--shape", "3,4", "--seed", "5", "--report", "json=out.json"])
    first = capsys.readouterr().out
    main(["run", "--failed", "out.json"])

    assert capsys.readouterr().out == first
    main(["run", "--failed", "out.json", "--seed", "6"])
    assert "--shape 3,4 --seed 6" in capsys.readouterr().out


def test_nothing_has_failed(project: Path, capsys: Captured) -> None:
    main(["run", "good", "known-bad", "--report", "json=out.json"])
    capsys.readouterr()

    assert main(["run", "--failed", "out.json"]) == 0
    assert capsys.readouterr().out == "nothing to repeat: the 2 reports of out.json are as expected\n"
    assert main(["run", "--failed", "out.json", "-k", "good"]) == 2


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (None, "cannot read 'out.json': No such file or directory\n"),
        ("{", "out.json: not JSON: "),
        ("{}", "out.json: not a report of gradcheck\n"),
    ],
)
def test_what_is_no_report(text: str | None, error: str, project: Path, capsys: Captured) -> None:
    if text is not None:
        Path("out.json").write_text(text)

    assert main(["run", "--failed", "out.json"]) == 2
    assert capsys.readouterr().err.startswith(f"gradcheck: error: {error}")


def test_targets_beside_a_report(project: Path, capsys: Captured) -> None:
    assert main(["run", "good", "--failed", "out.json"]) == 2
    assert capsys.readouterr().err == (
        "gradcheck: error: --failed chooses the cases itself\n  = help: give either targets or --failed\n"
    )


def test_nothing_but_the_case_is_taken_from_a_report(project: Path) -> None:
    report = Report(
        "x", Verdict.FAIL, repeat="gradcheck run good --axis 1 --report table=evil.txt --seed 3 -o x", seed=7
    )
    with pytest.raises(Exception, match="the command of 'x' cannot be read"):
        read_command(report, command)
    report.repeat = "gradcheck run good --axis 1 --report table=evil.txt --seed 3"
    assert read_command(report, command) == (("good",), Overrides(axes=(1,), seed=3))
    report.repeat = "rm -rf /"
    assert read_command(report, command) == (("x",), Overrides(seed=7))
    assert not Path("evil.txt").exists()


def test_a_case_that_is_gone(project: Path, capsys: Captured) -> None:
    main(["run", "bad", "--report", "json=out.json"])
    data = json.loads(Path("out.json").read_text())
    data["reports"][0]["repeat"] = "gradcheck run gone --seed 0"
    Path("out.json").write_text(json.dumps(data))
    capsys.readouterr()

    assert main(["run", "--failed", "out.json"]) == 2
    assert "there is no case, layer or file 'gone'" in capsys.readouterr().err


def test_what_two_command_lines_want() -> None:
    earlier = Overrides(seed=1, shapes={"": (3, 4), "x": (3, 5)}, options={"a": 1}, axes=(0,))

    assert merge(earlier, Overrides()) == earlier
    assert merge(earlier, Overrides(seed=0, shapes={"x": (1, 1)}, axes=(1,))) == Overrides(
        seed=0, shapes={"": (3, 4), "x": (1, 1)}, options={"a": 1}, axes=(1,)
    )


def run_file(path: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, path], capture_output=True, text=True, env=environ, check=False, timeout=120, cwd="/"
    )


def test_a_python_file_that_repeats_a_case(project: Path, capsys: Captured) -> None:
    assert main(["run", "good", "bad", "mended", "--repro", "sub.py"]) == 1
    out, err = capsys.readouterr()
    assert err == "gradcheck: wrote sub.py, which repeats mine/bad; 1 more not as expected\n"
    text = Path("sub.py").read_text()
    assert text.startswith('"""mine/bad: fail, diagonal-only-jacobian.\n\nWritten by gradcheck ')
    assert "from mine import softmax as forward\nfrom mine import wrong_backward as backward\n" in text
    done = run_file(str(project / "sub.py"))

    assert (done.returncode, done.stderr) == (1, "")
    assert "diagonal-only-jacobian: only the diagonal" in done.stdout
    # the same numbers as the smaller case has: the rows of its table are those of the file, but for the bounds
    (smaller,) = (line.partition("smaller: ")[2] for line in out.split("\n") if "smaller: " in line)
    assert main(shlex.split(smaller)[1:]) == 1
    rows = [line.split()[:5] for line in capsys.readouterr().out.split("\n") if line.startswith("  x[")]
    assert len(rows) == 2
    assert [line.split()[:5] for line in done.stdout.split("\n") if line.startswith("  x[")] == rows


def test_a_large_case_is_made_small(project: Path, capsys: Captured) -> None:
    main(["run", "bad", "--shape", "40,30", "--repro", "small.py", "-qq"])
    done = run_file(str(project / "small.py"))

    assert done.returncode == 1
    assert "x (2, 2) float64   diagonal-only-jacobian" in done.stdout


def test_a_large_case_whose_inputs_are_given_is_cropped(project: Path, capsys: Captured) -> None:
    np.save("x.npy", np.random.default_rng(0).standard_normal((40, 30)))
    Path("given.yaml").write_text(
        "version: 1\ncases:\n  given:\n    layer: {forward: mine.py:softmax, backward: mine.py:wrong_backward}\n"
        "    inputs: {x: {draw: file, file: x.npy}}\n    options: {axis: -1}\n"
    )
    main(["run", "given.yaml", "--repro", "small.py"])
    assert "repeat smaller" not in capsys.readouterr().out
    done = run_file(str(project / "small.py"))

    assert done.returncode == 1
    assert "x (4, 3) float64   diagonal-only-jacobian" in done.stdout


def commands(out: str) -> list[list[str]]:
    return [line.partition(": ")[2].split() for line in out.split("\n") if line.startswith("  repeat")]


def test_a_failing_case_is_made_as_small_as_it_can_be(project: Path, capsys: Captured) -> None:
    arguments = ["run", "bad", "--axis", "1", "--shape", "7,6", "--seed", "4", "--report", "json=out.json"]
    assert main(arguments) == 1
    smaller, whole = commands(capsys.readouterr().out)
    written = json.loads(Path("out.json").read_text())["reports"][0]

    where = ["gradcheck", "run", "cases/mine.yaml::bad", "--axis", "1", "--shape"]
    assert smaller == [*where, "2,2", "--seed", "4"]
    assert whole == [*where, "7,6", "--seed", "4"]
    assert (written["repeat"].split(), written["reduced"]["repeat"].split()) == (whole, smaller)
    assert written["reduced"]["shapes"] == {"x": [2, 2]}
    # it fails with the same finding, and cannot be made smaller
    assert main(smaller[1:]) == 1
    out = capsys.readouterr().out
    assert out.startswith("FAIL  mine/bad   axis 1   x (2, 2) float64   diagonal-only-jacobian\n")
    assert commands(out) == [smaller]
    # a report repeats the case as it was
    main(["run", "--failed", "out.json"])
    assert "x (7, 6) float64" in capsys.readouterr().out


def test_what_is_not_made_smaller(project: Path, capsys: Captured) -> None:
    main(["run", "known-bad", "mended", "raising", "zero", "-v"])
    assert "smaller" not in capsys.readouterr().out
    main(["run", "bad", "--in-process"])
    assert "smaller" not in capsys.readouterr().out


def test_large_arrays_stand_beside_the_file(project: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gradcheck.cli.repro.INLINE", 3)
    main(["run", "bad", "--repro", "large.py", "-qq"])
    assert "arrays = np.load(Path(__file__).with_name('large.npz'))" in Path("large.py").read_text()
    done = run_file(str(project / "large.py"))

    assert (done.returncode, done.stderr) == (1, "")
    assert "diagonal-only-jacobian" in done.stdout


def test_a_layer_that_raises(project: Path, capsys: Captured) -> None:
    main(["run", "raising", "--repro", "r.py", "-qq"])
    done = run_file(str(project / "r.py"))

    assert done.returncode == 1
    assert "backward raised ValueError" in done.stdout


def test_a_target_without_a_case(project: Path, capsys: Captured) -> None:
    arguments = ["run", "mine.py:softmax", "--backward", "mine.py:wrong_backward", "--axis", "1", "--repro", "r.py"]
    assert main([*arguments, "-qq"]) == 1
    done = run_file(str(project / "r.py"))

    assert (done.returncode, done.stderr) == (1, "")
    assert "axis 1" in done.stdout


def test_nothing_to_be_repeated(project: Path, capsys: Captured) -> None:
    assert main(["run", "good", "--repro", "r.py", "-qq"]) == 0
    assert capsys.readouterr().err == ("gradcheck: warning: every case is as expected, so r.py is not written\n")
    assert not Path("r.py").exists()


def test_a_folder_that_is_not_there(project: Path, capsys: Captured) -> None:
    assert main(["run", "bad", "--repro", "none/r.py"]) == 2
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("spec", "arguments", "line"),
    [
        (LayerSpec(forward="a.b:f", backward="a.b:g.h"), ["forward", "backward"], "backward = backward.h"),
        (
            LayerSpec(forward="a:f", backward="a:g", bind={"v": "upstream"}, returns="jacobian"),
            ["forward", "backward", "bind={'v': 'upstream'}", "returns='jacobian'"],
            "from a import f as forward",
        ),
        (LayerSpec(target="a:Class"), ["layer"], "from a import Class as layer"),
        (LayerSpec(target="softmax", label="s"), ["layer"], "layer = LayerSpec(target='softmax')"),
        (
            LayerSpec(object="a:C", forward="prop", backward="back", init={"n": 3}, base="/x/cases"),
            ["layer"],
            "layer = LayerSpec(forward='prop', backward='back', object='a:C', init={'n': 3}, "
            "base=str(Path(__file__).resolve().parent / 'cases'))",
        ),
        (
            LayerSpec(chain=[LayerSpec(target="softmax"), LayerSpec(target="squared-error", inputs=["t"])]),
            ["layer"],
            "layer = LayerSpec(chain=[LayerSpec(target='softmax'), LayerSpec(target='squared-error', inputs=['t'])])",
        ),
        (
            LayerSpec(forward="code.py:f", backward="my-layers.py:g", base="/x"),
            ["forward", "backward"],
            "spec = spec_from_file_location('layer_backward', Path(__file__).resolve().parent / 'my-layers.py')",
        ),
    ],
)
def test_how_a_layer_is_imported(spec: LayerSpec, arguments: list[str], line: str) -> None:
    script = Script(Path("/x"))

    assert script.use_layer(spec) == arguments
    text = script.text('a "title" with \\ and \x1b')
    assert line in text.split("\n")
    compile(text, "r.py", "exec")


@pytest.mark.parametrize(
    "array",
    [
        np.array(1.5),
        np.array([0.1, np.nan, np.inf, -np.inf, -0.0]),
        np.random.default_rng(0).standard_normal((2, 3, 9)),
        np.random.default_rng(0).standard_normal(40).astype(np.float32),
        np.arange(4),
        np.array([True, False]),
        np.zeros((0, 3)),
        np.array([1, 2], dtype=np.int8),
    ],
)
def test_arrays_are_written_exactly(array: np.ndarray) -> None:
    text = write_array(array)
    again = eval(text, {"np": np})

    assert again.dtype == array.dtype
    assert again.tobytes() == array.tobytes()
    assert again.shape == array.shape
    assert max(map(len, text.split("\n"))) <= 100


def test_a_target_of_a_report_is_found_again(project: Path) -> None:
    assert [case.name for case, _ in choose(("cases/mine.yaml::bad",), Overrides())] == ["mine/bad"]
