from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from bench.suite.loader import load
from bench.suite.located import plain

PROFILES = """
profiles:
  lits: {dataset: {format: lits, root: "${LITS_ROOT}"}, training: {steps: 500}}
  phantom: {dataset: {format: phantom, cases: 2}, seeds: [0, 1]}
"""


def split(good: str) -> str:
    """The good suite without its dataset line, which the profiles bring."""
    return good.replace("dataset: {format: phantom, cases: 3}\n", "") + PROFILES


def test_a_good_suite_becomes_settings(write, model, good):
    loaded = load(write(good), model)
    assert loaded.settings.training.steps == 10
    assert loaded.settings.training.learning_rate == 1e-3
    assert [method.id for method in loaded.settings.methods] == ["a", "b"]
    assert (loaded.profile, loaded.why) == (None, "the suite has no profiles")


def test_settings_hold_ordinary_text_and_the_tree_can_be_sent_to_another_process(write, model, good):
    loaded = load(write(good), model)
    assert type(loaded.settings.title) is str
    again = pickle.loads(pickle.dumps(loaded.tree))
    assert plain(again) == plain(loaded.tree)
    assert again["methods"].marks == loaded.tree["methods"].marks


def test_any_value_of_the_suite_can_be_located_later(write, model, good):
    loaded = load(write(good), model)
    assert str(loaded.mark("methods", 1, "loss", "fp_weight")) == "suite.yaml:10:38"
    assert str(loaded.mark("methods", 1, "loss", "no such key")) == "suite.yaml:10:11"


def test_the_first_profile_whose_variables_are_set_is_taken(write, model, good, tmp_path):
    loaded = load(write(split(good)), model, environ={"LITS_ROOT": str(tmp_path)})
    assert loaded.profile == "lits"
    assert loaded.settings.dataset.root == tmp_path
    assert loaded.settings.training.steps == 500


def test_a_skipped_profile_is_named_with_its_reason(write, model, good):
    loaded = load(write(split(good)), model, environ={})
    assert loaded.why == "profile 'phantom': 'lits' was skipped because LITS_ROOT is not set"
    assert loaded.settings.seeds == (0, 1)
    assert loaded.settings.training.steps == 10


def test_data_that_is_not_there_skips_a_profile(write, model, good):
    def available(settings):
        root = getattr(settings.dataset, "root", None)
        return None if root is None or root.is_dir() else f"there is no folder {root}"

    loaded = load(write(split(good)), model, environ={"LITS_ROOT": "/nowhere"}, available=available)
    assert loaded.why == "profile 'phantom': 'lits' was skipped because there is no folder /nowhere"


def test_a_profile_that_is_not_taken_is_checked_all_the_same(write, model, good, complaints):
    text = split(good).replace("steps: 500", "stepz: 500")
    assert complaints(load, write(text), model, environ={}) == [
        (
            "suite.yaml:12:68: found the unknown key 'stepz'; did you mean 'steps'? "
            "allowed here: steps, learning_rate, compile, notes (profile 'lits')"
        )
    ]


def test_what_only_one_profile_lacks_is_said_with_its_name(write, model, good, complaints):
    text = split(good).replace("dataset: {format: phantom, cases: 2}, ", "")
    assert complaints(load, write(text), model, environ={}) == [
        "suite.yaml:1:1: the key 'dataset' is missing; add 'dataset: …' (profile 'phantom')"
    ]


def test_a_missing_variable_without_profiles_is_an_error_at_its_place(write, model, good, complaints):
    text = good.replace("A comparison", "${TITEL}")
    assert complaints(load, write(text), model, environ={"TITLE": "x"}) == [
        (
            "suite.yaml:1:8: found ${TITEL}, but the environment variable TITEL is not set "
            "(there is TITLE; did you mean that?); set it or write the value here"
        )
    ]


def test_options_can_provide_what_a_profile_lacks(write, model, good, tmp_path):
    loaded = load(write(split(good)), model, environ={}, overrides=[f"dataset.root={tmp_path}"])
    assert loaded.profile == "lits"
    assert loaded.notes == (f"--set dataset.root={tmp_path}",)


def test_a_suite_of_a_hundred_methods_validates_before_torch_is_imported(write, model, good):
    methods = "".join(f"  - {{id: m{i}, loss: {{name: dice}}}}\n" for i in range(100))
    assert len(load(write(good + methods), model).settings.methods) == 102


@pytest.mark.parametrize("module", ["loader", "overrides", "json_schema"])
def test_the_language_needs_no_torch(module):
    code = f"import bench.suite.{module}, sys; assert 'torch' not in sys.modules"
    root = Path(__file__).parents[3]
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root)
