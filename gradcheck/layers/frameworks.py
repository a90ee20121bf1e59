"""Frameworks with arrays of their own: what they are called, whether they are there, and what their adapters share.

Five options are understood by the adapters of gradcheck itself, unless the function takes an argument of that name:

``framework``
    ``torch``, ``jax``, ``autograd`` or the name of another adapter, where the code alone does not say which arrays a
    function takes; ``numpy`` keeps all of them away.
``order``
    ``2`` checks the second derivatives: the vector-Jacobian product is the layer. An input called ``upstream`` is its
    upstream, so that it can be differentiated too; without one a fixed signed Gaussian is taken.
``autodiff``
    ``forward`` checks the forward mode (``custom_jvp``, ``jvp``, ``defjvp``); ``reverse`` by default.
``device``
    Where PyTorch or JAX put their arrays: ``cpu`` by default.
``training``
    Whether an ``nn.Module`` is in training mode; as it is by default.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from importlib import import_module
from types import CodeType, ModuleType
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from gradcheck.errors import LayerError, UsageError

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Framework:
    """A package that a layer may need.

    Attributes
    ----------
    package
        Its name in ``import``.
    title
        What it is called.
    install
        What pip is asked for.
    mark
        An attribute by which it is told from a file of the user's own that has the same name.
    modules
        Other top-level modules that are part of it.
    """

    package: str
    title: str
    install: str
    mark: str = ""
    modules: tuple[str, ...] = ()


TORCH = Framework("torch", "PyTorch", "gradcheck[torch]", "Tensor")
JAX = Framework("jax", "JAX", "gradcheck[jax]", "vjp", ("jaxlib",))
AUTOGRAD = Framework("autograd", "HIPS autograd", "gradcheck[autograd]", "make_vjp")
ADAPTED = (TORCH, JAX, AUTOGRAD)
"""Those with an adapter here."""

_OTHERS = (Framework("scipy", "SciPy", "scipy"), Framework("sklearn", "scikit-learn", "scikit-learn"))
_PACKAGES = {name: each for each in (*ADAPTED, *_OTHERS) for name in (each.package, *each.modules)}

FRAMEWORK = "framework"
NUMPY = "numpy"
AUTODIFF = ("reverse", "forward")
RESERVED = (FRAMEWORK, "order", "autodiff", "device", "training")


def needs(module: str | None, place: str = "") -> LayerError | None:
    """Return the error for a missing module that is one of the frameworks, or ``None`` for any other.

    Parameters
    ----------
    module
        What could not be imported.
    place
        ``FILE:LINE`` of the import, if that is the user's.
    """
    found = _PACKAGES.get(module or "")
    if found is None:
        return None
    where = f" ({place})" if place else ""
    return LayerError(f"needs {found.title}, which is not installed{where}: pip install '{found.install}'")


def loaded(framework: Framework) -> ModuleType | None:
    """Return a framework if something has imported it already; nothing can be of it otherwise."""
    module = sys.modules.get(framework.package)
    return module if module is not None and hasattr(module, framework.mark) else None


def seed_loaded(seed: int) -> AbstractContextManager[None]:
    """Set the global random states of the frameworks that are loaded, and give them back afterwards."""
    if loaded(TORCH) is None:
        return nullcontext()
    return import_module("gradcheck.layers.torch").random_state(seed)  # type: ignore[no-any-return]


def load_named(code: CodeType, folder: str) -> None:
    """Import the frameworks that the code of a file is going to import; see :func:`load_first`."""
    for name in {name.partition(".")[0] for name in code.co_names} & set(_PACKAGES):
        if not any(os.path.exists(os.path.join(folder, name + ending)) for ending in ("", ".py")):
            load_first(name)


def load_first(module: str) -> None:
    """Import a framework before code does that needs it.

    Only when it is there can its random state be set.
    """
    name = module.partition(".")[0]
    if name not in _PACKAGES or name in sys.modules:
        return
    with suppress(ImportError):  # whoever needs it will say what is missing
        import_module(name)


def held_arrays(value: object) -> dict[str, npt.NDArray[np.generic]]:
    """Return the arrays of a tensor (one, with an empty name) or of a module; none of anything else."""
    if type(value).__module__.partition(".")[0] not in _PACKAGES and not hasattr(value, "state_dict"):
        return {}
    try:
        state = value.state_dict() if hasattr(value, "state_dict") else {"": value}
        return {
            name: np.asarray(item.detach().cpu() if hasattr(item, "detach") else item) for name, item in state.items()
        }
    except Exception:  # noqa: BLE001  all sorts of objects come from those packages
        return {}


def without_numpy(options: Mapping[str, Value]) -> dict[str, Value]:
    """Return the options without the one that keeps all frameworks away."""
    return {name: value for name, value in options.items() if name != FRAMEWORK or value != NUMPY}


def is_asked(framework: Framework, options: Mapping[str, object] | None) -> bool | None:
    """Whether the options ask for a framework: ``False`` if for another one, ``None`` if they say nothing."""
    said = (options or {}).get(FRAMEWORK)
    return None if said is None else said == framework.package


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the options of a case say to an adapter, the function's own options aside."""

    order: int = 1
    forward_mode: bool = False
    device: str | None = None
    training: bool | None = None


def split_options(options: Mapping[str, Value] | None, own: Collection[str]) -> tuple[dict[str, Value], Wishes]:
    """Part the options of a function from those that speak to the adapter.

    Parameters
    ----------
    options
        All of them.
    own
        Names of the function's arguments, which keep what bears their name.

    Raises
    ------
    UsageError
        If one of the adapter's has a value that means nothing.
    """
    options = options or {}
    said = {name: options[name] for name in RESERVED if name in options and name not in own}
    order, autodiff = said.get("order", 1), said.get("autodiff", "reverse")
    device, training = said.get("device"), said.get("training")
    if order not in (1, 2) or isinstance(order, bool):
        raise UsageError(f"order {order!r} cannot be checked", "give 1, or 2 for second derivatives")
    if autodiff not in AUTODIFF:
        raise UsageError(f"unknown autodiff {autodiff!r}", f"one of {', '.join(AUTODIFF)}")
    if order == 2 and autodiff == "forward":
        raise UsageError("second derivatives are checked in reverse mode only", "leave out `autodiff` or `order`")
    if device is not None and not isinstance(device, str):
        raise UsageError(f"device {device!r} is no name of a device", "give for instance cpu or cuda:0")
    if training is not None and not isinstance(training, bool):
        raise UsageError(f"training {training!r} is neither true nor false")
    rest = {name: value for name, value in options.items() if name not in said}
    return rest, Wishes(2 if order == 2 else 1, autodiff == "forward", device, training)
