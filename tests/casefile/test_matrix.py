import pytest

from gradcheck.casefile import matrix
from gradcheck.casefile.parse import load_text
from gradcheck.errors import CaseFileError
from gradcheck.model import InputSpec


def read(body):
    lines = "".join(f"    {line}\n" for line in body.strip().splitlines())
    return load_text(f"version: 1\ncases:\n  sample:\n    layer: softmax\n{lines}")


def names(cases):
    return [case.name.removeprefix("sample") for case in cases]


def test_every_combination_in_order():
    cases = read("inputs: {x: {shape: [4, 5]}}\nmatrix: {axis: [0, -1], shape: [[4, 5], [3, 4, 5]]}")
    assert names(cases) == [
        "[axis=0,shape=4x5]",
        "[axis=0,shape=3x4x5]",
        "[axis=-1,shape=4x5]",
        "[axis=-1,shape=3x4x5]",
    ]
    assert [case.settings.axis for case in cases] == [0, 0, -1, -1]
    assert [case.inputs["x"].shape for case in cases] == [(4, 5), (3, 4, 5)] * 2
    assert cases[1].variant == {"axis": 0, "shape": [3, 4, 5]}


def test_without_a_matrix_there_is_one_case():
    (case,) = read("inputs: {x: {shape: [4]}}")
    assert case.name == "sample"
    assert case.variant == {}


@pytest.mark.parametrize("option", ["axis", "dim"])
def test_axis_sets_the_option_where_there_is_one(option):
    cases = read(f"inputs: {{x: {{shape: [4, 5]}}}}\noptions: {{{option}: 7}}\nmatrix: {{axis: [0, 1]}}")
    assert [case.options for case in cases] == [{option: 0}, {option: 1}]
    cases = read("inputs: {x: {shape: [4, 5]}}\nmatrix: {axis: [0, 1]}")
    assert [case.options for case in cases] == [{}, {}]


def test_shape_reaches_the_inputs_that_share_it():
    (case,) = read(
        "inputs: {x: {shape: [4, 5]}, y: {shape: [4, 5], draw: ones}, w: {shape: [5]}, n: {}, v: {values: [1]}}\n"
        "matrix: {shape: [[2, 5]]}"
    )
    assert {name: spec.shape for name, spec in case.inputs.items()} == {
        "x": (2, 5),
        "y": (2, 5),
        "w": (5,),
        "n": (2, 5),
        "v": None,
    }


def test_shapes_by_name():
    cases = read("inputs: {x: {}, w: {}}\nmatrix: {shape: [{x: [4, 5], w: [5]}, {x: [2], w: []}]}")
    assert names(cases) == ["[shape=4x5+5]", "[shape=2+scalar]"]
    assert [spec.shape for case in cases for spec in case.inputs.values()] == [(4, 5), (5,), (2,), ()]


def test_dtype_reaches_the_inputs_of_floats():
    (case,) = read(
        "inputs:\n  x: {shape: [4]}\n  k: {shape: [4], draw: integers, high: 3}\n  h: {shape: [4], dtype: float16}\n"
        "  i: {shape: [4], dtype: int32}\n  v: {values: [1, 2.5]}\n  w: {values: [1, 2]}\n"
        "matrix: {dtype: [float32]}"
    )
    assert {name: spec.dtype for name, spec in case.inputs.items()} == {
        "x": "float32",
        "k": None,
        "h": "float32",
        "i": "int32",
        "v": "float32",
        "w": None,
    }


def test_settings_options_and_inputs():
    cases = read(
        "inputs: {x: {shape: [4], scale: 2, dtype: float32}}\noptions: {eps: 1, flag: true}\n"
        "matrix:\n  seed: [1]\n  mode: [full]\n  upstream: [ones]\n  eps: [1e-5, 0, null]\n  flag: [false]\n"
        "  x: [{scale: 30}, {draw: ties}, {values: [1, 2, 3]}]"
    )
    assert names(cases)[:4] == [
        "[seed=1,mode=full,upstream=ones,eps=1e-05,flag=false,x=scale:30]",
        "[seed=1,mode=full,upstream=ones,eps=1e-05,flag=false,x=ties]",
        "[seed=1,mode=full,upstream=ones,eps=1e-05,flag=false,x=values:1+2+3]",
        "[seed=1,mode=full,upstream=ones,eps=0,flag=false,x=scale:30]",
    ]
    assert [case.options["eps"] for case in cases[::3]] == [1e-5, 0, None]
    assert cases[0].inputs["x"] == InputSpec("normal", (4,), "float32", {"scale": 30.0})
    assert cases[1].inputs["x"] == InputSpec("ties", (4,), "float32")
    assert cases[0].settings.upstream == "ones"
    assert (cases[0].settings.seed, cases[0].settings.mode) == (1, "full")


def test_values_bring_their_own_shape():
    (case,) = read("inputs: {x: {draw: ties, gap: 2, dtype: float32, shape: [4]}}\nmatrix: {x: [{values: [1, 2]}]}")
    assert case.inputs["x"] == InputSpec("values", None, "float32", {"values": [1, 2]})
    with pytest.raises(CaseFileError, match=r"the values have shape \[2\], not \[4\]"):
        read("inputs: {x: {shape: [4]}}\nmatrix: {x: [{values: [1, 2], shape: [4]}]}")


def test_names_that_could_mean_two_things():
    body = "inputs: {mode: {shape: [4]}}\noptions: {mode: a, seed: 1}\n"
    cases = read(body + "matrix: {'option:mode': [b], 'setting:mode': [full], 'input:mode': [{scale: 2}]}")
    assert names(cases) == ["[option.mode=b,setting.mode=full,input.mode=scale:2]"]
    assert cases[0].options["mode"] == "b"
    assert cases[0].settings.mode == "full"
    assert cases[0].inputs["mode"].parameters == {"scale": 2.0}


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        ("[a b, 'a]b', 'a,b', 'x/y']", ["no.1", "no.2", "no.3", "no.4"]),
        ("['1', 1]", ["no.1", "no.2"]),
        ("[[0, 1], []]", ["0+1", "empty"]),
        (f"[{'x' * 41}, y]", ["no.1", "y"]),
        ("[größe, 大]", ["größe", "大"]),
        ("[\"\\e[31m\", '']", ["no.1", "no.2"]),
        ("[true, 1]", ["true", "1"]),
        ("[{a: 1, b: [2, 3]}]", ["a:1+b:2+3"]),
    ],
)
def test_labels(values, labels):
    cases = read(f"options: {{o: 0}}\nmatrix: {{o: {values}}}")
    assert names(cases) == [f"[o={label}]" for label in labels]


def test_exclusion():
    cases = read(
        "inputs: {x: {shape: [4, 5]}}\nmatrix: {axis: [0, 1, 2], shape: [[4, 5], [3, 4, 5]]}\n"
        "exclude: [{axis: 2, shape: [4, 5]}, {axis: 0}]"
    )
    assert names(cases) == ["[axis=1,shape=4x5]", "[axis=1,shape=3x4x5]", "[axis=2,shape=3x4x5]"]


def test_exclusion_tells_true_from_one():
    cases = read("options: {o: 0}\nmatrix: {o: [1, true]}\nexclude: [{o: true}]")
    assert [case.options["o"] for case in cases] == [1]


def test_an_axis_out_of_range_names_each_variant():
    with pytest.raises(CaseFileError) as caught:
        read("inputs: {x: {shape: [4, 5]}}\nmatrix: {axis: [2, -3], shape: [[4, 5], [3, 4, 5], [2, 2]]}")
    assert [each.message for each in caught.value.complaints] == [
        "axis 2 is out of range: input 'x' has 2 dimensions in 'sample[axis=2,shape=4x5]'",
        "axis 2 is out of range: input 'x' has 2 dimensions in 'sample[axis=2,shape=2x2]'",
        "axis -3 is out of range: input 'x' has 2 dimensions in 'sample[axis=-3,shape=4x5]'",
        "axis -3 is out of range: input 'x' has 2 dimensions in 'sample[axis=-3,shape=2x2]'",
    ]
    assert [each.help for each in caught.value.complaints][:1] == [
        "leave it out with `exclude: [{axis: 2, shape: [4, 5]}]`"
    ]


def test_the_axis_is_that_of_the_inputs_that_are_differentiated():
    read("inputs: {x: {shape: [4, 5]}, t: {shape: [4]}}\nmatrix: {axis: [1]}")
    with pytest.raises(CaseFileError, match="input 't' has 1 dimension in"):
        read("inputs: {x: {shape: [4, 5]}, t: {shape: [4]}}\nwrt: t\nmatrix: {axis: [1]}")


def test_variants_do_not_share_what_is_changed():
    one, two = read("inputs: {x: {shape: [4]}}\noptions: {axis: 0}\nmatrix: {seed: [1, 2]}")
    one.inputs["x"].shape = (9,)
    one.options["axis"] = 9
    one.settings.mode = "full"
    assert (two.inputs["x"].shape, two.options["axis"], two.settings.mode) == ((4,), 0, "auto")


def test_a_matrix_of_too_many_combinations_is_not_built(monkeypatch):
    monkeypatch.setattr(matrix, "_vary", lambda *_: pytest.fail("built"))
    keys = ", ".join(f"o{number}: [0, 1, 2, 3]" for number in range(40))
    options = ", ".join(f"o{number}: 0" for number in range(40))
    with pytest.raises(CaseFileError, match="combinations; at most 2,000"):
        read(f"options: {{{options}}}\nmatrix: {{{keys}}}")
