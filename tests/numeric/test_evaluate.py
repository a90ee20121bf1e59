from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from gradcheck.numeric.evaluate import median, percentile

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("size", [1, 2, 3, 20, 33])
def test_medians_and_percentiles_are_those_of_numpy(size: int) -> None:
    values = RNG.standard_normal(size)

    assert median(values) == np.median(values)
    assert median(values.reshape(1, -1)) == np.median(values)
    for percent in (0, 10, 60, 100):
        assert percentile(values, percent) == pytest.approx(np.percentile(values, percent), rel=1e-14)


def test_special_values() -> None:
    assert np.isnan(median([]))
    assert np.isnan(median([1.0, np.nan, 2.0]))
    assert median([1.0, np.inf, np.inf]) == np.inf
    assert median([np.inf, np.inf]) == np.inf


def test_masked_arrays_stay_away() -> None:
    code = (
        "import sys, numpy as np\nfrom gradcheck.numeric.evaluate import median, percentile\n"
        "median(np.arange(4.0)), percentile(np.arange(4.0), 10)\n{}print('numpy.ma' in sys.modules)\n"
    )

    def said(extra: str) -> str:
        command = [sys.executable, "-c", code.format(extra)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    assert said("") == "False"
    if np.lib.NumpyVersion(np.__version__) >= "2.3.0":
        assert said("np.median(np.arange(4.0))\n") == "True"
