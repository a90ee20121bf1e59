from __future__ import annotations

import copy
import os
from dataclasses import replace
from pathlib import Path

import pytest

from gradcheck.cli.overrides import Overrides, apply, first_shape
from gradcheck.errors import UsageError
from gradcheck.model import ANY_INPUT, Case, InputSpec, LayerSpec, Settings


def make(**inputs: InputSpec) -> Case:
    layer = LayerSpec(forward="a.py:f", backward="a.py:b")
    return Case("norm", layer, inputs or {"x": InputSpec(shape=(4, 5))}, {"axis": -1, "eps": 1e-5})


def one(case: Case, overrides: Overrides) -> Case:
    (changed,) = apply(case, overrides)
    return changed


def shapes(case: Case) -> dict[str, tuple[int, ...] | None]:
    return {name: spec.shape for name, spec in case.inputs.items()}


def test_nothing_said_changes_nothing() -> None:
    assert apply(make(), Overrides()) == [make()]


def test_the_case_itself_is_left_alone() -> None:
    case = make()
    before = copy.deepcopy(case)
    apply(
        case,
        Overrides(
            "b", (0, 1), {"": (2, 3), "x": (3, 4)}, {"": "float32"}, ("x",), {"eps": 2}, 1, "full", 1.0, 1.0, 1.0
        ),
    )

    assert case == before


def test_settings() -> None:
    changed = one(make(), Overrides(wrt=("x",), seed=7, mode="entries", rtol=1e-3, atol=0.0, eps=1e-6)).settings

    assert changed == Settings(wrt=("x",), seed=7, mode="entries", rtol=1e-3, atol=0.0, eps=1e-6)


def test_an_axis_goes_to_the_table_and_to_the_option_of_the_layer() -> None:
    changed = one(make(), Overrides(axes=(0,)))

    assert (changed.settings.axis, changed.options, changed.name) == (0, {"axis": 0, "eps": 1e-5}, "norm")


def test_an_option_called_axis_goes_to_the_table_too() -> None:
    assert one(make(), Overrides(options={"axis": 0, "mode": "x"})).settings.axis == 0
    assert one(make(), Overrides(options={"axis": [0, 1]})).settings.axis is None


def test_several_axes_make_several_cases() -> None:
    cases = apply(make(), Overrides(axes=(0, -1)))

    assert [(case.name, case.settings.axis, case.variant) for case in cases] == [
        ("norm[axis=0]", 0, {"axis": 0}),
        ("norm[axis=-1]", -1, {"axis": -1}),
    ]


def test_all_axes_are_those_of_the_first_input() -> None:
    case = make(x=InputSpec(shape=(2, 3, 4)), y=InputSpec(shape=(4,)))

    assert [each.name for each in apply(case, Overrides(axes="all"))] == [
        "norm[axis=0]",
        "norm[axis=1]",
        "norm[axis=2]",
    ]
    assert len(apply(case, Overrides(axes="all", shapes={"x": (6, 7)}))) == 2


@pytest.mark.parametrize(
    ("name", "variant", "renamed"),
    [
        ("norm[shape=4x5]", {"shape": [4, 5]}, "norm[shape=4x5,axis=1]"),
        ("norm[axis=0,shape=4x5]", {"axis": 0, "shape": [4, 5]}, "norm[axis=1,shape=4x5]"),
    ],
)
def test_a_variant_keeps_its_label(name: str, variant: dict[str, object], renamed: str) -> None:
    case = make()
    case.name, case.variant = name, variant  # type: ignore[assignment]

    assert apply(case, Overrides(axes=(1, 0)))[0].name == renamed


def test_a_variant_with_an_axis_is_renamed_even_for_one_axis() -> None:
    case = make()
    case.name, case.variant = "norm[axis=0]", {"axis": 0}

    assert one(case, Overrides(axes=(1,))).name == "norm[axis=1]"


@pytest.mark.parametrize("axis", [-3, 2, 7])
def test_an_axis_out_of_range(axis: int) -> None:
    with pytest.raises(UsageError) as caught:
        apply(make(), Overrides(axes=(axis,)))

    assert str(caught.value) == (
        f"--axis {axis} is out of range for the first input of 'norm'\n  = help: axes of shape (4, 5) go from -2 to 1"
    )


def test_a_single_number_has_no_axis() -> None:
    case = make(x=InputSpec(shape=()))
    with pytest.raises(UsageError, match="it has no axis"):
        apply(case, Overrides(axes=(0,)))
    with pytest.raises(UsageError, match="is a single number and has no axis"):
        apply(case, Overrides(axes="all"))


def test_all_axes_of_a_shape_nobody_knows() -> None:
    case = make(x=InputSpec("file", parameters={"file": "x.npy"}))
    with pytest.raises(UsageError) as caught:
        apply(case, Overrides(axes="all"))

    assert str(caught.value) == (
        "--axis all needs to know the shape of the first input of 'norm'\n  = help: give --shape, or the axes"
    )
    assert one(case, Overrides(axes=(9,))).settings.axis == 9


def test_the_first_shape_of_given_values() -> None:
    values = InputSpec("values", parameters={"values": [[1, 2, 3], [4, 5, 6]]})

    assert first_shape(make(x=values)) == (2, 3)
    assert first_shape(make(x=InputSpec("values", parameters={"values": 3}))) == ()
    assert first_shape(make(x=InputSpec("values", parameters={"values": [[]]}))) == (1, 0)


def test_a_shape_for_the_case_is_followed_by_inputs_of_the_same_sizes() -> None:
    case = make(
        x=InputSpec(shape=(4, 5)),
        same=InputSpec(shape=(4, 5)),
        gamma=InputSpec(shape=(5,)),
        columns=InputSpec(shape=(5, 9)),
        labels=InputSpec("integers", (4,)),
        other=InputSpec(shape=(7,)),
        given=InputSpec("values", parameters={"values": [1.0]}),
    )

    assert shapes(one(case, Overrides(shapes={"": (2, 3)}))) == {
        "x": (2, 3),
        "same": (2, 3),
        "gamma": (3,),
        "columns": (3, 9),
        "labels": (2,),
        "other": (7,),
        "given": None,
    }


def test_a_size_that_could_become_two_things_does_not_follow() -> None:
    case = make(x=InputSpec(shape=(4, 4)), gamma=InputSpec(shape=(4,)))

    assert shapes(one(case, Overrides(shapes={"": (2, 3)}))) == {"x": (2, 3), "gamma": (4,)}
    assert shapes(one(case, Overrides(shapes={"": (3, 3)}))) == {"x": (3, 3), "gamma": (3,)}


def test_another_number_of_axes_moves_only_the_same_shapes() -> None:
    case = make(x=InputSpec(shape=(4, 5)), y=InputSpec(shape=(4, 5)), gamma=InputSpec(shape=(5,)))

    assert shapes(one(case, Overrides(shapes={"": (2, 3, 4)}))) == {"x": (2, 3, 4), "y": (2, 3, 4), "gamma": (5,)}


def test_a_shape_by_name_comes_last() -> None:
    case = make(x=InputSpec(shape=(4, 5)), gamma=InputSpec(shape=(5,)))

    assert shapes(one(case, Overrides(shapes={"gamma": (9,), "": (2, 3)}))) == {"x": (2, 3), "gamma": (9,)}


def test_a_slip_in_the_name_of_an_input() -> None:
    for option, overrides in (("--shape", Overrides(shapes={"y": (1,)})), ("--dtype", Overrides(dtypes={"y": "int8"}))):
        with pytest.raises(UsageError) as caught:
            apply(make(), overrides)

        assert str(caught.value) == f"{option} names 'y', which is no input of 'norm'\n  = help: there is x"


def test_given_values_have_no_shape_to_change() -> None:
    case = make(x=InputSpec("values", parameters={"values": [1.0]}))
    for given in ({"x": (4,)}, {"": (4,)}):
        with pytest.raises(UsageError, match="values are given, not drawn"):
            apply(case, Overrides(shapes=given))


def test_inputs_that_nobody_named() -> None:
    case = Case("mine.py:f", LayerSpec(target="mine.py:f"))

    changed = one(case, Overrides(shapes={"": (4, 5), "gamma": (5,)}, dtypes={"": "float32"}, axes=(1,)))
    assert changed.inputs == {
        ANY_INPUT: InputSpec(shape=(4, 5), dtype="float32"),
        "gamma": InputSpec(shape=(5,), dtype="float32"),
    }
    assert one(case, Overrides(dtypes={"x": "float32"})).inputs == {"x": InputSpec(dtype="float32")}
    with pytest.raises(UsageError, match="out of range"):
        apply(case, Overrides(shapes={"": (4,)}, axes=(1,)))


def test_a_dtype_leaves_labels_and_masks_alone() -> None:
    case = make(
        x=InputSpec(shape=(4, 5)),
        half=InputSpec(dtype="float16"),
        labels=InputSpec("integers", (4,)),
        typed=InputSpec(dtype="int32"),
        given=InputSpec("values", parameters={"values": [0, 2, 1]}),
        numbers=InputSpec("values", parameters={"values": [[0, 0.5]]}),
        read=InputSpec("file", parameters={"file": "x.npy"}),
    )
    dtypes = {name: spec.dtype for name, spec in one(case, Overrides(dtypes={"": "float32"})).inputs.items()}

    real = dict.fromkeys(("x", "half", "numbers", "read"), "float32")
    assert dtypes == {**real, "labels": None, "typed": "int32", "given": None}
    assert one(case, Overrides(dtypes={"labels": "int8"})).inputs["labels"].dtype == "int8"


def test_a_backward_beside_a_reference_makes_a_pair() -> None:
    case = Case("mine.py:f", LayerSpec(target="mine.py:f", base=os.getcwd()))

    assert one(case, Overrides(backward="mine.py:b")).layer == LayerSpec(
        forward="mine.py:f", backward="mine.py:b", base=os.getcwd()
    )


def test_a_backward_of_a_case_starts_from_here_and_not_from_its_file(tmp_path: Path) -> None:
    case = make()
    case.layer.base = str(tmp_path)

    assert one(case, Overrides(backward="mine.py:b")).layer.backward == f"{os.getcwd()}/mine.py:b"
    assert one(case, Overrides(backward="package.module:b")).layer.backward == "package.module:b"


def test_a_backward_where_none_can_be() -> None:
    chain = Case("c", LayerSpec(chain=[LayerSpec(target="a")]))
    with pytest.raises(UsageError) as caught:
        apply(chain, Overrides(backward="b"))

    assert str(caught.value) == "--backward cannot be given for 'c', which is a chain\n  = help: name one of its links"
    with pytest.raises(UsageError) as caught:
        apply(Case("softmax", LayerSpec(target="softmax")), Overrides(backward="b"))

    assert str(caught.value) == (
        "--backward needs a forward function beside it, and 'softmax' names a whole layer\n"
        "  = help: give the forward as module:attr or file.py:attr"
    )


def test_variants_are_named_by_what_they_became() -> None:
    plain = Case("a/b", LayerSpec(target="softmax"), {"x": InputSpec(shape=(4, 5))}, {"axis": 0, "eps": 1})
    variant = replace(plain, name="a/b[axis=0,shape=4x5,eps=1]", variant={"axis": 0, "shape": [4, 5], "eps": 1})

    (changed,) = apply(variant, Overrides(shapes={"": (3, 7)}, options={"eps": 2}))
    assert changed.name == "a/b[axis=0,shape=3x7,eps=2]"
    assert changed.variant == {"axis": 0, "shape": [3, 7], "eps": 2}
    names = [each.name for each in apply(variant, Overrides(shapes={"": (3, 7)}, axes=(0, 1)))]
    assert names == ["a/b[axis=0,shape=3x7,eps=1]", "a/b[axis=1,shape=3x7,eps=1]"]
    assert [each.name for each in apply(variant, Overrides(shapes={"x": (3, 7)}))] == [variant.name]
    assert [each.name for each in apply(plain, Overrides(shapes={"": (3, 7)}))] == ["a/b"]
