"""Escapes, widths, wrapping and styles."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradcheck.report.escape import visible, visible_lines
from gradcheck.report.ink import Line, join_fields, paint, render
from gradcheck.report.layout import GLUE, cells, pad_left, pad_right, wrap

ANY_TEXT = st.text(st.characters(codec=None), max_size=60)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("softmax[axis=1]", "softmax[axis=1]"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\u202eb\u2066c\u200fd", "a\\u202eb\\u2066c\\u200fd"),
        ("bell\a tab\t nul\0", "bell\\x07 tab\\t nul\\x00"),
        ("c1 \x9b", "c1 \\x9b"),
        ("\ud800 alone", "\\ud800 alone"),
        ("line\u2028separator", "line\\u2028separator"),
        ("wide\u3000blank", "wide\u3000blank"),
        ("Jacobi é 漢字 🎉", "Jacobi é 漢字 🎉"),
        ("zero\u200bwidth \ufeffbom", "zero\\u200bwidth \\ufeffbom"),
    ],
)
def test_visible(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(ANY_TEXT)
def test_nothing_that_is_obeyed_gets_through(text: str) -> None:
    shown = visible(text)

    assert not any(unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp") for char in shown)
    assert visible(shown) == shown
    shown.encode("utf-8")


def test_visible_lines() -> None:
    assert visible_lines("a\r\nb\tc\n\x1b[2J\n\n  \n") == ["a", "b   c", "\\x1b[2J"]
    assert visible_lines("") == []


def test_cells() -> None:
    assert [cells(text) for text in ("abc", "漢字", "é", "e\u0301", "")] == [3, 4, 1, 1, 0]
    assert pad_left("漢", 4) + "|" + pad_right("漢", 4) + "|" == "  漢|漢  |"


def test_wrap_keeps_brackets_and_units_whole() -> None:
    text = "at least 3.2 % off at x[1, 3] of (4, 5) with 0.5 +- 2e-12 inside"

    assert wrap(text, 22, "  ", "    ") == [
        "  at least 3.2 % off",
        "    at x[1, 3] of",
        "    (4, 5) with",
        "    0.5 +- 2e-12",
        "    inside",
    ]


def test_wrap_leaves_long_words_whole() -> None:
    path = "/a/very/long/path/that/fits/nowhere.py:31"

    assert wrap(f"see {path} there", 20) == ["see", path, "there"]
    assert wrap("", 20, "  ") == ["  "]


def test_glue_is_a_blank_at_which_no_line_ends() -> None:
    assert wrap(f"go to gradcheck{GLUE}explain{GLUE}rule", 24) == ["go to", "gradcheck explain rule"]


def test_an_open_bracket_does_not_glue_for_ever() -> None:
    assert max(map(len, wrap("( " + "word " * 100, 40))) <= 40


@given(ANY_TEXT.map(visible), st.integers(20, 100))
def test_wrap_loses_no_word(text: str, width: int) -> None:
    assert " ".join(wrap(text, width, "", "    ")).split() == text.split()


@given(st.lists(st.text("abcdefgh漢.-", min_size=1, max_size=15), max_size=30), st.integers(30, 100))
def test_wrap_fills_no_line_beyond_the_width(words: list[str], width: int) -> None:
    assert all(cells(line) <= width for line in wrap(" ".join(words), width))


def test_join_fields() -> None:
    fields = [Line("one"), Line("two"), Line("three")]

    assert [line.plain for line in join_fields(fields, 80, "  ", "    ")] == ["one  two  three"]
    assert [line.plain for line in join_fields(fields, 10, "  ", "    ")] == ["one  two", "    three"]
    assert [line.plain for line in fields] == ["one", "two", "three"]


def test_render_with_and_without_color() -> None:
    lines = [Line("plain ").add("bad", "bold red").add(" [b]x[/b]  "), Line("  ", "dim")]

    assert render(lines, color=False) == "plain bad [b]x[/b]\n"
    assert render(lines, color=True) == "plain \x1b[1;31mbad\x1b[0m [b]x[/b]\n"


@given(st.lists(ANY_TEXT, max_size=4))
def test_color_only_adds(texts: list[str]) -> None:
    lines = [Line(text, "red").add(text) for text in texts]

    assert re.sub(r"\x1b\[[0-9;]*m", "", render(lines, color=True)) == render(lines, color=False)


def test_paint_styles_the_lead_alone() -> None:
    lines = paint(["  warning: a", "    b"], "warning:", "yellow", "dim")

    assert lines[0].parts == [("  ", ""), ("warning:", "yellow"), (" a", "dim")]
    assert lines[1].parts == [("    b", "dim")]
