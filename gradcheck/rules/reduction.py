"""Options that say how to reduce."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gradcheck.model import Plain
from gradcheck.rules.factors import named
from gradcheck.rules.predictions import Prediction
from gradcheck.rules.ratios import Change, constant, observe
from gradcheck.rules.registry import rule
from gradcheck.rules.view import View


@rule("reduction-mode-ignored", "scale", 4)
def reduction_mode_ignored(view: View) -> Iterator[Prediction]:
    """The backward treats one reduction as another: "sum" or "none" as "mean".

    How it comes about: the option was added to the forward alone.

    Formula: a = J^T g / N for reduction "sum"; right for the reduction that the backward was written for.

    Hidden when: the option has its default value, or the batch has one sample.

    Mended: divide only where the forward does.

    Wrong::

        return g * d / len(y)

    Right::

        return g * d / (len(y) if reduction == "mean" else 1)
    """
    ratio = constant(view)
    if view.account is None:
        for option, usual in (("reduction", "mean"), ("size_average", True)):
            as_default = view.measure(options={option: usual}) if option in view.truth.options else None
            if as_default is not None and as_default.shape == view.J.shape:
                yield Prediction(f"every {option} was handled as the default", "", jacobian=as_default, usual=True)
        return
    for option, value, other in _modes(view):
        changed = view.measure(options={option: other})
        if changed is None:
            continue
        if changed.shape == view.J.shape:
            yield Prediction(
                f"{option} = {value!r} was handled as {other!r}",
                f"let the backward divide as the forward does for every {option}",
                jacobian=changed,
            )
        elif ratio is not None and any(f.kind in ("samples", "1/samples") for f in named(view, ratio)):
            seen = observe(view, Change("", {}, {option: other}))
            if seen is not None and abs(seen[1] - 1.0) < 10 * view.slack:
                yield Prediction(
                    f"the backward is right for {option} = {other!r} only",
                    f"let the backward divide as the forward does for every {option}",
                    jacobian=ratio * view.J,
                    evidence={"ratio": ratio},
                )


REDUCTIONS = ("mean", "sum", "none", "batchmean")


def _modes(view: View) -> Iterator[tuple[str, Plain, Plain]]:
    """Yield options that say how to reduce, with their value and each other value that the forward takes."""
    for option, value in view.truth.options.items():
        if isinstance(value, str) and value in REDUCTIONS:
            for other in REDUCTIONS:
                if other != value:
                    yield option, value, other
        elif isinstance(value, bool):
            changed = view.measure(options={option: not value})
            if changed is None or changed.shape != view.J.shape:
                continue
            size = float(np.vdot(view.J, view.J))
            ratio = float(np.vdot(view.J, changed)) / size if size else 1.0
            if np.allclose(changed, ratio * view.J, atol=10 * view.zero) and abs(ratio - 1) > view.slack:
                yield option, value, not value
