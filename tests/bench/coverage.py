"""How often the bound covers the true error, how wide it is, and what it costs.

``python tests/bench/coverage.py [--quick]``. The true gradients are complex steps in 80-bit precision (mpmath for the
error function). Bars: coverage 99.99 % in float64 and 99.9 % in float32, median slack at most 30, at most 2.3
evaluations a direction after the start-up for N of 50 and more, and no correct gradient called wrong.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from zlib import crc32

import numpy as np

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parent)]

# ruff: noqa: E402  (run as a script, from anywhere)
from smooth import FRESH, KNOWN, Array, Smooth, draw, true_gradient

from gradcheck.numeric.evaluate import Evaluator
from gradcheck.numeric.examine import examine
from gradcheck.numeric.judge import FAIL, UNDECIDED
from gradcheck.numeric.layout import Layout, find_layout
from gradcheck.numeric.precision import detect_precision, round_to_grid
from gradcheck.numeric.survey import survey

_BARS = {"float64": 0.9999, "float32": 0.999}
_SAMPLE = 400
_NAMES = ("entries", "covered %", "slack", "evals/N", "resolved", "arrays", "alarms", "undec. %")
_HEAD = f"{'':28s}" + "".join(f" {name:>9s}" for name in _NAMES)


@dataclass
class Tally:
    """Sums over cases."""

    entries: int = 0
    covered: int = 0
    slacks: list[Array] = field(default_factory=list)
    costs: list[float] = field(default_factory=list)
    arrays: int = 0
    alarms: int = 0
    undecided: int = 0
    judged: int = 0
    blunt: list[Array] = field(default_factory=list)
    misses: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        for name in ("entries", "covered", "arrays", "alarms", "undecided", "judged"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in ("slacks", "costs", "blunt", "misses"):
            getattr(self, name).extend(getattr(other, name))

    def row(self, name: str) -> str:
        slack = np.median(np.concatenate(self.slacks)) if self.slacks else np.nan
        cost = f"{np.mean(self.costs):9.2f}" if self.costs else "        -"
        blunt = np.median(np.concatenate(self.blunt)) if self.blunt else np.nan
        return (
            f"{name:28s} {self.entries:9d} {100 * self.covered / max(self.entries, 1):9.4f} {slack:9.1f} {cost}"
            f" {blunt:9.1e} {self.arrays:9d} {self.alarms:9d} {100 * self.undecided / max(self.judged, 1):9.2f}"
        )

    def bars(self, dtype: str) -> dict[str, bool]:
        """Whether the sums meet what is promised."""
        met = {
            "coverage": self.covered >= _BARS[dtype] * self.entries,
            "slack": float(np.median(np.concatenate(self.slacks))) <= 30,
            "alarms": self.alarms == 0,
        }
        # narrow forwards leave more in doubt, and that is looked at again
        return met if dtype != "float64" else {**met, "cost": float(np.mean(self.costs)) <= 2.3}


def measure(function: Smooth, name: str, scale: str, count: int, seed: int, dtype: str) -> Tally:
    """One case: coverage of the four-evaluation bound, then the verdict on the correct gradient."""
    x, p, forward = draw(function, scale, count, seed, dtype)
    rng = np.random.default_rng([seed, count, crc32(f"{name} {scale} {dtype}".encode())])
    evaluate = Evaluator(forward)
    y0 = evaluate(x)
    weights = rng.standard_normal(y0.size) if y0.size > 1 else np.ones(1)
    precision = detect_precision(evaluate, x, y0, rng)
    x = round_to_grid(x, precision)
    shape = x.shape if function.kind == "entries" else (x.shape[0], y0.size // x.shape[0]) if y0.size > 1 else ()
    layout = find_layout(evaluate, x, y0, [shape], rng, eps=precision.eps)
    layout = layout or Layout.whole(x.size, y0.size)
    stage = survey(evaluate, x, weights, layout, rng, precision)
    few = None if count <= 1000 or layout.slices > 1 else np.sort(rng.choice(count, _SAMPLE, replace=False))
    chosen = np.arange(count) if few is None else few
    truth = true_gradient(function, x, p, weights, chosen)
    found = examine(evaluate, stage, None, entries=few)
    value, bound = found.value.ravel()[chosen], found.bound.ravel()[chosen]
    error = np.abs(value.astype(np.longdouble) - truth)
    # below its smallest normal number a precision promises nothing
    nothing = np.finfo(dtype).tiny * float(np.max(np.abs(weights))) / float(np.min(stage.steps))
    covered = error <= bound + nothing
    tally = Tally(entries=len(chosen), covered=int(covered.sum()), arrays=1, judged=len(chosen))
    largest = float(np.max(np.abs(truth))) or 1.0
    live = (error > 0) & (np.abs(truth) > 1e-4 * largest) & np.isfinite(bound)
    if live.any():
        tally.slacks.append(np.asarray(bound[live] / error[live], dtype=float))
        tally.blunt.append(np.asarray(bound[live] / np.abs(truth[live]), dtype=float))
    if not covered.all():
        worst = int(np.argmax(np.where(covered, 0, error / bound)))
        off = int((~covered).sum())
        tally.misses.append(
            f"{name} scale {scale} N {count} {dtype} seed {seed}: {off} of {len(chosen)} missed,"
            f" worst {float(error[worst] / bound[worst]):.2f} bounds,"
            f" {float(error[worst]) / largest:.1e} of the largest"
        )
    claim = np.zeros(count)
    claim[chosen] = truth.astype(dtype).astype(float)
    before = evaluate.count
    verdict = examine(evaluate, stage, claim.reshape(x.shape), entries=few)
    status = verdict.status.ravel()[chosen] if verdict.status is not None else np.zeros(0)
    tally.alarms, tally.undecided = int((status == FAIL).any()), int((status == UNDECIDED).sum())
    directions = layout.width if few is None else len(few)
    if directions >= 50:
        tally.costs.append((evaluate.count - before) / directions)
    if tally.alarms:
        alarms = int((status == FAIL).sum())
        tally.misses.append(f"{name} scale {scale} N {count} {dtype} seed {seed}: {alarms} FALSE ALARMS")
    return tally


def run(
    functions: dict[str, Smooth], dtype: str, counts: tuple[int, ...], seeds: int, show: Callable[[str], None]
) -> Tally:
    total = Tally()
    for name, function in functions.items():
        part = Tally()
        for scale in ("1", "1e-3", "1e3", "mixed"):
            for count in counts:
                for seed in range(seeds):
                    part.add(measure(function, name, scale, count, seed, dtype))
        show(part.row(name))
        total.add(part)
    return total


def main() -> int:
    """Print the table; exit with 1 where a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="N of 12 and 100, one seed")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--dtype", choices=sorted(_BARS))
    parser.add_argument("--misses", action="store_true", help="list what was not covered")
    parser.add_argument("--only", help="functions whose name contains this")
    options = parser.parse_args()
    counts = (12, 100) if options.quick else (10, 100, 1000, 10000)
    missed = 0
    np.seterr(all="ignore")  # large inputs overflow in some of the functions, as they do in real ones
    for dtype in [options.dtype] if options.dtype else ["float64", "float32"]:
        total = Tally()
        for title, functions in (("used while tuning", KNOWN), ("not used while tuning", FRESH)):
            chosen = {name: value for name, value in functions.items() if not options.only or options.only in name}
            print(f"\n{dtype}, functions {title}\n{_HEAD}")
            part = run(chosen, dtype, counts, options.seeds, lambda row: print(row, flush=True))
            print(part.row("all"))
            total.add(part)
        print(f"\n{_HEAD}\n{total.row(dtype)}")
        if options.misses:
            print("\n".join(total.misses))
        bars = total.bars(dtype)
        missed += sum(not met for met in bars.values())
        print("bars:", ", ".join(f"{name} {'met' if met else 'MISSED'}" for name, met in bars.items()))
    return int(missed > 0)


if __name__ == "__main__":
    raise SystemExit(main())
