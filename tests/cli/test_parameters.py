"""Values of options."""

from __future__ import annotations

from typing import Any

import click
import pytest

from gradcheck.casefile.draws import DTYPES
from gradcheck.cli import parameters
from gradcheck.errors import UsageError


def convert(kind: Any, value: object) -> Any:
    return kind.convert(value, None, None)


@pytest.mark.parametrize(
    ("text", "axes"), [("1", (1,)), ("-1", (-1,)), ("0,1", (0, 1)), ("1, 0,1", (1, 0)), ("all", "all")]
)
def test_axes(text: str, axes: object) -> None:
    assert convert(parameters.Axes(), text) == axes


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("4,5", ("", (4, 5))),
        ("4x5", ("", (4, 5))),
        ("(4, 5)", ("", (4, 5))),
        ("5,", ("", (5,))),
        ("5", ("", (5,))),
        ("()", ("", ())),
        ("", ("", ())),
        ("x=4,5", ("x", (4, 5))),
        ("x=", ("x", ())),
        ("a=b=0", ("a=b", (0,))),
    ],
)
def test_shapes(text: str, shape: object) -> None:
    assert convert(parameters.Shape(), text) == shape


def test_every_dtype_of_a_case_file_is_one_of_the_command_line() -> None:
    for dtype in DTYPES:
        assert convert(parameters.Dtype(), f"t={dtype}") == ("t", dtype)


@pytest.mark.parametrize(
    ("text", "pair"),
    [
        ("eps=1e-5", ("eps", 1e-5)),
        ("mean=true", ("mean", True)),
        ("mean=no", ("mean", "no")),
        ("n=010", ("n", 10)),
        ("x=null", ("x", None)),
        ("x=", ("x", None)),
        ("x=.inf", ("x", float("inf"))),
        ("mode=a=b", ("mode", "a=b")),
        ("axes=[0, 1]", ("axes", [0, 1])),
        ('name="1"', ("name", "1")),
    ],
)
def test_options(text: str, pair: object) -> None:
    assert convert(parameters.KeyValue(), text) == pair


WRITE_A_SHAPE = "write 4,5, or x=4,5 for one input; () is a single number"


@pytest.mark.parametrize(
    ("kind", "text", "help_"),
    [
        (parameters.Axes(), "one", "an axis is a number, several are 0,1 and every one is all"),
        (parameters.Shape(), "4;5", WRITE_A_SHAPE),
        (parameters.Shape(), "-4", WRITE_A_SHAPE),
        (parameters.Shape(), "9" * 30, WRITE_A_SHAPE),
        (parameters.Shape(), "=4", "there is no name before the ="),
        (parameters.Dtype(), "flaot32", "did you mean 'float32'?"),
        (parameters.Rows(), "0", "give a number from 1 on, all or heatmap"),
        (parameters.Rows(), "ten", "give a number from 1 on, all or heatmap"),
        (parameters.KeyValue(), "eps", "write KEY=VALUE, for example eps=1e-5"),
        (parameters.KeyValue(), "a=[1", 'write a list as [0, 1] and a text with brackets or quotes in JSON, as "..."'),
        (parameters.KeyValue(), "a=1e999", "the number is too large for a float; write .inf if infinity is meant"),
        (parameters.Word(("full", "auto")), "ful", "did you mean 'full'?"),
        (parameters.Word(("full", "auto")), "x", "there are full, auto"),
        (parameters.FileKind(("table",)), "tabel=x", "did you mean 'table'?"),
        (parameters.FileKind(("table",)), "table", "write KIND=PATH, for example table=report.txt"),
    ],
)
def test_slips_in_values(kind: Any, text: str, help_: str) -> None:
    with pytest.raises(UsageError) as caught:
        convert(kind, text)

    assert str(caught.value) == f"value {text!r} cannot be read\n  = help: {help_}"


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "1e999"])
def test_a_tolerance_is_finite(text: str) -> None:
    with pytest.raises(click.BadParameter, match=r"is not (a finite number|in the range)"):
        parameters.Finite(min=0).convert(text, None, None)

    assert parameters.Finite(min=0).convert("1e300", None, None) == 1e300
