"""Whether nodes add to the gradients of their parents: parents that already have one are what shows it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gradcheck.errors import LayerError
from gradcheck.layers.chain import ChainLayer
from gradcheck.layers.links import Link
from gradcheck.layers.nodes import NodeLayer
from gradcheck.layers.protocol import Array
from gradcheck.model import Finding
from gradcheck.trial.calls import SALT, draw_upstream, quiet
from gradcheck.trial.contract import found
from gradcheck.trial.subject import Subject, round_off


def check_accumulation(subject: Subject) -> list[Finding]:
    """Run the backward of each node once more with random numbers in the gradients of its parents.

    What is there afterwards must be those numbers plus the gradient. A node that sets the gradient instead returns
    the right one in every single call, and spoils it where a parent is used twice.
    """
    findings: list[Finding] = []
    for layer, link in _nodes(subject):
        try:
            with quiet():
                findings += _check(subject, layer, link)
        except LayerError:
            continue
    return findings


def _nodes(subject: Subject) -> Iterator[tuple[NodeLayer, Link]]:
    layer, options = subject.caller.layer, dict(subject.caller.options)
    if isinstance(layer, NodeLayer):
        yield layer, Link("", layer, dict(subject.given), options, subject.wrt)
    if not isinstance(layer, ChainLayer) or not any(isinstance(member.layer, NodeLayer) for member in layer.members):
        return
    subject.caller.prepare_call()
    with quiet():
        links = layer.links(subject.given, options)
    for link in links:
        if isinstance(link.layer, NodeLayer):
            taken = tuple(name for name, outer in link.names.items() if outer in subject.wrt)
            yield link.layer, Link(link.label, link.layer, link.inputs, link.options, (*link.flow, *taken))


def _check(subject: Subject, layer: NodeLayer, link: Link) -> list[Finding]:
    """Compare two backwards of one node: onto nothing, and onto random numbers. ``link.flow``: for which inputs."""
    wrt = [name for name in link.flow if name in link.inputs]
    rng = np.random.default_rng(SALT)
    preset: dict[str, Array] = {}
    seen: list[dict[str, Array]] = []
    for _ in range(2):
        subject.caller.prepare_call()
        subject.caller.counts.backwards += 1
        outputs = layer.forward({name: value.copy() for name, value in link.inputs.items()}, link.options)
        g = draw_upstream(outputs, np.random.default_rng(SALT))
        after = layer.vjp_onto(preset, g, link.inputs, link.options, wrt).by_input
        seen.append({name: np.array(value) for name, value in after.items()})
        if not preset:
            preset = {name: _draw(value, rng) for name, value in seen[0].items() if value.dtype.kind == "f"}
    plain, onto = seen
    findings = []
    for name, value in preset.items():
        own, after_all = plain[name], onto.get(name)
        if after_all is None or after_all.shape != own.shape or np.array_equal(after_all, value):
            continue  # nothing is written there: the node returns its gradients
        size = float(np.max(np.abs(own), initial=0.0)) + float(np.max(np.abs(value), initial=0.0))
        allowed = size * max(1e-6, 256 * round_off(own.dtype))
        if not np.all(np.isfinite(own)) or _near(after_all, np.add(own, value), allowed):
            continue
        message = f"the backward does not add to the gradient that its parent {name} already has"
        if _near(after_all, own, allowed):
            message = f"the backward overwrites the gradient that its parent {name} already has"
        remedy = "add to the gradients of the parents: a parent that is used twice loses one part otherwise"
        finding = found("reused-input-not-accumulated", message, remedy, wrt=name if not link.label else None)
        finding.at = link.label or finding.at
        findings.append(finding)
    return findings


def _draw(like: Array, rng: np.random.Generator) -> Array:
    """Draw numbers as large as those of an array, in its shape and dtype."""
    size = float(np.max(np.abs(like[np.isfinite(like)]), initial=0.0)) or 1.0
    return np.asarray(size * rng.standard_normal(like.shape)).astype(like.dtype)


def _near(one: Array, other: Array, allowed: float) -> bool:
    difference = np.asarray(one, np.float64) - np.asarray(other, np.float64)
    return bool(np.max(np.abs(difference), initial=0.0) <= allowed)
