"""Sound case files: every form that a layer, an input, an upstream and an expectation may have."""

import pytest

from gradcheck.casefile.parse import load, load_text
from gradcheck.errors import CaseFileError
from gradcheck.model import Case, Expectation, InputSpec, LayerSpec, Settings, Verdict


def read(text, **kwargs):
    return load_text(f"version: 1\ncases:\n  sample: {{{text}}}\n", **kwargs)[0]


def test_a_minimal_case():
    case = read("layer: softmax")
    assert case == Case("sample", LayerSpec(target="softmax"), place=case.place)
    assert str(case.place) == "<text>:3:3"


def test_prefix_and_base():
    case = read("layer: {chain: [a, b]}, reference: c", base="/here", prefix="folder")
    assert case.name == "folder/sample"
    assert [case.layer.base, *(link.base for link in case.layer.chain), case.settings.reference.base] == ["/here"] * 4


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("softmax", LayerSpec(target="softmax")),
        ("m.n:f", LayerSpec(target="m.n:f")),
        (
            "{forward: m:f, backward: m:b, bind: {g: upstream, s: output}, returns: jacobian}",
            LayerSpec(forward="m:f", backward="m:b", bind={"g": "upstream", "s": "output"}, returns="jacobian"),
        ),
        ("{target: m:f, label: x, init: {n: 3}}", LayerSpec(target="m:f", label="x", init={"n": 3})),
        (
            "{object: m:C, forward: compute, backward: delta, init: {n: [1, 2]}, parameters: {W: 'grads[\"W\"]'}}",
            LayerSpec(
                object="m:C", forward="compute", backward="delta", init={"n": [1, 2]}, parameters={"W": 'grads["W"]'}
            ),
        ),
        ("{node: m:N, value: v, gradient: g}", LayerSpec(node="m:N", value="v", gradient="g")),
        (
            "{chain: [softmax, {target: loss, inputs: [t]}], label: both}",
            LayerSpec(chain=[LayerSpec(target="softmax"), LayerSpec(target="loss", inputs=["t"])], label="both"),
        ),
    ],
)
def test_layers(text, spec):
    assert read(f"layer: {text}").layer == spec


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("{shape: [4, 5]}", InputSpec("normal", (4, 5))),
        ("{shape: []}", InputSpec("normal", ())),
        ("{shape: [0, 3], scale: 3, loc: -1}", InputSpec("normal", (0, 3), None, {"loc": -1.0, "scale": 3.0})),
        ("{draw: uniform, low: 2, high: 3, shape: [4]}", InputSpec("uniform", (4,), None, {"low": 2.0, "high": 3.0})),
        ("{draw: integers, high: 4, shape: [2], dtype: int32}", InputSpec("integers", (2,), "int32", {"high": 4})),
        ("{draw: away-from, from: 1, shape: [2]}", InputSpec("away-from", (2,), None, {"from": 1.0})),
        ("{values: [[1, 2]]}", InputSpec("values", None, None, {"values": [[1, 2]]})),
        ("{values: 3}", InputSpec("values", None, None, {"values": 3})),
        ("{values: []}", InputSpec("values", None, None, {"values": []})),
        ("{value: .inf, shape: [1]}", InputSpec("constant", (1,), None, {"value": float("inf")})),
        (
            "{shape: [2, 2], pin: [{at: [0, -1], value: 1e3}, {at: 1, value: 0}]}",
            InputSpec("normal", (2, 2), pin=[((0, -1), 1000.0), ((1,), 0.0)]),
        ),
    ],
)
def test_inputs(text, spec):
    assert read(f"layer: softmax, inputs: {{x: {text}}}").inputs == {"x": spec}


@pytest.mark.parametrize(
    ("text", "expectation"),
    [
        ("pass", Expectation()),
        ("undecided", Expectation(Verdict.UNDECIDED)),
        ("error", Expectation(Verdict.ERROR)),
        ("{fail: factor-two}", Expectation(Verdict.FAIL, "factor-two")),
        (
            "{verdict: pass, finding: overflow-in-forward, wrt: x, at: activation}",
            Expectation(Verdict.PASS, "overflow-in-forward", "x", "activation"),
        ),
    ],
)
def test_expectations(text, expectation):
    assert read(f"layer: softmax, expect: {text}").expect == expectation


@pytest.mark.parametrize(
    ("text", "upstream"),
    [
        ("ones", "ones"),
        ("one-hot", "one-hot"),
        ("{draw: normal, scale: 30}", [InputSpec("normal", parameters={"scale": 30.0})]),
        ("{values: [1, 2]}", [InputSpec("values", parameters={"values": [1, 2]})]),
        ("[ones, {value: 2}]", [InputSpec("ones"), InputSpec("constant", parameters={"value": 2.0})]),
    ],
)
def test_upstreams(text, upstream):
    assert read(f"layer: softmax, upstream: {text}").settings.upstream == upstream


def test_settings():
    case = read(
        "layer: softmax, inputs: {x: {shape: [2, 3]}}, options: {axis: 1, names: [a, {b: ~}]}, axis: -1, wrt: x,"
        " seed: 3, mode: full, method: richardson, reference: m:f, rtol: 1e-6, atol: 0, eps: 1e-5, budget: 100,"
        " memory: 1000, timeout: 2, probes: false, tags: [a, b], about: ' some words '"
    )
    assert case.settings == Settings(
        wrt=("x",),
        axis=-1,
        seed=3,
        mode="full",
        method="richardson",
        reference=LayerSpec(target="m:f"),
        rtol=1e-6,
        atol=0.0,
        eps=1e-5,
        budget=100,
        memory=1000,
        probes=False,
    )
    assert case.options == {"axis": 1, "names": ["a", {"b": None}]}
    assert (case.timeout, case.tags, case.about) == (2.0, ("a", "b"), "some words")


def test_defaults():
    one, two = load_text(
        """
version: 1
defaults:
  layer: softmax
  seed: 3
  tags: [slow]
  options: {axis: 0, scale: 2}
  inputs: {x: {shape: [4]}, t: {shape: [5]}}
  expect: undecided
cases:
  one: {}
  two: {seed: 0, tags: [mine], options: {axis: 1}, inputs: {x: {values: [1]}}, expect: pass, layer: {chain: [a]}}
"""
    )
    assert (one.layer.target, one.settings.seed, one.tags, one.options) == (
        "softmax",
        3,
        ("slow",),
        {"axis": 0, "scale": 2},
    )
    assert one.expect.verdict == Verdict.UNDECIDED
    assert (two.settings.seed, two.tags, two.options) == (0, ("slow", "mine"), {"axis": 1, "scale": 2})
    assert two.inputs == {"x": InputSpec("values", parameters={"values": [1]}), "t": InputSpec("normal", (5,))}
    assert two.expect.verdict == Verdict.PASS
    assert two.layer.chain == [LayerSpec(target="a")]


def test_names_of_words_that_yaml_1_1_takes_for_booleans():
    case = read("layer: softmax, inputs: {y: {shape: [2]}, n: {shape: [2]}, on: {shape: [2]}}, options: {off: no}")
    assert list(case.inputs) == ["y", "n", "on"]
    assert case.options == {"off": "no"}


def test_names_of_parameters_of_modules():
    case = read(
        "layer: {object: m:Net, parameters: {0.weight: 0.weight.grad}}, wrt: [x, 0.weight], "
        "inputs: {x: {shape: [2]}, 0.weight: {shape: [3]}}, expect: {verdict: fail, wrt: inner.0.bias}, "
        "matrix: {shape: [{0.weight: [4]}, {0.weight: [5]}]}"
    )
    assert case.layer.parameters == {"0.weight": "0.weight.grad"}
    assert case.settings.wrt == ("x", "0.weight")
    assert case.inputs["0.weight"] == InputSpec(shape=(4,))
    assert case.expect.wrt == "inner.0.bias"


@pytest.mark.parametrize("name", ["0.", ".weight", "a..b", "a b", "a-b", ""])
def test_what_is_no_name_of_an_input(name):
    with pytest.raises(CaseFileError, match="is not the name of an input"):
        read(f"layer: m:f, wrt: {name!r}")


def test_references_to_files_start_from_the_case_file(tmp_path, monkeypatch):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "layer.py").write_text("raise SystemExit\n")
    (tmp_path / "outside.py").write_text("raise SystemExit\n")
    (tmp_path / "sub" / "cases.yaml").write_text(
        "version: 1\ncases: {a: {layer: {chain: ['layer.py:f', '../outside.py:g', {object: 'layer.py:C'}]}}}\n"
    )
    monkeypatch.chdir("/")
    (case,) = load(tmp_path / "sub" / "cases.yaml")
    assert case.layer.base == str(tmp_path / "sub")


def test_the_name_of_a_case_depends_on_where_its_file_lies(tmp_path):
    text = "version: 1\ncases: {a: {layer: softmax}}\n"
    (tmp_path / "pyproject.toml").write_text("")
    for name in (
        "cases/top.yaml",
        "cases/folder/file.yaml",
        "cases/folder/inner/file.yaml",
        "mine.yaml",
        "other/x.yml",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    found = {path.relative_to(tmp_path).as_posix(): load(path)[0].name for path in tmp_path.rglob("*.y*ml")}
    assert found == {
        "cases/top.yaml": "top/a",
        "cases/folder/file.yaml": "folder/a",
        "cases/folder/inner/file.yaml": "folder/inner/a",
        "mine.yaml": "mine/a",
        "other/x.yml": "other/x/a",
    }
