import importlib
import inspect
import pickle
import re
import subprocess
import sys
from pathlib import Path

import pytest

from gradcheck.reference import catalogue

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"


def load(reference):
    module, _, attribute = reference.partition(":")
    return getattr(importlib.import_module(module), attribute)


def registered():
    """Return the table of entry points by a pattern: Python 3.10 has no TOML reader."""
    table = (
        PYPROJECT.read_text(encoding="utf-8").split('[project.entry-points."gradcheck.layers"]\n')[1].split("\n[")[0]
    )
    return dict(re.findall(r'^([a-z0-9-]+) = "([\w.:]+)"$', table, re.MULTILINE))


def test_no_numpy_is_imported():
    code = "import sys, gradcheck.reference.catalogue; print('numpy' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_importing_a_layer_does_import_numpy():
    code = "import sys, gradcheck.reference.softmax; print('numpy' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "True\n"


def test_every_case_is_an_entry_point():
    entries = registered()

    assert set(entries) == set(catalogue.CASES)
    for name, reference in entries.items():
        assert reference == f"gradcheck.reference.catalogue:{name.replace('-', '_')}"
        assert load(reference) is catalogue.CASES[name]


@pytest.mark.parametrize("case", catalogue.CASES.values(), ids=lambda case: case.name)
def test_case_fits_its_functions(case):
    forward, backward = load(case.layer.forward), load(case.layer.backward)
    parameters = inspect.signature(forward).parameters
    required = {name for name, parameter in parameters.items() if parameter.default is inspect.Parameter.empty}

    assert backward.__name__ == f"{forward.__name__}_backward"
    assert required <= set(case.inputs)
    assert set(case.inputs) | set(case.options) <= set(parameters)
    assert set(case.settings.wrt) <= set(case.inputs)
    assert all(parameters[name].default == value for name, value in case.options.items())


@pytest.mark.parametrize("case", catalogue.CASES.values(), ids=lambda case: case.name)
def test_case_is_plain_data_on_a_shape_that_is_not_square(case):
    assert pickle.loads(pickle.dumps(case)) == case
    first = next(iter(case.inputs.values())).shape
    assert first is not None
    assert len(set(first)) == len(first)
    specs = list(case.inputs.values())
    assert len(set(map(id, specs))) == len(specs)


def test_names_are_those_of_the_variables():
    variables = {name for name, value in vars(catalogue).items() if isinstance(value, catalogue.Case)}

    assert variables == {name.replace("-", "_") for name in catalogue.CASES}
    assert {case.name for case in catalogue.CASES.values()} == set(catalogue.CASES)
