"""The anatomy of a Jacobian: a diagonal plus a few outer products inside each block of coupled entries.

Softmax, log-softmax, normalisations and projections are all of the form
``J[i, j] = d[i] delta_ij + sum_t p_t[i] q_t[j]`` for i, j of one block. In the VJP ``q`` is what multiplies the sum and
``p`` what the upstream is weighted with inside it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from gradcheck.rules.truth import Floats
    from gradcheck.rules.view import View


@dataclass(frozen=True)
class Term:
    """One outer product: ``inside[i] * outside[j]``; ``label`` says what ``outside`` is."""

    inside: Floats
    outside: Floats
    label: str


@dataclass(frozen=True)
class Anatomy:
    """Diagonal and outer products; ``same[i, j]`` says whether i and j are of one block."""

    d: Floats
    terms: tuple[Term, ...]
    same: Floats

    def compose(self, *, d: Floats | None = None, same: Floats | None = None) -> Floats:
        """Put the Jacobian together again, with another diagonal or other blocks if given."""
        base: Floats = np.diag(self.d if d is None else d)
        mask = self.same if same is None else same
        for term in self.terms:
            base = base + np.outer(term.inside, term.outside) * mask
        return base

    def only(self, *indices: int) -> Anatomy:
        """Keep some of the terms."""
        return replace(self, terms=tuple(self.terms[i] for i in indices))

    def swap(self, *terms: Term) -> Anatomy:
        """Exchange the terms for others."""
        return replace(self, terms=terms)


def dictionary(view: View) -> dict[str, Floats]:
    """Vectors that turn up in outer products, by label."""
    x, y = view.x.ravel(), view.y
    with np.errstate(all="ignore"):
        words = {"one": np.ones_like(x), "y": y, "x": x, "exp(y)": np.exp(y), "sign(x)": np.sign(x), "x^2": x * x}
    return {label: word for label, word in words.items() if np.all(np.isfinite(word))}


def dissect(view: View) -> Anatomy | None:
    """Find the anatomy of the true Jacobian of a layer with ``alike`` input and output, or ``None``."""
    if not view.coupled or view.N < 2:
        return None
    same = np.zeros((view.N, view.N))
    for rows, columns in view.blocks:
        if not np.array_equal(rows, columns):
            return None
        same[np.ix_(rows, columns)] = 1.0
    words = dictionary(view)
    words["centred x"] = view.x.ravel().copy()
    for rows, _ in view.blocks:
        words["centred x"][rows] -= words["centred x"][rows].mean()
    sets: list[tuple[str, ...]] = [("one",), ("y",), ("exp(y)",), ("x",), ("sign(x)",), ("one", "centred x")]
    sets += [("one", "y"), ("x", "y")]
    # blocks of two entries contradict no word: take the one whose block sums to 1, as a softmax does
    likely = [labels for labels in (("y",), ("exp(y)",)) if _sums_to_one(view, words.get(labels[0]))]
    sets = likely + [labels for labels in sets if labels not in likely]
    best: tuple[int, Anatomy] | None = None
    for labels in sets:
        if not all(label in words for label in labels):
            continue
        found, spare = _fit(view, [words[label] for label in labels], labels, same)
        if found is not None and (best is None or (spare > 0 and best[0] <= 0)):
            best = (spare, found)
            if spare > 0:
                break
    if best is not None and best[0] > 0:
        return best[1]
    return _banded(view, words) or _rank_one(view, same) or (best[1] if best is not None else None)


def _banded(view: View, words: dict[str, Floats]) -> Anatomy | None:
    """Fit every row by one word on its own support: sums over windows, as in local response normalisation."""
    linked = np.abs(view.J) > view.zero
    off = linked & ~np.eye(view.N, dtype=bool)
    if not np.array_equal(linked, linked.T) or off.sum() < 1.3 * view.N:
        return None
    slack = 10 * (2 * view.noise + 1e-8) * np.abs(view.J).max()
    for label in ("x", "y", "one"):
        word = words.get(label)
        if word is None:
            continue
        inside = np.zeros(view.N)
        fits = True
        for row in range(view.N):
            others = np.flatnonzero(off[row])
            size = float(word[others] @ word[others])
            if not size:
                continue
            inside[row] = float(word[others] @ view.J[row, others]) / size
            fits &= bool(np.abs(inside[row] * word[others] - view.J[row, others]).max() <= slack)
        if fits:
            return Anatomy(view.diagonal - inside * word, (Term(inside, word, label),), linked.astype(np.float64))
    return None


def _sums_to_one(view: View, word: Floats | None) -> bool:
    return word is not None and all(abs(float(word[rows].sum()) - 1.0) < 1e-9 for rows, _ in view.blocks)


def _fit(view: View, words: list[Floats], labels: tuple[str, ...], same: Floats) -> tuple[Anatomy | None, int]:
    """Fit the off-diagonal of every row by multiples of some words; also how many equations were left over."""
    return fit(view.J, [rows for rows, _ in view.blocks], words, labels, same, 2 * view.noise + 1e-8)


def fit(
    matrix: Floats,
    blocks: list[np.ndarray],
    words: list[Floats],
    labels: tuple[str, ...],
    same: Floats,
    noise: float,
) -> tuple[Anatomy | None, int]:
    """Fit the off-diagonal entries of every row of a matrix by multiples of some words, block by block.

    Returns
    -------
    tuple
        The anatomy, or ``None`` if it does not fit; and how many equations were left over to contradict it.
    """
    size = len(matrix)
    inside = [np.zeros(size) for _ in words]
    d = np.diag(matrix).copy()
    spare = 0
    slack = 10 * noise * np.abs(matrix).max()
    for rows in blocks:
        basis = np.stack([word[rows] for word in words], axis=1)
        for place, row in enumerate(rows):
            others = np.delete(np.arange(len(rows)), place)
            target = matrix[row, rows[others]]
            if len(others) < len(words):
                return None, 0
            weights, *_ = np.linalg.lstsq(basis[others], target, rcond=None)
            if np.abs(basis[others] @ weights - target).max() > slack:
                return None, 0
            spare += len(others) - len(words)
            for column, weight in zip(inside, weights, strict=True):
                column[row] = weight
            d[row] -= float(basis[place] @ weights)
    terms = tuple(Term(p, q.copy(), label) for p, q, label in zip(inside, words, labels, strict=True))
    return Anatomy(d, terms, same), spare


def _rank_one(view: View, same: Floats) -> Anatomy | None:
    """Recover one unknown outer product from the off-diagonal entries of blocks of three and more."""
    p, q = np.zeros(view.N), np.zeros(view.N)
    d = view.diagonal.copy()
    for rows, _ in view.blocks:
        if len(rows) < 4:
            return None
        block = view.J[np.ix_(rows, rows)]
        solved = complete(block)
        if solved is None:
            return None
        p[rows], q[rows] = solved
        d[rows] -= p[rows] * q[rows]
    return Anatomy(d, (Term(p, q, "unknown"),), same)


def complete(block: Floats) -> tuple[Floats, Floats] | None:
    """Find p, q with ``p[i] q[j] = block[i, j]`` off the diagonal, for blocks of at least four rows, or ``None``."""
    size = len(block)
    hidden = block.copy()
    off = ~np.eye(size, dtype=bool)
    scale = np.abs(block[off]).max()
    if size < 4 or scale == 0.0:
        return None
    for i in range(size):
        j, k = _largest(block, i)
        if block[k, j] == 0.0:
            return None
        hidden[i, i] = block[i, j] * block[k, i] / block[k, j]
    u, s, v = np.linalg.svd(hidden)
    if s[1] > 1e-6 * s[0]:
        return None
    return u[:, 0] * s[0], v[0]


def _largest(block: Floats, i: int) -> tuple[int, int]:
    """Find the largest entry ``block[k, j]`` off the diagonal and off row and column i; return (j, k)."""
    size = len(block)
    values = np.abs(block).copy()
    values[np.arange(size), np.arange(size)] = -1.0
    values[i, :] = -1.0
    values[:, i] = -1.0
    k, j = np.unravel_index(int(np.argmax(values)), values.shape)
    return int(j), int(k)
