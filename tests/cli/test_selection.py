"""Which cases are run, and the command that repeats one."""

from __future__ import annotations

import contextlib
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradcheck.cli.overrides import Overrides, apply
from gradcheck.cli.repeat import Repeat, write_command
from gradcheck.cli.selection import parse, select
from gradcheck.errors import UsageError
from gradcheck.model import Case, InputSpec, LayerSpec, Place, Reduction, Report, Verdict


def named(name: str, *tags: str) -> Case:
    return Case(name, LayerSpec(target=name), tags=tags)


CASES = [named("softmax", "core"), named("log-softmax[axis=1]", "core", "slow"), named("relu")]


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("softmax", "softmax log-softmax[axis=1]"),
        ("SOFTMAX and not log", "softmax"),
        ("relu or slow", "log-softmax[axis=1] relu"),
        ("not (relu or slow)", "softmax"),
        ("not not relu", "relu"),
        ("[axis=1]", "log-softmax[axis=1]"),
        ("relu or softmax and not log", "softmax relu"),
        ("  ", "softmax log-softmax[axis=1] relu"),
        ("nothing", ""),
    ],
)
def test_select_by_expression(expression: str, names: str) -> None:
    assert " ".join(case.name for case in select(CASES, expression)) == names


def test_select_by_tag() -> None:
    assert [case.name for case in select(CASES, tags=("slow",))] == ["log-softmax[axis=1]"]
    assert [case.name for case in select(CASES, "not log", ("slow", "core"))] == ["softmax"]


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("a and", "a word is missing at its end"),
        ("and a", "a word is missing before 'and'"),
        ("(a", "a bracket is not closed"),
        ("a )", "unexpected ')'"),
        ("a b", "unexpected 'b'"),
        ("()", "a word is missing before ')'"),
        ("not " * 200 + "a", "it is too deeply nested"),
        ("(" * 5000, "it is too deeply nested"),
    ],
)
def test_slips_in_expressions(expression: str, why: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(expression)

    assert str(caught.value) == (
        f"-k {expression!r} cannot be read: {why}\n  = help: join parts of names with and, or, not and brackets"
    )


@given(st.lists(st.sampled_from(["a", "and", "or", "not", "(", ")", "[x"]), max_size=12).map(" ".join))
def test_any_expression_is_read_or_refused(expression: str) -> None:
    with contextlib.suppress(UsageError):
        select(CASES, expression)


def test_the_command_that_repeats() -> None:
    case = Case("zoo/wrong/it's[axis=1]", LayerSpec(forward="f", backward="b"), place=Place("cases/a b.yaml", 3))
    overrides = Overrides(
        "mine.py:b",
        axes=(0, 1),
        shapes={"": (4, 5), "y": ()},
        dtypes={"": "float32"},
        wrt=("x", "y"),
        options={"name": "1", "axes": [0, 1], "mode": "a b"},
        seed=3,
        mode="full",
        rtol=1e-3,
        eps=1e-6,
    )
    command = write_command(case, overrides, 1, 3)

    assert shlex.split(command) == [
        "gradcheck", "run", "cases/a b.yaml::it's[axis=1]", "--backward", "mine.py:b", "--axis", "1",
        "--shape", "4,5", "--shape", "y=()", "--dtype", "float32", "--wrt", "x,y", "--option", 'name="1"',
        "--option", "axes=[0, 1]", "--option", "mode=a b",
        "--mode", "full", "--rtol", "0.001", "--eps", "1e-06", "--seed", "3",
    ]  # fmt: skip


def smaller(case: Case, overrides: Overrides, reduction: Reduction) -> str | None:
    (changed,) = apply(case, overrides)
    report = Report(case.name, Verdict.FAIL, reduced=reduction)
    Repeat(case, overrides, changed).note(report)
    return None if report.reduced is None else report.reduced.repeat


def test_the_command_that_repeats_a_smaller_case() -> None:
    spec = InputSpec(shape=(4, 5))
    one = Case("one", LayerSpec(target="one"), inputs={"x": spec})
    two = Case(
        "two", LayerSpec(target="two"), {"x": spec, "w": InputSpec(shape=(5, 3))}, options={"size": 5, "axis": 1}
    )
    shape = Overrides(shapes={"": (6, 7)}, axes=(1,))

    assert smaller(one, Overrides(), Reduction({"x": (2, 2)})) == "gradcheck run one --shape 2,2 --seed 0"
    assert smaller(one, shape, Reduction({"x": (2, 2)})) == "gradcheck run one --axis 1 --shape 2,2 --seed 0"
    # the other inputs follow the first one, where that is what is wanted
    assert smaller(two, Overrides(seed=3), Reduction({"x": (4, 2), "w": (2, 3)})) == (
        "gradcheck run two --shape 4,2 --seed 3"
    )
    assert smaller(two, Overrides(), Reduction({"x": (4, 2), "w": (2, 1)}, {"size": 2})) == (
        "gradcheck run two --shape x=4,2 --shape w=2,1 --option size=2 --seed 0"
    )
    assert smaller(two, shape, Reduction({"w": (7, 1)})) == (
        "gradcheck run two --axis 1 --shape x=6,7 --shape w=7,1 --seed 0"
    )


def test_the_smaller_case_of_inputs_without_a_name() -> None:
    case = Case("mine.py:f", LayerSpec(target="mine.py:f"))

    assert smaller(case, Overrides(), Reduction({"*": (1, 2)})) == "gradcheck run mine.py:f --shape 1,2 --seed 0"
    # that of one variant, whose name stays what it is
    variant = Case("a[shape=4x5]", LayerSpec(target="a"), {"x": InputSpec(shape=(4, 5))}, variant={"shape": [4, 5]})
    assert smaller(variant, Overrides(), Reduction({"x": (1, 2)})) == (
        "gradcheck run 'a[shape=4x5]' --shape 1,2 --seed 0"
    )


def test_a_smaller_case_that_no_command_says() -> None:
    case = Case("a", LayerSpec(target="a"), {"x": InputSpec("values", parameters={"values": [1.0, 2.0]})})

    assert smaller(case, Overrides(), Reduction({"x": (1,)})) is None


def test_the_command_says_no_more_than_it_must() -> None:
    assert write_command(CASES[0], Overrides(), None, 0) == "gradcheck run softmax --seed 0"
    assert write_command(CASES[0], Overrides(), 1, 0) == "gradcheck run softmax --seed 0"
    assert write_command(named("mine.py:f"), Overrides(), None, 5) == "gradcheck run mine.py:f --seed 5"
