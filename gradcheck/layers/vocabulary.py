"""The words by which people call the arguments of a backward."""

from __future__ import annotations

import re

_UPSTREAM = """
    g gr grad grads gradient gradients upstream cotangent cotangents ct cts cot cotan adjoint adj
    dout douts dy dys dz dl dj de da ds dh dp do doutput doutputs dresult dprobs dscores dvalue dvalues dnext dloss
    dyhat dldy dldz dldout dldoutput dlda dldp dlds dedy dedout djdy
    gradout gradouts gradoutput gradoutputs gradupstream gradnext gradloss gradresult grady gradz
    outgrad outputgrad outputgrads outputgradient outgradient resultgrad ygrad lossgrad nextgrad topgrad
    uppergrad uppergradient upgrad upstreamgrad upstreamgrads upstreamgradient incominggrad incominggradient
    accumgrad chaingrad headgrad backgrad externalgrad gout gy gz topdiff delta deltas error errors err
    outbar ybar zbar outputbar outputerror outerror
"""
WEAK_UPSTREAM = frozenset(["v", "u", "d", "vector", "seed", "incoming"])
"""Words that are the upstream only if no better one is there."""

_OUTPUT = """
    y ys out outs output outputs s sm result results res ret prob probs probability probabilities p a o h act
    activation activations outgoing yhat pred preds prediction predictions value values forwardoutput forwardresult
"""
UPSTREAM = frozenset(_UPSTREAM.split())
OUTPUT = frozenset(_OUTPUT.split())

INPUT = frozenset(["x", "input", "inputs", "inp", "arr", "array", "logits"])
"""Words for the input of a layer that has only one."""

CACHE = frozenset(["cache", "caches", "memo", "memory", "saved", "residuals", "tape", "stash"])
CONTEXT = frozenset(["ctx", "context"])
LISTS = frozenset(["inputs", "input", "xs", "args", "arrays", "tensors", "operands", "bottoms", "bottom"])
"""Words for all inputs in one list."""

AXES = ("axis", "dim")
"""One and the same option, by its two usual names."""


def normalise(name: str) -> str:
    """Return a name in lower case without its underscores, so that ``grad_output`` and ``gradOutput`` are one word."""
    return name.replace("_", "").lower()


def split_number(name: str) -> tuple[str, int | None]:
    """Split ``g2`` into the normalised word and its number; the number is ``None`` where there is none."""
    match = re.fullmatch(r"(.*\D)(\d+)", normalise(name))
    return (match[1], int(match[2])) if match else (normalise(name), None)
