"""Which bugs a case could not have revealed: every rule mutates the truth, and looks whether that shows."""

from __future__ import annotations

import re
from collections.abc import Collection

import numpy as np

from gradcheck.model import Audit, BlindSpot
from gradcheck.rules.predictions import Prediction
from gradcheck.rules.registry import Rule, predicted, rules
from gradcheck.rules.truth import Truth
from gradcheck.rules.variant import Variant, moved
from gradcheck.rules.variants import variants
from gradcheck.rules.view import View

Key = tuple[str, str]


# The bugs that people make most often: what a glance looks for.
COMMON = (
    "stale-slice-counter",
    "cross-sample-coupling",
    "diagonal-only-jacobian",
    "wrong-axis",
    "transposed-jacobian",
    "missing-one-over-n",
    "ignored-upstream",
    "sign-error",
    "factor-two",
)


def audit(truth: Truth, name: str = "", only: Collection[str] | None = None, *, given: bool = True) -> Audit:
    """Say of every rule whether its bug would have shown in this case.

    Parameters
    ----------
    truth
        The measured truth of the case, with the upstream that the case uses.
    name
        Name of the case, for the blind spots.
    only
        Ids of the rules that are asked; all by default.
    given
        Whether the case chooses its upstream; else it is the default already.

    Returns
    -------
    Audit
        ``seen``: rules of which every plain form differs from the truth here; ``blind``: those of which some form does
        not, though it would in a richer case, with cause and cure; ``moot``: those that do not apply to the layer.
    """
    here = {key: standing(truth, rule) for key, rule in predictive().items() if only is None or key in only}
    spots: dict[str, BlindSpot] = {}
    for variant in variants(truth, given=given):
        waiting = {
            key for key, forms in here.items() if key not in spots and not _all_seen(forms) and _meant(key, variant)
        }
        if not waiting:
            continue
        richer = moved(truth, variant)
        if richer is None:
            continue
        for key in sorted(waiting):
            spot = _revealed(key, here[key], _forms(richer, predictive()[key], 10.0), variant, name)
            if spot is not None:
                spots[key] = spot
    seen = [key for key, forms in here.items() if key not in spots and any(forms.values())]
    moot = [key for key, forms in here.items() if key not in spots and not any(forms.values())]
    return Audit(name=name, seen=seen, blind=list(spots.values()), moot=moot)


def blind(truth: Truth, name: str = "") -> list[BlindSpot]:
    """Return the blind spots of a case, those with the plainest cure first."""
    return audit(truth, name).blind


def predictive() -> dict[str, Rule]:
    """Rules that can say what their bug would do to a case."""
    return {key: rule for key, rule in rules().items() if rule.predict is not None}


def standing(truth: Truth, rule: Rule) -> dict[Key, bool]:
    """Say of every plain form of a bug, per input, whether it would show; where it comes in several, whether all do."""
    return {key: all(shows) for key, shows in _forms(truth, rule, 1.0).items()}


def _forms(truth: Truth, rule: Rule, margin: float) -> dict[Key, list[bool]]:
    """Say of every plain form whether it would show by so many times what is resolved."""
    forms: dict[Key, list[bool]] = {}
    if rule.predict is None:
        return forms
    for wrt in truth.wrt:
        view = _view(truth, wrt)
        for prediction in predicted(rule, view):
            if prediction.usual:
                key = (wrt, re.sub(r"[-\d.,\s]+", " ", prediction.message))
                forms.setdefault(key, []).append(visible(view, prediction, margin))
    return forms


_views: dict[tuple[int, str], tuple[Truth, View]] = {}


def _view(truth: Truth, wrt: str) -> View:
    """Return the view of an input without an account; the last few are kept, for what they remember."""
    known = _views.get((id(truth), wrt))
    if known is None or known[0] is not truth:
        if len(_views) > 64:
            _views.clear()
        known = (truth, View(truth, None, wrt))
        _views[(id(truth), wrt)] = known
    return known[1]


def visible(view: View, prediction: Prediction, margin: float = 1.0) -> bool:
    """Whether a prediction differs from the true gradient by more than the measurement could."""
    if prediction.explained is not None:
        return prediction.explained > 0.0
    expected = prediction.at(view.g)
    if expected is None:
        return False
    slack = 10.0 * (view.B.T @ np.abs(view.g)) + 2e-6 * np.abs(view.t).max(initial=0.0)
    return bool(np.any(~(np.abs(expected - view.t) <= margin * slack)))


def _meant(rule: str, variant: Variant) -> bool:
    return rule not in variant.never and (not variant.only or rule in variant.only)


def _all_seen(forms: dict[Key, bool]) -> bool:
    return bool(forms) and all(forms.values())


def _revealed(
    rule: str, here: dict[Key, bool], there: dict[Key, list[bool]], variant: Variant, case: str
) -> BlindSpot | None:
    """Return a blind spot if a form that does not show here shows in the richer case."""
    for key, shows in there.items():
        new = variant.fresh and key not in here and not any(here.values())
        if any(shows) and (new or here.get(key) is False):
            return BlindSpot(rule, variant.cause, variant.cure, case, key[0], dict(variant.changes))
    return None
