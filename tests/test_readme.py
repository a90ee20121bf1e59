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


def steps(mark: str = "") -> list[Step]:
    """Return the commands of the console blocks with a mark; those that install are marked ``installs``."""
    found = []
    for block in BLOCKS:
        if block.kind != "console" or block.mark != mark:
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
    assert matches(step.screen, run(step, folder)), run(step, folder)


@pytest.mark.torch
@pytest.mark.parametrize("step", steps("torch"), ids=lambda step: step.command)
def test_screen_of_torch(step: Step, folder: Path):
    pytest.importorskip("torch", reason="needs PyTorch")

    assert matches(step.screen, run(step, folder)), run(step, folder)


def test_a_screen_that_is_not_the_readmes_is_noticed(folder: Path):
    step = next(step for step in steps() if "audit" in step.command)
    text = run(step, folder)

    assert matches(step.screen, text)
    assert not matches(step.screen.replace("13 %", "14 %", 1), text)
    assert not matches(step.screen.replace("...\n", "", 1), text)


def run(step: Step, folder: Path) -> str:
    """Return what a command prints, on both streams."""
    words = shlex.split(step.command)
    module = {"gradcheck": "gradcheck", "pytest": "pytest", "python": ""}[words[0]]
    command = [sys.executable, *(["-m", module] if module else []), *words[1:]]
    env = {key: value for key, value in os.environ.items() if not key.startswith(("GRADCHECK", "PYTEST", "COV"))}
    env |= {"COLUMNS": "80", "NO_COLOR": "1", "PYTHONPATH": str(ROOT)}
    env.pop("FORCE_COLOR", None)

    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)

    return "\n".join(line.rstrip() for line in (done.stdout + done.stderr).rstrip().splitlines())


@pytest.mark.parametrize(
    "block",
    [block for block in BLOCKS if block.kind == "python" and "import torch" not in block.body],
    ids=lambda b: b.body.splitlines()[0],
)
def test_python(block: Block, folder: Path):
    done = subprocess.run(
        [sys.executable, "-c", block.body], cwd=folder, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip

    assert done.returncode == 0, done.stderr


def test_every_recipe_is_run(folder: Path):
    parts = re.split(r"^### (.*)$", README.partition("## Recipes")[2].partition("\n## ")[0], flags=re.MULTILINE)
    recipes = dict(zip(parts[1::2], parts[2::2], strict=True))

    assert list(recipes) == [
        "My NumPy layer", "My torch Function", "A CI step", "A course's assignments", "Auditing a test",
    ]  # fmt: skip
    for title, text in recipes.items():
        own = {step.command for mark in ("", "torch") for step in steps(mark) if f"$ {step.command}\n" in text}
        assert own or title == "A CI step", title
    assert len(steps("torch")) == 1


def test_the_page_of_the_course_is_written(folder: Path):
    (step,) = (step for step in steps() if "marks.html" in step.command)
    run(step, folder)
    page = (folder / "marks.html").read_text(encoding="utf-8")

    assert 'data-name="course/anna"' in page
    assert page.count('data-kind="Jacobian') == 2
    assert page.count("<svg ") == 2


def test_the_commands_that_install_are_those_that_ci_runs():
    commands = "\n".join(block.body for block in BLOCKS if block.mark == "installs")
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")

    for words in ("-e '.[dev]'", "pytest -n 2", "gradcheck run softmax --axis 1"):
        assert words in commands
        assert words in ci


def test_what_needs_more_than_the_core_is_run_by_ci_where_that_is_installed():
    needing = set(re.findall(r'"(\w+): needs ', (ROOT / "pyproject.toml").read_text(encoding="utf-8")))
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    core, everything = re.findall(r'pytest .*-m "(?:not \()?([^")]*)', ci)

    assert len(needing) == 7
    assert set(core.split(" or ")) == set(everything.split(" or ")) == needing
