from __future__ import annotations

import subprocess
import sys

import pytest
from pydantic import TypeAdapter, ValidationError

from bench.data.dataset import dataset_settings_type
from bench.data.settings import (
    CropSettings,
    DatasetSettings,
    PreprocessingSettings,
    SplitSettings,
    check_together,
)


def dataset(**fields):
    return DatasetSettings(format="toy", **{"target": (1,), **fields})


def test_label_values_make_one_class_and_names_make_several_in_their_order():
    assert dataset(target=(2, 3)).class_labels == {"target": (2, 3)}
    assert dataset(target={"posterior": (2,), "anterior": (1,)}).classes == ("posterior", "anterior")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"target": ()}, "at least 1 item"),
        ({"target": {}}, "at least 1 item"),
        ({"target": (0,)}, "greater than or equal to 1"),
        ({"target": {"a": (1,), "b": (2, 1)}}, "label 1 is given twice"),
        ({"target": {"background": (1,)}}, "cannot be a class"),
        ({"target": {"two words": (1,)}}, "match pattern"),
        ({"ignore_label": 1}, "also a label of the target"),
        ({"roi": (5,), "ignore_label": 5}, "also a label of the target or of the roi"),
        ({"roi": ()}, "at least 1 item"),
    ],
)
def test_contradictory_labels_are_refused(fields, message):
    with pytest.raises(ValidationError, match=message):
        dataset(**fields)


def test_the_interpretation_of_labels_does_not_depend_on_where_the_files_are_or_how_labels_are_sorted():
    first = dataset(target={"a": (2, 1)}, roi=(4, 3)).interpretation()
    assert first == dataset(target={"a": (1, 2)}, roi=(3, 4)).interpretation()
    assert first != dataset(target={"a": (1, 2)}, roi=(3,)).interpretation()


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"train": 118, "validation": 13, "test_is_validation": True},
        {"train": 0.6, "validation": 0.2, "test": 0.2},
        {"folds": 5, "validation": 0.1},
        {"folds": 5, "test_is_validation": True},
    ],
)
def test_complete_rules_of_splitting_are_accepted(fields):
    SplitSettings(**fields)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"train": 0.7, "validation": 0.2, "test": 0.2}, "more than 1"),
        ({"folds": 5, "test": 0.2}, "test cannot be given together with folds"),
        ({"folds": 1}, "greater than or equal to 2"),
        ({"test": 3, "test_is_validation": True}, "test cannot be given together with test_is_validation"),
        ({"validation": 3, "folds": 3, "test_is_validation": True}, "validation cannot be given together"),
        ({"file": "s.json", "train": 3}, "train cannot be given together with file"),
        ({"validation": 1.5}, "less than or equal to 1"),
        ({"train": -1}, "greater than or equal to 0"),
    ],
)
def test_contradictory_rules_of_splitting_are_refused(fields, message):
    with pytest.raises(ValidationError, match=message):
        SplitSettings(**fields)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"window": (140.0, -60.0)}, "lower value first"),
        ({"window": (0.0, 1.0), "normalise": "percentiles"}, "choose one"),
        ({"spacing_mm": (1.0,)}, "at least 2 items"),
        ({"spacing_mm": (1.0, 0.0, 1.0)}, "greater than 0"),
        ({"mask_outside_roi": True}, "roi_from: reference"),
        ({"crop": CropSettings(margin_mm=1.0)}, "roi_from: reference"),
    ],
)
def test_contradictory_preprocessing_is_refused(fields, message):
    with pytest.raises(ValidationError, match=message):
        PreprocessingSettings(**fields)


@pytest.mark.parametrize("fields", [{}, {"margin_mm": 1.0, "margin_voxels": 1}])
def test_a_crop_has_exactly_one_margin(fields):
    with pytest.raises(ValidationError, match="exactly one"):
        CropSettings(**fields)


def test_a_region_of_interest_must_have_labels():
    settings = PreprocessingSettings(roi_from="reference")
    assert check_together(dataset(roi=(1,)), settings) is None
    assert "dataset.roi" in check_together(dataset(), settings)


def test_a_format_is_chosen_by_its_name_and_a_wrong_key_is_refused(tmp_path):
    adapter = TypeAdapter(dataset_settings_type())
    lits = adapter.validate_python({"format": "lits", "root": str(tmp_path), "target": (2,), "roi": (1, 2)})
    assert (type(lits).__name__, lits.root) == ("LitsSettings", tmp_path)
    with pytest.raises(ValidationError, match="'lits'"):
        adapter.validate_python({"format": "lit", "root": str(tmp_path), "target": (2,)})
    with pytest.raises(ValidationError, match="Extra inputs"):
        adapter.validate_python({"format": "lits", "root": str(tmp_path), "target": (2,), "rot": 1})


def test_all_settings_are_known_without_heavy_imports():
    code = (
        "import sys; from pydantic import TypeAdapter; from bench.data.dataset import dataset_settings_type as t;"
        "from bench.data.preprocessing import PREPROCESSING_VERSION; import bench.data.splits;"
        "TypeAdapter(t()).json_schema();"
        "print([m for m in ('torch','monai','SimpleITK','nibabel','pandas','seaborn','optuna') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
