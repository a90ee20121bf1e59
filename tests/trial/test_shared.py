"""Points shared out among helpers: merged in order, counted as one process would, and believed after a trial only."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradcheck.errors import LayerError
from gradcheck.layers.build import build
from gradcheck.model import Case, InputSpec, LayerSpec, Report, Settings, Verdict
from gradcheck.report.json import write_json
from gradcheck.trial import shared
from gradcheck.trial.calls import BudgetSpentError, Caller
from gradcheck.trial.case import try_case
from gradcheck.trial.helpers import pack_part, pack_rows, pack_values, unpack_rows, unpack_values
from gradcheck.trial.luck import SEEDS, Luck
from gradcheck.trial.shard import Shard
from gradcheck.trial.shared import evaluate_all, share
from gradcheck.trial.subject import Subject, prepare

SOURCE = """
import numpy as np

W = np.random.default_rng(0).standard_normal((4, 4))


def forward(x):
    return (np.tanh(x) @ W).T


def backward(g, x):
    return (g.T @ W.T) * (1 - np.tanh(x) ** 2)


def wrong_backward(g, x):
    return (g.T @ W.T) * (1 - np.tanh(x))


def rows(x):
    return np.tanh(x)


def rows_backward(g, x):
    return g * (1 - np.tanh(x) ** 2)


def kinked(x):
    if (x > 1e6).any():
        raise ValueError("too large")
    return np.log(np.abs(x)).T


def kinked_backward(g, x):
    return g.T / x
"""


class Crew:
    """Helpers in this process.

    Parameters
    ----------
    size
        How many come when they are asked for.
    spoil
        What becomes of the values of a part, by its number from 0; ``None``: the helper is gone.
    """

    def __init__(self, case: Case, size: int = 2, spoil: Callable[[int, bytes], bytes | None] | None = None) -> None:
        self.case, self.size = case, size
        self.spoil = spoil or (lambda _, data: data)
        self.shards: dict[int, Shard] = {}
        self.parts: dict[int, bytes] = {}
        self.shares: list[int] = []
        self.released = 0

    def ask(self) -> None:
        if not self.shards and not self.released:
            self.shards = {number: Shard(self.case) for number in range(1, self.size + 1)}

    def present(self) -> Sequence[int]:
        return list(self.shards)

    def give(self, helper: int, part: bytes) -> None:
        self.parts[helper] = part

    def take(self, helper: int, patience: float) -> bytes | None:
        assert patience >= shared.PATIENCE
        if helper not in self.shards:
            return None
        try:
            found = self.shards[helper].evaluate(self.parts.pop(helper))
        except LayerError:
            data = None
        else:
            self.shares.append(len(unpack_values(found)))
            data = self.spoil(len(self.shares) - 1, found)
        if data is None:
            self.shards.pop(helper)
        return data

    def release(self) -> None:
        self.released += 1
        self.shards.clear()


@pytest.fixture(autouse=True)
def _eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is worth sharing, and nothing is in vain."""
    monkeypatch.setattr(shared, "WORTHWHILE", 0.0)
    monkeypatch.setattr(shared, "ENOUGH", math.inf)


@pytest.fixture
def folder(tmp_path) -> Iterator[str]:
    (tmp_path / "layer.py").write_text(SOURCE)
    return str(tmp_path)


def make(folder: str, forward: str = "forward", backward: str = "backward", shape=(9, 4), **settings) -> Case:
    spec = LayerSpec(forward=f"layer.py:{forward}", backward=f"layer.py:{backward}", base=folder)
    return Case("it", spec, {"x": InputSpec(shape=shape)}, settings=Settings(**settings))


def text(report: Report) -> str:
    report.seconds = 0.0
    return write_json([report])


def check(case: Case, size: int = 2, spoil: Callable[[int, bytes], bytes | None] | None = None) -> Crew:
    crew = Crew(case, size, spoil)
    alone, together = try_case(case), try_case(case, crew)

    assert alone.verdict is not Verdict.ERROR, alone.error
    assert text(together) == text(alone)
    return crew


@pytest.mark.parametrize("size", [1, 2, 5])
@pytest.mark.parametrize("mode", ["full", "entries", "directions", "auto"])
def test_the_report_is_that_of_one_process(mode, size, folder):
    crew = check(make(folder, mode=mode, shape=(18, 4)), size)

    assert len(crew.shares) >= size


def test_the_naming_is_shared_too(folder):
    crew = check(make(folder, backward="wrong_backward"))

    assert sum(crew.shares) > 300


def test_points_that_go_through_one_call(folder):
    case = make(folder, "rows", "rows_backward", (40, 5), mode="full", glance=False, probes=False)
    crew = check(case)

    assert try_case(case).counts.points > 1.5 * try_case(case).counts.forwards
    assert sum(crew.shares) > 200


def test_outside_the_domain(folder):
    case = make(folder, "kinked", "kinked_backward", mode="full")
    case.inputs["x"] = InputSpec("uniform", (9, 4), parameters={"low": 0.9e6, "high": 1.0000001e6})

    check(case)


def spoiled(values: bytes) -> bytes:
    rows = unpack_values(values)
    rows[:] = np.nextafter(rows, np.inf)
    return pack_values(list(rows))


def shortened(values: bytes) -> bytes:
    return pack_values(list(unpack_values(values)[:-1]))


@pytest.mark.parametrize(
    ("spoil", "shares"),
    [
        (lambda number, data: spoiled(data), 1),
        (lambda number, data: None, 2),
        (lambda number, data: None if number == 3 else data, None),
        (lambda number, data: shortened(data), None),
    ],
    ids=["differs", "dies", "dies later", "too few"],
)
def test_help_that_is_no_help(spoil, shares, folder):
    crew = check(make(folder, mode="full"), 2, spoil)

    assert len(crew.shares) == shares if shares else len(crew.shares) > 3


def test_a_helper_that_has_been_proven_is_believed(folder):
    """The negative control: values that are spoiled after the trial would be seen in the report."""
    case = make(folder, mode="full")
    crew = Crew(case, 1, lambda number, data: spoiled(data) if number else data)

    assert text(try_case(case, crew)) != text(try_case(case))


def subject_of(case: Case, crew: Crew, budget: int | None = None) -> Subject:
    layer = build(case.layer, ("x",), {})
    caller = Caller(layer, {}, budget=budget)
    x = np.random.default_rng(0).standard_normal((9, 4))
    subject = prepare(caller, {"x": x}, ("x",), None, np.random.default_rng(1))
    subject.helpers = crew
    return subject


def test_values_come_in_the_order_of_their_points(folder):
    case = make(folder)
    crew = Crew(case, 3)
    subject = subject_of(case, crew)
    plain = subject.function("x")
    function = share(subject, "x", plain, 1000)
    points = [np.full((9, 4), float(number)) for number in range(52)]
    function(points[0])
    found = evaluate_all(function, points[:1]) + list(function.many(points))

    assert subject.caller.counts.forwards == 1 + 1 + 1 + 52
    assert sorted(crew.shares) == [2 + 13] * 3
    assert all(np.array_equal(plain(point), value) for point, value in zip(points, found[1:], strict=True))


def test_a_budget_ends_where_it_would(folder):
    case = make(folder)
    subject = subject_of(case, Crew(case, 2), budget=30)
    function = share(subject, "x", subject.function("x"), 1000)
    points = [np.zeros((9, 4))] * 40
    function(points[0])
    with pytest.raises(BudgetSpentError):
        function.many(points)
    assert subject.caller.counts.points == 30


@pytest.mark.parametrize("reason", ["unsteady", "pinned", "alone"])
def test_what_is_not_shared(reason, folder):
    case = make(folder)
    subject = subject_of(case, Crew(case))
    if reason == "unsteady":
        subject.steady = False
    elif reason == "pinned":
        subject.caller.luck = Luck(subject.caller.layer, SEEDS)
    else:
        subject.helpers = None
    function = subject.function("x")

    assert share(subject, "x", function, 1000) is function


def test_sharing_that_saves_nothing_ends(folder, monkeypatch):
    monkeypatch.setattr(shared, "ENOUGH", -1.0)
    crew = check(make(folder, mode="full", shape=(40, 4), glance=False), 1)

    assert 1 <= len(crew.shares) <= 4 * shared.VAIN


def test_rounds_too_small_to_be_shared_are_not_in_vain(folder, monkeypatch):
    monkeypatch.setattr(shared, "ENOUGH", -1.0)
    case = make(folder)
    crew = Crew(case, 1)
    function = share(subject := subject_of(case, crew), "x", subject.function("x"), 1000)
    points = [np.full((9, 4), float(number)) for number in range(40)]
    for point in points[: shared.VAIN + 2]:
        function.many([point])
    assert crew.present()
    assert not crew.shares
    function.many(points)

    assert crew.shares == [2 + 20]


def test_a_case_that_is_not_worth_it(folder, monkeypatch):
    monkeypatch.setattr(shared, "WORTHWHILE", math.inf)

    assert not check(make(folder, mode="full")).shares


NUMBERS = st.floats(width=64) | st.sampled_from([0.0, -0.0, math.nan, math.inf, 1e-320])


@given(st.data(), st.integers(1, 4), st.integers(1, 6))
def test_rows_survive_bit_for_bit(data, count, size):
    base = np.array(data.draw(st.lists(NUMBERS, min_size=size, max_size=size)))
    rows = [base.copy() for _ in range(count)]
    for row in rows:
        for at in data.draw(st.lists(st.integers(0, size - 1), max_size=2)):
            row[at] = data.draw(NUMBERS)

    for found in (unpack_rows(pack_rows(rows, base), base), unpack_values(pack_values(rows))):
        assert found.tobytes() == np.stack(rows).tobytes()


def test_few_differences_are_few_bytes():
    base = np.random.default_rng(0).standard_normal(10_000)
    rows = [base.copy() for _ in range(10)]
    for row in rows:
        row[3] = 0.0

    assert len(pack_rows(rows, base)) < 1000
    assert len(pack_rows([base + 1], base)) > 80_000


def test_another_base_is_noticed():
    base = np.arange(10.0)
    row = base.copy()
    row[3] = 0.0
    with pytest.raises(ValueError, match="another base"):
        unpack_rows(pack_rows([row], base), base + 1)


def test_the_function_is_sent_once(folder):
    case = make(folder)
    crew = Crew(case, 1)
    function = share(subject_of(case, crew), "x", subject_of(case, crew).function("x"), 1000)
    points = [np.zeros((9, 4))] * 10
    function(points[0])
    function.many(points)
    function.many(points)

    assert crew.shares == [2 + 5, 5]
    with pytest.raises(LayerError, match="another function"):
        Shard(case).evaluate(pack_part(1, None, pack_rows(points, points[0])))
