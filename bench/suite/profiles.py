"""Which profile of a suite runs: the first whose data is there, or the one that was asked for; never in silence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bench.files.names import is_plain
from bench.suite.located import LocatedDict
from bench.suite.merge import merge
from bench.suite.problems import describe, refuse, suggest


@dataclass(frozen=True, slots=True)
class Choice:
    """The profile taken (None: the suite has none) and why, as one sentence."""

    name: str | None
    why: str


def profiles_of(tree: LocatedDict) -> LocatedDict:
    """Return the `profiles:` of a suite, which may be empty.

    Raises:
        SuiteProblems: `profiles:` is not a mapping of names to mappings.
    """
    profiles = tree.get("profiles", LocatedDict())
    if not isinstance(profiles, LocatedDict):
        text = f"found {describe(profiles)} under 'profiles'; expected a mapping of profile names to settings"
        raise refuse(tree.value_marks["profiles"], text)
    for name, profile in profiles.items():
        if not isinstance(profile, LocatedDict):
            text = f"found {describe(profile)} as the profile '{name}'; expected a mapping of settings ({{}} for none)"
            raise refuse(profiles.value_marks[name], text)
        if not is_plain(name):
            text = f"found the profile name {name!r}, which becomes part of a folder's name; expected letters, digits"
            raise refuse(profiles.key_marks[name], f"{text} and . _ + -, beginning with a letter or digit")
        for key in ("profiles", "extends"):
            if key in profile:
                text = f"found '{key}' inside the profile '{name}'; expected it at the top of the file: move it there"
                raise refuse(profile.key_marks[key], text)
    return profiles


def with_profile(tree: LocatedDict, name: str | None) -> LocatedDict:
    """Return the suite as it reads under a profile, without the key `profiles` itself."""
    base = tree.without("profiles")
    return base if name is None else merge(base, tree["profiles"][name])


def choose(tree: LocatedDict, reason: Callable[[str], str | None], forced: str | None = None) -> Choice:
    """Choose a profile.

    Args:
        reason: why a profile cannot run ("LITS_ROOT is not set"), or None when it can.
        forced: the profile that the user asked for.

    Raises:
        SuiteProblems: the profile asked for does not exist or cannot run, or no profile can.
    """
    profiles = profiles_of(tree)
    if forced is not None:
        return _forced(tree, profiles, reason, forced)
    if not profiles:
        return Choice(None, "the suite has no profiles")
    skipped: list[tuple[str, str]] = []
    for name in profiles:
        missing = reason(name)
        if missing is None:
            return Choice(name, _why(name, skipped))
        skipped.append((name, missing))
    text = "; ".join(f"profile '{name}': {missing}" for name, missing in skipped)
    raise refuse(tree.key_marks["profiles"], f"found no profile whose data is there ({text}); provide the data of one")


def _forced(tree: LocatedDict, profiles: LocatedDict, reason: Callable[[str], str | None], name: str) -> Choice:
    if name not in profiles:
        mark = tree.key_marks.get("profiles", tree.mark)
        raise refuse(
            mark, f"found no profile '{name}', which --profile asks for; {suggest(name, profiles, 'profiles')}"
        )
    missing = reason(name)
    if missing is not None:
        text = f"profile '{name}' was asked for but cannot run: {missing}; provide it or choose another profile"
        raise refuse(profiles.key_marks[name], text)
    return Choice(name, f"profile '{name}': chosen by --profile")


def _why(name: str, skipped: list[tuple[str, str]]) -> str:
    if not skipped:
        return f"profile '{name}': the first of the suite, and its data is there"
    reasons = "; ".join(f"'{other}' was skipped because {missing}" for other, missing in skipped)
    return f"profile '{name}': {reasons}"
