"""Where this distribution's own packages lie: the checkout, or site-packages."""

from __future__ import annotations

from pathlib import Path

HOME = Path(__file__).resolve().parents[2]
