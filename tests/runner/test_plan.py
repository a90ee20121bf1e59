from __future__ import annotations

import pytest

from gradcheck.model import Case, InputSpec, LayerSpec, Settings
from gradcheck.runner import Plan
from gradcheck.runner import plan as module
from gradcheck.runner.builtin import is_builtin
from gradcheck.runner.run import FEW, stays_here
from gradcheck.runner.threads import hold_threads

OWN = "gradcheck.reference.catalogue:softmax"
REFERENCE = LayerSpec(
    forward="gradcheck.reference.softmax:softmax", backward="gradcheck.reference.softmax:softmax_backward"
)


def case(spec: LayerSpec | None = None, timeout: float | None = None) -> Case:
    return Case("a", spec or LayerSpec(target=OWN), {"x": InputSpec(shape=(2, 3))}, timeout=timeout)


@pytest.mark.parametrize(
    ("asked", "said", "seconds"),
    [(None, None, 60), (None, 5.0, 5), (7.0, 5.0, 7), (7.0, None, 7), (0.0, 5.0, None), (None, 0.0, None)],
)
def test_timeout(asked: float | None, said: float | None, seconds: float | None) -> None:
    assert Plan(timeout=asked).timeout_of(case(timeout=said)) == seconds


@pytest.mark.parametrize(
    ("asked", "machine", "size"),
    [
        (None, 64 << 30, 4 << 30),
        (None, 8 << 30, 2 << 30),
        (None, 1 << 30, 512 << 20),
        (123, 1 << 30, 123),
        (0, 1 << 30, None),
    ],
)
def test_memory(asked: int | None, machine: int, size: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_machine_memory", lambda: machine)

    assert Plan(memory=asked).memory_of_worker() == size


def test_memory_does_not_depend_on_the_jobs() -> None:
    assert Plan(jobs=1).memory_of_worker() == Plan(jobs=64).memory_of_worker()


def test_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "count_cores", lambda: 8)

    assert [Plan().workers_for(cases) for cases in (0, 1, 5, 100)] == [1, 1, 5, 8]
    assert [Plan(jobs=3).workers_for(cases) for cases in (1, 100)] == [1, 3]


@pytest.mark.parametrize(
    ("spec", "own"),
    [
        (LayerSpec(target=OWN), True),
        (REFERENCE, True),
        (LayerSpec(target="softmax"), True),
        (LayerSpec(chain=[LayerSpec(target="softmax"), REFERENCE]), True),
        (LayerSpec(object="gradcheck.reference.x:Y", forward="compute", backward="delta"), True),
        (LayerSpec(target="mine.py:f"), False),
        (LayerSpec(target="gradcheck.py:f"), False),
        (LayerSpec(target="gradchecker:f"), False),
        (LayerSpec(target="nobody-knows"), False),
        (LayerSpec(forward="gradcheck.reference.softmax:softmax", backward="mine:f"), False),
        (LayerSpec(chain=[LayerSpec(target="softmax"), LayerSpec(target="mine:f")]), False),
        (LayerSpec(object="mine:Y"), False),
        (LayerSpec(node="mine:Y"), False),
    ],
)
def test_builtin(spec: LayerSpec, own: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib.metadata import EntryPoint

    point = EntryPoint("softmax", OWN, "gradcheck.layers")
    monkeypatch.setattr("gradcheck.casefile.index.layer_entry_points", lambda: {"softmax": [point]})

    assert is_builtin(case(spec)) is own


def test_a_name_that_two_packages_give_is_not_builtin(monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib.metadata import EntryPoint

    points = [EntryPoint("softmax", value, "gradcheck.layers") for value in (OWN, "other:softmax")]
    monkeypatch.setattr("gradcheck.casefile.index.layer_entry_points", lambda: {"softmax": points})

    assert not is_builtin(case(LayerSpec(target="softmax")))


def test_a_reference_of_the_user_is_not_builtin() -> None:
    each = case()
    each.settings = Settings(reference=LayerSpec(target="mine.py:f"))

    assert not is_builtin(each)


def test_what_stays_in_this_process() -> None:
    two = Plan(jobs=2)

    assert stays_here([case()] * FEW, two)
    assert stays_here([case()] * 1000, Plan(jobs=1))
    assert not stays_here([case()] * (FEW + 1), two)
    assert not stays_here([case(), case(LayerSpec(target="mine.py:f"))], two)
    assert not stays_here([case(timeout=5)], two)
    assert not stays_here([case()], Plan(timeout=5))
    assert not stays_here([case()], Plan(memory=1 << 30))


def test_one_thread() -> None:
    environment = {"OMP_NUM_THREADS": "8", "OTHER": "x"}
    hold_threads(environment)

    assert environment["OMP_NUM_THREADS"] == environment["OPENBLAS_NUM_THREADS"] == "1"
    assert environment["OTHER"] == "x"
