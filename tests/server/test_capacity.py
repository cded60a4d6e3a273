"""When a server says that it has too much to do, on a clock that the test turns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from lessonroom.server.capacity import CAN_BE_FULL, EASED, Capacity, Limits, Now, Part, Troubles, health, loads, step

LIMITS = Limits(loop=0.25, processor=0.97, late=0.2, deadline=2.0, records=2000, analysers=64, seconds=10.0)
FULL = {
    "store": Now(records=1000),
    "event_loop": Now(loop=0.3),
    "processor": Now(machine=0.99, server=0.9),
    "inference": Now(looks=100, late=30),
}
QUIET = Now(loop=0.001, machine=0.2, server=0.1, looks=100, age=0.1, records=3, analysers=4)


def run(readings: Iterable[Now], capacity: Capacity | None = None, began: float = 0.0) -> list[tuple[str, ...]]:
    """What is full after each reading, one a second."""
    capacity = capacity or Capacity(LIMITS)
    found = []
    for second, reading in enumerate(readings):
        capacity.read(reading, began + second)
        found.append(capacity.full)
    return found


@pytest.mark.parametrize("part", CAN_BE_FULL)
def test_a_part_is_full_after_ten_seconds_at_its_limit_and_not_before(part: str) -> None:
    found = run([FULL[part]] * 12)
    assert found[:10] == [()] * 10
    assert found[10:] == [(part,)] * 2


def test_a_moment_below_the_limit_begins_the_count_anew() -> None:
    """A burst of joins is no overload."""
    full, quiet = FULL["event_loop"], QUIET
    assert run([full] * 9 + [quiet] + [full] * 9) == [()] * 19


def test_a_full_part_is_full_until_it_has_been_clearly_below_for_as_long() -> None:
    capacity = Capacity(LIMITS)
    run([FULL["event_loop"]] * 11, capacity)
    almost = Now(loop=0.25 * 0.9)
    assert run([almost] * 30, capacity, began=11.0)[-1] == ("event_loop",)
    found = run([QUIET] * 12, capacity, began=41.0)
    assert found[9] == ("event_loop",)
    assert found[10] == ()


@pytest.mark.parametrize("load", [EASED, 0.9, 0.999])
def test_between_the_two_marks_nothing_changes(load: float) -> None:
    for part in (Part(), Part(full=True)):
        for second in range(100):
            assert step(part, load, float(second), 10.0) == part


def test_no_seconds_mean_never_full() -> None:
    never = Capacity(replace(LIMITS, seconds=0.0))
    assert run([FULL["store"]] * 100, never)[-1] == ()
    assert never.load["store"] == 1.0


def test_a_processor_that_others_fill_is_shown_and_refuses_nobody() -> None:
    """As long as the server answers in time, a neighbour's work is not its overload."""
    capacity = Capacity(LIMITS)
    assert run([Now(machine=0.99, server=0.2)] * 30, capacity)[-1] == ()
    assert capacity.nearest()[0] == "processor"


def test_of_a_few_looks_no_share_is_taken() -> None:
    """One late look of two, in a quiet hour, is no overload."""
    assert loads(Now(looks=2, late=2), LIMITS)["inference"] == 0.0
    assert loads(Now(looks=10, late=2), LIMITS)["inference"] == 1.0


def test_observations_as_old_as_a_look_may_last_are_the_limit_too() -> None:
    assert loads(Now(age=2.0), LIMITS)["inference"] == 1.0
    assert loads(Now(age=0.3), LIMITS)["inference"] == pytest.approx(0.15)


def test_what_is_taken_while_a_part_is_full() -> None:
    """The rule in docs/operations.md."""
    for part in CAN_BE_FULL:
        capacity = Capacity(LIMITS)
        assert (capacity.may_admit(), capacity.may_open()) == (True, True)
        run([FULL[part]] * 11, capacity)
        assert capacity.may_admit() is False
        assert capacity.may_open() is (part in {"processor", "inference"})


def read(now: Now, *, seconds: int = 1) -> Capacity:
    capacity = Capacity(LIMITS)
    run([now] * seconds, capacity)
    return capacity


@pytest.mark.parametrize(
    ("capacity", "troubles", "expected"),
    [
        (read(QUIET), Troubles(), ("green", "all_well", "processor")),
        (read(Now(analysers=16)), Troubles(), ("green", "all_well", "analysers")),
        (read(Now(gpu=0.7)), Troubles(), ("green", "all_well", "gpu")),
        (read(Now(gpu=0.97)), Troubles(), ("amber", "gpu_busy", "gpu")),
        (read(Now(machine=0.9)), Troubles(), ("amber", "processor_busy", "processor")),
        (read(Now(machine=0.99)), Troubles(), ("amber", "processor_busy", "processor")),
        (read(Now(analysers=64)), Troubles(), ("amber", "analysers_taken", "analysers")),
        (read(Now(looks=100, late=18)), Troubles(), ("amber", "inference_busy", "inference")),
        (read(FULL["processor"], seconds=11), Troubles(), ("red", "processor_full", "processor")),
        (read(FULL["inference"], seconds=11), Troubles(), ("red", "inference_full", "inference")),
        (read(QUIET), Troubles(no_vision=True), ("amber", "no_vision", "processor")),
        (read(FULL["processor"], seconds=11), Troubles(no_vision=True), ("red", "processor_full", "processor")),
        (read(QUIET), Troubles(vision=True), ("red", "vision_down", "processor")),
        (read(FULL["processor"], seconds=11), Troubles(True, True, True), ("red", "store_down", "processor")),
    ],
)
def test_the_worst_is_named_first_with_what_limits_capacity(
    capacity: Capacity, troubles: Troubles, expected: tuple[str, str, str]
) -> None:
    said = health(capacity, troubles)
    assert (said.state, said.key, said.limits) == expected


def test_nothing_was_read_yet() -> None:
    assert health(Capacity(LIMITS), Troubles()).limits == "none"


def test_a_server_that_takes_no_analysers_at_all_is_not_at_its_limit_of_them() -> None:
    assert loads(Now(), replace(LIMITS, analysers=0))["analysers"] == 0.0
