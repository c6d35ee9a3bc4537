"""Names from records and plans that become names of files: one component of a path, and nothing else."""

from __future__ import annotations

import re

PATTERN = r"[^\W_][\w.+-]*"
LONGEST = 150

TEMPORARY = ".tmp-"
"""Prefix of every temporary name: what a killed process leaves behind is recognisable and ignored by all readers."""

SEAL = "seal.json"
"""Name of the file that lists the checksums of all other files in a sealed folder."""


def is_plain(name: object) -> bool:
    """Whether a name is one plain component of a path: no separator, no `..`, not hidden, not absolute.

    Letters and digits of any script and `. _ + -`, beginning with a letter or digit, up to 150 characters.
    """
    return isinstance(name, str) and len(name) <= LONGEST and re.fullmatch(PATTERN, name) is not None
