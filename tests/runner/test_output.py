from __future__ import annotations

import os
import time
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradcheck.runner import output as module
from gradcheck.runner.output import CAP, Output, Printed, tail

MARK = b"\0mark\0"


def read(pieces: Sequence[bytes], number: int, floods: list[int] | None = None) -> list[Printed]:
    """Return what is read of a pipe that the pieces are written into, one after the other."""
    reader, writer = os.pipe()
    output = Output(
        os.fdopen(reader, "rb", buffering=0), MARK, lambda: floods.append(1) if floods is not None else None
    )
    for piece in pieces:
        os.write(writer, piece)
    os.close(writer)
    found = [output.next() for _ in range(number)]
    output.join()
    return found


def test_output_is_divided_into_cases() -> None:
    found = read([b"one\n", MARK, MARK, b"three" + MARK + b"the rest"], 4)

    assert [each.text for each in found] == ["one\n", "", "three", "the rest"]
    assert not any(each.flooded or each.cut for each in found)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(max_size=20), min_size=1, max_size=5), st.data())
def test_however_the_pieces_fall(texts: list[str], data: st.DataObject) -> None:
    whole = MARK.join(text.encode() for text in texts) + MARK
    at = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=6)))
    pieces = [whole[a:b] for a, b in zip([0, *at], [*at, len(whole)], strict=True) if a < b]
    clean = [text.replace("\0", "") for text in texts]
    if clean == texts:
        assert [each.text for each in read(pieces, len(texts))] == texts


def test_bytes_that_are_no_text() -> None:
    assert read([b"a\xff\x1b[31m"], 1)[0].text == "a\\xff\x1b[31m"


def test_a_flood_is_cut_at_the_same_place_however_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FLOOD", 1000)
    text = b"".join(b"%06d\n" % number for number in range(1000))
    floods: list[int] = []
    once = read([text], 1, floods)
    slowly = read([text[at : at + 33] for at in range(0, len(text), 33)], 1)
    ended = read([text[:1500] + MARK], 1)

    assert floods == [1]
    assert once == slowly == ended
    assert once[0].flooded
    assert once[0].data == text[:1000]


def test_what_is_short_of_a_flood_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FLOOD", 1000)
    floods: list[int] = []
    first, second = read([b"x" * 1000 + MARK, b"x" * 1000], 2, floods)

    assert not floods
    assert not first.flooded
    assert not second.flooded


def test_the_end_is_kept() -> None:
    (found,) = read([b"%06d\n" % number * 100 for number in range(1000)], 1)

    assert found.cut
    assert len(found.data) < 100_000
    assert found.text.endswith("000999\n")


def test_a_tail_begins_with_a_whole_line() -> None:
    text = "".join(f"line {number}\n" for number in range(2000))

    assert len(tail(text)) <= CAP
    assert tail(text).startswith("line ")
    assert tail(text).endswith("line 1999\n")
    assert tail("short") == "short"
    assert tail("cut\nlast\n", cut=True) == "last\n"
    assert tail("x" * 5000) == "x" * CAP


def test_a_pipe_that_stays_open_is_not_waited_for() -> None:
    reader, writer = os.pipe()
    output = Output(os.fdopen(reader, "rb", buffering=0), MARK, lambda: None)
    begun = time.monotonic()

    assert output.next(patience=0.1) == Printed(b"", 0)
    assert time.monotonic() - begun < 2
    os.close(writer)
    output.join()
