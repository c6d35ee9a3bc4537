"""Plug-in files: Python that a suite names under `plugins:`, whose losses, target maps and networks it may then use.

A plug-in is code that the author of the suite trusts: it is executed with all rights of the user who checks or runs
the suite. One file is one module: it may import what is installed, not the files beside it, so that its checksum
stands for all of it.

In force are exactly the files that the suite at hand names: those of another suite that the same process has read
before are withdrawn, so that a name means the same here as in a worker, which reads one suite only.
"""

from __future__ import annotations

import importlib.util
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from pydantic import TypeAdapter

import losses
import models
from bench.errors import SuiteError
from bench.files.checksum import sha256_bytes
from bench.settings import SuitePath
from bench.suite.located import LocatedDict, LocatedStr, LocatedTuple
from bench.suite.problems import Problem, SuiteProblems
from losses import target_maps
from losses.registry import Registry

_REGISTRIES: tuple[Registry[Any], ...] = (losses.LOSSES, target_maps.KINDS, models.BACKBONES, models.REGRESSORS)
_PATH: TypeAdapter[Path] = TypeAdapter(SuitePath)


class PluginError(SuiteError):
    """A plug-in file that is missing, cannot be executed, or registers nothing or what is taken."""


_Entry: TypeAlias = tuple[Registry[Any], str, Callable[..., Any]]


@dataclass(frozen=True)
class _Plugin:
    """A file that was executed: its content then, and what it registered."""

    checksum: str
    entries: tuple[_Entry, ...]


_executed: dict[Path, _Plugin] = {}
_in_force: dict[Path, _Plugin] = {}


def use_those_of(tree: LocatedDict) -> None:
    """Put the plug-ins of a suite in force, and no others; values of another type are left to the settings to refuse.

    Raises:
        SuiteProblems: each plug-in that cannot be used, where the suite names it.
    """
    withdraw()
    named = tree.get("plugins")
    if not isinstance(named, LocatedTuple):
        return
    problems = []
    for text, mark in zip(named, named.marks, strict=True):
        if not isinstance(text, LocatedStr) or not text.strip():
            continue
        try:
            use(_PATH.validate_python(text))
        except PluginError as error:
            problems.append(Problem(mark, f"found the plug-in {error}"))
    if problems:
        raise SuiteProblems(problems)


def withdraw() -> None:
    """Put no plug-in in force: what the files registered is unknown again."""
    for plugin in _in_force.values():
        for registry, name, _ in plugin.entries:
            registry.withdraw(name)
    _in_force.clear()


def use(path: Path, expected: str | None = None) -> None:
    """Put one more file in force, executing it unless its content was executed before.

    Args:
        expected: the checksum that it must have to be executed.

    Raises:
        PluginError: it cannot be used; the message begins with its path.
    """
    content, path = _read(path), path.resolve()
    if path in _in_force:
        return
    checksum = sha256_bytes(content)
    if expected is not None and checksum != expected:
        raise PluginError(f"{path}, whose content is another one than when the run was planned")
    known = _executed.get(path)
    try:
        with _all_or_nothing() as new:
            if known is not None and known.checksum == checksum:
                for registry, name, factory in known.entries:
                    registry.register(name)(factory)
            else:
                _execute(path, content)
            plugin = _Plugin(checksum, new())
    except Exception as error:
        raise PluginError(f"{path}, which cannot be loaded: {last_line(error, path)}") from error
    if not plugin.entries:
        raise PluginError(f'{path}, which registers nothing; expected a class below @losses.register("name")')
    _executed[path] = _in_force[path] = plugin


def in_force() -> dict[Path, list[str]]:
    """The files in force and what each defines, such as `loss mine`."""
    return {path: [f"{entry[0].kind} {entry[1]}" for entry in plugin.entries] for path, plugin in _in_force.items()}


def checksums() -> dict[str, str]:
    """The files in force and the SHA-256 of what was executed."""
    return {str(path): plugin.checksum for path, plugin in _in_force.items()}


def origins(
    loss: Mapping[str, Any] | None, backbone: str, regressor: Mapping[str, Any] | None = None
) -> dict[str, str]:
    """Where the losses, target maps and networks of a resolved method come from, those built in left out.

    The checksum of a plug-in file, or name and version of a distribution: a method is another one when they change.
    """
    named = _parts(loss, backbone, regressor)
    required = () if loss is None else losses.create(**loss).required_maps
    of_regressor = () if regressor is None else models.create_regressor(**regressor).required_maps
    named += [(target_maps.KINDS, target_maps.unit_of(name)[0]) for name in (*required, *of_regressor)]
    found = {f"{registry.kind} {name}": origin(registry, name) for registry, name in named}
    return {entry: where for entry, where in found.items() if where is not None}


def versions(
    loss: Mapping[str, Any] | None, backbone: str | None, regressor: Mapping[str, Any] | None = None
) -> dict[str, int]:
    """The versions of the built-in losses and networks of a resolved method; those of target maps are their own affair.

    They are raised when the same parameters would give other values, so that a corrected formula makes new cells.
    """
    named = _parts(loss, backbone, regressor)
    return {f"{registry.kind} {name}": registry.version(name) for registry, name in named if registry.is_built_in(name)}


def _parts(
    loss: Mapping[str, Any] | None, backbone: str | None, regressor: Mapping[str, Any] | None
) -> list[tuple[Registry[Any], str]]:
    """The entries that a method is made of, target maps left out."""
    found: list[tuple[Registry[Any], str]] = [(losses.LOSSES, name) for name in dict.fromkeys(losses_named(loss))]
    found += [] if backbone is None else [(models.BACKBONES, backbone)]
    return found + ([] if regressor is None else [(models.REGRESSORS, regressor["name"])])


def origin(registry: Registry[Any], name: str) -> str | None:
    """What an entry's code is known by; None for what is built in or was registered in this process alone."""
    for plugin in _in_force.values():
        if (registry, name) in [entry[:2] for entry in plugin.entries]:
            return f"sha256 {plugin.checksum}"
    return None if registry.is_built_in(name) else registry.distribution(name)


def losses_named(specification: Any) -> Iterator[str]:
    """The names of a loss and of all losses in its parameters."""
    if isinstance(specification, Mapping):
        if specification.get("name") in losses.available():
            yield specification["name"]
        specification = list(specification.values())
    if isinstance(specification, list | tuple):
        for item in specification:
            yield from losses_named(item)


def last_line(error: BaseException, path: Path | None = None) -> str:
    """The last line of a traceback, behind the place where the error arose: in `path`, if that file was involved."""
    frames = [(frame.filename, frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    if isinstance(error, SyntaxError) and error.filename:
        frames.append((error.filename, error.lineno))
    frames = [frame for frame in frames if frame[0] == str(path)] or frames
    text = "".join(traceback.format_exception_only(error)).strip().splitlines()[-1]
    return f"{Path(frames[-1][0]).name}:{frames[-1][1]}: {text}" if frames else text


def _read(path: Path) -> bytes:
    if "${" in str(path):
        raise PluginError(f"{path}, whose variable is not set; set it, or write the path here")
    if path.suffix != ".py":
        raise PluginError(f"{path}; expected a Python file, whose name ends in .py")
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise PluginError(
            f"{path}, but there is no such file (paths are relative to the suite file that they stand in)"
        ) from None
    except OSError as error:
        raise PluginError(f"{path}, which cannot be read ({error.strerror})") from error


def _execute(path: Path, content: bytes) -> None:
    """Run a file as a module of its own: the bytes of the checksum, never a compiled file of an earlier version."""
    name = f"plugin_{path.stem}_{sha256_bytes(str(path).encode())[:8]}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None, "a file that ends in .py can be a module"
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        exec(compile(content, str(path), "exec"), module.__dict__)
    except BaseException as error:
        del sys.modules[name]
        if isinstance(error, SystemExit):
            raise RuntimeError(f"the file ends the program ({error!r})").with_traceback(error.__traceback__) from None
        raise


@contextmanager
def _all_or_nothing() -> Iterator[Callable[[], tuple[_Entry, ...]]]:
    """Gives what was registered since, built-in entries left out; a failure withdraws it."""
    before = [registry.registered() for registry in _REGISTRIES]

    def new() -> tuple[_Entry, ...]:
        return tuple(
            (registry, name, factory)
            for registry, earlier in zip(_REGISTRIES, before, strict=True)
            for name, factory in registry.registered().items()
            if name not in earlier and not registry.is_built_in(name)
        )

    try:
        yield new
    except BaseException:
        for registry, name, _ in new():
            registry.withdraw(name)
        raise
