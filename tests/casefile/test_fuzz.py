"""Anything at all in a case file: cases or complaints, never a traceback, a hang, or an import of what it names.

``GRADCHECK_EXAMPLES=100000`` runs longer than the 200 examples of every day.
"""

import copy
import dataclasses
import math
import os
import sys

import numpy as np
import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gradcheck.casefile.draw import draw_inputs
from gradcheck.casefile.draws import DRAWS, spec_shape
from gradcheck.casefile.parse import load_text
from gradcheck.casefile.schema import CASE_KEYS, KEYS
from gradcheck.casefile.show import dump
from gradcheck.casefile.text import decode
from gradcheck.errors import CaseFileError, UsageError

EXAMPLES = int(os.environ.get("GRADCHECK_EXAMPLES", "200"))
FUZZ = settings(
    max_examples=EXAMPLES,
    deadline=5000,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large],
)

SOUND = {
    "version": 1,
    "defaults": {"seed": 1, "tags": ["a"]},
    "cases": {
        "one": {
            "about": "text",
            "layer": {"forward": "trap.py:f", "backward": "trap.py:b", "bind": {"g": "upstream"}, "returns": "vjp"},
            "inputs": {
                "x": {"draw": "normal", "shape": [4, 5], "scale": 2.0, "pin": [{"at": [0, 1], "value": 3}]},
                "t": {"draw": "integers", "shape": [4], "high": 5},
                "v": {"values": [[1, 2], [3, 4]]},
            },
            "options": {"axis": 1, "eps": 1e-5, "mode": "sum"},
            "wrt": ["x"],
            "matrix": {"axis": [0, 1], "shape": [[4, 5], [2, 3]], "eps": [0, 1], "x": [{"scale": 3}, {"draw": "ties"}]},
            "exclude": [{"axis": 1, "eps": 1}],
            "upstream": ["ones", {"draw": "normal", "scale": 3.0}],
            "expect": {"verdict": "fail", "finding": "factor-two", "wrt": "x"},
            "rtol": 1e-6,
        },
        "two": {
            "layer": {"chain": ["trap:f", {"object": "trap:C", "init": {"n": 3}, "label": "c"}]},
            "expect": {"fail": "a-b"},
        },
        "three": {"layer": {"node": "trap.py:N", "value": "data"}, "upstream": "ones", "expect": "undecided"},
    },
}
WORDS = sorted({"version", "defaults", "cases", *CASE_KEYS, *DRAWS, *(key for keys in KEYS.values() for key in keys)})
CHARACTERS = st.characters(codec="utf-8", exclude_categories=["Cs"])
KEY = st.sampled_from([*WORDS, "x", "t", "<<", "__class__", "option:x", "input:t"]) | st.text(CHARACTERS, max_size=8)
SCALAR = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.sampled_from([0, 1, -1, 2, 10**12, 2**63])
    | st.floats()
    | st.sampled_from([*WORDS, "trap.py:f", "trap:f", "trap.py", "\0", "../trap.py:f", "x" * 5000])
    | st.text(CHARACTERS, max_size=12)
)
ANYTHING = st.recursive(
    SCALAR, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEY, inner, max_size=4), max_leaves=12
)


@st.composite
def damaged(draw):
    """A sound file in which some parts were replaced, removed or added."""
    data = copy.deepcopy(SOUND)
    for _ in range(draw(st.integers(1, 4))):
        parent, node = None, data
        while isinstance(node, (dict, list)) and node and (parent is None or draw(st.integers(0, 4))):
            key = draw(st.sampled_from(list(node) if isinstance(node, dict) else list(range(len(node)))))
            parent, node = node, node[key]
        if parent is None:
            continue
        action = draw(st.sampled_from(["replace", "remove", "add"]))
        if action == "remove":
            del parent[key]
        elif action == "replace":
            parent[key] = draw(ANYTHING)
        elif isinstance(parent, dict):
            parent[draw(KEY)] = draw(ANYTHING)
        else:
            parent.append(draw(ANYTHING))
    return data


@pytest.fixture(scope="module", autouse=True)
def trap(tmp_path_factory):
    """A module that must never be imported, wherever it is looked for."""
    folder = tmp_path_factory.mktemp("trap")
    (folder / "trap.py").write_text("raise SystemExit('imported')\n")
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))
    assert "trap" not in sys.modules


def attempt(function, *arguments, **keywords):
    """Return what a function returns, or what it complains of; every other error gets through."""
    try:
        return function(*arguments, **keywords), ()
    except CaseFileError as error:
        return None, error.complaints


def check(text, base):
    cases, complaints = attempt(load_text, text, "fuzz.yaml", base=str(base))
    assert (cases is None) == bool(complaints)
    assert all(line.isprintable() for each in complaints for line in str(each).split("\n"))
    if cases is None:
        return None
    for case in cases[:3]:
        (again,) = load_text(dump(case), base=str(base))
        kept = {"name": again.name, "place": again.place, "variant": {}}
        assert repr(dataclasses.replace(case, **kept)) == repr(again)
        small = {
            name: spec
            for name, spec in case.inputs.items()
            if math.prod(spec_shape(spec) or ()) <= 1000 and spec.draw != "file"
        }
        try:
            arrays = draw_inputs(small, case.settings.seed, case.name, case.layer.base)
        except UsageError:
            continue
        assert all(type(array) is np.ndarray for array in arrays.values())
    return cases


def test_the_sound_file_is_sound(trap):
    assert len(check(yaml.safe_dump(SOUND), trap)) == 12 + 2


@FUZZ
@given(damaged())
def test_structured(trap, data):
    check(yaml.safe_dump(data, allow_unicode=True), trap)


@FUZZ
@given(ANYTHING)
def test_any_data(trap, data):
    check(yaml.safe_dump(data), trap)
    check(yaml.safe_dump({"version": 1, "cases": {"a": data}}), trap)
    check(yaml.safe_dump({"version": 1, "defaults": data, "cases": {"a": {"layer": "softmax"}}}), trap)


@FUZZ
@given(st.data())
def test_damaged_text(trap, data):
    text = yaml.safe_dump(SOUND, default_flow_style=data.draw(st.sampled_from([None, True, False])))
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(text)))
        new = data.draw(st.sampled_from(list("{}[]:,-?&*!|>'\"%@`#\n\t ~<=0e.")) | st.text(CHARACTERS, max_size=4))
        text = text[:at] + new + text[at + data.draw(st.integers(0, 3)) :]
    check(text, trap)


@FUZZ
@given(st.binary(max_size=200) | st.text(max_size=100).map(lambda text: text.encode("utf-8", "surrogatepass")))
@example(b"\xff\xfev\x00e\x00r\x00")
@example("\ufeffversion: 1".encode("utf-8"))
@example(b"&a [*a, *a]")
@example(b"? ? ? ?")
@example(b"!<tag:yaml.org,2002:python/object> {}")
def test_raw_bytes(trap, data):
    text, complaints = attempt(decode, data, "fuzz.yaml")
    assert (text is None) == bool(complaints)
    if text is not None:
        check(text, trap)


@FUZZ
@given(st.text(st.sampled_from("ab:-?&*![]{},#|>'\" \n\t<=~%0.e"), max_size=60))
def test_text_of_yaml_characters(trap, text):
    check(text, trap)


CASES = ", ".join(f"c{number}: {{}}" for number in range(20_000))
MATRIX = f"matrix: {{seed: {list(range(50))}, o: {list(range(40))}}}"


@pytest.mark.parametrize(
    "text",
    [
        "a: " + "[" * 500_000,
        "version: 1\ncases: {a: {layer: " + "x" * 900_000 + "}}",
        "version: 1\ncases: {a: {layer: softmax, " + "k: 1, " * 150_000 + "}}",
        "version: 1\ncases: {" + ", ".join(f"c{n}: {{layer: softmax}}" for n in range(15_000)) + "}",
        "version: 1\ncases: {a: {layer: softmax, inputs: {x: {values: [" + "1, " * 150_000 + "]}}}}",
        "version: 1\ncases: {a: {layer: softmax, inputs: {x: {values: " + "[" * 40 + "1" + "]" * 40 + "}}}}",
        "version: 1\ncases:\n  a:\n    layer: softmax\n" + "".join(f"    k{n}: 1\n" for n in range(50_000)),
        "'" * 500_000,
        "- " * 200 + "a",
        "#" * 1_000_000,
        "&a " * 100_000,
        "a: |\n" + " x\n" * 200_000,
        "\n" * 1_000_000,
        "%TAG ! tag:x,2000:\n--- !" + "a" * 100_000,
        "version: 1\ncases: {a: {layer: softmax, tags: [" + "'\\u202e\\e[31m', " * 10_000 + "]}}",
        "version: 1\ncases: {a: {layer: softmax, inputs: {x: {shape: [" + "9" * 100 + "]}}}}",
        # small texts that ask for much work: long defaults for many cases, a long input in many variants, ...
        f"version: 1\ndefaults: {{inputs: {{x: {{values: [{'1, ' * 50_000}]}}}}}}\ncases: {{{CASES}}}",
        f"version: 1\ndefaults: {{layer: a, options: {{o: 1}}, {MATRIX}}}\ncases: {{{CASES}}}",
        f"version: 1\ncases: {{a: {{layer: b, {MATRIX}, options: {{o: {{values: [{'1, ' * 50_000}]}}}}}}}}",
        f"version: 1\ncases: {{a: {{layer: b, options: {{o: 1}}, {MATRIX}, exclude: [{'{seed: 1}, ' * 20_000}]}}}}",
        f"version: 1\ncases: {{a: {{layer: b, options: {{o: 1}}, matrix: {{o: {list(range(50_000))}}}}}}}",
    ],
    ids=range(21),
)
def test_large_texts_end_soon(trap, text):
    # no clock here: a test that hangs is seen without one, and each of these once took minutes in some parser
    check(text, trap)
