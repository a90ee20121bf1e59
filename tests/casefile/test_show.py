"""A case written out says the same when it is read again."""

import dataclasses
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradcheck.casefile.parse import load_text
from gradcheck.casefile.show import dump, json_schema
from gradcheck.model import Case, Expectation, InputSpec, LayerSpec, Settings, Verdict

NAMES = st.from_regex(r"[a-z_][a-z0-9_]{0,8}", fullmatch=True)
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=20) | st.sampled_from(
    [
        "1e-6",
        "no",
        "on",
        "010",
        "12:30",
        "~",
        "",
        ".5",
        "0o17",
        "true",
        "a: b",
        "- x",
        "#",
        "<<",
        "=",
        "null",
        "1_0",
        "|",
    ]
)
FLOATS = st.floats(allow_nan=False)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | FLOATS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS.filter(lambda t: t != "<<"), inner, max_size=3),
    max_leaves=8,
)
SHAPES = st.lists(st.integers(1, 9), min_size=1, max_size=3).map(tuple)
REFERENCES = st.sampled_from(["m:f", "package.module:name", "m:Class.method"])
DTYPES = st.none() | st.sampled_from(["float32", "int64", "bool"])
INPUTS = st.one_of(
    st.builds(
        InputSpec, st.just("normal"), SHAPES, DTYPES, st.fixed_dictionaries({}, optional={"scale": st.floats(0, 9)})
    ),
    st.builds(InputSpec, st.just("integers"), SHAPES, DTYPES, st.fixed_dictionaries({"high": st.integers(1, 9)})),
    st.builds(InputSpec, st.just("away-from"), SHAPES, DTYPES, st.just({"from": 1.5})),
    st.builds(InputSpec, st.just("constant"), SHAPES, DTYPES, st.fixed_dictionaries({"value": FLOATS})),
    st.builds(InputSpec, st.just("values"), st.none(), DTYPES, st.fixed_dictionaries({"values": st.lists(FLOATS)})),
    st.builds(InputSpec, st.just("ones"), st.just((2, 3)), DTYPES, pin=st.just([((0, 1), 5.0), ((1,), -1.0)])),
)
LINKS = st.one_of(
    st.builds(LayerSpec, target=REFERENCES | st.just("softmax")),
    st.builds(
        LayerSpec,
        forward=REFERENCES,
        backward=REFERENCES,
        returns=st.sampled_from(["vjp", "jacobian", "derivative", "gradient"]),
        bind=st.dictionaries(NAMES, st.just("upstream"), max_size=2),
        label=st.none() | TEXTS.filter(bool),
    ),
    st.builds(LayerSpec, object=REFERENCES, init=st.dictionaries(NAMES, PLAIN, max_size=2), forward=st.none() | NAMES),
    st.builds(LayerSpec, node=REFERENCES, value=NAMES, inputs=st.none() | st.lists(NAMES, max_size=2)),
)
LAYERS = LINKS | st.builds(LayerSpec, chain=st.lists(LINKS, min_size=1, max_size=3))
EXPECTATIONS = st.builds(
    Expectation,
    st.sampled_from(list(Verdict)),
    st.none() | st.sampled_from(["factor-two", "sign-error"]),
    at=st.none() | TEXTS.filter(bool),
)
SETTINGS = st.builds(
    Settings,
    upstream=st.none() | st.sampled_from(["ones", "one-hot"]) | st.lists(INPUTS, min_size=1, max_size=2),
    seed=st.integers(0, 2**64 - 1),
    mode=st.sampled_from(["auto", "full"]),
    reference=st.none() | LINKS,
    rtol=st.none() | st.floats(0, 1),
    eps=st.none() | st.floats(1e-12, 1),
    probes=st.booleans(),
)
CASES = st.builds(
    Case,
    st.just("sample"),
    LAYERS,
    st.dictionaries(NAMES, INPUTS, max_size=3),
    st.dictionaries(NAMES, PLAIN, max_size=3),
    SETTINGS,
    EXPECTATIONS,
    st.lists(TEXTS.filter(bool), max_size=2).map(tuple),
    TEXTS.map(str.strip),
    st.none() | st.floats(0.1, 100),
)


@settings(max_examples=300, deadline=None)
@given(CASES)
def test_dump_and_load(case):
    (again,) = load_text(dump(case))
    assert dataclasses.replace(again, place=None) == case


def test_what_it_looks_like():
    case = load_text(
        """
version: 1
cases:
  sample:
    about: |
      two
      lines
    layer: {forward: m:f, backward: m:b, bind: {g: upstream}}
    inputs: {x: {shape: [4, 5]}, t: {draw: one-hot, shape: [4, 5]}}
    options: {axis: 0, mode: 'no', eps: 1e-5}
    matrix: {axis: [1]}
    expect: {fail: factor-two}
    tags: [a]
""",
        prefix="folder",
    )[0]
    assert dump(case) == (
        "# variant axis=1\n"
        "version: 1\n"
        "cases:\n"
        "  sample:\n"
        "    about: |-\n"
        "      two\n"
        "      lines\n"
        "    layer: {forward: 'm:f', backward: 'm:b', bind: {g: upstream}}\n"
        "    inputs: {x: {shape: [4, 5]}, t: {draw: one-hot, shape: [4, 5]}}\n"
        "    options: {axis: 1, mode: 'no', eps: 1.0e-05}\n"
        "    axis: 1\n"
        "    expect: {fail: factor-two}\n"
        "    tags: [a]\n"
    )


@pytest.mark.parametrize("name", ["file.py:softmax", "a.b:c", "-", "x*?", "folder/x[axis=0]"])
def test_cases_made_of_references_have_names_that_can_be_read_again(name):
    (case,) = load_text(dump(Case(name, LayerSpec(target="m:f"))))
    assert case.layer.target == "m:f"


def test_the_schema_is_json_and_knows_every_key():
    schema = json.loads(json.dumps(json_schema()))
    assert schema["required"] == ["version", "cases"]
    assert schema["additionalProperties"] is False
    case = schema["$defs"]["CaseModel"]
    assert case["required"] == ["layer"]
    assert set(case["properties"]) >= {"layer", "inputs", "options", "matrix", "exclude", "expect", "tags", "upstream"}
    assert "from" in schema["$defs"]["AwayFrom"]["properties"]


def test_the_schema_never_matches_two_draws():
    # an input without `draw` is normal: every other draw must be told by a key that it cannot do without
    definitions = json_schema()["$defs"]
    loose = [
        name for name, body in definitions.items() if "draw" in body.get("properties", {}) and not body.get("required")
    ]
    assert loose == ["Normal"]
