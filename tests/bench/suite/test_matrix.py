from __future__ import annotations

import pytest

from bench.suite.located import plain
from bench.suite.matrix import expand_matrices
from bench.suite.source import Source
from bench.suite.tree import parse


def expand(text: str):
    return expand_matrices(parse(Source(text, "suite.yaml", None)))


def methods(text: str) -> list:
    return plain(expand(text)["methods"])


TWO_BY_TWO = """
methods:
  - {id: first, loss: {name: dice}}
  - matrix:
      base: {loss: {name: tversky}, regressor: {head: relu}}
      vary:
        regressor.map: [distance, inverse]
        loss.fp_weight: [0.3, 1]
      id: "m-{regressor.map}-{loss.fp_weight}"
      label: "{loss.name} with {regressor.map}"
"""


def test_a_matrix_is_the_product_in_the_order_written():
    assert [method["id"] for method in methods(TWO_BY_TWO)] == [
        "first",
        "m-distance-0.3",
        "m-distance-1",
        "m-inverse-0.3",
        "m-inverse-1",
    ]


def test_an_expanded_method_is_the_base_with_the_varied_values():
    assert methods(TWO_BY_TWO)[4] == {
        "loss": {"name": "tversky", "fp_weight": 1},
        "regressor": {"head": "relu", "map": "inverse"},
        "id": "m-inverse-1",
        "label": "tversky with inverse",
    }


def test_a_varied_value_keeps_its_own_place():
    method = expand(TWO_BY_TWO)["methods"][4]
    assert str(method["regressor"].value_marks["map"]) == "suite.yaml:7:35"
    assert str(method["regressor"].key_marks["map"]) == "suite.yaml:7:9"
    assert str(method["loss"].value_marks["fp_weight"]) == "suite.yaml:8:31"
    assert str(method["loss"].value_marks["name"]) == "suite.yaml:5:27"


def test_paths_that_belong_together_vary_together():
    text = """
methods:
  - matrix:
      base: {loss: {name: dice}}
      vary: {"regressor.map, regressor.head": [[norm_inverse, relu], [signed, tanh]]}
      id: "{regressor.map}-{regressor.head}"
"""
    assert [method["id"] for method in methods(text)] == ["norm_inverse-relu", "signed-tanh"]


def test_whole_mappings_can_vary():
    text = """
methods:
  - matrix:
      base: {}
      vary: {loss: [{name: dice}, {name: tversky, fp_weight: 0.1}]}
      id: "{loss.name}"
"""
    with pytest.raises(Exception, match=r"found a mapping \{\} under 'base'"):
        methods(text)
    again = methods(text.replace("base: {}", "base: {loss: null}"))
    assert [method["loss"] for method in again] == [{"name": "dice"}, {"name": "tversky", "fp_weight": 0.1}]


def test_true_false_and_null_are_written_as_in_the_file():
    text = "methods: [{matrix: {base: {a: 1}, vary: {b: [true, null]}, id: 'm-{b}'}}]"
    assert [method["id"] for method in methods(text)] == ["m-true", "m-null"]


def test_doubled_braces_and_variables_are_left_alone():
    text = "methods: [{matrix: {base: {a: 1}, vary: {b: [2]}, id: m, label: '$L_{{Dice}}$ ${HOME} {b}'}}]"
    assert methods(text)[0]["label"] == "$L_{Dice}$ ${HOME} 2"


def test_matrices_in_profiles_are_written_out_too():
    text = "profiles: {p: {methods: [{matrix: {base: {a: 1}, vary: {b: [1, 2]}, id: 'm{b}'}}]}}"
    assert [method["id"] for method in plain(expand(text))["profiles"]["p"]["methods"]] == ["m1", "m2"]


@pytest.mark.parametrize(
    ("matrix", "complaint"),
    [
        (
            "3",
            (
                "suite.yaml:1:20: found the number 3 under 'matrix'; "
                "expected a mapping with the keys base, vary, id, label"
            ),
        ),
        (
            "{bas: {a: 1}, vary: {b: [1]}, id: x, base: {a: 1}}",
            (
                "suite.yaml:1:21: found the unknown key 'bas' in a matrix; did you mean 'base'? "
                "allowed here: base, vary, id, label"
            ),
        ),
        ("{vary: {b: [1]}, id: x}", "suite.yaml:1:20: the key 'base' is missing in this matrix; expected a mapping"),
        (
            "{base: {a: 1}, vary: {b: 1}, id: x}",
            (
                "suite.yaml:1:45: found the number 1 under 'b' of 'vary'; "
                "expected a list of the values to try, such as [a, b]"
            ),
        ),
        (
            "{base: {a: 1}, vary: {b..c: [1]}, id: x}",
            "suite.yaml:1:42: found 'b..c' under 'vary'; expected dotted paths such as loss.name, split by commas",
        ),
        (
            "{base: {a: 1}, vary: {'b, c': [[1, 2], 3]}, id: x}",
            "suite.yaml:1:59: found the number 3; expected a list of 2 values, one for each of b, c",
        ),
        (
            "{base: {a: 1}, vary: {a.b: [1]}, id: x}",
            "suite.yaml:1:42: found 'a.b', but 'a' is the number 1 and has no keys; shorten the path",
        ),
        (
            "{base: {a: 1}, vary: {beta: [1]}, id: '{bata}'}",
            (
                "suite.yaml:1:58: found the placeholder {bata}, which the method does not have; did you mean 'beta'? "
                "varied here: beta; write {{ for a brace"
            ),
        ),
        (
            "{base: {a: {c: 1}}, vary: {b: [1]}, id: '{a}'}",
            "suite.yaml:1:60: found the placeholder {a}, which is a mapping {c: …}; name a single value in it",
        ),
        (
            "{base: {a: 1}, vary: {b: [1, 2]}, id: 'm'}",
            "suite.yaml:1:58: found the id 'm' for several methods of this matrix; put every varied path into it",
        ),
    ],
)
def test_a_matrix_written_wrongly_is_explained_at_its_place(matrix, complaint, complaints):
    assert complaints(expand, f"methods: [{{matrix: {matrix}}}]") == [complaint]


def test_a_key_beside_the_matrix_is_refused(complaints):
    text = "methods: [{label: x, matrix: {base: {a: 1}, vary: {b: [1]}, id: x}}]"
    assert complaints(expand, text) == [
        "suite.yaml:1:12: found the key 'label' beside 'matrix'; move it into 'base' or below 'matrix'"
    ]


def test_a_matrix_of_millions_is_refused_before_it_is_written_out(complaints):
    axes = ", ".join(f"k{i}: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]" for i in range(12))
    text = f"methods: [{{matrix: {{base: {{a: 1}}, vary: {{{axes}}}, id: x}}}}]"
    assert complaints(expand, text) == [
        "suite.yaml:1:35: found a matrix of 1000000000000 methods; expected at most 10000: vary less"
    ]


def test_two_methods_of_one_id_are_refused_with_both_places(complaints):
    text = "methods:\n  - {id: a}\n  - {id: b}\n  - {id: a}\n"
    assert complaints(expand, text) == [
        "suite.yaml:4:10: found the id 'a' twice, here and at suite.yaml:2:10; each method needs its own id"
    ]
