"""How long the command line takes to start, beside the packages that it cannot do without.

``python tests/bench/startup.py`` runs each command and its yardstick in turn, ten times each, and prints medians. It
exits with 1 where

- ``gradcheck run softmax --axis 1`` takes more than 1.6 times as long as importing numpy, click and rich.table,
- ``gradcheck --help`` takes more than 0.8 times as long.

Compiled files must be kept, as they are for whoever has installed the package: ``PYTHONDONTWRITEBYTECODE`` is not
handed on.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
YARDSTICK = ["-c", "import numpy, click, rich.table"]
COMMANDS = {
    "run softmax --axis 1": (["-m", "gradcheck", "run", "softmax", "--axis", "1"], 1.6),
    "--help": (["-m", "gradcheck", "--help"], 0.8),
    "--version": (["-m", "gradcheck", "--version"], 0.8),
    "list": (["-m", "gradcheck", "list"], None),
}
"""What is measured, and the longest time in units of the yardstick."""


def measure(commands: dict[str, list[str]], runs: int, *, cpu: bool = False) -> dict[str, list[float]]:
    """Return seconds by name; the commands take turns, so that what else the machine does falls on all alike.

    ``cpu``: seconds of the processor instead of the clock, for a machine that is busy with other things.
    """
    environ = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    environ["PYTHONPATH"] = str(ROOT)
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    for number in range(runs + 1):
        for name, arguments in commands.items():
            start = _now(cpu)
            subprocess.run([sys.executable, *arguments], env=environ, cwd=ROOT, check=True, capture_output=True)
            if number:  # the first one may have to compile
                seconds[name].append(_now(cpu) - start)
    return seconds


def _now(cpu: bool) -> float:
    spent = os.times()
    return spent.children_user + spent.children_system if cpu else time.perf_counter()


def main() -> int:
    """Measure, print, and say whether the bars are kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--cpu", action="store_true", help="seconds of the processor, on a busy machine")
    given = parser.parse_args()
    commands = {"yardstick": YARDSTICK, **{name: arguments for name, (arguments, _) in COMMANDS.items()}}
    found = measure(commands, given.runs, cpu=given.cpu)
    unit = statistics.median(found["yardstick"])
    kept = True
    print(f"{'import numpy, click, rich.table':32} {unit * 1000:6.0f} ms   1.00")
    for name, (_, bar) in COMMANDS.items():
        median = statistics.median(found[name])
        fine = bar is None or median <= bar * unit
        kept = kept and fine
        said = "" if bar is None else f"   at most {bar:.2f}{'' if fine else ': MISSED'}"
        print(f"{'gradcheck ' + name:32} {median * 1000:6.0f} ms   {median / unit:.2f}{said}")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
