from __future__ import annotations

import pytest

from bench.suite.loader import load
from bench.suite.overrides import parse_override


def settings(write, model, good, *overrides):
    return load(write(good), model, overrides=overrides).settings


def test_a_value_is_read_like_in_a_file(write, model, good):
    found = settings(
        write, model, good, "training.steps=50", "seeds=[1, 2]", "training.learning_rate=1e-4", "title=x y"
    )
    assert found.training.steps == 50
    assert found.seeds == (1, 2)
    assert found.training.learning_rate == 1e-4
    assert found.title == "x y"


def test_a_method_is_reached_by_its_id_also_when_the_id_has_dots(write, model, good):
    text = good.replace("id: b", "id: b-0.3.x")
    found = settings(write, model, text, "methods.b-0.3.x.loss.fp_weight=0.25", "methods.0.label=first")
    assert found.methods[1].loss.fp_weight == 0.25
    assert found.methods[0].label == "first"


def test_mappings_on_the_way_are_made(write, model, good):
    found = settings(write, model, good, "methods.a.regressor.map=signed")
    assert found.methods[0].regressor.map == "signed"


def test_later_options_win(write, model, good):
    assert settings(write, model, good, "training.steps=1", "training.steps=2").training.steps == 2


def test_an_item_of_a_list_is_reached_by_its_index(write, model, good):
    assert settings(write, model, good, "seeds=[1, 2]", "seeds.1=7").seeds == (1, 7)


def test_relative_paths_start_where_the_shell_is(write, model, good, tmp_path):
    write(good, "inner/suite.yaml")
    found = load(tmp_path / "inner/suite.yaml", model, overrides=["dataset={format: lits, root: data}"])
    assert found.settings.dataset.root == tmp_path / "data"


@pytest.mark.parametrize(
    ("option", "complaint"),
    [
        (
            "training.stepz=50",
            "found the unknown key 'stepz'; did you mean 'steps'? allowed here: steps, learning_rate, compile, notes",
        ),
        ("training.steps=many", "found the text 'many' under 'steps'; expected a whole number"),
        ("training.compile=no", 'found no, which YAML readers disagree about; write false, or "no" for text'),
        (
            "methods.aa.label=x",
            "found 'aa' in 'methods.aa.label', which 'methods' does not have; did you mean 'a'? allowed: a, b",
        ),
        ("seeds.4=1", "found '4' in 'seeds.4', which 'seeds' does not have; allowed: 0"),
        ("title.x=1", "found 'title.x', but 'title' is the text 'A comparison' and has no keys; shorten the path"),
        ("training.steps", "expected a dotted path, '=' and a value; write it like --set training.steps=50"),
        ("=5", "expected a dotted path, '=' and a value; write it like --set training.steps=50"),
        ("training..steps=5", "expected a dotted path, '=' and a value; write it like --set training.steps=50"),
        ("training.steps=", "found no value; write it like --set training.steps=50, or null to set nothing"),
        ("profiles.x.y=1", "'profiles' is settled by the file and --profile; set the key that the profile sets"),
        ("title=a: b: c", "found a second ': ' or a deeper indentation here; quote text that contains ': '"),
    ],
)
def test_an_option_written_wrongly_is_named_and_explained(write, model, good, complaints, option, complaint):
    text = good + "seeds: [3]\n"
    assert complaints(load, write(text), model, overrides=[option]) == [f"--set {option}: {complaint}"]


def test_an_option_can_supply_a_key_that_the_file_lacks(write, model, good):
    assert settings(write, model, good.replace("  steps: 10\n", ""), "training.steps=7").training.steps == 7


def test_parsing_keeps_path_value_and_name():
    override = parse_override(" training.steps = 50")
    assert override.steps == ("training", "steps")
    assert override.value == 50
    assert str(override.mark) == "--set  training.steps = 50"
