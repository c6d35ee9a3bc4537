"""Records as CSV."""

from __future__ import annotations

import csv
import math

from bench.files.rows import write_rows


def test_floats_keep_all_their_digits_and_nan_is_an_empty_field(tmp_path):
    path = tmp_path / "rows.csv"
    write_rows(path, [{"b": 0.1 + 0.2, "a": math.nan, "c": 'x,"y"'}], ["a", "b", "c"])
    (row,) = csv.DictReader(path.open(newline=""))
    assert (row["a"], float(row["b"]), row["c"]) == ("", 0.1 + 0.2, 'x,"y"')
