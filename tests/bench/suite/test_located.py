from __future__ import annotations

import copy
import pickle

import pytest

from bench.suite.located import LocatedDict, LocatedStr, LocatedTuple, Mark, mark_of, plain

MARK = Mark("a.yaml", 3, 4)


def test_a_mark_without_a_line_is_the_name_of_its_source():
    assert str(MARK) == "a.yaml:3:4"
    assert str(Mark("--set a=1")) == "--set a=1"


@pytest.mark.parametrize("send", [copy.copy, copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))])
def test_places_survive_copies_and_other_processes(send):
    tree = LocatedDict({"a": LocatedTuple([LocatedStr("x", MARK)], MARK, [MARK])}, MARK, {"a": MARK}, {"a": MARK})
    again = send(tree)
    assert again == tree
    assert again["a"][0].mark == MARK
    assert mark_of(again, "a") == mark_of(again["a"], 0) == MARK


def test_changes_give_a_new_mapping_and_leave_the_old_one():
    tree = LocatedDict({"a": 1, "b": 2}, MARK)
    assert tree.with_item("a", 5, MARK, MARK) == {"a": 5, "b": 2}
    assert tree.without("a") == {"b": 2}
    assert tree == {"a": 1, "b": 2}


def test_plain_values_are_of_the_built_in_types():
    value = plain(LocatedDict({LocatedStr("k"): LocatedTuple([LocatedStr("x"), 1.5, None, True])}))
    assert value == {"k": ["x", 1.5, None, True]}
    assert type(value) is dict
    assert type(next(iter(value))) is str
    assert type(value["k"]) is list
    assert type(value["k"][0]) is str
