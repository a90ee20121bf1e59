from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from gradcheck.__main__ import main
from gradcheck.cli.forms import announce, prepare
from gradcheck.cli.screen import Screen
from gradcheck.errors import UsageError
from gradcheck.report import html
from gradcheck.report.formats import FORMATS, find_writer
from gradcheck.report.json import write_json
from gradcheck.report.manual import page_of, use_manual
from tests.report.samples import failing, passing

REPORTS = [passing(), failing()]


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "run.json"
    path.write_text(write_json(REPORTS), encoding="utf-8")
    return str(path)


def test_the_table_is_drawn_again(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", file]) == 0
    assert capsys.readouterr().out == find_writer("table")(REPORTS)


@pytest.mark.parametrize("kind", FORMATS)
def test_every_form_is_as_the_run_itself_writes_it(
    kind: str, file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "written"
    assert main(["report", file, "--format", kind, "--report", f"{kind}={path}"]) == 0
    written = path.read_text(encoding="utf-8")
    assert capsys.readouterr().out.removesuffix("\n") == written.removesuffix("\n")
    assert written == find_writer(kind)(REPORTS)


def test_several_files_are_one_run(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", file, file, "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["summary"]["cases"] == 4


def test_the_standard_input(file: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    stream = io.TextIOWrapper(io.BytesIO(b"\xef\xbb\xbf" + Path(file).read_bytes()))
    monkeypatch.setattr("sys.stdin", stream)
    assert main(["report", "-"]) == 0
    assert "stale-counter" in capsys.readouterr().out


def test_options_of_the_table(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", file, "-v", "--show", "1"]) == 0
    out = capsys.readouterr().out
    assert "full mode, 52 forward and 5 backward calls" in out
    assert "... and 3 more slices, 2 of them wrong" in out


def test_the_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "--schema"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "gradcheck report"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot read 'x.json': No such file or directory"),
        (b"\xff\xfe", "x.json: not UTF-8, so no report of gradcheck"),
        (b"{}", "x.json: not a report of gradcheck"),
    ],
)
def test_what_cannot_be_read(
    content: bytes | None,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    if content is not None:
        Path("x.json").write_bytes(content)
    assert main(["report", "x.json"]) == 2
    assert capsys.readouterr().err.splitlines()[0] == f"gradcheck: error: {message}"


def test_no_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report"]) == 2
    assert "no file is given" in capsys.readouterr().err


def test_a_form_whose_package_is_missing_is_refused_first(
    file: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(html, "find_spec", lambda name: None)
    assert main(["report", file, "--report", "html=x.html"]) == 2
    assert "pip install 'gradcheck[html]'" in capsys.readouterr().err
    with pytest.raises(UsageError):
        prepare(["json", "html"])
    prepare(["json"])


def test_sarif_carries_the_pages_of_the_rules(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        assert main(["report", file, "--format", "sarif"]) == 0
        (rule,) = json.loads(capsys.readouterr().out)["runs"][0]["tool"]["driver"]["rules"]
        assert "Formula" in rule["help"]["text"]
        assert page_of("no-such-rule") == ("A finding of the kind no-such-rule.",) * 2
    finally:
        use_manual(None)


SCREEN = Screen(color=False, width=80, progress=False)


def test_on_github_it_speaks_up_without_being_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    summary = tmp_path / "summary"
    environ = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary)}
    announce(REPORTS, SCREEN, environ=environ)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("::error file=")
    assert "1 of 2 cases not as expected" in summary.read_text(encoding="utf-8")


def test_annotations_are_not_repeated(capsys: pytest.CaptureFixture[str]) -> None:
    announce(REPORTS, SCREEN, "github", {"GITHUB_ACTIONS": "true"})
    assert capsys.readouterr() == ("", "")


def test_elsewhere_it_keeps_quiet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    announce(REPORTS, SCREEN, environ={"GITHUB_STEP_SUMMARY": str(tmp_path / "summary")})
    assert capsys.readouterr() == ("", "")
    assert not (tmp_path / "summary").exists()


def test_a_summary_that_cannot_be_written_is_a_warning(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    announce([passing()], SCREEN, environ={"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(tmp_path)})
    assert capsys.readouterr().err.startswith("gradcheck: warning: cannot write the step summary")
