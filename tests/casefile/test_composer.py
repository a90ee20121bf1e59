"""Texts that blow up, or would in a parser that trusts them; each must be refused at once."""

import pytest
import yaml

from gradcheck.casefile import composer
from gradcheck.casefile.composer import MAX_DEPTH, compose
from gradcheck.casefile.positions import MapNode, Source, locate, plain
from gradcheck.errors import CaseFileError


@pytest.fixture(params=["libyaml", "python"])
def parser(request, monkeypatch):
    if request.param == "python":
        monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    return request.param


def message(text):
    with pytest.raises(CaseFileError) as caught:
        compose(Source("text", text))
    return caught.value.complaints[0].message


@pytest.mark.parametrize(
    "text",
    ["[" * 300_000, "- " * 100_000, "{" * 300_000, "? " * 100_000, "[{" * 100_000, "a: [" * 60],
    ids=lambda t: t[:4],
)
@pytest.mark.usefixtures("parser")
def test_deep_nesting(text):
    assert "nested more than" in message(text) or "not valid YAML" in message(text)


@pytest.mark.usefixtures("parser")
def test_depth_just_allowed():
    compose(Source("text", "[" * MAX_DEPTH + "]" * MAX_DEPTH))


@pytest.mark.usefixtures("parser")
def test_depth_through_aliases():
    half = MAX_DEPTH - 5
    text = f"a: &a {'[' * half}1{']' * half}\nb: {'[' * 10}*a{']' * 10}\n"
    assert "nested more than" in message(text)


@pytest.mark.usefixtures("parser")
def test_alias_bomb():
    levels = "".join(f"a{n + 1}: &a{n + 1} [{', '.join([f'*a{n}'] * 10)}]\n" for n in range(12))
    assert message(f"a0: &a0 [lol]\n{levels}") == "the file holds more than 200,000 values"


def test_aliases_that_do_not_grow_are_fine():
    root, complaints = compose(Source("text", "a: &a {x: [1, 2]}\n" + "".join(f"b{n}: *a\n" for n in range(1000))))
    assert not complaints
    assert plain(root)["b999"] == {"x": [1, 2]}


@pytest.mark.parametrize("text", ["&a [*a]", "a: &a {b: *a}", "&a {*a : 1}", "a: &a [&b [*a]]", "a: &a 1\nb: &a [*a]"])
@pytest.mark.usefixtures("parser")
def test_recursive_anchors(text):
    assert message(text) == "the anchor 'a' contains itself"


@pytest.mark.usefixtures("parser")
def test_many_values():
    assert message("[" + "1," * 210_000 + "]") == "the file holds more than 200,000 values"


@pytest.mark.parametrize("name", ["CSafeLoader", "SafeLoader"])
def test_both_parsers_agree(name, monkeypatch):
    if name == "SafeLoader":
        monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    text = "a: [1, 'é', {b: ~}]\r\nü:\r\n  - |\r\n    text\r\n  - >-\r\n    more\r\n"
    source = Source("text", text)
    root, _ = compose(source)
    assert plain(root) == {"a": [1, "é", {"b": None}], "ü": ["text\n", "more"]}
    places = {
        path: (source.place(locate(root, path).start).line, source.place(locate(root, path).start).column)
        for path in (("a",), ("a", 1), ("a", 2, "b"), ("ü", 0), ("ü", 1))
    }
    assert places == {("a",): (1, 4), ("a", 1): (1, 8), ("a", 2, "b"): (1, 17), ("ü", 0): (3, 5), ("ü", 1): (5, 5)}
    assert isinstance(root, MapNode)
    assert source.place(locate(root, ("ü",), key=True).start).line == 2


@pytest.mark.parametrize(
    "text", ["a: b: c", "a: [1", "a: 'b", "a: @", "a: *b", "\ta: 1", "a: 1\n b: 2", "%YAML 3.0\n---\na", "}"]
)
def test_syntax_errors_read_alike_with_both_parsers(text, monkeypatch):
    one = message(text)
    monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    assert message(text) == one


def test_the_search_for_a_better_message_ends():
    # the Python parser goes no further than just behind the place where the fast one stopped
    seen = []
    real = yaml.parse

    def parse(text, loader):
        for event in real(text, loader):
            seen.append(event)
            yield event

    composer.yaml.parse = parse
    try:
        compose(Source("text", "[1, 2]\n"))
    finally:
        composer.yaml.parse = real
    assert len(seen) == 8
