"""plots/examples.png: the right lesions, in the slice where they are largest, with the contour of every method."""

from __future__ import annotations

import csv
import shutil
from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from matplotlib import image
from matplotlib.colors import to_hex
from matplotlib.contour import ContourSet
from scipy import ndimage

from bench.data.prepared import open_prepared
from bench.data.preview import read_preview, write_preview
from bench.report.plots.examples import METHOD, REFERENCE, draw_examples, square_around
from bench.report.plots.lesion_views import Outcome, View, lesion_views
from bench.results.load import load


def titles(figure) -> list[str]:
    return [axes.get_title(loc="left") for part in figure.subfigs for axes in part.axes]


def panels(figure, view: int) -> dict[str, object]:
    """The panels of one view by the first line of their titles."""
    return {axes.get_title(loc="left").partition("\n")[0]: axes for axes in figure.subfigs[view].axes}


def contours(axes) -> list[str]:
    return [to_hex(c.get_edgecolor()[0]) for c in axes.collections if isinstance(c, ContourSet)]


def texts(axes) -> str:
    return " ".join(text.get_text() for text in axes.texts).replace("\n", " ")


def lesions_of(references: dict[str, np.ndarray]) -> list[tuple[int, str, np.ndarray]]:
    """Voxels, case and mask of every lesion, the smallest first."""
    found = []
    for case, reference in references.items():
        numbers, count = ndimage.label(reference == 1, structure=np.ones((3,) * reference.ndim))
        found += [((numbers == n).sum(), case, numbers == n) for n in range(1, count + 1)]
    return sorted(found, key=lambda one: one[0])


def assert_shows(view: View, case: str, lesion: np.ndarray, reference: np.ndarray, box) -> None:
    """The view is of this lesion, in the slice where it is largest."""
    assert f"case {case}" in view.title[1]
    where = int(np.count_nonzero(lesion, axis=(1, 2)).argmax())
    rows, columns = (slice(*axis) for axis in box)
    assert np.array_equal(view.reference, reference[where, rows, columns] == 1)
    shown = lesion[where, rows, columns]
    extents = [np.flatnonzero(shown.any(axis=axis)) for axis in (1, 0)]
    assert view.lesion == tuple((taken[0], taken[-1] + 1) for taken in extents)


def test_a_trained_run_shows_its_largest_and_smallest_lesion_where_they_are_largest(
    workshop, empty_cache, drawn, tmp_path
):
    run = workshop.here(workshop.suite())
    jobs = {job["id"]: job["case"] for job in run.read_run()["plan"]["prepare"]}
    tested = run.read_run()["plan"]["cells"][0]["test"]
    cases = {jobs[identity]: open_prepared(empty_cache / identity) for identity in tested}
    references = {name: case.reference() for name, case in cases.items()}
    found = lesions_of(references)
    largest, smallest = views = lesion_views(load(run))
    for view, (voxels, case, lesion) in ((largest, found[-1]), (smallest, found[0])):
        assert_shows(view, case, lesion, references[case], cases[case].preview().box)
        assert f"{voxels * 150:,} mm³" in view.title[0]
        assert view.title[1].endswith("the slice in which it is largest")
        assert all(outcome.mask.shape == view.image.shape for outcome in view.outcomes.values())
    assert f"of {len(found)} lesions" in largest.title[0]
    assert draw_examples(load(run), tmp_path / "a.png")
    assert draw_examples(load(run), tmp_path / "b.png")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    for number, view in enumerate(views):
        for method, axes in list(panels(drawn[0], number).items())[3:]:
            predicted = [METHOD] if view.outcomes[method].mask.any() else []
            assert contours(axes) == [REFERENCE, *predicted]


def test_flat_images_are_shown_with_areas(workshop, drawn, tmp_path):
    random = np.random.default_rng(0)
    with (workshop.folder / "pairs.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["image", "label"])
        for case in range(4):
            labels = np.zeros((30, 36), np.uint8)
            labels[5 : 10 + case, 4:14], labels[24, 28 : 30 + case] = 1, 1
            for name, array in (("image", 60 * labels + random.integers(0, 40, labels.shape)), ("label", labels)):
                scan = sitk.GetImageFromArray(array.astype(np.uint8))
                scan.SetSpacing((0.5, 2.0))
                sitk.WriteImage(scan, str(workshop.folder / f"{name}-{case}.nii.gz"))
            writer.writerow([f"image-{case}.nii.gz", f"label-{case}.nii.gz"])
    flat = {"format": "pairs", "csv": "pairs.csv", "target": [1], "cases": None, "seed": None, "size": None}
    run = workshop.here(
        workshop.suite(
            dataset={**flat, "spacing_mm": None},
            split={"train": 1, "validation": 1, "test": 2},
            preprocessing={"window": [0, 160], "roi_from": None, "crop": None},
            sampling={"patch_size": [16, 16]},
        )
    )
    large, small = views = lesion_views(load(run))
    assert all(view.spacing_mm == (2.0, 0.5) for view in views)
    assert large.title[0].startswith("Largest of 4 lesions: equivalent diameter")
    assert large.title[0].endswith(f"{(large.lesion[0][1] - large.lesion[0][0]) * 10} mm²")
    assert small.lesion[0] == (24, 25)
    assert "slice" not in "".join(large.title + small.title)
    assert draw_examples(load(run), tmp_path / "examples.png")
    assert {axes.get_aspect() for part in drawn[0].subfigs for axes in part.axes if axes.axison} == {1.0}
    shown = panels(drawn[0], 0)["overview"].images[0]
    assert shown.get_extent() == [0, 18, 60, 0]


def view_of(shape: tuple[int, int], lesion, spacing_mm: tuple[float, float]) -> View:
    blank = np.zeros(shape, np.uint8)
    return View(("a", "b"), blank, blank > 0, lesion, spacing_mm, {"dice": Outcome(blank > 0)})


@pytest.mark.parametrize("spacing_mm", [(0.7, 0.7), (3.0, 0.5), (1.0, 1.0)])
@pytest.mark.parametrize(
    "lesion", [((0, 1), (0, 1)), ((80, 100), (60, 90)), ((40, 47), (99, 120)), ((0, 100), (0, 120))]
)
def test_the_square_contains_the_lesion_and_stays_in_the_slice_where_it_can(lesion, spacing_mm):
    left, right, top, bottom = square_around(view_of((100, 120), lesion, spacing_mm))
    assert right - left == pytest.approx(bottom - top)
    edges = ((top, bottom), (left, right))
    for (first, stop), mm, n, (low, high) in zip(lesion, spacing_mm, (100, 120), edges, strict=True):
        assert low <= first * mm + 1e-9
        assert stop * mm <= high + 1e-9
        if high - low <= n * mm:
            assert (low, high) == (pytest.approx(max(low, 0)), pytest.approx(min(high, n * mm)))


@pytest.mark.parametrize(("mm", "share"), [(5.0, 0.2), (2.0, 0.2), (60.0, 0.5)])
def test_a_lesion_of_any_size_takes_a_good_part_of_the_square(mm, share):
    size = round(mm / 0.5)
    left, right, *_ = square_around(view_of((512, 512), ((100, 100 + size), (200, 200 + size)), (0.5, 0.5)))
    assert mm / (right - left) == pytest.approx(share, rel=0.4)
    assert (left + right) / 2 == pytest.approx(100 + mm / 2)


def test_every_panel_has_the_reference_and_the_contour_of_its_method(builder, drawn, tmp_path):
    builder.pictures, builder.empty = True, frozenset({("ce", "001")})
    run = load(builder.write())
    assert draw_examples(run, tmp_path / "examples.png")
    shown = panels(drawn[0], 0)
    assert list(shown) == ["overview", "framed part", "reference", "dice", "ce", "tversky"]
    assert [contours(axes) for axes in shown.values()] == [
        [],
        [],
        [REFERENCE],
        [REFERENCE, METHOD],
        [REFERENCE],
        [REFERENCE, METHOD],
    ]
    assert "nothing predicted here" in texts(shown["ce"])
    assert texts(shown["framed part"]).endswith(" mm")
    one = run.cases[(run.cases["case"] == "001") & (run.cases["block"] == "best")]
    dice = one.loc[one["cell"] == "tversky-s0-f0-abc", "dice"].item()
    assert f"tversky\ncase DC {dice:.2f}" in titles(drawn[0])


def test_the_contour_follows_the_edge_of_the_mask_in_millimetres(builder, drawn, tmp_path):
    builder.pictures = True
    run = load(builder.write())
    view = lesion_views(run)[0]
    assert draw_examples(run, tmp_path / "examples.png")
    (outline,) = [c for c in panels(drawn[0], 0)["reference"].collections if isinstance(c, ContourSet)]
    points = np.concatenate([path.vertices for path in outline.get_paths()])
    for axis, places in enumerate(np.nonzero(view.reference)[::-1]):
        mm = view.spacing_mm[1 - axis]
        assert points[:, axis].min() == pytest.approx(places.min() * mm)
        assert points[:, axis].max() == pytest.approx((places.max() + 1) * mm)


def test_a_method_without_a_mask_keeps_its_place_and_says_why(builder, drawn, tmp_path):
    builder.pictures, builder.seeds = True, (0,)
    builder.methods["late"] = builder.methods["broken"] = 0.9
    builder.ended = {("late", 0): ("planned", ""), ("broken", 0): ("diverged", "nan")}
    written = builder.write()
    shutil.rmtree(written.cell("dice-s0-f0-abc") / "predictions")
    assert draw_examples(load(written), tmp_path / "examples.png")
    shown = panels(drawn[0], 1)
    assert list(shown)[3:] == ["dice", "ce", "tversky", "late", "broken"]
    assert texts(shown["dice"]) == "its mask was not kept"
    assert texts(shown["late"]) == "no finished cell"
    assert texts(shown["broken"]) == "no finished cell (diverged)"
    for name in ("dice", "late", "broken"):
        assert not shown[name].images
        assert contours(shown[name]) == []
    for method in ("ce", "tversky"):
        shutil.rmtree(written.cell(f"{method}-s0-f0-abc") / "predictions")
    assert not draw_examples(load(written), tmp_path / "none.png")


def test_slices_of_an_earlier_version_are_shown_and_said_to_be_others(builder, tmp_path):
    builder.pictures = True
    run = builder.write()
    for path in run.path.glob("previews/*.npz"):
        preview, native = read_preview(path)
        write_preview(path, replace(preview, lesions=()), native)
    for view in lesion_views(load(run)):
        assert view.title[1].endswith("the slice with most target: the lesion's own was not kept")
        (top, bottom), (left, right) = view.lesion
        assert view.reference[top:bottom, left:right].sum() == view.reference.sum() > 0
    assert draw_examples(load(run), tmp_path / "examples.png")


def test_a_scan_that_runs_the_other_way_is_turned_with_its_lesion(builder):
    builder.pictures = True
    run = builder.write()
    before = lesion_views(load(run))
    for path in run.path.glob("previews/*.npz"):
        preview, native = read_preview(path)
        write_preview(path, preview, replace(native, direction=(-1.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 1.0)))
    for old, new in zip(before, lesion_views(load(run)), strict=True):
        assert np.array_equal(new.image, old.image[::-1, ::-1])
        assert np.array_equal(new.outcomes["ce"].mask, old.outcomes["ce"].mask[::-1, ::-1])
        (top, bottom), (left, right) = new.lesion
        (a, b), (c, d) = old.lesion
        turned = new.reference[top:bottom, left:right]
        assert np.array_equal(turned, old.reference[a:b, c:d][::-1, ::-1])


def test_of_several_classes_the_lesions_own_is_outlined_and_named(builder):
    builder.pictures, builder.classes = True, ("liver", "cyst")
    run = load(builder.write())
    wanted = run.lesions[(run.lesions["kind"] == "lesion") & (run.lesions["block"] == "best")]
    small = wanted.loc[wanted["volume_mm3"].idxmin()]
    view = lesion_views(run)[1]
    assert f" ({small['class']}): " in view.title[0]
    dice = run.cases[(run.cases["case"] == small["case"]) & (run.cases["class"] == small["class"])]
    assert view.outcomes["dice"].dice == dice["dice"].iloc[0]
    preview, _ = read_preview(run.directory.preview(f"{small['case']}-main"))
    assert any(
        np.array_equal(view.reference, labels == run.classes.index(small["class"]) + 1) for labels in preview.labels
    )


def test_a_single_lesion_is_one_view_and_none_is_no_picture(builder, tmp_path):
    builder.pictures, builder.seeds, builder.cases = True, (0,), {"011": "d"}
    assert not draw_examples(load(builder.write()), tmp_path / "none.png")
    run = load(replace(builder, path=tmp_path / "one", cases={"001": "a"}).write())
    largest = run.lesions["volume_mm3"] == run.lesions["volume_mm3"].max()
    (view,) = lesion_views(replace(run, lesions=run.lesions[largest]))
    assert view.title[0].startswith("The only lesion: equivalent diameter")


def test_all_panels_are_equally_large_and_large_enough(builder, drawn, tmp_path):
    builder.pictures = True
    assert draw_examples(load(builder.write()), tmp_path / "examples.png")
    assert image.imread(tmp_path / "examples.png").shape[1] == 1200
    sizes = [axes.get_window_extent().width for part in drawn[0].subfigs for axes in part.axes if axes.axison]
    assert min(sizes) == pytest.approx(max(sizes), rel=0.05)
    assert min(sizes) > 170
