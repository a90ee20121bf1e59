"""Every finding that the contract checks can make has a page that `gradcheck explain` prints."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gradcheck.rules.registry import rules

TRIAL = Path(__file__).parents[2] / "gradcheck" / "trial"
SOURCES = "\n".join(path.read_text(encoding="utf-8") for path in sorted(TRIAL.glob("*.py")))
IDS = sorted(set(re.findall(r"found\(\s*\"([a-z-]+)\"", SOURCES)) | set(re.findall(r"rule = \"([a-z-]+)\"", SOURCES)))


@pytest.mark.parametrize("rule", IDS)
def test_page(rule):
    assert rules()[rule].summary


def test_the_list_is_not_empty():
    assert len(IDS) > 10
