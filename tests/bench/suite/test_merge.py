from __future__ import annotations

from bench.suite.located import plain
from bench.suite.merge import merge
from bench.suite.source import Source
from bench.suite.tree import parse


def tree(text: str, name: str = "left.yaml"):
    return parse(Source(text, name, None))


def merged(left: str, right: str):
    return merge(tree(left), tree(right, "right.yaml"))


def test_mappings_are_merged_and_the_right_one_wins():
    assert plain(merged("{a: {b: 1, c: 2}, d: 3}", "{a: {c: 4, e: 5}}")) == {"a": {"b": 1, "c": 4, "e": 5}, "d": 3}


def test_marks_follow_the_values():
    found = merged("{a: {b: 1, c: 2}}", "{a: {c: 4}}")
    assert str(found["a"].value_marks["b"]) == "left.yaml:1:9"
    assert str(found["a"].value_marks["c"]) == "right.yaml:1:9"


def test_the_order_of_keys_is_that_of_the_left_then_new_ones():
    assert list(merged("{b: 1, a: 2}", "{c: 0, a: 3}")) == ["b", "a", "c"]


def test_lists_are_replaced_as_a_whole():
    assert plain(merged("{seeds: [0, 1, 2]}", "{seeds: [5]}")) == {"seeds": [5]}


def test_null_takes_an_inherited_key_away():
    assert plain(merged("{a: 1, b: {c: 2, d: 3}}", "{a: null, b: {c: null}}")) == {"b": {"d": 3}}


def test_null_for_a_key_that_is_not_inherited_stays_so_that_a_misspelling_is_noticed():
    assert plain(merged("{a: 1}", "{b: null}")) == {"a": 1, "b": None}


def test_parameters_of_one_name_never_reach_another():
    left = "{loss: {name: tversky, fp_weight: 0.3}, dataset: {format: lits, root: x}}"
    right = "{loss: {name: dice}, dataset: {format: phantom}}"
    assert plain(merged(left, right)) == {"loss": {"name": "dice"}, "dataset": {"format": "phantom"}}


def test_parameters_of_the_same_name_are_merged():
    left, right = "{loss: {name: tversky, a: 1}}", "{loss: {name: tversky, b: 2}}"
    assert plain(merged(left, right)) == {"loss": {"name": "tversky", "a": 1, "b": 2}}


def test_a_method_of_the_same_id_is_replaced_in_its_place_and_new_ones_follow():
    left = "{methods: [{id: a, x: 1, y: 1}, {id: b}]}"
    right = "{methods: [{id: c}, {id: a, x: 2}]}"
    found = merged(left, right)
    assert plain(found) == {"methods": [{"id": "a", "x": 2}, {"id": "b"}, {"id": "c"}]}
    assert [str(mark) for mark in found["methods"].marks] == ["right.yaml:1:21", "left.yaml:1:33", "right.yaml:1:12"]


def test_plugins_of_the_right_follow_those_of_the_left():
    found = merged("{plugins: [a.py, b.py]}", "{plugins: [c.py]}")
    assert plain(found) == {"plugins": ["a.py", "b.py", "c.py"]}
    assert [str(mark) for mark in found["plugins"].marks] == ["left.yaml:1:12", "left.yaml:1:18", "right.yaml:1:12"]
    assert plain(merged("{plugins: [a.py], x: 1}", "{plugins: null}")) == {"x": 1}


def test_methods_without_an_id_are_appended_for_the_validation_to_complain_about():
    assert len(merged("{methods: [{x: 1}]}", "{methods: [{x: 2}, 3]}")["methods"]) == 3


def test_neither_side_is_changed():
    left, right = tree("{a: {b: 1}, methods: [{id: a}]}"), tree("{a: {c: 2}, methods: [{id: b}]}")
    merge(left, right)
    assert plain(left) == {"a": {"b": 1}, "methods": [{"id": "a"}]}
    assert plain(right) == {"a": {"c": 2}, "methods": [{"id": "b"}]}


def test_profiles_of_the_right_are_tried_first():
    found = merged("{profiles: {lits: {a: 1}, phantom: {b: 1}}}", "{profiles: {own: {c: 1}, lits: null}}")
    assert list(found["profiles"]) == ["own", "phantom"]
