"""A small project to run the command line on."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

MINE = """
import numpy as np


def softmax(x, axis=-1):
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def softmax_backward(x, g, axis=-1):
    s = softmax(x, axis)
    return s * (g - (g * s).sum(axis=axis, keepdims=True))


def wrong_backward(x, g, axis=-1):
    s = softmax(x, axis)
    return s * (1 - s) * g


def raising_backward(x, g, axis=-1):
    print("on the way\\x1b[31m")
    raise ValueError(f"shapes {x.shape} and [/bold]")


def leaving_backward(x, g, axis=-1):
    raise SystemExit(3)
"""
CASES = """
version: 1
cases:
  good:
    layer: {forward: mine.py:softmax, backward: mine.py:softmax_backward}
    inputs: {x: {shape: [4, 5]}}
    options: {axis: -1}
    tags: [core]
  bad:
    layer: {forward: mine.py:softmax, backward: mine.py:wrong_backward}
    inputs: {x: {shape: [4, 5]}}
    options: {axis: -1}
    tags: [slow]
  known-bad:
    layer: {forward: mine.py:softmax, backward: mine.py:wrong_backward}
    inputs: {x: {shape: [4, 5]}}
    options: {axis: -1}
    expect: {fail: diagonal-only-jacobian}
  mended:
    layer: {forward: mine.py:softmax, backward: mine.py:softmax_backward}
    inputs: {x: {shape: [4, 5]}}
    options: {axis: -1}
    expect: fail
  raising:
    layer: {forward: mine.py:softmax, backward: mine.py:raising_backward}
    inputs: {x: {shape: [4, 5]}}
    options: {axis: -1}
  leaving:
    layer: {forward: mine.py:softmax, backward: mine.py:leaving_backward}
    inputs: {x: {shape: [4, 5]}}
    options: {axis: -1}
  zero:
    layer: {forward: mine.py:softmax, backward: mine.py:softmax_backward}
    inputs: {x: {shape: [4, 5]}}
    options: {axis: -1}
    upstream: ones
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with layers in mine.py and cases in cases/mine.yaml that start beside it."""
    (tmp_path / "cases").mkdir()
    (tmp_path / "cases" / "mine.py").write_text(MINE)
    (tmp_path / "mine.py").write_text(MINE)
    (tmp_path / "cases" / "mine.yaml").write_text(CASES)
    (tmp_path / "pyproject.toml").write_text("[tool.gradcheck]\ncases = ['cases']\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(autouse=True)
def _one_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start one worker for a run of quick cases, whatever the machine; what several do is asked for with ``-j``."""
    monkeypatch.setenv("GRADCHECK_JOBS", "1")


Program = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def program() -> Program:
    """Run ``python -m gradcheck`` as a process of its own, in an environment without a word on colour."""

    def run(*arguments: str, environ: dict[str, str] | None = None, **options: object) -> object:
        clean = {key: os.environ[key] for key in ("PATH", "HOME", "SYSTEMROOT") if key in os.environ}
        paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        given = {**clean, "PYTHONPATH": os.pathsep.join(paths), "PYTHONUTF8": "1", **(environ or {})}
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "encoding": "utf-8"}
        command = [sys.executable, "-m", "gradcheck", *arguments]
        return subprocess.run(command, env=given, timeout=120, check=False, **{**streams, **options})  # type: ignore[call-overload]

    return run  # type: ignore[return-value]
