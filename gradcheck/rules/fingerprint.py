"""What can be said of a wrong gradient that no rule explains."""

from __future__ import annotations

import numpy as np

from gradcheck.model import Finding, Plain, Severity
from gradcheck.rules.ratios import by_column
from gradcheck.rules.registry import declare
from gradcheck.rules.view import View

declare(
    "mismatch",
    "contract",
    """The gradient is wrong, and no rule explains how.

    What is said instead is the fingerprint: which slices and entries are concerned, the range of the ratio of analytic
    to true entries, how many signs agree, the rank of the difference of the two Jacobians, and whether the difference
    depends on the upstream.

    Mended: look at the entries that are wrong and at those that are right, and at what they do not share.
    """,
    rank=999,
)


def fingerprint(view: View) -> Finding:
    """Describe the difference of a wrong gradient from the truth."""
    facts: dict[str, Plain] = {"truth": view.wrongness}
    if view.a is None:
        gradient = view.account.gradients.get(view.name) if view.account is not None else None
        shape = None if gradient is None else list(np.shape(gradient))
        return Finding(
            "mismatch",
            Severity.BUG,
            f"the gradient of {view.name} is no array of the input's shape",
            "return one gradient of the input's shape",
            {"shape": shape, "expected": list(view.x.shape)},
            wrt=view.name,
        )
    known = np.isfinite(view.t)
    peak = np.abs(view.t[known]).max(initial=0.0)
    bad = np.abs(view.a - view.t) > 10 * (view.B.T @ np.abs(view.g)) + 1e-6 * peak
    bad |= ~np.isfinite(view.a)
    if not np.isfinite(view.wrongness):
        del facts["truth"]
    facts["entries"] = f"{int(bad.sum())} of {view.N}"
    usable = bad & known & np.isfinite(view.a) & (np.abs(view.t) > 1e-9 * peak)
    if usable.any():
        ratio = view.a[usable] / view.t[usable]
        facts["ratio"] = [float(ratio.min()), float(ratio.max())]
        facts["same sign"] = float(np.mean(ratio > 0))
    groups = _per_sample(view)
    if groups is not None:
        facts["factor of each sample"] = list(groups)
    where = _where(view, bad)
    if where:
        facts["where"] = where
    if view.A is not None and np.all(np.isfinite(view.A)):
        singular = np.linalg.svd(view.A - view.J, compute_uv=False)
        facts["rank"] = int(np.sum(singular > 1e-6 * singular[0])) if singular.size and singular[0] > 0 else 0
        facts["depends on the upstream"] = bool(np.abs(view.A - view.J).max() > view.zero)
    message = f"{facts['entries']} entries of {view.name} are wrong" + (f", all of them in {where}" if where else "")
    if groups is not None:
        message += f"; each sample is off by one factor, between {groups[0]:.4g} and {groups[1]:.4g}"
    lost = np.flatnonzero(~np.isfinite(view.a))
    if lost.size:
        at = ", ".join(map(str, np.unravel_index(lost[0], view.x.shape)))
        message += f"; the backward returned {view.a[lost[0]]} at {view.name}[{at}]"
    remedy = "no known bug explains it: look at what the wrong entries share that the right ones do not"
    return Finding("mismatch", Severity.BUG, message, remedy, facts, wrt=view.name)


def _per_sample(view: View) -> tuple[float, float] | None:
    """Return the least and the largest factor where every sample is off by one of its own; ``None`` where none is."""
    if view.a is None or view.x.ndim < 2 or len(view.x) < 2 or view.x.size < 2 * len(view.x):
        return None
    ratio = by_column(view)
    if ratio is None:
        ratio = np.where(np.abs(view.t) > 1e-9 * np.abs(view.t).max(initial=0.0), view.a / view.t, np.nan)
        if np.any(np.isnan(ratio) & (np.abs(view.a) > view.zero)):
            return None
    rows = [row[np.isfinite(row)] for row in ratio.reshape(len(view.x), -1)]
    if any(len(row) < 2 or np.ptp(row) > 1e-5 * np.abs(row).max() for row in rows):
        return None
    factors = [float(np.median(row)) for row in rows]
    if np.ptp(factors) <= 1e-5 * np.abs(factors).max():  # one for all, which is said already
        return None
    return min(factors), max(factors)


def _where(view: View, bad: np.ndarray) -> str:
    """Name the slices that hold all wrong entries, if there are any that are right."""
    grid = bad.reshape(view.x.shape)
    for axis in range(grid.ndim):
        touched = grid.any(axis=tuple(other for other in range(grid.ndim) if other != axis))
        if touched.any() and not touched.all() and grid.shape[axis] > 1:
            numbers = ", ".join(str(int(i)) for i in np.flatnonzero(touched)[:8])
            return f"index {numbers} of axis {axis}"
    return ""
