"""The checkers that are compared: how each is handed a NumPy layer, with the settings that it has by default.

Every driver returns ``pass``, or ``fail`` where its checker complains; gradcheck may also say ``undecided``. Their
packages are imported when they are asked for: one that is missing is listed as missing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from peers_layers import Floats, Layer

PASS, FAIL = "pass", "fail"
STEP = 1e-5
# SciPy returns the norm of the difference and leaves it to its user what is small: here, beside the gradient's norm,
# as little as its forward differences resolve for right gradients of these sizes.
SMALL = 1e-4


@dataclass(frozen=True)
class Answer:
    """What a checker said, and (gradcheck alone) in which mode."""

    verdict: str
    mode: str = ""
    remark: str = ""


Driver: TypeAlias = Callable[[Layer, int], Answer]


def _use_gradcheck(mode: str) -> Driver:
    import gradcheck

    def check(layer: Layer, seed: int) -> Answer:
        report = gradcheck.check(layer.forward, layer.backward, {"x": layer.x}, seed=seed, mode=mode)
        return Answer(str(report.verdict), report.mode, report.error)

    return check


def _use_torch(*, fast: bool) -> Driver:
    import torch
    from torch.autograd.gradcheck import GradcheckError, gradcheck

    torch.set_num_threads(1)

    def check(layer: Layer, seed: int) -> Answer:
        class Function(torch.autograd.Function):
            @staticmethod
            def forward(ctx: Any, x: Any) -> Any:
                ctx.save_for_backward(x)
                return torch.from_numpy(np.array(layer.forward(x.detach().numpy())))

            @staticmethod
            @torch.autograd.function.once_differentiable
            def backward(ctx: Any, upstream: Any) -> Any:
                (x,) = ctx.saved_tensors
                return torch.from_numpy(np.array(layer.backward(upstream.numpy(), x.detach().numpy())))

        torch.manual_seed(seed)
        x = torch.from_numpy(layer.x.copy()).requires_grad_(True)
        return _complains(GradcheckError, lambda: gradcheck(Function.apply, (x,), fast_mode=fast))

    return check


def _use_jax_vjp() -> Driver:
    import jax

    jax.config.update("jax_enable_x64", True)
    from jax.test_util import check_vjp

    def check(layer: Layer, seed: int) -> Answer:
        def forward(x: Any) -> Floats:
            return layer.forward(np.asarray(x))

        def forward_and_vjp(x: Any) -> Any:
            return forward(x), lambda upstream: (layer.backward(np.asarray(upstream), np.asarray(x)),)

        return _complains(AssertionError, lambda: check_vjp(forward, forward_and_vjp, (layer.x.copy(),)))

    return check


def _use_jax_grads() -> Driver:
    import jax

    jax.config.update("jax_enable_x64", True)
    from jax.test_util import check_grads

    def check(layer: Layer, seed: int) -> Answer:
        there = jax.ShapeDtypeStruct(layer.x.shape, np.float64)
        output = jax.ShapeDtypeStruct(np.shape(layer.forward(layer.x)), np.float64)
        layer.forwards -= 1

        @jax.custom_vjp
        def function(x: Any) -> Any:
            return jax.pure_callback(lambda x: layer.forward(np.asarray(x)), output, x)

        def backward(x: Any, upstream: Any) -> Any:
            def pull(upstream: Any, x: Any) -> Floats:
                return layer.backward(np.asarray(upstream), np.asarray(x))

            return (jax.pure_callback(pull, there, upstream, x),)

        function.defvjp(lambda x: (function(x), x), backward)
        return _complains(AssertionError, lambda: check_grads(function, (layer.x.copy(),), order=1, modes=["rev"]))

    return check


def _use_autograd() -> Driver:
    from autograd.extend import defvjp, primitive
    from autograd.test_util import check_grads

    def check(layer: Layer, seed: int) -> Answer:
        function = primitive(layer.forward)
        defvjp(function, lambda y, x: lambda upstream: layer.backward(np.asarray(upstream), x))
        np.random.seed(seed)  # its generator is the global one
        return _complains(AssertionError, lambda: check_grads(function, modes=["rev"], order=1)(layer.x.copy()))

    return check


def _use_scipy() -> Driver:
    from scipy.optimize import check_grad

    def check(layer: Layer, seed: int) -> Answer:
        shape = layer.x.shape
        upstream = _draw_upstream(layer, seed)
        norms = []

        def loss(flat: Floats) -> float:
            return float(np.sum(upstream * layer.forward(flat.reshape(shape))))

        def gradient(flat: Floats) -> Floats:
            value = layer.backward(upstream, flat.reshape(shape)).ravel()
            norms.append(float(np.linalg.norm(value)))
            return value

        error = float(check_grad(loss, gradient, layer.x.ravel()))
        return Answer(PASS if error <= SMALL * norms[-1] else FAIL)

    return check


def _use_loop() -> Driver:
    def check(layer: Layer, seed: int) -> Answer:
        upstream = _draw_upstream(layer, seed)
        claimed = layer.backward(upstream, layer.x.copy())
        measured = np.empty_like(layer.x)
        x = layer.x.copy()
        for place in np.ndindex(*x.shape):
            kept = x[place]
            x[place] = kept + STEP
            above = layer.forward(x)
            x[place] = kept - STEP
            below = layer.forward(x)
            x[place] = kept
            measured[place] = np.sum(upstream * (above - below)) / (2 * STEP)
        return Answer(PASS if np.allclose(claimed, measured) else FAIL)

    return check


def _draw_upstream(layer: Layer, seed: int) -> Floats:
    shape = np.shape(layer.forward(layer.x))
    layer.forwards -= 1
    return np.asarray(np.random.default_rng([seed, 1]).standard_normal(shape))


def _complains(error: type[Exception], run: Callable[[], object]) -> Answer:
    try:
        run()
    except error as complaint:
        return Answer(FAIL, remark=str(complaint)[:200])
    return Answer(PASS)


TOOLS: dict[str, Callable[[], Driver]] = {
    "gradcheck auto": lambda: _use_gradcheck("auto"),
    "gradcheck full": lambda: _use_gradcheck("full"),
    "gradcheck slices": lambda: _use_gradcheck("slices"),
    "gradcheck entries": lambda: _use_gradcheck("entries"),
    "gradcheck directions": lambda: _use_gradcheck("directions"),
    "torch slow": lambda: _use_torch(fast=False),
    "torch fast": lambda: _use_torch(fast=True),
    "jax check_vjp": _use_jax_vjp,
    "jax check_grads": _use_jax_grads,
    "autograd check_grads": _use_autograd,
    "scipy check_grad": _use_scipy,
    "plain loop": _use_loop,
}
