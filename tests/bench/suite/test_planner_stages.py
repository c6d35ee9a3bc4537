"""Plans with regressors and warm starts: what is trained before the cells, for whom, and what their ids depend on."""

from __future__ import annotations

import json

import pytest

import models
from bench.suite.plan import Plan

DICE = {"id": "dice", "loss": {"name": "dice"}}
LR_NET = {"name": "lr_net", "map": "norm_inverse", "pretraining_steps": 6}
TANDEM = {"id": "tandem", "loss": {"name": "dice"}, "regressor": LR_NET}
WARM = {"id": "warm", "loss": {"name": "cross_entropy"}, "start": {"from": "dice"}}
FOLDS = {"train": None, "validation": None, "test": None, "folds": 3}


@pytest.fixture
def plan(workshop):
    """Plan the tiny suite with changes."""

    def plan(**changes) -> Plan:
        return workshop.plan(workshop.suite(**changes)).plan

    return plan


@pytest.fixture
def tandem(plan):
    """The pre-training and the cell of one method with the regressor, changed."""

    def plan_one(regressor=(), **changes):
        planned = plan(methods=[{**TANDEM, "regressor": {**LR_NET, **dict(regressor)}}], **changes)
        return (planned.pretrain[0] if planned.pretrain else None), planned.cells[0]

    return plan_one


def by_method(planned: Plan) -> dict:
    return {cell.method: cell for cell in planned.cells}


def test_a_row_without_regressor_or_start_has_the_keys_and_the_id_that_it_had(plan):
    keys = {"cases", "classes", "sampling", "training", "evaluation", "seed", "versions", "backbone", "loss", "code"}
    alone = by_method(plan(methods=[DICE]))["dice"]
    assert set(alone.identity) == keys
    assert set(by_method(plan(methods=[{"id": "m", "loss": {"name": "map_dice"}}]))["m"].identity) == {*keys, "maps"}
    assert (alone.pretrained, alone.start, alone.maps) == (None, None, {})
    among = by_method(plan(methods=[TANDEM, DICE, WARM]))["dice"]
    assert among == alone
    assert plan(methods=[DICE]).pretrain == ()


def test_regressor_version_pretraining_and_start_are_in_the_identity(plan):
    cells = by_method(plan(methods=[DICE, TANDEM, {**TANDEM, "id": "warm", "start": {"from": "dice"}}]))
    warm = cells["warm"]
    assert warm.identity["regressor"] == models.resolve_regressor(LR_NET)
    assert warm.identity["code"]["regressor lr_net"] == 1
    assert warm.identity["pretrained"] == warm.pretrained == cells["tandem"].pretrained
    assert warm.identity["start"] == {"cell": cells["dice"].id, "block": "best", "learning_rate": 0.02}
    assert warm.identity["maps"]["kinds"][0]["kind"] == "norm_inverse"
    assert "start" not in cells["tandem"].identity


def test_a_corrected_regressor_makes_new_pretrainings_and_cells(tandem, monkeypatch):
    before = tandem()
    monkeypatch.setattr(models.REGRESSORS.get("lr_net"), "version", 2)
    after = tandem()
    assert after[0].id != before[0].id
    assert after[1].id != before[1].id
    assert after[1].comparison == before[1].comparison


CELL_ONLY = {
    "alpha": ({"alpha": 10.0}, {}),
    "reduction": ({"reduction": "foreground"}, {}),
    "steps of the training": ({}, {"training": {"steps": 13}}),
    "learning rate of the training": ({}, {"training": {"learning_rate": 0.01}}),
    "validations of the training": ({}, {"training": {"validate_every": 6}}),
    "schedule of the training": ({}, {"training": {"schedule": {"name": "polynomial", "exponent": 1.0}}}),
    "network": ({}, {"backbone": {"widths": [2, 6]}}),
    "metrics": ({}, {"evaluation": {"tolerance_mm": 2.0}}),
}


@pytest.mark.parametrize(("regressor", "changes"), CELL_ONLY.values(), ids=CELL_ONLY.keys())
def test_what_only_the_cell_depends_on_leaves_the_pretraining(tandem, regressor, changes):
    before, after = tandem(), tandem(regressor, **changes)
    assert after[0].id == before[0].id
    assert after[1].id != before[1].id


BOTH = {
    "map": ({"map": "signed_norm_inverse"}, {}),
    "head": ({"head": "sigmoid"}, {}),
    "normalisation": ({"norm": "none"}, {}),
    "steps": ({"pretraining_steps": 7}, {}),
    "rate": ({"pretraining_rate": 0.01}, {}),
    "seed": ({}, {"seeds": [1]}),
    "patch": ({}, {"sampling": {"patch_size": [16, 16, 8]}}),
    "batch": ({}, {"sampling": {"batch_size": 2}}),
    "scope of maps": ({}, {"sampling": {"map_scope": "patch"}}),
    "split": ({}, {"split": {"seed": 1}}),
    "data": ({}, {"dataset": {"seed": 4}}),
    "precision": ({}, {"training": {"precision": "bf16"}}),
    "threads": ({}, {"training": {"threads_per_cell": 2}}),
}


@pytest.mark.parametrize(("regressor", "changes"), BOTH.values(), ids=BOTH.keys())
def test_what_the_pretraining_depends_on_changes_it_and_the_cell(tandem, regressor, changes):
    before, after = tandem(), tandem(regressor, **changes)
    assert after[0].id != before[0].id
    assert after[1].id != before[1].id
    assert after[1].pretrained == after[0].id


UNHASHED = {
    "map written out": {"map": "norm_inverse"},
    "head written out": {"head": "relu"},
    "alpha as a whole number": {"alpha": 1},
    "frozen written out": {"frozen": True},
}


@pytest.mark.parametrize("regressor", UNHASHED.values(), ids=UNHASHED.keys())
def test_defaults_written_out_change_no_id(tandem, regressor):
    before, after = tandem(), tandem(regressor)
    assert (before[0].id, before[1].id) == (after[0].id, after[1].id)


def test_cells_with_the_same_pretraining_share_one_plan(plan):
    heavy = {**TANDEM, "id": "heavy", "regressor": {**LR_NET, "alpha": 5.0}}
    signed = {**TANDEM, "id": "signed", "regressor": {**LR_NET, "map": "signed_norm_inverse"}}
    planned = plan(methods=[TANDEM, heavy, signed], seeds=[0, 1], split=FOLDS)
    assert len(planned.pretrain) == len({one.id for one in planned.pretrain}) == 2 * 2 * 3
    cells = {(cell.method, cell.seed, cell.fold): cell for cell in planned.cells}
    for seed in (0, 1):
        for fold in range(3):
            one, other = cells["tandem", seed, fold], cells["heavy", seed, fold]
            assert one.pretrained == other.pretrained
            assert one.id != other.id
            assert one.pretrained.startswith(f"lr_net-norm_inverse-s{seed}-f{fold}-")
            assert cells["signed", seed, fold].pretrained != one.pretrained
    assert {cell.pretrained for cell in planned.cells} == {one.id for one in planned.pretrain}


@pytest.mark.parametrize(
    "regressor",
    [{"name": "lr_net", "frozen": False}, {"name": "multi_branch"}, {"name": "cascaded"}],
    ids=["not frozen", "multi_branch", "cascaded"],
)
def test_a_regressor_without_a_stage_of_its_own_plans_none(plan, regressor):
    planned = plan(methods=[{"id": "m", "loss": {"name": "dice"}, "regressor": regressor}])
    assert planned.pretrain == ()
    (cell,) = planned.cells
    assert cell.pretrained is None
    assert "pretrained" not in cell.identity
    assert cell.identity["regressor"] == models.resolve_regressor(regressor)
    assert [one.kind for one in planned.maps] == list(cell.maps) * 2


def test_the_steps_of_a_pretraining_that_is_not_done_do_not_count(plan):
    ids = []
    for steps in (6, 7):
        regressor = {"name": "lr_net", "frozen": False, "pretraining_steps": steps}
        ids.append(plan(methods=[{"id": "m", "loss": {"name": "dice"}, "regressor": regressor}]).cells[0].id)
    assert ids[0] == ids[1]


def test_maps_of_training_and_validation_cases_are_planned_once(plan):
    mapped = {"id": "mapped", "loss": {"name": "map_dice", "penalty_map": "norm_inverse"}}
    heavy = {**TANDEM, "id": "heavy", "regressor": {**LR_NET, "alpha": 5.0}}
    planned = plan(methods=[mapped, TANDEM, heavy], seeds=[0, 1])
    (train, validation) = (set(getattr(planned.cells[0], part)) for part in ("train", "validation"))
    assert len(train) == len(validation) == 2
    assert sorted(one.case for one in planned.maps) == sorted(train | validation)
    assert {one.kind for one in planned.maps} == {"norm_inverse"}
    for pretraining in planned.pretrain:
        assert set(pretraining.needs) == train | validation
        assert set(pretraining.map_needs) == {one.id for one in planned.maps}
    assert set(planned.cells[0].map_needs) < {one.id for one in planned.maps}


def test_maps_of_the_patch_are_planned_nowhere(plan):
    planned = plan(methods=[TANDEM], sampling={"map_scope": "patch"})
    assert planned.maps == ()
    assert (planned.pretrain[0].maps, planned.pretrain[0].validation_maps, planned.cells[0].maps) == ({}, {}, {})


@pytest.mark.parametrize(
    "change",
    [
        {"loss": {"name": "dice", "smooth": 1.0}},
        {"loss": {"name": "tversky"}},
        {"regressor": {"name": "multi_branch"}},
    ],
    ids=["parameter", "loss", "regressor"],
)
def test_a_change_of_the_start_changes_what_starts_from_it(plan, change):
    before, after = (by_method(plan(methods=[{**DICE, **how}, WARM])) for how in ({}, change))
    assert before["warm"].start == before["dice"].id
    assert before["warm"].identity["start"]["cell"] == before["dice"].id
    assert after["warm"].start == after["dice"].id != before["dice"].id
    assert after["warm"].id != before["warm"].id
    assert after["warm"].comparison == before["warm"].comparison


def test_a_change_of_what_starts_leaves_the_start(plan):
    before, after = (
        by_method(plan(methods=[DICE, {**WARM, "loss": {"name": name}}])) for name in ("cross_entropy", "tversky")
    )
    assert before["dice"] == after["dice"]
    assert before["warm"].id != after["warm"].id


def test_the_learning_rate_of_the_start_counts_and_that_of_the_training_written_out_does_not(plan):
    ids = {
        rate: by_method(plan(methods=[DICE, {**WARM, "start": {"from": "dice", "learning_rate": rate}}]))["warm"].id
        for rate in (None, 0.02, 0.01)
    }
    assert ids[None] == ids[0.02] != ids[0.01]


def test_warm_and_fresh_rows_of_a_seed_have_one_comparison_and_start_from_their_own_seed_and_fold(plan):
    planned = plan(methods=[WARM, DICE, TANDEM], seeds=[0, 1], split=FOLDS)
    cells = {(cell.method, cell.seed, cell.fold): cell for cell in planned.cells}
    assert len(cells) == 4 * 2 * 3, "three methods and the control"
    for seed in (0, 1):
        for fold in range(3):
            here = [cell for (_, s, f), cell in cells.items() if (s, f) == (seed, fold)]
            assert len({cell.comparison for cell in here}) == 1
            for method in ("warm", "dice-continued"):
                assert cells[method, seed, fold].start == cells["dice", seed, fold].id
    assert len({cell.comparison for cell in planned.cells}) == 6
    order = [cell.method for cell in planned.cells[:4]]
    assert order == ["warm", "dice-continued", "dice", "tandem"], "as in the suite"


def test_a_plan_survives_being_written_and_read(plan):
    planned = plan(methods=[DICE, WARM, TANDEM])
    written = planned.model_dump(mode="json")
    assert Plan.model_validate_json(json.dumps(written)).model_dump(mode="json") == written


def test_masks_of_their_own_take_the_place_of_the_training_cases_in_pretrainings_only(plan):
    masks = {"format": "phantom", "cases": 3, "seed": 9, "size": [24, 32, 32]}
    before, after = plan(methods=[TANDEM]), plan(methods=[TANDEM], pretrain_on=masks)
    extra = {job.id for job in after.prepare if job.dataset == "pretrain_on"}
    assert len(extra) == 3
    assert set(after.pretrain[0].train) == extra
    assert after.pretrain[0].validation == before.pretrain[0].validation
    assert {one.case for one in after.maps} == {*extra, *after.cells[0].train, *after.cells[0].validation}
    assert (after.cells[0].train, after.cells[0].evaluate_on) == (before.cells[0].train, {})
    assert after.cells[0].comparison == before.cells[0].comparison
    assert after.pretrain[0].id != before.pretrain[0].id
    assert after.cells[0].id != before.cells[0].id
    assert plan(methods=[DICE], pretrain_on=masks).cells == plan(methods=[DICE]).cells
