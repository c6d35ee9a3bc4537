"""A prepared case is published whole, with its benign look-alikes where they are known."""

from __future__ import annotations

from unittest import mock

import pytest

from bench.data.distractors import read_distractors
from bench.data.prepared import open_prepared
from bench.data.reading import read_image
from bench.data.writing import write_image
from bench.errors import DataError, RunError
from bench.execution.context import RunContext
from bench.execution.jobs import jobs_of
from bench.files.checksum import verify_folder


@pytest.fixture
def jobs(workshop):
    return lambda **changes: jobs_of(RunContext.read(workshop.begin(workshop.suite(**changes))))


def test_a_prepared_case_is_sealed_and_traces_back_to_its_case(workshop, empty_cache):
    workshop.here(workshop.suite(), methods=("ce",))
    assert len(list(empty_cache.iterdir())) == 6
    for folder in empty_cache.iterdir():
        verify_folder(folder)
        case = open_prepared(folder)
        assert folder.name.startswith(f"{case.id}-")
        distractors = read_distractors(folder, case.reference().shape)
        assert distractors is not None
        assert not (distractors & (case.reference() == 1)).any()


def test_only_cases_of_selected_cells_are_prepared_and_each_once(jobs):
    ids = [job.id for job in jobs(seeds=[0, 1])]
    assert len(ids) == len(set(ids)) == 6 + 4


def test_a_case_that_keeps_killing_its_process_stops_the_run_because_nothing_can_train_without_it(jobs, tmp_path):
    job = jobs()[0]
    with pytest.raises(
        RunError, match="preparing case phantom-0 of data set main: it died; nothing can train without it"
    ):
        job.record_deaths(tmp_path, "it died")


def test_a_case_is_prepared_and_then_cached_and_published(workshop, empty_cache):
    run = workshop.here(workshop.suite(), methods=("ce",))
    for identity in {path.name for path in empty_cache.iterdir()}:
        phases = [event["phase"] for event in workshop.events(run.path, identity)]
        assert phases == ["prepare", "caching", "publishing", "published"]


def test_a_second_suite_on_the_same_cases_prepares_nothing(workshop, empty_cache):
    workshop.here(workshop.suite(), methods=("ce",))
    before = {path: path.stat().st_mtime_ns for path in empty_cache.glob("*/seal.json")}
    second = workshop.here(workshop.suite("other.yaml", seeds=[7]), out=workshop.folder / "second")
    assert {event["job"].partition("-")[0] for event in workshop.events(second.path)} == {"dice", "ce"}
    assert {path: path.stat().st_mtime_ns for path in empty_cache.glob("*/seal.json")} == before


def test_what_a_killed_process_left_half_written_is_written_anew(workshop, empty_cache):
    run = workshop.begin(workshop.suite(), methods=("ce",))
    stop = mock.patch("bench.execution.prepare_job.write_distractors", side_effect=KeyboardInterrupt)
    with stop, pytest.raises(KeyboardInterrupt):
        workshop.work(run)
    (half,) = (empty_cache.parent / "building").iterdir()
    (half / "labels.npy").write_bytes(b"half")
    workshop.work(run)
    verify_folder(empty_cache / half.name)
    assert len(list(run.path.glob("cells/ce-*/seal.json"))) == 1


def test_a_complete_entry_that_was_not_published_is_published_as_it_is(workshop, empty_cache):
    run = workshop.begin(workshop.suite(), methods=("ce",))
    stop = mock.patch("bench.data.cache.store.publish_folder", side_effect=KeyboardInterrupt)
    with stop, pytest.raises(KeyboardInterrupt):
        workshop.work(run)
    (whole,) = (empty_cache.parent / "building").iterdir()
    before = len(workshop.events(run.path))
    workshop.work(run)
    phases = [event["phase"] for event in workshop.events(run.path)[before:] if event["job"] == whole.name]
    assert phases == ["publishing", "published"]


def test_an_image_that_does_not_fit_into_float16_is_told_with_its_case_and_range(workshop, scans):
    path = workshop.folder / "scans" / "volume-1.nii.gz"
    image, geometry = read_image("volume-1", path)
    write_image(path, image[0] * 1000, geometry)
    nothing = {"window": None, "roi_from": None, "crop": None}
    suite = workshop.suite(dataset=scans, preprocessing={**nothing, "image_dtype": "float16"})
    with pytest.raises(
        DataError, match=r"case volume-1: prepared intensities from -\S+ to \S+ do not fit into float16"
    ):
        workshop.here(suite)


def test_a_suite_with_images_stored_as_float16_comes_to_its_table(workshop, empty_cache):
    run = workshop.here(workshop.suite(preprocessing={"image_dtype": "float16"}, threshold_baselines=True))
    assert {open_prepared(folder).image.dtype.name for folder in empty_cache.iterdir()} == {"float16"}
    workshop.report(run)
    assert "stored as float16" in (run.path / "tables" / "scores.md").read_text()
