"""Every command and every screen of the README, run as it stands there."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"(<!-- (?P<mark>[a-z-]+) -->\n)?```(?P<kind>\w+)\n(?P<body>.*?)```", re.DOTALL)


@dataclass
class Block:
    """A fenced block of the README; ``mark`` is the comment just before it."""

    kind: str
    mark: str
    body: str


BLOCKS = [Block(m["kind"], m["mark"] or "", m["body"]) for m in BLOCK.finditer(README)]


@dataclass
class Step:
    """A command and the screen that it prints."""

    command: str
    screen: str


def steps() -> list[Step]:
    """Return the commands of the console blocks, but for those that install."""
    found = []
    for block in BLOCKS:
        if block.kind != "console" or block.mark == "installs":
            continue
        for part in re.split(r"^\$ ", block.body, flags=re.MULTILINE)[1:]:
            command, _, screen = part.partition("\n")
            found.append(Step(command, screen.rstrip()))
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the files that the README writes."""
    place = tmp_path_factory.mktemp("readme")
    for block in BLOCKS:
        name = re.match(r"# (\S+\.(?:py|yaml))\n", block.body)
        if name:
            (place / name[1]).parent.mkdir(parents=True, exist_ok=True)
            (place / name[1]).write_text(block.body, encoding="utf-8")
    return place


# What differs from one processor to the next: rounding, and how many calls it takes to be sure.
ROUNDING = re.compile(r"-?\b\d(\.\d)?e-(0[7-9]|1\d)\b|\(x[\d.e+]+\)|[\d,]+(?= (forward|backward))")


def matches(pattern: str, text: str) -> bool:
    """Whether a screen is as written, but for rounding; a line ``...`` stands for any lines."""
    pattern, text = (re.sub(" +", " ", ROUNDING.sub("#", part)) for part in (pattern, text))
    parts = [re.escape(part.strip("\n")) for part in re.split(r"^\.\.\.$", pattern, flags=re.MULTILINE)]
    return re.fullmatch(r"\n?.*?\n?".join(parts), text, re.DOTALL) is not None


@pytest.mark.parametrize("step", steps(), ids=lambda step: step.command)
def test_screen(step: Step, folder: Path):
    words = shlex.split(step.command)
    module = {"gradcheck": "gradcheck", "pytest": "pytest", "python": ""}[words[0]]
    command = [sys.executable, *(["-m", module] if module else []), *words[1:]]
    env = {key: value for key, value in os.environ.items() if not key.startswith(("GRADCHECK", "PYTEST", "COV"))}
    env |= {"COLUMNS": "80", "NO_COLOR": "1", "PYTHONPATH": str(ROOT)}
    env.pop("FORCE_COLOR", None)

    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)

    text = "\n".join(line.rstrip() for line in (done.stdout + done.stderr).rstrip().splitlines())
    assert matches(step.screen, text), text


@pytest.mark.parametrize(
    "block", [block for block in BLOCKS if block.kind == "python"], ids=lambda b: b.body.splitlines()[0]
)
def test_python(block: Block, folder: Path):
    done = subprocess.run(
        [sys.executable, "-c", block.body], cwd=folder, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip

    assert done.returncode == 0, done.stderr


def test_there_is_something_to_run():
    assert len(steps()) >= 3


def test_the_commands_that_install_are_those_that_ci_runs():
    commands = "\n".join(block.body for block in BLOCKS if block.mark == "installs")
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")

    for words in ("-e '.[dev]'", "pytest -n 2", "gradcheck run softmax --axis 1"):
        assert words in commands
        assert words in ci
