"""A forward and its backward, both bound: how the two are called, whatever holds them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gradcheck.errors import LayerError, UsageError, hint
from gradcheck.layers.binding import bind_forward, check_used, given_names
from gradcheck.layers.calling import call
from gradcheck.layers.gradients import Order, match
from gradcheck.layers.outputs import Returned, read_outputs, to_array
from gradcheck.layers.protocol import Array, Gradients, Inputs, Options
from gradcheck.layers.roles import Context, Kind, Plan, Role, Values
from gradcheck.layers.upstream import bind_backward
from gradcheck.layers.vocabulary import AXES
from gradcheck.layers.words import check_bind

RETURNS = ("vjp", "jacobian", "derivative", "gradient")


@dataclass(frozen=True, slots=True)
class Remembered:
    """What the last forward left: its outputs as they were returned, and its context."""

    returned: Returned
    context: Context | None


@dataclass(slots=True)
class Pairing:
    """How a forward and its backward are called.

    Attributes
    ----------
    inputs
        Names of the arrays, in order.
    forward, backward
        What their arguments stand for.
    returns
        What the backward returns: ``vjp``, ``jacobian``, ``derivative`` or ``gradient``.
    """

    inputs: tuple[str, ...]
    forward: Plan
    backward: Plan
    returns: str = "vjp"

    @property
    def options(self) -> tuple[str, ...]:
        """Names of the options of both functions, the forward's first."""
        return tuple(dict.fromkeys((*self.forward.names(Kind.OPTION), *self.backward.names(Kind.OPTION))))

    def run_forward(
        self, function: Callable[..., object], inputs: Inputs, options: Options, holder: object = None
    ) -> Remembered:
        """Call the forward.

        Parameters
        ----------
        function
            The forward.
        inputs, options
            What it is called with.
        holder
            The object that it is a method of: if it returns nothing, it may have left its output there.

        Raises
        ------
        LayerError
            If it raises, or returns something that is no array of numbers.
        """
        context = Context() if self.forward.has(Kind.CONTEXT) else None
        arguments, keywords = self.forward.arguments(Values(inputs, options, context=context))
        returned = call(function, arguments, keywords, role="forward")
        if returned is None and holder is not None:
            from gradcheck.layers.attributes import left_output  # few layers return nothing

            returned = left_output(holder)
        return Remembered(read_outputs(returned, with_cache=self.backward.has(Kind.CACHE)), context)

    def run_backward(
        self,
        function: Callable[..., object],
        upstream: Sequence[Array],
        inputs: Inputs,
        outputs: Sequence[Array],
        options: Options,
        last: Remembered | None,
    ) -> object:
        """Call the backward and return what it returns.

        Raises
        ------
        LayerError
            If it raises, or needs what a forward left and there was none.
        """
        if last is None and (self.backward.has(Kind.CACHE) or self.backward.has(Kind.CONTEXT)):
            raise LayerError("the backward needs what the forward leaves behind: call the forward first")
        values = Values(inputs, options, upstream, outputs)
        if last is not None:
            values.returned, values.context = last.returned, last.context
        sliced = [role for role in self.backward.roles() if role.sliced]
        if sliced:
            return self._run_slices(function, values, sliced)
        arguments, keywords = self.backward.arguments(values)
        return call(function, arguments, keywords, role="backward")

    def _run_slices(self, function: Callable[..., object], values: Values, sliced: Sequence[Role]) -> object:
        """Call a function of 1-D arrays once per slice, and return what it returns as one stack, slices first."""
        axis = axis_of(values.options)
        arrays = [np.asarray(values.find(role)) for role in sliced]
        rows = [np.moveaxis(array, -1 if axis is None else axis, -1) if array.ndim else array for array in arrays]
        batch = rows[0].shape[:-1]
        blocks: list[Array] = []
        for index in np.ndindex(batch):
            values.slices = {role: row[index] for role, row in zip(sliced, rows, strict=True)}
            arguments, keywords = self.backward.arguments(values)
            block = to_array(call(function, arguments, keywords, role="backward"))
            if block is None or (blocks and block.shape != blocks[0].shape):
                raise LayerError("the backward returned no arrays of one shape for the slices of its argument")
            blocks.append(block)
        return np.stack(blocks).reshape(batch + blocks[0].shape) if blocks else None

    def order(self, wrt: Sequence[str], held: Sequence[str] = ()) -> Order:
        """Return the orders in which the backward may return gradients, those of parameters that it holds last."""
        roles: list[Role] = [role for role in self.forward.roles() if role.kind is not Kind.CONTEXT]
        arguments: list[str] = []
        for role in roles:
            arguments += role.names if role.kind is Kind.INPUTS else (role.name,)
        aliases = {
            slot.roles[0].name: slot.name
            for slot in self.forward.slots
            if slot.single and len(slot.roles) == 1 and slot.roles[0].kind is Kind.INPUT
        }
        orders = (self.inputs, (*self.inputs, *held), tuple(arguments))
        return Order(tuple(wrt), orders, aliases)

    def read(
        self, returned: object, order: Order, inputs: Inputs, upstream: Sequence[Array], options: Options
    ) -> Gradients:
        """Turn what the backward returned into gradients by input."""
        if self.returns == "jacobian":
            from gradcheck.layers.jacobians import read_jacobians  # as below: most backwards are products

            return read_jacobians(returned, order, inputs, upstream, axis_of(options))
        if self.returns == "derivative":
            from gradcheck.layers.derivative import read_derivatives

            return read_derivatives(returned, order, inputs, upstream)
        if self.returns == "gradient":
            from gradcheck.layers.derivative import read_gradients

            return read_gradients(returned, order, inputs, upstream)
        return match(returned, order, inputs)


def axis_of(options: Options) -> int | None:
    """Return the axis that the options name, if it is a number."""
    for name in AXES:
        axis = options.get(name)
        if isinstance(axis, int) and not isinstance(axis, bool):
            return axis
    return None


def pair(
    forward: Callable[..., object],
    backward: Callable[..., object],
    titles: tuple[str, str],
    inputs: Sequence[str] | None,
    options: Collection[str],
    bind: Mapping[str, str] | None = None,
    returns: str = "vjp",
    held: Collection[str] = (),
    elsewhere: Collection[str] = (),
    partial: bool = False,
) -> Pairing:
    """Bind the arguments of a forward and of its backward.

    Parameters
    ----------
    forward, backward
        The two functions, bound to their object if they are methods.
    titles
        What they are called in messages.
    inputs
        Names of the arrays that are given as arguments; ``None``: those that the forward asks for.
    options
        Names of the options that there are.
    bind, returns
        As in :class:`gradcheck.model.LayerSpec`.
    held
        Names of inputs that are set on the object instead of handed over.
    elsewhere
        Names of options that the constructor takes.
    partial
        Whether options may be left over, since it is a link of a chain.

    Raises
    ------
    UsageError
        If ``returns`` is no known word.
    BindingError
        If an argument could mean two things, or an input or option is taken by neither function.
    """
    if returns not in RETURNS:
        raise UsageError(f"unknown returns {returns!r}{hint(returns, RETURNS)}", f"one of {', '.join(RETURNS)}")
    bind = bind or {}
    arguments = None if inputs is None else [name for name in inputs if name not in held]
    left = [name for name in options if name not in elsewhere]
    if returns != "jacobian" and any("-slice" in word for word in bind.values()):
        raise UsageError(f"only Jacobians are put together from slices (returns: jacobian), and this is `{returns}`")
    plan = bind_forward(forward, titles[0], arguments, left, bind)
    names = given_names(plan, arguments)
    back = bind_backward(backward, titles[1], plan, names, left, bind, returns)
    check_bind(bind, {"forward": plan, "backward": back})
    if not partial:
        check_used(names, left, [plan, back])
    return Pairing(names, plan, back, returns)
