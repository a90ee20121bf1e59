import math

import pytest

from gradcheck.casefile.composer import compose
from gradcheck.casefile.positions import Source, plain
from gradcheck.casefile.scalars import resolve


def read(text):
    root, complaints = compose(Source("text", text))
    assert not complaints
    return plain(root)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-6", 1e-6),
        ("1E3", 1000.0),
        ("-.5", -0.5),
        ("5.", 5.0),
        ("010", 10),
        ("+7", 7),
        ("0o17", 15),
        ("0x1F", 31),
        ("no", "no"),
        ("on", "on"),
        ("Yes", "Yes"),
        ("y", "y"),
        ("12:30", "12:30"),
        ("1_000", "1_000"),
        ("0b1", "0b1"),
        ("2001-01-01", "2001-01-01"),
        ("1e", "1e"),
        (".", "."),
        ("-", "-"),
        ("nan", "nan"),
        ("inf", "inf"),
        ("true", True),
        ("False", False),
        ("tRUE", "tRUE"),
        ("null", None),
        ("~", None),
        (".inf", math.inf),
        ("-.Inf", -math.inf),
        ("٣", "٣"),  # a digit, but not of YAML's
    ],
)
def test_plain_scalars(text, value):
    assert resolve(text) == value
    assert type(resolve(text)) is type(value)
    if text != "-":
        assert read(f"a: {text}") == {"a": value}


def test_nan():
    assert math.isnan(resolve(".nan"))


@pytest.mark.parametrize("text", ["'1'", '"1"', "!!str 1", "! 1", "|-\n  1"])
def test_quoted_scalars_are_texts(text):
    assert read(f"a: {text}") == {"a": "1"}


def test_tags_of_plain_data():
    assert read("{a: !!int 1, b: !!float 1, c: !!bool true, d: !!null ~, e: !!seq [1], f: !!map {a: 1}}") == {
        "a": 1,
        "b": 1,
        "c": True,
        "d": None,
        "e": [1],
        "f": {"a": 1},
    }


def test_anchors_and_merged_mappings():
    text = "a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\nc: {<<: [*a, {z: 4}]}\nd: {'<<': 1}\n"
    assert read(text) == {"a": {"x": 1, "y": 2}, "b": {"x": 1, "y": 3}, "c": {"x": 1, "y": 2, "z": 4}, "d": {"<<": 1}}


def test_a_merge_of_something_else():
    _, complaints = compose(Source("text", "a: {<<: 1}\n"))
    assert [each.message for each in complaints] == ["'<<' takes a mapping, or a list of mappings"]
