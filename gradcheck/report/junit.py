"""A run as JUnit XML, as CI servers read it."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from gradcheck.model import Report, Verdict
from gradcheck.report.escape import visible, visible_lines
from gradcheck.report.terminal import draw
from gradcheck.report.verdict import commands_of
from gradcheck.report.words import name_of, say

DECLARATION = '<?xml version="1.0" encoding="utf-8"?>\n'


def write_junit(reports: Sequence[Report]) -> str:
    """Return the reports as JUnit XML: a suite per case file, a test case per case.

    A case that is as expected has passed, whatever its verdict; one that raised unexpectedly is an error, any other
    a failure, with the screen as its text. Every text is made visible first, so that no character stands in it that
    XML does not have.
    """
    root = Element("testsuites", name="gradcheck")
    suites: dict[str, list[Report]] = {}
    for report in reports:
        suites.setdefault(visible(report.place.file) if report.place is not None else "gradcheck", []).append(report)
    for name, members in suites.items():
        suite = SubElement(root, "testsuite", name=name)
        for report in members:
            suite.append(_test_case(report))
        _count(suite, members)
    _count(root, reports)
    indent(root)
    return DECLARATION + tostring(root, encoding="unicode") + "\n"


def _count(element: Element, reports: Sequence[Report]) -> None:
    surprising = [report for report in reports if not report.expected]
    raised = sum(report.verdict is Verdict.ERROR for report in surprising)
    element.set("tests", str(len(reports)))
    element.set("failures", str(len(surprising) - raised))
    element.set("errors", str(raised))
    element.set("skipped", "0")
    element.set("time", f"{sum(report.seconds for report in reports):.3f}")


def _test_case(report: Report) -> Element:
    group, _, name = visible(report.name).rpartition("/")
    case = Element("testcase", classname=group or "gradcheck", name=name, time=f"{report.seconds:.3f}")
    if report.place is not None:
        case.set("file", visible(report.place.file))
        case.set("line", str(report.place.line))
    properties = SubElement(case, "properties")
    for key, value in _properties(report).items():
        SubElement(properties, "property", name=key, value=visible(value))
    if not report.expected:
        tag = "error" if report.verdict is Verdict.ERROR else "failure"
        SubElement(case, tag, type=name_of(report), message=say(report)).text = f"\n{draw(report, debug=True)}\n"
    if report.output:
        SubElement(case, "system-out").text = "\n".join(visible_lines(report.output))
    return case


def _properties(report: Report) -> dict[str, str]:
    properties = {"verdict": report.verdict.value, "expected": "yes" if report.expected else "no"}
    if report.findings:
        properties["findings"] = ", ".join(finding.rule for finding in report.findings)
    properties["seed"] = str(report.seed)
    if report.tags:
        properties["tags"] = ", ".join(report.tags)
    if report.source is not None:
        properties["backward"] = str(report.source)
    properties |= {lead.replace(" ", "-"): command for lead, command in commands_of(report)}
    return properties
