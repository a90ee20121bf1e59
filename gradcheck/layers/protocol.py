"""What a Layer is: the one shape that every convention of calling a forward and a backward is brought into."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias, runtime_checkable

import numpy as np
import numpy.typing as npt

from gradcheck.model import Place, Plain

Array: TypeAlias = npt.NDArray[np.generic]
Inputs: TypeAlias = Mapping[str, Array]
Options: TypeAlias = Mapping[str, Plain]


@dataclass(slots=True)
class Mismatch:
    """A way in which what a backward returned does not match what was asked of it.

    Attributes
    ----------
    rule
        Id of the finding: ``wrong-number-of-gradients``, ``missing-input-gradient`` or ``not-an-array``.
    message
        One sentence in terms of the layer.
    wrt
        The input concerned, if it is one.
    remedy
        What to do about it, where the rule alone does not say.
    """

    rule: str
    message: str
    wrt: str | None = None
    remedy: str = ""


@dataclass(slots=True)
class Gradients:
    """What a backward returned, by input name, exactly as it was returned (shape and dtype are not mended)."""

    by_input: dict[str, Array]
    mismatches: list[Mismatch] = field(default_factory=list)


@runtime_checkable
class Layer(Protocol):
    """An implementation that can be asked for its outputs and for its vector-Jacobian product.

    Attributes
    ----------
    name
        What the layer is called on screen.
    inputs
        Names of the arrays that the forward takes, in order, parameters of objects last.
    defaults
        Arrays that the layer itself holds (parameters of objects); they are inputs that need not be given.
    options
        Names of the options that the forward takes (``axis`` or ``dim`` among them where it does).
    source
        Where the backward is written, if that is known.

    Notes
    -----
    Some layers offer more, which is looked for where it is of use: ``checkpoint(now=False)`` returns what puts the
    objects of the layer back (see :class:`gradcheck.layers.objects.ObjectLayer`); ``order`` is that of the derivatives
    that a framework was asked for, and ``replays`` is true where its backward runs the forward again; ``instance`` is
    the object that is at work; ``members`` are the links of a chain, and ``vjp_onto`` is the backward of a graph node
    onto gradients that are there already.
    """

    name: str
    inputs: tuple[str, ...]
    defaults: Mapping[str, Array]
    options: tuple[str, ...]
    source: Place | None

    def forward(self, inputs: Inputs, options: Options) -> tuple[Array, ...]:
        """Return the outputs, one array or several, as a tuple.

        Raises
        ------
        LayerError
            If the user's code raises, or returns something that is no array of numbers.
        """
        ...

    def vjp(
        self,
        upstream: Sequence[Array],
        inputs: Inputs,
        outputs: Sequence[Array],
        options: Options,
        wrt: Sequence[str],
    ) -> Gradients:
        """Return the analytic gradients. The caller has called ``forward`` with the same inputs just before.

        Raises
        ------
        LayerError
            If the user's code raises.
        """
        ...

    def fresh(self) -> Layer:
        """Return an equal layer with no memory of earlier calls (a new object, a module executed anew)."""
        ...
