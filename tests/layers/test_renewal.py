"""Layers without memory: files executed anew, objects copied, and what is left as it is."""

import functools
import importlib.util
import random
import sys

import numpy as np
import pytest

from gradcheck.layers.build import build, wrap
from gradcheck.layers.modules import Session, same_random_state
from gradcheck.layers.references import Live
from gradcheck.model import LayerSpec

from .samples import cached, pairs
from .tools import SAMPLES, draw, pull

ONE, TWO = draw(3, seed=1), draw(3, seed=2)


@pytest.fixture(autouse=True)
def forget():
    cached._cache.clear()
    cached.Cached.seen.clear()


def load(path, name):
    """Load a file as the standard library's documentation says; it is not in ``sys.modules``."""
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def remembers(layer):
    """Whether an earlier forward shows in a later backward."""
    pull(layer, {"x": ONE})
    _, upstream, found = pull(layer, {"x": TWO})
    return not np.allclose(found.by_input["x"], upstream[0] * (1 - np.tanh(TWO) ** 2))


def by_reference():
    return build(LayerSpec(forward="cached.py:forward", backward="cached.py:backward", base=str(SAMPLES)))


def by_module():
    name = cached.__name__
    return build(LayerSpec(forward=f"{name}:forward", backward=f"{name}:backward"))


def live():
    return wrap(cached.forward, cached.backward)


def loaded():
    module = load(SAMPLES / "cached.py", "some_name")
    return wrap(module.forward, module.backward)


def of_class():
    return wrap(cached.Cached)


def of_class_by_reference():
    return build(LayerSpec(object="cached.py:Cached", base=str(SAMPLES)))


def of_instance_by_reference():
    return build(LayerSpec(object="cached.py:layer", base=str(SAMPLES)))


@pytest.mark.parametrize(
    "make", [by_reference, by_module, live, loaded, of_class, of_class_by_reference, of_instance_by_reference]
)
def test_a_fresh_layer_remembers_nothing(make):
    layer = make()

    assert remembers(layer)
    fresh = layer.fresh()
    _, upstream, found = pull(fresh, {"x": TWO})
    assert np.allclose(found.by_input["x"], upstream[0] * (1 - np.tanh(TWO) ** 2))
    assert remembers(layer.fresh())
    assert fresh.name == layer.name


def test_an_instance_is_copied_as_it_was_when_it_was_handed_over():
    class Counting:
        def __init__(self):
            self.calls = 0

        def forward(self, x):
            self.calls += 1
            return x * self.calls

        def backward(self, g):
            return g * self.calls

    instance = Counting()
    layer = wrap(instance)
    layer.forward({"x": ONE}, {})

    assert np.array_equal(layer.fresh().forward({"x": ONE}, {})[0], ONE)
    assert np.array_equal(layer.forward({"x": ONE}, {})[0], 2 * ONE)
    assert instance.calls == 2


def test_weights_that_are_drawn_without_a_seed_are_kept():
    layer = build(LayerSpec(forward="drawn.py:forward", backward="drawn.py:backward", base=str(SAMPLES)))

    assert layer.fresh() is layer


def test_weights_from_the_global_random_state_are_the_same_each_time():
    layer = build(LayerSpec(forward="lucky.py:forward", backward="lucky.py:backward", base=str(SAMPLES)))
    fresh = layer.fresh()

    assert fresh is not layer
    assert np.array_equal(fresh.forward({"x": ONE}, {})[0], layer.forward({"x": ONE}, {})[0])


def test_live_functions_whose_module_drew_weights_are_kept():
    module = load(SAMPLES / "lucky.py", "lucky_one")
    layer = wrap(module.forward, module.backward)

    assert layer.fresh().functions == layer.functions


def test_the_random_states_are_given_back():
    random.seed(1)
    np.random.seed(1)
    expected = random.random(), np.random.random()
    random.seed(1)
    np.random.seed(1)

    build(LayerSpec(forward="lucky.py:forward", backward="lucky.py:backward", base=str(SAMPLES))).fresh()
    with same_random_state():
        np.random.random()

    assert (random.random(), np.random.random()) == expected


def test_forward_and_backward_in_two_files():
    layer = build(LayerSpec(forward="one/front.py:forward", backward="one/back.py:backward", base=str(SAMPLES)))

    for one in (layer, layer.fresh(), layer.fresh().fresh()):
        _, upstream, found = pull(one, {"x": ONE})
        assert np.allclose(found.by_input["x"], 2 * ONE * upstream[0])


def renewed(thing):
    return Live(thing).resolve(Session(fresh=True))


def test_what_cannot_be_had_anew_is_used_as_it_is():
    def closure(x):
        return x

    functions = [closure, lambda x: x, np.sin, max, np.vectorize(abs), functools.lru_cache(closure)]

    assert [renewed(item) is item for item in functions[:4]] == [True] * 4
    assert all(callable(renewed(item)) for item in functions)


def test_functions_of_other_kinds_are_had_anew():
    again = renewed(functools.partial(pairs.softmax, axis=1))
    inner = renewed(pairs.Layers.Inner.double)

    assert again.func is not pairs.softmax
    assert again.keywords == {"axis": 1}
    assert inner is not pairs.Layers.Inner.double
    assert inner(2) == 4


def test_functions_of_installed_packages_are_used_as_they_are():
    assert renewed(np.linalg.norm) is np.linalg.norm
    assert renewed(pytest.approx) is pytest.approx


def test_a_function_that_was_replaced_in_its_module_is_used_as_it_is(monkeypatch):
    original = pairs.softmax
    monkeypatch.setattr(pairs, "softmax", lambda arr, axis: arr)

    assert renewed(original) is original


def test_a_file_that_was_edited_meanwhile_is_not_executed_as_the_old_one(tmp_path):
    (tmp_path / "changing.py").write_text("def f(x):\n    return 2 * x\n")
    module = load(tmp_path / "changing.py", "changing")
    assert renewed(module.f) is not module.f

    (tmp_path / "changing.py").write_text("def f(x):\n    return 30 * x\n")

    assert renewed(module.f) is module.f


def test_a_file_that_is_gone_or_raises_now(tmp_path):
    (tmp_path / "gone.py").write_text("def f(x):\n    return x\n")
    module = load(tmp_path / "gone.py", "gone")
    (tmp_path / "gone.py").write_text("def f(x):\n    return x\nraise RuntimeError\n")
    assert renewed(module.f) is module.f
    (tmp_path / "gone.py").unlink()

    assert renewed(module.f) is module.f


def test_the_script_that_is_running_is_not_run_again(tmp_path, monkeypatch):
    (tmp_path / "script.py").write_text("def f(x):\n    return x\n")
    module = load(tmp_path / "script.py", "__main__")

    assert renewed(module.f) is module.f


def test_a_module_that_checks_itself_while_it_is_executed(tmp_path, capsys):
    (tmp_path / "selfish.py").write_text(
        "from gradcheck.layers.build import wrap\n"
        "def f(x):\n    return x\n"
        "def f_backward(g):\n    return g\n"
        "print('hello', wrap(f, f_backward).fresh().name)\n"
    )
    module = load(tmp_path / "selfish.py", "selfish")
    assert capsys.readouterr().out == "hello f\n"

    fresh = wrap(module.f, module.f_backward).fresh()

    assert fresh.functions[0] is not module.f
    assert capsys.readouterr().out == ""
    assert "selfish" not in sys.modules


def test_an_instance_that_cannot_be_copied():
    class Stubborn:
        def __deepcopy__(self, memo):
            raise RuntimeError("no")

        def forward(self, x):
            return x

        def backward(self, g):
            return g

    instance = Stubborn()

    assert wrap(instance).fresh().instance is instance
    assert wrap(instance.forward, instance.backward).fresh().functions[0].__self__ is instance
