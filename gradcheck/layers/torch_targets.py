"""What PyTorch's own kinds of layer are called with: ``torch.autograd.Function`` and ``nn.Module``."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from gradcheck.errors import UsageError
from gradcheck.layers.calling import is_installed, locate, name_of
from gradcheck.layers.engines import Tensors
from gradcheck.layers.framed import Proposal, layer_of
from gradcheck.layers.frameworks import RESERVED, Wishes
from gradcheck.layers.lifted import methods_on_tensors
from gradcheck.layers.maker import plan_making
from gradcheck.layers.protocol import Array, Inputs, Layer, Options
from gradcheck.layers.references import Live
from gradcheck.layers.roles import POSITIONAL_ONLY, VAR_POSITIONAL, Kind, Plan, Values, read_slots
from gradcheck.layers.targets import argument_names, bind_target
from gradcheck.layers.trees import assemble
from gradcheck.model import Place


def find_function(torch: Any, proposal: Proposal) -> Layer | None:
    """Return the layer of a ``torch.autograd.Function``, or of its ``apply``; ``None`` for anything else."""
    thing: Any = proposal.thing
    function = apply_of(torch, thing)
    if function is None or callable(proposal.backward):
        return None
    kind: Any = thing if isinstance(thing, type) else thing.__self__

    def as_function(found: object) -> Callable[..., object] | None:
        return _apply(found, torch.autograd.Function)

    rule = next((vars(each)[name] for name in ("backward", "vjp") for each in kind.__mro__ if name in vars(each)), None)
    return proposal.differentiable(
        function,
        Live(kind),
        name=kind.__name__,
        backward=getattr(rule, "__func__", rule),
        by_hand=True,
        adapt=as_function,
    )


def apply_of(torch: Any, thing: object) -> Callable[..., object] | None:
    """Return ``apply`` with its arguments' names if a thing is a ``Function`` or its ``apply``, else ``None``."""
    kind = thing if isinstance(thing, type) else getattr(thing, "__self__", None)
    if kind is not thing and getattr(thing, "__name__", "") != "apply":
        return None
    return _apply(kind, torch.autograd.Function)


def find_module(torch: Any, proposal: Proposal) -> Layer | None:
    """Return the layer of an ``nn.Module``, class or instance; ``None`` for anything else."""
    thing: Any = proposal.thing
    base = torch.nn.Module
    if not isinstance(thing, base) and not (isinstance(thing, type) and issubclass(thing, base)):
        return None
    if callable(proposal.backward):
        return None
    if isinstance(thing, type):
        maker = plan_making(thing, proposal.init, _options_of(proposal), ())
        thing = maker.make(proposal.options, {})
        proposal.options = {name: value for name, value in proposal.options.items() if name not in maker.options}
    if isinstance(proposal.backward, str) or _has_own_backward(type(thing), base):
        methods = (proposal.forward, proposal.backward if isinstance(proposal.backward, str) else None)
        request, wishes, _ = proposal.settle([])
        double = _copy(thing).double()  # a check's arrays are float64, and two dtypes do not mix
        return methods_on_tensors(double, proposal.engine(wishes), request, proposal.returns, methods)
    return _module_layer(torch, thing, proposal)


def _module_layer(torch: Any, module: Any, proposal: Proposal) -> Layer:
    title = name_of(type(module))
    request, wishes, upstreams = proposal.settle(argument_names(module.forward))
    engine = proposal.engine(wishes)
    parameters = {name: part.detach() for name, part in module.named_parameters()}
    own = set(argument_names(module.forward))
    held = tuple(name for name in parameters if name not in own)
    plan, inputs = bind_target(module.forward, title, request.without(held))
    target = ModuleTarget(
        title, torch, _copy(module), plan, (*inputs, *held), engine.device, wishes,
        {name: np.array(engine.lower(parameters[name].to(torch.float64))) for name in held
         if parameters[name].is_floating_point()},
        locate(module.forward), fixed=request.options,
    )  # fmt: skip
    return layer_of(engine, target, wishes, upstreams)


@dataclass(slots=True)
class ModuleTarget:
    """A module, called with its parameters from outside.

    Parameters and buffers have the dtype of the inputs: a module is float32 when it is made, and can only be checked
    well in float64. Buffers are copies, so that running statistics stay what they were. They stay in place after the
    call, since a part of the module may be run again in the backward (``torch.utils.checkpoint``).
    """

    name: str
    torch: Any
    pristine: Any
    plan: Plan
    inputs: tuple[str, ...]
    device: Any
    wishes: Wishes
    defaults: Mapping[str, Array]
    source: Place | None = None
    by_hand: bool = False
    fixed: Options = field(default_factory=dict)
    options: tuple[str, ...] = field(init=False)
    module: Any = field(init=False)
    originals: dict[str, Any] = field(init=False)
    places: list[tuple[str, dict[str, Any], str]] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        taken = self.plan.names(Kind.OPTION)
        self.options = (*taken, *(name for name in RESERVED if name not in taken))
        self.module = _copy(self.pristine)
        held = dict((*self.module.named_parameters(), *self.module.named_buffers()))
        self.originals = {name: value.detach().to(self.device) for name, value in held.items()}
        first = {id(value): name for name, value in reversed(held.items())}
        for owner in self.module.modules():
            for store in (owner._parameters, owner._buffers):
                # tied weights stand in several places under one name
                self.places += [(first[id(value)], store, key) for key, value in store.items() if id(value) in first]
        if self.wishes.training is not None:
            self.module.train(self.wishes.training)

    def settle(self, inputs: Inputs) -> dict[str, Array]:
        """Give parameters among the inputs the dtype of the inputs proper."""
        kinds = [a.dtype for name, a in inputs.items() if name not in self.defaults and a.dtype.kind == "f"]
        if not kinds:
            return dict(inputs)
        dtype = np.result_type(*kinds)
        return {name: array.astype(dtype) if name in self.defaults else array for name, array in inputs.items()}

    def call(self, tensors: Tensors, options: Options) -> object:
        """Call it; see :class:`gradcheck.layers.engines.Target`."""
        floats: list[Any] = [t for t in tensors.values() if self._is_float(t)]
        dtype = None
        for tensor in floats:
            dtype = tensor.dtype if dtype is None else self.torch.promote_types(dtype, tensor.dtype)
        state: dict[str, Any] = {name: tensor for name, tensor in tensors.items() if name in self.defaults}
        for name, stored in self.originals.items():
            cast = dtype is not None and self._is_float(stored)
            state.setdefault(name, (stored.to(dtype) if cast else stored).clone())
        for name, store, key in self.places:
            store[key] = state[name]
        rest = {name: tensor for name, tensor in tensors.items() if name not in self.defaults}
        arguments, keywords = self.plan.arguments(Values(assemble(rest, {}, {}), {**self.fixed, **options}))
        return self.module(*arguments, **keywords)

    def fresh(self) -> ModuleTarget:
        """Return an equal one with no memory of earlier calls."""
        return replace(self)

    def _is_float(self, value: object) -> bool:
        return isinstance(value, self.torch.Tensor) and bool(value.is_floating_point())


def _apply(kind: object, base: Any) -> Callable[..., object] | None:
    """Return ``apply`` with the arguments that the forward names, which are given by position."""
    if not isinstance(kind, type) or not issubclass(kind, base):
        return None
    owner: Any = kind

    def apply(*arguments: object) -> object:
        return owner.apply(*arguments)

    slots = read_slots(owner.forward) or []
    if owner.setup_context is base.setup_context:
        slots = slots[1:]  # the context
    single = [slot for slot in slots if slot.single]
    names = [inspect.Parameter(slot.name, POSITIONAL_ONLY, default=slot.default) for slot in single]
    names += [inspect.Parameter(slot.name, VAR_POSITIONAL) for slot in slots if slot.kind is VAR_POSITIONAL]
    try:
        apply.__signature__ = inspect.Signature(names)  # type: ignore[attr-defined]
    except ValueError:
        raise UsageError(f"the arguments of `{kind.__name__}.forward` cannot be given by position") from None
    apply.__qualname__ = apply.__name__ = kind.__name__
    return apply


def _has_own_backward(kind: type, base: type) -> bool:
    """Whether the author of a module wrote a method ``backward``; some packages give all their modules one."""
    owner = next((each for each in kind.__mro__ if "backward" in vars(each)), None)
    if owner is None or issubclass(base, owner):
        return False
    try:
        file = inspect.getsourcefile(owner)
    except TypeError:
        return True
    return file is None or not is_installed(file)


def _options_of(proposal: Proposal) -> list[str]:
    return [name for name in proposal.options if name not in RESERVED]


def _copy(module: Any) -> Any:
    try:
        return copy.deepcopy(module)
    except Exception:  # noqa: BLE001  a module that holds something that cannot be copied is used as it is
        return module
