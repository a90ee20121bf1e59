"""Hostile case files and layers, from the command line to the screen and the report files."""

from __future__ import annotations

import json
import os
import pickle
import re
import struct
import time
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from gradcheck.__main__ import main
from gradcheck.report.formats import FORMATS

Captured = pytest.CaptureFixture[str]

CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
NASTY = "\x1b[31m\x1b]0;title\x07 [bold]<script>alert(1)</script>[/x] \u202egnp.\x00\x7f ]]> &amp; ::error::x %0A"
LAYERS = f"""
import numpy as np
NASTY = {NASTY!r}


def good(x):
    open({"imported"!r}, "w").close()
    return np.tanh(x)


def backward(g, x):
    return g * (1 - np.tanh(x) ** 2)


def wrong(g, x):
    return g * np.tanh(x)


def raises(x):
    print(NASTY)
    raise ValueError(NASTY)


class NastyError(Exception):
    def __str__(self):
        raise RuntimeError(NASTY)


def raises_worse(x):
    raise NastyError


def huge(x):
    raise ValueError("z" * 10_000_000)
"""


@pytest.fixture
def hostile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose folder has a name that would like to be markup."""
    folder = tmp_path / "[red]<b>&\x1b[31m"
    (folder / "cases").mkdir(parents=True)
    (folder / "cases" / "mine.py").write_text(LAYERS)
    monkeypatch.chdir(folder)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    return folder


def run(text: str, capsys: Captured, *arguments: str) -> tuple[int, str, str]:
    """Run a case file and return the status and both outputs, none of which may do anything to a terminal."""
    Path("cases", "all.yaml").write_text(text, encoding="utf-8")
    begun = time.monotonic()
    status = main(["run", "cases/all.yaml", *arguments])
    out, err = capsys.readouterr()

    assert time.monotonic() - begun < 30
    assert "Traceback" not in out + err
    assert not CONTROL.findall(out.replace("\n", "")), out
    assert not CONTROL.findall(err.replace("\n", "")), err
    return status, out, err


def case(body: str) -> str:
    return f"version: 1\ncases:\n  a:\n    layer: {{forward: mine.py:good, backward: mine.py:backward}}\n{body}\n"


INPUT = "    inputs: {x: {shape: [2, 3]}}"
BOMB = "\n".join(f"  - &a{n} [{', '.join([f'*a{n - 1}'] * 9) if n else '1'}]" for n in range(10))


@pytest.mark.parametrize(
    "text",
    [
        f"version: 1\nbombs:\n{BOMB}\ncases: *a9\n",
        "version: 1\ncases: " + "[" * 20_000,
        "version: 1\ncases: " + "{a: " * 5000 + "1" + "}" * 5000,
        "version: 1\ncases: &c\n  a: *c\n",
        "version: 1\ncases: !!python/object/apply:os.system ['touch imported']\n",
        "version: 1\ncases:\n  ? [1, 2]\n  : 3\n",
        "\x00\x01\x02",
        "version: 1\ncases:\n  a: " + "x" * 5_000_000,
        case('    about: "\\e[31m"\n    inputs: {x: {shape: [1000000, 1000000]}}'),
        case("    inputs: {x: {shape: [1000000000000]}}"),
        case("    inputs: {x: {shape: [2], draw: constant, value: 1e400}}") + "\x7f",
        case("    inputs: {x: {shape: [-1, 3]}}"),
        case(INPUT + '\n    "\\e[31m[bold]": 1'),
        case(INPUT + "\n    expect: {fail: '<b>'}"),
        "version: 1\ncases:\n  '../../etc': {layer: mine.py:good}\n",
    ],
    ids=[
        "bomb",
        "deep",
        "nested",
        "recursive",
        "object",
        "key",
        "binary",
        "long",
        "square",
        "line",
        "infinite",
        "negative",
        "escape",
        "rule",
        "path",
    ],
)
def test_a_hostile_case_file(text: str, hostile: Path, capsys: Captured) -> None:
    status, out, err = run(text, capsys)

    assert (status, out) == (2, "")
    assert re.match(r"(gradcheck|cases/all\.yaml(:\d+:\d+)?): error: .", err)
    assert not Path("imported").exists()


def test_shapes_beyond_memory_are_refused_from_their_size(hostile: Path, capsys: Captured) -> None:
    begun = time.monotonic()
    _, out, err = run(case("    inputs: {x: {shape: [1000000, 1000000]}}"), capsys)

    assert "1e+12 elements; at most 2.68e+08 are drawn" in out + err
    assert time.monotonic() - begun < 10


def lying_header(shape: str, size: int, kind: str = "<f8") -> bytes:
    head = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}".ljust(117).encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + b"\0" * size


class Bomb:
    def __reduce__(self) -> tuple[object, ...]:
        return (os.system, ("touch imported",))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", ""),
        (b"\x93NUMPY", ""),
        (lying_header("(1000000000000,)", 8), "2.68e+08 are drawn"),
        (lying_header("(1000,)", 8), "cut short"),
        (lying_header("(2, 3)", 47), "cut short"),
        (lying_header("(1,)", 0, "|O") + pickle.dumps(Bomb()), "pickled objects"),
        (pickle.dumps(Bomb()), ""),
        (b"\x1b[31m" * 100, ""),
    ],
)
def test_a_hostile_array(data: bytes, words: str, hostile: Path, capsys: Captured) -> None:
    Path("cases", "x.npy").write_bytes(data)
    status, out, err = run(case("    inputs: {x: {file: x.npy}}"), capsys)

    assert status in (1, 2)
    assert words in out + err
    assert not Path("imported").exists()


def test_a_file_that_is_an_array(hostile: Path, capsys: Captured) -> None:
    np.save("cases/x.npy", np.ones((2, 3)))
    status, out, _ = run(case("    inputs: {x: {file: x.npy}}"), capsys)

    assert status == 0, out
    assert Path("imported").exists()


def test_a_case_file_that_refers_outside_its_folder_is_allowed_and_shown(hostile: Path, capsys: Captured) -> None:
    (hostile.parent / "outside.py").write_text(LAYERS)
    (hostile / "link.py").symlink_to(hostile.parent / "outside.py")
    text = (
        "version: 1\ndefaults: {inputs: {x: {shape: [2, 3]}}}\ncases:\n"
        "  up: {layer: {forward: ../../outside.py:good, backward: ../../outside.py:wrong}}\n"
        "  link: {layer: {forward: ../link.py:good, backward: ../link.py:wrong}}\n"
    )
    status, out, _ = run(text, capsys, "-v")

    assert status == 1
    assert "outside.py:" in out


def test_a_link_to_itself(hostile: Path, capsys: Captured) -> None:
    Path("cases", "loop.yaml").symlink_to("loop.yaml")
    Path("cases", "mine2.py").symlink_to("mine2.py")
    status, out, err = run(case(INPUT).replace("mine.py:good", "mine2.py:good"), capsys)

    assert status in (1, 2)
    assert "mine2.py" in out + err


HOSTILE_LAYERS = """
version: 1
defaults: {inputs: {x: {shape: [2, 3]}}}
cases:
  "[red]<i>&": {layer: {forward: mine.py:raises, backward: mine.py:backward}, about: "<b>[bold]\\e[31m"}
  "漢字 😀 [/x]": {layer: {forward: mine.py:good, backward: mine.py:wrong}, tags: ["<tag>"]}
  worse: {layer: {forward: mine.py:raises_worse, backward: mine.py:backward}}
  huge: {layer: {forward: mine.py:huge, backward: mine.py:backward}}
"""


def test_hostile_words_are_shown_and_not_obeyed(hostile: Path, capsys: Captured) -> None:
    text = HOSTILE_LAYERS.replace("[red]<i>&", "<i>&;").replace("漢字 😀 [/x]", "漢字 😀 <x>")
    kinds = [kind for kind in FORMATS if kind != "html"]
    files = [word for kind in kinds for word in ("--report", f"{kind}=report.{kind}")]
    status, out, err = run(text, capsys, *files)

    assert status == 1, err
    assert "<script>alert(1)</script>" in out
    assert "\\x1b[31m" in out
    assert "\\u202e" in out
    assert len(out) < 50_000
    for kind in kinds:
        said = Path(f"report.{kind}").read_text(encoding="utf-8")
        assert not CONTROL.findall(said.replace("\n", "")), kind
        assert len(said) < 500_000, kind
    assert len(json.loads(Path("report.json").read_text())["reports"]) == 4
    if "junit" in kinds:
        assert len(list(ElementTree.parse("report.junit").iter("testcase"))) == 4
    if "github" in kinds:
        lines = Path("report.github").read_text().splitlines()
        assert lines
        assert all(
            line.startswith(("::error ", "::warning ", "::notice ", "::error::", "::notice::")) for line in lines
        )


def test_the_page_obeys_nothing_either(hostile: Path, capsys: Captured) -> None:
    if "html" not in FORMATS:
        pytest.skip("there is no page")
    pytest.importorskip("jinja2")
    run(HOSTILE_LAYERS.replace("[red]<i>&", "<i>&;").replace("漢字 😀 [/x]", "漢字"), capsys, "--report", "html=a.html")

    assert "<script>alert(1)" not in Path("a.html").read_text()
