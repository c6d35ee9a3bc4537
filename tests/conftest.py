"""A comparison small enough to run whole in a moment, and the ways of running it: here, or as the user does."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

TINY: dict[str, Any] = {
    "title": "Tiny",
    "dataset": {"format": "phantom", "cases": 6, "seed": 3, "size": [20, 32, 32], "spacing_mm": [6.0, 5.0, 5.0]},
    "split": {"train": 2, "validation": 2, "test": 2, "seed": 0},
    "preprocessing": {"window": [-60.0, 140.0], "roi_from": "reference", "crop": {"margin_voxels": 2}},
    "sampling": {"patch_size": [16, 16, 16], "batch_size": 1, "foreground_patches": 1},
    "backbone": {"name": "residual_unet", "widths": [2, 4], "encoder_blocks": [1], "decoder_blocks": [1]},
    "training": {"steps": 12, "validate_every": 4, "checkpoint_every": 3, "learning_rate": 0.02},
    "seeds": [0],
    "methods": [{"id": "dice", "loss": {"name": "dice"}}, {"id": "ce", "loss": {"name": "cross_entropy"}}],
}

PLUGINS = '''
"""Losses that misbehave, as a third party might write them, but not on the few voxels tried before a run."""

import os
import signal
import time

from losses.library.cross_entropy import CrossEntropy

TRIED = 6**3


class Misbehaving(CrossEntropy):
    def compute(self, logits, labels, maps, voxel_weight):
        if labels[0].numel() <= TRIED:
            return super().compute(logits, labels, maps, voxel_weight)
        return self.misbehave(logits)


class NaN(Misbehaving):
    """Not a number from its call number `after` on."""

    def __init__(self, *, after: int = 1) -> None:
        super().__init__()
        self.after, self.calls = after, 0

    def misbehave(self, logits):
        self.calls += 1
        return logits.mean() * (float("nan") if self.calls >= self.after else 1.0)


class Raises(Misbehaving):
    """Fails with an exception that no training foresees."""

    def __init__(self, *, error: str = "RuntimeError", says: str = "no such luck") -> None:
        super().__init__()
        self.error, self.says = error, says

    def misbehave(self, logits):
        raise getattr(__import__("builtins"), self.error)(self.says)


class Deadly(Misbehaving):
    """Kills its own process, as the kernel does when memory runs out."""

    def __init__(self) -> None:
        super().__init__()

    def misbehave(self, logits):
        os.kill(os.getpid(), signal.SIGKILL)


class Slow(Misbehaving):
    """Takes its time."""

    def __init__(self, *, seconds: float = 0.1) -> None:
        super().__init__()
        self.seconds = seconds

    def misbehave(self, logits):
        time.sleep(self.seconds)
        return logits.square().mean()
'''
ENTRY_POINTS = """\
[imbalance_bench.losses]
nan = misbehaving:NaN
raises = misbehaving:Raises
deadly = misbehaving:Deadly
slow = misbehaving:Slow
"""


def merged(left: Mapping[str, Any], right: Mapping[str, Any]) -> dict[str, Any]:
    """`left` with the values of `right`, mapping by mapping; None takes a key away."""
    result = dict(left)
    for key, value in right.items():
        inner = result.get(key)
        result[key] = merged(inner, value) if isinstance(value, dict) and isinstance(inner, dict) else value
    return {key: value for key, value in result.items() if value is not None}


@dataclass(frozen=True)
class Workshop:
    """A folder to work in, with the tiny suite at hand."""

    folder: Path

    def suite(self, name: str = "tiny.yaml", **changes: Any) -> Path:
        """Write the tiny suite with changes."""
        path = self.folder / name
        path.write_text(yaml.safe_dump(merged(TINY, changes), sort_keys=False), encoding="utf-8")
        return path

    def plan(self, suite: Path, **options: Any) -> Any:
        """The suite, planned for the folder `run` or the one given as `out`."""
        from bench.execution.planning import Request, plan_request

        return plan_request(Request(suite, **{"out": self.folder / "run", **options}), read_data=True)

    def begin(self, suite: Path, **options: Any) -> Any:
        """A run directory with its plan, where nothing is done yet."""
        planned = self.plan(suite, **options)
        planned.run.create()
        planned.run.write_run(planned.description())
        return planned.run

    def work(self, run: Any) -> Any:
        """Be the one worker of a run, in this process."""
        from bench.execution.worker import work

        work(run, "cpu")
        return run

    def work_until(self, run: Any, job: str, phase: str, step: int) -> Any:
        """Work until a job (id begins with `job`) comes to a phase and step, and be interrupted there by Ctrl-C."""
        from bench.execution.watch import JobWatch

        usual = JobWatch.__call__

        def interrupted(watch: JobWatch, current: str, at: int = 0, **facts: float) -> None:
            if watch.job.startswith(job) and (current, at) == (phase, step):
                raise KeyboardInterrupt
            usual(watch, current, at, **facts)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(JobWatch, "__call__", interrupted)
            with pytest.raises(KeyboardInterrupt):
                self.work(run)
        return run

    def here(self, suite: Path, **options: Any) -> Any:
        """Train and score a suite in this process; no tables."""
        return self.work(self.begin(suite, **options))

    def report(self, run: Any) -> Any:
        """Write the tables of a run, in this process."""
        from bench.api import rebuild

        return rebuild(run)

    def start(self, *arguments: object, module: str = "bench") -> subprocess.Popen[str]:
        """`python -m bench …` in this folder, as leader of a process group of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", module, *map(str, arguments)],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def command(self, *arguments: object, code: int | None = 0) -> subprocess.CompletedProcess[str]:
        """`python -m bench …` to its end, which must be the exit code `code`."""
        process = self.start(*arguments)
        out, err = process.communicate()
        assert code is None or process.returncode == code, f"exit code {process.returncode}\n{out}\n{err}"
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def events(self, run: Path, job: str = "") -> list[dict[str, Any]]:
        """The phase log, of those jobs whose id begins with `job`; a line that is being written is left out."""
        path = run / "events.jsonl"
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        lines = [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines() if line]
        return [line for line in lines if str(line["job"]).startswith(job)]

    def rows(self, run: Path) -> dict[str, bytes]:
        """The bytes of the rows of all cells, but of those that were set aside."""
        files = (path for path in run.glob("cells/*/cases.csv") if ".damaged" not in path.parent.name)
        return {path.relative_to(run).as_posix(): path.read_bytes() for path in sorted(files)}

    def scores(self, run: Path) -> dict[str, bytes]:
        """Every byte that a kill must not change: score tables and the rows of all cells."""
        return self.rows(run) | {path.name: path.read_bytes() for path in sorted(run.glob("tables/scores*"))}


@pytest.fixture(scope="session", autouse=True)
def own_cache_for_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test touches the user's cache."""
    former = os.environ.get("IMBALANCE_BENCH_CACHE")
    os.environ["IMBALANCE_BENCH_CACHE"] = str(tmp_path_factory.mktemp("cache"))
    yield
    if former is None:
        del os.environ["IMBALANCE_BENCH_CACHE"]
    else:
        os.environ["IMBALANCE_BENCH_CACHE"] = former


@pytest.fixture(autouse=True)
def torch_as_it_was() -> Iterator[None]:
    """What trains or predicts sets torch's threads and deterministic kernels for its whole process."""
    threads = sys.modules["torch"].get_num_threads() if "torch" in sys.modules else None
    yield
    if "torch" in sys.modules:
        sys.modules["torch"].use_deterministic_algorithms(False)
        if threads is not None:
            sys.modules["torch"].set_num_threads(threads)


@pytest.fixture(autouse=True)
def no_plugins() -> Iterator[None]:
    """The plug-in files of a suite stay in force in its process until another suite is read."""
    yield
    if "bench.suite.plugins" in sys.modules:
        sys.modules["bench.suite.plugins"].withdraw()


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of its own for one test, here and in processes started from here; the folder of its entries."""
    monkeypatch.setenv("IMBALANCE_BENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "cases" / "entries"


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path)


@pytest.fixture
def scans(tmp_path: Path) -> dict[str, Any]:
    """The tiny suite's phantom as NIfTI files in the folder `scans`: what the suite has to say of its data then."""
    from bench.data.phantom.export import write_lits
    from bench.data.phantom.settings import PhantomSettings

    phantom = TINY["dataset"]
    write_lits(tmp_path / "scans", PhantomSettings.model_validate_json(json.dumps(phantom)))
    return {**dict.fromkeys(phantom), "format": "lits", "root": "scans", "target": [2], "roi": [1, 2]}


@pytest.fixture(scope="session")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny suite, run by two workers to the end without a disturbance; to be read only."""
    workshop = Workshop(tmp_path_factory.mktemp("uninterrupted"))
    workshop.command("run", workshop.suite(), "--out", "run", "--workers", 2)
    return workshop.folder / "run"


@pytest.fixture
def finished(uninterrupted: Path, tmp_path: Path) -> Path:
    """A copy of it, to be changed."""
    return Path(shutil.copytree(uninterrupted, tmp_path / "finished"))


@pytest.fixture
def misbehaving(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Losses `nan`, `raises`, `deadly` and `slow` of another distribution, here and in processes started from here."""
    folder = tmp_path / "third party"
    information = folder / "misbehaving-1.0.dist-info"
    information.mkdir(parents=True)
    (folder / "misbehaving.py").write_text(PLUGINS, encoding="utf-8")
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: misbehaving\nVersion: 1.0\n", encoding="utf-8")
    (information / "entry_points.txt").write_text(ENTRY_POINTS, encoding="utf-8")
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")])))
    yield
    sys.modules.pop("misbehaving", None)
