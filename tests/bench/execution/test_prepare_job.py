"""A prepared case is published whole, with its benign look-alikes where they are known."""

from __future__ import annotations

import pytest

from bench.data.distractors import read_distractors
from bench.data.prepared import open_prepared
from bench.errors import RunError
from bench.execution.context import RunContext
from bench.execution.jobs import jobs_of
from bench.files.checksum import verify_folder


@pytest.fixture
def jobs(workshop):
    return lambda **changes: jobs_of(RunContext.read(workshop.begin(workshop.suite(**changes))))


def test_a_prepared_case_is_sealed_and_traces_back_to_its_case(workshop, uninterrupted):
    for folder in (uninterrupted / "prepared").iterdir():
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
