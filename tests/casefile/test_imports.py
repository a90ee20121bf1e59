"""What finding, listing and validating import: no numpy, no code of the user's, and no more than they need."""

import subprocess
import sys
from pathlib import Path

import pytest

import gradcheck

YAML = """version: 1
cases:
  one: {layer: {forward: "layer.py:f", backward: "layer.py:b"}, inputs: {x: {shape: [4]}}, matrix: {axis: [0]}}
  two: {layer: "layer:f"}
"""


def run(code, folder):
    (folder / "cases").mkdir(exist_ok=True)
    (folder / "cases" / "a.yaml").write_text(YAML)
    (folder / "layer.py").write_text("raise SystemExit('imported')\n")
    (folder / "cases" / "layer.py").write_text("raise SystemExit('imported')\n")
    home = str(Path(gradcheck.__file__).parents[1])
    script = f"import sys\nsys.path[:0] = [{str(folder)!r}, {home!r}]\n{code}\nprint(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    ("code", "absent"),
    [
        ("from gradcheck.casefile.discovery import names; assert 'a/one' in names()", {"numpy", "pydantic", "layer"}),
        ("from gradcheck.casefile.discovery import listing; assert listing()", {"numpy", "pydantic", "layer"}),
        ("from gradcheck.casefile.discovery import find; assert len(find()) == 2", {"numpy", "layer"}),
        (
            "from gradcheck.casefile.discovery import find; assert find(['layer.py:f', 'layer:g'])",
            {"numpy", "pydantic", "layer"},
        ),
        (
            "from gradcheck.casefile import discovery, show; show.dump(discovery.find(['one'])[0])",
            {"numpy", "layer"},
        ),
        ("import gradcheck.casefile.draw", {"pydantic", "yaml", "layer"}),
    ],
)
def test_imports(code, absent, tmp_path):
    assert not absent & run(code, tmp_path)


def test_a_built_in_layer_needs_neither_yaml_nor_pydantic(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    code = (
        "import os; os.chdir('elsewhere')\n"
        "from gradcheck.casefile import index\n"
        "from importlib.metadata import EntryPoint\n"
        "entry = EntryPoint('softmax', 'gradcheck.reference.catalogue:softmax', 'gradcheck.layers')\n"
        "index.entry_points = lambda group: [entry]\n"
        "from gradcheck.casefile.discovery import find; assert find(['softmax'])[0].inputs\n"
    )
    assert not {"yaml", "pydantic", "numpy"} & run(code, tmp_path)


def test_the_test_sees_imports(tmp_path):
    assert "numpy" in run("import numpy", tmp_path)
