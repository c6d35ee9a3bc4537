"""A plan: which cells there are, and that their ids change with what changes numbers and with nothing else."""

from __future__ import annotations

import pytest
import yaml

import losses
from bench.data.phantom.export import write_lits
from bench.data.phantom.settings import PhantomSettings
from bench.errors import DataError, SuiteError

DICE = {"id": "dice", "loss": {"name": "dice"}}


@pytest.fixture
def cells(workshop):
    """Plan the tiny suite with changes; its cells by method, seed and fold."""

    def plan(name: str = "tiny.yaml", **changes):
        planned = workshop.plan(workshop.suite(name, **changes))
        return {(cell.method, cell.seed, cell.fold): cell for cell in planned.plan.cells}

    return plan


@pytest.fixture
def dice(cells):
    return lambda **changes: cells(**changes)["dice", 0, 0]


def test_cells_are_methods_times_seeds_times_folds_in_the_order_of_the_suite(workshop):
    folds = {"train": None, "validation": None, "test": None, "folds": 3}
    plan = workshop.plan(workshop.suite(seeds=[3, 1], split=folds)).plan
    order = [(cell.fold, cell.seed, cell.method) for cell in plan.cells]
    assert order == [(fold, seed, method) for fold in range(3) for seed in (3, 1) for method in ("dice", "ce")]
    assert len({cell.id for cell in plan.cells}) == 12


def test_a_cell_names_the_cases_of_its_three_parts_and_only_needed_cases_are_prepared(workshop):
    plan = workshop.plan(workshop.suite(split={"train": 1, "validation": 1, "test": 1})).plan
    cell = plan.cells[0]
    assert (len(cell.train), len(cell.validation), len(cell.test)) == (1, 1, 1)
    assert len(set(cell.needs)) == 3
    assert {job.id for job in plan.prepare} == set(cell.needs)
    assert not cell.selected_on_reported


def test_an_id_begins_with_method_seed_and_fold(dice):
    assert dice().id.startswith("dice-s0-f0-")


HASHED = {
    "loss parameter": {"methods": [{"id": "dice", "loss": {"name": "dice", "smooth": 1.0}}]},
    "loss": {"methods": [{"id": "dice", "loss": {"name": "tversky"}}]},
    "sum": {
        "methods": [
            {"id": "dice", "loss": {"name": "sum", "terms": [{"name": "dice"}, {"name": "cross_entropy"}]}},
        ]
    },
    "widths": {"backbone": {"widths": [2, 6]}},
    "generator seed": {"dataset": {"seed": 4}},
    "size": {"dataset": {"size": [20, 32, 40]}},
    "target": {"dataset": {"target": [1]}},
    "class name": {"dataset": {"target": {"tumour": [2]}}},
    "roi": {"dataset": {"roi": [1]}},
    "ignored label": {"dataset": {"ignore_label": 7}},
    "split seed": {"split": {"seed": 1}},
    "split": {"split": {"train": 1, "test": 3}},
    "two sets": {"split": {"test": None, "test_is_validation": True}},
    "window": {"preprocessing": {"window": [-60.0, 150.0]}},
    "margin": {"preprocessing": {"crop": {"margin_voxels": 3}}},
    "spacing": {"preprocessing": {"spacing_mm": [5.0, 5.0, 5.0]}},
    "masked": {"preprocessing": {"mask_outside_roi": True}},
    "stored type": {"preprocessing": {"image_dtype": "float16"}},
    "patch": {"sampling": {"patch_size": [16, 16, 18]}},
    "batch": {"sampling": {"batch_size": 2}},
    "foreground": {"sampling": {"foreground_patches": 0}},
    "jitter": {"sampling": {"jitter_voxels": 2}},
    "augmentation": {"sampling": {"augmentation": "none"}},
    "steps": {"training": {"steps": 13}},
    "rate": {"training": {"learning_rate": 0.01}},
    "schedule": {"training": {"schedule": {"name": "polynomial", "exponent": 1.0}}},
    "protocol": {"training": {"protocol": "paper"}},
    "validations": {"training": {"validate_every": 6}},
    "precision": {"training": {"precision": "bf16"}},
    "threads": {"training": {"threads_per_cell": 2}},
    "memory format": {"training": {"memory_format": "contiguous"}},
    "compile": {"training": {"compile": True}},
    "tolerance": {"evaluation": {"tolerance_mm": 2.0}},
    "overlap": {"evaluation": {"window_overlap": 0.5}},
    "windows at once": {"evaluation": {"window_batch": 2}},
    "further data": {"evaluate_on": {"clinic": {"format": "phantom", "cases": 1}}},
}


@pytest.mark.parametrize("change", HASHED.values(), ids=HASHED.keys())
def test_what_can_change_a_number_changes_the_id(dice, change):
    before, after = dice(), dice(**change)
    assert after.id != before.id
    assert (after.comparison == before.comparison) == (change.keys() <= {"methods", "backbone"})


UNHASHED = {
    "title": {"title": "Another", "notes": ["a sentence"]},
    "label": {"methods": [{**DICE, "label": "Soft Dice"}]},
    "more methods": {"methods": [{"id": "new", "loss": {"name": "tversky"}}, DICE]},
    "more seeds": {"seeds": [1, 0]},
    "checkpoints": {"training": {"checkpoint_every": 1}},
    "primary": {"primary": "surface_dice", "baseline": "dice"},
    "baselines": {"threshold_baselines": True},
    "stored type written out": {"preprocessing": {"image_dtype": "float32"}},
    "default written out": {"methods": [{"id": "dice", "loss": {"name": "dice", "smooth": 1e-5, "batch": False}}]},
    "schedule written out": {"training": {"schedule": {"name": "polynomial", "exponent": 0.9}}},
    "protocol by its schedule": {"training": {"protocol": "paper", "schedule": {"name": "polynomial"}}},
    "default schedule": {"training": {"schedule": {"name": "polynomial"}}},
    "default evaluation": {"evaluation": {"tolerance_mm": 1.0}},
}


@pytest.mark.parametrize("change", UNHASHED.values(), ids=UNHASHED.keys())
def test_what_changes_no_number_changes_no_id(dice, change):
    before, after = dice(), dice(**change)
    assert (after.id, after.comparison) == (before.id, before.comparison)


def test_a_whole_number_is_the_float_that_it_stands_for(dice):
    one, same = (dice(methods=[{"id": "dice", "loss": {"name": "dice", "smooth": smooth}}]) for smooth in (1, 1.0))
    assert one.id == same.id


def test_the_order_of_keys_does_not_matter(workshop, dice):
    path = workshop.suite("turned.yaml")
    content = yaml.safe_load(path.read_text())
    turned = {key: dict(reversed(v.items())) if isinstance(v, dict) else v for key, v in reversed(content.items())}
    path.write_text(yaml.safe_dump(turned, sort_keys=False))
    assert workshop.plan(path).plan.cells[0].id == dice().id


def test_folders_of_data_and_of_the_run_do_not_matter(workshop, tmp_path):
    ids = []
    for name in ("here", "there"):
        write_lits(tmp_path / name, PhantomSettings(cases=4, size=(16, 16, 16)))
        nothing = dict.fromkeys(("cases", "seed", "size", "spacing_mm"))
        dataset = {"format": "lits", "root": name, "target": [2], "roi": [1, 2], **nothing}
        suite = workshop.suite(f"{name}.yaml", dataset=dataset, split={"train": 2, "validation": 1, "test": 1})
        ids.append([cell.id for cell in workshop.plan(suite, out=tmp_path / f"run of {name}").plan.cells])
    assert ids[0] == ids[1]


def test_methods_of_a_seed_and_fold_share_one_comparison_and_seeds_do_not(cells):
    folds = {"train": None, "validation": None, "test": None, "folds": 3}
    comparisons = {key: cell.comparison for key, cell in cells(seeds=[0, 1], split=folds).items()}
    assert all(comparisons["dice", seed, fold] == comparisons["ce", seed, fold] for seed in (0, 1) for fold in range(3))
    assert len(set(comparisons.values())) == 6


def test_selecting_on_the_reported_cases_is_said(dice):
    cell = dice(split={"test": None, "test_is_validation": True})
    assert cell.selected_on_reported
    assert cell.test == cell.validation


@pytest.mark.parametrize("fold", [-1, 3, 99])
def test_a_fold_that_does_not_exist_is_refused(workshop, fold):
    suite = workshop.suite(split={"train": None, "validation": None, "test": None, "folds": 3})
    with pytest.raises(SuiteError, match=f"--folds: there is no fold {fold}; the suite's split has folds 0 to 2"):
        workshop.plan(suite, folds=(fold,))


def test_a_fold_asked_for_twice_is_done_once(workshop):
    suite = workshop.suite(split={"train": None, "validation": None, "test": None, "folds": 3})
    assert len(workshop.plan(suite, folds=(1, 1)).plan.cells) == 2


@pytest.mark.parametrize(("part", "purpose"), [("validation", "select a checkpoint on"), ("test", "report on")])
def test_a_part_without_cases_is_refused(workshop, part, purpose):
    with pytest.raises(SuiteError, match=rf"fold 0 has no case to {purpose}; give split\.{part} at least one patient"):
        workshop.plan(workshop.suite(split={part: 0}))


def test_more_patients_than_there_are_is_refused(workshop):
    with pytest.raises(DataError, match="patients"):
        workshop.plan(workshop.suite(split={"train": 20}))


def test_a_corrected_formula_or_network_makes_new_cells(cells, monkeypatch):
    before = cells()
    assert before["ce", 0, 0].identity["code"] == {"loss cross_entropy": 1, "backbone residual_unet": 1}
    monkeypatch.setattr(losses.LOSSES.get("cross_entropy"), "version", 2)
    after = cells()
    assert after["ce", 0, 0].id != before["ce", 0, 0].id
    assert after["ce", 0, 0].comparison == before["ce", 0, 0].comparison
    assert after["dice", 0, 0].id == before["dice", 0, 0].id


def test_the_versions_of_all_losses_of_a_sum_count(cells):
    terms = [{"name": "dice"}, {"name": "inverse_weighting", "of": {"name": "focal"}}]
    cell = cells(methods=[{"id": "both", "loss": {"name": "sum", "terms": terms}}])["both", 0, 0]
    expected = {f"loss {name}": 1 for name in ("sum", "dice", "inverse_weighting", "focal")}
    assert cell.identity["code"] == {**expected, "backbone residual_unet": 1}
