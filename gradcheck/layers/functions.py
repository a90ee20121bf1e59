"""Pairs of functions: ``softmax(x, axis)`` and ``softmax_backward(x, axis, upper_grad)``, in any order of arguments."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from gradcheck.errors import UsageError
from gradcheck.layers.calling import locate, name_of
from gradcheck.layers.modules import Session, UnsteadyError
from gradcheck.layers.pairing import Pairing, Remembered, pair
from gradcheck.layers.protocol import Array, Gradients, Inputs, Options
from gradcheck.layers.references import Handle
from gradcheck.model import Place


@dataclass(slots=True)
class FunctionLayer:
    """A forward and a backward that are two functions.

    Attributes
    ----------
    handles
        Where the two come from, so that they can be had anew.
    functions
        The two themselves.
    pairing
        How they are called.
    """

    name: str
    handles: tuple[Handle, Handle]
    functions: tuple[Callable[..., object], Callable[..., object]]
    pairing: Pairing
    source: Place | None = None
    inputs: tuple[str, ...] = field(init=False)
    options: tuple[str, ...] = field(init=False)
    defaults: Mapping[str, Array] = field(init=False, default_factory=dict)
    _last: Remembered | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.inputs = self.pairing.inputs
        self.options = self.pairing.options

    def forward(self, inputs: Inputs, options: Options) -> tuple[Array, ...]:
        """Return the outputs; see :class:`gradcheck.layers.protocol.Layer`."""
        self._last = self.pairing.run_forward(self.functions[0], inputs, options)
        return self._last.returned.arrays

    def vjp(
        self,
        upstream: Sequence[Array],
        inputs: Inputs,
        outputs: Sequence[Array],
        options: Options,
        wrt: Sequence[str],
    ) -> Gradients:
        """Return the analytic gradients; see :class:`gradcheck.layers.protocol.Layer`."""
        returned = self.pairing.run_backward(self.functions[1], upstream, inputs, outputs, options, self._last)
        return self.pairing.read(returned, self.pairing.order(wrt), inputs, upstream, options)

    def fresh(self) -> FunctionLayer:
        """Return an equal layer with no memory of earlier calls."""
        return self.renew(Session(fresh=True))

    def renew(self, session: Session) -> FunctionLayer:
        """Return an equal layer whose functions come from a session; itself where that cannot be had."""
        try:
            forward, backward = (handle.resolve(session) for handle in self.handles)
        except UnsteadyError:
            return self
        if not callable(forward) or not callable(backward):
            return self
        return replace(self, functions=(forward, backward))


def pair_functions(
    handles: tuple[Handle, Handle],
    session: Session,
    *,
    name: str | None = None,
    inputs: Sequence[str] | None = None,
    options: Collection[str] = (),
    bind: Mapping[str, str] | None = None,
    returns: str = "vjp",
    partial: bool = False,
) -> FunctionLayer:
    """Return the layer of two functions.

    Parameters
    ----------
    handles
        Where the forward and the backward come from.
    session
        In which they are resolved.
    name
        What the layer is called; the name of the forward by default.
    inputs, options
        Names of the arrays (``None``: as the forward asks for), and of the options, that there are.
    bind, returns
        As in :class:`gradcheck.model.LayerSpec`.
    partial
        Whether options may be left over, since it is a link of a chain.

    Raises
    ------
    UsageError
        If one of the two cannot be called, or an argument cannot be bound.
    """
    found: list[Callable[..., object]] = []
    for side, handle in zip(("forward", "backward"), handles, strict=True):
        function = handle.resolve(session)
        if not callable(function):
            raise UsageError(f"the {side} is {name_of(function)!r}, which cannot be called")
        found.append(function)
    forward, backward = found
    titles = (name_of(forward, "forward"), name_of(backward, "backward"))
    pairing = pair(forward, backward, titles, inputs, options, bind, returns, partial=partial)
    return FunctionLayer(name or titles[0], handles, (forward, backward), pairing, locate(backward))
