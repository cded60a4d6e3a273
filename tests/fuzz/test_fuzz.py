"""A small run of the fuzz for every commit, what was found before, and whether the fuzz would find anything at all."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest

from lessonroom.errors import BadInput
from tests.fuzz import runner
from tests.fuzz.apart import share, survive
from tests.fuzz.mutate import DATAGRAMS, LINES, Mutator, datagrams, packed
from tests.fuzz.runner import Read, Tally, Target, attempt, keep, kept, replay, run
from tests.fuzz.targets import TARGETS

INPUTS = 10_000
SEED = "ci"


@pytest.mark.parametrize(("target", "inputs"), share(list(TARGETS.values()), INPUTS), ids=list(TARGETS))
def test_ten_thousand_inputs_are_taken_or_refused_and_nothing_else(target: Target, inputs: int) -> None:
    tally = run(target, inputs, SEED)
    assert not tally.finds, "\n".join(find.trace or f"{find.kind} {find.where}" for find in tally.finds)
    assert tally.inputs == inputs
    assert tally.taken > len(target.corpus), "hardly anything gets past the first check"


@pytest.mark.parametrize(("target", "path"), list(kept()), ids=[path.stem for _, path in kept()])
def test_what_was_found_before_does_not_come_back(target: str, path: Path) -> None:
    found = replay(TARGETS[target], path.read_bytes())
    assert found is None, found.trace


@pytest.mark.parametrize("name", TARGETS)
def test_honest_inputs_are_understood(name: str) -> None:
    """Else every mutation of them would be refused at the door, and nothing behind it tried."""
    target = TARGETS[name]
    with target.open() as read:
        outcomes = [attempt(name, read, data) for data in target.corpus]
    assert any(isinstance(outcome, tuple) and outcome[0] for outcome in outcomes)
    assert not [outcome for outcome in outcomes if isinstance(outcome, runner.Find)]


# --- the fuzz itself -------------------------------------------------------------------------------------------------


def of(read: Read) -> Target:
    return Target("own", (b"honest 1\n", b"honest 2\n"), lambda: nullcontext(read))


def refuse(data: bytes) -> None:
    raise BadInput("expected something else")


def value_error(data: bytes) -> None:
    if b"\x00" in data:
        int("x")


def broken_promise(data: bytes) -> None:
    assert len(data) < 1000


def test_a_refusal_by_our_own_error_is_no_find() -> None:
    tally = run(of(refuse), 50, "1")
    assert (tally.inputs, tally.taken, tally.refused, tally.finds) == (50, 0, 50, [])


@pytest.mark.parametrize(("read", "kind"), [(value_error, "ValueError"), (broken_promise, "AssertionError")])
def test_any_other_exception_is_found_once_and_with_its_place(read: Read, kind: str) -> None:
    (find,) = run(of(read), 300, "1").finds
    assert find.kind == kind
    assert find.where.startswith("test_fuzz.py:")
    assert kind in find.trace


def test_an_input_that_takes_too_long_is_found() -> None:
    (find,) = run(replace(of(lambda data: None), cpu=0.0), 1, "1").finds
    assert find.kind == "slow"


def test_an_input_that_never_ends_is_stopped_and_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "HANGS_AFTER", 0.05)

    def for_ever(data: bytes) -> None:
        while True:
            pass

    (find,) = run(of(for_ever), 1, "1").finds
    assert find.kind == "hang"


def killed(name: str, inputs: int, seed: str, note: Callable[[bytes], None]) -> Tally:
    def read(data: bytes) -> None:
        if data == b"honest 2\n":
            os.kill(os.getpid(), signal.SIGKILL) if name == "kill" else os._exit(3)

    return run(of(read), inputs, seed, note)


@pytest.mark.parametrize(("how", "where"), [("kill", "SIGKILL"), ("exit", "3")])
def test_an_input_that_kills_the_process_is_found(how: str, where: str) -> None:
    (find,) = survive(how, 10, "1", killed).finds
    assert (find.kind, find.where, find.data) == ("killed", where, b"honest 2\n")


def test_the_same_seed_makes_the_same_inputs_and_another_one_others() -> None:
    made = [Mutator((b"a=1\nb=2\n",), (b"word",), LINES, seed).make for seed in ("1", "1", "2")]
    first, again, other = [[make(number) for number in range(200)] for make in made]
    assert first == again
    assert len(set(first)) > 120
    assert sum(a != b for a, b in zip(first, other, strict=True)) > 120


def test_datagrams_survive_packing_whatever_is_in_them() -> None:
    chance = random.Random(1)
    parts = [chance.randbytes(chance.randrange(300)) for _ in range(20)]
    assert datagrams(packed(parts)) == parts
    assert DATAGRAMS.split(packed(parts)[:-1])[:-1] == parts[:-1]


def test_a_find_is_written_where_the_next_run_reads_it(tmp_path: Path) -> None:
    (find,) = run(of(value_error), 300, "1").finds
    path = keep(find, tmp_path)
    assert list(kept(tmp_path)) == [("own", path)]
    assert path.read_bytes() == find.data


def test_a_nightly_million_is_no_fewer_for_being_shared() -> None:
    shares = share(list(TARGETS.values()), 1_000_000)
    assert sum(inputs for _, inputs in shares) >= 1_000_000
