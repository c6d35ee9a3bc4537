"""The one function: what it takes, what it refuses, and how kinds of other people come in."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points

import numpy as np
import pytest

from losses import LossError, target_maps
from losses.target_maps import TargetMap, compute, describe

MASK = np.array([[0, 1, 1], [0, 0, 0]])


def test_importing_the_package_and_listing_the_kinds_imports_neither_torch_nor_scipy():
    code = (
        "import sys, losses.target_maps as maps; assert 'border' in maps.available(); maps.describe('norm_inverse');"
        "sys.exit(any(name in sys.modules for name in ('torch', 'scipy')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("mask", [MASK, MASK > 0, MASK.astype(np.uint8), MASK * 7, MASK.tolist()])
def test_any_integer_or_bool_above_zero_is_the_class(mask):
    assert compute("lesion_id", mask).tolist() == MASK.tolist()


@pytest.mark.parametrize(
    ("mask", "reason"),
    [
        (MASK * 1.0, "integers or bool, got float64"),
        (MASK[0], r"2D or 3D and not empty, got shape \(3,\)"),
        (MASK[None, None], r"2D or 3D and not empty, got shape \(1, 1, 2, 3\)"),
        (MASK[:, :0], r"not empty, got shape \(2, 0\)"),
        (MASK - 2, "must be >= -1 .* found -2"),
    ],
)
def test_what_is_no_mask_is_refused(mask, reason):
    with pytest.raises(LossError, match=f"target map 'distance': .*{reason}"):
        compute("distance", mask)


@pytest.mark.parametrize("spacing", [(1.0,), (1.0, 1.0, 1.0), (1.0, 0.0), (1.0, -2.0), (1.0, float("nan"))])
def test_a_spacing_is_one_number_above_zero_per_axis(spacing):
    with pytest.raises(LossError, match=r"spacing_mm must be one number > 0 per axis of the mask \(2, 3\)"):
        compute("distance", MASK, spacing)


def test_unknown_kinds_and_options_are_refused_with_the_nearest_name():
    with pytest.raises(LossError, match=r"unknown target map 'norm_inverted'\. Did you mean 'norm_inverse'"):
        compute("norm_inverted", MASK)
    with pytest.raises(LossError, match=r"target map 'border' has no parameter 'sigm'\. Did you mean 'sigma'"):
        compute("border", MASK, sigm=3)


def test_a_name_that_ends_in_mm_is_its_kind_in_mm():
    assert target_maps.unit_of("signed_distance_mm") == ("signed_distance", True)
    assert target_maps.unit_of("signed_distance") == ("signed_distance", False)


def test_the_mask_is_left_as_it_was():
    mask = np.array([[0, 1, -1]], np.int8)
    mask.flags.writeable = False
    for kind in target_maps.available():
        compute(kind, mask)
    assert mask.tolist() == [[0, 1, -1]]


def test_a_description_answers_what_a_planner_asks():
    assert describe("signed_norm_inverse").signed
    assert not describe("norm_inverse").signed
    assert describe("norm_inverse").heads == ("relu", "sigmoid")
    assert describe("norm_inverse").stored_dtype == "float16"
    assert describe("distance").stored_dtype == "float32"
    assert describe("lesion_id").numbers
    assert describe("lesion_id").heads == ()
    assert describe("border").value_range == (0, 10)


def test_a_registered_class_is_a_kind_like_any_other(monkeypatch):
    monkeypatch.setattr(target_maps.KINDS, "_registered", dict(target_maps.KINDS._registered))

    @target_maps.register("size")
    class Size(TargetMap):
        """Voxels of the lesion."""

        def values(self, lesions):
            return lesions.spread(np.bincount(lesions.number)[lesions.number])

    assert compute("size", MASK).dtype == np.float32
    assert compute("size", MASK).tolist() == (2 * MASK).tolist()
    assert "size" in target_maps.available()


def test_a_kind_that_returns_another_shape_is_refused(monkeypatch):
    monkeypatch.setattr(target_maps.KINDS, "_registered", dict(target_maps.KINDS._registered))

    @target_maps.register("wrong")
    class Wrong(TargetMap):
        """Not the mask's shape."""

        def values(self, lesions):
            return np.zeros(3)

    with pytest.raises(LossError, match=r"'wrong': returned shape \(3,\) for a mask of shape \(2, 3\)"):
        compute("wrong", MASK)


def test_other_distributions_have_an_entry_point_group(monkeypatch, tmp_path):
    folder = tmp_path / "far-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: far\nVersion: 1.0\n")
    (folder / "entry_points.txt").write_text("[imbalance_bench.target_maps]\nfar = far_maps:Far\n")
    (tmp_path / "far_maps.py").write_text(
        "import numpy as np\nfrom losses.target_maps import TargetMap\n"
        'class Far(TargetMap):\n    """One."""\n    def values(self, lesions):\n        return np.ones(lesions.shape)\n'
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    assert [point.name for point in entry_points(group="imbalance_bench.target_maps")] == ["far"]
    assert compute("far", MASK).sum() == MASK.size


def test_an_identity_names_every_option_the_stored_type_and_the_version(monkeypatch):
    known = {"kind": "border", "options": {"w0": 10.0, "sigma": 5.0}, "stored_dtype": "float32", "version": 1}
    assert target_maps.identity("border") == target_maps.identity("border", sigma=5) == known
    assert target_maps.identity("border", sigma=3)["options"]["sigma"] == 3.0
    assert target_maps.identity("norm_inverse")["stored_dtype"] == "float16"
    monkeypatch.setattr(TargetMap, "version", 2)
    assert target_maps.identity("border")["version"] == describe("border").version == 2


def test_the_package_is_an_attribute_of_losses_without_being_imported_first():
    code = "import losses; print(losses.target_maps.available())"
    listed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "'border'" in listed
