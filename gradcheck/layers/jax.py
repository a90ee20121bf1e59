"""JAX: ``jax.custom_vjp``, ``jax.custom_jvp``, any function of arrays and pytrees, and pairs that are written on them.

JAX computes in 32 bits unless it is told otherwise. Here it computes in the precision of the arrays that it is given:
64-bit types are enabled for each call, whatever ``jax_enable_x64`` says, and only for that call. To see a function in
32 bits, give ``dtype: float32``. What a file computes while it is imported has the precision that the flag asks for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from gradcheck.errors import UsageError
from gradcheck.layers.engines import Pullback, Run, Tensors, fixed_upstream
from gradcheck.layers.framed import Proposal, propose
from gradcheck.layers.frameworks import JAX, Wishes, load_first, needs
from gradcheck.layers.protocol import Array, Inputs, Layer, Mismatch
from gradcheck.layers.references import Live
from gradcheck.layers.trees import Tree


def adapt(
    thing: object,
    *,
    backward: object = None,
    forward: str | None = None,
    bind: Mapping[str, str] | None = None,
    returns: str = "vjp",
    inputs: Sequence[str] | None = None,
    options: Mapping[str, object] | None = None,
    init: Mapping[str, object] | None = None,
    partial: bool = False,
    **_: object,
) -> Layer | None:
    """Return the layer of something of JAX's, or ``None``; see :mod:`gradcheck.layers.adapters`."""
    proposal = Proposal(thing, backward, forward, bind or {}, returns, inputs, options or {}, init or {}, partial)
    jax = proposal.framework(JAX, _import)
    return None if jax is None else _find(jax, proposal)


def wrap(
    thing: object,
    backward: object = None,
    *,
    bind: Mapping[str, str] | None = None,
    inputs: Sequence[str] | None = None,
    trees: Mapping[str, object] | None = None,
    **options: object,
) -> Layer:
    """Return the layer of a function of JAX arrays and pytrees, or of a pair, for :func:`gradcheck.check`.

    Parameters
    ----------
    thing
        The function: plain, jitted, ``custom_vjp`` or ``custom_jvp``.
    backward
        A backward that was written by hand, on arrays.
    bind, inputs
        As for :func:`gradcheck.check`.
    trees
        Arguments that are pytrees, by name, as examples. Their arrays are inputs called ``NAME.KEY`` that need not be
        given (``wrt`` may name them): ``trees={"params": {"W": W}}`` gives ``params.W``.
    options
        ``order``, ``autodiff``, ``device``, and those of the function.

    Raises
    ------
    UsageError
        If it is nothing that works on arrays.
    LayerError
        If JAX is not installed.
    """
    jax = _import()
    proposal = Proposal(thing, backward, None, bind or {}, "vjp", inputs, {"framework": "jax", **options}, {})
    proposal.asked = True
    with JaxEngine(jax, None).session():
        proposal.trees = {name: _tree(jax, name, value) for name, value in (trees or {}).items()}
    layer = _find(jax, proposal)
    if layer is None:
        raise UsageError(f"{type(thing).__name__} is nothing that works on JAX arrays")
    return layer


def _find(jax: Any, proposal: Proposal) -> Layer | None:
    thing: Any = proposal.thing
    proposal.engine = lambda wishes: JaxEngine(jax, _device(jax, wishes))
    if isinstance(thing, jax.custom_vjp | jax.custom_jvp) and proposal.backward is None:
        rule = getattr(thing, "bwd", None) or getattr(thing, "jvp", None)
        return proposal.differentiable(thing, Live(thing), backward=rule, by_hand=True)
    return propose(JAX, proposal)


@dataclass(frozen=True, slots=True)
class JaxEngine:
    """What JAX can do; see :class:`gradcheck.layers.engines.Engine`."""

    jax: Any
    device: Any

    @contextmanager
    def session(self) -> Iterator[None]:
        """Enable 64-bit types, for this thread and this call.

        Raises
        ------
        UsageError
            If JAX cannot.
        """
        jax = self.jax
        enable: Any = getattr(jax, "enable_x64", getattr(jax.experimental, "enable_x64", None))
        if enable is None and not jax.config.jax_enable_x64:
            raise UsageError(
                f"JAX {jax.__version__} computes in 32 bits here, and gradients are measured in 64",
                "set JAX_ENABLE_X64=1, or call jax.config.update('jax_enable_x64', True)",
            )
        if enable is None:
            yield
            return
        with enable(True):
            yield

    def seed(self) -> None:
        """Do nothing: JAX has no global random state."""

    def lift(self, array: Array) -> Any:
        """Return a JAX array of the same dtype."""
        return self.jax.device_put(self.jax.numpy.array(array, copy=True), self.device)

    def share(self, array: Array) -> Any:
        """Return a JAX array of the same dtype; nobody can change one."""
        return self.lift(array)

    def lower(self, value: object) -> object:
        """Return a JAX array as one of numpy's; ``None`` for the tangent of an integer."""
        jax = self.jax
        if not isinstance(value, jax.Array | np.ndarray):
            return value
        if value.dtype == jax.dtypes.float0:
            return None
        array = np.asarray(value)
        return array.astype(np.float32) if array.dtype.kind == "V" else array  # bfloat16 and smaller

    def leaves(self, returned: object) -> list[object]:
        """Return the leaves of a pytree."""
        return list(self.jax.tree_util.tree_leaves(returned))

    def trace(self, run: Run, tensors: Tensors, names: Sequence[str]) -> tuple[list[object], Pullback]:
        """Record the function with ``jax.vjp``."""
        outputs, pull = self._vjp(run, tensors, names)

        def pull_back(upstream: Sequence[Array]) -> list[object]:
            given = [self._cotangent(y, g) for y, g in zip(outputs, upstream, strict=True)]
            return list(pull(tuple(given)))

        return list(outputs), pull_back

    def gradients(self, run: Run, tensors: Tensors, names: Sequence[str], upstream: Sequence[object]) -> list[object]:
        """Return gradients by ``jax.vjp``, which may be differentiated in turn."""
        outputs, pull = self._vjp(run, tensors, names)
        floats = [y for y in outputs if self._is_float(y)]
        given: list[Any] = list(upstream) or [
            self.lift(g).astype(y.dtype) for g, y in zip(fixed_upstream([y.shape for y in floats]), floats, strict=True)
        ]
        if len(given) != len(floats):
            raise UsageError(f"{len(given)} upstreams are given for {len(floats)} differentiable outputs")
        rest = iter(given)
        return list(pull(tuple(next(rest) if self._is_float(y) else self._cotangent(y, None) for y in outputs)))

    def push(self, run: Run, tensors: Tensors, name: str, tangents: Array) -> list[Array]:
        """Return Jacobian-vector products, all at once where the function allows it."""
        jax = self.jax

        def of(x: object) -> tuple[object, ...]:
            return tuple(y for y in run({**tensors, name: x}))

        def push_one(tangent: object) -> Any:
            return jax.jvp(of, (tensors[name],), (tangent,))[1]

        columns = self.lift(tangents)
        try:
            rows = jax.vmap(push_one)(columns)
        except Exception:  # noqa: BLE001  what cannot be batched (a callback, a loop over values) is pushed one by one
            rows = tuple(jax.numpy.stack(parts) for parts in zip(*map(push_one, columns), strict=True))
        return [np.asarray(row) if row.dtype != jax.dtypes.float0 else np.zeros(row.shape) for row in rows]

    def read_complaint(self, error: Exception, names: Sequence[str]) -> Mismatch | None:
        """Return what JAX says of the cotangents that a ``custom_vjp`` rule returned."""
        text = " ".join(str(error).split())
        if "ustom VJP" not in text or not isinstance(error, TypeError | ValueError):
            return None
        only = names[0] if len(names) == 1 else None
        short = re.split(r", and in particular|\. ", text)[0][:300]
        if "shape" in text or "aval" in text:
            return Mismatch("wrong-shape", short, only)
        return Mismatch("wrong-number-of-gradients", short, only)

    def hidden_changes(self, run: Run, tensors: Tensors, inputs: Inputs, *, by_hand: bool) -> dict[str, Array]:
        """Return nothing: JAX arrays cannot be changed."""
        return {}

    def _vjp(self, run: Run, tensors: Tensors, names: Sequence[str]) -> tuple[tuple[Any, ...], Any]:
        def of(*moved: object) -> tuple[object, ...]:
            return tuple(run({**tensors, **dict(zip(names, moved, strict=True))}))

        outputs, pull = self.jax.vjp(of, *[tensors[name] for name in names])
        return outputs, pull

    def _cotangent(self, output: Any, g: Array | None) -> Any:
        if self._is_float(output):
            return self.jax.numpy.asarray(g, dtype=output.dtype)
        return np.zeros(np.shape(output), dtype=self.jax.dtypes.float0)

    def _is_float(self, value: Any) -> bool:
        return bool(self.jax.numpy.issubdtype(self.jax.numpy.result_type(value), self.jax.numpy.inexact))


def _import() -> Any:
    load_first("jax")
    try:
        return import_module("jax")
    except ModuleNotFoundError as error:
        raise (needs(error.name) or error) from None


def _device(jax: Any, wishes: Wishes) -> Any:
    platform, _, number = (wishes.device or "cpu").partition(":")
    try:
        return jax.devices(platform)[int(number or 0)]
    except (RuntimeError, ValueError, IndexError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise UsageError(f"JAX has no device {wishes.device!r} here: {reason}", "leave it out for the cpu") from None


def _tree(jax: Any, name: str, value: object) -> Tree:
    util = jax.tree_util
    paths, structure = util.tree_flatten_with_path(value)
    names = tuple(".".join([name, *map(_key, path)]) for path, _ in paths)
    leaves = tuple(jax.numpy.asarray(leaf) for _, leaf in paths)
    return Tree(names, lambda parts: util.tree_unflatten(structure, list(parts)), leaves)


def _key(key: Any) -> str:
    return str(next(getattr(key, word) for word in ("key", "idx", "name") if hasattr(key, word)))
