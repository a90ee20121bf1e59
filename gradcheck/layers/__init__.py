"""How an implementation is called as its author wrote it: every convention becomes a :class:`Layer`.

:func:`gradcheck.layers.build.build` makes a layer of what a case names, ``wrap`` of a live object. The names here are
loaded when first used, so that importing this package imports no numpy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gradcheck.layers.build import wrap
    from gradcheck.layers.links import Link
    from gradcheck.layers.protocol import Gradients, Layer, Mismatch

_HOMES = {
    "Gradients": "protocol",
    "Layer": "protocol",
    "Link": "links",
    "Mismatch": "protocol",
    "wrap": "build",
}

__all__ = ["Gradients", "Layer", "Link", "Mismatch", "wrap"]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
