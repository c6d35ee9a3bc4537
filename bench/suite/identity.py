"""Identities: a readable slug and a hash of everything that can change a job's numbers, and of nothing else."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

DIGITS = 12
"""Hexadecimal digits of a hash that stand in a folder name."""


def digest(content: Mapping[str, Any]) -> str:
    """SHA-256 of a JSON-able mapping, independent of the order of its keys."""
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(canonical.encode("utf-8")).hexdigest()


def identify(slug: str, content: Mapping[str, Any]) -> str:
    """`<slug>-<hash>`, fit for a folder name on any file system."""
    readable = re.sub(r"[^A-Za-z0-9_.-]+", "_", slug)[:100].strip("._-") or "unnamed"
    return f"{readable}-{digest(content)[:DIGITS]}"
