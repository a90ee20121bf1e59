"""What isolation costs a case, and what a second core gains: ``python tests/bench/runner.py``.

Bars: 400 small cases with ``-j 2`` in at most 0.65 of the time of ``-j 1`` on two cores; at most 5 ms of isolation for
a case (median of one run). Another number of cases may be given.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from statistics import median

ROOT = str(Path(__file__).parents[2])
sys.path.insert(0, ROOT)

# ruff: noqa: E402  (run as a script, from anywhere)
from gradcheck.model import Case, InputSpec, LayerSpec, Report, Verdict
from gradcheck.runner import Plan, run_cases

LAYER = """
import numpy as np


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def softmax_backward(x, g):
    s = softmax(x)
    return s * (g - (g * s).sum(axis=-1, keepdims=True))
"""
BAR_OF_TWO = 0.65
BAR_OF_ISOLATION = 5e-3


def make_cases(folder: str, number: int) -> list[Case]:
    """Return so many small cases of one layer."""
    Path(folder, "layer.py").write_text(LAYER)
    spec = LayerSpec(forward="layer.py:softmax", backward="layer.py:softmax_backward", base=folder)
    return [Case(f"case-{at}", spec, {"x": InputSpec(shape=(4, 5))}) for at in range(number)]


def time_each(reports: Iterable[Report]) -> list[float]:
    """Return the seconds that each report took to come; the first has the start of the worker in it."""
    found = []
    last = time.perf_counter()
    for report in reports:
        assert report.verdict is Verdict.PASS, report
        now = time.perf_counter()
        found.append(now - last)
        last = now
    return found


def time_command(folder: str, number: int, *options: str) -> float:
    """Return the seconds of the whole command."""
    names = "\n".join(
        f"  case-{at}: {{layer: {{forward: layer.py:softmax, backward: layer.py:softmax_backward}},"
        " inputs: {x: {shape: [4, 5]}}}"
        for at in range(number)
    )
    Path(folder, "all.yaml").write_text(f"version: 1\ncases:\n{names}\n")
    begun = time.perf_counter()
    command = [sys.executable, "-m", "gradcheck", "run", f"{folder}/all.yaml", "-q", *options]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": ROOT})
    return time.perf_counter() - begun


def main() -> int:
    """Measure and print; 1 if a bar is not met."""
    number = int(sys.argv[1]) if sys.argv[1:] else 400
    with tempfile.TemporaryDirectory() as folder:
        cases = make_cases(folder, number)
        inside = time_each(run_cases(cases, Plan(in_process=True)))
        alone = time_each(run_cases(cases, Plan(jobs=1)))
        both = time_each(run_cases(cases, Plan(jobs=2)))
        commands = [time_command(folder, number, "-j", jobs) for jobs in "12"]
    overhead = median(alone[1:]) - median(inside[1:])
    ratio = sum(both) / sum(alone)
    print(f"{number} cases             total s  median ms")
    for name, times in (("in this process", inside), ("-j 1", alone), ("-j 2", both)):
        print(f"  {name:18} {sum(times):9.2f}  {1e3 * median(times):9.2f}")
    print(f"  first report       {alone[0]:9.2f}")
    print(f"isolation of a case  {1e3 * overhead:9.2f} ms  (bar {1e3 * BAR_OF_ISOLATION:g})")
    print(f"-j 2 / -j 1          {ratio:9.3f}     (bar {BAR_OF_TWO})")
    print(f"the same, commands   {commands[1] / commands[0]:9.3f}     ({commands[0]:.2f} s and {commands[1]:.2f} s)")
    return int(overhead > BAR_OF_ISOLATION or ratio > BAR_OF_TWO)


if __name__ == "__main__":
    sys.exit(main())
