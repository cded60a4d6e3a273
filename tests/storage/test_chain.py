"""A link's hash covers all that it says; a walk finds the first link that does not hold."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import pytest

from lessonroom.errors import BadInput
from lessonroom.storage.audit import AuditRecord, Head, Link
from lessonroom.storage.chain import START, Fault, Walk, canonical, hash_of, head_of, link_to

RECORD = AuditRecord("a1", 1.5, "key:0123abcd", "room.made", "room:r1", {"b": 1, "a": "é", "c": None})


def chain(length: int) -> list[Link]:
    links: list[Link] = []
    for number in range(1, length + 1):
        record = replace(RECORD, id=f"a{number}", at=float(number))
        links.append(link_to(number, links[-1].hash if links else START, record))
    return links


def walked(links: list[Link], head: Head | None, kept: str = "") -> Fault | None:
    walk = Walk(kept)
    for link in links:
        if fault := walk.step(link):
            return fault
    return walk.end(head)


def test_the_form_that_is_hashed_does_not_change() -> None:
    """Chains that were written by an earlier version must stay whole."""
    form = '[3,"' + START + '","a1","1.5","key:0123abcd","room.made","room:r1",{"a":"\\u00e9","b":1,"c":null}]'
    assert canonical(3, START, RECORD) == form.encode()
    assert hash_of(3, START, RECORD) == hashlib.sha256(form.encode()).hexdigest()


def test_the_order_of_the_detail_does_not_matter_and_a_whole_time_is_a_time() -> None:
    turned = replace(RECORD, detail={"c": None, "b": 1, "a": "é"})
    assert hash_of(1, START, turned) == hash_of(1, START, RECORD)
    assert hash_of(1, START, replace(RECORD, at=2)) == hash_of(1, START, replace(RECORD, at=2.0))


@pytest.mark.parametrize(
    "change",
    [
        {"id": "a2"},
        {"at": 1.5000000000000002},
        {"actor": "key:0123abce"},
        {"action": "room.closed"},
        {"subject": "room:r2"},
        {"detail": {"b": True, "a": "é", "c": None}},
        {"detail": {"b": 1.0, "a": "é", "c": None}},
        {"detail": {"b": 1, "a": "é"}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_each_part_of_a_record_counts(change: dict[str, Any]) -> None:
    assert hash_of(1, START, replace(RECORD, **change)) != hash_of(1, START, RECORD)


def test_the_place_and_the_one_before_count() -> None:
    assert len({hash_of(1, START, RECORD), hash_of(2, START, RECORD), hash_of(1, "1" * 64, RECORD)}) == 3


@pytest.mark.parametrize("detail", [{"a": float("inf")}, {"a": b"x"}, [["a", 1]], "{}", None])
def test_what_is_no_record_has_no_hash(detail: Any) -> None:
    with pytest.raises(BadInput):
        hash_of(1, START, replace(RECORD, detail=detail))


def test_a_whole_chain_ends_without_a_fault() -> None:
    links = chain(5)
    assert walked(links, head_of(links[-1])) is None
    assert walked([], Head(0, START)) is None


@pytest.mark.parametrize("kept", range(5))
def test_a_hash_that_was_kept_may_be_of_any_row(kept: int) -> None:
    links = chain(5)
    assert walked(links, head_of(links[-1]), links[kept].hash) is None


def test_a_chain_made_anew_is_found_by_a_hash_that_was_kept() -> None:
    links, other = chain(5), chain(4)
    assert walked(other, head_of(other[-1]), links[4].hash) == Fault(
        None, "no row has the hash that was kept: the chain was cut off before it, or made anew"
    )
