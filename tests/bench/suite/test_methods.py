"""What a method is when everything is spelled out, and the controls that warm starts bring along."""

from __future__ import annotations

import pytest

import losses
import models
from bench.errors import SuiteError
from bench.suite.loader import load
from bench.suite.methods import loss_specification, resolve_method, with_controls
from bench.suite.schema import MethodSettings, Suite
from models import ModelError

DICE = {"id": "dice", "label": "Soft Dice", "loss": {"name": "dice"}}
CE = {"id": "ce", "loss": {"name": "cross_entropy"}}
ASKING = {"name": "map_dice", "penalty_map": "same_as_regressor"}


def method(**content) -> MethodSettings:
    return MethodSettings.model_validate({"id": "m", **content})


def started(name: str, first: str = "dice", rate: float | None = None, **content) -> dict:
    start = {"from": first} if rate is None else {"from": first, "learning_rate": rate}
    return {"id": name, "loss": {"name": "tversky"}, "start": start, **content}


@pytest.fixture
def rows(workshop):
    """The methods of the tiny suite with such rows, controls included."""

    def rows(*methods: dict) -> list[MethodSettings]:
        return list(with_controls(load(workshop.suite(methods=list(methods)), Suite).settings).methods)

    return rows


@pytest.mark.parametrize("name", ["lr_net", "multi_branch", "cascaded"])
def test_every_default_of_loss_and_regressor_is_spelled_out(name):
    resolved = resolve_method(method(loss={"name": "tversky"}, regressor={"name": name, "alpha": 2.0}))
    assert resolved.loss == losses.resolve({"name": "tversky"})
    assert resolved.loss["fp_weight"] == 0.3
    assert resolved.regressor == models.resolve_regressor({"name": name, "alpha": 2.0})
    assert (resolved.regressor["alpha"], resolved.regressor["reduction"]) == (2.0, "mean")
    again = method(loss=resolved.loss, regressor=resolved.regressor)
    assert resolve_method(again) == resolved, "what is spelled out is a specification itself"


def test_one_of_loss_and_regressor_may_be_missing():
    assert resolve_method(method(loss={"name": "dice"})).regressor is None
    alone = resolve_method(method(regressor={"name": "lr_net"}))
    assert alone.loss is None
    assert alone.regressor == {
        "name": "lr_net",
        "map": "norm_inverse",
        "head": "relu",
        "alpha": 1.0,
        "reduction": "mean",
        "frozen": True,
        "norm": "instance",
        "pretraining_steps": 1000,
        "pretraining_rate": 1e-3,
    }


@pytest.mark.parametrize("kind", ["norm_inverse", "inverse", "distance"])
def test_a_loss_that_asks_for_it_has_the_map_of_the_regressor(kind):
    regressor = {"name": "lr_net", "map": kind}
    assert resolve_method(method(loss=ASKING, regressor=regressor)).loss["penalty_map"] == kind


def test_the_default_map_of_the_regressor_counts_too():
    assert resolve_method(method(loss=ASKING, regressor={"name": "lr_net"})).loss["penalty_map"] == "norm_inverse"


def test_terms_of_a_sum_and_wrapped_losses_may_ask_for_it():
    terms = [{"name": "dice"}, {**ASKING, "weight": 2.0}, {"name": "inverse_weighting", "of": ASKING}]
    asking = method(loss={"name": "sum", "terms": tuple(terms)}, regressor={"name": "lr_net", "map": "inverse"})
    terms = loss_specification(asking)["terms"]
    assert terms[1] == {"name": "map_dice", "penalty_map": "inverse", "weight": 2.0}
    assert terms[2]["of"]["penalty_map"] == "inverse"
    assert "same_as_regressor" not in str(resolve_method(asking))


@pytest.mark.parametrize("loss", [ASKING, {"name": "sum", "terms": [{"name": "dice"}, ASKING]}], ids=["alone", "sum"])
def test_without_a_regressor_there_is_no_map_to_ask_for(workshop, loss):
    suite = workshop.suite(methods=[CE, {"id": "m", "loss": loss}])
    number = suite.read_text().splitlines().index("- id: m") + 2
    with pytest.raises(SuiteError) as caught:
        workshop.plan(suite)
    assert str(caught.value).startswith(f"{suite}:{number + 1}:5: ")
    assert "'same_as_regressor' stands for the map of the method's regressor, and there is none" in str(caught.value)


@pytest.mark.parametrize(
    ("regressor", "words"),
    [
        ({"name": "lr_net", "aplha": 1.0}, "Did you mean 'alpha'"),
        ({"name": "lr_net", "alpha": 0.0}, "alpha"),
        ({"name": "lr_net", "map": "norm_inverse", "head": "tanh"}, "head 'tanh' cannot give the values"),
        ({"name": "lr_net", "map": "lesion_id"}, "'lesion_id' is nothing to regress"),
        ({"name": "multi_branch", "map": "norminverse"}, "norm_inverse"),
    ],
)
def test_a_regressor_that_cannot_be_made_is_refused_as_such_whatever_the_loss_asks_for(regressor, words):
    for loss in ({"name": "dice"}, ASKING):
        with pytest.raises(ModelError, match=words):
            resolve_method(method(loss=loss, regressor=regressor))


def test_without_a_start_there_is_no_control(rows):
    assert [row.id for row in rows(DICE, CE)] == ["dice", "ce"]


def test_a_control_is_the_same_method_continued_and_stands_behind_the_rows_that_start_from_it(rows):
    found = rows(DICE, started("one"), CE, started("two"), {"id": "last", "loss": {"name": "tversky"}})
    assert [row.id for row in found] == ["dice", "one", "ce", "two", "dice-continued", "last"]
    control = found[4]
    assert (control.loss, control.regressor) == (found[0].loss, found[0].regressor)
    assert control.start == found[1].start
    assert control.title == "Soft Dice, continued (ours: control)"


def test_there_is_one_control_for_every_method_and_learning_rate_that_is_started_from(rows):
    found = rows(DICE, CE, started("a"), started("b", rate=0.01), started("c", "ce"), started("d", rate=0.01))
    assert [row.id for row in found] == [
        *("dice", "ce", "a", "b", "c", "ce-continued"),
        *("d", "dice-continued", "dice-continued-0.01"),
    ]
    titles = {row.id: row.title for row in found}
    assert titles["dice-continued-0.01"] == "Soft Dice, continued at 0.01 (ours: control)"
    assert titles["ce-continued"] == "ce, continued (ours: control)"


def test_a_control_keeps_the_regressor_of_its_method(rows):
    regressor = {"name": "lr_net", "alpha": 3.0}
    found = rows({**DICE, "regressor": regressor}, started("warm"))
    assert found[-1].regressor.specification() == regressor


@pytest.mark.parametrize("rate", [None, 0.005])
def test_a_row_of_the_suite_that_is_the_control_already_is_taken_for_it(rows, rate):
    own = started("own", rate=rate, loss={"name": "dice"}, label="The same for longer")
    assert [row.id for row in rows(DICE, started("warm", rate=rate), own)] == ["dice", "warm", "own"]
    assert [row.id for row in rows(own, DICE)] == ["own", "dice"]


@pytest.mark.parametrize("loss", [{"name": "dice", "smooth": 1e-5}, {"name": "dice", "batch": False}])
def test_a_row_that_writes_defaults_of_the_control_out_is_the_control(rows, loss):
    assert [row.id for row in rows(DICE, started("warm"), started("own", loss=loss))] == ["dice", "warm", "own"]


def test_a_row_that_differs_in_anything_is_not_the_control(rows):
    other = started("own", rate=0.005, loss={"name": "dice"})
    found = {row.id for row in rows(DICE, started("warm"), other)}
    assert found == {"dice", "warm", "own", "dice-continued"}


@pytest.mark.parametrize("name", ["dice-continued", "Dice-Continued"])
def test_another_row_with_the_id_of_a_control_is_refused(workshop, name):
    suite = workshop.suite(methods=[DICE, started("warm"), {**CE, "id": name}])
    with pytest.raises(SuiteError, match=f"the method id '{name}' is taken.*control"):
        workshop.plan(suite)


def test_controls_of_long_ids_are_cells_like_others(workshop):
    first = {**DICE, "id": "d" * 64}
    plan = workshop.plan(workshop.suite(methods=[first, started("warm", first["id"])])).plan
    assert [cell.method for cell in plan.cells] == [first["id"], "warm", f"{first['id']}-continued"]
    assert len({cell.id for cell in plan.cells}) == 3
    run = workshop.begin(workshop.suite(methods=[first, started("warm", first["id"])]))
    assert run.read_run()["suite"]["methods"][2]["id"] == f"{first['id']}-continued"
