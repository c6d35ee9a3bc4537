"""From the path of a suite to its settings: read, extend, choose a profile, override, validate."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from bench.suite import plugins
from bench.suite.environment import UnsetVariablesError, expand
from bench.suite.extends import read_chain
from bench.suite.located import LocatedDict, Mark
from bench.suite.overrides import Override, apply, parse_override
from bench.suite.problems import Problem, SuiteProblems
from bench.suite.profiles import choose, profiles_of, with_profile
from bench.suite.validation import locate, validate

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Loaded(Generic[Model]):
    """A suite that can be planned.

    settings  the validated settings.
    tree      the same before validation: profile, matrices, overrides and environment applied, every value with its
              place (`located.plain` makes it ordinary data).
    profile   name of the profile taken; None for a suite without profiles.
    why       why this profile, as one sentence.
    notes     what else shaped the settings, one sentence each: files extended, options given.
    files     the suite file and those it extends.
    """

    settings: Model
    tree: LocatedDict
    profile: str | None
    why: str
    notes: tuple[str, ...]
    files: tuple[Path, ...]

    def mark(self, *path: Any) -> Mark:
        """Return the place of a value, such as `loaded.mark("methods", 2, "loss")`."""
        return locate(self.tree, path)


def load(
    path: Path,
    model: type[Model],
    *,
    profile: str | None = None,
    overrides: Sequence[str] = (),
    available: Callable[[Model], str | None] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Loaded[Model]:
    """Load a suite; the plug-ins of the profile taken are in force afterwards.

    Args:
        model: the settings model of a whole suite.
        profile: the profile asked for; None takes the first whose data is there.
        overrides: `training.steps=50` and the like, applied last.
        available: why the data of these settings is not there, or None when it is.
        environ: environment variables; those of the process by default.

    Raises:
        SuiteProblems: with file, line and column of all problems. Every profile is checked, also those not taken.
    """
    variables = os.environ if environ is None else environ
    tree, files = read_chain(path, variables)
    options = [parse_override(text) for text in overrides]
    _validate_profiles(tree, model, options, variables)
    candidate = _Candidates(tree, model, options, variables, available)
    choice = choose(tree, candidate.reason, profile)
    settings, final = candidate.take(choice.name)
    notes = [f"extends {file}" for file in files[1:]] + [f"--set {text}" for text in overrides]
    return Loaded(settings, final, choice.name, choice.why, tuple(notes), files)


def _validate_profiles(
    tree: LocatedDict, model: type[BaseModel], overrides: Sequence[Override], environ: Mapping[str, str]
) -> None:
    """Check the suite as it reads under each profile; variables need not be set for that.

    What the options mend is no problem; what they break is for the profile taken to say.
    """
    names = list(profiles_of(tree)) or [None]
    found: dict[Problem, list[str | None]] = {}
    for name in names:
        problems = _problems(with_profile(tree, name), (), model, environ)
        if problems and _problems(with_profile(tree, name), overrides, model, environ):
            for problem in problems:
                found.setdefault(problem, []).append(name)
    if found:
        raise SuiteProblems(_in_profiles(problem, where, len(names)) for problem, where in found.items())


def _problems(
    tree: LocatedDict, overrides: Sequence[Override], model: type[BaseModel], environ: Mapping[str, str]
) -> tuple[Problem, ...]:
    try:
        _settings(expand(apply(tree, overrides), environ, keep_unset=True), model)
    except SuiteProblems as error:
        return error.problems
    return ()


def _settings(tree: LocatedDict, model: type[Model]) -> Model:
    """The settings of a tree; its plug-ins are loaded first, because names in it may be theirs."""
    plugins.use_those_of(tree)
    return validate(tree, model)


def _in_profiles(problem: Problem, names: Sequence[str | None], total: int) -> Problem:
    """Name the profiles in which a problem exists, unless it exists in all of them."""
    if len(names) == total:
        return problem
    return Problem(problem.mark, f"{problem.text} (profile {', '.join(map(repr, names))})")


class _Candidates(Generic[Model]):
    """The suite under each profile, built once when the choice asks for it."""

    def __init__(
        self,
        tree: LocatedDict,
        model: type[Model],
        overrides: Sequence[Override],
        environ: Mapping[str, str],
        available: Callable[[Model], str | None] | None,
    ) -> None:
        self._tree, self._model, self._overrides, self._environ = tree, model, overrides, environ
        self._available = available
        self._built: dict[str | None, tuple[Model, LocatedDict]] = {}

    def take(self, name: str | None) -> tuple[Model, LocatedDict]:
        """Return settings and tree under a profile."""
        if name not in self._built:
            tree = expand(apply(with_profile(self._tree, name), self._overrides), self._environ)
            self._built[name] = _settings(tree, self._model), tree
        return self._built[name]

    def reason(self, name: str) -> str | None:
        """Say why a profile cannot run, or None when it can."""
        try:
            settings, _ = self.take(name)
        except UnsetVariablesError as error:
            return error.reason
        return self._available(settings) if self._available is not None else None
