"""What other packages add: layers (entry-point group ``gradcheck.layers``), conventions (``gradcheck.adapters``).

An adapter is a function ``adapt(thing, *, backward, bind, returns, inputs, options, **_) -> Layer | None`` that returns
a :class:`gradcheck.layers.protocol.Layer` for an object of its framework, and ``None`` for anything else. It is asked
about every object before the built-in conventions are, so it must be quick and must not import its framework to say
no: an object can only be of a framework that is in ``sys.modules`` already.

What an adapter is given
    ``thing``, the object; ``backward``, a function, the name of a method, or ``None``; ``inputs``, the names of the
    arrays that there are, or ``None``; ``options``, the options with their values; ``bind`` and ``returns`` as a case
    says them; ``forward`` (the name of a method), ``init`` (arguments of a constructor) and ``partial`` (the layer is
    a link of a chain, and not all inputs and options need be its own). More may come, so let it end with ``**_``.

A worked example
    Somebody has a framework ``toygrad`` with tensors, and functions that know their gradient. The adapter is one file::

        import sys
        from gradcheck.layers import Gradients, Mismatch

        def adapt(thing, *, inputs, **_):
            toygrad = sys.modules.get("toygrad")
            if toygrad is None or not isinstance(thing, toygrad.Function):
                return None
            return ToyLayer(toygrad, thing, tuple(inputs or thing.arguments))

        class ToyLayer:
            defaults, options, source = {}, (), None

            def __init__(self, toygrad, function, inputs):
                self.toygrad, self.function, self.inputs = toygrad, function, inputs
                self.name = type(function).__name__

            def forward(self, inputs, options):
                self.tensors = {name: self.toygrad.Tensor(inputs[name]) for name in self.inputs}
                self.output = self.function(*self.tensors.values())
                return (self.output.numpy(),)

            def vjp(self, upstream, inputs, outputs, options, wrt):
                self.output.backward(upstream[0])
                grads = {name: self.tensors[name].grad for name in wrt}
                missing = [name for name in wrt if grads[name] is None]
                return Gradients(
                    {name: grads[name] for name in wrt if name not in missing},
                    [Mismatch("missing-input-gradient", f"no gradient reached {name}", name) for name in missing],
                )

            def fresh(self):
                return ToyLayer(self.toygrad, type(self.function)(), self.inputs)

    and is registered by the package that holds it::

        [project.entry-points."gradcheck.adapters"]
        toygrad = "toygrad_gradcheck:adapt"

    From then on ``gradcheck run net.py:square`` and ``gradcheck.check(square, inputs={"x": x})`` take its functions.
    The same in full, with its tests: ``tests/layers/samples/toygrad_gradcheck.py``.

A framework that differentiates any function by itself (as MLX, tinygrad or CuPy with custom kernels do) is less work
with an :class:`gradcheck.layers.engines.Engine`: :mod:`gradcheck.layers.autograd` is the shortest one, and
:func:`gradcheck.layers.framed.propose` gives it pairs written by hand, second derivatives and nested arguments.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING

from gradcheck.errors import GradcheckError, LayerError, NameLookupError, UsageError, hint
from gradcheck.layers.calling import describe, name_of
from gradcheck.layers.frameworks import FRAMEWORK, NUMPY
from gradcheck.layers.protocol import Layer

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

LAYERS = "gradcheck.layers"
ADAPTERS = "gradcheck.adapters"


def registered(group: str) -> tuple[EntryPoint, ...]:
    """Return the entry points of a group, one per name and value, in the order of their names."""
    from importlib.metadata import entry_points  # takes as long as a small check, and is needed for names only

    unique = {(point.name, point.value): point for point in entry_points(group=group)}
    return tuple(sorted(unique.values(), key=lambda point: (point.name, point.value)))


def find_layer(name: str) -> object:
    """Return what is registered as a layer under a name: a pair of functions, an object, a class or a case.

    Raises
    ------
    NameLookupError
        If there is none, or several.
    LayerError
        If its module raises while it is imported.
    """
    points = registered(LAYERS)
    found = [point for point in points if point.name == name]
    if not found:
        near = hint(name, dict.fromkeys(point.name for point in points))
        raise NameLookupError(
            f"there is no layer called {name!r}{near}", "give a registered name, or package.module:NAME or file.py:NAME"
        )
    if len(found) > 1:
        values = ", ".join(point.value for point in found)
        raise NameLookupError(
            f"the layer {name!r} is registered {len(found)} times: {values}", "give one of these instead"
        )
    try:
        return found[0].load()
    except AttributeError as error:
        raise NameLookupError(
            f"the layer {name!r} is registered as {found[0].value}, which does not exist: {error}"
        ) from None
    except (Exception, SystemExit) as error:  # noqa: BLE001  importing runs somebody else's code
        raise describe(error, f"importing {found[0].value}") from None


def adapt(
    thing: object,
    *,
    backward: object = None,
    bind: Mapping[str, str] | None = None,
    returns: str = "vjp",
    inputs: Sequence[str] | None = None,
    options: Mapping[str, object] | None = None,
    forward: str | None = None,
    init: Mapping[str, object] | None = None,
    partial: bool = False,
    label: str | None = None,
) -> Layer | None:
    """Return the layer that one of the adapters makes of an object, or ``None`` if it is of no framework.

    All but `label`, the name that it is then given, are handed on to the adapters.

    Raises
    ------
    LayerError
        If an adapter raises, or returns something that is no layer.
    """
    asked = (options or {}).get(FRAMEWORK)
    if asked == NUMPY:
        return None
    for name, adapter in _load_adapters():
        try:
            layer = adapter(
                thing,
                backward=backward,
                bind=bind,
                returns=returns,
                inputs=inputs,
                options=options,
                forward=forward,
                init=init,
                partial=partial,
            )
        except GradcheckError:
            raise
        except Exception as error:  # noqa: BLE001  the adapter is somebody else's code
            raise describe(error, f"the adapter {name!r}") from None
        if layer is None:
            continue
        if not isinstance(layer, Layer):
            raise LayerError(f"the adapter {name!r} returned {type(layer).__name__}, which is no layer")
        if label is not None:
            with suppress(AttributeError):  # a layer need not let itself be renamed
                layer.name = label
        return layer
    if asked is not None and not partial:
        raise _not_found(asked, thing)
    return None


def _not_found(asked: object, thing: object) -> UsageError:
    names = (*dict.fromkeys(point.name for point in registered(ADAPTERS)), NUMPY)
    if asked not in names:
        return UsageError(f"unknown framework {asked!r}{hint(asked, names)}", f"one of {', '.join(names)}")
    return UsageError(f"`{name_of(thing)}` is nothing that the adapter {asked!r} makes a layer of")


@cache
def _load_adapters() -> tuple[tuple[str, Callable[..., object]], ...]:
    loaded: list[tuple[str, Callable[..., object]]] = []
    for point in registered(ADAPTERS):
        try:
            adapter = point.load()
            if not callable(adapter):
                raise UsageError("it cannot be called")
        except Exception as error:  # noqa: BLE001  a broken package must not break the checks of all others
            warnings.warn(
                f"the adapter {point.name!r} ({point.value}) is left out: {error}", RuntimeWarning, stacklevel=2
            )
            continue
        loaded.append((point.name, adapter))
    return tuple(loaded)
