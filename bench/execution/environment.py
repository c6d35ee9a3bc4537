"""Where a run was started and where its cells went on: the same training gives other numbers in another environment.

An environment is the device class, the CPU's instruction set as torch uses it, and torch's version.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bench.errors import RunError
from bench.files.atomic import write_json
from bench.files.json_files import read_json
from bench.results.provenance import FACTS, environment_words
from bench.results.run_directory import RunDirectory
from bench.training.checkpoint_names import FOLDER, newest_step

Environment = dict[str, str]

PASSED = "environments.json"
"""File in a job's working folder: the environments that its checkpoints and scores come from, in order."""


def environment_here(device_name: str) -> Environment:
    """The environment of this process on a device."""
    from bench.training.device import device_facts, resolve_device

    facts = device_facts(resolve_device(device_name))
    return {name: facts[name] for name in FACTS}


def started_in(run: RunDirectory) -> Environment | None:
    """The environment that a run was started in; None when nobody has noted it yet.

    Raises:
        RunError: the note is not readable.
    """
    try:
        return _environment(read_json(run.environment))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise RunError(f"{run.environment} cannot be read ({error}); remove it to have it written again") from error


def note_start(run: RunDirectory, here: Environment) -> None:
    """Remember where a run was started; what is noted already stays."""
    if started_in(run) is None:
        write_json(run.environment, here)


def refuse_elsewhere(run: RunDirectory, here: Environment) -> None:
    """Let a run go on only where it was started.

    Raises:
        RunError: this is another environment; both are named.
    """
    started = started_in(run)
    if started is not None and started != here:
        raise RunError(
            f"{run.path} was started on {environment_words(started)}; here is {environment_words(here)}, where the "
            "same training gives other numbers. Go on there, or start anew with --out, or go on here with "
            "--other-environment: then every table says which cells were computed on what. `report` needs neither"
        )


def note_passage(working: Path, here: Environment) -> None:
    """Note that a job goes on here; former environments count only if something of theirs is left to go on from."""
    former = passed_through(working)
    if not newest_step(working / FOLDER) and not any((working / "scores").rglob("*.json")):
        former = []
    if former[-1:] != [here]:
        write_json(working / PASSED, [*former, here])


def passed_through(working: Path) -> list[Environment]:
    """The environments that a job has gone through so far, the present one last.

    Raises:
        RunError: the note is not readable.
    """
    try:
        return [_environment(one) for one in read_json(working / PASSED)]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError) as error:
        raise RunError(
            f"{working / PASSED} cannot be read ({error}); remove {working} to begin the job anew"
        ) from error


def _environment(value: Any) -> Environment:
    """A mapping with exactly the facts of an environment, as text."""
    if not isinstance(value, dict) or set(value) != set(FACTS) or not all(isinstance(v, str) for v in value.values()):
        raise ValueError(f"found {json.dumps(value)[:200]}, expected the texts {', '.join(FACTS)}")
    return value
