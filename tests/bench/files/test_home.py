"""Where the distribution's packages lie."""

from __future__ import annotations

from pathlib import Path

import bench
import losses
import models
from bench.files.home import HOME


def test_all_three_packages_lie_there():
    assert {Path(package.__file__).resolve().parent.parent for package in (bench, losses, models)} == {HOME}
