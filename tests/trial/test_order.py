"""``--order``: derivatives of an order that only layers of a framework have."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from gradcheck.casefile.parse import load_text
from gradcheck.casefile.show import dump
from gradcheck.cli.overrides import Overrides, apply
from gradcheck.cli.repeat import write_command
from gradcheck.errors import UsageError
from gradcheck.model import Case, InputSpec, LayerSpec, Settings, Verdict
from gradcheck.trial import case as trial
from gradcheck.trial.case import realise, try_case

SOURCE = """
import numpy as np


def power(x, order=3):
    return x**order


def power_backward(g, x, order=3):
    return g * order * x ** (order - 1)


def tanh(x):
    return np.tanh(x)


def tanh_backward(g, x):
    return g * (1 - np.tanh(x) ** 2)
"""
TORCH = """
import torch


class Cube(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return 3 * x**2 * g


class Detached(Cube):
    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return 3 * x.detach() ** 2 * g


def power(x, order=3):
    return x**order
"""


def with_order(case: Case, order: int = 2) -> Case:
    (changed,) = apply(case, Overrides(order=order))
    return changed


def pair(folder: Path, name: str) -> Case:
    Path(folder, "mine.py").write_text(SOURCE)
    spec = LayerSpec(forward=f"mine.py:{name}", backward=f"mine.py:{name}_backward", base=str(folder))
    return Case(name, spec, {"x": InputSpec(shape=(2, 3))})


@pytest.mark.parametrize("name", ["tanh", "power"])
def test_functions_by_hand_have_no_second_derivatives(tmp_path: Path, name: str) -> None:
    report = try_case(with_order(pair(tmp_path, name)))

    assert report.verdict is Verdict.ERROR
    assert report.error == (
        f"--order 2 means nothing for `{name}`: no framework differentiates it\n"
        "  = help: leave it out; an option of that name is given as --option order=N"
    )


def test_an_option_of_that_name_is_left_alone(tmp_path: Path) -> None:
    case = pair(tmp_path, "power")
    (changed,) = apply(case, Overrides(options={"order": 2}))

    assert try_case(changed).verdict is Verdict.PASS


@dataclass
class Differentiable:
    order: int = 1
    name = "stand-in"
    inputs = ("x",)
    options = ()
    defaults: tuple[str, ...] = ()


@pytest.mark.parametrize("heeds", [True, False])
def test_a_layer_that_knows_orders(heeds: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    def build(spec: LayerSpec, inputs: object, options: dict[str, int]) -> Differentiable:
        return Differentiable(options.get("order", 1) if heeds else 1)

    monkeypatch.setattr(trial, "build", build)
    case = with_order(Case("a", LayerSpec(target="a"), {"x": InputSpec(shape=(2,))}))
    if heeds:
        assert realise(case)[2] == {"order": 2}
    else:
        with pytest.raises(UsageError, match="which has an argument `order` of its own"):
            realise(case)


def test_a_case_with_an_order_is_written_and_repeated() -> None:
    case = Case("a", LayerSpec(target="a"), {"x": InputSpec(shape=(2,))}, {"order": 1}, variant={"order": 1})
    changed = with_order(replace(case, name="a[order=1]"))

    assert (changed.options, changed.settings) == ({"order": 2}, Settings(order=2))
    assert changed.name == "a[order=2]"
    (again,) = load_text(dump(changed))
    assert (again.options, again.settings) == ({"order": 2}, Settings())
    assert write_command(case, Overrides(order=2), None, 0) == "gradcheck run a --order 2 --seed 0"


@pytest.mark.torch
@pytest.mark.parametrize(("name", "verdict"), [("Cube", Verdict.PASS), ("Detached", Verdict.FAIL)])
def test_second_derivatives_of_torch(tmp_path: Path, name: str, verdict: Verdict) -> None:
    pytest.importorskip("torch")
    Path(tmp_path, "layers.py").write_text(TORCH)
    case = Case(name, LayerSpec(target=f"layers.py:{name}", base=str(tmp_path)))

    assert try_case(case).verdict is Verdict.PASS
    report = try_case(with_order(case))
    assert (report.verdict, report.layer) == (verdict, f"{name} (order 2)")
    assert try_case(with_order(case, 1)).verdict is Verdict.PASS


@pytest.mark.torch
def test_an_argument_of_the_functions_own(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    Path(tmp_path, "layers.py").write_text(TORCH)
    spec = LayerSpec(target="layers.py:power", base=str(tmp_path))
    case = Case("power", spec, {"x": InputSpec(shape=(2,))}, {"framework": "torch"})

    assert "has an argument `order` of its own" in try_case(with_order(case)).error
