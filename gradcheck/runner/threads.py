"""One thread for each worker: numerical libraries otherwise start as many as there are cores, in each of them."""

from __future__ import annotations

from collections.abc import MutableMapping

NAMES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "RAYON_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
)


def hold_threads(environment: MutableMapping[str, str]) -> None:
    """Ask libraries that are imported later for one thread, whatever was asked for before.

    The number of threads decides the order of sums, and so the last bits of a report.
    """
    environment.update(dict.fromkeys(NAMES, "1"))
