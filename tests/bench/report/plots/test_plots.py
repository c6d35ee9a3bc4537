from __future__ import annotations

import shutil
from dataclasses import replace
from itertools import combinations

import pytest
from matplotlib import image

from bench.report.plots.cases import draw_cases
from bench.report.plots.examples import draw_examples
from bench.report.plots.style import looks
from bench.report.plots.validation import draw_validation
from bench.results.load import load

NAMES = [f"method number {i} with a name that goes on and on and on" for i in range(17)]


def many(builder, methods, **changes):
    builder.methods = {f"m{i}": 0.9 - 0.04 * i for i in range(methods)}
    builder.labels = {f"m{i}": NAMES[i] for i in range(methods)}
    builder.empty = frozenset()
    for name, value in changes.items():
        setattr(builder, name, value)
    return load(builder.write())


def assert_readable(figure):
    page, boxes = figure.bbox, [box for box in figure.shown.values() if box.width and box.height]
    assert boxes
    outside = [b for b in boxes if b.x0 < -1 or b.y0 < -1 or b.x1 > page.x1 + 1 or b.y1 > page.y1 + 1]
    assert outside == []
    overlapping = [(a, b) for a, b in combinations(boxes, 2) if a.shrunk(0.9, 0.9).overlaps(b.shrunk(0.9, 0.9))]
    assert overlapping == []


@pytest.mark.parametrize("methods", [1, 3, 6, 17])
def test_curves_and_case_plots_have_no_overlapping_or_cut_labels(builder, drawn, tmp_path, methods):
    run = many(builder, methods)
    assert draw_validation(run, tmp_path / "curves.png")
    assert draw_cases(run, "main", tmp_path / "cases.png")
    for figure in drawn:
        assert_readable(figure)


def test_names_that_differ_only_at_their_ends_are_told_apart_in_every_plot(builder, drawn, tmp_path):
    begin = "MNet + L_MapDice + LR-Net + L_smoothL1 / norm_inverse"
    run = many(builder, 7, pictures=True, seeds=(0,))
    run.methods.update(m1=f"{begin}, relu", m2=f"{begin}, sigmoid")
    assert draw_validation(run, tmp_path / "curves.png")
    assert draw_cases(run, "main", tmp_path / "cases.png")
    assert draw_examples(run, tmp_path / "examples.png")
    for figure in drawn:
        texts = {" ".join(text.get_text().split()) for text in figure.shown}
        assert any("norm_inverse, relu" in text for text in texts)
        assert any("norm_inverse, sigmoid" in text for text in texts)


@pytest.mark.parametrize("classes", [2, 3])
def test_case_plots_of_several_classes_have_no_overlapping_or_cut_labels(builder, drawn, tmp_path, classes):
    names = ("a class whose name goes on and on", "liver", "lesion")[:classes]
    assert draw_cases(many(builder, 3, classes=names), "main", tmp_path / "cases.png")
    assert_readable(drawn[0])


@pytest.mark.parametrize("methods", [1, 3, 15, 17])
def test_example_slices_have_no_overlapping_or_cut_labels(builder, drawn, tmp_path, methods):
    cases = {"001": "a", "an-unusually-long-name-of-a-case-012": "b"}
    run = many(builder, methods, pictures=True, seeds=(0,), cases=cases)
    assert draw_examples(run, tmp_path / "examples.png")
    assert_readable(drawn[0])


def test_a_readme_shows_the_plots_at_half_their_width(pictured, tmp_path):
    run = load(pictured)
    draw_validation(run, tmp_path / "a.png")
    draw_cases(run, "main", tmp_path / "b.png")
    draw_examples(run, tmp_path / "c.png")
    assert {image.imread(tmp_path / f"{name}.png").shape[1] for name in "abc"} == {1200}


def test_every_method_looks_different_and_the_same_in_every_plot():
    methods = [f"m{i}" for i in range(17)]
    assert len(set(looks(methods).values())) == 17
    assert looks(methods)["m3"] == looks(methods[:4])["m3"]


def test_formulas_in_names_are_text(builder, drawn, tmp_path):
    builder.labels = {"ce": "$\\frac{$ broken $x"}
    run = load(builder.write())
    assert draw_validation(run, tmp_path / "curves.png")
    assert draw_cases(run, "main", tmp_path / "cases.png")


def test_nothing_to_draw_draws_nothing(written, tmp_path):
    shutil.rmtree(written.path / "cells")
    run = load(written)
    assert not draw_validation(run, tmp_path / "a.png")
    assert not draw_cases(run, "main", tmp_path / "b.png")
    assert not draw_examples(run, tmp_path / "c.png")
    assert list(tmp_path.glob("*.png")) == []


def test_a_method_without_finished_cell_keeps_its_place(builder, drawn, tmp_path):
    builder.ended = {("ce", seed): ("diverged", "nan") for seed in (0, 1)}
    assert draw_cases(load(builder.write()), "main", tmp_path / "cases.png")
    axes = drawn[0].axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["dice", "ce", "tversky"]
    assert "no finished cell" in [text.get_text() for text in axes.texts]


def test_a_cell_that_ended_early_is_a_line_of_its_own_with_a_cross(builder, drawn, tmp_path):
    builder.ended = {("ce", 1): ("diverged", "nan")}
    assert draw_validation(load(builder.write()), tmp_path / "curves.png")
    crosses = [line for line in drawn[0].axes[0].lines if line.get_marker() == "x"]
    assert len(crosses) == 1


def test_curves_begin_at_step_0_and_mark_each_of_a_few_validations(builder, drawn, tmp_path):
    run = load(builder.write())
    assert draw_validation(run, tmp_path / "curves.png")
    axes = drawn[0].axes[0]
    assert axes.get_xlim()[0] == 0
    assert axes.get_ylim()[0] == 0
    steps = sorted(set(run.history.loc[run.history["kind"] == "validation", "step"]))
    points = [list(line.get_xdata()) for line in axes.lines if line.get_marker() == "o"]
    assert points == [steps] * 3


def test_the_band_is_the_range_over_the_cells_of_a_row(builder, drawn, tmp_path):
    run = load(builder.write())
    assert draw_validation(run, tmp_path / "curves.png")
    (edge, *_) = drawn[0].axes[0].collections
    mine = run.history[(run.history["kind"] == "validation") & (run.history["method"] == "dice")]
    band = edge.get_paths()[0].vertices
    last = mine[mine["step"] == mine["step"].max()]["dice"]
    at_end = band[band[:, 0] == mine["step"].max(), 1]
    assert (at_end.min(), at_end.max()) == pytest.approx((last.min(), last.max()))


@pytest.mark.parametrize("count", [36, 200])
@pytest.mark.filterwarnings("error::UserWarning")
def test_any_number_of_cases_fits_even_where_all_score_the_same(written, drawn, tmp_path, count):
    run = load(written)
    like = run.cases[(run.cases["block"] == "best") & (run.cases["case"] == "001")]
    names = [f"{i:03}" for i in range(count)] * len(like)
    many_cases = replace(run, cases=like.loc[like.index.repeat(count)].assign(case=names, dice=0.0))
    assert draw_cases(many_cases, "main", tmp_path / "cases.png")
    (first, *_) = drawn[0].axes[0].collections
    places = first.get_offsets()[:, 1]
    assert len(set(places)) == count
    assert places.min() > -0.31
    assert places.max() < 0.31
