"""Layers that misbehave, as a user's file, and what is to be said of each."""

from __future__ import annotations

from pathlib import Path

from gradcheck.model import Case, Expectation, InputSpec, LayerSpec, Verdict

SOURCE = """
import ctypes, os, random, signal, subprocess, sys, threading, time
import numpy as np


def good(x):
    return np.tanh(x)


def good_backward(g, x):
    return g * (1 - np.tanh(x) ** 2)


def wrong_backward(g, x):
    return g * (1 - np.tanh(x))


# the twelve ways


def raises(x):
    print("about to")
    raise ValueError("no way [/bold]")


def exits(x):
    sys.exit(3)


def leaves(x):
    print("last words")
    os._exit(0)


def killed(x):
    os.kill(os.getpid(), signal.SIGKILL)


def segfaults(x):
    print("last words")
    ctypes.string_at(0)


def loops(x):
    print("for ever")
    while True:
        pass


def allocates(x):
    kept = []
    while True:
        kept.append(bytearray(1 << 24))


def locks(x):
    lock = threading.Lock()
    lock.acquire()
    lock.acquire()


def forks(x):
    os.fork()
    return np.tanh(x)


def closes(x):
    os.close(1)
    os.close(2)
    return np.tanh(x)


def floods(x):
    while True:
        os.write(1, b"y" * 999 + b"\\n")


def moves(x):
    os.chdir(os.sep)
    return np.tanh(x)


# more of the same


def sets_environment(x):
    os.environ["LAYER_WAS_HERE"] = "1"
    return np.tanh(x)


def sets_handler(x):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    return np.tanh(x)


def sets_alarm(x):
    signal.alarm(100)
    return np.tanh(x)


def closes_stream(x):
    sys.stdout.close()
    return np.tanh(x)


def closes_everything(x):
    os.closerange(3, 256)
    return np.tanh(x)


def leaves_processes(x):
    if os.fork() == 0:
        os.setsid()
        time.sleep(1000)
    return np.tanh(x)


def bombs(x):
    while True:
        os.fork()


def interrupts(x):
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(10)


def backtracks(x):
    import re
    re.match(r"(a+)+$", "a" * 60 + "b")


def stops_to_debug(x):
    breakpoint()


def asks(x):
    input("what now? ")


# what is allowed


def prints(x):
    print("hello")
    print("hello", file=sys.stderr)
    return np.tanh(x)


def steps_aside(x):
    before = os.getcwd()
    os.chdir(os.sep)
    os.environ["LAYER_WAS_HERE"] = "1"
    os.chdir(before)
    del os.environ["LAYER_WAS_HERE"]
    return np.tanh(x)


def reseeds(x):
    np.random.seed(0)
    random.seed(0)
    np.random.rand()
    np.seterr(all="ignore")
    np.set_printoptions(precision=2)
    return np.tanh(x)


def patches(x):
    sys.path.insert(0, "nowhere")
    sys.setrecursionlimit(200_000)
    np.exp = np.sin
    return np.tanh(x)


def starts_process(x):
    subprocess.run([sys.executable, "-S", "-c", ""], check=True)
    return np.tanh(x)


def starts_pool(x):
    import multiprocessing

    with multiprocessing.get_context("fork").Pool(1) as pool:
        pool.map(abs, [1])
    return np.tanh(x)


def starts_thread(x):
    if threading.active_count() == 1:
        threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()
    return np.tanh(x)


# whether the process is clean


def inspects(x):
    assert os.getcwd() == os.environ["HOME_OF_TEST"], os.getcwd()
    assert "LAYER_WAS_HERE" not in os.environ
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0
    assert sys.path[0] != "nowhere" and sys.getrecursionlimit() < 200_000
    assert np.exp(0.0) == 1
    assert np.get_printoptions()["precision"] == 8
    assert os.fstat(1).st_ino == os.fstat(2).st_ino and not sys.stdout.closed
    assert threading.active_count() == 1
    return np.tanh(x)
"""

TWELVE = {
    "raises": "forward raised ValueError: no way [/bold] (layers.py:23)",
    "exits": "forward raised SystemExit: 3 (layers.py:27)",
    "leaves": "the layer ended its process with the status 0",
    "killed": "the process of the layer was killed by SIGKILL, perhaps by the system for want of memory",
    "segfaults": "the layer crashed with a segmentation fault (SIGSEGV) in segfaults (layers.py:41)",
    "loops": "timed out after 1 s in loops (layers.py)",
    "allocates": "forward raised MemoryError (layers.py:53)",
    "locks": "timed out after 1 s in locks (layers.py)",
    "forks": "the layer forked, and the child came back out of it",
    "closes": "the layer closed or replaced its standard output",
    "floods": "the layer flooded its output: more than 32 MiB",
    "moves": "the layer changed the working directory (/)",
}
MORE = {
    "sets_environment": "the layer changed the environment (LAYER_WAS_HERE)",
    "sets_handler": "the layer changed the handlers of signals (SIGTERM)",
    "sets_alarm": "the layer changed the alarm (it is set)",
    "closes_stream": "the layer closed or replaced its standard output",
    "closes_everything": "the layer closed or overwrote the pipe of its process",
    "interrupts": "the layer raised KeyboardInterrupt (layers.py:124)",
    "backtracks": "timed out after 1 s in backtracks (layers.py)",
    "bombs": "the layer forked, and the child came back out of it",
    "stops_to_debug": "breakpoint() needs a terminal, and a worker has none\n  = help: run it with --in-process",
    "asks": "forward raised EOFError: EOF when reading a line (layers.py:138)",
}
ALLOWED = (
    "prints",
    "steps_aside",
    "reseeds",
    "patches",
    "starts_process",
    "starts_pool",
    "starts_thread",
)


def write_layers(folder: Path) -> Path:
    """Write the layers into a file of a folder."""
    path = folder / "layers.py"
    path.write_text(SOURCE)
    return path


def make_case(name: str, folder: Path, *, backward: str = "good_backward", title: str = "") -> Case:
    """Return a case of one of the layers."""
    layer = LayerSpec(forward=f"layers.py:{name}", backward=f"layers.py:{backward}", base=str(folder))
    return Case(title or name, layer, {"x": InputSpec(shape=(2, 3))})


def make_suite(folder: Path, size: int) -> list[Case]:
    """Return a suite of cases of which twelve misbehave in the twelve ways, spread over it."""
    bad = list(TWELVE)
    stride = size // len(bad)
    cases = []
    for number in range(size):
        at, rest = divmod(number, stride)
        if rest == 1 and at < len(bad):
            case = make_case(bad[at], folder, title=f"{number:03} {bad[at]}")
            case.expect = Expectation(Verdict.ERROR)
            case.timeout = 1.0 if TWELVE[bad[at]].startswith("timed out") else None
        elif number % 5 == 4:
            case = make_case("good", folder, backward="wrong_backward", title=f"{number:03} wrong")
            case.expect = Expectation(Verdict.FAIL)
        else:
            case = make_case("inspects", folder, title=f"{number:03} good")
        cases.append(case)
    return cases
