"""What the tests of the layers share: a derivative that is measured, and samples by path."""

from pathlib import Path

import numpy as np

SAMPLES = Path(__file__).parent / "samples"


def pull(layer, inputs, options=None, wrt=None, seed=0):
    """Call the forward and the backward once: outputs, upstream, gradients."""
    options = options or {}
    inputs = {**layer.defaults, **inputs}
    outputs = layer.forward(inputs, options)
    rng = np.random.default_rng(seed)
    upstream = tuple(np.asarray(rng.standard_normal(part.shape)) for part in outputs)
    return outputs, upstream, layer.vjp(upstream, inputs, outputs, options, tuple(wrt or layer.inputs))


def measured(layer, inputs, upstream, name, options=None, step=1e-6):
    """Return the gradient of an input by central differences."""
    inputs = {**layer.defaults, **inputs}
    gradient = np.zeros(np.shape(inputs[name]))
    for index in np.ndindex(gradient.shape):
        sides = []
        for sign in (1, -1):
            moved = np.array(inputs[name], dtype=float)
            moved[index] += sign * step
            outputs = layer.forward({**inputs, name: moved}, options or {})
            sides.append(sum(float((part * g).sum()) for part, g in zip(outputs, upstream, strict=True)))
        gradient[index] = (sides[0] - sides[1]) / (2 * step)
    return gradient


def is_right(layer, inputs, options=None, wrt=None):
    """Whether every gradient agrees with the measured one."""
    _, upstream, found = pull(layer, inputs, options, wrt)
    assert found.mismatches == []
    names = tuple(wrt or layer.inputs)
    assert tuple(found.by_input) == names
    return all(
        np.allclose(found.by_input[name], measured(layer, inputs, upstream, name, options), rtol=1e-5, atol=1e-7)
        and found.by_input[name].shape == np.shape({**layer.defaults, **inputs}[name])
        for name in names
    )


def draw(*shape, seed=1):
    return np.random.default_rng(seed).standard_normal(shape)
