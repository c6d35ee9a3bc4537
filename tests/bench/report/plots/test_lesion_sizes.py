from __future__ import annotations

import matplotlib.image

from bench.report.plots.lesion_sizes import draw_lesion_sizes


def test_a_histogram_is_drawn_and_the_same_bytes_each_time(tmp_path):
    volumes = {"tumour": [5.0, 80.0, 81.0, 20_000.0], "cyst": [1000.0]}
    assert draw_lesion_sizes(volumes, "Small", tmp_path / "a.png")
    assert draw_lesion_sizes(volumes, "Small", tmp_path / "b.png")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert matplotlib.image.imread(tmp_path / "a.png").shape[1] == 900


def test_lesions_of_one_size_are_drawn_and_none_are_not(tmp_path):
    assert draw_lesion_sizes({"target": [10.0, 10.0]}, "Same", tmp_path / "same.png", flat=True)
    assert not draw_lesion_sizes({"target": []}, "None", tmp_path / "none.png")
    assert not (tmp_path / "none.png").exists()
