from __future__ import annotations

import math
from pathlib import Path

import pytest

from gradcheck.model import Grid
from gradcheck.report.heatmap import draw_heatmap
from gradcheck.report.terminal import draw

from .samples import failing, passing, right
from .test_screens import compare


def grid(shape: tuple[int, ...], error: float = 0.0) -> Grid:
    size = math.prod(shape)
    numeric = [math.sin(1.7 * number + 0.3) for number in range(size)]
    analytic = [value * (1 + error * (number % 3 == 0)) for number, value in enumerate(numeric)]
    return Grid(shape, analytic, numeric, [1e-12] * size)


def text(blocks: bool = True, width: int = 80, **grids: Grid) -> str:
    return "\n".join(line.plain for line in draw_heatmap(right(**grids), width=width, blocks=blocks))


def test_side_by_side() -> None:
    compare("heatmap", text(gradient=grid((4, 5), 0.01)))


def test_letters_and_three_axes() -> None:
    compare("heatmap-letters", text(blocks=False, gradient=grid((2, 3, 4), 0.5)))


def test_below_each_other_where_that_fits() -> None:
    compare("heatmap-wide", text(gradient=grid((3, 30), 1e-4)))


def test_pooled_where_nothing_fits() -> None:
    compare("heatmap-pooled", text(gradient=grid((60, 200), 1e-8), jacobian=grid((2, 2))))


def test_numbers_that_are_none() -> None:
    values = [math.nan, math.inf, 0.0, -1.0]

    compare("heatmap-nan", text(gradient=Grid((4,), values, [0.0, 0.0, 0.0, -1.0], [0.0] * 4)))


def test_errors_are_shaded_by_their_size() -> None:
    exact = [1.0] * 6
    wrong = [1.0, 1.0 + 1e-9, 1.0 + 1e-5, 1.01, 1.5, -1.0]
    row = text(gradient=Grid((6,), wrong, exact, [1e-12] * 6)).split("\n")[2]

    assert row.endswith("|  ░░▒▒▓▓████|")


@pytest.mark.parametrize("given", [Grid((), [1.0], [1.0], [0.0]), Grid((0, 3), [], [], [])])
def test_nothing_to_draw(given: Grid) -> None:
    assert draw_heatmap(right(gradient=given), width=80) == []
    assert draw_heatmap(right(), width=80) == []


@pytest.mark.parametrize("width", [20, 40, 80, 140])
@pytest.mark.parametrize("shape", [(1,), (4, 5), (3, 30), (60, 200), (2, 3, 4, 5)])
def test_maps_fit_the_screen(width: int, shape: tuple[int, ...]) -> None:
    lines = text(width=width, gradient=grid(shape, 0.1)).split("\n")

    assert all(len(line) <= width for line in lines if "|" in line)


def test_in_the_screen_of_a_case() -> None:
    part = right(gradient=grid((4, 5)))

    assert "x: gradient (4, 5)" in draw(passing(inputs=[part]), show="heatmap", brief=True)
    assert "x: gradient" not in draw(passing(inputs=[part]))
    assert "rel. error: . is beyond" in draw(failing(inputs=[part]), show="heatmap", blocks=False)


def test_screens_are_where_they_are_looked_for() -> None:
    assert (Path(__file__).parent / "screens" / "heatmap.txt").exists()
