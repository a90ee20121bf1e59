"""The table of ``peers.py``, for the terminal and for the README, and the bars that it is held against."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from statistics import median

MEGABYTE = 1e6
PACKAGES = ("numpy", "torch", "jax", "autograd", "scipy")
RIGHT = ""
# Calls of the forward are allowed to take so many times their own time, memory so much, and torch so much more.
BAR_OF_CALLS, BAR_OF_MEMORY, BAR_OF_TIME_BESIDE_TORCH, BAR_OF_MEMORY_BESIDE_TORCH = 5.0, 2e9, 30.0, 20.0
HEAD = (
    f"{'layer':14s}{'size':13s}{'checker':22s}{'mode':11s}{'time':>9s}{'wall':>9s}{'forwards':>9s}{'backwards':>10s}{'MB':>7s}"
    "  bugs caught"
)


@dataclass
class Cell:
    """What one checker made of one layer in one size.

    Attributes
    ----------
    status
        Why there is nothing else, or not all of it: ``over time``, ``out of memory``, ``missing``, an error.
    walls
        Seconds of the checks of the right layer.
    busy, forward
        Seconds of processor time, which other processes do not lengthen: of the same, and of a call of the forward.
    right
        What was said of the right layer at each seed.
    caught, missed
        Names of bugs, once for every seed.
    """

    tool: str
    layer: str
    shape: tuple[int, int]
    status: str = ""
    mode: str = ""
    memory: int = 0
    walls: list[float] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)
    forward: list[float] = field(default_factory=list)
    forwards: int = 0
    backwards: int = 0
    right: list[str] = field(default_factory=list)
    caught: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)

    def learn(self, known: dict[str, object]) -> None:
        """Take in a line of the worker."""
        if "missing" in known or "error" in known:
            self.stop(f"{known['missing']} is missing" if "missing" in known else str(known["error"]))
        elif "memory" in known:
            self.memory = int(str(known["memory"]))
        elif "wall" in known:
            self.walls.append(float(str(known["wall"])))
            self.busy.append(float(str(known["busy"])))
            self.forward.append(float(str(known["forward"])))
            self.forwards, self.backwards = int(str(known["forwards"])), int(str(known["backwards"]))
            self.mode, verdict = str(known["mode"]), str(known["verdict"])
            if len(self.walls) == 1:
                self.right.append(verdict)
        elif known["bug"] == RIGHT:
            if known["seed"]:
                self.right.append(str(known["verdict"]))
        else:
            (self.caught if known["verdict"] == "fail" else self.missed).append(str(known["bug"]))
            if known["verdict"] == "error":
                self.stop(str(known["remark"]))

    def stop(self, why: str) -> None:
        """Remember why it ended; a cell that ended while bugs were planted keeps its times."""
        self.status = why if not self.walls else f"bugs: {why}"

    @property
    def time(self) -> float:
        """Seconds of processor time of a check: of the wall clock, where nothing else runs on this one thread."""
        return median(self.busy)

    @property
    def bugs(self) -> int:
        """Bugs that were tried."""
        return len(set(self.caught) | set(self.missed))

    @property
    def always(self) -> int:
        """Bugs that were caught at every seed."""
        return len(set(self.caught) - set(self.missed))

    @property
    def alarms(self) -> int:
        """Seeds at which the right backward was not accepted."""
        return sum(verdict != "pass" for verdict in self.right)

    @property
    def verdict(self) -> str:
        """What was caught, and what was not."""
        if not self.bugs:
            return self.status or "not tried"
        text = f"{self.always}/{self.bugs}"
        seeds = max((self.caught + self.missed).count(bug) for bug in self.caught + self.missed)
        text += f" at {seeds} seed{'s' * (seeds > 1)}"
        lost = sorted({f"{bug} ({self.missed.count(bug)}x)" for bug in self.missed})
        text += f"; not always: {', '.join(lost)}" if lost else ""
        text += f"; right one refused {self.alarms}x of {len(self.right)}" if self.alarms else ""
        return text + (f"; {self.status}" if self.status else "")

    def row(self) -> str:
        """Return the row of the plain table."""
        head = f"{self.layer:14s}{_size(self.shape):13s}{self.tool:22s}{self.mode:11s}"
        if not self.walls:
            return f"{head}{self.status}"
        times = f"{_time(self.time):>9s}{_time(median(self.walls)):>9s}"
        figures = f"{times}{self.forwards:9d}{self.backwards:10d}{_megabytes(self.memory):>7s}"
        return f"{head}{figures}  {self.verdict}"

    def brief(self) -> str:
        """Return the cell of the README's table."""
        if not self.walls:
            return {"beyond the budget": "", "not tried": "–"}.get(self.status, self.status)
        bugs = f"{self.always}/{self.bugs}" if self.bugs else "?"
        refused = "!" if self.alarms else ""
        calls = f"{self.forwards}+{self.backwards}"
        return f"{_time(self.time)} · {calls} · {_megabytes(self.memory)} MB · {bugs}{refused}"


def draw_plain(cells: list[Cell], machine: str) -> str:
    """Return one row per measurement."""
    return "\n".join([machine, "", HEAD, *(cell.row() for cell in cells)])


def draw_markdown(cells: list[Cell], machine: str) -> str:
    """Return a table with a row for each checker and layer, and a column for each size."""
    sizes = list(dict.fromkeys(tuple(cell.shape) for cell in cells))
    lines = [
        f"{machine}. Processor time (median; one thread) · forward + backward calls · peak memory beyond the imports ·"
        " planted bugs caught at every seed. `!`: refuses a right backward as well; `?`: too slow to plant bugs; `–`:"
        " not tried, since it failed on a smaller one; empty: beyond gradcheck's budget, or not applicable.",
        "",
        "| layer | checker | " + " | ".join(map(_size, sizes)) + " |",
        "|---" * (2 + len(sizes)) + "|",
    ]
    for layer in dict.fromkeys(cell.layer for cell in cells):
        for tool in dict.fromkeys(cell.tool for cell in cells):
            row = {tuple(cell.shape): cell for cell in cells if (cell.layer, cell.tool) == (layer, tool)}
            if any(cell.status != "beyond the budget" for cell in row.values()):
                texts = [_with_mode(row[size]) if size in row else "" for size in sizes]
                lines.append(f"| {layer} | {tool} | " + " | ".join(texts) + " |")
    return "\n".join(lines)


def describe_machine() -> str:
    """Return date, machine and versions."""
    model = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            model = next((line.split(":")[1].strip() for line in file if line.startswith("model name")), model)
    except OSError:  # not Linux
        pass
    load = f", load {os.getloadavg()[0]:.1f} at the start" if hasattr(os, "getloadavg") else ""
    found = [f"{name} {text}" for name in PACKAGES if (text := _version(name))]
    system = f"{platform.system()}, Python {platform.python_version()}, {', '.join(found)}"
    return f"{date.today()}, {model}, {os.cpu_count()} cores, one thread used, {system}{load}"


def try_bars(cells: list[Cell]) -> Iterable[tuple[bool, str]]:
    """Hold what was measured against what is promised: whether each bar is met, and the figures."""
    auto = {
        tuple(cell.shape): cell
        for cell in cells
        if (cell.layer, cell.tool) == ("softmax", "gradcheck auto") and cell.walls
    }
    slow = [
        cell for cell in cells if (cell.layer, cell.tool, tuple(cell.shape)) == ("softmax", "torch slow", (64, 100))
    ]
    bars: list[tuple[bool, str]] = []
    if (64, 100) in auto and slow and slow[0].walls:
        ours, theirs = auto[64, 100], slow[0]
        times, memory = theirs.time / ours.time, theirs.memory / max(ours.memory, 1)
        bars.append(
            (times >= BAR_OF_TIME_BESIDE_TORCH, f"softmax (64, 100): 1/{times:.0f} of torch's slow mode's time")
        )
        bars.append((memory >= BAR_OF_MEMORY_BESIDE_TORCH, f"softmax (64, 100): 1/{memory:.0f} of its memory"))
    if (1000, 100) in auto:
        cell = auto[1000, 100]
        ratios = [busy / (2 * cell.shape[1] * one) for busy, one in zip(cell.busy, cell.forward, strict=True)]
        text = f"softmax (1000, 100): {ratios[0]:.1f} times the time of 2K forward calls, both in a fresh process"
        text += f"; {median(ratios[1:]):.1f} times later on, when the allocator is warm" if ratios[1:] else ""
        bars.append((ratios[0] <= BAR_OF_CALLS, text))
    for shape in ((10000, 100), (1000, 1000)):
        for cell in (cell for cell in cells if cell.tool == "gradcheck auto" and tuple(cell.shape) == shape):
            text = f"{cell.layer} {_size(shape)}: {_megabytes(cell.memory)} MB"
            bars.append((bool(cell.walls) and cell.memory < BAR_OF_MEMORY, text))
    for cell in cells:
        if cell.tool.startswith("gradcheck") and cell.status not in ("beyond the budget", "as auto"):
            met = cell.bugs > 0 and not cell.missed and not cell.alarms and not cell.status
            bars.append((met, f"{cell.layer} {_size(cell.shape)} {cell.tool}: {cell.verdict}"))
    return bars


def _with_mode(cell: Cell) -> str:
    text = cell.brief()
    return f"{text} ({cell.mode})" if cell.tool == "gradcheck auto" and cell.walls else text


def _size(shape: Iterable[int]) -> str:
    return "({}, {})".format(*shape)


def _time(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e3:.2g} ms"


def _megabytes(size: int) -> str:
    return f"{size / MEGABYTE:.0f}" if size >= 10 * MEGABYTE else f"{size / MEGABYTE:.1f}"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
