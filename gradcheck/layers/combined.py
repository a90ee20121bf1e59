"""Functions that return a value and its gradient at once, as optimisers take them: ``loss, grad = fun(x, *args)``."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from gradcheck.errors import LayerError
from gradcheck.layers.calling import name_of
from gradcheck.layers.modules import Session
from gradcheck.layers.outputs import describe_value
from gradcheck.layers.references import Handle


@dataclass(frozen=True, slots=True)
class Half:
    """The value, or the gradients, of such a function: a function like it that returns only that.

    Attributes
    ----------
    whole
        Where the function comes from.
    gradient
        Whether it is the gradients: all that is returned after the value.
    """

    whole: Handle
    gradient: bool

    def resolve(self, session: Session) -> object:
        """Return the half; a new one if the session is fresh."""
        function = self.whole.resolve(session)
        if not callable(function):
            return function

        @functools.wraps(function)
        def half(*arguments: object, **keywords: object) -> object:
            returned = function(*arguments, **keywords)
            if not isinstance(returned, tuple | list) or len(returned) < 2:
                raise LayerError(
                    f"`{name_of(function)}` returned {describe_value(returned)}, which is no value with its gradient"
                )
            value, *gradients = returned
            if not self.gradient:
                return value
            return gradients[0] if len(gradients) == 1 else tuple(gradients)

        return half
