from __future__ import annotations

import os
from pathlib import Path

import pytest

from gradcheck.errors import UsageError
from gradcheck.model import Case, InputSpec, LayerSpec, Report, Settings, Verdict
from gradcheck.runner import Plan, parcel, sources
from gradcheck.runner.parcel import pack, restore_paths, unpack
from gradcheck.runner.sources import find_files, read_files


def names(case: Case, folder: Path) -> list[str]:
    return sorted(os.path.relpath(path, folder) for path in find_files(case))


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in (
        "a/mine.py",
        "a/beside.py",
        "a/notes.txt",
        "a/package/__init__.py",
        "a/package/inner/deep.py",
        "a/package/__pycache__/x.py",
        "a/plain/other.py",
        "a/x.npy",
        "b/chained.py",
        "b/up.csv",
        "single.py",
        "whole/__init__.py",
        "whole/part.py",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"# {name}")
    monkeypatch.chdir(tmp_path)
    return tmp_path


BESIDE = ["a/beside.py", "a/mine.py", "a/package/__init__.py", "a/package/inner/deep.py"]


def test_a_file_and_what_is_beside_it(tree: Path) -> None:
    spec = LayerSpec(forward="mine.py:f", backward="mine.py:g", base=str(tree / "a"))

    assert names(Case("x", spec), tree) == BESIDE


def test_arrays(tree: Path) -> None:
    case = Case("x", LayerSpec(target="mine.py:f", base=str(tree / "a")))
    case.inputs = {"x": InputSpec("file", parameters={"file": "x.npy"}), "y": InputSpec(shape=(2,))}
    case.settings = Settings(upstream=[InputSpec("file", parameters={"file": str(tree / "b" / "up.csv")})])

    assert names(case, tree) == sorted([*BESIDE, "a/x.npy", "b/up.csv"])


def test_chains_references_and_modules(tree: Path) -> None:
    chain = LayerSpec(
        chain=[LayerSpec(target="b/chained.py:f"), LayerSpec(object="whole.part:Layer", forward="compute")]
    )
    case = Case("x", chain, settings=Settings(reference=LayerSpec(target="single:f")))

    assert names(case, tree) == ["b/chained.py", "single.py", "whole/__init__.py", "whole/part.py"]


def test_a_module_brings_what_is_beside_it(tree: Path) -> None:
    spec = LayerSpec(forward="mine:f", backward="mine:g", base=str(tree / "a"))

    assert names(Case("x", spec), tree) == BESIDE


def test_what_is_not_there_or_is_installed(tree: Path) -> None:
    for target in ("nowhere.py:f", "numpy.linalg:inv", "softmax"):
        assert names(Case("x", LayerSpec(target=target)), tree) == []


def test_too_much(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "LARGEST", 10)
    with pytest.raises(UsageError, match="the files of a case come to 0 MiB, more than the 0 MiB that are sent"):
        read_files([str(tree / "a" / "mine.py"), str(tree / "single.py")])


def test_a_file_that_cannot_be_read(tree: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot send .*gone\.py: No such file"):
        read_files([str(tree / "gone.py")])


def test_files_are_read_once(tree: Path) -> None:
    case = Case("x", LayerSpec(target="mine.py:f", base=str(tree / "a")))
    one, two = pack([case, case], Plan(timeout=3, memory=5))

    assert one.files is two.files
    assert (one.timeout, one.memory, one.folder) == (3, 5, str(tree))


def test_files_that_are_there_are_used(tree: Path) -> None:
    case = Case("x", LayerSpec(target="mine.py:f", base=str(tree / "a")))
    (packed,) = pack([case], Plan())
    found = unpack(packed)

    assert found.case is case
    assert (found.folder, found.root) == (str(tree), "")


def test_files_that_differ_are_written_elsewhere(tree: Path) -> None:
    spec = LayerSpec(
        chain=[
            LayerSpec(target="mine.py:f", base=str(tree / "a")),
            LayerSpec(target=f"{tree}/single.py:f"),
            LayerSpec(target="whole.part:g", base="a"),
        ]
    )
    case = Case("x", spec, {"x": InputSpec("file", parameters={"file": str(tree / "a" / "x.npy")})})
    case.settings = Settings(reference=spec.chain and spec.chain[0], upstream=[InputSpec("normal")])
    (packed,) = pack([case], Plan())
    (tree / "a" / "mine.py").write_text("# another")
    found = unpack(packed)
    again = unpack(packed)

    assert found.root
    assert again.root == found.root
    assert found.folder == found.root + str(tree)
    assert Path(found.root + str(tree / "a" / "mine.py")).read_text() == "# a/mine.py"
    chain = found.case.layer.chain or []
    assert [link.base for link in chain] == [found.root + str(tree / "a"), "", "a"]
    assert [link.target for link in chain] == ["mine.py:f", f"{found.root}{tree}/single.py:f", "whole.part:g"]
    assert found.case.inputs["x"].parameters["file"] == found.root + str(tree / "a" / "x.npy")
    assert found.case.settings.reference == chain[0]
    assert case.layer.chain == spec.chain  # the case itself is as it was


def test_paths_are_written_as_they_are_at_home() -> None:
    from gradcheck.model import Finding, Place, Severity

    report = Report("a", Verdict.ERROR, error="in /srv/sandbox/home/mine.py", notes=["/srv/sandbox/home"])
    report.source = Place("/srv/sandbox/home/mine.py", 3)
    report.findings = [Finding("rule", Severity.BUG, "at /srv/sandbox/home/mine.py")]
    restore_paths(report, "/srv/sandbox")

    assert report.error == "in /home/mine.py"
    assert report.notes == ["/home"]
    assert report.source == Place("/home/mine.py", 3)
    assert report.findings[0].message == "at /home/mine.py"
    restore_paths(report, "")
    assert report.error == "in /home/mine.py"


def test_the_folder_is_part_of_the_parcel(tree: Path) -> None:
    case = Case("x", LayerSpec(target="single.py:f"))
    (packed,) = pack([case], Plan())

    assert parcel._digest(packed) != parcel._digest(parcel.replace(packed, folder="/elsewhere"))
