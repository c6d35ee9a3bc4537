"""Kill -9 at random moments of a suite with two workers, from an empty cache to the last table. `make torture`: 100."""

from __future__ import annotations

import os
import time
from collections import Counter
from contextlib import suppress

import pytest

KILLS = int(os.environ.get("KILLS", "20"))


@pytest.mark.slow
def test_random_kills_of_a_suite_with_two_workers_change_no_byte(
    workshop, uninterrupted, killer, nothing_twice, monkeypatch
):
    """Each kill takes the whole group or one worker; a run that gets to its end is compared, and a new one begun."""
    done, place, phases = 0, 0, Counter()
    longest = len(workshop.events(uninterrupted))
    while done < KILLS:
        place += 1
        monkeypatch.setenv("IMBALANCE_BENCH_CACHE", str(workshop.folder / f"cache-{place}"))
        death = killer(f"run-{place}")
        ended = False
        while not ended and done < KILLS:
            hit, ended = kill_once(workshop, death, death.random.randint(0, longest))
            done += hit
        if not ended:
            workshop.command("run", workshop.suite(), "--out", death.run, "--workers", 2)
        assert workshop.scores(death.run) == workshop.scores(uninterrupted)
        nothing_twice(death.run)
        phases.update(death.phases)
    print(f"{done} kills in {place} runs, which hit {dict(phases)}")


def kill_once(workshop, death, events: int) -> tuple[bool, bool]:
    """Start the run and kill it, or one of its workers, a moment after so many events.

    Returns whether there was still something to kill, and whether the run came to its end all the same.
    """
    since = len(workshop.events(death.run))
    process = workshop.start("run", workshop.suite(), "--out", death.run, "--workers", 2)
    while len(workshop.events(death.run)) < since + events and process.poll() is None:
        time.sleep(0.005)
    death.hesitate(0.1)
    workers = sorted({event["pid"] for event in workshop.events(death.run)[since:]} - {process.pid})
    alone = bool(workers) and death.random.random() < 0.5
    hit = process.poll() is None
    if hit and not alone:
        death.kill_group(process, since)
        return True, False
    if hit:
        with suppress(ProcessLookupError):  # it may have ended by itself
            death.kill_worker(death.random.choice(workers), since)
    out, err = process.communicate()
    assert process.returncode == 0, out + err
    return hit, True
