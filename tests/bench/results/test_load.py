from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from bench.errors import RunError
from bench.results.load import load


def test_frames_come_in_the_order_of_the_plan_with_the_same_first_columns(written):
    run = load(written.path)
    front = ["method", "label", "seed", "fold", "cell"]
    for frame in (run.cells, run.cases, run.lesions, run.history):
        assert list(frame.columns[:5]) == front
    planned = [(m, s) for s in (0, 1) for m in ("dice", "ce", "tversky")]
    assert list(zip(run.cells["method"], run.cells["seed"], strict=True)) == planned
    assert list(run.cases["cell"].unique()) == list(run.cells["cell"])


def test_ids_stay_text(written):
    run = load(written)
    assert set(run.cases["case"]) == {"001", "002", "003", "010", "011"}
    assert set(run.lesions["case"]) <= set(run.cases["case"])
    assert all(isinstance(value, str) for value in run.cases["class"])


def test_a_case_called_na_is_no_missing_value(builder):
    builder.cases = {"NA": "nan", "001": "None"}
    run = load(builder.write())
    assert set(run.cases["case"]) == {"NA", "001"}
    assert set(run.cases["patient"]) == {"nan", "None"}


def test_empty_fields_are_undefined_and_numbers_keep_all_digits(builder):
    run = load(builder.write())
    wrong = run.cases[(run.cases["reference_voxels"] == 0) & (run.cases["prediction_voxels"] > 0)]
    assert len(wrong)
    assert wrong["relative_volume_difference"].isna().all()
    lines = (builder.path / "cells" / "dice-s0-f0-abc" / "cases.csv").read_text(encoding="utf-8").splitlines()
    written = [float(line.split(",")[lines[0].split(",").index("dice")]) for line in lines[1:]]
    assert list(run.cases.loc[run.cases["cell"] == "dice-s0-f0-abc", "dice"]) == written


def test_nested_records_become_flat_columns(written):
    cells = load(written).cells
    assert set(cells["provenance.torch"]) == {"2.13.0+cpu"}
    assert (cells["timing.seconds_per_step"] == 0.09).all()
    assert cells["identity"].map(lambda identity: identity["loss"]["name"]).tolist() == cells["method"].tolist()


def test_history_tells_training_from_validation(written):
    history = load(written).history
    one = history[history["cell"] == "ce-s1-f0-abc"]
    assert one["kind"].value_counts().to_dict() == {"training": 30, "validation": 6}
    assert one.loc[one["kind"] == "validation", "dice"].notna().all()
    assert one["step"].is_monotonic_increasing


def test_a_cell_nobody_has_run_is_planned_and_has_no_cases(builder):
    builder.ended = {("ce", 1): ("planned", "")}
    run = load(builder.write())
    assert run.cells.set_index("cell").loc["ce-s1-f0-abc", "status"] == "planned"
    assert "ce-s1-f0-abc" not in set(run.cases["cell"])


def test_a_diverged_cell_keeps_its_reason_and_history(builder):
    builder.ended = {("ce", 1): ("diverged", "objective became nan at step 34 of 300")}
    run = load(builder.write())
    cell = run.cells.set_index("cell").loc["ce-s1-f0-abc"]
    assert (cell["status"], cell["reason"]) == ("diverged", "objective became nan at step 34 of 300")
    assert "ce-s1-f0-abc" in set(run.history["cell"])
    assert "ce-s1-f0-abc" not in set(run.cases["cell"])


def test_a_cell_outside_the_plan_is_orphaned_and_in_no_frame(written):
    known = written.cell("ce-s0-f0-abc")
    shutil.copytree(known, written.cell("ce-s0-f0-old"))
    run = load(written)
    assert run.orphaned == ("ce-s0-f0-old",)
    assert "ce-s0-f0-old" not in set(run.cells["cell"]) | set(run.cases["cell"])


def test_an_unsealed_cell_is_not_there_yet(written):
    (written.cell("ce-s0-f0-abc") / "seal.json").unlink()
    assert load(written).cells.set_index("cell").loc["ce-s0-f0-abc", "status"] == "planned"


def test_a_run_without_any_finished_cell_loads_with_empty_frames(written):
    shutil.rmtree(written.path / "cells")
    run = load(written)
    assert set(run.cells["status"]) == {"planned"}
    assert run.cases.empty
    assert run.lesions.empty
    assert run.history.empty
    assert run.classes == ()


def test_no_run_directory_is_named(tmp_path):
    with pytest.raises(RunError, match="not a run directory"):
        load(tmp_path)


def test_a_run_file_without_plan_is_named(written):
    content = json.loads(written.run_file.read_text(encoding="utf-8"))
    del content["plan"]
    written.run_file.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(RunError, match=r"run\.json has no usable plan"):
        load(written)


@pytest.mark.parametrize("name", ["cell.json", "cases.csv", "lesions.csv", "history.jsonl"])
def test_a_flipped_bit_is_noticed_and_the_file_named(written, name):
    path = written.cell("ce-s0-f0-abc") / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(RunError, match=f"{name} was altered"):
        load(written)


@pytest.mark.parametrize("name", ["cell.json", "cases.csv", "lesions.csv", "history.jsonl"])
def test_a_missing_file_is_named(written, name):
    (written.cell("ce-s0-f0-abc") / name).unlink()
    with pytest.raises(RunError, match=rf"{name} cannot be read"):
        load(written)


def test_a_damaged_seal_is_named(written):
    (written.cell("ce-s0-f0-abc") / "seal.json").write_text("{", encoding="utf-8")
    with pytest.raises(RunError, match=r"seal\.json cannot be read"):
        load(written)


def test_a_record_of_another_schema_is_refused(written, rewrite):
    rewrite(
        written.cell("ce-s0-f0-abc") / "cell.json",
        lambda text: text.replace('"schema_version": 1', '"schema_version": 99'),
    )
    with pytest.raises(RunError, match=r"cell\.json has schema_version 99, this version reads 1"):
        load(written)


def test_an_unknown_status_is_refused(written, rewrite):
    rewrite(written.cell("ce-s0-f0-abc") / "cell.json", lambda text: text.replace('"finished"', '"fine"'))
    with pytest.raises(RunError, match=r"cell\.json has status 'fine', expected one of finished, diverged"):
        load(written)


def test_text_where_a_number_belongs_is_named_with_line_and_column(written, rewrite):
    path = written.cell("ce-s0-f0-abc") / "cases.csv"
    rewrite(path, lambda text: text.replace(",0.0,", ",many,", 1))
    with pytest.raises(RunError, match=r"cases\.csv:\d+: \w+ is 'many', expected a number"):
        load(written)


def test_a_line_with_too_few_fields_is_named(written, rewrite):
    path = written.cell("ce-s0-f0-abc") / "lesions.csv"
    rewrite(path, lambda text: text + "main,best,001\n")
    with pytest.raises(RunError, match=r"lesions\.csv:\d+ has 3 fields, expected \d+"):
        load(written)


def test_a_missing_column_is_named(written, rewrite):
    path = written.cell("ce-s0-f0-abc") / "cases.csv"
    rewrite(path, lambda text: text.replace("patient", "person", 1))
    with pytest.raises(RunError, match=r"cases\.csv lacks the columns patient"):
        load(written)


def test_a_case_that_is_scored_twice_is_refused(written, rewrite):
    path = written.cell("ce-s0-f0-abc") / "cases.csv"
    rewrite(path, lambda text: text + text.splitlines()[1] + "\n")
    with pytest.raises(RunError, match=r"cases\.csv scores case '001' twice"):
        load(written)


def test_seeds_are_whole_numbers(written):
    run = load(written)
    assert run.cells["seed"].dtype == np.int64
    assert run.cases["fold"].dtype == np.int64


def test_threshold_baselines_are_those_of_the_planned_test_cases(builder):
    run = builder.write()
    builder.write_baseline(run, "thresholds-of-another-split", ["001-main"], "better: DC 0.99")
    assert load(run).baselines == ("best raw threshold: DC 0.14",)


def test_a_damaged_baseline_is_named(written):
    (written.path / "baselines" / "thresholds" / "baseline.json").write_text("{}", encoding="utf-8")
    with pytest.raises(RunError, match=r"baseline\.json was altered"):
        _ = load(written).baselines
