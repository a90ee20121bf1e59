"""Chance, and what a layer moves of itself with each call: put back before every call, to make them comparable."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from gradcheck.layers.generators import Generator, find_generators, move_on, put_back, state_of
from gradcheck.layers.protocol import Layer
from gradcheck.trial.calls import equal_bits

if TYPE_CHECKING:
    from gradcheck.trial.subject import Subject

SEED = 20_011
States: TypeAlias = list[tuple[Generator, object]]

SEEDS, GENERATORS, WHOLE = "seeds", "generators", "whole"
TOLD = {
    SEEDS: "the global random state was set before each call",
    GENERATORS: "its random generators were put back before each call",
    WHOLE: "the layer was put back before each call to what it was at first",
}


class Luck:
    """What is put back before every call of a layer.

    Parameters
    ----------
    layer
        The layer.
    how
        ``seeds``: the global random states; ``generators``: those that the layer itself draws from as well; ``whole``:
        its objects with all that they hold besides.
    """

    def __init__(self, layer: Layer, how: str) -> None:
        self.layer, self.how = layer, how
        self._states: States = []
        if how != SEEDS:
            self._states = [(generator, state_of(generator)) for generator in find_generators(layer)]
        self._whole: Callable[[], None] | None = _checkpoint(layer) if how == WHOLE else None
        self._owners = _owners(layer)

    @property
    def holds(self) -> bool:
        """Whether there is anything to put back that an easier way would not."""
        return self.how == SEEDS or (self._whole is not None if self.how == WHOLE else bool(self._states))

    @property
    def moves(self) -> bool:
        """Whether the layer moves what it holds with each call, so that its objects are put back."""
        return self._whole is not None

    def rewind(self, layer: Layer) -> None:
        """Put everything back; for another layer than its own, an equal one, its generators."""
        random.seed(SEED)
        np.random.seed(SEED)
        if layer is self.layer and self._whole is None and _changed(self._owners, owners := _owners(layer)):
            # options of the constructor have changed: the new object has a generator of its own, in the same place
            self._states, self._owners = self._states_for(layer), owners
        for generator, state in self._states if layer is self.layer else self._states_for(layer):
            put_back(generator, state)
        if layer is self.layer and self._whole is not None:
            self._whole()

    def prepare_backward(self, layer: Layer, draws: int | None = None) -> None:
        """Let a backward that runs the forward again find what that found; with `draws`, draw others than the forward.

        Whether a backward draws numbers of its own shows when it is asked twice, with different `draws`.
        """
        replays = getattr(layer, "replays", False)
        if replays:
            self.rewind(layer)
        if draws is None:
            return
        random.seed(draws)
        np.random.seed(draws)
        if self.how != SEEDS and not replays:
            for generator in find_generators(layer):
                move_on(generator, draws)

    @contextmanager
    def from_now_on(self) -> Iterator[None]:
        """Put the layer's objects back, for a while, to what they are now."""
        before = self._whole
        if before is not None:
            self._whole = _checkpoint(self.layer, now=True)
        try:
            yield
        finally:
            self._whole = before

    def _states_for(self, layer: Layer) -> States:
        known = [state for _, state in self._states]
        return list(zip(find_generators(layer), known, strict=False)) if known else []


def hold_still(subject: Subject, ways: tuple[str, ...] = (SEEDS, GENERATORS, WHOLE)) -> str:
    """Find the least that must be put back before each call for the forward to repeat itself; return how, or nothing.

    The outputs of the subject are then those of such a call.
    """
    caller = subject.caller
    for how in ways:
        luck = Luck(caller.layer, how)
        if not luck.holds:
            continue
        caller.luck = luck
        outputs = caller.forward(subject.moved)
        if all(map(equal_bits, caller.forward(subject.moved), outputs)):
            subject.outputs = outputs
            return how
    caller.luck = None
    return ""


def _checkpoint(layer: Layer, *, now: bool = False) -> Callable[[], None] | None:
    remember = getattr(layer, "checkpoint", None)
    return None if remember is None else remember(now=now)


def _owners(layer: object) -> list[object]:
    """Return the objects that a layer, or each link of a chain, works with at the moment."""
    members = [getattr(member, "layer", None) for member in getattr(layer, "members", ())]
    return [getattr(each, "instance", None) for each in (layer, *members)]


def _changed(before: list[object], now: list[object]) -> bool:
    return any(a is not b for a, b in zip(before, now, strict=True))
