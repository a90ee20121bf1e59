"""Functions whose arguments have no names, or cannot be read."""

import numpy as np
import pytest

from gradcheck.errors import BindingError
from gradcheck.layers.pairing import pair


def identity(x):
    return x


def test_ufuncs_take_their_inputs_by_place():
    pairing = pair(np.sin, np.cos, ("sin", "cos"), ["x"], (), None, "derivative")

    assert [str(role) for role in pairing.backward.roles()] == ["input:x"]
    assert pair(np.multiply, np.multiply, ("m", "m"), ["a", "b"], (), None, "gradient").inputs == ("a", "b")


def test_builtins_that_cannot_be_read_are_numbered():
    with pytest.raises(BindingError) as caught:
        pair(identity, max, ("layer", "max"), ["x"], ())

    assert str(caught.value) == (
        "the arguments of `max` cannot be read\n  = help: number them: bind: {0: upstream, 1: input:NAME}   "
        '(in Python: bind={"0": "upstream", "1": "input:NAME"})'
    )
    pairing = pair(identity, max, ("layer", "max"), ["x"], (), {"backward.0": "upstream", "backward.1": "input:x"})
    assert [str(role) for role in pairing.backward.roles()] == ["upstream", "input:x"]
