from __future__ import annotations

from bench.suite.extends import read_chain
from bench.suite.loader import load
from bench.suite.located import plain


def test_a_suite_changes_what_it_extends(write, model, good):
    write(good, "base/base.yaml")
    text = "extends: base/base.yaml\ntraining: {steps: 99}\nmethods:\n  - {id: c, loss: {name: dice}}\n"
    loaded = load(write(text), model)
    assert loaded.settings.training.steps == 99
    assert loaded.settings.training.learning_rate == 1e-3
    assert [method.id for method in loaded.settings.methods] == ["a", "b", "c"]
    assert loaded.notes == ("extends base/base.yaml",)
    assert [str(file) for file in loaded.files] == ["suite.yaml", "base/base.yaml"]


def test_relative_paths_belong_to_the_file_that_wrote_them(write, model, good, tmp_path):
    write(good.replace("{format: phantom, cases: 3}", "{format: lits, root: data}"), "base/base.yaml")
    inherited = load(write("extends: base/base.yaml\n"), model).settings
    assert inherited.dataset.root == tmp_path / "base/data"
    changed = load(write("extends: base/base.yaml\ndataset: {root: ../data}\n"), model).settings
    assert changed.dataset.root == tmp_path.parent / "data"


def test_a_chain_is_followed_relative_to_each_file(write, tmp_path):
    write("a: 1\nb: 1\nc: 1\n", "x/y/third.yaml")
    write("extends: y/third.yaml\nb: 2\nc: 2\n", "x/second.yaml")
    tree, files = read_chain(write("extends: x/second.yaml\nc: 3\n"), {})
    assert plain(tree) == {"a": 1, "b": 2, "c": 3}
    assert [file.name for file in files] == ["suite.yaml", "second.yaml", "third.yaml"]


def test_the_path_may_come_from_the_environment(write, tmp_path):
    write("a: 1\n", "elsewhere/base.yaml")
    tree, _ = read_chain(write("extends: ${SUITES}/base.yaml\n"), {"SUITES": str(tmp_path / "elsewhere")})
    assert plain(tree) == {"a": 1}


def test_a_single_method_of_an_inherited_matrix_can_be_replaced(write):
    write("methods: [{matrix: {base: {x: 1}, vary: {y: [1, 2]}, id: 'm{y}'}}]\n", "base.yaml")
    tree, _ = read_chain(write("extends: base.yaml\nmethods: [{id: m1, x: 5}]\n"), {})
    assert plain(tree["methods"]) == [{"id": "m1", "x": 5}, {"x": 1, "y": 2, "id": "m2"}]


def test_profiles_are_inherited_and_can_be_removed(write):
    write("profiles: {lits: {a: 1}, phantom: {a: 2}}\n", "base.yaml")
    tree, _ = read_chain(write("extends: base.yaml\nprofiles: {lits: null, phantom: {b: 3}, own: {a: 4}}\n"), {})
    assert plain(tree["profiles"]) == {"phantom": {"a": 2, "b": 3}, "own": {"a": 4}}


def test_an_error_in_an_inherited_file_names_that_file(write, model, good, complaints):
    write(good.replace("steps: 10", "steps: many"), "base.yaml")
    assert complaints(load, write("extends: base.yaml\n"), model) == [
        "base.yaml:4:10: found the text 'many' under 'steps'; expected a whole number"
    ]


def test_suites_that_extend_each_other_are_refused(write, complaints):
    write("extends: suite.yaml\n", "other.yaml")
    assert complaints(read_chain, write("extends: other.yaml\n"), {}) == [
        "other.yaml:1:10: found suites that extend each other: suite.yaml → other.yaml → suite.yaml; remove one link"
    ]


def test_a_missing_parent_names_the_suites_that_are_there(write, complaints):
    write("a: 1\n", "base.yaml")
    assert complaints(read_chain, write("extends: bse.yaml\n"), {}) == [
        "suite.yaml:1:10: found 'extends: bse.yaml', but there is no file bse.yaml "
        "(paths are relative to the file they stand in); did you mean 'base.yaml'? suites in .: base.yaml, suite.yaml"
    ]


def test_only_one_suite_can_be_extended(write, complaints):
    assert complaints(read_chain, write("extends: [a.yaml, b.yaml]\n"), {}) == [
        "suite.yaml:1:10: found a list of 2 items under 'extends'; expected the path of one suite file"
    ]
