from __future__ import annotations

import pytest

from bench.errors import RunError
from bench.results.fairness import require_equal_treatment
from bench.results.load import load


def changed(builder, **change):
    """A run whose `ce` cell of seed 1 was recorded with something else."""
    builder.cell = lambda method, seed, fold: change if (method, seed) == ("ce", 1) else {}
    return load(builder.write())


def test_equal_digests_pass(written):
    require_equal_treatment(load(written))


@pytest.mark.parametrize("name", ["start_digest", "order_digest", "comparison"])
def test_a_differing_digest_is_refused_with_the_cells(builder, name):
    run = changed(builder, **{name: "something else"})
    with pytest.raises(RunError, match=f"(?s){name} differs.*dice-s1-f0-abc, tversky-s1-f0-abc.*ce-s1-f0-abc"):
        require_equal_treatment(run)


def test_seeds_and_folds_are_compared_each_for_itself(builder):
    builder.folds = (0, 1)
    run = load(builder.write())
    assert run.cells["order_digest"].nunique() == 4
    require_equal_treatment(run)


def test_a_cell_that_ended_early_saw_fewer_patches_and_may_stand_beside_the_others(builder):
    builder.ended = {("ce", 1): ("diverged", "nan")}
    require_equal_treatment(changed(builder, order_digest="shorter"))


def test_a_cell_that_ended_early_must_still_have_started_alike(builder):
    builder.ended = {("ce", 1): ("diverged", "nan")}
    with pytest.raises(RunError, match="start_digest differs"):
        require_equal_treatment(changed(builder, start_digest="other"))


def test_a_cell_that_died_before_its_first_step_has_no_digest_to_compare(builder):
    builder.ended = {("ce", 1): ("died", "killed three times")}
    require_equal_treatment(changed(builder, start_digest=None, order_digest=None))


@pytest.mark.parametrize("missing", [None, ""])
def test_a_finished_cell_without_digest_proves_nothing_and_is_refused(builder, missing):
    with pytest.raises(RunError, match=r"ce-s1-f0-abc/cell\.json has no order_digest"):
        require_equal_treatment(changed(builder, order_digest=missing))
