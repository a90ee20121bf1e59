"""Places in files as other programs want them: relative to the root of the project, with forward slashes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from gradcheck.model import Place, Report


def root_of(environ: Mapping[str, str] | None = None) -> Path:
    """Return the folder that paths are shown from: the checkout of a GitHub workflow, else the current one."""
    environ = os.environ if environ is None else environ
    workspace = environ.get("GITHUB_WORKSPACE", "")
    here = Path.cwd()
    return Path(workspace) if workspace and here.is_relative_to(workspace) else here


def relative(file: str, root: Path) -> str:
    """Return a path from ``root`` if it lies below it, else as an absolute one."""
    path = os.path.normpath(os.path.join(os.getcwd(), file))
    try:
        return Path(path).relative_to(root).as_posix()
    except ValueError:
        return Path(path).as_posix()


def address(file: str, root: Path) -> str:
    """Return a path as a URI: relative below ``root``, else with ``file://``."""
    path = relative(file, root)
    text = quote(path.encode("utf-8", "surrogateescape"), safe="/-._~")
    return f"file://{text}" if os.path.isabs(path) else text


def culprit(report: Report) -> Place | None:
    """Return where a report points: the backward, or else the case."""
    return report.source if report.source is not None else report.place
