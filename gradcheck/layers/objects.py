"""Objects with a forward and a backward method: classes and instances, static or not, with or without cached state."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import numpy as np

from gradcheck.errors import LayerError, NameLookupError
from gradcheck.layers.attributes import left_gradients
from gradcheck.layers.calling import locate, name_of
from gradcheck.layers.held import clear_gradients, held_arrays, moved_arrays, take_gradients
from gradcheck.layers.maker import Maker, chosen, is_static, plan_making, twin
from gradcheck.layers.methods import argument_names, bare_method, find_methods
from gradcheck.layers.modules import Session, UnsteadyError
from gradcheck.layers.outputs import to_array
from gradcheck.layers.pairing import Pairing, Remembered, pair
from gradcheck.layers.parameters import (
    MISSING,
    Parameter,
    discover,
    find_values,
    look_up,
    parse_path,
    same_object,
    store,
)
from gradcheck.layers.protocol import Array, Gradients, Inputs, Options
from gradcheck.layers.references import Handle
from gradcheck.layers.renewal import copy_of
from gradcheck.model import Place


@dataclass(slots=True)
class ObjectLayer:
    """A layer that is an instance of the user's class, or the class itself if its methods are static.

    Attributes
    ----------
    handle
        Where the class or the instance comes from.
    target
        The class or the instance.
    methods
        Names of the forward and of the backward method.
    pairing
        How they are called.
    maker
        How instances are made, if the target is a class.
    parameters
        Arrays that the object holds, by input name.
    watching
        Whether backwards are watched for what they change.
    moved
        Arrays of the object that the last backward changed while it was watched: before and after it.
    """

    name: str
    handle: Handle
    target: object
    methods: tuple[str, str]
    pairing: Pairing
    maker: Maker | None
    parameters: dict[str, Parameter]
    source: Place | None = None
    instance: object = None
    watching: bool = False
    moved: dict[str, tuple[Array, Array]] = field(init=False, default_factory=dict)
    inputs: tuple[str, ...] = field(init=False)
    options: tuple[str, ...] = field(init=False)
    defaults: Mapping[str, Array] = field(init=False)
    _originals: dict[str, object] = field(init=False)
    _pristine: object = field(init=False)
    _made_with: dict[str, object] = field(init=False, default_factory=dict)
    _last: Remembered | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        made = self.maker.inputs if self.maker else ()
        self.inputs = tuple(dict.fromkeys((*self.pairing.inputs, *made, *self.parameters)))
        self.options = tuple(dict.fromkeys((*self.pairing.options, *(self.maker.options if self.maker else ()))))
        held = {name: item.values[0] for name, item in self.parameters.items() if item.values}
        self._originals = {name: look_up(self.instance, path) for name, path in held.items()}
        arrays = {name: to_array(value) for name, value in self._originals.items()}
        self.defaults = {name: np.array(array) for name, array in arrays.items() if array is not None}
        self._pristine = copy_of(self.instance) if self.instance is not None else None

    def forward(self, inputs: Inputs, options: Options) -> tuple[Array, ...]:
        """Return the outputs; see :class:`gradcheck.layers.protocol.Layer`."""
        self._prepare(inputs, options)
        with self._set(inputs):
            self._last = self.pairing.run_forward(self._method(0), inputs, options, self.instance)
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
        if self.instance is None and self.maker is not None:
            self._prepare(inputs, options)
        clear_gradients(self.instance, self.parameters, wrt)
        with self._set(inputs):
            before = held_arrays(self.instance) if self.watching else {}
            returned = self.pairing.run_backward(self._method(1), upstream, inputs, outputs, options, self._last)
            self.moved = moved_arrays(self.instance, before)
        held = take_gradients(self.instance, self.parameters, returned, wrt)
        settled = {*held.by_input, *(item.wrt for item in held.mismatches)}
        rest = tuple(name for name in wrt if name not in settled)
        if not rest:
            return held
        if returned is None and self.instance is not None:
            returned = left_gradients(self.instance, rest)
        order = self.pairing.order(rest, tuple(name for name in self.inputs if name not in self.pairing.inputs))
        found = self.pairing.read(returned, order, inputs, upstream, options)
        both = {**found.by_input, **held.by_input}
        return Gradients({name: both[name] for name in wrt if name in both}, found.mismatches + held.mismatches)

    def fresh(self) -> ObjectLayer:
        """Return an equal layer with no memory of earlier calls."""
        return self.renew(Session(fresh=True))

    def renew(self, session: Session) -> ObjectLayer:
        """Return an equal layer whose class, or instance, comes from a session; itself where that cannot be had."""
        try:
            target = self.handle.resolve(session)
        except UnsteadyError:
            return self
        if self.maker is None:
            instance = None if isinstance(target, type) else target
            return replace(self, target=target, instance=instance)
        if not isinstance(target, type):
            return self
        maker = replace(self.maker, kind=target)
        if maker.inputs or self.instance is None:
            parameters = {name: replace(item, values=()) for name, item in self.parameters.items()}
            return replace(self, target=target, maker=maker, instance=None, parameters=parameters)
        instance = twin(self.instance, self._pristine, maker.make(self._made_with, {}))
        layer = replace(self, target=target, maker=maker, instance=instance)
        layer._made_with = self._made_with
        return layer

    def checkpoint(self, *, now: bool = False) -> Callable[[], None] | None:
        """Remember the instance as it was handed over, or as it is now; what is returned puts it back.

        ``None`` where there is none, or where it cannot be copied.
        """
        kept, made = copy_of(self.instance if now or self._pristine is None else self._pristine), self._made_with

        def put_back() -> None:
            self.instance, self._made_with = copy_of(kept), made
            held = {name: item.values[0] for name, item in self.parameters.items() if item.values}
            self._originals = {name: look_up(self.instance, path) for name, path in held.items()}

        return None if kept is None else put_back

    def adopt(self, name: str) -> bool:
        """Take an array that the instance holds for a parameter, which calls may set; return whether that can be."""
        values = find_values(self.instance, name)
        if values and name not in self.inputs:
            self.parameters[name] = Parameter(name, values)
            self._originals[name] = look_up(self.instance, values[0])
        return bool(values)

    def release(self, name: str) -> None:
        """Take an array that was adopted for no parameter again."""
        self.parameters.pop(name, None)
        self._originals.pop(name, None)

    def _method(self, which: int) -> Callable[..., object]:
        owner = self.target if self.instance is None else self.instance
        method = getattr(owner, self.methods[which])
        if not callable(method):
            raise NameLookupError(f"{name_of(owner)}.{self.methods[which]} cannot be called")
        return method  # type: ignore[no-any-return]

    def _prepare(self, inputs: Inputs, options: Options) -> None:
        """Make the instance if it needs the inputs, or other options than last time."""
        if self.maker is not None and (self.instance is not None or self.maker.inputs):
            unset = any(not self.parameters[name].values for name in self.maker.inputs)
            if self.instance is None or unset or chosen(self.maker, options) != self._made_with:
                self._make(options, inputs)

    @contextmanager
    def _set(self, inputs: Inputs) -> Iterator[None]:
        """Set the parameters to what is given, else to their own; afterwards the author's object has its own again."""
        try:
            for name, parameter in self.parameters.items():
                value = inputs.get(name, self._originals.get(name, MISSING))
                done = [store(self.instance, path, value) for path in parameter.values if value is not MISSING]
                if not all(done):
                    raise LayerError(f"the parameter {name} of `{name_of(type(self.instance))}` cannot be set")
            yield
        finally:
            for name, value in self._originals.items():
                for path in self.parameters[name].values:
                    store(self.instance, path, value)

    def _make(self, options: Options, inputs: Inputs) -> None:
        assert self.maker is not None
        self.instance = self.maker.make(options, inputs)
        self._made_with = chosen(self.maker, options)
        for name in self.maker.inputs:
            # where it is kept, it will be set from now on, as an optimiser would
            places = tuple(same_object(self.instance, inputs[name]))
            self.parameters[name] = replace(self.parameters[name], values=places)


def wrap_object(
    handle: Handle,
    session: Session,
    *,
    methods: tuple[str | None, str | None] = (None, None),
    init: Mapping[str, object] | None = None,
    parameters: Mapping[str, str] | None = None,
    name: str | None = None,
    inputs: Sequence[str] | None = None,
    options: Mapping[str, object] | None = None,
    bind: Mapping[str, str] | None = None,
    returns: str = "vjp",
    partial: bool = False,
) -> ObjectLayer:
    """Return the layer of a class or an instance.

    Parameters
    ----------
    handle
        Where it comes from.
    session
        In which it is resolved.
    methods
        Names of the forward and of the backward; by default the usual ones are looked for.
    init
        Arguments of the constructor; others come from inputs and options of their name.
    parameters
        Parameter (or argument of the forward) to the place on the object where its gradient is left; parameters
        that the class's code computes gradients for are found anyway.
    name, inputs, options, bind, returns, partial
        As for :func:`gradcheck.layers.functions.pair_functions`; inputs that are no arguments of the methods are
        arguments of the constructor or parameters.

    Raises
    ------
    UsageError
        If a method, parameter or argument is not found or could mean two things.
    LayerError
        If the constructor raises.
    """
    target = handle.resolve(session)
    kind = target if isinstance(target, type) else type(target)
    names = find_methods(target, methods)
    functions = (bare_method(target, names[0]), bare_method(target, names[1]))
    given = dict(options or {})
    taken = argument_names(functions) | {word.partition(":")[2] or word for word in (bind or {}).values()}
    spare = [item for item in inputs or () if item not in taken]
    maker: Maker | None = None
    instance: object = None if isinstance(target, type) else target
    if isinstance(target, type) and (init or not all(is_static(kind, method) for method in names)):
        maker = plan_making(target, init or {}, given, spare)
        instance = None if maker.inputs else maker.make(given, {})
    needed = maker.inputs if maker else ()
    found: dict[str, Parameter] = {}
    said = {key: place for key, place in (parameters or {}).items() if key not in taken}
    if instance is not None:
        found = discover(instance, kind, said, spare)
    else:
        for item in needed:
            place = (parameters or {}).get(item)
            found[item] = Parameter(item, (), parse_path(place) if place else None)
    titles = (f"{name_of(kind)}.{names[0]}", f"{name_of(kind)}.{names[1]}")
    spoken = maker.options if maker else ()
    pairing = pair(*functions, titles, inputs, given, bind, returns, {*found, *needed}, spoken, partial)
    found = {key: value for key, value in found.items() if key not in pairing.inputs}
    # an argument whose gradient is left on the object is no parameter, but is found in the same way
    places = {key: parse_path(place) for key, place in (parameters or {}).items() if key in pairing.inputs}
    found |= {key: Parameter(key, (), place) for key, place in places.items()}
    layer = ObjectLayer(
        name or name_of(kind), handle, target, names, pairing, maker, found, locate(functions[1]), instance
    )
    layer._made_with = chosen(maker, given)
    return layer
