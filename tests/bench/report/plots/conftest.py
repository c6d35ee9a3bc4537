from __future__ import annotations

import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from bench.report.plots import style


@pytest.fixture
def drawn(monkeypatch):
    """Every figure that is drawn; each remembers the texts that really reach the page."""
    figures = []

    class Kept(Figure):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.shown = {}
            figures.append(self)

    def draw(self, renderer, *args, **kwargs):
        if self.get_visible() and self.get_text().strip():
            figures[-1].shown[self] = self.get_window_extent(renderer)
        return original(self, renderer, *args, **kwargs)

    original = Text.draw
    monkeypatch.setattr(Text, "draw", draw)
    monkeypatch.setattr(style, "Figure", Kept)
    return figures
