"""Which cases run no code but gradcheck's own, and so need no protection from it."""

from __future__ import annotations

from gradcheck.model import Case, LayerSpec

_PACKAGE = __name__.partition(".")[0]


def is_builtin(case: Case) -> bool:
    """Whether the layer of a case, and the reference that it is compared with, are part of gradcheck."""
    specs = [case.layer, *([case.settings.reference] if case.settings.reference else [])]
    return all(map(_is_own, specs))


def _is_own(spec: LayerSpec) -> bool:
    if spec.chain is not None:
        return all(map(_is_own, spec.chain))
    beside = spec.object is not None or spec.node is not None  # then the other two are names of methods
    references = [spec.target, spec.object, spec.node, *([] if beside else [spec.forward, spec.backward])]
    return all(_is_part(text) for text in references if text is not None)


def _is_part(reference: str) -> bool:
    if ":" not in reference:
        return _is_registered(reference)
    return _module(reference) == _PACKAGE


def _module(reference: str) -> str:
    where = reference.rpartition(":")[0]
    return "" if where.endswith(".py") else where.partition(".")[0]  # a file may well be called gradcheck.py


def _is_registered(name: str) -> bool:
    from gradcheck.casefile.index import layer_entry_points

    found = layer_entry_points().get(name, [])
    return bool(found) and all(_module(point.value) == _PACKAGE for point in found)
