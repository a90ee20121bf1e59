"""Full texts of errors."""

from __future__ import annotations

import click

from gradcheck.cli.messages import translate, write_error, write_internal
from gradcheck.errors import CaseFileError, Complaint, UsageError


def test_errors_have_one_form() -> None:
    assert write_error(UsageError("what", "do this")) == "gradcheck: error: what\n  = help: do this"
    assert write_error(UsageError("what\nmore\x1b", "do\nthat")) == (
        "gradcheck: error: what\n  more\\x1b\n  = help: do\n          that"
    )
    assert write_error(UsageError("x", "y"), color=True).startswith("gradcheck: \x1b[1;31merror: \x1b[0mx\n")
    assert write_internal(ValueError("a\nb")) == (
        "gradcheck: error: internal error: ValueError: a\n"
        "  = help: this is a bug in gradcheck, not in the layer; --debug shows where"
    )


def test_complaints_are_shown_as_they_are() -> None:
    complaint = Complaint("a.yaml", 4, 5, "unknown key 'tolerence'", "    tolerence: 1e-6", 9, "did you mean 'rtol'?")

    assert write_error(CaseFileError([complaint, complaint])).split("\n") == [
        *["a.yaml:4:5: error: unknown key 'tolerence'", "  |", "4 |     tolerence: 1e-6", "  |     ^^^^^^^^^"],
        *["  = help: did you mean 'rtol'?"],
        *["a.yaml:4:5: error: unknown key 'tolerence'", "  |", "4 |     tolerence: 1e-6", "  |     ^^^^^^^^^"],
        *["  = help: did you mean 'rtol'?", "", "gradcheck: error: 2 complaints in case files"],
    ]


def test_errors_of_click_are_said_in_our_words() -> None:
    assert str(translate(click.UsageError("Got it wrong."))) == "got it wrong\n  = help: see gradcheck --help"
    assert str(translate(click.NoSuchOption("--axs", possibilities=["--axis"]))) == (
        "no such option '--axs'\n  = help: did you mean '--axis'?"
    )
    assert str(translate(click.UsageError("Bad"), "gradcheck run")) == "bad\n  = help: see gradcheck run --help"
