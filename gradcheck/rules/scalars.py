"""Numbers that a forward takes as arrays without axes: the rules see them as they see options."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np

from gradcheck.model import Plain
from gradcheck.rules.truth import Account, Array, Floats, Truth

Inputs = Mapping[str, Array]
Options = Mapping[str, Plain]


def scalars(truth: Truth, name: str) -> dict[str, float]:
    """Return the floating-point inputs without axes, but for the one that is looked at."""
    return {
        key: float(value)
        for key, value in truth.inputs.items()
        if key != name and key not in truth.options and np.ndim(value) == 0 and np.asarray(value).dtype.kind == "f"
    }


def with_scalars(truth: Truth, names: Mapping[str, float]) -> Truth:
    """Return a truth among whose options some inputs are as well: there they can be given other values."""

    def measure(name: str, inputs: Inputs, options: Options) -> Floats | None:
        return truth.measure(name, *_parted(truth, names, inputs, options))

    def forward(inputs: Inputs, options: Options) -> tuple[Array, ...] | None:
        return truth.forward(*_parted(truth, names, inputs, options))

    return replace(truth, options={**truth.options, **names}, measure=measure, forward=forward)


def account_with(account: Account, truth: Truth, names: Collection[str]) -> Account:
    """Return an account that takes some inputs of a truth as options."""

    def elsewhere(
        inputs: Inputs, options: Options, upstream: Sequence[Array] | None
    ) -> tuple[dict[str, Array], tuple[Array, ...]] | None:
        return account.elsewhere(*_parted(truth, names, inputs, options), upstream)

    return replace(account, elsewhere=elsewhere)


def _parted(
    truth: Truth, names: Collection[str], inputs: Inputs, options: Options
) -> tuple[dict[str, Array], dict[str, Plain]]:
    """Move the values that were given to some inputs as options back among the inputs, in their precision."""
    moved = {
        key: np.asarray(value, dtype=np.asarray(truth.inputs[key]).dtype)
        for key, value in options.items()
        if key in names
    }
    return {**inputs, **moved}, {key: value for key, value in options.items() if key not in names}
