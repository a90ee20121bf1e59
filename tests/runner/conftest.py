from __future__ import annotations

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
