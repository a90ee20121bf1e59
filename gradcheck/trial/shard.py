"""The helper's side: points of somebody else's case, evaluated with the same layer in this process."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO

import numpy as np

from gradcheck.errors import LayerError
from gradcheck.layers.protocol import Layer
from gradcheck.model import Case
from gradcheck.trial.batch import Batch
from gradcheck.trial.calls import Caller, Floats, borrowed_random_state, flatten, quiet
from gradcheck.trial.case import realise
from gradcheck.trial.helpers import Recipe, pack_values, unpack_part, unpack_rows
from gradcheck.trial.shared import evaluate_all, together_of
from gradcheck.trial.subject import Subject


class Shard:
    """Evaluates points of a case.

    Where anything is not as it is at home (the layer raises, prints, or returns outputs of another size), this says so
    by raising: the case's own process then sees to the points itself, and to what there is to say of them.

    Parameters
    ----------
    case
        Whose layer it is.
    """

    def __init__(self, case: Case) -> None:
        self._layer = realise(case)[0]
        self._number = 0
        self._function: Callable[[Floats], Floats] | None = None
        self._x = np.zeros(0)

    def evaluate(self, part: bytes) -> bytes:
        """Return the values at the points of a part.

        Raises
        ------
        LayerError
            If they are not what they would be at home without further ado.
        """
        said = StringIO()
        with borrowed_random_state(), quiet(), redirect_stdout(said), redirect_stderr(said):
            values = self._evaluate(part)
        if said.tell():
            raise LayerError("the layer prints")
        return pack_values(values)

    def _evaluate(self, part: bytes) -> list[Floats]:
        number, recipe, rows = unpack_part(part)
        if recipe is not None:
            self._function = _rebuild(self._layer, recipe)
            self._x, self._number = np.asarray(recipe.moved[recipe.name], dtype=np.float64), number
        if self._function is None or number != self._number:
            raise LayerError("another function than the one that is known here")
        points = unpack_rows(rows, self._x).reshape(-1, *self._x.shape)
        together = together_of(self._function)
        values = evaluate_all(self._function, list(points))
        if together_of(self._function) != together or len({value.size for value in values}) != 1:
            raise LayerError("not all points are alike")
        return values


def _rebuild(layer: Layer, recipe: Recipe) -> Callable[[Floats], Floats]:
    caller = Caller(layer, recipe.options)

    def function(x: Floats) -> Floats:
        return flatten(caller.forward({**recipe.moved, recipe.name: x}))

    if recipe.together == 1:
        return function
    outputs = caller.forward(recipe.moved)
    wrt, rng = (recipe.name,), np.random.default_rng(0)
    subject = Subject(caller, recipe.moved, recipe.moved, wrt, outputs, (), fixed_upstream=False, rng=rng)
    x = np.asarray(recipe.moved[recipe.name], dtype=np.float64)
    batch = Batch(subject, recipe.name, function, x, recipe.carried, recipe.together)
    batch.begin()
    return batch
