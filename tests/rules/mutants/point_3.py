"""Wrong backward passes: the wrong point, or the wrong function."""

import numpy as np

from ..draws import away, normal
from ..stand import mutant


@mutant("straight-through-estimator", {"x": away(3, 4)}, "x", also=("saturation-mask-missing",))
def sign_ste():
    def forward(x):
        return np.sign(x)

    def backward(g, x):
        return (g * (np.abs(x) < 1),)

    return forward, backward


@mutant("straight-through-estimator", {"x": normal(3, 4)}, "x", also=("saturation-mask-missing",))
def floor_identity():
    def forward(x):
        return np.floor(4 * x) / 4

    def backward(g, x):
        return (g.copy(),)

    return forward, backward


@mutant(
    "straight-through-estimator", {"x": normal(3, 4)}, "x", options={"step": 0.25}, also=("saturation-mask-missing",)
)
def quantize_clip_ste():
    def forward(x, step=0.25):
        return step * np.clip(np.round(x / step), -4, 3)

    def backward(g, x, step=0.25):
        return (g * (np.abs(x) < 1),)

    return forward, backward
