"""Everybody takes one turn per round."""

from __future__ import annotations

from bench.cost.turns import take_turns


def test_every_round_gives_everybody_one_turn_and_begins_with_another_one():
    turns: list[str] = []
    seconds = take_turns({name: lambda name=name: turns.append(name) for name in "abc"}, 4, warm_up=0)
    assert turns == [*"abc", *"bca", *"cab", *"abc"]
    assert {name: len(taken) for name, taken in seconds.items()} == {"a": 4, "b": 4, "c": 4}


def test_warming_up_takes_turns_that_are_not_counted():
    turns: list[str] = []
    seconds = take_turns({"a": lambda: turns.append("a"), "b": lambda: turns.append("b")}, 2, warm_up=3)
    assert len(turns) == 10
    assert len(seconds["a"]) == 2


def test_the_device_is_settled_before_and_after_every_turn():
    said: list[str] = []
    take_turns({"a": lambda: said.append("turn")}, 2, warm_up=0, settle=lambda: said.append("settled"))
    assert said == ["settled", "turn", "settled"] * 2


def test_a_contender_that_takes_longer_has_larger_seconds(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr("bench.cost.turns.time.perf_counter", lambda: clock[0])

    def work(seconds):
        clock[0] += seconds

    seconds = take_turns({"slow": lambda: work(3.0), "fast": lambda: work(1.0)}, 2, warm_up=1)
    assert seconds == {"slow": [3.0, 3.0], "fast": [1.0, 1.0]}
