"""Releases on the disk: whole or not there, checked before they serve, and a way back."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lessonroom.chat.releases import PACKAGED, POINTER, Pointer, Releases
from lessonroom.errors import BadInput, ModelRefused
from tests.chat.models import copied, damage


@pytest.fixture
def releases(tmp_path: Path) -> Releases:
    """Two releases, ``one`` and ``two``; neither serves yet."""
    releases = Releases(tmp_path)
    for version in ("one", "two"):
        releases.add(version, copied(version))
    return releases


def test_without_a_pointer_the_packaged_model_serves(tmp_path: Path) -> None:
    releases = Releases(tmp_path)
    assert releases.pointer() == Pointer(current=PACKAGED, previous=None, shadow=None)
    assert releases.load(PACKAGED).version
    assert list(tmp_path.iterdir()) == []


def test_a_switch_names_what_served_before_and_a_rollback_goes_there(releases: Releases) -> None:
    releases.switch("one")
    assert releases.switch("two") == releases.pointer() == Pointer(current="two", previous="one")
    assert releases.rollback() == releases.pointer() == Pointer(current="one", previous="two")
    assert releases.load(releases.pointer().current).version == "one"


def test_the_first_release_can_be_rolled_back_to_the_packaged_model(releases: Releases) -> None:
    releases.switch("one")
    assert releases.rollback().current == PACKAGED


def test_there_is_no_way_back_from_the_packaged_model(releases: Releases) -> None:
    with pytest.raises(BadInput, match="expected a release before this one"):
        releases.rollback()


def test_switching_to_what_serves_is_told_and_keeps_the_way_back(releases: Releases) -> None:
    releases.switch("one")
    with pytest.raises(BadInput, match="expected another version"):
        releases.switch("one")
    assert releases.pointer().previous == PACKAGED


def test_a_candidate_stays_when_others_switch_and_ends_when_it_serves_itself(releases: Releases) -> None:
    releases.shadow("two")
    assert releases.switch("one").shadow == "two"
    assert releases.switch("two").shadow is None
    with pytest.raises(BadInput):
        releases.shadow("two")


def test_a_candidate_can_be_sent_away(releases: Releases) -> None:
    releases.shadow("one")
    assert releases.shadow(None) == Pointer()


@pytest.mark.parametrize("version", ["one", "three"], ids=["damaged", "missing"])
def test_a_release_that_cannot_serve_is_refused_and_the_pointer_stays(releases: Releases, version: str) -> None:
    releases.switch("two")
    damage(releases.place("one"))
    for change in (releases.switch, releases.shadow):
        with pytest.raises(ModelRefused):
            change(version)
    assert releases.pointer() == Pointer(current="two", previous=PACKAGED)


def test_a_rollback_to_a_damaged_release_changes_nothing(releases: Releases) -> None:
    releases.switch("one")
    releases.switch("two")
    damage(releases.place("one"))
    with pytest.raises(ModelRefused, match="sha256"):
        releases.rollback()
    assert releases.pointer().current == "two"


def test_a_release_under_another_name_than_its_own_is_refused(releases: Releases) -> None:
    releases.place("one").rename(releases.place("moved"))
    with pytest.raises(ModelRefused, match="expected a sidecar of this version"):
        releases.load("moved")


@pytest.mark.parametrize("version", ["", ".", "..", "../one", "a/b", "a b", "x" * 65, PACKAGED, ".hidden"])
def test_a_version_is_never_a_way_to_another_folder(releases: Releases, version: str) -> None:
    with pytest.raises(BadInput, match="version"):
        releases.add(version, copied(version))
    if version != PACKAGED:
        with pytest.raises(ModelRefused):
            releases.load(version)


def test_a_version_is_made_once(releases: Releases) -> None:
    with pytest.raises(BadInput, match="there already"):
        releases.add("one", copied("one"))


def test_whatever_goes_wrong_while_a_release_is_written_nothing_of_it_stays(releases: Releases) -> None:
    def crash(folder: Path) -> None:
        copied("three")(folder)
        raise OSError(28, "No space left on device")

    def lie(folder: Path) -> None:
        copied("four")(folder)

    def broken(folder: Path) -> None:
        copied("three")(folder)
        damage(folder)

    for write, error in ((crash, OSError), (lie, ModelRefused), (broken, ModelRefused)):
        with pytest.raises(error):
            releases.add("three", write)
    assert sorted(path.name for path in releases.folder.iterdir()) == ["one", "two"]


def test_a_pointer_appears_whole_or_not_at_all(releases: Releases, monkeypatch: pytest.MonkeyPatch) -> None:
    releases.switch("one")

    def fail(handle: int) -> None:
        raise OSError(28, os.strerror(28))

    with monkeypatch.context() as broken:
        broken.setattr("os.fsync", fail)
        with pytest.raises(OSError, match="No space"):
            releases.switch("two")
    assert releases.pointer().current == "one"
    assert sorted(path.name for path in releases.folder.iterdir()) == ["one", POINTER, "two"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"current": 5}', '{"now": "one"}'])
def test_a_pointer_that_is_none_is_refused_and_not_taken_for_no_pointer(releases: Releases, text: str) -> None:
    (releases.folder / POINTER).write_text(text)
    with pytest.raises(ModelRefused, match=r"releases\.json"):
        releases.pointer()


def test_the_list_says_what_each_is_and_what_is_wrong_with_it(releases: Releases) -> None:
    releases.switch("one")
    releases.shadow("two")
    damage(releases.place("two"))
    packaged, one, two = releases.every()
    assert (packaged.version, packaged.roles, packaged.wrong) == (PACKAGED, ("previous",), "")
    assert (one.version, one.roles, one.model) == ("one", ("current",), "one")
    assert (two.version, two.roles) == ("two", ("shadow",))
    assert "sha256" in two.wrong


def test_a_release_that_is_named_and_gone_is_in_the_list_too(releases: Releases) -> None:
    releases.switch("one")
    releases.place("one").rename(releases.folder / ".gone")
    assert [release.version for release in releases.every() if release.wrong] == ["one"]


def test_the_stamp_changes_with_the_pointer_and_with_the_files_that_it_names(releases: Releases) -> None:
    seen = [releases.stamp()]
    releases.switch("one")
    seen.append(releases.stamp())
    damage(releases.place("one"))
    seen.append(releases.stamp())
    releases.shadow("two")
    seen.append(releases.stamp())
    assert len(set(seen)) == 4
    damage(releases.place("two"))
    assert releases.stamp() == releases.stamp() != seen[-1]
