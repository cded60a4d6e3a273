"""Which release serves: chosen at the start, followed while it runs, and never a damaged one."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from lessonroom.chat.gate import Gate
from lessonroom.chat.policy import ChatPolicy
from lessonroom.chat.releases import PACKAGED, POINTER, Releases
from lessonroom.chat.rollout import Rollout
from lessonroom.metrics import Metrics
from tests.chat.models import Stuck, copied, damage

NUMBER = "мой телефон 8 905 123-45-67, звоните"


class Site:
    """A gate with its releases ``one`` and ``two``."""

    def __init__(self, folder: Path, models_dir: Path | None = None) -> None:
        self.releases = Releases(folder, models_dir)
        for version in ("one", "two"):
            self.releases.add(version, copied(version))
        self.metrics = Metrics()
        self.gate = Gate(None, ChatPolicy(), deadline=30.0)
        self.rollout = Rollout(self.gate, self.releases, self.metrics, every=0.02)

    @property
    def serves(self) -> str | None:
        return self.gate.classifier.version if self.gate.classifier else None

    def metric(self, line: str) -> bool:
        return f"lessonroom_chat_{line}\n" in self.metrics.render().decode()


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_at_the_start_the_release_that_is_pointed_to_serves(site: Site) -> None:
    site.releases.switch("one")
    site.rollout.choose()
    assert site.serves == "one"
    assert site.metric('model_info{role="current",version="one"} 1.0')
    assert site.metric("releases_refused_total 0.0")


def test_in_place_of_a_damaged_release_the_one_before_serves_and_the_metrics_say_so(site: Site) -> None:
    site.releases.switch("one")
    site.releases.switch("two")
    damage(site.releases.place("two"))
    site.rollout.choose()
    assert site.serves == "one"
    assert site.metric("releases_refused_total 1.0")


def test_when_both_are_damaged_the_packaged_model_serves(site: Site) -> None:
    site.releases.switch("one")
    site.releases.switch("two")
    for version in ("one", "two"):
        damage(site.releases.place(version))
    site.rollout.choose()
    assert site.serves == site.releases.load(PACKAGED).version
    assert site.metric("releases_refused_total 2.0")


def test_with_a_pointer_that_cannot_be_read_the_packaged_model_serves(site: Site) -> None:
    (site.releases.folder / POINTER).write_text("{")
    site.rollout.choose()
    assert site.serves == site.releases.load(PACKAGED).version
    assert site.metric("releases_refused_total 1.0")


async def test_without_any_model_the_rules_decide(tmp_path: Path) -> None:
    site = Site(tmp_path, models_dir=tmp_path)
    site.rollout.choose()
    assert site.serves is None
    assert (await site.gate.screen(NUMBER)).degraded


async def test_a_changed_pointer_is_followed_while_it_runs(site: Site) -> None:
    site.rollout.choose()
    site.rollout.start()
    for version in ("one", "two"):
        site.releases.switch(version)
        async with asyncio.timeout(30):
            while (await site.gate.screen(NUMBER)).model != version:
                await asyncio.sleep(0.01)
    await site.rollout.stop()
    assert site.metric('model_info{role="current",version="two"} 1.0')
    assert not site.metric('model_info{role="current",version="one"} 1.0')


async def test_a_release_that_is_damaged_by_the_time_it_is_read_changes_nothing(site: Site) -> None:
    site.releases.switch("one")
    site.rollout.choose()
    site.releases.switch("two")
    damage(site.releases.place("two"))
    await site.rollout.look()
    assert site.serves == "one"
    assert site.metric("releases_refused_total 1.0")
    await site.rollout.look()
    assert site.metric("releases_refused_total 1.0")


async def test_a_release_that_was_repaired_is_taken(site: Site) -> None:
    site.rollout.choose()
    site.releases.switch("two")
    damage(site.releases.place("two"))
    await site.rollout.look()
    copied("two")(site.releases.place("two"))
    await site.rollout.look()
    assert site.serves == "two"


async def test_a_pointer_that_breaks_while_it_runs_changes_nothing(site: Site) -> None:
    site.releases.switch("one")
    site.rollout.choose()
    (site.releases.folder / POINTER).write_text("{")
    await site.rollout.look()
    assert site.serves == "one"
    assert site.metric("releases_refused_total 1.0")


async def test_the_verdict_of_a_message_names_the_model_that_judged_it_and_not_the_one_that_came_meanwhile(
    site: Site,
) -> None:
    site.rollout.choose()
    stuck = Stuck(1.0)
    site.gate.classifier, site.gate.deadline = stuck, 10.0
    asked = asyncio.create_task(site.gate.screen(NUMBER))
    await asyncio.sleep(0)
    site.releases.switch("one")
    await site.rollout.look()
    assert site.serves == "one"
    stuck.release.set()
    verdict = await asked
    assert (verdict.model, verdict.probability, verdict.degraded) == ("stuck", 1.0, False)


async def test_a_candidate_comes_and_goes_with_the_pointer(site: Site) -> None:
    site.rollout.choose()
    assert site.rollout.shadow() is None
    site.releases.shadow("one")
    await site.rollout.look()
    await site.gate.screen("спасибо за урок")
    async with asyncio.timeout(30):
        while not site.metric('shadow_total{outcome="neither"} 1.0'):
            await asyncio.sleep(0.01)
    assert site.rollout.shadow() == {
        "version": "one", "messages": 1, "both": 0, "only_current": 0, "only_candidate": 0,
    }  # fmt: skip
    assert site.metric('model_info{role="shadow",version="one"} 1.0')
    site.releases.shadow(None)
    await site.rollout.look()
    assert site.rollout.shadow() is None


async def test_a_candidate_that_is_damaged_is_not_asked_and_the_current_one_goes_on(site: Site) -> None:
    site.releases.switch("two")
    site.releases.shadow("one")
    damage(site.releases.place("one"))
    site.rollout.choose()
    assert (site.serves, site.rollout.shadow()) == ("two", None)
    assert site.metric("releases_refused_total 1.0")
    await site.rollout.stop()


async def test_a_defect_in_one_look_does_not_end_the_watch(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.rollout.choose()
    stamp, failed = site.releases.stamp, asyncio.Event()
    loop = asyncio.get_running_loop()

    def once() -> object:
        if not failed.is_set():
            loop.call_soon_threadsafe(failed.set)
            raise ZeroDivisionError("a bug")
        return stamp()

    monkeypatch.setattr(site.releases, "stamp", once)
    site.rollout.start()
    await failed.wait()
    site.releases.switch("one")
    async with asyncio.timeout(30):
        while site.serves != "one":
            await asyncio.sleep(0.01)
    await site.rollout.stop()
