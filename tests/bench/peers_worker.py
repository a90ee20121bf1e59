"""One measurement in a process of its own: a checker on a layer of one size. Run by ``peers.py``.

Writes a line of JSON for everything that becomes known, since time or memory may be up at any moment: time by the
signal SIGPROF, which ends the process. What counts is processor time: other processes do not lengthen it.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import time
import warnings
from dataclasses import asdict, dataclass
from statistics import median

from peers_layers import BUGS, RIGHT, Layer, make_layer
from peers_tools import TOOLS, Answer, Driver

WARM_UP = (3, 4)
REPEATS, SECONDS_OF_REPEATS = 7, 10.0
FORWARDS, SECONDS_OF_FORWARDS = 20, 1.0


@dataclass(frozen=True)
class Task:
    """What is measured.

    Attributes
    ----------
    seeds
        Points at which the bugs are planted, at most.
    limit
        Seconds of processor time for a single check.
    memory
        Bytes of address space beyond those after the imports.
    patience
        Seconds of processor time after which no bugs are planted at a further seed. Where a check takes longer than
        this and than a quarter of the limit, none are planted at all.
    """

    tool: str
    layer: str
    shape: tuple[int, int]
    seeds: int
    limit: float
    memory: int
    patience: float


def main(task: Task) -> None:
    """Measure, and say what is known as soon as it is."""
    try:
        check = TOOLS[task.tool]()
    except ImportError as error:
        say(missing=error.name or str(error))
        return
    check(make_layer(task.layer, WARM_UP), 0)
    layer = make_layer(task.layer, task.shape)
    limit_memory(task.memory)
    try:
        busy = time_right(check, layer, task)
        if busy <= max(task.patience, task.limit / 4):
            plant_bugs(check, task)
    except Exception as error:  # noqa: BLE001  (whatever a checker raises is its result)
        say(error=describe(error))


def time_right(check: Driver, layer: Layer, task: Task) -> float:
    """Say memory, times and calls for the right backward; return the seconds of a check."""
    before = peak_memory()
    one = time_forward(layer)  # as slow as it is in a fresh process, where every large array has to be mapped
    times: list[float] = []
    while not times or (len(times) < REPEATS and sum(times) < SECONDS_OF_REPEATS):
        layer.forwards = layer.backwards = 0
        signal.setitimer(signal.ITIMER_PROF, task.limit)
        start, busy = time.perf_counter(), processor_time()
        answer = check(layer, 0)
        wall = time.perf_counter() - start
        times.append(processor_time() - busy)
        signal.setitimer(signal.ITIMER_PROF, 0)
        calls = {"forwards": layer.forwards, "backwards": layer.backwards}
        if len(times) == 1:
            say(memory=peak_memory() - before)
        say(wall=wall, busy=times[-1], forward=one, **asdict(answer), **calls)
        one = time_forward(layer)
    return median(times)


def plant_bugs(check: Driver, task: Task) -> None:
    """Say what the checker makes of each bug, and of the right backward, at one seed after the other."""
    begun = processor_time()
    for seed in range(task.seeds):
        for bug in (RIGHT, *BUGS):
            signal.setitimer(signal.ITIMER_PROF, task.limit)
            try:
                answer = check(make_layer(task.layer, task.shape, bug, seed), seed)
            except Exception as error:  # noqa: BLE001  (torch's fast mode runs the slow one for its message)
                answer = Answer("error", remark=describe(error))
            signal.setitimer(signal.ITIMER_PROF, 0)
            say(bug=bug, seed=seed, **asdict(answer))
        if processor_time() - begun > task.patience:
            return


def describe(error: Exception) -> str:
    """Say what an exception of a checker comes down to."""
    text = f"{type(error).__name__}: {error}"
    lost = isinstance(error, MemoryError) or "memory" in text.lower() or "allocate" in text.lower()
    return "out of memory" if lost else text[:300]


def time_forward(layer: Layer) -> float:
    """Return the median seconds of processor time of the layer's own forward."""
    times: list[float] = []
    while len(times) < FORWARDS and sum(times) < SECONDS_OF_FORWARDS:
        start = processor_time()
        layer.forward(layer.x)
        times.append(processor_time() - start)
    return median(times)


def processor_time() -> float:
    """Return the seconds that this process has computed; Python's own clock is coarse while a timer runs."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def peak_memory() -> int:
    """Return the largest number of bytes that this process ever held."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def limit_memory(size: int) -> None:
    """Refuse this process more address space than it has and ``size`` bytes."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            now = int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:  # not Linux
        now = 0
    resource.setrlimit(resource.RLIMIT_AS, (now + size, resource.RLIM_INFINITY))


def say(**known: object) -> None:
    """Write a line for the process that collects the table."""
    print(json.dumps(known), flush=True)


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # of the peers, which are asked for nothing but their verdict
    request = json.loads(sys.argv[1])
    main(Task(**{**request, "shape": tuple(request["shape"])}))
