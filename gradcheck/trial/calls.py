"""The user's code, called with copies, counted, and watched for changes of its arguments."""

from __future__ import annotations

import random
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from gradcheck.errors import LayerError
from gradcheck.layers.protocol import Array, Gradients, Layer
from gradcheck.model import Counts, Plain

if TYPE_CHECKING:
    from gradcheck.trial.luck import Luck  # only layers that do not repeat themselves need it

Floats: TypeAlias = npt.NDArray[np.float64]


# Beside a seed, or alone where the trial's own generator must not move on: people draw their inputs from
# default_rng(0), and an upstream equal to the input hides bugs.
SALT = 20_011


# Numbers of a large array, from which on, and of the largest that the C library learns from (32 MB, less a header).
_LARGE = 1 << 14
_LESSON = (1 << 22) - (1 << 10)


class BudgetSpentError(LayerError):
    """The forward calls that the case may cost are spent."""


@dataclass(eq=False, slots=True)
class Pull:
    """A forward and the backward after it.

    Attributes
    ----------
    outputs
        What the forward returned.
    gradients
        What the backward returned.
    changed_inputs
        Names of inputs whose values were changed by the forward or the backward.
    changed_upstream
        Whether the backward changed its upstream.
    changed_by
        ``forward`` or ``backward``, where an input was changed.
    after
        The inputs that the backward changed, as it left them.
    """

    outputs: tuple[Array, ...]
    gradients: Gradients
    changed_inputs: list[str] = field(default_factory=list)
    changed_upstream: bool = False
    changed_by: str = ""
    after: dict[str, Array] = field(default_factory=dict)


def is_float(array: Array) -> bool:
    """Whether an array holds real floating-point numbers."""
    return array.dtype.kind == "f"


def equal_bits(a: Array, b: Array) -> bool:
    """Whether two arrays hold the same values, nan included."""
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    # nan is looked for only where something differs
    return bool((a == b).all()) or (is_float(a) and bool(np.array_equal(a, b, equal_nan=True)))


def flatten(arrays: Sequence[Array]) -> Floats:
    """Concatenate arrays, in C order, to one vector of float64."""
    if len(arrays) == 1:
        return np.asarray(arrays[0], dtype=np.float64).ravel()
    return np.concatenate([np.asarray(part, dtype=np.float64).ravel() for part in arrays] or [np.zeros(0)])


def split(vector: Floats, like: Sequence[Array]) -> tuple[Floats, ...]:
    """Cut a vector into arrays of the given shapes: the inverse of :func:`flatten`."""
    ends = np.cumsum([part.size for part in like])[:-1]
    return tuple(piece.reshape(part.shape) for piece, part in zip(np.split(vector, ends), like, strict=True))


@contextmanager
def quiet() -> Iterator[None]:
    """Keep numpy's and Python's warnings of user code away from the screen."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


@contextmanager
def borrowed_random_state() -> Iterator[None]:
    """Give the global random states, Python's and numpy's, back as they were."""
    states = random.getstate(), np.random.get_state()
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])


def keep_freed_memory(arrays: Iterable[Array]) -> None:
    """Let the C library keep what large arrays free for the next ones.

    The GNU one gives large arrays back to the system at once, and gets each of their pages anew and zeroed: a third of
    the first check of a large case. Which arrays it treats so is learnt from the largest one freed before (mallopt(3),
    ``M_MMAP_THRESHOLD``). This one is never written to and so takes no memory; other libraries learn nothing.
    """
    if any(part.size >= _LARGE for part in arrays):
        np.empty(_LESSON)


class Caller:
    """Calls one layer with copies of everything and counts the calls.

    Parameters
    ----------
    layer
        The layer under test.
    options
        Options handed to every call unless a call replaces some.
    budget
        Largest number of forward calls; :class:`BudgetSpentError` is raised beyond. A call with a batch of several
        points is as dear as one for each of them.
    luck
        What is put back before each forward, for layers that draw random numbers or move something of their own.
    """

    def __init__(self, layer: Layer, options: Mapping[str, Plain], *, budget: int | None = None) -> None:
        self.layer = layer
        self.options = dict(options)
        self.budget = budget
        self.luck: Luck | None = None
        self.counts = Counts()

    def prepare_call(self, points: int = 1, layer: Layer | None = None) -> None:
        """Count a forward call at so many points, and put back what is to be the same for each."""
        if self.budget is not None and self.counts.points >= self.budget:
            raise BudgetSpentError(f"the budget of {self.budget} forward calls is spent")
        self.counts.forwards += 1
        self.counts.points += points
        if self.luck is not None:
            self.luck.rewind(layer or self.layer)

    def forward(
        self, inputs: Mapping[str, Array], options: Mapping[str, Plain] | None = None, *, points: int = 1
    ) -> tuple[Array, ...]:
        """Return the outputs for copies of the inputs, as copies that the layer cannot change later.

        ``points``: how many points the inputs hold, where they are batches of several.
        """
        return tuple(np.array(part) for part in self.borrow(inputs, options, points=points))

    def borrow(
        self,
        inputs: Mapping[str, Array],
        options: Mapping[str, Plain] | None = None,
        *,
        points: int = 1,
        given: str = "",
    ) -> Sequence[Array]:
        """Return the outputs for copies of the inputs as the layer returned them: valid until its next call.

        ``given`` names an input that nobody else holds: the layer gets it as it is.
        """
        self.prepare_call(points)
        copies = {
            name: value if name == given and value.flags.c_contiguous else value.copy()
            for name, value in inputs.items()
        }
        with quiet():
            return self.layer.forward(copies, self.options if options is None else options)

    def ask(
        self,
        inputs: Mapping[str, Array],
        upstream: Sequence[Array],
        wrt: Sequence[str],
        *,
        outputs: tuple[Array, ...] | None = None,
    ) -> Pull:
        """Return what the backward says after a forward, as it returned it: valid until the layer's next call.

        The calls are those of :meth:`pull`; nobody looks at what they changed. With the ``outputs`` of a forward with
        the same inputs there is no other forward.
        """
        self.counts.backwards += 1
        given = {name: value.copy() for name, value in inputs.items()}
        with quiet():
            if outputs is None:
                self.prepare_call()
                outputs = tuple(self.layer.forward(given, self.options))
                if not all(equal_bits(given[name], inputs[name]) for name in given):
                    given = {name: value.copy() for name, value in inputs.items()}
            handed = [np.array(part) for part in upstream]
            if self.luck is not None:
                self.luck.prepare_backward(self.layer)
            return Pull(outputs, self.layer.vjp(handed, given, outputs, self.options, wrt))

    def pull(
        self,
        inputs: Mapping[str, Array],
        upstream: Sequence[Array] | None,
        wrt: Sequence[str],
        *,
        options: Mapping[str, Plain] | None = None,
        layer: Layer | None = None,
        reseed: int | None = None,
    ) -> Pull:
        """Call the forward, then the backward with the same inputs, as a training loop does.

        ``upstream`` may be ``None`` for one that is drawn for the outputs' shapes. ``reseed`` lets the
        backward draw other random numbers.
        """
        layer = layer or self.layer
        options = self.options if options is None else options
        self.prepare_call(layer=layer)
        self.counts.backwards += 1
        given = {name: value.copy() for name, value in inputs.items()}
        with quiet():
            outputs = layer.forward(given, options)
            changed = [name for name in given if not equal_bits(given[name], inputs[name])]
            by = "forward" if changed else ""
            kept = tuple(np.array(part) for part in outputs)
            g = draw_upstream(kept, np.random.default_rng(SALT)) if upstream is None else upstream
            handed = [np.array(part) for part in g]
            again = given if not changed else {name: value.copy() for name, value in inputs.items()}
            if self.luck is not None:
                self.luck.prepare_backward(layer, reseed)
            gradients = layer.vjp(handed, again, outputs, options, wrt)
        gradients.by_input = {name: np.array(value) for name, value in gradients.by_input.items()}
        later = [name for name in again if not equal_bits(again[name], inputs[name])]
        return Pull(
            kept,
            gradients,
            changed + [name for name in later if name not in changed],
            any(not equal_bits(a, np.asarray(b)) for a, b in zip(handed, g, strict=True)),
            by or ("backward" if later else ""),
            {name: again[name] for name in later},
        )

    def fresh(self) -> Layer:
        """Return an equal layer without memory, or the same one where that cannot be had."""
        with quiet():
            return self.layer.fresh()


def draw_upstream(outputs: Sequence[Array], rng: np.random.Generator) -> tuple[Floats, ...]:
    """Draw a signed Gaussian of each output's shape; zeros for outputs that are no real floating-point numbers."""
    return tuple(
        np.asarray(rng.standard_normal(part.shape)) if is_float(part) else np.zeros(part.shape) for part in outputs
    )
