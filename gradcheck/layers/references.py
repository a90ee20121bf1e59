"""References to the user's code: ``package.module:attr`` and ``file.py:attr``, and how to have it anew.

A fresh layer must remember nothing of earlier calls, and a cache may well live in the module. So the file that a
reference names is executed anew. Objects that are handed over alive (in the library) are renewed where that is safe:

- an instance, and the bound methods of one, from a copy that was made when it was handed over;
- a function or class of the top level of a module by executing its source file again, out of sight, if the file still
  says the same, if two executions give the same arrays, and if it belongs to no installed package and is not the
  script that is running;
- all others (closures, lambdas, what was typed in a console) not at all: they are used as they are.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Protocol

from gradcheck.errors import NameLookupError, hint
from gradcheck.layers.calling import describe, name_of
from gradcheck.layers.frameworks import load_first, needs
from gradcheck.layers.modules import Session
from gradcheck.layers.renewal import copy_of, renew


class Handle(Protocol):
    """Something of the user's that can be had, and had anew."""

    def resolve(self, session: Session) -> object:
        """Return it; a new one if the session is fresh."""
        ...


@dataclass(frozen=True, slots=True)
class Reference:
    """A name in a file or module.

    Attributes
    ----------
    text
        ``package.module:attr`` or ``file.py:attr``; the attribute may be dotted.
    base
        Folder that relative files start from; the working directory by default.
    """

    text: str
    base: str = ""

    def resolve(self, session: Session) -> object:
        """Return what the reference names.

        Raises
        ------
        NameLookupError
            If there is no such file, module or attribute.
        LayerError
            If the file or module raises while it loads.
        """
        return resolve(self.text, self.base, session)


@dataclass(slots=True)
class Live:
    """An object that was handed over as such."""

    thing: object
    pristine: object = field(init=False)

    def __post_init__(self) -> None:
        self.pristine = copy_of(self.thing)

    def resolve(self, session: Session) -> object:
        """Return it as it is, or, if the session is fresh, a renewed one where that is safe."""
        return renew(self.thing, session, self.pristine) if session.fresh else self.thing


@dataclass(frozen=True, slots=True)
class Item:
    """One half of a pair that a reference names."""

    whole: Handle
    position: int

    def resolve(self, session: Session) -> object:
        """Return the half."""
        item = self.whole.resolve(session)[self.position]  # type: ignore[index]
        return renew(item, session, None) if session.fresh else item


@dataclass(frozen=True, slots=True)
class Part:
    """An attribute of something that is had anew."""

    whole: Handle
    name: str

    def resolve(self, session: Session) -> object:
        """Return the attribute."""
        whole = self.whole.resolve(session)
        part = _walk(whole, [self.name], name_of(whole))
        return renew(part, session, None) if session.fresh else part


def resolve(text: str, base: str = "", session: Session | None = None) -> object:
    """Return what ``package.module:attr`` or ``file.py:attr`` names.

    Parameters
    ----------
    text
        The reference.
    base
        Folder that relative files start from.
    session
        References of one session share the modules that it executes.

    Raises
    ------
    NameLookupError
        If there is no such file, module or attribute.
    LayerError
        If the file or module raises while it loads.
    """
    session = session or Session()
    where, attributes = split_reference(text)
    if where.endswith(".py"):
        path = os.path.normpath(os.path.join(base or os.getcwd(), os.path.expanduser(where)))
        if not os.path.isfile(path):
            raise _missing_file(where, path)
        return _walk(session.load(path), attributes, where)
    module = _import(where, base)
    found = _walk(module, attributes, where)
    return renew(found, session, None) if session.fresh else found


def is_reference(text: str) -> bool:
    """Whether a text has the form of a reference, rather than being the name of a layer or case."""
    where, colon, attribute = text.rpartition(":")
    return bool(colon and where and attribute) and not where.endswith((".yaml", ".yml", ":"))


def split_reference(text: str) -> tuple[str, list[str]]:
    """Split a reference into file or module, and the parts of the attribute.

    Raises
    ------
    NameLookupError
        If it has no such form.
    """
    where, colon, attribute = text.strip().rpartition(":")
    if not colon and text.strip().endswith(".py"):
        name = text.strip()
        raise NameLookupError(f"{name} is a file: say which function or class in it is meant", f"{name}:NAME")
    parts = attribute.split(".")
    if not where or not all(part.isidentifier() for part in parts):
        extra = "; nothing is evaluated: the arguments of a constructor go to `init:`" if "(" in attribute else ""
        raise NameLookupError(
            f"{text!r} is no reference to a function or class", f"write package.module:NAME or file.py:NAME{extra}"
        )
    return where, parts


def _walk(thing: object, attributes: Sequence[str], where: str) -> object:
    for depth, name in enumerate(attributes):
        try:
            thing = getattr(thing, name)
        except AttributeError:
            owner = ".".join([where, *attributes[:depth]]) if depth else where
            known = [other for other in dir(thing) if not other.startswith("__")]
            own = [other for other in known if _is_own(thing, other)]
            raise NameLookupError(
                f"{owner} has no {name!r}{hint(name, known)}",
                f"it has {', '.join(own)}" if 0 < len(own) <= 20 else "",
            ) from None
        except Exception as error:  # noqa: BLE001  a property of the user's, or a module's __getattr__
            raise describe(error, f"reading {where}:{'.'.join(attributes)}") from None
    return thing


def _is_own(thing: object, name: str) -> bool:
    """Whether a name is defined in a module rather than imported into it."""
    value = getattr(thing, name, None)
    if name.startswith("_") or isinstance(value, ModuleType):
        return False
    return not isinstance(thing, ModuleType) or getattr(value, "__module__", thing.__name__) == thing.__name__


def _missing_file(where: str, path: str) -> NameLookupError:
    folder = os.path.dirname(path)
    if not os.path.isdir(folder):
        return NameLookupError(f"there is no file {where}: the folder {folder} does not exist")
    names = sorted(name for name in os.listdir(folder) if name.endswith(".py"))
    return NameLookupError(f"there is no file {where}{hint(os.path.basename(path), names)}", f"looked for {path}")


def _remedy(module: str) -> str:
    if module.partition(".")[0] in sys.modules:
        return "check its name, and the version of its package"
    return "pip install the package that has it, or name a file: FILE.py:NAME"


def _import(name: str, base: str) -> ModuleType:
    """Import a module; the folder of the case file and the working directory are importable meanwhile."""
    extra = [folder for folder in dict.fromkeys([os.path.abspath(base or "."), os.getcwd()]) if folder not in sys.path]
    sys.path.extend(extra)
    try:
        load_first(name)
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if needs(error.name) is None and error.name and (name == error.name or name.startswith(error.name + ".")):
            raise NameLookupError(f"there is no module {error.name!r}", _remedy(error.name)) from None
        raise describe(error, f"importing {name}") from None
    except (Exception, SystemExit) as error:  # noqa: BLE001  importing runs the user's code
        if not all(part.isidentifier() for part in name.split(".")):
            raise NameLookupError(
                f"{name!r} is no name of a module", "write package.module:NAME or file.py:NAME"
            ) from None
        raise describe(error, f"importing {name}") from None
    finally:
        for folder in extra:
            if folder in sys.path:
                sys.path.remove(folder)
