"""How often the verdict is wrong, on random cases with a known answer, beside three textbook checks.

``python tests/bench/verdicts.py [--count N] [--seed S] [--jobs J]``

Four samples of N cases each: right ones; one entry (of at least 1e-3 of the rms gradient) off by 1 %; the whole
gradient off by a factor 1 + 1e-5; one entry off by 1e-6. The last three in float64, and in float32 for the record.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import numpy as np
from sampling import Sample, draw_samples

from gradcheck.layers.build import wrap
from gradcheck.model import Settings
from gradcheck.trial.trial import try_layer


class NothingToSpoilError(Exception):
    """All gradients of a sample are zero: it is left out."""


Gradients = dict[str, np.ndarray]
Spoil = Callable[[Gradients], Gradients]


def _one_entry(share: float, seed: int) -> Spoil:
    """Spoil one entry of at least 1e-3 of the rms; the place is chosen at the first call and kept.

    The first call of every checker is the one whose gradient it compares.
    """
    rng = np.random.default_rng(seed)
    place: list[tuple[str, int]] = []

    def spoil(gradients: Gradients) -> Gradients:
        if not place:
            for name in rng.permutation(list(gradients)):
                part = gradients[name].astype(np.float64)
                live = np.flatnonzero(np.abs(part) >= max(1e-3 * float(np.linalg.norm(part)) / part.size**0.5, 1e-100))
                if live.size:
                    place.append((str(name), int(rng.choice(live))))
                    break
            else:
                raise NothingToSpoilError
        name, at = place[0]
        gradients[name].flat[at] *= 1 + share
        return gradients

    return spoil


def _factor(share: float, seed: int) -> Spoil:
    return lambda gradients: {name: part * (1 + share) for name, part in gradients.items()}


SPOILS: dict[str, tuple[Callable[[float, int], Spoil], float] | None] = {
    "right": None,
    "one entry off by 1 %": (_one_entry, 0.01),
    "all off by 1 + 1e-5": (_factor, 1e-5),
    "one entry off by 1e-6": (_one_entry, 1e-6),
}


def spoiled(sample: Sample, label: str, seed: int) -> Callable[..., Any]:
    """Wrap the sample's backward so that it returns spoiled gradients."""
    chosen = SPOILS[label]
    if chosen is None:
        return sample.backward
    spoil = chosen[0](chosen[1], seed)
    names = sample.wrt or tuple(name for name, a in sample.inputs.items() if a.dtype.kind == "f")

    def backward(upstream: np.ndarray, *inputs: np.ndarray, **options: Any) -> tuple[np.ndarray, ...]:
        returned = sample.backward(upstream, *inputs, **options)
        arrays = returned if isinstance(returned, tuple) else (returned,)
        gradients = {name: np.array(a) for name, a in zip(names, arrays, strict=True)}
        return tuple(spoil(gradients).values())

    return backward


def textbook(sample: Sample, backward: Callable[..., Any], seed: int) -> dict[str, str]:
    """Judge by the three checks of textbooks, central differences with eps 1e-6 of a weighted sum."""
    names = sample.wrt or tuple(name for name, a in sample.inputs.items() if a.dtype.kind == "f")
    inputs = {name: a.astype(np.float64) if a.dtype.kind == "f" else a for name, a in sample.inputs.items()}
    y = np.asarray(sample.forward(*inputs.values(), **sample.options))
    g = np.random.default_rng(seed).standard_normal(y.shape)
    returned = backward(g, *sample.inputs.values(), **sample.options)
    analytic = [np.asarray(a, np.float64) for a in (returned if isinstance(returned, tuple) else (returned,))]
    numeric = []
    for name in names:
        x = inputs[name]
        part = np.zeros(x.shape)
        for at in np.ndindex(x.shape):
            old = x[at]
            x[at] = old + 1e-6
            up = np.sum(g * sample.forward(*inputs.values(), **sample.options))
            x[at] = old - 1e-6
            down = np.sum(g * sample.forward(*inputs.values(), **sample.options))
            x[at] = old
            part[at] = (up - down) / 2e-6
        numeric.append(part)
    a, n = (np.concatenate([part.ravel() for part in side]) for side in (analytic, numeric))
    size = np.maximum(np.maximum(np.abs(a), np.abs(n)), 1e-300)
    norm = max(float(np.linalg.norm(a) + np.linalg.norm(n)), 1e-300)
    return {
        "max relative error < 1e-5": "pass" if np.max(np.abs(a - n) / size, initial=0.0) < 1e-5 else "fail",
        "norm ratio < 1e-7": "pass" if np.linalg.norm(a - n) / norm < 1e-7 else "fail",
        "allclose 1e-5, 1e-3": "pass" if np.allclose(a, n, rtol=1e-3, atol=1e-5) else "fail",
    }


def judge(job: tuple[str, int, int, str | None, float | None]) -> tuple[str, dict[str, str], str]:
    """Judge one case in every way."""
    label, number, seed, dtype, scale = job
    sample = next(iter(draw_samples(1, seed * 1_000_003 + number, dtype, scale)))
    with np.errstate(all="ignore"):
        try:
            by_textbooks = textbook(sample, spoiled(sample, label, number), number)
        except NothingToSpoilError:
            return label, {}, ""
        backward = spoiled(sample, label, number)
        layer = wrap(sample.forward, backward, inputs=tuple(sample.inputs), options=sample.options)
        settings = Settings(wrt=sample.wrt, seed=number, naming=False)
        report = try_layer(layer, sample.inputs, options=sample.options, settings=settings)
        verdicts = {"gradcheck": str(report.verdict), **by_textbooks}
    about = f"{sample.name} {sample.dtype} scale {sample.scale:g} { {k: v.shape for k, v in sample.inputs.items()} }"
    return label, verdicts, f"{about} number {number}: {report.error}"


def main() -> int:
    """Run the samples, print the table, and return 1 where a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--show", type=int, default=5, help="how many wrong verdicts to print of each sample")
    options = parser.parse_args()
    rows: list[tuple[str, str | None, float | None]] = [("right", None, None), ("right", "float64", 1.0)]
    rows += [(label, dtype, None) for dtype in ("float64", "float32") for label in list(SPOILS)[1:]]
    missed = False
    with ProcessPoolExecutor(options.jobs) as pool:
        for label, dtype, scale in rows:
            jobs = [(label, number, options.seed, dtype, scale) for number in range(options.count)]
            tally: dict[str, Counter[str]] = {}
            shown = 0
            for _, verdicts, about in pool.map(judge, jobs, chunksize=50):
                if not verdicts:
                    continue
                for who, verdict in verdicts.items():
                    tally.setdefault(who, Counter())[verdict] += 1
                wrong = verdicts["gradcheck"] in (("fail", "error") if label == "right" else ("pass",))
                if wrong and shown < options.show:
                    shown += 1
                    print(f"    {verdicts['gradcheck']}: {about}")
            print(f"{label}, {dtype or 'mixed'}, scale {scale or 'mixed'}")
            for who, counts in tally.items():
                print(
                    f"  {who:28s} " + "  ".join(f"{k} {counts[k]:6d}" for k in ("pass", "fail", "undecided", "error"))
                )
            ours = tally["gradcheck"]
            missed |= label == "right" and bool(ours["fail"] or ours["error"])
            missed |= label == "right" and scale == 1.0 and ours["undecided"] >= 0.01 * options.count
            missed |= dtype == "float64" and label == "one entry off by 1 %" and bool(ours["pass"])
            missed |= dtype == "float64" and label == "all off by 1 + 1e-5" and ours["pass"] >= 0.01 * options.count
    print("a bar is missed" if missed else "all bars hold")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
