"""Things that only a process of its own shows: pipes, colour, imports, encodings, completion."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import gradcheck
from gradcheck.report.json import write_json
from tests.report.samples import failing

Program = Callable[..., "subprocess.CompletedProcess[str]"]
HEAVY = ("numpy", "rich", "yaml", "pydantic", "torch", "jax")


def imported_by(*arguments: str, path: Path, names: tuple[str, ...] = HEAVY) -> list[str]:
    code = (
        "import sys\n"
        "from gradcheck.__main__ import main\n"
        f"main({list(arguments)!r})\n"
        f"print(sorted(set({names!r}) & set(sys.modules)), file=sys.stderr)\n"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=path,
        env={**os.environ, "PYTHONPATH": f"{root}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"},
    )
    found: list[str] = eval(done.stderr.strip().split("\n")[-1])
    return found


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["run", "--help"], ["audit", "--help"], ["sweep", "-h"], ["init", "-h"], ["rn"], ["run", "--axs"]],
)
def test_help_and_slips_import_nothing_heavy(arguments: list[str], project: Path) -> None:
    assert imported_by(*arguments, path=project) == []


@pytest.mark.parametrize(
    "arguments", [["list"], ["list", "-v"], ["list", "cases"], ["show", "good"], ["run", "nothing"]]
)
def test_listing_imports_no_numpy_and_no_user_code(arguments: list[str], project: Path) -> None:
    (project / "cases" / "mine.py").write_text("raise SystemExit('imported')")

    assert imported_by(*arguments, path=project, names=("numpy", "rich", "torch", "jax")) == []


def test_the_check_of_imports_would_notice(project: Path) -> None:
    assert "numpy" in imported_by("run", "good", "--in-process", path=project)


def test_no_command_is_imported_for_the_help(project: Path) -> None:
    names = tuple(f"gradcheck.cli.{name}" for name in ("run", "list", "show", "explain"))

    assert imported_by("--help", path=project, names=names) == []
    assert imported_by("explain", "--help", path=project, names=names) == ["gradcheck.cli.explain"]


def test_version(program: Program) -> None:
    done = program("--version")

    assert (done.returncode, done.stdout) == (0, f"gradcheck {gradcheck.__version__}\n")


@pytest.fixture
def saved(project: Path) -> str:
    """A failure that ``gradcheck report`` draws as the run did, and with the same colours, but sooner."""
    (project / "failing.json").write_text(write_json([failing()]), encoding="utf-8")
    return "failing.json"


@pytest.mark.parametrize(("environ", "color"), [({}, False), ({"FORCE_COLOR": "1"}, True)])
def test_color_of_a_run_in_a_pipe(environ: dict[str, str], color: bool, project: Path, program: Program) -> None:
    done = program("run", "bad", environ=environ)

    assert done.returncode == 1
    assert ("\x1b[" in done.stdout) is color
    assert "diagonal-only-jacobian" in done.stdout


@pytest.mark.parametrize(
    ("environ", "arguments", "color"),
    [
        ({}, (), False),
        ({"FORCE_COLOR": "1"}, (), True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, (), False),
        ({"FORCE_COLOR": "1", "TERM": "dumb"}, (), True),
        ({"FORCE_COLOR": "1"}, ("--color", "never"), False),
        ({"NO_COLOR": "1"}, ("--color", "always"), True),
    ],
)
def test_color_in_a_pipe(
    environ: dict[str, str], arguments: tuple[str, ...], color: bool, saved: str, program: Program
) -> None:
    done = program("report", saved, *arguments, environ=environ)

    assert (done.returncode, done.stderr) == (0, "")
    assert ("\x1b[" in done.stdout) is color
    assert "stale-slice-counter" in done.stdout


def test_errors_have_color_when_it_is_forced(project: Path, program: Program) -> None:
    assert program("rn", environ={"FORCE_COLOR": "1"}).stderr.startswith("gradcheck: \x1b[1;31merror: \x1b[0mno such")
    assert "\x1b" not in program("rn").stderr


@pytest.mark.parametrize(
    ("environ", "color"),
    [({"TERM": "xterm"}, True), ({"TERM": "xterm", "NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)],
)
def test_color_on_a_terminal(environ: dict[str, str], color: bool, saved: str, program: Program) -> None:
    pty = pytest.importorskip("pty")
    reader, terminal = pty.openpty()
    done = program("report", saved, environ={**environ, "COLUMNS": "80"}, stdout=terminal)
    os.close(terminal)
    screen = b""
    while True:
        try:
            chunk = os.read(reader, 65536)
        except OSError:
            break
        if not chunk:
            break
        screen += chunk
    os.close(reader)

    assert done.returncode == 0
    assert (b"\x1b[" in screen) is color
    assert b"FAIL" in screen


def test_a_report_file_has_no_color_even_when_it_is_forced(project: Path, program: Program) -> None:
    program("run", "bad", "--report", "table=out.txt", environ={"FORCE_COLOR": "1"})

    assert "\x1b" not in (project / "out.txt").read_text()


def test_a_reader_that_goes_away_is_no_wrong_gradient(project: Path, program: Program) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = program("explain", stdout=writer)
    os.close(writer)

    assert done.returncode == 141
    assert done.stderr == ""


def test_a_full_disk_is_said(project: Path, program: Program) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full")
    with open("/dev/full", "w") as full:
        done = program("run", "good", stdout=full)

    assert done.returncode == 2
    assert done.stderr == "gradcheck: error: cannot write the output: No space left on device\n"


def test_closed_output(project: Path, program: Program) -> None:
    code = "import os, sys; os.close(1); os.execv(sys.executable, [sys.executable, '-m', 'gradcheck', 'run', 'good'])"
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code],
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(root)},
    )

    assert (done.returncode, done.stderr) == (0, "")


def test_an_encoding_without_the_characters(project: Path, program: Program) -> None:
    (project / "cases" / "mine.yaml").write_text(
        (project / "cases" / "mine.yaml").read_text().replace("  bad:", "  漢字-é:", 1), encoding="utf-8"
    )
    done = program("run", "漢字-é", environ={"PYTHONIOENCODING": "ascii"}, encoding="ascii")

    assert done.returncode == 1
    assert "mine/\\u6f22\\u5b57-\\xe9" in done.stdout


def complete(program: Program, line: str) -> str:
    words = line.split(" ")
    environ = {"_GRADCHECK_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    return str(program(environ=environ).stdout)


def test_completion(project: Path, program: Program) -> None:
    assert complete(program, "gradcheck ru") == "plain,run\n"
    assert complete(program, "gradcheck run known") == "plain,known-bad\n"
    assert complete(program, "gradcheck run mine/g") == "plain,mine/good\n"
    assert "plain,--axis\n" in complete(program, "gradcheck run --ax")
    assert complete(program, "gradcheck run ./fil") == "file,./fil\n"


@pytest.mark.parametrize("command", ["audit", "sweep", "show", "list"])
def test_completion_of_cases_after_every_command(command: str, project: Path, program: Program) -> None:
    assert complete(program, f"gradcheck {command} known") == "plain,known-bad\n"


def test_completion_imports_no_numpy_and_no_user_code(project: Path) -> None:
    (project / "cases" / "mine.py").write_text("raise SystemExit('imported')")
    code = (
        "import sys\nfrom gradcheck.__main__ import main\nmain([])\n"
        "print(sorted({'numpy', 'rich', 'pydantic', 'torch'} & set(sys.modules)), file=sys.stderr)\n"
    )
    environ = {"_GRADCHECK_COMPLETE": "bash_complete", "COMP_WORDS": "gradcheck audit known", "COMP_CWORD": "2"}
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **environ, "PYTHONPATH": root},
    )

    assert done.stdout == "plain,known-bad\n"
    assert done.stderr == "[]\n"


def test_the_script_that_a_shell_is_given(program: Program) -> None:
    script = program(environ={"_GRADCHECK_COMPLETE": "zsh_source"}).stdout

    assert "_GRADCHECK_COMPLETE=zsh_complete gradcheck" in script


def test_completion_survives_a_broken_case_file(project: Path, program: Program) -> None:
    (project / "cases" / "broken.yaml").write_text("cases: [")

    assert complete(program, "gradcheck run known") == "plain,known-bad\n"


def test_a_layer_that_prints_does_not_disturb_the_results(project: Path, program: Program) -> None:
    done = program("run", "raising")

    assert done.stderr == ""
    assert "    | on the way\\x1b[31m\n" in done.stdout


def test_ctrl_c_in_the_middle_of_a_layer(project: Path) -> None:
    (project / "cases" / "mine.py").write_text(
        "import time\n"
        + (project / "mine.py").read_text()
        + "\n\ndef raising_backward(x, g, axis=-1):\n    open('started', 'w').close()\n    time.sleep(60)\n"
    )
    root = Path(__file__).parents[2]
    process = subprocess.Popen(
        [sys.executable, "-m", "gradcheck", "run", "good", "raising", "bad", "-j", "1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    deadline = time.monotonic() + 60
    while not (project / "started").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)

    assert process.returncode == 130
    assert out.startswith("PASS  mine/good")
    assert "\ninterrupted after 1 of 3 cases: 1 passed," in out
    assert err == ""


def test_progress_is_on_a_terminal_alone_and_leaves_nothing_behind(project: Path, program: Program) -> None:
    pty = pytest.importorskip("pty")
    reader, terminal = pty.openpty()
    done = program("run", "good", "known-bad", "-j", "1", stderr=terminal, environ={"TERM": "xterm"})
    os.close(terminal)
    shown = os.read(reader, 65536).decode()
    os.close(reader)

    assert "\x1b" not in done.stdout
    assert "0/2 done   mine/good" in shown
    assert re.search(r"1/2 done, about \d+ s left   mine/known-bad", shown)
    assert shown.endswith("\r\x1b[K")
    assert "\n" not in shown


def test_a_layer_of_ones_own_is_run_with_a_garbage_collector(project: Path, program: Program) -> None:
    (project / "cases" / "mine.py").write_text(
        "import gc\n"
        + (project / "mine.py").read_text().replace("    e = np.exp", "    assert gc.isenabled()\n    e = np.exp")
    )

    assert program("run", "good").returncode == 0
    assert program("run", "good", "--in-process").returncode == 0
    assert program("audit", "good").returncode == 0
    assert program("sweep", "good").returncode == 0
