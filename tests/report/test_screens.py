"""Whole screens, as files beside this one; ``REGENERATE_SCREENS=1 pytest tests/report`` writes them anew."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gradcheck.report.screens import write_table
from gradcheck.report.terminal import draw

from .samples import SAMPLES, failing, passing

FOLDER = Path(__file__).parent / "screens"


def compare(name: str, text: str) -> None:
    path = FOLDER / f"{name}.txt"
    if os.environ.get("REGENERATE_SCREENS"):
        path.write_text(text + "\n", encoding="utf-8")

    assert text + "\n" == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [80, 140])
@pytest.mark.parametrize("name", SAMPLES)
def test_screen(name: str, width: int) -> None:
    compare(f"{name}-{width}", draw(SAMPLES[name], width=width))


@pytest.mark.parametrize("name", ["fail", "pass-several-inputs", "error"])
def test_narrow_screen(name: str) -> None:
    compare(f"{name}-40", draw(SAMPLES[name], width=40))


@pytest.mark.parametrize("name", ["fail", "pass", "pass-warning", "fail-several-inputs"])
def test_verbose_screen(name: str) -> None:
    compare(f"{name}-verbose", draw(SAMPLES[name], verbose=1))


def test_all_rows() -> None:
    compare("fail-many-slices-all", draw(SAMPLES["fail-many-slices"], show="all"))


def test_trace_on_request() -> None:
    compare("error-debug", draw(SAMPLES["error"], debug=True))


def test_colors() -> None:
    compare("fail-color", draw(SAMPLES["fail"], color=True))


def test_whole_run() -> None:
    reports = [passing(), passing(name="other"), failing(expected=True), failing(), SAMPLES["error"], passing()]

    compare("run", write_table(reports).removesuffix("\n"))


def test_no_screen_is_left_over() -> None:
    known = {f"{name}-{width}" for name in SAMPLES for width in (40, 80, 140)}
    known |= {f"heatmap{kind}" for kind in ("", "-letters", "-wide", "-pooled", "-nan")}
    known |= {f"{name}-verbose" for name in SAMPLES}
    known |= {"fail-many-slices-all", "error-debug", "fail-color", "run", "curve"}

    assert {path.stem for path in FOLDER.glob("*.txt")} <= known
