"""Killed, asked to stop or damaged anywhere: resumed, a training ends with the same bits."""

from __future__ import annotations

import dataclasses
import math

import pytest
import torch

from bench import stopping
from bench.training.checkpoints import load_newest
from bench.training.loop import weights_of

STEPS, VALIDATED = 12, [5, 10, 12]


KILLS = [
    *[("training", step) for step in (1, 3, 4, 7, 12)],
    *[("validation", 5), ("validated", 10), ("validation", 12)],
    *[("checkpoint", 3), ("checkpoint", 5), ("checkpoint", 12)],
]


@pytest.mark.parametrize("at", KILLS, ids=lambda at: f"{at[0]}-{at[1]}")
def test_killed_anywhere_and_resumed_the_outcome_is_the_same_to_the_last_bit(
    tiny, kill_training, tmp_path, at, equal, same_outcome
):
    """Weights, optimiser, best weights, history and order digest."""
    whole = tiny.run()
    killed = dataclasses.replace(tiny, folder=tmp_path / "killed", seen=[])
    kill_training(killed.folder, at)
    assert same_outcome(killed.run(), whole)
    assert equal(load_newest(killed.folder), load_newest(tiny.folder))
    assert (("training", 1) in killed.seen) == (at in KILLS[:2] or at == ("checkpoint", 3))


def test_killed_again_and_again_it_still_ends_the_same(tiny, kill_training, tmp_path, same_outcome):
    whole = tiny.run()
    killed = dataclasses.replace(tiny, folder=tmp_path / "killed")
    for step in (4, 5, 8, 11, 12):
        kill_training(killed.folder, ("training", step))
    assert same_outcome(killed.run(), whole)


def interrupted(training) -> int:
    """Run until the request to stop is answered; the exit code."""
    with stopping.noting_signals(), pytest.raises(stopping.Interrupted) as ending:
        training.run()
    return ending.value.code


@pytest.mark.parametrize("step", [1, 2, 5, 7, 8, 12])
def test_asked_to_stop_a_step_is_finished_and_its_checkpoint_written(tiny, asked, step, same_outcome):
    whole, asked.at = tiny.run(), ("training", step)
    assert interrupted(asked) == 143
    assert load_newest(asked.folder)["progress"]["step"] == step
    assert asked.seen[-1] == ("checkpoint", step)
    asked.at, asked.seen = ("nothing", 0), []
    assert same_outcome(asked.run(), whole)
    assert asked.seen[0] == ("resumed", step)
    assert ("training", step) not in asked.seen


@pytest.mark.parametrize("step", VALIDATED)
def test_asked_to_stop_between_two_cases_of_a_validation_the_step_is_kept_and_validated_later(
    tiny, asked, step, equal, same_outcome
):
    def validate(method):
        scores = tiny.validate(method)
        stopping.leave_if_asked()
        return scores

    whole, asked.at, asked.validate = tiny.run(), ("validation", step), validate
    assert interrupted(asked) == 143
    assert load_newest(asked.folder)["progress"]["step"] == step
    asked.at, asked.seen = ("nothing", 0), []
    assert same_outcome(asked.run(), whole)
    assert asked.seen[:2] == [("resumed", step), ("validation", step)]
    assert equal(load_newest(asked.folder), load_newest(tiny.folder))


def test_a_request_that_comes_when_a_validation_is_done_waits_for_the_next_step(tiny, asked, same_outcome):
    whole, asked.at = tiny.run(), ("validated", 5)
    assert interrupted(asked) == 143
    assert load_newest(asked.folder)["progress"]["step"] == 6
    asked.at = ("nothing", 0)
    assert same_outcome(asked.run(), whole)


def test_dropout_is_a_function_of_seed_and_step_too(tiny, kill_training, tmp_path, same_outcome):
    """Whatever was drawn before, in this process or in the one that died."""
    tiny.method = {"dropout": True}
    torch.manual_seed(1)
    whole = tiny.run()
    killed = dataclasses.replace(tiny, folder=tmp_path / "killed")
    kill_training(killed.folder, ("training", 8), method=tiny.method)
    torch.manual_seed(2)
    assert same_outcome(killed.run(), whole)
    without = dataclasses.replace(tiny, folder=tmp_path / "without", method={}).run()
    assert without.progress.training != whole.progress.training


def test_a_damaged_newest_checkpoint_costs_only_time(tiny, same_outcome):
    whole = tiny.run()
    newest = max(tiny.folder.glob("step-*.pt"))
    newest.write_bytes(newest.read_bytes()[:-100])
    tiny.seen.clear()
    with pytest.warns(UserWarning, match="does not match its checksum"):
        again = tiny.run()
    assert same_outcome(again, whole)
    assert tiny.seen[0] == ("resumed", 10)


def test_a_finished_training_is_not_trained_again(tiny, same_outcome):
    whole = tiny.run()
    tiny.seen.clear()
    again = tiny.run()
    assert same_outcome(again, whole)
    assert tiny.seen == [("resumed", STEPS)]
    assert math.isnan(again.timing["seconds_per_step"])
    assert whole.timing["seconds_per_step"] > 0


def test_the_checkpoint_interval_changes_no_number(tiny, tmp_path, same_outcome):
    often = dataclasses.replace(tiny, folder=tmp_path / "often", budget={"checkpoint_every": 1})
    assert same_outcome(often.run(), tiny.run())


def test_the_best_weights_of_before_an_interruption_are_not_forgotten(tiny, equal):
    answers, first = iter([0.9, 0.1, 0.1]), {}

    def validate(method):
        first.update({} if first else weights_of(method))
        return {"a": next(answers)}

    def interrupt(phase, step, **facts):
        if (phase, step) == ("training", 8):
            raise KeyboardInterrupt

    tiny.validate = validate
    interrupted = tiny.training()
    interrupted.watch = interrupt
    with pytest.raises(KeyboardInterrupt):
        interrupted.run()
    resumed = tiny.run()
    assert resumed.progress.best_step == 5
    assert equal(resumed.best, first)
