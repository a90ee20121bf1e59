"""The registry: every rule has a page that says what it is, how it comes about, what hides it and how it is mended."""

from __future__ import annotations

import re

import pytest

from gradcheck.errors import UsageError
from gradcheck.rules import registry
from gradcheck.rules.registry import FAMILIES, declare, find, markdown, pages, rules

ALL = list(rules().values())


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.id)
def test_a_page_is_whole(rule) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", rule.id)
    assert rule.family in FAMILIES
    assert rule.summary.endswith(".")
    assert 20 < len(rule.summary) < 200
    if rule.id == "mismatch":
        return
    for heading in ("How it comes about:", "Formula:", "Hidden when:", "Mended:", "Wrong::", "Right::"):
        assert heading in rule.page, heading


def test_the_contract_checks_have_pages() -> None:
    ids = set(rules())

    assert {
        "wrong-shape",
        "wrong-number-of-gradients",
        "nonlinear-in-upstream",
        "mutates-input",
        "mutates-upstream",
        "accumulates-across-calls",
        "stale-forward-cache",
        "randomness-resampled-in-backward",
        "nondeterministic-forward",
        "nan-at-special-point",
        "unstable-backward-overflow",
        "overflow-in-forward",
        "low-precision-underflow",
        "dtype-truncation",
        "non-contiguous",
        "uses-updated-parameters",
        "missing-input-gradient",
        "mismatch",
    } <= ids


def test_a_rule_is_found_with_hyphens_or_underscores() -> None:
    assert find("stale_slice_counter").id == "stale-slice-counter"
    assert find("Sign-Error").id == "sign-error"


def test_an_unknown_rule_offers_near_names() -> None:
    with pytest.raises(UsageError) as caught:
        find("stale-slice-count")

    assert str(caught.value).startswith("there is no rule 'stale-slice-count'")
    assert "did you mean stale-slice-counter" in caught.value.help


def test_a_name_without_neighbours_says_where_the_list_is() -> None:
    with pytest.raises(UsageError) as caught:
        find("zzzz")

    assert caught.value.help == "gradcheck explain lists all rules"


def test_pages_are_listed_by_family() -> None:
    listing = pages()

    assert list(listing) == [title for title in FAMILIES.values() if title in listing]
    assert sum(map(len, listing.values())) == len(rules())


def test_the_markdown_table_has_a_row_per_rule() -> None:
    lines = markdown().splitlines()

    assert lines[0] == "| rule | family | what it is |"
    assert len(lines) == 2 + len(rules())
    assert any(line.startswith("| `sign-error` | Sign |") for line in lines)


def test_a_rule_cannot_be_registered_twice() -> None:
    with pytest.raises(ValueError, match="sign-error is registered twice"):
        declare("sign-error", "sign", "Twice.")


def test_a_family_must_exist(monkeypatch) -> None:
    monkeypatch.setattr(registry, "_rules", {})

    with pytest.raises(ValueError, match="unknown family"):
        declare("new", "nowhere", "New.")
