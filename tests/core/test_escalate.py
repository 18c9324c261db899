"""Who is told: the ladder, acknowledgements, absences, rungs that nobody fills."""

from __future__ import annotations

from dataclasses import replace

from models.core.escalate import escalate, next_reachable
from models.core.roster import Absence, Roster, Rotation, Rung, Sensitive
from models.core.vocabulary import Role
from support.duty import HOUR, MIDNIGHT, MINUTE, ROSTER


def told(
    rung: int, roster: Roster = ROSTER, acks: dict[str, int] | None = None, *, repeat: bool = False
) -> list[str]:
    """Whom a step of `rung` tells at midnight; `acks` are minutes ago."""
    when = {person: MIDNIGHT - ago * MINUTE for person, ago in (acks or {}).items()}
    found = escalate(rung, roster, when, MIDNIGHT, repeat=repeat)
    return sorted(telling.person.id for telling in found.tellings)


def test_a_step_tells_its_rung_and_everybody_below_who_has_not_acknowledged() -> None:
    assert told(1) == ["chen"]
    assert told(3) == ["chen", "li", "zhao"]
    assert told(3, acks={"chen": 10}) == ["li", "zhao"]


def test_an_old_acknowledgement_no_longer_keeps_repeats_away() -> None:
    assert told(2, acks={"chen": 121}) == ["chen", "li"]


def test_the_steps_own_rung_is_always_told_except_in_hourly_repeats() -> None:
    assert told(2, acks={"li": 5, "chen": 5}) == ["li"]
    assert told(4, acks={"zhou": 5}, repeat=True) == ["chen", "li", "zhao"]


def test_a_rung_that_nobody_fills_passes_to_the_next_with_the_reason() -> None:
    gap = replace(ROSTER, ladder=(*ROSTER.ladder[:1], Rung(2, Role.DUTY_LEADER), *ROSTER.ladder[2:]))
    found = escalate(2, gap, {}, MIDNIGHT)
    assert found.unfilled == (2,)
    assert {t.person.id for t in found.tellings} == {"chen", "zhao"}
    assert any("第 2 级无人可达" in t.reason for t in found.tellings)


def test_a_short_ladder_answers_for_the_rungs_it_lacks() -> None:
    short = replace(ROSTER, ladder=ROSTER.ladder[:2])
    assert told(4, short) == ["chen", "li"]


def test_nobody_at_all_is_said_and_not_hidden() -> None:
    found = escalate(1, replace(ROSTER, ladder=()), {}, MIDNIGHT)
    assert found.tellings == ()


def test_an_absent_officer_is_replaced_by_the_substitute() -> None:
    away = replace(ROSTER, absences=(Absence("chen", MIDNIGHT - HOUR, MIDNIGHT + HOUR, "zhao"),))
    assert told(1, away) == ["zhao"]
    assert told(1, replace(away, absences=(replace(away.absences[0], substitute=None),))) == ["li"]


def test_a_rotation_turns_at_its_hour_and_never_ends() -> None:
    turns = Rotation(("chen", "li", "zhao"), 24 * HOUR, MIDNIGHT)
    assert [turns.at(MIDNIGHT + n * 24 * HOUR) for n in range(4)] == ["chen", "li", "zhao", "chen"]
    assert turns.at(MIDNIGHT + 24 * HOUR - MINUTE) == "chen"
    assert turns.at(MIDNIGHT - MINUTE) == "zhao"


def test_a_snooze_keeps_away_what_is_told_again_and_never_the_rungs_own_step() -> None:
    quiet = escalate(2, ROSTER, {}, MIDNIGHT, snoozed={"chen", "li"})
    assert [t.person.id for t in quiet.tellings] == ["li"]
    assert quiet.quiet == ("chen某 已选择稍后提醒",)


def test_a_rung_whose_people_no_message_reaches_passes_to_the_next_at_once() -> None:
    found = escalate(1, ROSTER, {}, MIDNIGHT, unreached={"chen"})
    assert found.unfilled == (1,)
    assert sorted(t.person.id for t in found.tellings) == ["chen", "li"]  # chen is tried once more


def test_when_no_rung_answers_the_owner_and_the_principals_are_told() -> None:
    everybody = tuple(Absence(p.id, MIDNIGHT, MIDNIGHT + HOUR) for p in ROSTER.people)
    found = escalate(1, replace(ROSTER, absences=everybody, owner=("li",)), {}, MIDNIGHT)
    assert sorted(t.person.id for t in found.tellings) == ["li", "zhou"]
    assert found.unfilled == (1, 2, 3, 4)


def test_when_messages_reach_nobody_everybody_is_tried_again() -> None:
    found = escalate(4, ROSTER, {}, MIDNIGHT, unreached={p.id for p in ROSTER.people})
    assert sorted(t.person.id for t in found.tellings) == ["chen", "li", "zhao", "zhou"]


def test_a_message_that_reached_nobody_goes_up_then_sideways_then_down() -> None:
    def instead(rung: int, *excluding: str, roster: Roster = ROSTER) -> list[str]:
        return [p.id for p in next_reachable(roster, rung, MIDNIGHT, excluding)]

    double = replace(ROSTER, sensitive=(Sensitive("两会", MIDNIGHT, MIDNIGHT + HOUR, (4,), ("zhao",)),))
    assert instead(1, "chen") == ["li"]
    assert instead(1, "chen", "li") == ["zhao"]
    assert instead(4, "zhou", roster=double) == ["zhao"]
    assert instead(4, "zhou") == ["zhao"]
    assert instead(1, "chen", "li", "zhao", "zhou") == []
