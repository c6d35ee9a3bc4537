from __future__ import annotations

import matplotlib.image
import pytest

import losses
from bench.report.plots.self_check import draw_overview, draw_self_check
from losses.base import Loss
from losses.self_check.report import check


class Raises(Loss):
    """A plug-in with a mistake."""

    def compute(self, logits, labels, maps, voxel_weight):
        raise IndexError("no such channel")


@pytest.fixture
def broken():
    losses.register("plugin_that_raises")(Raises)
    yield check("plugin_that_raises")
    losses.LOSSES.withdraw("plugin_that_raises")


def test_a_loss_that_raises_in_every_probe_is_drawn_with_its_verdicts(broken, tmp_path):
    draw_self_check(broken, tmp_path / "broken.png")
    assert matplotlib.image.imread(tmp_path / "broken.png").shape[1] == 1200


def test_pictures_are_the_same_bytes_each_time(broken, tmp_path):
    checks = [check("cross_entropy"), broken]
    for name in ("a", "b"):
        draw_self_check(checks[0], tmp_path / f"{name}.png")
        draw_overview(checks, tmp_path / f"{name}-all.png")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert (tmp_path / "a-all.png").read_bytes() == (tmp_path / "b-all.png").read_bytes()


def test_every_row_of_an_overview_adds_to_its_height(broken, tmp_path):
    for rows in (1, 3):
        draw_overview([broken] * rows, tmp_path / f"{rows}.png")
    heights = [matplotlib.image.imread(tmp_path / f"{rows}.png").shape[0] for rows in (1, 3)]
    assert heights[1] - heights[0] == pytest.approx(2 * 0.24 * 150, abs=2)
