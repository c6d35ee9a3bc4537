"""Target maps in a plan: one job for each case and kind, and no trace in cells that need none."""

from __future__ import annotations

import pytest

from bench.errors import SuiteError
from bench.suite.maps import kinds_of
from losses.target_maps import TargetMap

DICE = {"id": "dice", "loss": {"name": "dice"}}
MAPPED = {"id": "mapped", "loss": {"name": "map_dice"}}
ASTRAY = """
import losses
from losses.library.dice import Dice


@losses.register("astray")
class Astray(Dice):
    required_maps = ("norm_inverted",)
"""
PLUGIN = """
import numpy as np
from losses import target_maps


@target_maps.register("plain")
class Plain(target_maps.TargetMap):
    def values(self, lesions):
        return lesions.spread(np.full(len(lesions.number), WEIGHT, np.float32))
"""
PATCH = {"sampling": {"map_scope": "patch"}}


@pytest.fixture
def plan(workshop):
    return lambda **changes: workshop.plan(workshop.suite(**{"methods": [DICE, MAPPED], **changes})).plan


@pytest.mark.parametrize(
    ("loss", "kinds"),
    [
        ({"name": "dice"}, ()),
        ({"name": "map_dice", "penalty_map": "inverse"}, ("inverse",)),
        ({"name": "hausdorff_dt"}, ("distance", "signed_distance")),
        ({"name": "residual_moment", "origin": "volume"}, ()),
        ({"name": "sum", "terms": [{"name": "dice", "weight": {"start": 0, "stop": 1, "steps": 2}}]}, ()),
        ({"name": "inverse_weighting", "of": {"name": "boundary"}}, ("lesion_id", "signed_distance")),
        (
            {
                "name": "sum",
                "terms": [{"name": "map_dice"}, {"name": "inverse_weighting", "of": {"name": "map_dice"}}],
            },
            ("lesion_id", "norm_inverse"),
        ),
    ],
)
def test_nested_losses_require_what_their_parts_require_and_reserved_names_are_no_maps(loss, kinds):
    assert kinds_of(loss) == kinds


def test_there_is_one_job_for_each_training_case_and_kind_whatever_needs_it(plan):
    methods = [DICE, MAPPED, {"id": "more", "loss": {"name": "map_dice", "smooth": 1.0}}]
    made = plan(methods=methods, seeds=[0, 1])
    assert sorted((job.case, job.kind) for job in made.maps) == sorted(
        (case, "norm_inverse") for case in made.cells[0].train
    )
    for cell in made.cells:
        read = () if cell.method == "dice" else tuple(job.id for job in made.maps)
        assert cell.map_needs == read
    assert len({job.id for job in made.maps}) == len(made.maps) == 2


def test_maps_enter_neither_the_comparison_nor_the_identity_of_cells_without(plan):
    dice, mapped = plan().cells
    assert dice.comparison == mapped.comparison
    assert "maps" not in dice.identity
    assert plan(methods=[DICE]).cells[0].id == plan(**PATCH).cells[0].id == dice.id


def test_scope_and_version_of_a_map_enter_the_identity_of_cells_that_need_it(plan, monkeypatch):
    before, patch = plan(), plan(**PATCH)
    assert patch.cells[1].id != before.cells[1].id
    assert patch.cells[1].comparison == before.cells[1].comparison
    assert (patch.maps, patch.cells[1].maps) == ((), {})
    monkeypatch.setattr(TargetMap, "version", 2)
    after = plan()
    assert after.cells[0] == before.cells[0]
    assert after.cells[1].id != before.cells[1].id
    assert {job.id for job in after.maps}.isdisjoint(job.id for job in before.maps)


def test_a_map_is_another_one_for_another_prepared_case_and_another_kind(plan):
    def ids(**changes):
        return {job.id for job in plan(**changes).maps}

    assert ids().isdisjoint(ids(preprocessing={"crop": {"margin_voxels": 3}}))
    assert ids().isdisjoint(ids(methods=[{"id": "other", "loss": {"name": "map_dice", "penalty_map": "inverse"}}]))
    assert ids() == ids(sampling={"patch_size": [8, 8, 8]}, seeds=[5])


def test_a_loss_that_requires_what_is_no_map_is_refused_at_its_line(workshop, tmp_path):
    (tmp_path / "astray.py").write_text(ASTRAY)
    suite = workshop.suite(plugins=["astray.py"], methods=[{"id": "a", "loss": {"name": "astray"}}])
    with pytest.raises(SuiteError, match=r"tiny\.yaml:\d+:\d+: .*unknown target map 'norm_inverted'. Did you mean"):
        workshop.plan(suite)


def test_a_map_of_a_plug_in_file_is_another_one_when_the_file_changes(workshop, tmp_path):
    ids = []
    for weight in ("0.5", "0.6", "0.5"):
        (tmp_path / "mine.py").write_text(PLUGIN.replace("WEIGHT", weight))
        loss = {"name": "map_dice", "penalty_map": "plain"}
        made = workshop.plan(workshop.suite(plugins=["mine.py"], methods=[{"id": "plain", "loss": loss}])).plan
        ids.append((made.maps[0].id, made.cells[0].id))
    assert ids[0] == ids[2]
    assert not set(ids[0]) & set(ids[1])
