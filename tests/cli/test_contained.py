"""What audits, sweeps and ``--repro`` run of the user's costs its own case only: it exits, hangs, crashes, prints."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

Program = Callable[..., "subprocess.CompletedProcess[str]"]

LAYERS = """
import ctypes, os, signal, sys, time
import numpy as np


def good(x):
    return np.tanh(x)


def good_backward(x, g):
    return g * (1 - np.tanh(x) ** 2)


def wrong_backward(x, g):
    return g * (1 - np.tanh(x))


def leaves(x):
    os._exit(0)


def hangs(x):
    open("hanging", "w").close()
    time.sleep(1000)


def segfaults(x):
    ctypes.string_at(0)


def killed(x):
    os.kill(os.getpid(), signal.SIGSEGV)


def prints(x):
    print("::error file=forged.py::forged")
    os.write(1, b"::error ::written\\n")
    os.write(2, b"::error ::written\\n")
    return np.tanh(x)


def moves(x):
    os.environ["LAYER_WAS_HERE"] = "1"
    return np.tanh(x)
"""
ERRORS = {
    "leaves": "the layer ended its process with the status 0",
    "hangs": "timed out after 1 s in hangs (layers.py)",
    "segfaults": "the layer crashed with a segmentation fault (SIGSEGV) in segfaults (layers.py:28)",
    "killed": "the layer crashed with a segmentation fault (SIGSEGV) in killed (layers.py:32)",
    "ending": "loading ending.py raised SystemExit: 0 (ending.py:3)",
    "moves": "the layer changed the environment (LAYER_WAS_HERE)",
}
"""Name of a case whose layer misbehaves -> what is said of it."""


def write_case(name: str, file: str = "layers.py", backward: str = "good_backward") -> str:
    timeout = "\n    timeout: 1" if name == "hangs" else ""
    forward = "good" if name in ("good", "wrong", "last", "ending") else name
    return (
        f"  {name}:\n    layer: {{forward: '{file}:{forward}', backward: 'layers.py:{backward}'}}\n"
        f"    inputs: {{x: {{shape: [2, 3]}}}}{timeout}\n"
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("contained")
    (folder / "layers.py").write_text(LAYERS)
    (folder / "ending.py").write_text(f"import os\nimport sys\nsys.exit(0)\n{LAYERS}")
    cases = [write_case(name) for name in ("good", "leaves", "hangs", "segfaults", "killed", "prints", "moves", "last")]
    cases += [write_case("ending", "ending.py"), write_case("wrong", backward="wrong_backward")]
    (folder / "all.yaml").write_text("version: 1\ncases:\n" + "".join(cases))
    (folder / "pyproject.toml").write_text("[tool.gradcheck]\ncases = ['all.yaml']\n")
    return folder


@pytest.fixture
def inside(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(folder)
    return folder


def seen_of(name: str, output: str) -> str:
    """Return the line of a case in an audit of several."""
    (line,) = (line for line in output.splitlines() if line.endswith(name) or f"  all/{name}   " in line)
    return line


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_an_audit_of_a_bad_layer_costs_its_own_case(jobs: str, inside: Path, program: Program) -> None:
    done = program("audit", "all.yaml", "--fail-under", "1", "-j", jobs)

    assert done.returncode == 1
    assert done.stderr == ""
    text = " ".join(done.stdout.split())
    for name, error in ERRORS.items():
        assert f"- all/{name} cannot be audited: {error}" in text
    for name in ("good", "prints", "last"):
        assert "%  all/" in seen_of(name, done.stdout)
    assert "::error" not in done.stdout
    assert "--fail-under" not in done.stdout  # the others see enough: it is the cases that are missing


@pytest.mark.parametrize("name", ERRORS)
def test_a_single_case_that_cannot_be_audited_is_an_error(name: str, inside: Path, program: Program) -> None:
    done = program("audit", name, "--fail-under", "1")

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"gradcheck: error: {ERRORS[name]}")


@pytest.mark.parametrize("name", ["leaves", "hangs", "segfaults", "ending"])
def test_a_sweep_of_a_bad_layer_is_an_error(name: str, inside: Path, program: Program) -> None:
    done = program("sweep", name)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"gradcheck: error: {ERRORS[name]}")


@pytest.mark.parametrize("arguments", [("audit", "prints"), ("sweep", "prints")])
def test_what_a_layer_prints_stays_with_it(arguments: tuple[str, ...], inside: Path, program: Program) -> None:
    done = program(*arguments)

    assert (done.returncode, done.stderr) == (0, "")
    assert "all/prints" in done.stdout
    assert "::error" not in done.stdout
    beside = program(*arguments, "--in-process")  # the check of that would notice
    assert "::error file=forged.py" in beside.stdout
    assert "::error ::written" in beside.stderr


def test_nothing_at_all_can_be_audited(inside: Path, program: Program) -> None:
    done = program("audit", "leaves", "killed", "--fail-under", "1")

    assert done.returncode == 1
    assert done.stdout.endswith("\nnone of the 2 cases can be audited\n")


def test_the_limits_are_those_of_the_command_line(inside: Path, program: Program) -> None:
    done = program("audit", "hangs", "--timeout", "0.5")
    assert done.stderr.startswith("gradcheck: error: timed out after 0.5 s")
    assert program("sweep", "hangs", "--timeout", "0.5").stderr.startswith("gradcheck: error: timed out after 0.5 s")
    assert program("audit", "good", "--in-process", "--timeout", "5").returncode == 2


def test_the_layers_own_traceback_is_shown_on_request(project: Path, program: Program) -> None:
    done = program("sweep", "raising", "--debug")

    assert done.returncode == 2
    assert "in raising_backward" in done.stderr
    assert "in raising_backward" not in program("sweep", "raising").stderr


@pytest.mark.parametrize(
    ("end", "said"), [("os._exit(0)", "the layer ended its process"), ("time.sleep(99)", "timed out after 2 s")]
)
def test_a_layer_that_ends_when_it_is_repeated(
    end: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: Program
) -> None:
    # It behaves in the run, and no more when the file is written: a marker tells one from the other.
    trap = f"if os.path.exists({str(tmp_path / 'later')!r}): {end}\n"
    (tmp_path / "layers.py").write_text(LAYERS.replace("import numpy", f"{trap}import numpy"))
    (tmp_path / "all.yaml").write_text("version: 1\ncases:\n" + write_case("wrong", backward="wrong_backward"))
    monkeypatch.chdir(tmp_path)
    code = (
        "import os, sys\n"
        "from gradcheck.__main__ import main\n"
        "from gradcheck.cli import run\n"
        "write = run.write_repro_file\n"
        "def later(*arguments):\n"
        "    open('later', 'w').close()\n"
        "    write(*arguments)\n"
        "run.write_repro_file = later\n"
        "sys.exit(main(['run', 'all.yaml', '--repro', 'r.py', '--timeout', '2']))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, encoding="utf-8", check=False, timeout=60
    )

    assert done.returncode == 2
    assert "FAIL" in done.stdout
    assert f"gradcheck: error: cannot write 'r.py': {said}" in done.stderr
    assert not Path("r.py").exists()


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_ctrl_c_keeps_the_audits_that_are_finished(inside: Path) -> None:
    marker = inside / "hanging"
    marker.unlink(missing_ok=True)
    command = [sys.executable, "-m", "gradcheck", "audit", "good", "last", "hangs", "--timeout", "50", "-j", "1"]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "TERM": "xterm"}
    with subprocess.Popen(
        command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    ) as process:
        while not marker.exists():
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)

    assert process.returncode == 130
    assert err == ""
    assert "%  all/good" in out
    assert "%  all/last" in out
    assert out.endswith("\ninterrupted after 2 of 3 cases\n")
