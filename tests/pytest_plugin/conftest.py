from __future__ import annotations

import os
from collections.abc import Callable
from importlib.metadata import entry_points

import pytest

# A run inside the run forgets the modules that it loads, and numpy cannot be loaded twice.
import gradcheck.api
import gradcheck.casefile.parse
import gradcheck.cli.run
import gradcheck.rules.families  # noqa: F401

LAYERS = """
import numpy as np


def tanh(x):
    return np.tanh(x)


def right(x, g):
    return g * (1 - np.tanh(x) ** 2)


def negated(x, g):
    return -g * (1 - np.tanh(x) ** 2)


def raising(x, g):
    print("about to raise")
    raise ValueError("no gradient today")


def ending(x, g):
    import os
    os._exit(7)


def constant(x):
    return np.zeros_like(x)


def zero(x, g):
    return np.zeros_like(x)
"""

CASES = """
version: 1
defaults:
  inputs: {x: {shape: [2, 3]}}
cases:
  right:
    layer: {forward: layers.py:tanh, backward: layers.py:right}
    tags: [fast]
    matrix: {shape: [[2, 3], [4]]}
  known:
    layer: {forward: layers.py:tanh, backward: layers.py:negated}
    expect: {fail: sign-error}
    tags: [fast, known-bad]
  wrong:
    layer: {forward: layers.py:tanh, backward: layers.py:negated}
  other-bug:
    layer: {forward: layers.py:tanh, backward: layers.py:negated}
    expect: {fail: factor-two}
  mended:
    layer: {forward: layers.py:tanh, backward: layers.py:right}
    expect: {fail: sign-error}
  raising:
    layer: {forward: layers.py:tanh, backward: layers.py:raising}
  dying:
    layer: {forward: layers.py:tanh, backward: layers.py:ending}
    expect: error
  vacuous:
    layer: {forward: layers.py:constant, backward: layers.py:zero}
"""

OUTCOMES = {
    "right[shape=2x3]": "passed",
    "right[shape=4]": "passed",
    "known": "xfailed",
    "wrong": "failed",
    "other-bug": "failed",
    "mended": "failed",
    "raising": "failed",
    "dying": "xfailed",
    "vacuous": "failed",
}

Run = Callable[..., pytest.RunResult]


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A project with a folder of cases."""
    for name in list(os.environ):
        if name.startswith(("GRADCHECK_", "GITHUB_")):
            monkeypatch.delenv(name)
    folder = pytester.mkdir("cases")
    (folder / "layers.py").write_text(LAYERS)
    (folder / "tanh.yaml").write_text(CASES)
    pytester.makepyprojecttoml('[tool.gradcheck]\ncases = ["cases"]\n[tool.pytest.ini_options]\n')
    return pytester


@pytest.fixture
def run(pytester: pytest.Pytester) -> Run:
    """Run pytest with the plugin, whether or not it is installed as one."""
    installed = any(each.value == "gradcheck.pytest_plugin" for each in entry_points(group="pytest11"))
    plugin = [] if installed else ["-p", "gradcheck.pytest_plugin"]
    # Hypothesis' own plugin imports all of it anew in each run.
    plugin += ["-p", "no:hypothesispytest"]

    def start(*arguments: str) -> pytest.RunResult:
        return pytester.runpytest_inprocess(*plugin, *arguments)

    return start
