"""What is said of frameworks without one: what is missing, and whose arrays a function takes."""

import functools
import sys
import types

import numpy as np
import pytest

from gradcheck.errors import LayerError, UsageError
from gradcheck.layers import evidence, frameworks
from gradcheck.layers.build import build
from gradcheck.layers.evidence import is_plain, is_written_for
from gradcheck.layers.frameworks import AUTOGRAD, JAX, TORCH, Wishes, needs, split_options
from gradcheck.model import Case, LayerSpec, Verdict
from gradcheck.trial.case import try_case
from tests.layers.samples import pairs


@pytest.fixture
def pretended(monkeypatch):
    """Put stand-ins for torch and jax into sys.modules."""
    made = {}
    for name, mark in (("torch", "Tensor"), ("jax", "vjp")):
        module = types.ModuleType(name)
        setattr(module, mark, type(mark, (), {"__module__": name}))
        monkeypatch.setitem(sys.modules, name, module)
        made[name] = module
    return made


def _define(text, **names):
    space = {"__name__": "mine", **names}
    exec(text, space)
    return space


# An import system that does not know one package; in a traceback its frames look like those of the interpreter's own.
FINDER = """
class Missing:
    def __init__(self, name):
        self.name = name

    def find_spec(self, fullname, path=None, target=None):
        if fullname == self.name:
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)
"""
SPACE = {}
exec(compile(FINDER, "<the import system>", "exec"), SPACE)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("torch", "needs PyTorch, which is not installed{}: pip install 'gradcheck[torch]'"),
        ("jax", "needs JAX, which is not installed{}: pip install 'gradcheck[jax]'"),
        ("jaxlib", "needs JAX, which is not installed{}: pip install 'gradcheck[jax]'"),
        ("autograd", "needs HIPS autograd, which is not installed{}: pip install 'gradcheck[autograd]'"),
        ("scipy", "needs SciPy, which is not installed{}: pip install 'scipy'"),
        ("sklearn", "needs scikit-learn, which is not installed{}: pip install 'scikit-learn'"),
    ],
)
def test_a_missing_framework_says_how_to_get_it(name, message, tmp_path, monkeypatch):
    monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setattr(sys, "meta_path", [SPACE["Missing"](name), *sys.meta_path])
    (tmp_path / "net.py").write_text(f"import {name}\n\n\ndef net(x):\n    return x\n", encoding="utf-8")

    for target, place in ((f"{name}.part:net", ""), ("net.py:net", " (net.py:1)")):
        with pytest.raises(LayerError) as caught:
            build(LayerSpec(target=target, base=str(tmp_path)), ["x"])
        assert caught.value.message == message.format(place)
        report = try_case(Case("it", LayerSpec(target=target, base=str(tmp_path))))
        assert (report.verdict, report.error) == (Verdict.ERROR, caught.value.message)


def test_other_modules_are_no_frameworks(tmp_path):
    (tmp_path / "net.py").write_text("import torch_no_such\n", encoding="utf-8")

    assert needs("torch.no_such") is None
    with pytest.raises(LayerError, match="No module named 'torch_no_such'") as caught:
        build(LayerSpec(target="net.py:net", base=str(tmp_path)))
    assert caught.value.message.endswith(
        " (net.py:1)\n  = help: pip install the package that has it, or put the file beside net.py"
    )


def test_a_part_that_an_installed_package_does_not_have(tmp_path):
    (tmp_path / "net.py").write_text("import numpy.no_such\n", encoding="utf-8")

    with pytest.raises(LayerError, match=r"No module named 'numpy.no_such' \(net.py:1\)$"):
        build(LayerSpec(target="net.py:net", base=str(tmp_path)))


def test_options_that_speak_to_the_adapter():
    options = {"order": 2, "device": "cpu", "dim": 1, "framework": "torch", "training": False}

    assert split_options(options, ()) == ({"dim": 1}, Wishes(order=2, device="cpu", training=False))
    assert split_options({"autodiff": "forward"}, ()) == ({}, Wishes(forward_mode=True))


def test_arguments_of_the_function_keep_their_names():
    assert split_options({"order": "F", "device": 3}, ["order", "device"]) == ({"order": "F", "device": 3}, Wishes())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"order": 3}, "order 3 cannot be checked\n  = help: give 1, or 2 for second derivatives"),
        ({"order": True}, "order True cannot be checked\n  = help: give 1, or 2 for second derivatives"),
        ({"autodiff": "sideways"}, "unknown autodiff 'sideways'\n  = help: one of reverse, forward"),
        (
            {"order": 2, "autodiff": "forward"},
            "second derivatives are checked in reverse mode only\n  = help: leave out `autodiff` or `order`",
        ),
        ({"device": 0}, "device 0 is no name of a device\n  = help: give for instance cpu or cuda:0"),
        ({"training": "no"}, "training 'no' is neither true nor false"),
    ],
)
def test_options_that_mean_nothing(options, message):
    with pytest.raises(UsageError) as caught:
        split_options(options, ())
    assert str(caught.value) == message


def test_a_file_of_the_same_name_is_no_framework(monkeypatch):
    monkeypatch.setitem(sys.modules, "autograd", types.ModuleType("autograd"))

    assert frameworks.loaded(AUTOGRAD) is None


def test_code_that_names_a_framework(pretended):
    space = _define("def f(x): return torch.tanh(x)\ndef g(x): return f(x) * 2\ndef h(x): return x", **pretended)

    assert is_written_for(TORCH, space["f"])
    assert is_written_for(TORCH, space["g"], strict=True)  # through a function of the same file
    assert is_written_for(TORCH, functools.partial(space["f"]))
    assert not is_written_for(JAX, space["f"])
    assert not is_written_for(TORCH, pairs.softmax, pairs.softmax_backward, strict=True)


def test_annotations_and_closures_count(pretended):
    space = _define(
        "def f(x: 'torch.Tensor'): return x\ndef make(module):\n  def g(x): return module.tanh(x)\n  return g",
        torch=pretended["torch"],
    )

    assert is_written_for(TORCH, space["f"], strict=True)
    assert is_written_for(TORCH, space["make"](pretended["torch"]), strict=True)


def test_methods_of_tensors_have_no_name_that_tells(pretended):
    alone = _define("def f(x): return x.sigmoid()", torch=pretended["torch"])
    mixed = _define("def f(x): return x.sigmoid()\ndef g(x): return np.exp(x)", torch=pretended["torch"], np=np)

    assert is_written_for(TORCH, alone["f"])
    assert is_written_for(TORCH, alone["f"], strict=True)
    assert is_written_for(TORCH, mixed["f"])
    assert not is_written_for(TORCH, mixed["f"], strict=True)
    assert not is_written_for(TORCH, mixed["g"])
    pretended["torch"].Tensor.sigmoid = None
    assert is_written_for(TORCH, mixed["f"], strict=True)
    assert not is_written_for(TORCH, mixed["g"])


def test_methods_of_its_own_tell_nothing(pretended):
    pretended["torch"].Tensor.sigmoid = None
    text = "class C:\n  def sigmoid(self, x): return x\n  def forward(self, x): return self.sigmoid(x)"

    assert not is_written_for(TORCH, _define(text, torch=pretended["torch"], np=np)["C"], strict=True)


def test_code_that_converts_takes_numpy_arrays(pretended):
    space = _define("def f(x): return torch.tanh(torch.from_numpy(x)).numpy()", torch=pretended["torch"])

    assert not is_written_for(TORCH, space["f"], strict=True)


def test_code_that_names_two(pretended):
    space = _define("def f(x): return torch.tanh(jax.vjp(x))", **pretended)

    with pytest.raises(UsageError) as caught:
        is_written_for(TORCH, space["f"])
    assert str(caught.value) == (
        "`f` names PyTorch and JAX\n  = help: say whose arrays it takes: options: {framework: torch}"
    )


def test_pairs_of_numpy_need_no_adapters(pretended, monkeypatch):
    assert not is_plain(pairs.softmax, pairs.softmax_backward)  # something is loaded that it might be of
    monkeypatch.setattr(evidence, "loaded", lambda _: None)
    assert is_plain(pairs.softmax, pairs.softmax_backward)
    assert not is_plain(_define("def f(x): return x", torch=pretended["torch"])["f"])


def test_held_arrays():
    assert frameworks.held_arrays(np.ones(3)) == {}
    assert frameworks.held_arrays("text") == {}
