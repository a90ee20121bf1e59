"""PyTorch: ``torch.autograd.Function``, ``nn.Module``, functions of tensors, and pairs that are written on tensors.

Nothing here imports torch before something of torch's is to be checked. A float64 array becomes a float64 tensor, a
float32 array a float32 tensor; the parameters of a module follow its inputs. What is random draws from a state that
is set before each call, so that two calls with the same inputs agree.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from gradcheck.errors import UsageError
from gradcheck.layers.framed import Proposal, propose
from gradcheck.layers.frameworks import TORCH, Wishes, load_first, needs
from gradcheck.layers.protocol import Layer
from gradcheck.layers.torch_check import check_tensors
from gradcheck.layers.torch_engine import TorchEngine
from gradcheck.layers.torch_targets import find_function, find_module
from gradcheck.layers.trees import Tree


def adapt(
    thing: object,
    *,
    backward: object = None,
    forward: str | None = None,
    bind: Mapping[str, str] | None = None,
    returns: str = "vjp",
    inputs: Sequence[str] | None = None,
    options: Mapping[str, object] | None = None,
    init: Mapping[str, object] | None = None,
    partial: bool = False,
    **_: object,
) -> Layer | None:
    """Return the layer of something of PyTorch's, or ``None``; see :mod:`gradcheck.layers.adapters`."""
    proposal = Proposal(thing, backward, forward, bind or {}, returns, inputs, options or {}, init or {}, partial)
    torch = proposal.framework(TORCH, _import)
    if torch is None:
        return None
    proposal.engine = lambda wishes: TorchEngine(torch, _device(torch, wishes))
    return find_function(torch, proposal) or find_module(torch, proposal) or propose(TORCH, proposal)


def wrap(
    thing: object,
    backward: object = None,
    *,
    bind: Mapping[str, str] | None = None,
    inputs: Sequence[str] | None = None,
    trees: Mapping[str, object] | None = None,
    **options: object,
) -> Layer:
    """Return the layer of a function of tensors, a ``Function``, a module, or a pair, for :func:`gradcheck.check`.

    Parameters
    ----------
    thing
        The function, ``Function`` or module.
    backward
        A backward that was written by hand, on tensors.
    bind, inputs
        As for :func:`gradcheck.check`.
    trees
        Arguments that are lists or dicts of tensors, by name: their arrays are called ``NAME.KEY``.
    options
        ``order``, ``autodiff``, ``device``, ``training``, and those of the function.

    Raises
    ------
    UsageError
        If it is nothing that works on tensors.
    LayerError
        If PyTorch is not installed.
    """
    torch = _import()
    proposal = Proposal(thing, backward, None, bind or {}, "vjp", inputs, {"framework": "torch", **options}, {})
    proposal.engine = lambda wishes: TorchEngine(torch, _device(torch, wishes))
    proposal.trees = {name: _tree(torch, name, value) for name, value in (trees or {}).items()}
    proposal.asked = True
    layer = find_function(torch, proposal) or find_module(torch, proposal) or propose(TORCH, proposal)
    if layer is None:
        raise UsageError(f"{type(thing).__name__} is nothing that works on tensors")
    return layer


def gradcheck(
    fn: object,
    inputs: object,
    *,
    eps: float | None = None,
    atol: float | None = None,
    rtol: float | None = None,
    raise_exception: bool = True,
    check_forward_ad: bool = False,
    check_backward_ad: bool = True,
    allow_undecided: bool = False,
    **_: object,
) -> bool:
    """Check a function of tensors; the arguments are those of ``torch.autograd.gradcheck``.

    Steps and tolerances are measured where they are not given, so leave them out where you can.

    Parameters
    ----------
    fn
        The function; ``MyFunction.apply`` and modules too.
    inputs
        A tensor, or a tuple of tensors and other arguments. Those that require a gradient are differentiated.
    eps, atol, rtol
        Step of the differences, and tolerances.
    raise_exception
        Whether a wrong gradient raises.
    check_forward_ad, check_backward_ad
        Which modes of differentiation are checked.
    allow_undecided
        Whether a check that cannot tell counts as passed.

    Returns
    -------
    bool
        Whether every gradient is right.

    Raises
    ------
    GradientMismatch
        With the table as its message; it is a ``torch.autograd.gradcheck.GradcheckError`` as well.
    ValueError
        If no input requires a gradient.
    """
    modes = [mode for mode, wanted in (("reverse", check_backward_ad), ("forward", check_forward_ad)) if wanted]
    wishes = [{"autodiff": mode} for mode in modes]
    settings = {"eps": eps, "atol": atol, "rtol": rtol}
    return check_tensors(
        _import(),
        fn,
        inputs,
        wishes,
        settings,
        TorchEngine,
        raise_exception=raise_exception,
        allow_undecided=allow_undecided,
    )


def gradgradcheck(
    fn: object,
    inputs: object,
    grad_outputs: object = None,
    *,
    eps: float | None = None,
    atol: float | None = None,
    rtol: float | None = None,
    raise_exception: bool = True,
    allow_undecided: bool = False,
    **_: object,
) -> bool:
    """Check second derivatives: to ``torch.autograd.gradgradcheck`` what :func:`gradcheck` is to ``gradcheck``.

    The vector-Jacobian product is differentiated with respect to the inputs and to the upstream (``grad_outputs``).
    """
    settings = {"eps": eps, "atol": atol, "rtol": rtol}
    return check_tensors(
        _import(),
        fn,
        inputs,
        [{"order": 2}],
        settings,
        TorchEngine,
        grad_outputs=grad_outputs,
        raise_exception=raise_exception,
        allow_undecided=allow_undecided,
    )


@contextmanager
def random_state(seed: int | None) -> Iterator[None]:
    """Set PyTorch's global random state, and give it back as it was."""
    torch = _import()
    with torch.random.fork_rng(devices=[]):
        if seed is not None:
            torch.manual_seed(seed)
        yield


def _import() -> Any:
    load_first("torch")
    try:
        return import_module("torch")
    except ModuleNotFoundError as error:
        raise (needs(error.name) or error) from None


def _device(torch: Any, wishes: Wishes) -> Any:
    try:
        device = torch.device(wishes.device or "cpu")
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise UsageError(
            f"PyTorch has no device {wishes.device!r} here: {reason}", "leave it out for the cpu"
        ) from None
    return device


def _tree(torch: Any, name: str, value: object) -> Tree:
    pytree = torch.utils._pytree
    leaves, spec = pytree.tree_flatten(value)
    names = tuple(f"{name}{_path(path)}" for path, _ in pytree.tree_flatten_with_path(value)[0])
    return Tree(names, lambda parts: pytree.tree_unflatten(list(parts), spec), tuple(leaves))


def _path(path: Sequence[Any]) -> str:
    return "".join(f".{getattr(key, 'key', getattr(key, 'idx', getattr(key, 'name', key)))}" for key in path)
