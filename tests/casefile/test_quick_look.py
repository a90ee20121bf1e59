"""Finding a name without parsing every case file, or looking at every package: quick, and never wrong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from gradcheck.casefile.builtin import find_builtin, others_register
from gradcheck.casefile.discovery import find
from gradcheck.casefile.index import may_name, read_index
from gradcheck.casefile.project import find_project

ROOT = Path(__file__).parents[2]
CASE = "{layer: softmax, inputs: {x: {shape: [2, 3]}}}"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cases").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    "text",
    [
        f"version: 1\ncases:\n  wanted: {CASE}\n",
        f"version: 1\ncases:\n    # why\n\n    other: {CASE}\n    wanted : {CASE}\n",
        f'version: 1\ncases:\n  "wanted": {CASE}\n',
        f"version: 1\ncases: # all\n  'wanted': {CASE}\n",
        f"version: 1\ncases: {{other: {CASE}, wanted: {CASE}}}\n",
        f'version: 1\ncases: {{"wanted":{CASE}}}\n',
        f'version: 1\ncases:\n  "w\\x61nted": {CASE}\n',
        f"version: 1\ncases:\n  ? wanted\n  : {CASE}\n",
        f"version: 1\ndefaults: {{about: &a wanted}}\ncases:\n  *a : {CASE}\n",
        f'{{"version": 1, "cases": {{"wanted": {CASE.replace("{", "{ ")}}}}}',
    ],
)
def test_a_case_is_found_however_it_is_written(text: str, folder: Path) -> None:
    path = folder / "cases" / "file.yaml"
    path.write_text(text)

    assert may_name(path, "wanted")
    names = [case.bare for case in read_index([path]).cases]
    if "wanted" in names and len(names) == len(set(names)):
        assert [case.name for case in find(["wanted"])][:1] == ["file/wanted"]


@pytest.mark.parametrize(
    "text",
    [
        f"version: 1\ncases:\n  other: {CASE}\n",
        f"version: 1\ncases:\n  un-wanted: {CASE}\n",
        "version: 1\ncases:\n  other:\n    about: >-\n      it is\n      wanted: but only said\n    layer: wanted\n",
        "version: 1\ncases:\n  other: {layer: {forward: 'wanted.py:f', backward: 'x.wanted:g'}}\n",
    ],
)
def test_other_files_need_not_be_parsed(text: str, folder: Path) -> None:
    path = folder / "cases" / "file.yaml"
    path.write_text(text)

    assert not may_name(path, "wanted")


def test_folders_are_names_too(folder: Path) -> None:
    (folder / "pyproject.toml").write_text("[tool.gradcheck]\n")
    deep = folder / "cases" / "deep" / "file.yaml"
    flat = folder / "cases" / "file.yaml"
    deep.parent.mkdir()
    for path in (deep, flat):
        path.write_text(f"version: 1\ncases:\n  one: {CASE}\n")

    assert may_name(deep, "deep")
    assert may_name(deep, "deep/one")
    assert not may_name(deep, "file")
    assert may_name(flat, "file")
    assert [case.name for case in find(["deep"])] == ["deep/one"]
    assert [case.name for case in find(["file"])] == ["file/one"]


def test_a_file_that_cannot_be_read_is_no_error(folder: Path) -> None:
    path = folder / "cases" / "file.yaml"
    path.write_bytes(b"other: \xff")

    assert not may_name(path, "wanted")
    path.unlink()
    assert not may_name(path, "wanted")


def test_every_case_of_the_project_is_found_by_the_quick_look() -> None:
    project = find_project(ROOT)
    for path in project.files():
        for case in read_index([path]).cases:
            assert may_name(path, case.bare)
            assert may_name(path, case.name)


def test_built_in_layers() -> None:
    case = find_builtin("log-softmax")

    assert case is not None
    assert case.name == "log-softmax"
    again = find_builtin("log-softmax")
    assert again is not case
    assert again == case
    assert find_builtin("log_softmax") is None


@pytest.mark.parametrize("kind", ["dist-info", "egg-info"])
def test_a_package_that_registers_layers_is_asked(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", ["", str(tmp_path / "none"), str(tmp_path)])
    monkeypatch.chdir(tmp_path)
    assert not others_register()
    info = tmp_path / f"other-1.0.{kind}"
    info.mkdir()
    (info / "entry_points.txt").write_text("[console_scripts]\nother = other:main\n")
    assert not others_register()
    (info / "entry_points.txt").write_text("[gradcheck.layers]\nsoftmax = other:softmax\n")
    assert others_register()
    assert find_builtin("softmax") is None
    info.rename(tmp_path / f"gradcheck-0.1.0.{kind}")
    assert not others_register()


def test_an_archive_may_hold_anything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "layers.zip").write_bytes(b"")
    monkeypatch.setattr(sys, "path", [str(tmp_path / "layers.zip")])

    assert others_register()


def test_a_built_in_layer_needs_no_parser_and_no_list_of_packages() -> None:
    code = (
        "import sys\nfrom gradcheck.casefile.discovery import find\nassert find(['tanh'])[0].name == 'tanh'\n"
        "print(sorted({'yaml', 'pydantic', 'numpy', 'importlib.metadata', 'email'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"
