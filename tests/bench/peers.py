"""gradcheck beside other checkers of gradients: ``python tests/bench/peers.py [--markdown]`` (an hour, or two).

Every checker is given the same NumPy layers, right and with ten planted bugs, in six sizes: softmax and layer norm of
every row, and the mean cross-entropy. Each measurement has a process of its own, on one thread, one process at a time.
Needs ``torch jax autograd scipy`` beside gradcheck; what is missing is listed as missing. ``--save`` keeps what was
measured, ``--read`` draws it again.

Bars: softmax (64, 100), every entry of the Jacobian, in 1/30 of the time and 1/20 of the memory of torch's slow mode;
(1000, 100) in the time of 5 x 2K forward calls; (1000, 1000) and (10000, 100) under 2 GB; every bug caught.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from peers_table import Cell, describe_machine, draw_markdown, draw_plain, try_bars

LAYERS = ("softmax", "layer norm", "cross-entropy")
SIZES = ((8, 10), (64, 100), (256, 256), (1000, 100), (10000, 100), (1000, 1000))
MODES = ("auto", "full", "slices", "entries", "directions")
PEERS = (
    "torch slow",
    "torch fast",
    "jax check_vjp",
    "jax check_grads",
    "autograd check_grads",
    "scipy check_grad",
    "plain loop",
)
TOOLS = (*(f"gradcheck {mode}" for mode in MODES), *PEERS)
BUDGET, START = 20_000, 100  # gradcheck's forward calls, and those of them that a start may take
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
SINGLE_CORE = "--xla_cpu_multi_thread_eigen=false"
GIGABYTE = 1 << 30


def main() -> int:
    """Measure, print the table and the bars; 1 if a bar is not met."""
    options = parse_arguments()
    if options.read:
        kept = json.loads(options.read.read_text())
        machine, cells = kept["machine"], [Cell(**cell) for cell in kept["cells"]]
    else:
        machine = describe_machine()
        cells = []
        for cell in measure_all(options):
            cells.append(cell)
            print(cell.row(), file=sys.stderr, flush=True)
            if options.save:  # after each: what takes hours may be ended early
                options.save.write_text(json.dumps({"machine": machine, "cells": [vars(one) for one in cells]}))
    print((draw_markdown if options.markdown else draw_plain)(cells, machine))
    bars = try_bars(cells)
    print("\n" + "\n".join(f"{'met   ' if met else 'MISSED'} {text}" for met, text in bars), file=sys.stderr)
    return int(not all(met for met, _ in bars))


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--markdown", action="store_true", help="the table for a README")
    parser.add_argument("--save", type=Path, help="file for what was measured")
    parser.add_argument("--read", type=Path, help="draw what was measured before")
    parser.add_argument("--tools", default="", help="parts of names, as in 'gradcheck,torch'")
    parser.add_argument("--layers", default="")
    parser.add_argument("--sizes", default="", help="as in '8x10,64x100'")
    parser.add_argument("--seeds", type=int, default=20, help="points at which bugs are planted, at most")
    parser.add_argument("--limit", type=float, default=120.0, help="seconds of processor time for a check")
    parser.add_argument("--memory", type=float, default=8.0, help="GB for a check")
    parser.add_argument(
        "--patience", type=float, default=60.0, help="seconds after which no bug is planted at a further seed"
    )
    return parser.parse_args()


def measure_all(options: argparse.Namespace) -> Iterator[Cell]:
    """Measure what is asked for; what failed for its size is not tried on larger ones."""
    layers = [name for name in LAYERS if _chosen(name, options.layers)]
    sizes = [size for size in SIZES if _chosen(f"{size[0]}x{size[1]}", options.sizes, str.__eq__)]
    for layer in layers:
        failed: set[str] = set()
        for shape in sorted(sizes, key=lambda shape: shape[0] * shape[1]):
            auto = ""
            for tool in (name for name in TOOLS if _chosen(name, options.tools)):
                cell = Cell(tool, layer, shape)
                mode = tool.partition(" ")[2] if tool.startswith("gradcheck") else ""
                if mode not in ("", "auto") and not affordable(mode, layer, shape):
                    cell.status = "beyond the budget"
                elif mode and mode == auto:
                    cell.status = "as auto"
                elif tool in failed:
                    cell.status = "not tried"
                else:
                    measure(cell, options)
                    if cell.status in ("over time", "out of memory"):
                        failed.add(tool)
                auto = cell.mode if mode == "auto" else auto
                yield cell


def affordable(mode: str, layer: str, shape: tuple[int, int]) -> bool:
    """Whether a mode stays within gradcheck's default budget of forward calls, and applies to the layer."""
    if mode in ("full", "entries"):
        return 2 * shape[0] * shape[1] + START <= BUDGET
    # the mean couples all rows: there are no slices to be found
    return mode != "slices" or (layer != "cross-entropy" and 3 * shape[1] + START <= BUDGET)


def measure(cell: Cell, options: argparse.Namespace) -> None:
    """Run one measurement in a process of its own."""
    task = {
        "tool": cell.tool,
        "layer": cell.layer,
        "shape": cell.shape,
        "seeds": options.seeds,
        "limit": options.limit,
        "memory": int(options.memory * GIGABYTE),
        "patience": options.patience,
    }
    environment = {**os.environ, **dict.fromkeys(THREADS, "1"), "XLA_FLAGS": SINGLE_CORE}
    # the worker's answers are small: no pipe runs full
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("peers_worker.py")), json.dumps(task)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    for line in done.stdout.splitlines():
        if line.startswith("{"):
            cell.learn(json.loads(line))
    if done.returncode == -signal.SIGPROF:
        cell.stop("over time")
    elif done.returncode:
        cell.stop(f"ended by {done.returncode}: {done.stderr.strip()[-200:]}")


def _chosen(name: str, asked: str, fits: Callable[[str, str], bool] = str.__contains__) -> bool:
    return not asked or any(fits(name, part) for part in asked.split(","))


if __name__ == "__main__":
    sys.exit(main())
