"""What a suite may say about a paper's numbers, and that it changes nothing but what is shown."""

from __future__ import annotations

import pytest

from bench.errors import SuiteError
from bench.execution.planning import Request, plan_request
from bench.suite import papers
from bench.suite.loader import load
from bench.suite.papers import read_paper
from bench.suite.schema import Suite

TABLE_2 = {"file": "lr_net_2021", "table": "Table 2"}
METHODS = [
    {"id": "dice", "loss": {"name": "dice"}, "reported": "MNet+L_Dice"},
    {"id": "other", "loss": {"name": "dice", "batch": True}, "reported": "MNet+L_Dice"},
    {"id": "ce", "loss": {"name": "cross_entropy"}},
]
GOOD = {"reported": TABLE_2, "methods": METHODS}


def refusal(workshop, text, **changes):
    """The complaint, less its place, which must be where the suite says the text."""
    suite = workshop.suite(**GOOD | changes)
    with pytest.raises(SuiteError) as caught:
        load(suite, Suite)
    file, line, column, message = str(caught.value).split(":", 3)
    assert suite.read_text().splitlines()[int(line) - 1][int(column) - 1 :] == text
    assert file == str(suite)
    return message


def test_rows_are_named_by_methods_and_two_may_name_one(workshop):
    suite = load(workshop.suite(**GOOD), Suite).settings
    assert [method.reported for method in suite.methods] == ["MNet+L_Dice", "MNet+L_Dice", None]
    assert suite.reported.same_data is None


@pytest.mark.parametrize(
    ("settings", "text", "words"),
    [
        ({"file": "lr_net_2012"}, "lr_net_2012", "reported numbers 'lr_net_2012'. Did you mean 'lr_net_2021'?"),
        ({"file": "../../README"}, "../../README", "reported numbers '../../README'. Known: inverse_"),
        ({"table": "Table 3"}, "Table 3", "'Table 3' is no table of lr_net_2021. Did you mean 'Table"),
        ({"dataset": "LiTS"}, "LiTS", "'LiTS' is no data set of Table 2. Data sets: clinical liver tumours (private)"),
        ({"same_data": "mian"}, "mian", "'mian' is no data set of this suite. Did you mean 'main'? Known: main"),
        ({"tabel": "x"}, "tabel: x", "found the unknown key 'tabel'; did you mean 'table'?"),
        (
            {"file": "seg_loss_odyssey_2021", "table": "results"},
            "results",
            "'results' is of several data sets; add 'dataset: …', one of liver, liver tumour, pancreas, multi-organ",
        ),
    ],
    ids=lambda value: "" if isinstance(value, str) else "-".join(value),
)
def test_names_that_do_not_exist_are_refused_at_their_place_with_the_nearest(workshop, settings, text, words):
    assert words in refusal(workshop, text, reported=TABLE_2 | settings)


def test_a_row_that_does_not_exist_is_refused_at_its_method(workshop):
    methods = [METHODS[0], METHODS[1] | {"reported": "MNet+L_Dise"}]
    message = refusal(workshop, "MNet+L_Dise", methods=methods)
    assert (
        "'MNet+L_Dise' is no row of Table 2 of lr_net_2021. Did you mean 'MNet+L_Dice'? Rows: MNet+L_Dice, " in message
    )


def test_a_row_needs_a_table(workshop):
    message = refusal(workshop, "MNet+L_Dice", reported=None)
    assert "say which: add 'reported: {file: …, table: …}' to the suite" in message


def test_a_row_of_one_of_several_data_sets(workshop):
    reported = {"file": "seg_loss_odyssey_2021", "table": "results", "dataset": "liver tumour"}
    suite = load(workshop.suite(reported=reported, methods=[METHODS[0] | {"reported": "DiceCE"}]), Suite).settings
    assert suite.methods[0].reported == "DiceCE"


def test_a_profile_can_say_that_its_data_is_the_paper_s(workshop):
    theirs = {"reported": {"same_data": "clinic"}, "evaluate_on": {"clinic": {"format": "phantom", "cases": 2}}}
    profiles = {"theirs": theirs, "ours": {}}
    path = workshop.suite(**GOOD, profiles=profiles)
    assert load(path, Suite, profile="theirs").settings.reported.same_data == "clinic"
    assert load(path, Suite, profile="ours").settings.reported.same_data is None


def test_what_is_reported_is_in_no_identity(workshop):
    bare = [{key: value for key, value in method.items() if key != "reported"} for method in METHODS]
    before = workshop.plan(workshop.suite(methods=bare))
    after = workshop.plan(workshop.suite(**GOOD))
    assert after.plan == before.plan
    assert after.description()["suite"]["reported"]["table"] == "Table 2"
    assert after.description()["suite"]["methods"][0]["reported"] == "MNet+L_Dice"


def test_a_suite_without_a_paper_says_nothing(workshop):
    described = workshop.plan(workshop.suite()).description()["suite"]
    assert described["reported"] is None
    assert [method["reported"] for method in described["methods"]] == [None, None]


def test_where_no_numbers_are_installed_a_suite_still_runs(workshop, tmp_path, monkeypatch):
    monkeypatch.setattr(papers, "FOLDER", tmp_path / "nowhere")
    planned = plan_request(Request(workshop.suite(**GOOD), out=tmp_path / "run"), read_data=False)
    assert planned.suite.methods[0].reported == "MNet+L_Dice"
    with pytest.raises(SuiteError, match=r"no folder .*nowhere .* install from a checkout"):
        read_paper("lr_net_2021")


def test_a_suite_that_is_read_back_is_not_looked_up_again(workshop, tmp_path, monkeypatch):
    written = load(workshop.suite(**GOOD), Suite).settings.model_dump_json()
    (tmp_path / "others").mkdir()
    monkeypatch.setattr(papers, "FOLDER", tmp_path / "others")
    assert Suite.model_validate_json(written).methods[0].reported == "MNet+L_Dice"


HEADER = "source,table,dataset,cases,row,metric,value,note\n"
NOTES = "title: A paper\ntables:\n  T:\n    metrics:\n      DC: {here: dice, comparable: true, reason: alike}\n"


@pytest.mark.parametrize(
    ("numbers", "notes", "words"),
    [
        (HEADER + "s,T,d,3,a,DC,high,\n", NOTES, "paper.csv:2: found the value 'high'; expected a number"),
        (HEADER + "s,T,d,3,a,DC,nan,\n", NOTES, "paper.csv:2: found the value 'nan'"),
        (HEADER + "s,T,d,3,a,DC\n", NOTES, "paper.csv:2: found 6 fields; expected 8"),
        (HEADER + "s,T,d,3,a,DC,0.5,\n" * 2, NOTES, "paper.csv:3: DC of 'a' in T is given twice"),
        ("table,row\n", NOTES, "paper.csv:1: expected the columns source, table"),
        (HEADER, NOTES.replace("reason", "reasons"), "paper.yaml:5:42: found the unknown key 'reasons'"),
    ],
    ids=["text", "nan", "short", "twice", "columns", "notes"],
)
def test_a_damaged_file_is_named_with_its_line(tmp_path, monkeypatch, numbers, notes, words):
    monkeypatch.setattr(papers, "FOLDER", tmp_path)
    (tmp_path / "paper.csv").write_text(numbers)
    (tmp_path / "paper.yaml").write_text(notes)
    with pytest.raises(SuiteError) as caught:
        read_paper("paper")
    assert words in str(caught.value)
