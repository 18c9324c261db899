"""A rehearsal on paper: who is told what, when, over which channel."""

import cProfile
from dataclasses import replace
from datetime import datetime, timedelta
from xml.etree import ElementTree

import pytest

from models.core.moment import CST, clock_face
from models.core.roster import Absence, Contact, Person, Roster, Rung, Unit
from models.core.situation import Situation
from models.core.vocabulary import ClockState, EvidenceKind, Grade, OpinionKind, Role, StartEvent
from models.core.workdays import WorkingDays, YearDays
from playbooks.book import BookClock, Library, Playbook
from playbooks.condition import ALWAYS
from playbooks.gantt import gantt
from playbooks.holidays import day_names, published
from playbooks.shelf import PROFILES, read_profile, shelve
from playbooks.simulate import (
    EVERYBODY,
    Change,
    Line,
    Rehearsal,
    Scene,
    rehearse,
    scene_at,
    standing,
    state_at,
)

START = datetime(2026, 11, 21, 0, 0, tzinfo=CST)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
KNOWN = {StartEvent.OCCURRENCE: START, StartEvent.DISCOVERY: START}
ROLES = (Role.DUTY_OFFICER, Role.DUTY_LEADER, Role.DEPUTY, Role.PRINCIPAL)
PEOPLE = tuple(Person(f"p{n}", f"第{n}人", "office", (Contact("hook", f"a{n}"),)) for n in range(1, 5))
ROSTER = Roster(
    units=(Unit("office", "办公室"),),
    people=PEOPLE,
    ladder=tuple(Rung(n, role, (f"p{n}",)) for n, role in enumerate(ROLES, 1)),
)
TWO = Situation(Grade.II, event_grade=Grade.II, confirmed=True)


def library() -> Library:
    return shelve(read_profile(PROFILES / "cn-national.yaml", []), [], [])


def scene(hours: float, situation: Situation = TWO, **more: object) -> Scene:
    made = Scene(situation, KNOWN, START, START + hours * HOUR, playbook=None)
    return replace(made, **more)  # type: ignore[arg-type]


def played(hours: float, **more: object) -> Rehearsal:
    return rehearse(scene(hours, **more), library(), ROSTER)  # type: ignore[arg-type]


def of(found: Rehearsal, clock: str) -> list[tuple[str, str, list[str]]]:
    return [
        (_at(line), line.step, [told.person for told in line.told])
        for line in found.lines
        if line.clock == clock
    ]


def _at(line: Line) -> str:
    return clock_face(line.at)[6:]


def test_nobody_answers_and_the_ladder_is_climbed() -> None:
    found = played(7)
    assert of(found, "first_statement") == [
        ("02:30", "50%", ["p1"]),
        ("03:45", "75%", ["p2", "p1"]),
        ("04:00", "-1h", ["p3", "p2", "p1"]),
        ("04:30", "90%", ["p3", "p2", "p1"]),
        ("04:45", "-15m", ["p3", "p2", "p1"]),
        ("05:00", "100%", ["p4", "p3", "p2", "p1"]),
        ("06:00", "+1h", ["p4", "p3", "p2", "p1"]),
        ("07:00", "+2h", ["p4", "p3", "p2", "p1"]),
    ]
    assert [step for _, step, _ in of(found, "acknowledge")] == ["0m", "10m", "30m", "100%"]


def test_who_answers_five_minutes_after_being_told_is_spared_and_ends_the_acknowledgement() -> None:
    found = played(3.9, answers={"p1": 5 * MINUTE})
    assert [step for _, step, _ in of(found, "acknowledge")] == ["0m"]
    assert of(found, "first_statement") == [("02:30", "50%", ["p1"]), ("03:45", "75%", ["p2"])]
    assert [(clock_face(each.at)[6:], each.person) for each in found.happenings][:2] == [
        ("00:05", "p1"),
        ("02:35", "p1"),
    ]


def test_everybody_may_be_named_by_a_star_and_never_is_never() -> None:
    found = played(5, answers={EVERYBODY: 10 * MINUTE, "p1": None})
    assert {each.person for each in found.happenings} == {"p2", "p3"}


def test_evidence_stops_a_clock_and_no_other_and_begins_the_rolling_one() -> None:
    seen = Change(START + 3.9 * HOUR, clock="first_statement")
    found = played(25, changes=(seen,))
    assert [step for _, step, _ in of(found, "first_statement")] == ["50%", "75%"]
    assert [step for _, step, _ in of(found, "press_conference")][-2:] == ["100%", "+1h"]
    rolling = standing(found, "update", found.scene.until)
    assert rolling is not None
    assert rolling.plan.started_at == START + 3.9 * HOUR


def test_evidence_at_the_very_moment_of_a_step_comes_before_it() -> None:
    proof = Change(START + 2.5 * HOUR, proof=EvidenceKind.STATEMENT)
    assert of(played(6, changes=(proof,)), "first_statement") == []


def test_a_raised_grade_adds_clocks_on_the_same_start_and_only_the_latest_passed_step_speaks() -> None:
    three = Situation(Grade.III, event_grade=Grade.III, confirmed=True)
    raised = Change(START + 5.5 * HOUR, grade=Grade.II)
    found = rehearse(scene(6, three, changes=(raised,)), library(), ROSTER)
    assert of(found, "first_statement") == [
        ("05:30", "100%", ["p4", "p3", "p2", "p1"]),
        ("06:00", "+1h", ["p4", "p3", "p2", "p1"]),
    ]
    first = next(line for line in found.lines if line.clock == "first_statement")
    assert first.late == 0.5 * HOUR
    old = standing(found, "general_response", found.scene.until)
    assert old is not None
    assert old.state is ClockState.SUPERSEDED


def test_a_graver_grade_is_acknowledged_anew() -> None:
    three = Situation(Grade.III, event_grade=Grade.III, confirmed=True)
    raised = Change(START + HOUR, grade=Grade.I)
    found = rehearse(scene(2, three, changes=(raised,), answers={"p1": 5 * MINUTE}), library(), ROSTER)
    spans = [span for span in found.spans if span.clock == "acknowledge"]
    assert [(span.plan.started_at - START, span.state) for span in spans] == [
        (0 * HOUR, ClockState.MET),
        (HOUR, ClockState.MET),
    ]


def test_the_state_at_a_moment_is_what_the_board_would_say() -> None:
    found = played(6, changes=(Change(START + 5.2 * HOUR, proof=EvidenceKind.STATEMENT),))
    span = standing(found, "first_statement", found.scene.until)
    assert span is not None
    states = [state_at(span, found.lines, START + hours * HOUR) for hours in (0, 2.6, 5, 5.5)]
    assert states == [ClockState.RUNNING, ClockState.AT_RISK, ClockState.BREACHED, ClockState.MET_LATE]


def test_an_absence_puts_the_substitute_into_the_line() -> None:
    away = replace(ROSTER, absences=(Absence("p1", START, START + 9 * HOUR, "p3"),))
    found = rehearse(scene(3), library(), away)
    assert of(found, "first_statement") == [("02:30", "50%", ["p3"])]


def test_an_incident_that_is_opened_late_begins_with_the_step_that_is_owed_now() -> None:
    late = replace(scene(6), opens=START + 4.6 * HOUR)
    found = rehearse(late, library(), ROSTER)
    assert [step for _, step, _ in of(found, "first_statement")] == ["90%", "-15m", "100%", "+1h"]


def test_the_line_names_channel_and_address_and_lines_come_in_time_order() -> None:
    found = played(48)
    assert (found.lines[0].told[0].channel, found.lines[0].told[0].address) == ("hook", "a1")
    assert [line.at for line in found.lines] == sorted(line.at for line in found.lines)
    assert found == played(48)


def test_a_clock_that_says_nothing_says_why_and_speaks_when_the_matter_spreads() -> None:
    quiet = Situation(Grade.II, event_grade=Grade.II, kind=OpinionKind.NOT_YET_SPREAD)
    found = rehearse(scene(3, quiet), library(), ROSTER)
    words = "；".join(found.silent)
    assert "首次发布权威信息: 预置" in words
    assert of(found, "first_statement") == []
    spread = Change(START + 2 * HOUR, known=StartEvent.FIRST_PUBLIC)
    found = rehearse(scene(3, quiet, changes=(spread,)), library(), ROSTER)
    assert of(found, "first_statement") == [("02:30", "50%", ["p1"])]


def working_days() -> Library:
    rule = next(rule for _, rule in library().rules(TWO) if rule.id == "press_conference")
    days = replace(rule, name="依申请公开", amount=WorkingDays(20))
    return Library((Playbook("foi", "公开", "1", "", ALWAYS, (BookClock(ALWAYS, days),), 2 * HOUR),))


def test_a_year_without_a_calendar_refuses_its_clock_aloud() -> None:
    found = rehearse(scene(48), working_days(), ROSTER, {2025: YearDays()})
    assert found.spans == ()
    assert "依申请公开: 2026 年没有工作日历" in found.silent[0]


def test_a_clock_whose_start_nobody_knows_says_nothing() -> None:
    assert rehearse(replace(scene(48), times={}), library(), ROSTER).lines == ()


# ── the picture ───────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def picture() -> str:
    start = datetime(2026, 9, 30, 2, 13, tzinfo=CST)
    found = rehearse(
        replace(scene_at(start, TWO, 48 * HOUR), answers={"p1": 5 * MINUTE}),
        library(),
        ROSTER,
    )
    return gantt(found, day_names(start.date(), found.scene.until.date(), published()), "<推演>")


def test_the_picture_is_whole_xml_that_names_clocks_people_law_and_the_holiday(picture: str) -> None:
    words = [node.text for node in ElementTree.fromstring(picture).iter() if node.text]
    for word in ("首次发布权威信息", "1 第1人", "4 第4人", "国庆节", "<推演>"):
        assert word in words, word
    assert any("法定" in word for word in words)
    assert "now" not in picture


def test_the_picture_shades_each_night_and_marks_each_step_with_who_is_told(picture: str) -> None:
    root = ElementTree.fromstring(picture)
    shaded = [node for node in root.iter("{http://www.w3.org/2000/svg}rect") if node.get("fill") == "#e8ebf2"]
    assert len(shaded) == 5  # 02:13–06, 22–24, 00–06, 22–24, 00–02:13
    hints = [node.text or "" for node in root.iter("{http://www.w3.org/2000/svg}title")]
    assert "09-30 04:43 50% → 第1人" in hints


def test_a_rehearsal_without_clocks_is_still_a_picture() -> None:
    nothing = rehearse(replace(scene(48), times={}), library(), ROSTER)
    assert ElementTree.fromstring(gantt(nothing, {})).tag.endswith("svg")


def test_a_rehearsal_of_eight_times_the_length_takes_about_eight_times_the_work() -> None:
    """Not sixty-four times: each step is walked over once. Calls are counted, for no clock is quiet enough."""

    def work(hours: float) -> int:
        profile = cProfile.Profile()
        assert len(profile.runcall(played, hours).lines) > hours
        return sum(entry.callcount for entry in profile.getstats())

    work(100)
    assert work(4_000) < 12 * work(500)


def test_a_rehearsal_that_grows_too_long_ends_where_its_lines_do() -> None:
    found = rehearse(scene(48), library(), ROSTER, most=20)
    whole = played(48)
    assert found.cut
    assert not whole.cut
    assert found.lines == whole.lines[: len(found.lines)]
    assert 20 <= len(found.lines) < len(whole.lines)
    assert found.scene.until == found.lines[-1].at


def test_without_repeats_nothing_else_changes() -> None:
    found, whole = played(30, repeats=False), played(30)
    assert found.lines == tuple(line for line in whole.lines if not line.step.startswith("+"))
    assert len(found.lines) < len(whole.lines)
