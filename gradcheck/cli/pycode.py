"""A check written as a short Python file: imports of the layer, arrays, and the call."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradcheck import __version__
from gradcheck.model import LayerSpec
from gradcheck.report.escape import visible

if TYPE_CHECKING:
    from gradcheck.layers.protocol import Array

WIDTH = 100
_HERE = "Path(__file__).resolve().parent"


class Script:
    """A Python file under way.

    Parameters
    ----------
    folder
        Where the file will be; what it imports is found from there.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.imports = {"import sys", "import gradcheck"}
        self.paths: list[str] = []
        self.layers: list[str] = []
        self.lines: list[str] = []

    def add(self, *lines: str) -> None:
        """Append lines."""
        self.lines += lines

    def use_layer(self, spec: LayerSpec) -> list[str]:
        """Import a layer, and return the arguments of ``gradcheck.check`` that say which it is and how it is called."""
        plain = not (spec.object or spec.node or spec.chain or spec.init or spec.parameters)
        if plain and spec.forward and spec.backward and ":" in spec.forward and ":" in spec.backward:
            self._import(spec.forward, spec.base, "forward")
            self._import(spec.backward, spec.base, "backward")
            return ["forward", "backward", *_calling(spec)]
        if plain and spec.target and ":" in spec.target and spec.backward is None:
            self._import(spec.target, spec.base, "layer")
            return ["layer", *_calling(spec)]
        self.imports.add("from gradcheck.model import LayerSpec")
        self.layers.append(f"layer = {self._spec(spec)}")
        return ["layer"]

    def _import(self, reference: str, base: str, name: str) -> None:
        """Import an attribute under a name; a file's folder is searched first, so that it finds its own helpers."""
        where, _, attribute = reference.rpartition(":")
        first, _, rest = attribute.partition(".")
        if not where.endswith(".py"):
            self.layers.append(f"from {where} import {first} as {name}")
        else:
            file = Path(os.path.normpath(os.path.join(base, where)))
            self.imports.add("from pathlib import Path")
            folder = f"sys.path.insert(0, str({self._place(file.parent)}))"
            self.paths += [] if folder in self.paths else [folder]
            if file.stem.isidentifier() and file.stem not in sys.stdlib_module_names | {"numpy", "gradcheck"}:
                self.layers.append(f"from {file.stem} import {first} as {name}")
            else:
                self.imports.add("from importlib.util import module_from_spec, spec_from_file_location")
                self.layers += [
                    f"spec = spec_from_file_location({'layer_' + name!r}, {self._place(file)})",
                    "module = module_from_spec(spec)",
                    "spec.loader.exec_module(module)",
                    f"{name} = module.{first}",
                ]
        if rest:
            self.layers.append(f"{name} = {name}.{rest}")

    def _place(self, path: Path) -> str:
        """Return the expression of a path, relative to the file."""
        try:
            relative = Path(os.path.relpath(path, self.folder)).as_posix()
        except ValueError:  # on another drive
            return f"Path({str(path)!r})"
        return _HERE if relative == "." else f"{_HERE} / {relative!r}"

    def _spec(self, spec: LayerSpec) -> str:
        usual = LayerSpec()
        said: list[str] = []
        for each in fields(LayerSpec):
            value = getattr(spec, each.name)
            if value == getattr(usual, each.name) or each.name == "label":
                continue
            if each.name == "base":
                self.imports.add("from pathlib import Path")
                said.append(f"base=str({self._place(Path(value))})")
            elif each.name == "chain":
                said.append(f"chain=[{', '.join(map(self._spec, value))}]")
            else:
                said.append(f"{each.name}={value!r}")
        return f"LayerSpec({', '.join(said)})"

    def text(self, title: str) -> str:
        """Return the whole file."""
        standard = [line for line in self.imports if line.split()[1].partition(".")[0] in sys.stdlib_module_names]
        numpy = [line for line in self.imports if "numpy" in line]
        own = [line for line in self.imports if line.split()[1].partition(".")[0] == "gradcheck"]
        groups = [sorted(group, key=lambda line: (line.startswith("from"), line)) for group in (standard, numpy, own)]
        title = visible(title).replace("\\", "\\\\").replace('"', "'")
        lines = [f'"""{title}.', "", f"Written by gradcheck {__version__}; needs numpy and gradcheck.", '"""']
        for group in (*groups, self.paths, self.layers, self.lines):
            lines += ["", *group] if group else []
        return "\n".join([*lines, ""])


def _calling(spec: LayerSpec) -> list[str]:
    said = [f"bind={spec.bind!r}"] if spec.bind else []
    return said + ([f"returns={spec.returns!r}"] if spec.returns != "vjp" else [])


def write_array(array: Array, indent: int = 4) -> str:
    """Return the expression of an array, every number exactly."""
    kind = str(array.dtype)
    if 0 in array.shape:
        return f"np.zeros({tuple(map(int, array.shape))!r}, dtype={kind!r})"
    dtype = "" if kind in ("float64", "int64", "bool") else f", dtype={kind!r}"
    return f"np.array({_nested(array.tolist(), indent)}{dtype})"


def _nested(values: Any, indent: int) -> str:
    """Write nested lists: on one line if they fit, else each item on a line of its own."""
    if not isinstance(values, list):
        return _number(values)
    inner = indent + 4
    parts = [_nested(each, inner) for each in values]
    line = f"[{', '.join(parts)}]"
    if len(line) + indent <= WIDTH and "\n" not in line:
        return line
    lines = parts if isinstance(values[0], list) else _filled(parts, WIDTH - inner)
    return "[\n" + "".join(f"{' ' * inner}{each},\n" for each in lines) + " " * indent + "]"


def _filled(parts: Sequence[str], width: int) -> list[str]:
    """Set numbers on as many lines as they need."""
    lines = [parts[0]]
    for part in parts[1:]:
        if len(lines[-1]) + len(part) + 3 > width:
            lines.append(part)
        else:
            lines[-1] += f", {part}"
    return lines


def _number(value: Any) -> str:
    text = repr(value)
    return {"nan": "np.nan", "inf": "np.inf", "-inf": "-np.inf"}.get(text, text)


def write_keywords(values: Mapping[str, Any], usual: Mapping[str, Any]) -> list[str]:
    """Return keyword arguments, without those that are as usual."""
    return [f"{name}={value!r}" for name, value in values.items() if value != usual.get(name) and value != {}]
