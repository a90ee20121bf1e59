"""The way from a call of ``torch.autograd.gradcheck`` to a check."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib import import_module
from typing import Any

from gradcheck.errors import GradientMismatch
from gradcheck.layers.calling import name_of
from gradcheck.layers.engines import UPSTREAM
from gradcheck.layers.framed import Proposal
from gradcheck.layers.protocol import Array
from gradcheck.layers.roles import POSITIONAL_ONLY
from gradcheck.layers.targets import argument_names
from gradcheck.layers.torch_targets import apply_of


def check_tensors(
    torch: Any,
    fn: object,
    inputs: object,
    wishes: Sequence[Mapping[str, object]],
    settings: Mapping[str, float | None],
    engine: Callable[..., Any],
    *,
    grad_outputs: object = None,
    raise_exception: bool,
    allow_undecided: bool,
) -> bool:
    """Check a function at some tensors, once for each of several wishes; see :func:`gradcheck.layers.torch.gradcheck`.

    Parameters
    ----------
    wishes
        Options of the adapter: which order, which mode.
    settings
        ``eps``, ``atol`` and ``rtol``.
    engine
        Makes what is known of PyTorch.
    grad_outputs
        The upstream of a second derivative; signed Gaussians by default.
    """
    arguments = list(inputs) if isinstance(inputs, tuple | list) else [inputs]
    names = _names_of(torch, fn, len(arguments))
    moved = {
        name: value
        for name, value in zip(names, arguments, strict=True)
        if isinstance(value, torch.Tensor) and value.requires_grad
    }
    if not moved:
        raise ValueError("gradcheck expects at least one input tensor to require a gradient, and none does")
    function, rule = _function_of(torch, fn, names, arguments, moved)
    arrays = {name: tensor.detach().cpu().numpy() for name, tensor in moved.items()}
    check = import_module("gradcheck").check  # the public function, whatever lies between it and this room
    for options in wishes:
        given = dict(arrays)
        if options.get("order") == 2:
            given |= _upstreams(torch, function, arguments, moved, grad_outputs)
        proposal = Proposal(function, None, None, {}, "vjp", tuple(given), options, {})
        device = next(iter(moved.values())).device
        proposal.engine = lambda _, device=device: engine(torch, device)  # type: ignore[misc]
        layer = proposal.differentiable(function, name=name_of(fn), backward=rule, by_hand=rule is not None)
        report = check(layer, inputs=given, options=options, **settings)
        if report.verdict != "pass" and not (allow_undecided and report.verdict == "undecided"):
            if raise_exception:
                raise _mismatch()("\n" + str(report))
            return False
    return True


def _names_of(torch: Any, fn: object, count: int) -> list[str]:
    apply: Any = apply_of(torch, fn)
    function: Any = apply or getattr(fn, "forward", fn)
    names = argument_names(function)[:count] if callable(function) else ()
    return [*names, *(f"x{position}" for position in range(len(names), count))]


def _function_of(
    torch: Any, fn: Any, names: Sequence[str], arguments: Sequence[object], moved: Mapping[str, object]
) -> tuple[Callable[..., object], object]:
    """Return the function of those arguments that are differentiated, and its hand-written rule if it has one."""

    def function(*tensors: object) -> object:
        given = dict(zip(moved, tensors, strict=True))
        return fn(*(given.get(name, value) for name, value in zip(names, arguments, strict=True)))

    parameters = [inspect.Parameter(name, POSITIONAL_ONLY) for name in moved]
    function.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    owner = getattr(fn, "__self__", None)
    by_hand = apply_of(torch, fn) is not None
    rule = getattr(owner, "backward", None) if by_hand else None
    return function, rule


def _upstreams(
    torch: Any, function: Callable[..., Any], arguments: object, moved: Mapping[str, Any], given: object
) -> dict[str, Array]:
    """Return the upstreams of a second derivative: those given, else signed Gaussians."""
    if given is None:
        outputs = function(*moved.values())
        outputs = [part for part in (outputs if isinstance(outputs, tuple | list) else [outputs]) if part.requires_grad]
        generator = torch.Generator().manual_seed(20_011)
        drawn = [torch.randn(part.shape, generator=generator, dtype=torch.float64).to(part.dtype) for part in outputs]
    else:
        drawn = list(given) if isinstance(given, tuple | list) else [given]
    arrays = [tensor.detach().cpu().numpy() for tensor in drawn]
    if len(arrays) == 1:
        return {UPSTREAM: arrays[0]}
    return {f"{UPSTREAM}{position}": array for position, array in enumerate(arrays)}


@cache
def _mismatch() -> type[GradientMismatch]:
    """Return the exception: one that ``except`` clauses for PyTorch's own catch as well."""
    base = import_module("torch.autograd.gradcheck").GradcheckError  # the function of that name hides the module
    return type("GradientMismatch", (GradientMismatch, base), {"__module__": GradientMismatch.__module__})
