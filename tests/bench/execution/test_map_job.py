"""Target maps of prepared cases: computed once, shared by whoever needs them, noticed when they are damaged."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from bench.data.prepared import open_prepared
from bench.data.stored_maps import open_map
from bench.errors import DataError, RunError
from bench.execution.context import RunContext
from bench.execution.jobs import jobs_left, jobs_of
from bench.execution.map_job import MapJob
from bench.execution.preview import describe_plan
from bench.execution.status import read_status, status_lines
from bench.files.checksum import is_sealed, verify_folder
from losses import target_maps
from losses.target_maps import TargetMap

DICE = {"id": "dice", "loss": {"name": "dice"}}
MAPPED = {"id": "mapped", "loss": {"name": "map_dice"}}
BLOBS = {"id": "blobs", "loss": {"name": "inverse_weighting", "of": {"name": "map_dice"}}}


def maps_in(cache) -> set[str]:
    """Names of the entries that are maps."""
    return {path.name for path in cache.iterdir() if path.name.split("-")[0] in target_maps.available()}


def kinds_in(cache) -> list[str]:
    return sorted(name.split("-")[0] for name in maps_in(cache))


def test_a_stored_map_is_that_of_the_prepared_case_in_its_stored_type_and_sealed(workshop, empty_cache):
    run = workshop.here(workshop.suite(methods=[BLOBS]))
    context = RunContext.read(run)
    assert [job.kind for job in context.plan.maps] == ["lesion_id"] * 2 + ["norm_inverse"] * 2
    for job in context.plan.maps:
        verify_folder(empty_cache / job.id)
        case = open_prepared(empty_cache / job.case)
        stored = open_map(empty_cache / job.id, job.kind, case)
        expected = target_maps.compute(job.kind, case.labels)
        assert stored.dtype.name == {"lesion_id": "int32", "norm_inverse": "float16"}[job.kind]
        np.testing.assert_allclose(stored[0], expected, atol=2**-12)
        assert expected.any()


def test_cells_wait_for_their_maps_and_maps_for_their_case(workshop, empty_cache):
    run = workshop.here(workshop.suite(methods=[DICE, MAPPED]))
    jobs = [event["job"] for event in workshop.events(run.path) if event["phase"] == "published"]
    assert [job.split("-")[0] for job in jobs] == ["phantom"] * 6 + ["norm_inverse"] * 2 + ["dice", "mapped"]


def test_methods_with_and_without_maps_see_the_same_patches_from_the_same_start(workshop):
    run = workshop.here(workshop.suite(methods=[DICE, MAPPED, BLOBS]))
    records = [json.loads(path.read_text()) for path in sorted(run.path.glob("cells/*/cell.json"))]
    assert {record["status"] for record in records} == {"finished"}
    for name in ("order_digest", "start_digest", "comparison"):
        assert len({record[name] for record in records}) == 1


def test_a_second_suite_reads_the_same_maps_and_an_added_loss_computes_its_own_alone(workshop, empty_cache):
    workshop.here(workshop.suite(methods=[MAPPED]))
    before = {path: path.stat().st_mtime_ns for path in empty_cache.glob("*/seal.json")}
    other = {"sampling": {"patch_size": [16, 16, 8]}, "seeds": [4]}
    second = workshop.here(workshop.suite("two.yaml", methods=[MAPPED], **other), out=workshop.folder / "two")
    assert {event["job"].partition("-")[0] for event in workshop.events(second.path)} == {"mapped"}
    third = workshop.here(workshop.suite("three.yaml", methods=[MAPPED, BLOBS]), out=workshop.folder / "three")
    computed = {
        event["job"].partition("-")[0] for event in workshop.events(third.path) if event["phase"] == "target map"
    }
    assert computed == {"lesion_id"}
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert kinds_in(empty_cache) == ["lesion_id"] * 2 + ["norm_inverse"] * 2


def test_in_the_scope_of_the_patch_nothing_is_stored_and_other_numbers_come_out(workshop, empty_cache):
    whole = workshop.here(workshop.suite(methods=[DICE, MAPPED]))
    assert kinds_in(empty_cache) == ["norm_inverse"] * 2
    for name in maps_in(empty_cache):
        shutil.rmtree(empty_cache / name)
    patch = workshop.here(
        workshop.suite(methods=[DICE, MAPPED], sampling={"map_scope": "patch"}), out=workshop.folder / "patch"
    )
    assert kinds_in(empty_cache) == []
    (before,), (after,) = (run.path.glob("cells/mapped-*/history.jsonl") for run in (whole, patch))
    assert before.read_bytes() != after.read_bytes()
    assert set(workshop.rows(whole.path)) & set(workshop.rows(patch.path)), "dice is the same cell in both"


@pytest.mark.parametrize("damage", ["altered", "missing"])
def test_a_damaged_map_is_set_aside_and_computed_again(workshop, empty_cache, damage):
    expected = workshop.rows(workshop.here(workshop.suite(methods=[MAPPED]), out=workshop.folder / "whole").path)
    name = sorted(maps_in(empty_cache))[0]
    file = empty_cache / name / "norm_inverse.npy"
    if damage == "altered":
        file.write_bytes(file.read_bytes()[:-1] + b"x")
    else:
        file.unlink()
    with pytest.warns(UserWarning, match=rf"set aside as {name}\.damaged and built again"):
        run = workshop.here(workshop.suite(methods=[MAPPED]))
    assert is_sealed(empty_cache / name)
    assert workshop.rows(run.path) == expected


@pytest.mark.parametrize("phase", [("training", 5), ("validation", 8)])
def test_interrupted_and_resumed_a_method_with_maps_and_a_schedule_ends_the_same(workshop, phase):
    ramp = {"name": "boundary", "weight": {"start": 0.0, "stop": 1.0, "steps": 12}}
    loss = {"name": "sum", "terms": [{"name": "generalized_dice"}, ramp]}
    suite = workshop.suite(methods=[{"id": "boundary", "loss": loss}])
    whole = workshop.here(suite, out=workshop.folder / "whole")
    run = workshop.work_until(workshop.begin(suite), "boundary", *phase)
    workshop.work(run)
    assert workshop.rows(run.path) == workshop.rows(whole.path)
    (one,), (other,) = (each.path.glob("cells/*/history.jsonl") for each in (run, whole))
    assert one.read_bytes() == other.read_bytes()


def test_maps_are_counted_until_nothing_needs_them(workshop, empty_cache):
    suite = workshop.suite(methods=[DICE, MAPPED])
    run = workshop.begin(suite)
    status = read_status(run)
    assert (status.maps_computed, status.maps_needed, status.waiting_jobs) == (0, 2, 6 + 2 + 2)
    assert "target maps computed: 0 of 2" in status_lines(status)
    assert "  maps      2: 0 in the cache, 2 to do (norm_inverse)" in describe_plan(workshop.plan(suite), "cpu")
    workshop.work(run)
    assert read_status(run).waiting_jobs == 0
    assert not [line for line in describe_plan(workshop.plan(suite), "cpu") if "  maps  " in line]
    for folder in empty_cache.iterdir():
        shutil.rmtree(folder)
    assert read_status(run).maps_computed == 2
    assert jobs_left(jobs_of(RunContext.read(run))) == []


def test_without_maps_nothing_is_said_of_them(workshop):
    suite = workshop.suite()
    run = workshop.begin(suite)
    lines = [*status_lines(read_status(run)), *describe_plan(workshop.plan(suite), "cpu")]
    assert not [line for line in lines if "  maps  " in line or "target maps" in line]


def test_a_map_that_is_there_asks_for_no_case_unless_a_cell_does(workshop, empty_cache):
    run = workshop.here(workshop.suite(methods=[MAPPED, {**MAPPED, "id": "again", "loss": {"name": "dice"}}]))
    shutil.rmtree(next(run.path.glob("cells/mapped-*")))
    shutil.rmtree(empty_cache / sorted(maps_in(empty_cache))[0])
    left = jobs_left(jobs_of(RunContext.read(run)))
    assert [type(job).__name__ for job in left] == ["MapJob", "CellJob"]


def test_tables_say_which_maps_there_are_and_what_they_know(workshop):
    suite = workshop.suite(methods=[DICE, BLOBS], sampling={"map_scope": "patch"})
    (line,) = [line for line in workshop.plan(suite).description()["protocol"] if line.startswith("Target maps")]
    assert line == (
        "Target maps: lesion_id, norm_inverse, in voxels, computed in every patch anew, which knows nothing of the "
        "lesions outside."
    )


def test_a_map_that_keeps_killing_its_process_stops_the_run(workshop, tmp_path):
    context = RunContext.read(workshop.begin(workshop.suite(methods=[MAPPED])))
    job = MapJob(context, context.plan.maps[0])
    with pytest.raises(
        RunError, match=r"target map norm_inverse of the prepared case phantom-\d-\w+: it died; methods"
    ):
        job.record_deaths(tmp_path, "it died")


def test_values_that_the_stored_type_does_not_hold_are_refused_with_case_and_range(workshop, monkeypatch, empty_cache):
    kind = type(target_maps.KINDS.create("norm_inverse"))
    monkeypatch.setattr(kind, "values", lambda self, lesions: np.full(lesions.shape, 1e6))
    with pytest.raises(
        DataError,
        match=r"case phantom-\d: the target map 'norm_inverse' has values from 1e\+06 to 1e\+06, which cannot",
    ):
        workshop.here(workshop.suite(methods=[MAPPED]))


def test_whole_numbers_that_the_stored_type_does_not_hold_are_refused(workshop, monkeypatch, empty_cache):
    kind = type(target_maps.KINDS.create("norm_inverse"))
    monkeypatch.setattr(kind, "stored_dtype", "int8")
    monkeypatch.setattr(kind, "values", lambda self, lesions: np.full(lesions.shape, 300.0))
    with pytest.raises(DataError, match=r"'norm_inverse' has values from 300 to 300, which cannot be stored as int8"):
        workshop.here(workshop.suite(methods=[MAPPED]))


def test_a_map_of_another_case_is_refused(workshop, empty_cache):
    context = RunContext.read(workshop.here(workshop.suite(methods=[MAPPED])))
    job = context.plan.maps[0]
    case = open_prepared(empty_cache / job.case)
    with pytest.raises(DataError, match=r"is no target map 'distance': it has norm_inverse"):
        open_map(empty_cache / job.id, "distance", case)
    other = next(
        plan for plan in context.plan.prepare if open_prepared(empty_cache / plan.id).labels.shape != case.labels.shape
    )
    with pytest.raises(DataError, match=r"'norm_inverse' has shape \(1, .*\), case phantom-\d needs \(1, "):
        open_map(empty_cache / job.id, "norm_inverse", open_prepared(empty_cache / other.id))


def test_the_version_of_a_kind_makes_another_entry(workshop, empty_cache, monkeypatch):
    workshop.here(workshop.suite(methods=[MAPPED]))
    monkeypatch.setattr(TargetMap, "version", 2)
    workshop.here(workshop.suite(methods=[MAPPED]), out=workshop.folder / "after")
    assert kinds_in(empty_cache) == ["norm_inverse"] * 4
