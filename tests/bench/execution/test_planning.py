"""From a suite file to a plan: mistakes are found before data is read, and data before anything is trained."""

from __future__ import annotations

import json
import re

import pytest

from bench.data.phantom.export import write_lits
from bench.data.phantom.settings import PhantomSettings
from bench.errors import RunError, SuiteError
from bench.execution.context import RunContext
from bench.execution.planning import Request, missing_data, plan_request


@pytest.fixture
def lits(tmp_path):
    write_lits(tmp_path / "lits", PhantomSettings(cases=4, size=(16, 16, 16)))
    return tmp_path / "lits"


@pytest.fixture
def on_files(workshop, lits):
    nothing = dict.fromkeys(("cases", "seed", "size", "spacing_mm"))
    dataset = {"format": "lits", "root": "lits", "target": [2], "roi": [1, 2], **nothing}
    return workshop.suite(dataset=dataset, split={"train": 2, "validation": 1, "test": 1})


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("IMBALANCE_BENCH_CACHE", str(tmp_path / "own cache"))


def test_a_set_not_yet_read_has_no_plan_until_it_is_and_is_read_once(on_files):
    told = []
    unread = plan_request(Request(on_files), read_data=False, note=told.append)
    assert (unread.plan, unread.unread, unread.selected(), told) == (None, 8, (), [])
    read = plan_request(Request(on_files), read_data=True, note=told.append)
    assert told == [
        "reading 8 files once to check them and for their fingerprints",
        "warnings in the data check: empty_label 1; `data check` lists them",
    ]
    assert (read.unread, len(read.selected())) == (8, 2)
    again = plan_request(Request(on_files), read_data=False)
    assert (again.unread, again.plan) == (0, read.plan)


def test_a_changed_file_makes_new_cells(on_files, lits, tmp_path):
    before = plan_request(Request(on_files), read_data=True)
    write_lits(tmp_path / "other", PhantomSettings(cases=1, seed=5, size=(16, 16, 16)))
    (lits / "volume-0.nii.gz").write_bytes((tmp_path / "other" / "volume-0.nii.gz").read_bytes())
    after = plan_request(Request(on_files), read_data=True)
    assert after.unread == 1
    changed = {job.case for job in after.plan.prepare} - {
        job.case for job in after.plan.prepare if job in before.plan.prepare
    }
    assert changed == {"volume-0"}
    assert not {cell.id for cell in after.plan.cells} & {cell.id for cell in before.plan.cells}


def test_the_default_folder_is_named_after_suite_and_profile(workshop, monkeypatch):
    monkeypatch.chdir(workshop.folder)
    profiles = {"small": {"seeds": [4]}, "large": {"seeds": [5, 6]}}
    suite = workshop.suite("mine.yaml", profiles=profiles)
    assert str(plan_request(Request(suite), read_data=False).run.path) == "runs/mine-small"
    large = plan_request(Request(suite, profile="large"), read_data=False)
    assert str(large.run.path) == "runs/mine-large"
    assert {cell.seed for cell in large.selected()} == {5, 6}
    assert "chosen by --profile" in large.why
    plain = plan_request(Request(workshop.suite("plain.yaml")), read_data=False)
    assert str(plain.run.path) == "runs/plain-suite"


def test_methods_seeds_folds_and_overrides_choose_cells(workshop):
    suite = workshop.suite(split={"train": None, "validation": None, "test": None, "folds": 3}, seeds=[0, 1])

    def cells(**options):
        planned = plan_request(Request(suite, **options), read_data=True)
        return {(cell.method, cell.seed, cell.fold) for cell in planned.selected()}

    assert len(cells()) == 12
    assert cells(methods=("ce",), folds=(2,)) == {("ce", 0, 2), ("ce", 1, 2)}
    assert cells(seeds=(7,), folds=(0, 1), methods=("dice",)) == {("dice", 7, 0), ("dice", 7, 1)}
    assert cells(overrides=("seeds=[5]",), methods=("dice",), folds=(0,)) == {("dice", 5, 0)}


def test_the_selection_does_not_change_the_plan_so_that_the_other_rows_stay_in_the_table(workshop):
    whole, part = (plan_request(Request(workshop.suite(), methods=m), read_data=True) for m in ((), ("ce",)))
    assert whole.plan == part.plan
    assert [cell.method for cell in part.selected()] == ["ce"]
    assert part.description()["selected"] == [part.selected()[0].id]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"methods": ("dicee",)}, "--methods: 'dicee' is no method of .* Did you mean 'dice'. Known: dice, ce"),
        ({"folds": (1,)}, "--folds: there is no fold 1; the suite's split has only fold 0"),
        ({"seeds": (1, 1)}, "seed 1 is given twice"),
        ({"profile": "lits"}, "no profile 'lits'"),
        ({"overrides": ("training.stepz=5",)}, "unknown key 'stepz'; did you mean 'steps'"),
    ],
)
def test_a_wrong_option_is_refused_by_its_name(workshop, options, words):
    with pytest.raises(SuiteError, match=words):
        plan_request(Request(workshop.suite(), **options), read_data=True)


@pytest.mark.parametrize(
    ("changes", "place", "words"),
    [
        ({"methods": [{"id": "a", "loss": {"name": "dice", "smoth": 1.0}}]}, "name: dice", "Did you mean 'smooth'"),
        ({"methods": [{"id": "a", "loss": {"name": "tversky", "fp_weight": -1.0}}]}, "name: tversky", "fp_weight"),
        ({"backbone": {"widht": [2]}}, "name: residual_unet", "no parameter 'widht'. Did you mean 'widths'"),
    ],
)
def test_a_wrong_parameter_is_refused_at_its_loss_or_network(workshop, changes, place, words):
    suite = workshop.suite(**changes)
    (number,) = [n for n, line in enumerate(suite.read_text().splitlines(), 1) if line.strip() == place]
    with pytest.raises(SuiteError, match=rf"^{re.escape(str(suite))}:{number}:\d+: .*{re.escape(words)}"):
        plan_request(Request(suite), read_data=False)


def test_a_network_that_cannot_be_built_or_does_not_take_the_patch_is_refused_before_the_first_cell(workshop):
    with pytest.raises(
        SuiteError, match=r"tiny\.yaml:\d+:\d+: found the patch \[15, 16, 16\]; .* multiples of 2 × 2 × 2"
    ):
        workshop.plan(workshop.suite(sampling={"patch_size": [15, 16, 16]}))
    nothing = dict.fromkeys(("widths", "encoder_blocks", "decoder_blocks"))
    with pytest.raises(SuiteError, match=r"tiny\.yaml:\d+:\d+: .*no network 'DynUNett'. Did you mean 'DynUNet'"):
        workshop.plan(workshop.suite(backbone={"name": "monai", "class": "DynUNett", **nothing}))


def test_an_unusable_folder_is_refused_before_any_data_is_read(on_files, tmp_path):
    (tmp_path / "file").touch()
    told = []
    with pytest.raises(RunError, match="is a file, expected a folder for the run; give another with --out"):
        plan_request(Request(on_files, out=tmp_path / "file"), read_data=True, note=told.append)
    assert told == []
    assert plan_request(Request(on_files, out=tmp_path / "file"), read_data=False).plan is None


def test_planning_creates_nothing(workshop):
    planned = workshop.plan(workshop.suite())
    assert not planned.run.path.exists()


def test_workers_read_back_exactly_what_was_planned(workshop):
    planned = workshop.plan(workshop.suite(evaluate_on={"other": {"format": "phantom", "cases": 2}}), methods=("ce",))
    planned.run.create()
    planned.run.write_run(planned.description())
    context = RunContext.read(planned.run)
    assert context.plan.model_dump(mode="json") == planned.plan.model_dump(mode="json")
    assert context.suite.model_dump(mode="json") == planned.suite.model_dump(mode="json")
    assert context.selected == {planned.selected()[0].id}
    assert json.loads(planned.run.run_file.read_text())["suite_file"] == "tiny.yaml"


def test_data_that_is_missing_is_told_for_every_data_set(on_files, lits, tmp_path):
    suite = plan_request(Request(on_files), read_data=False).suite
    assert missing_data(suite) is None
    lits.rename(tmp_path / "away")
    assert "there is no folder" in missing_data(suite)


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["lr_net"], "norm_inverse, in voxels,"),
        (["cascaded"], "signed_distance, in mm,"),
        (
            ["cascaded", "multi_branch", "lr_net"],
            "norm_inverse, signed_norm_inverse, in voxels and signed_distance, in mm,",
        ),
    ],
    ids=["voxels", "mm", "both"],
)
def test_tables_say_in_which_unit_the_maps_of_regressors_are(workshop, names, words):
    methods = [{"id": name, "loss": {"name": "dice"}, "regressor": {"name": name}} for name in names]
    protocol = workshop.plan(workshop.suite(methods=methods)).description()["protocol"]
    (line,) = [line for line in protocol if line.startswith("Target maps")]
    assert line == f"Target maps: {words} of the whole prepared volume, cut with the patch."
