"""What a layer's arguments mean, asked of the layers' own rules: on functions of the same arguments that do nothing."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Collection, Sequence
from inspect import Parameter, Signature

from gradcheck.cli.draft.scan import Found, Function, parameters
from gradcheck.errors import BindingError
from gradcheck.layers.pairing import pair
from gradcheck.model import LayerSpec

_REDUCTIONS = ("mean", "sum", "dot", "norm")
_MOST = 5


def bind(
    layer: LayerSpec, found: Found, inputs: Sequence[str], held: Collection[str], options: Collection[str]
) -> list[str]:
    """Complete what a spec says of its arguments; where their names do not say it, the likeliest is taken.

    Parameters
    ----------
    layer
        The spec; its ``bind`` and ``returns`` are changed.
    found
        The layer.
    inputs, options
        Names of the arrays and options of the case.
    held
        Those of the inputs that the constructor takes.

    Returns
    -------
    list of str
        The guesses.

    Raises
    ------
    BindingError
        If nothing is likely.
    """
    functions = _dummy(found, found.forward), _dummy(found, found.backward)
    titles = (found.forward.name, found.backward.name)
    guesses: list[str] = []
    for _ in range(_MOST):
        try:
            pair(*functions, titles, inputs, options, layer.bind, layer.returns, held)
        except BindingError as error:
            line = re.search(r"bind: \{\s*([\w.]+): \"?([\w:, ]+?)\"?\}", error.help)
            if "`returns: gradient`" in error.help:
                layer.returns = "gradient" if _is_scalar(found.forward) else "derivative"
                guesses.append(f"returns {layer.returns}")
            elif line and line[1] not in layer.bind:
                layer.bind[line[1]] = line[2]
                guesses.append(f"{line[1]} is the {line[2].replace(':', ' ')}")
            else:
                raise
        else:
            break
    return guesses


def _dummy(found: Found, function: Function) -> Callable[..., object]:
    """Return a function with the same arguments that does nothing: what the author wrote is not run."""

    def dummy(*_arguments: object, **_keywords: object) -> None:
        return None

    spec = function.args
    only = {each.arg for each in spec.posonlyargs}
    keywords = {each.arg for each in spec.kwonlyargs}
    made: list[Parameter] = []
    for argument, default in parameters(function, method=found.owner is not None):
        kind = Parameter.POSITIONAL_ONLY if argument.arg in only else Parameter.POSITIONAL_OR_KEYWORD
        if argument.arg in keywords:
            continue
        made.append(Parameter(argument.arg, kind, default=_plain(default)))
    if spec.vararg:
        made.append(Parameter(spec.vararg.arg, Parameter.VAR_POSITIONAL))
    for each, value in zip(spec.kwonlyargs, spec.kw_defaults, strict=True):
        made.append(Parameter(each.arg, Parameter.KEYWORD_ONLY, default=_plain(value)))
    if spec.kwarg:
        made.append(Parameter(spec.kwarg.arg, Parameter.VAR_KEYWORD))
    dummy.__signature__ = Signature(made)  # type: ignore[attr-defined]
    dummy.__name__ = dummy.__qualname__ = function.name
    return dummy


def _plain(default: ast.expr | None) -> object:
    if default is None:
        return Parameter.empty
    return default.value if isinstance(default, ast.Constant) else None


def _is_scalar(forward: Function) -> bool:
    """Whether a forward returns a single number: a mean or a sum over everything."""
    for node in ast.walk(forward):
        for each in ast.walk(node.value) if isinstance(node, ast.Return) and node.value is not None else ():
            if isinstance(each, ast.Call) and isinstance(each.func, ast.Attribute) and each.func.attr in _REDUCTIONS:
                # x.sum(1) and np.sum(x, 1) leave an axis
                module = isinstance(each.func.value, ast.Name) and each.func.value.id in ("np", "numpy")
                along = len(each.args) > module or any(keyword.arg == "axis" for keyword in each.keywords)
                return not along
    return False
