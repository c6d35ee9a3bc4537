"""The suites that ship with the project: every profile is valid, and runs to a table on real scans."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

import bench
import losses
import models
from bench.data.phantom.export import write_lits
from bench.data.phantom.settings import PhantomSettings
from bench.execution.planning import Request, plan_request
from bench.suite.loader import load
from bench.suite.methods import resolve_method
from bench.suite.plugins import losses_named
from bench.suite.schema import Suite

SUITES = sorted((Path(__file__).parents[2] / "suites").glob("*.yaml"))

real_scans = pytest.mark.skipif("IMBALANCE_DATA" not in os.environ, reason="IMBALANCE_DATA is not set")


def planned_phantom(name, tmp_path, *overrides):
    path = next(candidate for candidate in SUITES if candidate.stem == name)
    return plan_request(Request(path, profile="phantom", out=tmp_path / "run", overrides=overrides), read_data=False)


SMALL = (
    "backbone.widths=[2, 4]",
    "training.steps=6",
    "training.validate_every=3",
    "training.precision=fp32",
)


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("IMBALANCE_BENCH_CACHE", str(tmp_path / "cache"))


@pytest.mark.parametrize("suite", SUITES, ids=lambda path: path.stem)
def test_the_phantom_profile_is_valid_and_needs_no_data(suite, tmp_path, monkeypatch):
    monkeypatch.delenv("IMBALANCE_DATA", raising=False)
    monkeypatch.delenv("LITS_ROOT", raising=False)
    planned = plan_request(Request(suite, out=tmp_path / "run"), read_data=False)
    assert planned.profile == "phantom"
    assert "was skipped because" in planned.why
    assert planned.suite.training.steps >= 300
    assert len(planned.selected()[0].test) >= 30


TABLE_2 = [
    *("dice", "frequency-weighted-dice", "map-dice", "ulr-net", "lr-net", "dice-lr-net", "map-dice-lr-net"),
    *("wce", "gds", "tversky", "ftl", "exp-log", "multi-branch", "cascaded"),
]
"""The 13 rows of Li et al. 2021 in their order, L_Dice twice."""


def test_lits_has_the_rows_of_table_2_in_their_order_and_ours_behind_them(tmp_path):
    methods = planned_phantom("lits", tmp_path).suite.methods
    assert [method.id for method in methods[: len(TABLE_2)]] == TABLE_2
    ours = methods[len(TABLE_2) :]
    assert {"cross-entropy", "dice-cross-entropy"} <= {method.id for method in ours}
    assert all("(ours" in method.label for method in ours)
    assert not any("(ours" in method.label for method in methods[: len(TABLE_2)])


def test_the_controls_of_the_authors_protocol_are_marked_ours(tmp_path):
    methods = planned_phantom("lits", tmp_path, "training.protocol=code").suite.methods
    started = [method for method in methods if method.start is not None]
    assert {method.id for method in started} == {"lr-net", "dice-lr-net", "map-dice-lr-net", "dice-continued-1e-05"}
    assert all("(ours" in method.label for method in methods if method.reported is None)


def test_the_lr_net_rows_of_table_2_are_as_printed(tmp_path):
    methods = {method.id: resolve_method(method) for method in planned_phantom("lits", tmp_path).suite.methods}
    for name in ("lr-net", "dice-lr-net", "map-dice-lr-net"):
        regressor = methods[name].regressor
        assert (regressor["map"], regressor["head"], regressor["alpha"]) == ("norm_inverse", "relu", 1.0)
        assert (regressor["frozen"], regressor["reduction"]) == (True, "mean")
    assert methods["ulr-net"].regressor["frozen"] is False
    assert methods["lr-net"].loss is None
    assert methods["map-dice-lr-net"].loss["name"] == "map_dice"


COLUMNS = [
    ("distance", "relu"),
    ("inverse", "relu"),
    ("norm_inverse", "relu"),
    ("norm_inverse", "sigmoid"),
    ("signed_norm_inverse", "tanh"),
]


def test_lits_maps_has_five_methods_on_five_maps_and_two_baselines(tmp_path):
    methods = planned_phantom("lits_maps", tmp_path).suite.methods
    assert [method.id for method in methods[:2]] == ["dice", "map-dice"]
    resolved = [resolve_method(method) for method in methods[2:]]
    assert [(one.regressor["map"], one.regressor["head"]) for one in resolved] == 5 * COLUMNS
    alphas = [[one.regressor["alpha"] for one in resolved[start : start + 5]] for start in range(0, 25, 5)]
    weighted = [10.0, 10.0, 1000.0, 1000.0, 10.0]
    assert alphas == [[1.0] * 5, [1.0] * 5, weighted, [1.0] * 5, weighted]
    assert {one.loss["penalty_map"] for one in resolved if one.loss and one.loss["name"] == "map_dice"} == {
        "norm_inverse"
    }


def test_map_dice_of_the_authors_has_the_map_of_its_regressor(tmp_path):
    methods = planned_phantom("lits_maps_authors", tmp_path).suite.methods
    table_1 = planned_phantom("lits_maps", tmp_path).suite.methods
    assert methods[: len(table_1)] == table_1
    for method in methods[len(table_1) :]:
        loss, regressor = resolve_method(method)
        assert loss["penalty_map"] == regressor["map"]
        assert method.label.endswith(of_whom(regressor))


def of_whom(regressor) -> str:
    """The end of the label of a row with α: the scripts of the authors have no other α than for these three maps."""
    ours = regressor["head"] == "relu" and regressor["map"] != "inverse"
    whose = "ours" if ours else "authors' scripts"
    return f"α = {regressor['alpha']:g} ({whose})"


def test_an_alpha_stands_in_the_name_of_its_row_and_says_where_it_is_ours(tmp_path):
    for method in planned_phantom("lits_maps", tmp_path).suite.methods[2:]:
        regressor = resolve_method(method).regressor
        if "α" in method.label:
            assert method.label.endswith(of_whom(regressor).removesuffix(" (authors' scripts)"))
        else:
            assert regressor["alpha"] == 1


def test_all_losses_has_a_row_for_every_registered_loss(tmp_path):
    methods = [method for method in planned_phantom("all_losses", tmp_path).suite.methods if method.loss is not None]
    named = {name for method in methods for name in losses_named(method.loss.specification())}
    assert named == set(losses.available())
    for method in methods:
        reconstructed = "residual_moment" in losses_named(method.loss.specification())
        assert ("(reconstruction)" in method.label) == reconstructed


def test_all_suites_together_have_a_row_for_every_registered_regressor(tmp_path):
    methods = planned_phantom("lits", tmp_path).suite.methods
    assert {method.regressor.name for method in methods if method.regressor} == set(models.available_regressors())


def test_rows_of_lits_are_the_same_cells_in_all_losses(tmp_path):
    lits, everything = (
        {cell.method: cell.id for cell in planned_phantom(name, tmp_path).plan.cells} for name in ("lits", "all_losses")
    )
    assert lits.items() <= everything.items()


@pytest.mark.parametrize(("profile", "steps"), [("phantom", 450), ("lits", 20000)])
def test_the_schedule_of_the_boundary_loss_lasts_as_long_as_training(profile, steps, tmp_path, monkeypatch):
    monkeypatch.setenv("LITS_ROOT", str(tmp_path))
    suite = load(SUITES[0].parent / "all_losses.yaml", Suite, profile=profile, available=lambda _: None).settings
    (boundary,) = [method for method in suite.methods if method.id == "boundary"]
    assert [term["weight"]["steps"] for term in boundary.loss.specification()["terms"]] == [steps] * 2
    assert suite.training.steps == steps


def test_clinical_scans_are_scored_phase_by_phase_and_never_trained_on(tmp_path, monkeypatch):
    scans, clinical = tmp_path / "lits", tmp_path / "clinical"
    write_lits(scans, PhantomSettings(cases=5, size=(20, 32, 32)))
    write_lits(clinical, PhantomSettings(cases=2, seed=9, size=(20, 32, 32)))
    for phase in ("arterial", "portal-venous", "delayed"):
        rows = [f"p{n},volume-{n}.nii.gz,segmentation-{n}.nii.gz" for n in range(2)]
        (clinical / f"{phase}.csv").write_text("\n".join(["patient,image,label", *rows]) + "\n")
    monkeypatch.setenv("LITS_ROOT", str(scans))
    monkeypatch.setenv("CLINICAL_ROOT", str(clinical))
    path = next(candidate for candidate in SUITES if candidate.stem == "lits")
    planned = plan_request(Request(path, overrides=("split.validation=2",), out=tmp_path / "run"), read_data=True)
    assert planned.profile == "lits-clinical"
    cell = planned.plan.cells[0]
    assert list(cell.evaluate_on) == ["arterial", "portal-venous", "delayed"]
    assert {len(cases) for cases in cell.evaluate_on.values()} == {2}
    seen = {*cell.train, *cell.validation}
    assert not seen.intersection(case for cases in cell.evaluate_on.values() for case in cases)


@real_scans
@pytest.mark.shared_data
@pytest.mark.parametrize(("suite", "profile"), [("lidc_nodules", "lidc"), ("sts_pet", "sts")])
def test_the_suites_on_real_scans_are_planned_by_patient(suite, profile, tmp_path):
    path = next(candidate for candidate in SUITES if candidate.stem == suite)
    planned = plan_request(Request(path, out=tmp_path / "run"), read_data=True)
    cell = planned.selected()[0]
    patients = {case.id: case.patient for case in planned.datasets["main"].cases()}
    cases = {job.id: job.case for job in planned.plan.prepare}
    parts = [{patients[cases[job]] for job in part} for part in (cell.train, cell.validation, cell.test)]
    assert planned.profile == profile
    assert sum(map(len, parts)) == len(set().union(*parts))
    assert len(parts[2]) >= 10


@real_scans
@pytest.mark.slow
@pytest.mark.shared_data
def test_real_volumes_in_lits_layout_run_through_the_lits_profile(tmp_path, monkeypatch):
    """Lung nodules named as LiTS names its files: 1 mm isotropic, cropped to the region of interest, to the table."""
    source = Path(os.environ["IMBALANCE_DATA"]) / "lidc_nodules"
    root = tmp_path / "lits"
    root.mkdir()
    for number, image in enumerate(sorted((source / "images").glob("*.nii.gz"))[:6]):
        shutil.copy(image, root / f"volume-{number}.nii.gz")
        shutil.copy(source / "labels" / image.name, root / f"segmentation-{number}.nii.gz")
    monkeypatch.setenv("LITS_ROOT", str(root))
    suite = next(candidate for candidate in SUITES if candidate.stem == "lits")
    budget = (
        *SMALL,
        "dataset.target=[1]",
        "dataset.roi=[1]",
        "preprocessing.window=[-1000.0, 300.0]",
        "split.validation=2",
        "sampling.patch_size=[16, 32, 32]",
    )
    run = bench.run(suite, overrides=budget, methods=["dice", "tversky"], seeds=[0], out=tmp_path / "run", device="cpu")
    assert run.description["profile"] == "lits"
    ends = dict(zip(run.cells["method"], run.cells["status"], strict=True))
    assert {method for method, end in ends.items() if end == "finished"} == {"dice", "tversky"}
    assert set(ends.values()) == {"finished", "planned"}
    assert run.cases["case"].nunique() == 2
    assert (run.cases["dice"].between(0, 1)).all()
    table = (tmp_path / "run" / "tables" / "scores.md").read_text()
    assert "selected on the reported cases" in table.lower()
    assert "1 × 1 × 1 mm" in table
