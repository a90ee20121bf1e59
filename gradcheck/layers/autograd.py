"""HIPS autograd: primitives with ``defvjp`` or ``defjvp``, and any function through ``autograd.make_vjp``.

A pair whose forward uses ``autograd.numpy`` is a pair of functions of numpy arrays like any other, and is not adapted.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from gradcheck.errors import UsageError
from gradcheck.layers.engines import Pullback, Run, Tensors, fixed_upstream
from gradcheck.layers.evidence import is_written_for
from gradcheck.layers.framed import Proposal
from gradcheck.layers.frameworks import AUTOGRAD, load_first, needs
from gradcheck.layers.protocol import Array, Inputs, Layer, Mismatch
from gradcheck.layers.references import Live
from gradcheck.layers.roles import read_slots


def adapt(
    thing: object,
    *,
    backward: object = None,
    bind: Mapping[str, str] | None = None,
    returns: str = "vjp",
    inputs: Sequence[str] | None = None,
    options: Mapping[str, object] | None = None,
    partial: bool = False,
    **_: object,
) -> Layer | None:
    """Return the layer of a function that autograd differentiates; see :mod:`gradcheck.layers.adapters`."""
    proposal = Proposal(thing, backward, None, bind or {}, returns, inputs, options or {}, {}, partial)
    autograd = proposal.framework(AUTOGRAD, _import)
    if autograd is None or backward is not None or returns != "vjp":
        return None
    return _find(autograd, proposal)


def wrap(
    thing: Callable[..., object],
    *,
    bind: Mapping[str, str] | None = None,
    inputs: Sequence[str] | None = None,
    **options: object,
) -> Layer:
    """Return the layer of a function that autograd differentiates, for :func:`gradcheck.check`.

    Parameters
    ----------
    thing
        A primitive, or a function that uses ``autograd.numpy``.
    bind, inputs
        As for :func:`gradcheck.check`.
    options
        ``order``, ``autodiff``, and those of the function.

    Raises
    ------
    UsageError
        If it cannot be called.
    LayerError
        If autograd is not installed.
    """
    proposal = Proposal(thing, None, None, bind or {}, "vjp", inputs, {"framework": "autograd", **options}, {})
    proposal.asked = True
    layer = _find(_import(), proposal)
    if layer is None:
        raise UsageError(f"{type(thing).__name__} is no function")
    return layer


def _find(autograd: Any, proposal: Proposal) -> Layer | None:
    thing: Any = proposal.thing
    if not callable(thing) or isinstance(thing, type | np.ufunc):
        return None
    proposal.engine = lambda _: AutogradEngine(autograd)
    if getattr(thing, "_is_autograd_primitive", False):
        # a primitive takes whatever the function that it wraps takes
        rule = _rule_of(autograd, thing)
        return proposal.differentiable(
            _with_signature(thing) or thing,
            Live(thing),
            backward=rule or thing.fun,
            by_hand=True,
            adapt=_with_signature,
        )
    if not (proposal.asked or is_written_for(AUTOGRAD, thing)):
        return None
    return proposal.differentiable(thing)


@dataclass(frozen=True, slots=True)
class AutogradEngine:
    """What autograd can do; see :class:`gradcheck.layers.engines.Engine`."""

    autograd: Any

    @contextmanager
    def session(self) -> Iterator[None]:
        """Do nothing: autograd has no settings."""
        yield

    def seed(self) -> None:
        """Do nothing: what is random draws from numpy's own state."""

    def lift(self, array: Array) -> object:
        """Return the array itself: autograd works on numpy's, and what is changed in place shows."""
        return array

    def lower(self, value: object) -> object:
        """Return the value itself."""
        return value

    def leaves(self, returned: object) -> list[object]:
        """Return all outputs, from tuples, lists and dicts."""
        if isinstance(returned, dict):
            return [leaf for item in returned.values() for leaf in self.leaves(item)]
        if isinstance(returned, tuple | list):
            return [leaf for item in returned for leaf in self.leaves(item)]
        return [] if returned is None else [returned]

    def trace(self, run: Run, tensors: Tensors, names: Sequence[str]) -> tuple[list[object], Pullback]:
        """Record the function with ``autograd.make_vjp``."""
        outputs, pull = self._vjp(run, tensors, names)

        def pull_back(upstream: Sequence[Array]) -> list[object]:
            floats = [np.asarray(y).dtype.kind == "f" for y in outputs]
            given = [g if real else np.zeros(np.shape(g)) for g, real in zip(upstream, floats, strict=True)]
            # a scalar output is a number, and so is its upstream
            return pull([g if np.ndim(np.asarray(y)) else g[()] for y, g in zip(outputs, given, strict=True)])

        return outputs, pull_back

    def gradients(self, run: Run, tensors: Tensors, names: Sequence[str], upstream: Sequence[object]) -> list[object]:
        """Return gradients by ``autograd.make_vjp``, which may be differentiated in turn."""
        outputs, pull = self._vjp(run, tensors, names)
        given = list(upstream) or [g[()] for g in fixed_upstream([_shape(y) for y in outputs])]
        if len(given) != len(outputs):
            raise UsageError(f"{len(given)} upstreams are given for {len(outputs)} outputs")
        return pull(given)

    def push(self, run: Run, tensors: Tensors, name: str, tangents: Array) -> list[Array]:
        """Return Jacobian-vector products with ``autograd.make_jvp``, one pass each."""
        push = self.autograd.make_jvp(self._of(run, tensors, name))(tensors[name])
        rows = []
        for tangent in tangents:
            outputs, pushed = push(np.asarray(tangent))
            both = zip(outputs, pushed, strict=True) if isinstance(outputs, tuple) else [(outputs, pushed)]
            rows.append([np.zeros(np.shape(y)) if part is None else np.asarray(part) for y, part in both])
        return [np.stack(column) for column in zip(*rows, strict=True)]

    def read_complaint(self, error: Exception, names: Sequence[str]) -> Mismatch | None:
        """Return nothing: autograd looks at no gradient."""
        return None

    def hidden_changes(self, run: Run, tensors: Tensors, inputs: Inputs, *, by_hand: bool) -> dict[str, Array]:
        """Return nothing: the arrays are those that were handed over."""
        return {}

    def _of(self, run: Run, tensors: Tensors, name: str) -> Callable[[object], object]:
        """Return the function of one input, whose several outputs are a tuple that autograd records."""

        def of(x: object) -> object:
            outputs = run({**tensors, name: x})
            return outputs[0] if len(outputs) == 1 else self.autograd.builtins.tuple(outputs)

        return of

    def _vjp(
        self, run: Run, tensors: Tensors, names: Sequence[str]
    ) -> tuple[list[Any], Callable[[Sequence[object]], list[object]]]:
        """Record the function once for each input, so that what each rule returns is seen as it is."""
        state = np.random.get_state(legacy=False)
        pulls: list[Any] = []
        outputs: Any = ()
        for name in names:
            np.random.set_state(state)
            pull, outputs = self.autograd.make_vjp(self._of(run, tensors, name))(tensors[name])
            pulls.append(pull)
        several = isinstance(outputs, tuple) or type(outputs).__name__ == "SequenceBox"

        def pull_all(upstream: Sequence[object]) -> list[object]:
            g: Any = self.autograd.builtins.tuple(list(upstream)) if several else upstream[0]
            return [pull(g) for pull in pulls]

        return [outputs[place] for place in range(len(outputs))] if several else [outputs], pull_all


def _import() -> Any:
    load_first("autograd")
    try:
        return import_module("autograd")
    except ModuleNotFoundError as error:
        raise (needs(error.name) or error) from None


def _with_signature(thing: object) -> Callable[..., object] | None:
    """Return a primitive as a function that shows the arguments of the function that it wraps."""
    inner: Any = getattr(thing, "fun", None)
    if inner is None or not callable(thing):
        return None
    primitive: Any = thing

    def call(*arguments: object, **keywords: object) -> object:
        return primitive(*arguments, **keywords)

    call.__name__ = call.__qualname__ = getattr(inner, "__name__", "primitive")
    if isinstance(inner, np.ufunc):  # whose signature also has `order`, `casting` and such
        slots = [inspect.Parameter(slot.name, slot.kind) for slot in read_slots(inner) or ()]
        call.__signature__ = inspect.Signature(slots)  # type: ignore[attr-defined]
    else:
        call.__wrapped__ = inner  # type: ignore[attr-defined]
    return call


def _rule_of(autograd: Any, thing: object) -> object:
    """Return the function that its author gave to ``defvjp``, if there is just one."""
    maker = autograd.core.primitive_vjps.get(thing)
    found = [cell.cell_contents for cell in getattr(maker, "__closure__", None) or ()]
    makers = [item for cell in found if isinstance(cell, dict) for item in cell.values()]
    return makers[0] if makers and hasattr(makers[0], "__code__") else None


def _shape(value: Any) -> tuple[int, ...]:
    return tuple(getattr(value, "shape", ()))
