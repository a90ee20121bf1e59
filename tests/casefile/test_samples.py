"""Faulty case files, one for each kind of slip, with everything that is said of them.

A sample ``samples/NAME.yaml`` has its complaints in ``samples/NAME.txt``.
"""

from pathlib import Path

import pytest

from gradcheck.casefile.parse import load, load_text
from gradcheck.errors import CaseFileError

SAMPLES = Path(__file__).parent / "samples"
FAULTY = sorted(SAMPLES.glob("*.yaml"))


def complain(text: str, file: str = "cases.yaml") -> CaseFileError:
    with pytest.raises(CaseFileError) as caught:
        load_text(text, file)
    return caught.value


@pytest.mark.parametrize("path", FAULTY, ids=lambda path: path.stem)
def test_sample(path, monkeypatch):
    monkeypatch.chdir(SAMPLES)
    with pytest.raises(CaseFileError) as caught:
        load_text(path.read_text(encoding="utf-8"), path.name, base=".")
    assert str(caught.value) + "\n" == path.with_suffix(".txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", FAULTY, ids=lambda path: path.stem)
def test_every_place_is_in_the_file_and_in_order(path, monkeypatch):
    monkeypatch.chdir(SAMPLES)
    text = path.read_text(encoding="utf-8")
    lines = text.split("\n")
    with pytest.raises(CaseFileError) as caught:
        load_text(text, path.name, base=".")
    places = [(each.line, each.column) for each in caught.value.complaints]
    assert places == sorted(places)
    for complaint in caught.value.complaints:
        assert 1 <= complaint.line <= len(lines)
        assert 1 <= complaint.column <= len(lines[complaint.line - 1]) + 1
        if complaint.excerpt:
            assert complaint.column - 1 + complaint.width <= max(len(complaint.excerpt), complaint.column)


def test_there_are_samples():
    assert len(FAULTY) > 70
    assert {path.stem for path in FAULTY} == {path.stem for path in SAMPLES.glob("*.txt")}


def test_a_sound_file_has_no_complaints(tmp_path):
    (tmp_path / "sound.yaml").write_text(
        "version: 1\ncases: {sample: {layer: softmax, inputs: {x: {shape: [4, 5]}}}}\n"
    )
    (case,) = load(tmp_path / "sound.yaml")
    assert case.layer.target == "softmax"
    assert case.inputs["x"].shape == (4, 5)


def test_a_file_is_shown_relative_to_the_current_folder(tmp_path, monkeypatch):
    (tmp_path / "cases").mkdir()
    (tmp_path / "cases" / "softmax.yaml").write_text(
        "version: 1\ncases:\n  sample:\n    tolerence: 1e-6\n    layer: softmax\n"
    )
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CaseFileError) as caught:
        load("cases/softmax.yaml")
    assert str(caught.value) == (
        "cases/softmax.yaml:4:5: error: unknown key 'tolerence'\n"
        "  |\n"
        "4 |     tolerence: 1e-6\n"
        "  |     ^^^^^^^^^\n"
        "  = help: did you mean 'rtol'?"
    )


def test_unreadable_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CaseFileError, match=r"^none\.yaml: error: there is no such file$"):
        load("none.yaml")
    with pytest.raises(CaseFileError, match=r"^\.: error: there is no such file$"):
        load(".")
    (tmp_path / "latin.yaml").write_bytes("version: 1\nabout: gr\xf6\xdfe\n".encode("latin-1"))
    with pytest.raises(CaseFileError) as caught:
        load("latin.yaml")
    assert str(caught.value) == ("latin.yaml:2:10: error: the byte 0xf6 is not UTF-8\n  = help: save the file as UTF-8")
    (tmp_path / "large.yaml").write_bytes(b"# " + b"x" * (1 << 20))
    with pytest.raises(CaseFileError) as caught:
        load("large.yaml")
    assert str(caught.value) == ("large.yaml: error: larger than 1 MiB\n  = help: divide it into several case files")


def test_a_byte_order_mark_is_passed_over(tmp_path):
    (tmp_path / "bom.yaml").write_text(
        "version: 1\r\ncases: {a: {layer: softmax, inputs: {}}}\r\n", encoding="utf-8-sig"
    )
    (case,) = load(tmp_path / "bom.yaml")
    assert (case.place.line, case.place.column) == (2, 9)


def test_a_character_that_yaml_forbids():
    error = complain("version: 1\nabout: a\x00b\n")
    assert str(error) == (
        "cases.yaml:2:9: error: the character U+0000 may not stand in a case file\n"
        "  |\n2 | about: a\N{REPLACEMENT CHARACTER}b\n  |         ^\n  = help: remove it"
    )


def test_lines_are_counted_as_editors_do():
    # U+2028 and U+0085 end a line in YAML 1.1 but in no editor
    error = complain("version: 1 # \u2028 \x85\ncases: {a: {layer: softmax, mod: full}}\n")
    assert [(each.line, each.column) for each in error.complaints] == [(2, 29)]


def test_complaints_are_capped():
    keys = "".join(f"    key{number}: 1\n" for number in range(500))
    error = complain(f"version: 1\ncases:\n  a:\n    layer: softmax\n{keys}")
    assert len(error.complaints) == 101
    assert error.complaints[-1].message == "and 400 more"


def test_a_fault_in_the_defaults_is_said_once():
    cases = "".join(f"  c{number}: {{layer: softmax}}\n" for number in range(20))
    error = complain(f"version: 1\ndefaults: {{sed: 1}}\ncases:\n{cases}")
    assert [each.message for each in error.complaints] == ["unknown key 'sed'"]
