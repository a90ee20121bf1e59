"""Functions, modules and pairs of PyTorch, and the drop-in for its gradcheck."""

import inspect
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch.autograd.gradcheck import GradcheckError  # noqa: E402

from gradcheck.api import check  # noqa: E402
from gradcheck.casefile.parse import load_text  # noqa: E402
from gradcheck.errors import BindingError, GradientMismatch, LayerError, UsageError  # noqa: E402
from gradcheck.layers import torch as adapter  # noqa: E402
from gradcheck.layers.torch import gradcheck, gradgradcheck, wrap  # noqa: E402
from gradcheck.model import Verdict  # noqa: E402
from gradcheck.trial.case import try_case  # noqa: E402
from tests.layers.samples import pairs, tensors  # noqa: E402
from tests.layers.tools import draw, is_right, pull  # noqa: E402

pytestmark = pytest.mark.torch

X, W = draw(4, 2), draw(2, 3, seed=2)


def adapt(thing, **given):
    return adapter.adapt(thing, **given)


# ---------------------------------------------------------------------------------------------------------------
# functions of torch.autograd


@pytest.mark.parametrize("thing", [tensors.Square, tensors.Square.apply, tensors.square])
def test_a_function_or_its_apply(thing):
    layer = adapt(thing)

    assert (layer.name, layer.inputs) == ("Square", ("x",))
    assert layer.source.file.endswith("samples/tensors.py")
    assert is_right(layer, {"x": X})
    assert is_right(layer.fresh(), {"x": X})


def test_options_by_position():
    layer = adapt(tensors.Power, inputs=["x"], options={"exponent": 3})

    assert is_right(layer, {"x": X}, {"exponent": 3})
    assert is_right(layer, {"x": X}, {"exponent": 2, "scale": 0.5})


def test_an_input_by_another_name():
    assert is_right(adapt(tensors.Square, inputs=["logits"]), {"logits": X})


def test_a_wrong_one_has_its_name():
    report = check(wrap(tensors.HalfSquare), inputs={"x": X})

    assert (report.verdict, report.findings[0].rule) == ("fail", "factor-two")
    assert report.source.line in inspect.getsourcelines(tensors.HalfSquare.backward)[1] + np.arange(2)


@pytest.mark.parametrize(
    ("what", "rule", "message"),
    [
        ("few", "wrong-number-of-gradients", "the backward returned 1 gradients instead of 3"),
        ("shape", "wrong-shape", "gradient 0 has shape (2, 2) where (4, 2) is needed"),
        ("number", "not-an-array", "the backward returned float as a gradient, which is no tensor"),
    ],
)
def test_what_autograd_complains_of_is_a_finding(what, rule, message):
    layer = adapt(tensors.Returns, inputs=["x", "y"], options={"what": what})

    _, _, found = pull(layer, {"x": X, "y": X}, {"what": what})

    assert [(item.rule, item.message) for item in found.mismatches] == [(rule, message)]


def test_changes_in_place_that_are_declared_are_none():
    x = X.copy()

    assert is_right(adapt(tensors.InPlace), {"x": x})
    assert check(wrap(tensors.InPlace), inputs={"x": X}).verdict == "pass"
    assert np.array_equal(x, X)


@pytest.mark.parametrize("thing", [tensors.Unmarked, tensors.hidden_change])
def test_changes_in_place_that_are_not_declared(thing):
    report = check(wrap(thing), inputs={"x": X})

    assert report.verdict == "fail"
    assert "mutates-input" in {finding.rule for finding in report.findings}


def test_a_change_of_the_upstream_shows():
    report = check(wrap(tensors.softmax, tensors.change_upstream), inputs={"x": X}, options={"dim": 1})

    assert "mutates-upstream" in {finding.rule for finding in report.findings}


def test_a_fresh_one_has_no_memory():
    layer = adapt(tensors.Counter)
    layer.forward({"x": X}, {})

    again = layer.fresh()
    assert again.target.function is not layer.target.function


# ---------------------------------------------------------------------------------------------------------------
# functions of tensors


def test_a_function_of_tensors():
    assert is_right(adapt(tensors.plain), {"x": X, "w": W})


def test_dtypes_are_kept():
    layer = adapt(tensors.plain)
    single = {"x": X.astype("f4"), "w": W.astype("f4")}

    outputs, _, found = pull(layer, single)

    assert outputs[0].dtype == np.float32
    assert {value.dtype for value in found.by_input.values()} == {np.dtype(np.float32)}
    assert layer.forward({"x": X, "w": W}, {})[0].dtype == np.float64


def test_formats_that_numpy_has_not():
    (output,) = adapt(tensors.in_half).forward({"x": X}, {})

    assert output.dtype == np.float32


def test_builtins_have_names_by_their_documentation():
    layer = adapt(torch.nn.functional.gelu)

    assert layer.inputs == ("input",)
    assert is_right(layer, {"input": X})
    assert is_right(adapt(torch.nn.functional.gelu, inputs=["x"], options={"approximate": "tanh"}), {"x": X},
                    {"approximate": "tanh"})  # fmt: skip
    assert is_right(adapt(torch.softmax, inputs=["x"], options={"dim": 1, "axis": 0}), {"x": X}, {"dim": 1})


def test_axis_is_dim():
    layer = adapt(torch.nn.functional.softmax, inputs=["x"], options={"axis": 0})

    assert np.allclose(layer.forward({"x": X}, {"axis": 0})[0].sum(0), 1)


def test_options_that_wrap_is_given_hold():
    assert is_right(wrap(torch.nn.functional.softmax, inputs=["x"], dim=0), {"x": X})
    assert is_right(wrap(tensors.Net(), scale=0.5), {"x": X}, wrt=["x"])


def test_nested_arguments():
    b = draw(3, seed=3)

    assert is_right(
        adapt(tensors.nested, inputs=["params.w", "params.b.0", "x"]), {"params.w": W, "params.b.0": b, "x": X}
    )
    shown = wrap(tensors.nested, trees={"params": {"w": torch.tensor(W), "b": [torch.tensor(b)]}})
    assert set(shown.defaults) == {"params.w", "params.b.0"}
    assert is_right(shown, {"x": X}, wrt=["x", "params.b.0"])


def test_several_outputs_in_any_form():
    layer = wrap(lambda x: {"a": x * 2, "b": [x.sum(), None], "n": x.argmax()}, inputs=["x"])

    outputs = layer.forward({"x": X}, {})

    assert [part.shape for part in outputs] == [(4, 2), (), ()]
    assert is_right(layer, {"x": X})


def test_random_numbers_follow_the_state_of_numpy():
    layer = wrap(tensors.noisy)
    before = torch.get_rng_state()

    def draw_with(seed):
        np.random.seed(seed)
        return layer.forward({"x": X}, {})[0]

    assert np.array_equal(draw_with(1), draw_with(1))
    assert not np.array_equal(draw_with(1), draw_with(2))
    assert torch.equal(before, torch.get_rng_state())
    np.random.seed(3)
    output, g, found = pull(layer, {"x": X})
    assert np.allclose(found.by_input["x"], g[0] * output[0] / X)


def test_memory_may_lie_in_any_way():
    layer = adapt(tensors.plain)
    expected = layer.forward({"x": X, "w": W}, {})[0]
    frozen = X.copy()
    frozen.flags.writeable = False

    for x in (
        X[::-1][::-1],
        np.asfortranarray(X),
        X[::-1].copy()[::-1],
        frozen,
        X.astype(">f8"),
        X[:, ::-1].copy()[:, ::-1],
    ):
        assert np.array_equal(layer.forward({"x": x, "w": W}, {})[0], expected)


def test_a_gradient_that_does_not_arrive_is_zero():
    _, _, found = pull(wrap(lambda x, y: x * 1.0, inputs=["x", "y"]), {"x": X, "y": X})

    assert np.array_equal(found.by_input["y"], np.zeros_like(X))


def test_a_device():
    assert is_right(adapt(tensors.plain, options={"device": "cpu"}), {"x": X, "w": W}, {"device": "cpu"})
    with pytest.raises(UsageError, match=r"^PyTorch has no device 'toaster' here: "):
        adapt(tensors.plain, options={"device": "toaster"})


def test_an_option_that_nothing_takes():
    with pytest.raises(BindingError, match=r"^`plain` does not take the option 'slope'"):
        adapt(tensors.plain, options={"slope": 2})


def test_what_is_raised_is_said():
    with pytest.raises(LayerError, match=r"^forward raised RuntimeError: .*\(tensors.py:\d+\)$"):
        adapt(tensors.plain).forward({"x": X, "w": X}, {})


# ---------------------------------------------------------------------------------------------------------------
# pairs and objects on tensors


def test_a_pair_on_tensors():
    layer = adapt(tensors.softmax, backward=tensors.softmax_backward, inputs=["x"], options={"dim": 1})

    assert is_right(layer, {"x": X}, {"dim": 1})
    assert is_right(layer.fresh(), {"x": X}, {"dim": 1})


def test_static_methods_on_tensors_with_a_cache():
    assert is_right(adapt(tensors.Affine), {"x": X, "w": W})


def test_pairs_of_arrays_are_left_alone():
    assert adapt(tensors.of_arrays, backward=tensors.of_arrays_backward) is None
    assert adapt(pairs.softmax, backward=pairs.softmax_backward) is None
    assert adapt(pairs.softmax) is None
    assert adapt([tensors.square]) is None
    assert adapt(np.tanh) is None
    assert adapt(3) is None
    assert adapt("torch") is None


# ---------------------------------------------------------------------------------------------------------------
# modules


def test_a_module_and_its_parameters():
    layer = adapt(tensors.Net())

    assert layer.inputs == ("x", "first.weight", "first.bias", "norm.weight", "norm.bias")
    assert layer.defaults["first.weight"].dtype == np.float64
    assert is_right(layer, {"x": X}, wrt=["x", "first.weight", "norm.bias"])
    assert is_right(layer, {"x": X}, {"scale": 3.0}, wrt=["x"])


def test_a_class_of_modules_is_made_with_the_same_luck():
    one, other = (adapt(tensors.Net, init={"width": 4}) for _ in range(2))

    assert one.defaults["first.weight"].shape == (4, 2)
    assert np.array_equal(one.defaults["first.weight"], other.defaults["first.weight"])


def test_a_module_is_not_changed():
    module = tensors.Net()
    before = {name: value.clone() for name, value in module.state_dict().items()}

    check(wrap(module), inputs={"x": X}, wrt=["x", "first.weight"])

    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    assert module.first.weight.dtype == torch.float32


def test_training_and_evaluation():
    training = adapt(tensors.Net(), options={"training": True}).forward({"x": X}, {})[0]
    evaluated = adapt(tensors.Net(), options={"training": False}).forward({"x": X}, {})[0]

    assert abs(training.mean(0)).max() < 0.5
    assert not np.allclose(training, evaluated)


def test_a_float32_module_in_float32():
    layer = adapt(tensors.Net())
    inputs = {"x": X.astype("f4"), "first.weight": layer.defaults["first.weight"]}

    outputs, _, found = pull(layer, inputs, wrt=["x", "first.weight"])

    assert outputs[0].dtype == np.float32
    assert found.by_input["first.weight"].dtype == np.float32


def test_tied_weights_have_one_gradient():
    layer = adapt(tensors.Tied())

    assert layer.inputs == ("x", "one.weight")
    assert is_right(layer, {"x": X}, wrt=["x", "one.weight"])


def test_weights_of_a_file_are_drawn_alike(tmp_path):
    from gradcheck.layers.references import resolve

    (tmp_path / "net.py").write_text("import torch\n\nw = torch.randn(3)\n\n\ndef f(x):\n    return x * w\n")

    one, other = (resolve("net.py:w", str(tmp_path)) for _ in range(2))

    assert torch.equal(one, other)


# ---------------------------------------------------------------------------------------------------------------
# second derivatives, the forward mode


def test_second_derivatives():
    options = {"order": 2}
    layer = adapt(tensors.Square, inputs=["x", "upstream"], options=options)

    assert layer.inputs == ("x", "upstream")
    assert is_right(layer, {"x": X, "upstream": draw(4, 2, seed=5)}, options)
    assert is_right(adapt(tensors.plain, options=options), {"x": X, "w": W}, options)


def test_upstreams_that_are_too_many():
    layer = wrap(tensors.plain, inputs=["x", "w", "upstream0", "upstream1"], order=2)

    with pytest.raises(UsageError, match=r"^2 upstreams are given for 1 differentiable outputs$"):
        layer.forward({"x": X, "w": W, "upstream0": X, "upstream1": X}, {"order": 2})


@pytest.mark.filterwarnings("ignore:.torch.jit")
def test_the_forward_mode():
    options = {"autodiff": "forward"}

    assert is_right(adapt(tensors.plain, options=options), {"x": X, "w": W}, options)
    with pytest.raises(LayerError, match=r"^forward mode raised .*jvp"):
        pull(adapt(tensors.Square, options=options), {"x": X}, options)


# ---------------------------------------------------------------------------------------------------------------
# the drop-in


def tensor(*shape, **more):
    return torch.tensor(draw(*shape), requires_grad=True, **more)


@pytest.mark.filterwarnings("ignore:.torch.jit")
def test_gradcheck_passes():
    assert gradcheck(tensors.square, tensor(4, 2))
    assert gradcheck(tensors.square, (tensor(4, 2),), eps=1e-6, atol=1e-5, rtol=1e-3)
    assert gradcheck(torch.nn.Linear(2, 3).double(), (tensor(4, 2),))
    assert gradcheck(lambda x, n: x**n, (tensor(4, 2), 3), check_forward_ad=True)
    assert gradcheck(tensors.Power.apply, (tensor(4, 2), 3, 0.5))
    assert gradgradcheck(tensors.square, (tensor(4, 2),))
    assert gradgradcheck(tensors.square, (tensor(4, 2),), torch.ones(4, 2, dtype=torch.float64))


def test_gradcheck_fails():
    function = tensors.HalfSquare.apply

    with pytest.raises(GradientMismatch, match="factor-two") as caught:
        gradcheck(function, (tensor(4, 2),))
    assert isinstance(caught.value, GradcheckError)
    assert isinstance(caught.value, AssertionError)
    assert gradcheck(function, (tensor(4, 2),), raise_exception=False) is False
    with pytest.raises(GradcheckError):
        torch.autograd.gradcheck(function, (tensor(4, 2),))


def test_gradcheck_that_cannot_tell():
    zero = (tensor(4, 2),)

    assert gradcheck(lambda x: x * 0, zero, raise_exception=False) is False
    assert gradcheck(lambda x: x * 0, zero, allow_undecided=True)


def test_gradcheck_without_anything_to_differentiate():
    with pytest.raises(ValueError, match="at least one input tensor to require a gradient"):
        gradcheck(tensors.square, torch.ones(2))


def test_wrap_refuses_what_is_nothing():
    with pytest.raises(UsageError, match=r"^int is nothing that works on tensors$"):
        wrap(3)


def test_parameters_of_a_sequential_in_a_case_file(tmp_path):
    Path(tmp_path, "net.py").write_text(
        "from torch import nn\n\nNET = nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 2)).double()\n"
    )
    (case,) = load_text(
        "version: 1\ncases:\n  net:\n    layer: net.py:NET\n"
        "    inputs: {input: {shape: [5, 4]}, 0.weight: {shape: [3, 4]}}\n    wrt: [0.weight, 2.bias]\n",
        base=str(tmp_path),
    )
    report = try_case(case)

    assert report.verdict is Verdict.PASS, report
    assert [(part.name, part.shape) for part in report.inputs] == [("0.weight", (3, 4)), ("2.bias", (2,))]
