from __future__ import annotations

import time
from pathlib import Path

import pytest

from bench.data.cache.choice import choose
from bench.data.cache.entries import Entry

DAY = 86_400


def entry(identity, days=0.0, *, state="whole", in_use=False):
    return Entry(identity, Path(identity), 100, time.time() - days * DAY, in_use, state)


ENTRIES = (
    entry("new", 1),
    entry("old", 30),
    entry("older", 60),
    entry("oldest in use", 90, in_use=True),
    entry("broken.damaged", 1, state="damaged"),
    entry("left", 1, state="unfinished"),
    entry("being built", 0, state="unfinished", in_use=True),
)
LEFTOVERS = {"broken.damaged", "left"}


@pytest.mark.parametrize(
    ("wish", "whole"),
    [
        ({}, set()),
        ({"older_than_days": 29}, {"old", "older"}),
        ({"older_than_days": 31}, {"older"}),
        ({"to_bytes": 500}, set()),
        ({"to_bytes": 499}, {"older"}),
        ({"to_bytes": 400}, {"older"}),
        ({"to_bytes": 300}, {"older", "old"}),
        ({"to_bytes": 1}, {"older", "old", "new"}),
        ({"to_bytes": 400, "older_than_days": 29}, {"older", "old"}),
        ({"everything": True}, {"older", "old", "new"}),
    ],
)
def test_leftovers_always_go_whole_ones_as_wished_and_used_ones_never(wish, whole):
    assert {found.identity for found in choose(ENTRIES, **wish)} == LEFTOVERS | whole
