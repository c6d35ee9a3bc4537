"""Which cases train, which select the checkpoint, which are reported: by patient, the same on every machine.

Patients are ranked by a hash of seed and name, so that neither the order of files nor a patient who joins later moves
the others about at random.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.data.dataset import Dataset, natural_key
from bench.data.settings import DEFAULT_SHARE, Part, SplitSettings
from bench.data.split_files import Parts, read_split_file
from bench.data.volume import Case
from bench.errors import DataError
from losses.registry import nearest


@dataclass(frozen=True)
class Split:
    """Case ids of the three parts, in natural order.

    selected_on_reported  the validation cases are also the test cases, which every table has to say.
    """

    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]
    selected_on_reported: bool

    @property
    def digest(self) -> str:
        """SHA-256 of the parts."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()


def split_in_force(settings: SplitSettings, dataset: Dataset) -> SplitSettings:
    """The suite's split; where it says nothing, the split file that lies with the data, if there is one."""
    path = dataset.split_file()
    return SplitSettings(file=path) if path is not None and settings == SplitSettings() else settings


def make_splits(cases: Sequence[Case], settings: SplitSettings, omitted: Collection[str] = ()) -> tuple[Split, ...]:
    """One split, or one per fold.

    Counts and fractions are of patients; a fraction above 0 gives at least one. The test patients are drawn first, so
    that another share of validation leaves them as they are. Fold i is validated on patients of fold i + 1.

    Args:
        omitted: ids of cases that are left out; a split file may name them all the same.

    Raises:
        DataError: too few patients, a part without case, an unreadable file, a case that it names and that does not
            exist or is named twice, a patient in two parts.
    """
    patients = _ranked({case.patient for case in cases}, settings.seed)
    if settings.file is not None:
        found = [_from_file(parts, cases, settings) for parts in _without(omitted, settings.file)]
    elif settings.folds is not None:
        found = [_by_patient(_fold(patients, fold, settings), cases) for fold in range(settings.folds)]
    else:
        found = [_by_patient(_single(patients, settings), cases)]
    return tuple(_split(parts, cases, settings) for parts in found)


def _without(omitted: Collection[str], file: Path) -> list[Parts]:
    folds = read_split_file(file)
    return [{name: [i for i in ids if i not in omitted] for name, ids in parts.items()} for parts in folds]


def _ranked(patients: Iterable[str], seed: int) -> list[str]:
    return sorted(patients, key=lambda patient: hashlib.sha256(f"{seed}\n{patient}".encode()).digest())


def _single(patients: Sequence[str], settings: SplitSettings) -> Parts:
    n = len(patients)
    validation = _count(settings.validation, n)
    test = 0 if settings.test_is_validation else _count(settings.test, n)
    held_out = test + validation
    shares = (settings.train, settings.validation, settings.test)
    fills = all(isinstance(share, float) for share in shares) and abs(sum(s for s in shares if s) - 1) < 1e-9
    train = n - held_out if settings.train is None or fills else _count(settings.train, n)
    if train < 1 or held_out + train > n:
        raise DataError(
            f"split: {n} patients are too few for {max(train, 1)} to train, {validation} to validate"
            + ("" if settings.test_is_validation else f" and {test} to test")
        )
    return {
        "train": patients[held_out : held_out + train],
        "validation": patients[test:held_out],
        "test": patients[test:held_out] if settings.test_is_validation else patients[:test],
    }


def _fold(patients: Sequence[str], fold: int, settings: SplitSettings) -> Parts:
    folds = settings.folds or 1
    if len(patients) < folds:
        raise DataError(f"split: {len(patients)} patients cannot be divided into {folds} folds")
    test = patients[fold::folds]
    rest = [patient for step in range(1, folds) for patient in patients[(fold + step) % folds :: folds]]
    validation = test if settings.test_is_validation else _drawn(rest, len(patients), settings)
    return {"train": [p for p in rest if p not in set(validation)], "validation": validation, "test": test}


def _drawn(rest: Sequence[str], total: int, settings: SplitSettings) -> Sequence[str]:
    """The first of the patients that are not tested, as validation part."""
    count = _count(settings.validation, total)
    if count >= len(rest):
        raise DataError(f"split: {count} patients to validate leave none of {len(rest)} to train")
    return rest[:count]


def _count(share: Part | None, total: int) -> int:
    if isinstance(share, int):
        return share
    share = DEFAULT_SHARE if share is None else share
    return max(1, int(share * total + 0.5)) if share > 0 else 0


def _by_patient(parts: Parts, cases: Sequence[Case]) -> Parts:
    """From patients to their cases."""
    return {
        name: [case.id for case in cases if case.patient in members]
        for name, members in ((name, set(patients)) for name, patients in parts.items())
    }


def _from_file(parts: Parts, cases: Sequence[Case], settings: SplitSettings) -> Parts:
    """Complete the parts of a file: validation cases are drawn from its training cases where it names none."""
    known = {case.id: case for case in cases}
    for name, ids in parts.items():
        for identity in ids:
            if identity not in known:
                raise DataError(f"{settings.file}: {name} names case {identity!r}, which the dataset lacks."
                                f"{nearest(identity, known)}")  # fmt: skip
        if len(set(ids)) < len(ids):
            twice = sorted({identity for identity in ids if list(ids).count(identity) > 1}, key=natural_key)
            raise DataError(f"{settings.file}: {name} names more than once: {', '.join(twice)}")
    if settings.test_is_validation:
        held_out = parts.get("validation") or parts.get("test", ())
        if "validation" in parts and set(parts.get("test", held_out)) != set(held_out):
            raise DataError(f"{settings.file}: validation and test differ, but the suite says test_is_validation")
        return {"train": parts["train"], "validation": held_out, "test": held_out}
    if "validation" in parts and "test" not in parts:
        raise DataError(
            f"{settings.file}: no test part; add `test`, or set split.test_is_validation to report the validation cases"
        )
    if "validation" in parts:
        return parts
    rest = _ranked({known[identity].patient for identity in parts["train"]}, settings.seed)
    chosen = set(_drawn(rest, len({case.patient for case in cases}), settings))
    return {
        "train": [identity for identity in parts["train"] if known[identity].patient not in chosen],
        "validation": [identity for identity in parts["train"] if known[identity].patient in chosen],
        "test": parts["test"],
    }


def _split(parts: Parts, cases: Sequence[Case], settings: SplitSettings) -> Split:
    _refuse_leaks(parts, {case.id: case.patient for case in cases}, settings)
    train, validation, test = (tuple(sorted(parts[name], key=natural_key)) for name in ("train", "validation", "test"))
    if not train:
        raise DataError(f"split{_where(settings)}: no case is left to train on")
    return Split(train, validation, test, settings.selected_on_reported)


def _refuse_leaks(parts: Parts, patients: Mapping[str, str], settings: SplitSettings) -> None:
    names: Collection[str] = ("train", "test") if settings.test_is_validation else ("train", "validation", "test")
    seen: dict[str, tuple[str, str]] = {}
    for name in names:
        for identity in parts[name]:
            patient = patients[identity]
            other, where = seen.setdefault(patient, (identity, name))
            if where != name:
                raise DataError(
                    f"split{_where(settings)}: patient {patient} is in two parts: case {other} in {where}, "
                    f"case {identity} in {name}; move all cases of a patient into one"
                )


def _where(settings: SplitSettings) -> str:
    return f" {settings.file}" if settings.file is not None else ""
