"""`extends: other.yaml`: a suite that changes another one, which may itself extend a third."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from bench.suite.environment import expand
from bench.suite.located import LocatedDict, LocatedStr
from bench.suite.matrix import expand_matrices
from bench.suite.merge import merge
from bench.suite.problems import describe, refuse
from bench.suite.source import neighbours
from bench.suite.tree import read


def read_chain(path: Path, environ: Mapping[str, str]) -> tuple[LocatedDict, tuple[Path, ...]]:
    """Read a suite and everything it extends, nearest last, into one tree.

    Matrices are expanded in each file first, so that a suite can replace a single method of its parent's matrix.

    Returns:
        The merged tree without the key `extends`, and the files read, the given one first.

    Raises:
        SuiteProblems: a file that does not exist, or that extends itself through others.
    """
    trees: list[LocatedDict] = []
    files: list[Path] = []
    current: Path | None = path
    while current is not None:
        tree = expand_matrices(read(current))
        files.append(current)
        trees.append(tree.without("extends"))
        current = _parent(tree, files, environ)
    merged = trees.pop()
    while trees:
        merged = merge(merged, trees.pop())
    return merged, tuple(files)


def _parent(tree: LocatedDict, files: list[Path], environ: Mapping[str, str]) -> Path | None:
    if "extends" not in tree:
        return None
    mark = tree.value_marks["extends"]
    if not isinstance(tree["extends"], LocatedStr):
        raise refuse(mark, f"found {describe(tree['extends'])} under 'extends'; expected the path of one suite file")
    text = expand(tree["extends"], environ)
    parent = Path(os.path.normpath((files[-1].parent if text.folder else Path()) / Path(text).expanduser()))
    if not parent.is_file():
        found = f"found 'extends: {text}', but there is no file {parent} (paths are relative to the file they stand in)"
        raise refuse(mark, f"{found}; {neighbours(parent)}")
    seen = [file.resolve() for file in files]
    if parent.resolve() in seen:
        circle = [str(file) for file in files[seen.index(parent.resolve()) :]]
        raise refuse(
            mark, f"found suites that extend each other: {' → '.join([*circle, str(parent)])}; remove one link"
        )
    return parent
