"""Layers and conventions that other packages add."""

import importlib.metadata
from importlib.metadata import EntryPoint

import numpy as np
import pytest

from gradcheck.errors import LayerError, NameLookupError, UsageError
from gradcheck.layers import adapters
from gradcheck.layers.build import build, wrap
from gradcheck.model import LayerSpec

from .samples import pairs
from .tools import draw, is_right

HERE = __name__
SAMPLE = pairs.__name__.rpartition(".")[0]
asked = []


class Tensor:
    """What a framework's function is in these tests."""

    def __init__(self, factor):
        self.factor = factor


def adapt_tensor(thing, *, backward, bind, returns, inputs, options, **_):
    asked.append((thing, backward, bind, returns, inputs, options))
    if not isinstance(thing, Tensor):
        return None
    return wrap(lambda x: thing.factor * x, lambda g: thing.factor * g)


def adapt_badly(thing, **_):
    return "a layer" if isinstance(thing, Tensor) else None


def adapt_and_raise(thing, **_):
    if isinstance(thing, Tensor):
        raise RuntimeError("version 3 is not supported")  # noqa: TRY004


def adapt_and_explain(thing, **_):
    if isinstance(thing, Tensor):
        raise UsageError("give it double precision")


no_function = 3


@pytest.fixture
def register(monkeypatch):
    def put(**groups):
        points = [
            EntryPoint(name, value, group.replace("_", "."))
            for group, pairs_ in groups.items()
            for name, value in pairs_
        ]
        monkeypatch.setattr(
            importlib.metadata, "entry_points", lambda group: [item for item in points if item.group == group]
        )
        adapters._load_adapters.cache_clear()

    yield put
    adapters._load_adapters.cache_clear()


def test_an_adapter_makes_a_layer(register):
    register(gradcheck_adapters=[("tensor", f"{HERE}:adapt_tensor")])
    asked.clear()

    layer = wrap(Tensor(3.0), bind={"a": "x"}, returns="gradient", inputs=["x"], options={"k": 1})

    assert is_right(layer, {"x": draw(3)})
    assert asked[0][1:] == (None, {"a": "x"}, "gradient", ["x"], {"k": 1})


def test_what_an_adapter_does_not_know_is_left_to_the_others(register):
    register(gradcheck_adapters=[("tensor", f"{HERE}:adapt_tensor")])

    assert wrap(pairs.softmax, pairs.softmax_backward).name == "softmax"


def test_adapters_reach_references_and_chains(register):
    register(gradcheck_adapters=[("tensor", f"{HERE}:adapt_tensor")])

    layer = wrap([Tensor(2.0), Tensor(3.0)], inputs=["x"])

    assert np.array_equal(layer.forward({"x": np.ones(2)}, {})[0], [6.0, 6.0])


@pytest.mark.parametrize(
    ("name", "kind", "message"),
    [
        ("adapt_badly", LayerError, "the adapter 'it' returned str, which is no layer"),
        ("adapt_and_raise", LayerError, r"the adapter 'it' raised RuntimeError: version 3 is not supported \(.*\)"),
        ("adapt_and_explain", UsageError, "give it double precision"),
    ],
)
def test_adapters_that_go_wrong(register, name, kind, message):
    register(gradcheck_adapters=[("it", f"{HERE}:{name}")])

    with pytest.raises(kind, match=f"^{message}$"):
        wrap(Tensor(1.0))


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("no_such_package:adapt", "No module named 'no_such_package'"),
        (f"{HERE}:no_function", "it cannot be called"),
    ],
)
def test_a_broken_adapter_breaks_nothing_else(register, value, reason):
    register(gradcheck_adapters=[("broken", value), ("tensor", f"{HERE}:adapt_tensor")])

    with pytest.warns(RuntimeWarning) as caught:
        layer = wrap(Tensor(2.0))

    assert str(caught[0].message) == f"the adapter 'broken' ({value}) is left out: {reason}"
    assert is_right(layer, {"x": draw(2)})


def test_without_its_adapter_a_thing_is_no_layer(register):
    register()

    with pytest.raises(UsageError) as caught:
        wrap(Tensor(1.0))

    assert str(caught.value) == (
        "Tensor is no layer\n  = help: give a forward and its backward, a class or object with both, "
        "a class of graph nodes or a list of layers"
    )


def test_layers_by_name(register):
    register(
        gradcheck_layers=[
            ("soft", f"{SAMPLE}.pairs:pair"),
            ("tanh", f"{SAMPLE}.objects:Tanh"),
            ("ready", f"{SAMPLE}.cached:layer"),
        ]
    )

    soft = build(LayerSpec(target="soft"), ["arr"], {"axis": 1})

    assert soft.name == "soft"
    assert is_right(soft, {"arr": draw(3, 2)}, {"axis": 1})
    assert is_right(soft.fresh(), {"arr": draw(3, 2)}, {"axis": 1})
    assert is_right(wrap("tanh"), {"x": draw(3)})
    assert wrap("ready").name == "ready"
    assert is_right(wrap(["tanh", "tanh"]), {"x": draw(3)})
    assert is_right(build(LayerSpec(chain=[LayerSpec(target="tanh")])), {"x": draw(3)})


def test_names_that_are_not_registered_or_twice(register):
    register(
        gradcheck_layers=[
            ("softmax", f"{SAMPLE}.pairs:pair"),
            ("twice", f"{SAMPLE}.pairs:pair"),
            ("twice", f"{SAMPLE}.objects:Tanh"),
            ("same", f"{SAMPLE}.objects:Tanh"),
            ("same", f"{SAMPLE}.objects:Tanh"),
            ("gone", f"{SAMPLE}.objects:Gone"),
            ("raises", f"{SAMPLE}.raises:softmax"),
        ]
    )

    for name, message in (
        (
            "sofmax",
            "there is no layer called 'sofmax' (did you mean 'softmax'?)\n"
            "  = help: give a registered name, or package.module:NAME or file.py:NAME",
        ),
        (
            "twice",
            f"the layer 'twice' is registered 2 times: {SAMPLE}.objects:Tanh, {SAMPLE}.pairs:pair\n"
            "  = help: give one of these instead",
        ),
        (
            "gone",
            f"the layer 'gone' is registered as {SAMPLE}.objects:Gone, which does not exist: "
            f"module '{SAMPLE}.objects' has no attribute 'Gone'",
        ),
    ):
        with pytest.raises(NameLookupError) as caught:
            wrap(name)
        assert str(caught.value) == message
    with pytest.raises(LayerError, match=rf"^importing {SAMPLE}.raises:softmax raised RuntimeError"):
        wrap("raises")
    assert wrap("same").name == "same"
