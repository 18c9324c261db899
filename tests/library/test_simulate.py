"""A rehearsal on paper: who is told what, when, over which channel."""

from datetime import datetime, timedelta

from models.core.clock import ClockRule
from models.core.moment import CST, clock_face
from models.core.roster import Contact, Person, Roster, Rung, Unit
from models.core.situation import Situation
from models.core.vocabulary import Grade, Role, StartEvent
from playbooks.shelf import PROFILES, read_profile, shelve
from playbooks.simulate import Line, simulate

START = datetime(2026, 11, 21, 0, 0, tzinfo=CST)
HOUR = timedelta(hours=1)
TIMES = {StartEvent.OCCURRENCE: START, StartEvent.DISCOVERY: START}
ROLES = (Role.DUTY_OFFICER, Role.DUTY_LEADER, Role.DEPUTY, Role.PRINCIPAL)
PEOPLE = tuple(Person(f"p{n}", f"第{n}人", "office", (Contact("hook", f"a{n}"),)) for n in range(1, 5))
ROSTER = Roster(
    units=(Unit("office", "办公室"),),
    people=PEOPLE,
    ladder=tuple(Rung(n, role, (f"p{n}",)) for n, role in enumerate(ROLES, 1)),
)


def rules() -> list[ClockRule]:
    library = shelve(read_profile(PROFILES / "cn-national.yaml", []), [], [])
    return [rule for _, rule in library.rules(Situation(Grade.II, event_grade=Grade.II))]


def of(lines: list[Line], clock: str) -> list[tuple[str, str, list[str]]]:
    return [
        (clock_face(each.at)[6:], each.step, [told.person for told in each.told])
        for each in lines
        if each.clock == clock
    ]


def test_nobody_answers_and_the_ladder_is_climbed() -> None:
    lines = simulate(rules(), TIMES, ROSTER, {}, START + 7 * HOUR)
    assert of(lines, "first_statement") == [
        ("02:30", "50%", ["p1"]),
        ("03:45", "75%", ["p2", "p1"]),
        ("04:30", "90%", ["p3", "p2", "p1"]),
        ("05:00", "100%", ["p4", "p3", "p2", "p1"]),
        ("06:00", "+1h", ["p4", "p3", "p2", "p1"]),
        ("07:00", "+2h", ["p4", "p3", "p2", "p1"]),
    ]
    assert [step for _, step, _ in of(lines, "acknowledge")] == ["0m", "10m", "30m", "100%"]


def test_an_acknowledgement_ends_its_own_clock_and_spares_its_giver_on_the_others() -> None:
    lines = simulate(rules(), TIMES, ROSTER, {"p1": START + timedelta(minutes=5)}, START + 2.6 * HOUR)
    assert [step for _, step, _ in of(lines, "acknowledge")] == ["0m"]
    assert of(lines, "first_statement") == [("02:30", "50%", ["p1"])]


def test_evidence_stops_a_clock_and_no_other() -> None:
    stops = {"first_statement": START + 4 * HOUR}
    lines = simulate(rules(), TIMES, ROSTER, {}, START + 25 * HOUR, stops=stops)
    assert [step for _, step, _ in of(lines, "first_statement")] == ["50%", "75%"]
    assert [step for _, step, _ in of(lines, "press_conference")] == ["50%", "75%", "90%", "100%", "+1h"]


def test_the_line_names_channel_and_address_and_lines_come_in_time_order() -> None:
    lines = simulate(rules(), TIMES, ROSTER, {}, START + 48 * HOUR)
    assert (lines[0].told[0].channel, lines[0].told[0].address) == ("hook", "a1")
    assert [line.at for line in lines] == sorted(line.at for line in lines)
    assert lines == simulate(rules(), TIMES, ROSTER, {}, START + 48 * HOUR)


def test_a_clock_whose_start_nobody_knows_says_nothing() -> None:
    assert simulate(rules(), {}, ROSTER, {}, START + 48 * HOUR) == []
