"""The worked example of an adapter, from its registration to a bug that has a name."""

import importlib.metadata
import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest

from gradcheck.api import check
from gradcheck.errors import UsageError
from gradcheck.layers import adapters
from gradcheck.layers.build import build, wrap
from gradcheck.model import LayerSpec
from tests.layers.samples import toygrad
from tests.layers.samples.toygrad_gradcheck import ToyLayer
from tests.layers.tools import draw, is_right

ROOT = Path(__file__).parents[2]
X, Y = draw(3, 2), draw(3, 2, seed=2)


@pytest.fixture(autouse=True)
def _registered(monkeypatch):
    point = EntryPoint("toygrad", "tests.layers.samples.toygrad_gradcheck:adapt", adapters.ADAPTERS)
    known = {adapters.ADAPTERS: [point]}
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: known.get(group, []))
    adapters._load_adapters.cache_clear()
    yield
    adapters._load_adapters.cache_clear()


def test_functions_of_the_framework_are_layers():
    layer = wrap(toygrad.product)

    assert isinstance(layer, ToyLayer)
    assert (layer.name, layer.inputs) == ("Product", ("x", "y"))
    assert is_right(layer, {"x": X, "y": Y})
    assert is_right(layer.fresh(), {"x": X, "y": Y})


def test_so_are_those_that_a_case_names():
    layer = build(LayerSpec(target="tests.layers.samples.toygrad:square", label="squared"), ["x"])

    assert layer.name == "squared"
    assert is_right(layer, {"x": X})


def test_bugs_have_their_names():
    assert check(toygrad.square, inputs={"x": X}).verdict == "pass"
    assert check(toygrad.half_square, inputs={"x": X}).findings[0].rule == "factor-two"
    assert check(toygrad.half_product, inputs={"x": X, "y": Y}).findings[0].rule == "missing-input-gradient"


def test_links_of_a_chain():
    assert is_right(wrap([toygrad.square, toygrad.square]), {"x": X})


def test_a_framework_that_is_asked_for_by_name():
    assert isinstance(wrap(toygrad.square, options={"framework": "toygrad"}), ToyLayer)
    with pytest.raises(UsageError) as caught:
        wrap(np.tanh, options={"framework": "toygrd"})
    assert str(caught.value) == (
        "unknown framework 'toygrd' (did you mean 'toygrad'?)\n  = help: one of toygrad, numpy"
    )
    with pytest.raises(UsageError, match=r"^`tanh` is nothing that the adapter 'toygrad' makes a layer of$"):
        wrap(np.tanh, options={"framework": "toygrad"})


def test_frameworks_can_be_kept_away():
    layer = wrap(np.tanh, lambda x, g: g * (1 - np.tanh(x) ** 2), options={"framework": "numpy"})

    assert is_right(layer, {"x": X}, {"framework": "numpy"})
    with pytest.raises(UsageError, match=r"^`Square.__call__` does not say how its inputs are called"):
        wrap(toygrad.square, options={"framework": "numpy"})


def test_the_example_in_the_documentation_is_this_one():
    page = (adapters.__doc__ or "").replace('            toygrad = sys.modules.get("toygrad")\n', "")
    sample = (Path(__file__).parent / "samples" / "toygrad_gradcheck.py").read_text(encoding="utf-8")
    body = sample[sample.index("class ToyLayer") :].replace('    """A function of toygrad as a layer."""\n\n', "")

    assert [line for line in body.splitlines() if line.strip() and line.strip() not in page] == []


def test_importing_the_adapters_imports_no_framework():
    code = (
        "import sys\n"
        "import gradcheck.layers.torch, gradcheck.layers.jax, gradcheck.layers.autograd\n"
        "from gradcheck.layers.build import wrap\n"
        "wrap(lambda x: x, lambda g: g)\n"
        "sys.exit(len({'torch', 'jax', 'autograd'} & set(sys.modules)))"
    )

    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")
