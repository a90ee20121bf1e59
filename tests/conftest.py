"""What a run leaves out unless it asks for it by name."""

from __future__ import annotations

import os
from importlib.util import find_spec

import pytest

PACKAGES = ("torch", "jax", "autograd", "sklearn", "scipy")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out long runs, and what needs a package that is not installed.

    Whoever asks for them, with ``-m torch`` say, has them; where the package is missing they are skipped, and say so.
    """
    asked = config.getoption("markexpr")
    absent = {name for name in PACKAGES if name not in asked and find_spec(name) is None}
    if "long" not in asked and not os.environ.get("GRADCHECK_LONG"):
        absent.add("long")
    left_out = [item for item in items if any(item.get_closest_marker(name) for name in absent)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        gone = set(left_out)
        items[:] = [item for item in items if item not in gone]
