from __future__ import annotations

import pickle

from bench.errors import SuiteError
from bench.suite.located import Mark
from bench.suite.problems import Problem, SuiteProblems, describe, nearest, suggest


def test_problems_are_reported_once_each_in_the_order_of_the_file():
    first, second = Problem(Mark("a.yaml", 2, 9), "x"), Problem(Mark("a.yaml", 10, 1), "y")
    error = SuiteProblems([second, first, second])
    assert isinstance(error, SuiteError)
    assert error.problems == (first, second)
    assert str(error) == "a.yaml:2:9: x\na.yaml:10:1: y"


def test_problems_can_be_sent_to_another_process():
    error = SuiteProblems([Problem(Mark("a.yaml", 2, 9), "x")])
    assert pickle.loads(pickle.dumps(error)).problems == error.problems


def test_the_nearest_name_is_found_whatever_its_case():
    assert nearest("Dise", ["dice", "tversky"]) == "dice"
    assert nearest("residual_Unet", ["residual_unet"]) == "residual_unet"
    assert nearest("zzz", ["dice"]) is None


def test_long_lists_of_names_are_cut():
    text = suggest("x", [f"name{i}" for i in range(100)])
    assert text.endswith("name29, …")


def test_values_are_named_as_their_author_sees_them():
    assert describe(None) == "nothing (null)"
    assert describe(True) == "true"
    assert describe(1e-3) == "the number 0.001"
    assert describe("a") == "the text 'a'"
    assert describe(()) == "a list of 0 items"
    assert describe((1,)) == "a list of 1 item"
    assert describe({"a": 1, "b": 2}) == "a mapping {a: …, b: …}"
    assert len(describe("x" * 1000)) < 100
