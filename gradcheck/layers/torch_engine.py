"""What PyTorch can do for a check; handed the module, so that nothing is imported here."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, is_dataclass
from typing import Any

import numpy as np

from gradcheck.errors import UsageError
from gradcheck.layers.engines import Pullback, Run, Tensors, fixed_upstream
from gradcheck.layers.protocol import Array, Inputs, Mismatch

_COUNT = re.compile(r"returned an incorrect number of gradients \(expected (\d+), got (\d+)\)")
_SHAPE = re.compile(
    r"returned an invalid gradient at index (\d+) - got (\[[\d, ]*\]) but expected shape compatible with (\[[\d, ]*\])"
)
_KIND = re.compile(r"expected (?:Variable|Tensor) or None \(got (.+)\)")


@dataclass(frozen=True, slots=True)
class TorchEngine:
    """What PyTorch can do; see :class:`gradcheck.layers.engines.Engine`."""

    torch: Any
    device: Any

    @contextmanager
    def session(self) -> Iterator[None]:
        """Give the random state back afterwards, and record gradients whatever the caller's mode is.

        One thread: how many there are decides the order of sums, and so the last bits of a report. Variables that
        PyTorch sets in the environment when it loads a part of itself are removed: they are no doing of the layer's.
        """
        threads, known = self.torch.get_num_threads(), set(os.environ)
        self.torch.set_num_threads(1)
        try:
            with self.torch.random.fork_rng(devices=[]), self.torch.enable_grad():
                yield
        finally:
            self.torch.set_num_threads(threads)
            for name in [name for name in set(os.environ) - known if name.startswith("TORCH")]:
                del os.environ[name]

    def seed(self) -> None:
        """Set the random state to a value drawn from numpy's: where that is pinned, this one is too."""
        self.torch.manual_seed(int(np.random.randint(2**31 - 1)))

    def lift(self, array: Array) -> Any:
        """Return a tensor with a memory of its own, and with the strides of the array if they are positive."""
        return self.share(array).clone()

    def share(self, array: Array) -> Any:
        """Return a tensor on the memory of the array, where PyTorch can have that."""
        usable = array.flags.writeable and array.dtype.isnative and all(step >= 0 for step in array.strides)
        plain = array if usable else np.array(array, dtype=array.dtype.newbyteorder("="), order="C")
        return self.torch.from_numpy(plain).to(self.device)

    def lower(self, value: object) -> object:
        """Return a tensor as an array; formats that numpy has not become float32."""
        torch = self.torch
        if not isinstance(value, torch.Tensor):
            return value
        tensor: Any = value.detach()
        tensor = tensor.to_dense() if tensor.layout != torch.strided else tensor
        if tensor.is_floating_point() and tensor.dtype not in (torch.float64, torch.float32, torch.float16):
            tensor = tensor.float()
        return tensor.numpy(force=True)  # what is lazy (zeros, conjugates) is computed

    def leaves(self, returned: object) -> list[object]:
        """Return all outputs, from tuples, lists, dicts and dataclasses; ``None`` is none."""
        if returned is None:
            return []
        if isinstance(returned, self.torch.Tensor):
            return [returned]
        if isinstance(returned, Mapping):
            return [leaf for item in returned.values() for leaf in self.leaves(item)]
        if isinstance(returned, tuple | list):
            return [leaf for item in returned for leaf in self.leaves(item)]
        if is_dataclass(returned) and not isinstance(returned, type):
            return [leaf for name in returned.__dataclass_fields__ for leaf in self.leaves(getattr(returned, name))]
        return [returned]

    def trace(self, run: Run, tensors: Tensors, names: Sequence[str]) -> tuple[list[object], Pullback]:
        """Record the function; `tensors` is handed copies that may be changed in place, as activations may."""
        torch = self.torch
        own: dict[str, Any] = dict(tensors)
        sources = [own[name].requires_grad_() for name in names]
        own |= {name: source.clone() for name, source in zip(names, sources, strict=True)}
        if isinstance(tensors, dict):
            tensors.update(own)
        outputs: list[Any] = run(own)

        def pull(upstream: Sequence[Array]) -> list[object]:
            pairs = [(y, g) for y, g in zip(outputs, upstream, strict=True) if self._is_recorded(y)]
            if not pairs or not sources:
                return [None] * len(sources)
            given = [self.share(g).to(dtype=y.dtype, device=y.device) for y, g in pairs]
            found = torch.autograd.grad([y for y, _ in pairs], sources, given, allow_unused=True)
            return list(found)

        return outputs, pull

    def gradients(self, run: Run, tensors: Tensors, names: Sequence[str], upstream: Sequence[object]) -> list[object]:
        """Return gradients that are recorded themselves."""
        own: dict[str, Any] = dict(tensors)
        for name in names:
            own[name] = own[name] if own[name].requires_grad else own[name].detach().clone().requires_grad_()
        outputs: list[Any] = [y for y in run(own) if self._is_recorded(y)]
        given: list[Any] = list(upstream)
        if not given:
            drawn = fixed_upstream([tuple(y.shape) for y in outputs])
            given = [self.lift(g).to(dtype=y.dtype, device=y.device) for g, y in zip(drawn, outputs, strict=True)]
        if len(given) != len(outputs):
            raise UsageError(f"{len(given)} upstreams are given for {len(outputs)} differentiable outputs")
        sources = [own[name] for name in names]
        if not outputs:
            return [self.torch.zeros_like(source) for source in sources]
        found = self.torch.autograd.grad(outputs, sources, given, create_graph=True, allow_unused=True)
        return [self.torch.zeros_like(s) if part is None else part for part, s in zip(found, sources, strict=True)]

    def push(self, run: Run, tensors: Tensors, name: str, tangents: Array) -> list[Array]:
        """Return Jacobian-vector products, one forward pass each."""
        dual = self.torch.autograd.forward_ad
        rows: list[list[Array]] = []
        for tangent in tangents:
            with dual.dual_level():
                given: Any = {**tensors}
                given[name] = dual.make_dual(given[name].clone(), self.lift(np.asarray(tangent)))
                outputs: list[Any] = run(given)
                parts = [dual.unpack_dual(y).tangent if isinstance(y, self.torch.Tensor) else None for y in outputs]
                rows.append(
                    [
                        np.zeros(tuple(getattr(y, "shape", ()))) if part is None else np.array(self.lower(part))
                        for y, part in zip(outputs, parts, strict=True)
                    ]
                )
        return [np.stack(column) for column in zip(*rows, strict=True)]

    def read_complaint(self, error: Exception, names: Sequence[str]) -> Mismatch | None:
        """Return what autograd says of the gradients that a ``Function`` returned."""
        text = str(error)
        only = names[0] if len(names) == 1 else None
        if found := _COUNT.search(text):
            return Mismatch(
                "wrong-number-of-gradients", f"the backward returned {found[2]} gradients instead of {found[1]}"
            )
        if found := _SHAPE.search(text):
            got, wanted = (shape.replace("[", "(").replace("]", ")") for shape in found.group(2, 3))
            which = f"gradient {found[1]}" if only is None else f"the gradient of {only}"
            return Mismatch("wrong-shape", f"{which} has shape {got} where {wanted} is needed", only)
        if found := _KIND.search(text):
            return Mismatch("not-an-array", f"the backward returned {found[1]} as a gradient, which is no tensor", only)
        return None

    def hidden_changes(self, run: Run, tensors: Tensors, inputs: Inputs, *, by_hand: bool) -> dict[str, Array]:
        """Return inputs changed through ``.data``, or by a ``Function`` that does not mark them as dirty."""
        found: dict[str, Array] = {}
        for name, tensor in tensors.items():
            now = self.lower(tensor)
            if not isinstance(now, np.ndarray) or now.shape != inputs[name].shape:
                continue
            if np.array_equal(now, inputs[name], equal_nan=now.dtype.kind == "f"):
                continue
            version: int = tensor._version  # type: ignore[attr-defined]
            if not version or (by_hand and not self._is_declared(run, inputs, name)):
                found[name] = now
        return found

    def _is_declared(self, run: Run, inputs: Inputs, name: str) -> bool:
        """Whether autograd knows that a function changes one of its inputs: then that becomes an output."""
        if inputs[name].dtype.kind != "f":
            return False
        own = {key: self.lift(array) for key, array in inputs.items()}
        own = {
            key: tensor.requires_grad_().clone() if tensor.is_floating_point() else tensor
            for key, tensor in own.items()
        }
        before = own[name].grad_fn
        run(own)
        return own[name].grad_fn is not before

    def _is_recorded(self, value: object) -> bool:
        return isinstance(value, self.torch.Tensor) and bool(value.requires_grad)
