"""A failing chain: each link is tried on its own, at the values that really reach it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from gradcheck.layers.chain import ChainLayer
from gradcheck.layers.protocol import Array, Layer
from gradcheck.model import Finding, Plain, Report, Settings, Severity, Verdict
from gradcheck.trial.subject import Subject


class TryLayer(Protocol):
    """The signature of :func:`gradcheck.trial.trial.try_layer` as far as it is needed here."""

    def __call__(
        self,
        layer: Layer,
        inputs: Mapping[str, Array],
        *,
        name: str = "",
        options: Mapping[str, Plain] | None = None,
        settings: Settings | None = None,
    ) -> Report:
        """Try a layer."""
        ...


def find_link_findings(subject: Subject, settings: Settings, try_layer: TryLayer) -> list[Finding]:
    """Return the findings of the links that fail on their own, each with the label of its link.

    An empty list where the layer is no chain, or where every link passes: then the chaining itself is wrong.
    """
    layer = subject.caller.layer
    if not isinstance(layer, ChainLayer):
        return []
    findings: list[Finding] = []
    for link in layer.links(subject.given, subject.caller.options):
        own = Settings(seed=settings.seed, budget=settings.budget, rtol=settings.rtol, atol=settings.atol)
        taken = tuple(name for name, outer in link.names.items() if outer in subject.wrt)
        own.wrt = (*link.flow, *taken) or None
        report = try_layer(link.layer, link.inputs, name=link.label, options=link.options, settings=own)
        if report.verdict is not Verdict.FAIL:
            continue
        for finding in report.findings:
            if finding.severity is Severity.BUG:
                finding.at = link.label
                findings.append(finding)
    return findings
