"""The law's ceiling out of a table, and the mode that holds under it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lessonroom.errors import BadInput
from lessonroom.policy import (
    NO_TABLE,
    OF_THE_OPERATOR,
    Band,
    Beyond,
    Decision,
    Deployment,
    Facts,
    Mode,
    Need,
    Row,
    Setting,
    Table,
    band_of,
    decide,
    mode_now,
    read_band,
    read_mode,
    read_place,
    read_setting,
)

M0, M1, M2, M3 = Mode
TODAY = date(2026, 11, 22)
NOTHING = Deployment("", "")
ADULT = Facts("AA", Setting.SELF, Band.ADULT)
PLAIN = Row(
    "plain", frozenset({"AA"}), frozenset({Setting.SELF}), frozenset({Band.ADULT}), M2, frozenset(), None,
    "a law", "nobody", TODAY, "a note",
)  # fmt: skip


def table(*rows: Row) -> Table:
    return Table("1", rows)


def decided(
    *rows: Row,
    student: Facts = ADULT,
    teacher: Facts | None = None,
    provider: Facts | None = None,
    deployment: Deployment = NOTHING,
    today: date = TODAY,
) -> Decision:
    return decide(table(*rows), student, teacher or student, provider or student, deployment, today=today)


# --- words -----------------------------------------------------------------------------------------------------------


def test_modes_are_ordered_from_none_to_the_server() -> None:
    assert [str(mode) for mode in Mode] == ["M0", "M1", "M2", "M3"]
    assert all(less < more for less, more in pairwise(Mode))


@pytest.mark.parametrize("word", ["", "m3", "M4", "M", None, 3, " M3"])
def test_a_mode_that_cannot_be_read_is_none(word: object) -> None:
    assert read_mode(word) is M0


@pytest.mark.parametrize("mode", Mode)
def test_a_mode_is_read_by_its_name(mode: Mode) -> None:
    assert read_mode(str(mode)) is mode


def test_a_stored_word_that_is_none_of_ours_is_unknown() -> None:
    assert [read_setting(str(word)) for word in Setting] == list(Setting)
    assert [read_band(str(word)) for word in Band] == list(Band)
    assert {read_setting(word) for word in ("", "SELF", "school")} == {None}
    assert {read_band(word) for word in ("", "18", "adult")} == {None}


def test_every_age_has_one_band() -> None:
    bands = [band_of(age) for age in range(121)]
    assert bands == [Band("<13")] * 13 + [Band("13-15")] * 3 + [Band("16-17")] * 2 + [Band("18+")] * 103


@pytest.mark.parametrize("age", [-1, 121, 10**30])
def test_a_number_that_is_no_age_is_refused_without_quoting_it(age: int) -> None:
    with pytest.raises(BadInput, match="expected 0 to 120") as error:
        band_of(age)
    assert str(age) not in str(error.value)


@pytest.mark.parametrize("word", ["", "D", "DEU", "DE-", "DE-ABCD", "D1", "Германия", "DE DE", "DE\n\nDE", "ÄÄ", "ß"])
def test_a_word_that_has_not_the_form_of_a_place_is_unknown(word: str) -> None:
    """Places stand in reasons that are kept for ever, so no free text may pass."""
    assert read_place(word) == ""


# --- the ceiling -----------------------------------------------------------------------------------------------------


def test_one_row_for_all_parties_decides() -> None:
    assert decided(PLAIN) == Decision(
        M2, ("plain",), "student in AA, self, 18+: row plain allows at most M2", frozenset(), TODAY, "plain", None
    )


@pytest.mark.parametrize(
    ("facts", "unknown"),
    [
        (replace(ADULT, place=""), "place"),
        (replace(ADULT, place="nowhere at all"), "place"),
        (replace(ADULT, setting=None), "setting"),
        (replace(ADULT, band=None), "age"),
    ],
)
def test_an_unknown_fact_of_the_student_is_no_analysis(facts: Facts, unknown: str) -> None:
    decision = decided(PLAIN, student=facts, teacher=ADULT, provider=ADULT)
    assert (decision.mode, decision.why) == (M0, f"student: {unknown} unknown, so M0")


@pytest.mark.parametrize("party", ["teacher", "provider"])
@pytest.mark.parametrize(
    "facts", [replace(ADULT, place=""), replace(ADULT, setting=None), replace(ADULT, setting=Setting.EMPLOYER)]
)
def test_an_unknown_or_other_fact_of_the_others_is_no_analysis(party: str, facts: Facts) -> None:
    both = replace(PLAIN, settings=frozenset(Setting))
    decision = decided(both, **{party: facts})  # type: ignore[arg-type]
    assert (decision.mode, decision.row) == (M0, "")
    assert decision.why.startswith(party)


def test_the_band_is_the_students_because_nobody_else_is_analysed() -> None:
    for band in (None, *Band):
        assert decided(PLAIN, teacher=replace(ADULT, band=band), provider=replace(ADULT, band=band)).mode is M2
    minors = replace(PLAIN, id="minors", bands=frozenset({Band.FROM_13}), highest=M1)
    assert decided(PLAIN, minors, student=replace(ADULT, band=Band.FROM_13), teacher=ADULT).row == "minors"


@pytest.mark.parametrize("party", ["student", "teacher", "provider"])
def test_the_most_careful_of_the_three_places_decides(party: str) -> None:
    careful = replace(PLAIN, id="careful", places=frozenset({"BB"}), highest=M1)
    everybody = dict.fromkeys(("student", "teacher", "provider"), ADULT) | {party: replace(ADULT, place="BB")}
    decision = decided(PLAIN, careful, **everybody)  # type: ignore[arg-type]
    assert (decision.mode, decision.row) == (M1, "careful")
    assert sorted(decision.rows) == ["careful", "plain"]


def test_what_people_must_give_is_what_any_of_the_places_asks_for() -> None:
    release = replace(PLAIN, id="b", places=frozenset({"BB"}), needs=frozenset({Need.WRITTEN_RELEASE}))
    guardian = replace(PLAIN, id="c", places=frozenset({"CC"}), needs=frozenset({Need.GUARDIAN}))
    decision = decided(
        PLAIN, release, guardian, teacher=replace(ADULT, place="BB"), provider=replace(ADULT, place="CC")
    )
    assert decision.needs == {Need.WRITTEN_RELEASE, Need.GUARDIAN}


def test_nothing_is_asked_of_people_where_nothing_is_allowed() -> None:
    release = replace(PLAIN, needs=frozenset({Need.WRITTEN_RELEASE}))
    assert decided(release, teacher=replace(ADULT, place="BB")).needs == frozenset()


def test_two_rows_for_one_fact_are_no_analysis() -> None:
    """Even when they agree, and even when one of them has expired: a person has to look."""
    for other in (PLAIN, replace(PLAIN, highest=M3), replace(PLAIN, expires=TODAY - timedelta(1))):
        decision = decided(PLAIN, replace(other, id="other"))
        assert (decision.mode, decision.row) == (M0, "")
        assert "contradict" in decision.why


def test_a_table_without_rows_allows_nothing() -> None:
    decision = decide(NO_TABLE, ADULT, ADULT, ADULT, NOTHING, today=TODAY)
    assert (decision.mode, decision.expires) == (M0, None)


@pytest.mark.parametrize("last", [date(2027, 11, 30), date(2028, 2, 28), date(2028, 2, 29), date(2026, 12, 31)])
def test_a_row_holds_through_its_last_day_and_not_one_day_longer(last: date) -> None:
    row = replace(PLAIN, expires=last)
    for days in range(-400, 401):
        day = last + timedelta(days)
        decision = decided(row, today=day)
        assert decision.mode is (M2 if days <= 0 else M0)
        assert table(row).days_left(day) == -days
    assert decided(row, today=last + timedelta(1)).why == (
        f"student in AA, self, 18+: row plain expired on {last}, so M0"
    )


def test_a_decision_lasts_until_the_first_of_its_rows_expires() -> None:
    later = replace(PLAIN, id="b", places=frozenset({"BB"}), expires=TODAY + timedelta(9))
    assert decided(PLAIN, later, student=replace(ADULT, place="BB"), teacher=ADULT).expires == TODAY
    assert table(PLAIN, later).days_left(TODAY) == 0


# --- the operator's part ---------------------------------------------------------------------------------------------

ASSESSED = replace(PLAIN, beyond=Beyond(M3, frozenset({Need.IMPACT_ASSESSMENT})))
AT_HOME = replace(
    PLAIN, id="home", places=frozenset({"BB"}), beyond=Beyond(M3, frozenset({Need.SERVER_IN_COUNTRY}))
)  # fmt: skip


def test_what_the_operator_settles_raises_the_mode_and_is_named_until_then() -> None:
    missing, there = decided(ASSESSED), decided(ASSESSED, deployment=Deployment("dpia-1", ""))
    assert (missing.mode, missing.raises) == (M2, ASSESSED.beyond)
    assert missing.why.endswith("; M3 only with impact_assessment")
    assert (there.mode, there.raises) == (M3, None)


def test_parties_in_two_places_ask_for_both_parts() -> None:
    german = replace(ADULT, place="BB")
    decision = decided(ASSESSED, AT_HOME, teacher=german)
    assert decision.raises == Beyond(M3, frozenset({Need.IMPACT_ASSESSMENT, Need.SERVER_IN_COUNTRY}))
    assert decided(ASSESSED, AT_HOME, teacher=german, deployment=Deployment("x", "")).raises == AT_HOME.beyond
    assert decided(ASSESSED, AT_HOME, teacher=german, deployment=Deployment("x", "BB")).mode is M3


def test_nothing_raises_what_another_party_keeps_down() -> None:
    assert decided(ASSESSED, teacher=replace(ADULT, place="CC")).raises is None


def test_an_operators_need_of_the_row_itself_is_no_analysis_until_it_is_met() -> None:
    row = replace(PLAIN, needs=frozenset({Need.IMPACT_ASSESSMENT, Need.GUARDIAN}))
    assert decided(row).mode is M0
    assert decided(row).raises == Beyond(M2, frozenset({Need.IMPACT_ASSESSMENT}))
    met = decided(row, deployment=Deployment("dpia-1", ""))
    assert (met.mode, met.needs) == (M2, {Need.GUARDIAN})


def test_a_higher_mode_asks_for_all_that_the_lower_one_does() -> None:
    """A server in the right country must not stand in for the assessment that the row asks for in any case."""
    row = replace(AT_HOME, places=frozenset({"AA"}), needs=frozenset({Need.IMPACT_ASSESSMENT}))
    assert decided(row, deployment=Deployment("", "AA")).mode is M0
    assert decided(row, deployment=Deployment("dpia-1", "AA")).mode is M3


def test_only_what_is_needed_for_the_next_reachable_mode_is_named() -> None:
    assessed_at_all = replace(PLAIN, needs=frozenset({Need.IMPACT_ASSESSMENT}))
    decision = decided(assessed_at_all, AT_HOME, teacher=replace(ADULT, place="BB"))
    assert (decision.mode, decision.raises) == (M0, Beyond(M2, frozenset({Need.IMPACT_ASSESSMENT})))


# --- no way up -------------------------------------------------------------------------------------------------------

places = st.sampled_from(["AA", "BB", "US-CA", "US", ""])
facts = st.builds(Facts, places, st.sampled_from([None, *Setting]), st.sampled_from([None, *Band]))
deployments = st.builds(Deployment, st.sampled_from(["", "dpia-1"]), places)
some = lambda words: st.frozensets(st.sampled_from(list(words)), min_size=1)  # noqa: E731
beyonds = st.builds(Beyond, st.just(M3), some(OF_THE_OPERATOR))
rows = st.builds(
    Row,
    id=st.text("abc", min_size=1, max_size=3),
    places=st.frozensets(places, min_size=1),
    settings=some(Setting),
    bands=some(Band),
    highest=st.sampled_from([M0, M1, M2]),
    needs=st.frozensets(st.sampled_from(list(Need))),
    beyond=st.none() | beyonds,
    source=st.just(""),
    reviewer=st.just(""),
    expires=st.dates(TODAY - timedelta(3), TODAY + timedelta(3)),
    note=st.just(""),
)
tables = st.builds(Table, st.just("1"), st.lists(rows, max_size=5).map(tuple))


@given(tables, facts, facts, facts, deployments)
def test_one_party_more_never_raises_the_mode(
    rules: Table, student: Facts, teacher: Facts, provider: Facts, deployment: Deployment
) -> None:
    three = decide(rules, student, teacher, provider, deployment, today=TODAY).mode
    assert three <= decide(rules, student, student, provider, deployment, today=TODAY).mode
    assert three <= decide(rules, student, teacher, student, deployment, today=TODAY).mode
    assert three <= decide(rules, student, student, student, deployment, today=TODAY).mode


@given(tables, facts, facts, facts, deployments, st.integers(0, 2), st.sampled_from(["place", "setting", "band"]))
def test_to_leave_out_a_fact_never_raises_the_mode(
    rules: Table, student: Facts, teacher: Facts, provider: Facts, deployment: Deployment, who: int, what: str
) -> None:
    known = [student, teacher, provider]
    less = [*known]
    less[who] = replace(known[who], **{what: "" if what == "place" else None})
    before = decide(rules, *known, deployment, today=TODAY)  # type: ignore[misc]
    after = decide(rules, *less, deployment, today=TODAY)  # type: ignore[misc]
    assert after.mode <= before.mode


@given(tables, facts, facts, facts, deployments, st.sampled_from(["impact_assessment", "server_place"]))
def test_to_settle_less_or_to_wait_never_raises_the_mode(
    rules: Table, student: Facts, teacher: Facts, provider: Facts, deployment: Deployment, what: str
) -> None:
    modes = [
        decide(rules, student, teacher, provider, settled, today=day).mode
        for settled, day in (
            (deployment, TODAY),
            (replace(deployment, **{what: ""}), TODAY),
            (replace(deployment, **{what: ""}), TODAY + timedelta(2)),
        )
    ]
    assert modes == sorted(modes, reverse=True)


@given(tables, facts, facts, facts, deployments)
def test_what_raises_the_mode_does_so_once_it_is_settled(
    rules: Table, student: Facts, teacher: Facts, provider: Facts, deployment: Deployment
) -> None:
    decision = decide(rules, student, teacher, provider, deployment, today=TODAY)
    if decision.raises and Need.SERVER_IN_COUNTRY not in decision.raises.needs:
        settled = replace(deployment, impact_assessment="dpia-2")
        assert decide(rules, student, teacher, provider, settled, today=TODAY).mode is decision.raises.mode
    assert decision.raises is None or decision.raises.mode > decision.mode


# --- what holds now --------------------------------------------------------------------------------------------------


def now(
    ceiling: Mode = M3,
    cap: Mode = M3,
    needs_met: bool = True,
    agreed: bool | None = True,
    device: Mode = M0,
    server_can: Mode = M3,
) -> Mode:
    return mode_now(ceiling=ceiling, cap=cap, needs_met=needs_met, agreed=agreed, device=device, server_can=server_can)


def test_the_server_analyses_whatever_the_device_can_do() -> None:
    assert {now(device=device) for device in Mode} == {M3}


def test_below_the_servers_mode_the_device_decides_and_the_server_does_not_matter() -> None:
    for ceiling, device, server_can in product((M1, M2), Mode, Mode):
        assert now(ceiling=ceiling, device=device, server_can=server_can) is min(ceiling, device)


def test_a_server_that_cannot_look_leaves_what_the_device_can() -> None:
    assert [now(device=device, server_can=M0) for device in Mode] == [M0, M1, M2, M2]


def test_nothing_is_ever_allowed_that_one_of_them_does_not_allow() -> None:
    """Every combination: never above law or cap, nothing without a yes and all that is needed."""
    for ceiling, cap, met, agreed, device, server in product(
        Mode, Mode, (True, False), (True, False, None), Mode, Mode
    ):
        mode = now(ceiling, cap, met, agreed, device, server)
        assert mode <= min(ceiling, cap)
        assert mode <= device or server is M3
        assert (met and agreed is True) or mode is M0


def test_less_of_anything_never_gives_more() -> None:
    for ceiling, cap, device, server in product(Mode, repeat=4):
        mode = now(ceiling, cap, True, True, device, server)
        for less in Mode:
            assert now(min(less, ceiling), cap, True, True, device, server) <= mode
            assert now(ceiling, min(less, cap), True, True, device, server) <= mode
            assert now(ceiling, cap, True, True, min(less, device), server) <= mode
            assert now(ceiling, cap, True, True, device, min(less, server)) <= mode


@pytest.mark.parametrize("word", [1, "yes", "false", object()])
def test_only_a_real_yes_counts(word: object) -> None:
    assert now(agreed=word) is M0  # type: ignore[arg-type]
    assert now(needs_met=word) is M0  # type: ignore[arg-type]
