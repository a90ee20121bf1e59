"""Colour, width, progress, and what leaves the exit status at 0."""

from __future__ import annotations

import io

import pytest

from gradcheck.cli.screen import Screen, wants_color, width_of
from gradcheck.cli.session import Tolerance
from gradcheck.model import Expectation, Finding, Report, Severity, Verdict


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("choice", "environ", "terminal", "pipe"),
    [
        ("auto", {}, True, False),
        ("auto", {"NO_COLOR": "1"}, False, False),
        ("auto", {"NO_COLOR": ""}, True, False),
        ("auto", {"FORCE_COLOR": "1"}, True, True),
        ("auto", {"FORCE_COLOR": ""}, True, False),
        ("auto", {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, False),
        ("auto", {"TERM": "dumb"}, False, False),
        ("auto", {"TERM": "dumb", "FORCE_COLOR": "1"}, True, True),
        ("always", {"NO_COLOR": "1", "TERM": "dumb"}, True, True),
        ("never", {"FORCE_COLOR": "1"}, False, False),
    ],
)
def test_colors(choice: str, environ: dict[str, str], terminal: bool, pipe: bool) -> None:
    assert wants_color(choice, Terminal(), environ) is terminal
    assert wants_color(choice, io.StringIO(), environ) is pipe


@pytest.mark.parametrize(
    ("environ", "width"), [({}, 80), ({"COLUMNS": "133"}, 133), ({"COLUMNS": "wide"}, 80), ({"COLUMNS": "0"}, 80)]
)
def test_the_width_of_a_pipe(environ: dict[str, str], width: int) -> None:
    assert width_of(io.StringIO(), environ) == width


def test_progress_fits_on_its_line_and_goes_away(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal()
    monkeypatch.setattr("sys.stderr", stream)
    screen = Screen(color=False, width=12, progress=True)
    screen.show_progress("1/2  a\x1bb 漢字漢字漢字")
    screen.clear_progress()

    assert stream.getvalue() == "\r\x1b[K1/2  a\\x1bb\r\x1b[K"


def test_no_progress_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    screen = Screen(color=False, width=80, progress=False)
    screen.show_progress("1/2")
    screen.clear_progress()
    screen.warn("a\x1b")

    assert capsys.readouterr().err == "gradcheck: warning: a\\x1b\n"


WARNING = Finding("overflow-in-forward", Severity.WARNING, "")


@pytest.mark.parametrize(
    ("verdict", "expect", "findings", "expected", "plain", "strict", "lenient"),
    [
        ("pass", Expectation(), [], True, True, True, True),
        ("pass", Expectation(), [WARNING], True, True, False, True),
        ("pass", Expectation(Verdict.PASS, "overflow-in-forward"), [WARNING], True, True, True, True),
        ("fail", Expectation(), [], False, False, False, False),
        ("undecided", Expectation(), [], False, False, False, True),
        ("error", Expectation(), [], False, False, False, False),
    ],
)
def test_what_leaves_the_status_at_0(
    verdict: str, expect: Expectation, findings: list[Finding], expected: bool, plain: bool, strict: bool, lenient: bool
) -> None:
    report = Report("x", Verdict(verdict), findings, expect=expect, expected=expected)

    assert Tolerance().accepts(report) is plain
    assert Tolerance(strict=True).accepts(report) is strict
    assert Tolerance(allow_undecided=True).accepts(report) is lenient
