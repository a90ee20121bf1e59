"""Who helps whom: what a worker asks for, what it is lent, and what becomes of it."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from gradcheck.runner import assistance
from gradcheck.runner.assistance import Assistance
from gradcheck.runner.loans import Bank, Desk, Loan
from gradcheck.runner.wire import Answer, Done, Joined, Part, Plea, Release, receive, send
from tests.runner.layers import make_case

CASE = make_case("good", Path("folder"))


class Wire:
    """Both ends of an :class:`Assistance`."""

    def __init__(self) -> None:
        requests, self.to_worker = os.pipe()
        self.from_worker, answers = os.pipe()
        self.ends = [requests, self.to_worker, self.from_worker, answers]
        self.worker = Assistance(requests, answers)

    def say(self, message: object) -> None:
        send(self.to_worker, message)

    def heard(self) -> object:
        return receive(self.from_worker)


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    made = Wire()
    yield made
    for end in made.ends:
        try:
            os.close(end)
        except OSError:
            continue


def test_help_is_asked_for_and_comes(wire: Wire) -> None:
    worker = wire.worker
    assert worker.present() == []
    worker.ask()
    plea = wire.heard()
    assert isinstance(plea, Plea)
    assert worker.present() == []
    wire.say(Joined(plea.session, 7))
    assert worker.present() == [7]
    worker.give(7, b"points")
    part = wire.heard()
    assert part == Part(7, 1, b"points")
    wire.say(Done(7, 1, b"values"))
    assert worker.take(7, 5) == b"values"
    assert worker.present() == [7]


def test_nobody_asks_all_the_time(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    wire.worker.ask()
    wire.worker.ask()
    wire.worker.release()
    assert [type(wire.heard()) for _ in range(2)] == [Plea, Release]
    wire.worker.ask()  # for another case
    assert isinstance(wire.heard(), Plea)
    monkeypatch.setattr(assistance, "AGAIN", 0.0)


def test_who_comes_too_late_is_not_there(wire: Wire) -> None:
    wire.worker.ask()
    plea = wire.heard()
    assert isinstance(plea, Plea)
    wire.worker.release()
    wire.worker.ask()
    wire.say(Joined(plea.session, 1))

    assert wire.worker.present() == []


def test_an_answer_to_an_earlier_part_is_none(wire: Wire) -> None:
    wire.worker.ask()
    wire.say(Joined(0, 1))
    assert wire.worker.present() == [1]
    wire.worker.give(1, b"first")
    wire.worker.give(1, b"second")
    wire.say(Done(1, 1, b"old"))
    wire.say(Done(1, 2, b"new"))

    assert wire.worker.take(1, 5) == b"new"


@pytest.mark.parametrize("end", ["fails", "late", "closed"])
def test_help_that_does_not_come(end: str, wire: Wire) -> None:
    worker = wire.worker
    worker.ask()
    wire.say(Joined(0, 1))
    assert worker.present() == [1]
    worker.give(1, b"points")
    if end == "fails":
        wire.say(Done(1, 1, None))
    elif end == "closed":
        os.close(wire.to_worker)

    assert worker.take(1, 0.05) is None
    assert worker.present() == []
    assert worker.take(1, 5) is None  # at once


def test_a_run_that_is_gone(wire: Wire) -> None:
    for end in (wire.to_worker, wire.from_worker):
        os.close(end)
    wire.worker.ask()
    wire.worker.give(1, b"")

    assert wire.worker.present() in ([], [1])
    assert wire.worker.take(1, 0.05) is None


def take_seats(bank: Bank, number: int) -> list[list[Loan | None]]:
    """Have threads wait for a loan each; return where they put it."""
    found: list[list[Loan | None]] = [[] for _ in range(number)]
    for seat in found:
        threading.Thread(target=lambda seat=seat: seat.append(bank.wait()), daemon=True).start()
    return found


def wait_until_idle(bank: Bank, number: int) -> None:
    pause = threading.Event()
    while len(bank._idle) < number:
        pause.wait(0.01)


def test_idle_workers_are_shared_fairly() -> None:
    bank = Bank(6)
    for _ in range(4):
        bank.retire()
    take_seats(bank, 4)
    wait_until_idle(bank, 4)

    assert len(bank.lend(CASE, "", Plea(0), print)) == 2  # of four, for two that may ask
    assert len(bank.lend(CASE, "", Plea(0), print)) == 1
    bank.retire()
    assert len(bank.lend(CASE, "", Plea(0), print)) == 1
    assert bank.lend(CASE, "", Plea(0), print) == []
    bank.close()


def test_the_last_one_closes_the_bank() -> None:
    bank = Bank(2)
    bank.retire()
    seats = take_seats(bank, 1)
    wait_until_idle(bank, 1)
    bank.retire()

    assert bank.wait() is None
    pause = threading.Event()
    for _ in range(100):
        if seats[0]:
            break
        pause.wait(0.01)
    assert seats == [[None]]


def test_a_desk_passes_on_what_it_is_asked_for() -> None:
    said: list[object] = []
    bank = Bank(2)
    bank.retire()
    seats = take_seats(bank, 1)
    wait_until_idle(bank, 1)
    desk = Desk(bank, CASE, "there", said.append)

    assert desk.take(Plea(3))
    (number,) = desk._loans
    loan = desk._loans[number]
    loan.join()
    part = Part(number, 5, b"points")
    assert desk.take(part)
    assert desk.take(Part(99, 6, b"for nobody"))
    assert loan.next() is part
    loan.hand_back(part, b"values")
    assert desk.take(Release(number))
    assert loan.next() is None
    assert not desk.take(None)
    assert not desk.take(Answer)
    assert said == [Joined(3, number), Done(number, 5, b"values")]
    assert seats[0] in ([], [loan])
    bank.close()


def test_a_desk_with_nobody_to_ask() -> None:
    desk = Desk(None, CASE, "", print)

    assert desk.take(Plea(0))
    assert not desk._loans


def test_a_loan_that_is_forgotten_ends() -> None:
    assert Loan(1, CASE, "", Plea(0), print, patience=0.01).next() is None
