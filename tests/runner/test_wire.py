from __future__ import annotations

import contextlib
import os
import pickle
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradcheck.model import Case, LayerSpec
from gradcheck.runner.wire import GarbledError, Task, receive, send


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reader, writer = os.pipe()
    yield reader, writer
    for end in (reader, writer):
        with contextlib.suppress(OSError):
            os.close(end)


def test_messages_arrive_as_they_were_sent(pipe: tuple[int, int]) -> None:
    tasks = [Task(Case(str(number), LayerSpec(target="x"))) for number in range(3)]
    for task in tasks:
        send(pipe[1], task)

    assert [receive(pipe[0]) for _ in tasks] == tasks


def test_the_end(pipe: tuple[int, int]) -> None:
    os.close(pipe[1])
    with pytest.raises(EOFError):
        receive(pipe[0])


def test_a_message_cut_short(pipe: tuple[int, int]) -> None:
    os.write(pipe[1], b"gck\x01\0\0\0")
    os.close(pipe[1])
    with pytest.raises(EOFError):
        receive(pipe[0])


def damaged(position: int) -> bytes:
    reader, writer = os.pipe()
    send(writer, "a message")
    data = bytearray(os.read(reader, 1000))
    os.close(reader)
    os.close(writer)
    data[position] ^= 0xFF
    return bytes(data)


@pytest.mark.parametrize("data", [b"hello from a layer\n" * 3, damaged(0), damaged(4), damaged(14), damaged(-1)])
def test_something_else(data: bytes, pipe: tuple[int, int]) -> None:
    os.write(pipe[1], data)
    with pytest.raises(GarbledError):
        receive(pipe[0])


class Gone:
    """Something that can be sent and not be received."""

    def __reduce__(self) -> tuple[object, ...]:
        return (int, ("no number",))


def test_something_that_cannot_be_read(pipe: tuple[int, int]) -> None:
    send(pipe[1], Gone())
    with pytest.raises(GarbledError, match="ValueError"):
        receive(pipe[0])


def test_something_that_cannot_be_sent(pipe: tuple[int, int]) -> None:
    with pytest.raises((pickle.PicklingError, AttributeError)):
        send(pipe[1], lambda: None)


@settings(max_examples=200, deadline=None)
@given(st.binary(min_size=16, max_size=200))
def test_no_bytes_do_more_than_that(data: bytes) -> None:
    reader, writer = os.pipe()
    os.write(writer, data)
    os.close(writer)
    try:
        with pytest.raises((GarbledError, EOFError)):
            receive(reader)
    finally:
        os.close(reader)
