"""A first case for a layer that was found in a file: its code, its inputs and options, as far as its text says."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gradcheck.cli.draft.infer import Guess, guess_inputs
from gradcheck.cli.draft.scan import JACOBIANS, Found, assignments, parameters
from gradcheck.cli.draft.signature import bind
from gradcheck.cli.draft.words import PARAMETERS, VALUES, guess_option, guess_size
from gradcheck.errors import UsageError
from gradcheck.layers.gradients import gradient_names
from gradcheck.layers.vocabulary import CONTEXT, normalise
from gradcheck.model import Case, InputSpec, LayerSpec, Plain, Settings

_RANDOM = frozenset(["rng", "generator", "randomstate", "random"])
_OF_BACKWARD = frozenset(["axis", "dim", "eps", "epsilon", "training"])
_NO_GRADIENT = ("integers", "permutation", "bernoulli")


@dataclass(slots=True)
class Sketch:
    """A case, and what in it is a guess."""

    case: Case
    guesses: list[str] = field(default_factory=list)


def sketch(found: Found, reference: str, constants: Mapping[str, ast.expr]) -> Sketch:
    """Return a case for a layer.

    Parameters
    ----------
    found
        The layer.
    reference
        The file as the case file will name it: ``../mine.py``.
    constants
        What the file sets at its top.

    Raises
    ------
    UsageError
        If no case can be made of it; the message says why.
    """
    inputs, options = _split(found)
    made = _made_on(found)
    held = [name for name in _needed(found) if normalise(name) in PARAMETERS]
    bodies = [*found.helpers, found.forward, found.backward]
    guess = guess_inputs([*inputs, *held], bodies, {**constants, **made})
    layer = _layer(found, reference)
    layer.init = _init(found, held, guess)
    guesses = [f"{name} {value}" for name, value in {**options, **layer.init}.items()]
    if not found.framework:
        guesses += bind(layer, found, [*inputs, *held], held, list(options))
    drawn = guess.inputs
    if drawn:
        shapes = ", ".join(f"{name} {'x'.join(map(str, spec.shape or ()))}" for name, spec in drawn.items())
        guesses.insert(0, f"shapes ({shapes})")
    wrt = _differentiated(found, inputs, drawn)
    learned = [*held, *_learned(found, made)]
    if learned:
        wrt = (*(wrt or [name for name in inputs if drawn[name].draw not in _NO_GRADIENT]), *learned)
    return Sketch(Case(_kebab(found.name), layer, drawn, options, Settings(wrt=wrt), about=_about(found)), guesses)


def _split(found: Found) -> tuple[list[str], dict[str, Plain]]:
    """Divide the arguments that must be given into inputs and options."""
    inputs: list[str] = []
    options: dict[str, Plain] = {}
    for place, (argument, default) in enumerate(parameters(found.forward, method=found.owner is not None)):
        if default is not None or (place == 0 and normalise(argument.arg) in CONTEXT):
            continue
        first = not inputs and argument.annotation is None
        value = None if first else guess_option(argument, [found.forward, *found.helpers])
        if value is None:
            inputs.append(argument.arg)
        else:
            options[argument.arg] = value
    for argument, default in parameters(found.backward, method=found.owner is not None):
        word = normalise(argument.arg)
        if default is None and word in _OF_BACKWARD and argument.arg not in (*inputs, *_names(found)):
            options.setdefault(argument.arg, VALUES[word])
    return inputs, options


def _names(found: Found) -> list[str]:
    return [argument.arg for argument, _ in parameters(found.forward, method=found.owner is not None)]


def _needed(found: Found) -> list[str]:
    """Return the arguments that the constructor needs."""
    given = parameters(found.constructor, method=True) if found.constructor else []
    return [argument.arg for argument, default in given if default is None]


def _made_on(found: Found) -> dict[str, ast.expr]:
    """Return what the constructor sets on the object, by how it is written: ``self.W``, ``self.params['W']``."""
    made: dict[str, ast.expr] = {}
    body = list(ast.walk(found.constructor)) if found.constructor else []
    for target, value in assignments(body):
        if isinstance(target, (ast.Attribute, ast.Subscript)):
            made[ast.unparse(target)] = value
        for key, item in zip(value.keys, value.values, strict=True) if isinstance(value, ast.Dict) else ():
            if key is not None:
                made[f"{ast.unparse(target)}[{ast.unparse(key)}]"] = item
    for argument, default in parameters(found.constructor, method=True) if found.constructor else ():
        if default is not None:
            made.setdefault(argument.arg, default)
    return made


def _learned(found: Found, made: Mapping[str, ast.expr]) -> list[str]:
    """Return the parameters that the constructor makes and the backward leaves gradients of, by their usual names."""
    words = {node.attr for node in ast.walk(found.backward) if isinstance(node, ast.Attribute)}
    words |= {str(node.value) for each in ast.walk(found.backward) for node in _keys(each)}
    written = {ast.unparse(node) for node in ast.walk(found.backward) if isinstance(node, ast.Attribute)}
    known = {normalise(word) for word in words}
    learned: list[str] = []
    for place, value in made.items():
        name = re.findall(r"\w+", place)[-1]
        item = place.endswith("]")
        if isinstance(value, (ast.Name, ast.Constant)) or not place.startswith("self"):
            continue
        forms = any(normalise(form) in known for form in gradient_names(name)) or f"{place}.grad" in written
        if forms or (item and name in words and any("grad" in word.lower() for word in words)):
            learned.append(name)
    return [name for name in learned if not any(name in gradient_names(other) for other in learned)]


def _keys(node: ast.AST) -> list[ast.Constant]:
    return [node.slice] if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant) else []


def _init(found: Found, held: Sequence[str], guess: Guess) -> dict[str, Plain]:
    """Return arguments for the constructor."""
    init: dict[str, Plain] = {}
    for argument, default in parameters(found.constructor, method=True) if found.constructor else ():
        name, word = argument.arg, normalise(argument.arg)
        if default is not None or name in held:
            continue
        if word in _RANDOM:
            raise UsageError(f"its constructor needs {name}, which no case file can give")
        value = guess.lengths.get(name, guess_size(word))
        if value is None and found.constructor:
            value = guess_option(argument, [found.constructor])
        init[name] = 5 if value is None else value
    return init


def _layer(found: Found, reference: str) -> LayerSpec:
    if found.owner is None:
        return LayerSpec(
            forward=f"{reference}:{found.forward.name}",
            backward=f"{reference}:{found.backward.name}",
            returns="jacobian" if found.mark in JACOBIANS else "vjp",
        )
    target = f"{reference}:{found.owner.name}"
    if found.framework or (found.forward.name, found.backward.name) == ("forward", "backward"):
        return LayerSpec(target=target)
    return LayerSpec(object=target, forward=found.forward.name, backward=found.backward.name)


def _differentiated(found: Found, inputs: list[str], drawn: Mapping[str, InputSpec]) -> tuple[str, ...] | None:
    """Return the inputs that the backward returns gradients of, where those are not all that could have one."""
    real = [name for name in inputs if drawn[name].draw not in _NO_GRADIENT]
    value = _returned(found)
    if value is None:
        return None
    wanted = real[:1]
    if isinstance(value, ast.Dict):
        keys = [key.value for key in value.keys if isinstance(key, ast.Constant)]
        wanted = [name for name in inputs if name in keys] or real
    elif isinstance(value, (ast.Tuple, ast.List)):
        # of the arguments of the forward, one for one; None where there is no gradient
        arguments = [name for name in _names(found) if normalise(name) not in CONTEXT]
        pairs = zip(arguments, value.elts, strict=False)
        wanted = [
            name
            for name, each in pairs
            if name in inputs and not (isinstance(each, ast.Constant) and each.value is None)
        ]
    wanted = wanted or real[:1]
    return None if wanted == real else tuple(wanted)


def _returned(found: Found) -> ast.expr | None:
    """Return what the backward returns, looked up if it is a name that was set in one piece."""
    returned = [node.value for node in ast.walk(found.backward) if isinstance(node, ast.Return) and node.value]
    if not returned:
        return None
    value = returned[-1]
    if isinstance(value, ast.Name):
        for target, given in assignments(list(ast.walk(found.backward))):
            if isinstance(target, ast.Name) and target.id == value.id:
                return given
    return value


def _about(found: Found) -> str:
    return (ast.get_docstring(found.owner or found.forward) or "").strip().partition("\n")[0]


def _kebab(name: str) -> str:
    """Return ``LayerNorm`` and ``layer_norm`` as ``layer-norm``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|_+", "-", name.strip("_")).lower().strip("-") or "case"
