from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.runner.layers import write_layers


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the file of layers, which is the working directory as well."""
    write_layers(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME_OF_TEST", str(tmp_path))
    return tmp_path


@pytest.fixture(autouse=True)
def _long(request: pytest.FixtureRequest) -> None:
    """Pass over the long runs unless they are asked for, by ``-m long`` or GRADCHECK_LONG=1."""
    asked = os.environ.get("GRADCHECK_LONG") or "long" in request.config.getoption("markexpr")
    if request.node.get_closest_marker("long") and not asked:
        pytest.skip("a longer run of a test that is run short: -m long")
