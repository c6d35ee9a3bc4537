"""Names from records and plans that become names of files: one component of a path, and nothing else."""

from __future__ import annotations

import re

_PLAIN = re.compile(r"[^\W_][\w.+-]{0,149}")


def is_plain(name: object) -> bool:
    """Whether a name is one plain component of a path: no separator, no `..`, not hidden, not absolute.

    Letters and digits of any script and `. _ + -`, beginning with a letter or digit, up to 150 characters.
    """
    return isinstance(name, str) and _PLAIN.fullmatch(name) is not None
