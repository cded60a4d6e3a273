"""The packaged table against the rules written apart from it, for every country, setting and band."""

from __future__ import annotations

from datetime import date
from itertools import product
from pathlib import Path

import pytest

from lessonroom.policy import Band, Beyond, Decision, Deployment, Facts, Mode, Need, Setting, band_of, decide
from lessonroom.policy_file import load_table

TABLE = load_table(None)
TODAY = date(2026, 11, 22)
LAST = date(2027, 11, 30)
NOTHING = Deployment("", "")
M0, M1, M2, M3 = Mode

# ISO 3166-1, and the states of ISO 3166-2 with the capital's district
ALL = """
AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD
CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF
GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN
KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA
NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI
SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI
VN VU WF WS YE YT ZA ZM ZW
"""
OF_THE_UNION = "BE BG CZ DK DE EE IE GR ES FR HR IT CY LV LT LU HU MT NL AT PL PT RO SI SK FI SE"
OF_THE_STATES = """
AL AK AZ AR CA CO CT DE FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK OR PA RI
SC SD TN TX UT VT VA WA WV WI WY DC
"""
COUNTRIES, UNION = ALL.split(), set(OF_THE_UNION.split())
STATES = {f"US-{state}" for state in OF_THE_STATES.split()}
TERRITORIES = {"US-PR", "US-GU", "US-VI", "US-AS", "US-MP", "US-UM"}
OTHERS = {
    "",
    "EU",
    "UN",
    "XX",
    "ZZ",
    "Germany",
    "DE-BY",
    "US-",
    "US-ILL",
    "US-XX",
    "US-IL-1",
    "IL",
    "САD",
    "D E",
    "\x00",
    "U" * 999,
}

Expected = tuple[Mode, frozenset[Need], Beyond | None]
NO: Expected = (M0, frozenset(), None)


def expected(place: str, setting: Setting, band: Band) -> Expected:
    """The rules as the product's owner put them, not as the table does."""
    if setting is not Setting.SELF:
        return NO
    adult = band is Band.ADULT
    guardian = frozenset({Need.GUARDIAN})
    if place in UNION or place == "GB":
        return (M2, frozenset(), Beyond(M3, frozenset({Need.IMPACT_ASSESSMENT}))) if adult else NO
    if place in {"US-IL", "US"}:
        return (M2, frozenset({Need.WRITTEN_RELEASE}), None) if adult else NO
    if place in STATES:
        return (M3, frozenset(), None) if adult else (M2, guardian, None)
    if place == "RU":
        beyond = Beyond(M3, frozenset({Need.SERVER_IN_COUNTRY}))
        return (M2, frozenset(), beyond) if adult else (M2, guardian, None)
    return NO


def alone(place: str, setting: Setting | None, band: Band | None, deployment: Deployment = NOTHING) -> Decision:
    """A lesson in which everybody is in one place."""
    facts = Facts(place, setting, band)
    return decide(TABLE, facts, facts, facts, deployment, today=TODAY)


def test_the_lists_of_places_are_whole() -> None:
    assert (len(COUNTRIES), len(set(COUNTRIES)), len(UNION), len(STATES)) == (249, 249, 27, 51)


def test_every_place_setting_and_band_has_the_mode_that_the_rules_give() -> None:
    places = [*COUNTRIES, *sorted(STATES | TERRITORIES | OTHERS)]
    for place, setting, band in product(places, Setting, Band):
        decision = alone(place, setting, band)
        assert (decision.mode, decision.needs, decision.raises) == expected(place, setting, band), (
            place,
            setting,
            band,
        )
        assert (decision.row == "") == (decision.expires is None) == (decision.rows == ())


def test_the_operators_part_opens_the_third_mode_only_where_the_rules_say_so() -> None:
    everything = Deployment("dpia-7", "RU")
    for place, setting, band in product([*COUNTRIES, *sorted(STATES)], Setting, Band):
        mode, needs, beyond = expected(place, setting, band)
        decision = alone(place, setting, band, everything)
        assert decision.mode is (beyond.mode if beyond else mode)
        assert (decision.needs, decision.raises) == (needs, None)


@pytest.mark.parametrize("place", sorted(UNION | {"GB"}))
@pytest.mark.parametrize("setting", [Setting.INSTITUTION, Setting.EMPLOYER])
def test_schools_and_workplaces_are_forbidden_by_a_row_and_not_by_its_absence(place: str, setting: Setting) -> None:
    """Nobody may open them by adding a row beside: two rows contradict."""
    for band in Band:
        assert alone(place, setting, band, Deployment("dpia-7", place)).row.endswith(f"-{setting}")


@pytest.mark.parametrize("deployment", [Deployment(" ", ""), Deployment("", "DE"), NOTHING])
def test_an_empty_reference_is_no_impact_assessment(deployment: Deployment) -> None:
    assert alone("DE", Setting.SELF, Band.ADULT, deployment).mode is M2


@pytest.mark.parametrize(("server", "mode"), [("RU", M3), ("ru", M3), ("RU-MOW", M3), ("DE", M2), ("", M2), ("R", M2)])
def test_the_server_has_to_stand_in_the_country_of_the_row(server: str, mode: Mode) -> None:
    assert alone("RU", Setting.SELF, Band.ADULT, Deployment("", server)).mode is mode


@pytest.mark.parametrize(
    ("word", "same"), [("uk", "GB"), ("UK", "GB"), ("el", "GR"), ("us-il", "US-IL"), (" de ", "DE")]
)
def test_other_names_of_a_place_give_its_row(word: str, same: str) -> None:
    assert alone(word, Setting.SELF, Band.ADULT) == alone(same, Setting.SELF, Band.ADULT)
    assert alone(word, Setting.SELF, Band.ADULT).mode is M2


@pytest.mark.parametrize(
    ("age", "mode"),
    [(0, M2), (12, M2), (13, M2), (15, M2), (16, M2), (17, M2), (18, M3), (120, M3)],
)
def test_a_birthday_changes_the_row_on_the_day(age: int, mode: Mode) -> None:
    decision = alone("US-CA", Setting.SELF, band_of(age))
    assert decision.mode is mode
    assert decision.needs == (frozenset() if age >= 18 else {Need.GUARDIAN})
    assert (decision.row == "us-self-under-13") == (age < 13)


def test_an_unknown_state_is_no_way_around_the_rules_of_illinois() -> None:
    for setting, band in product(Setting, Band):
        unknown, known = alone("US", setting, band), alone("US-IL", setting, band)
        assert (unknown.mode, unknown.needs) == (known.mode, known.needs)


def test_every_row_names_its_source_an_honest_reviewer_and_its_last_day() -> None:
    for row in TABLE.rows:
        assert row.reviewer == "product default of the maintainers; not reviewed by counsel"
        assert row.expires == LAST
        assert len(row.source) > 20
        assert row.note


def test_the_table_is_good_for_two_more_months() -> None:
    """Fails sixty days before the packaged rows expire: look at the law again and give them a new day."""
    from datetime import UTC, datetime

    assert TABLE.days_left(datetime.now(UTC).date()) >= 60


def test_no_two_rows_of_the_table_speak_of_the_same_facts() -> None:
    places = {place for row in TABLE.rows for place in row.places}
    for place, setting, band in product(places, Setting, Band):
        assert sum(row.speaks_of(place, setting, band) for row in TABLE.rows) <= 1


def test_the_documentation_names_every_row_with_its_mode_and_needs() -> None:
    text = (Path(__file__).parent.parent / "docs" / "policy.md").read_text()
    lines = {cells[1].strip(" `"): cells for line in text.splitlines() if len(cells := line.split("|")) == 7}
    for row in TABLE.rows:
        mode, conditions = lines[row.id][4], lines[row.id][5]
        assert row.highest in mode
        assert all(need in conditions for need in row.needs)
        assert row.beyond is None or (row.beyond.mode in mode and all(need in conditions for need in row.beyond.needs))
    assert str(LAST) in text
