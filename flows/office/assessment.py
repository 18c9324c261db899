"""考核: worked out of the journal alone, with the hash of its last entry beside the figures.

Implements `connectors.console.desks.assessment.AssessmentDesk`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from connectors.console.desk import Refusal, View
from flows.office.asked import Params
from flows.office.handling import Desk
from flows.office.plainly import in_words, reachable
from flows.office.registers import counter_view, counters, moment
from flows.office.tasking import unit_name
from flows.wiring import House
from models.core.assessment import (
    Draft,
    Judged,
    Matter,
    Points,
    Scored,
    Tally,
    Weight,
    drafts,
    first_statement_median,
    full_points,
    scored,
    share,
    tallies,
)
from models.core.moment import CST, iso, local
from models.core.registers import standings
from models.ledger import assessment
from models.ledger.assessment import Pricing, Span
from models.ledger.registers import counted
from models.ledger.replayed import Replayed
from models.ledger.store import Connection
from playbooks.assessment_paper import BASIS

LONGEST = timedelta(days=366 * 3)
SETTLING = timedelta(days=400)
"""How far back drafts of accountability are looked for."""


class Assessment:
    """The assessment seen from the desk of a person."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def assess(self, params: Params) -> View:
        """from, to: days or times; not given, this year until now. Raises Refusal."""
        with in_words(), reachable():
            since, until = span_of(params, self.desk.now())
            return assess(self.desk.house, since, until)


def span_of(params: Params, now: datetime) -> tuple[datetime, datetime]:
    """[from, to): a day as `to` is meant whole. Raises Refusal."""
    since = moment(params, "from", "起") or datetime(local(now).year, 1, 1, tzinfo=CST)
    until = moment(params, "to", "止") or now
    until += timedelta(days=1) if len(params.get("to", "").strip()) == len("2026-01-01") else timedelta(0)
    if until <= since:
        raise Refusal(f"考核止 {iso(until)} 不晚于起 {iso(since)}；请核对 from 和 to")
    if until - since > LONGEST:
        raise Refusal("考核期最长三年；请分段考核")
    return since, until


def assess(house: House, since: datetime, until: datetime) -> View:
    """from, to, profile, head, entries, weights [{key, name, weight, full, basis}], units [UNIT], totals,
    triggers [{id, trigger, trigger_zh, unit, incident, why, state, state_zh, basis}], registers [COUNTER].

    UNIT: unit, name, clocks [TALLY], work [TALLY], parts [{key, name, score, cases}], score, rank, deductions,
    bonuses [{why, points, ref}]. TALLY: rule_id, name, total, met, met_late, breached, waived_late, waived, on_time
    (0..1 or None); waived_late says how many of the breached were waived when the limit had passed.
    Raises models.ledger.replayed.Broken when the journal's chain does not hold.
    """
    with house.store.read() as conn:
        told = assessment.read(conn)
    span = Span(since, until, house.time.now())
    unit = partial(unit_name, house)
    weights = weights_of(house)
    matter = _matter(house, told, span, unit)
    judged = [clock for clock in matter.clocks if not clock.own]
    return {
        "from": iso(since),
        "to": iso(until),
        "at": iso(span.now),
        "profile": house.site.profile,
        "head": told.head,
        "entries": told.entries,
        "weights": [_weight(weight) for weight in weights],
        "units": [_unit(one) for one in scored(matter, weights)],
        "totals": _totals(told, span, judged, matter),
        "triggers": _triggers(told, span, unit, matter),
        "registers": _registers(house, told, span),
    }


def weights_of(house: House) -> tuple[Weight, ...]:
    """The site's weights; a calendar of the profile that asks for more is heeded by lint, not here."""
    return full_points(house.site.assessment.weights.by_part(), BASIS)


def _matter(house: House, told: Replayed, span: Span, unit: Callable[[str], str]) -> Matter:
    given = house.site.assessment
    price = Pricing(given.complaint, given.accountability, given.bonus)
    return Matter(
        tuple(assessment.clocks(told, span, unit)),
        tuple(assessment.kept(told, span, unit)),
        tuple(assessment.deductions(told, span, unit, price)),
        tuple(assessment.bonuses(told, span, unit, price)),
        given.most_bonus,
    )


def drafts_of(conn: Connection, house: House, now: datetime) -> list[Draft]:
    """What looks like a case of S-125 as things stand and is not written down yet, for the daily duty.

    Raises models.ledger.replayed.Broken when the journal's chain does not hold.
    """
    told = assessment.read(conn)
    return _fresh(told, _matter(house, told, Span(now - SETTLING, now, now), partial(unit_name, house)))


def _fresh(told: Replayed, matter: Matter) -> list[Draft]:
    known = assessment.drafted(told)
    return [one for one in drafts(matter.clocks, matter.kept) if one.ref not in known]


def _weight(weight: Weight) -> View:
    return {
        "key": weight.part.value,
        "name": weight.part.zh,
        "weight": weight.weight,
        "full": weight.full,
        "basis": list(weight.basis),
    }


def _unit(one: Scored) -> View:
    return {
        "unit": one.unit,
        "name": one.unit,
        "clocks": [_tally(tally) for tally in one.clocks],
        "work": [_tally(tally) for tally in one.own],
        "parts": [
            {"key": part.value, "name": part.zh, "score": points, "cases": cases}
            for part, points, cases in one.parts
        ],
        "score": one.score,
        "rank": one.rank,
        "deductions": [_points(each) for each in one.deductions],
        "bonuses": [_points(each) for each in one.bonuses],
    }


def _tally(tally: Tally) -> View:
    return {
        "rule_id": tally.rule_id,
        "name": tally.name,
        "total": tally.total,
        "met": tally.met,
        "met_late": tally.met_late,
        "breached": tally.breached,
        "waived": tally.waived,
        "waived_late": tally.waived_late,
        "on_time": tally.on_time,
    }


def _points(each: Points) -> View:
    return {"why": each.why, "points": each.points, "ref": each.ref}


def _totals(told: Replayed, span: Span, judged: Sequence[Judged], matter: Matter) -> View:
    whole = tallies(judged)
    met, over = sum(t.met for t in whole), sum(t.met_late + t.breached for t in whole)
    return {
        "incidents": assessment.opened(told, span),
        "clocks": len(judged),
        "met": met,
        "met_late": sum(t.met_late for t in whole),
        "breached": sum(t.breached for t in whole),
        "waived": sum(t.waived for t in whole),
        "on_time": share(met, met + over),
        "first_statement_median_s": first_statement_median(judged),
        "entries": len(matter.kept),
        "entries_on_time": share(sum(each.on_time for each in matter.kept), len(matter.kept)),
        "rules": [_tally(tally) for tally in whole],
    }


def _triggers(told: Replayed, span: Span, unit: Callable[[str], str], matter: Matter) -> list[View]:
    """What was drafted, and what looks like one and is not drafted yet (`state` proposed)."""
    written = list(assessment.findings(told, span, unit))
    return [*written, *map(_proposed, _fresh(told, matter))]


def _proposed(one: Draft) -> dict[str, Any]:
    return {
        "id": None,
        "trigger": one.trigger.value,
        "trigger_zh": one.trigger.zh,
        "unit": one.unit,
        "incident": one.incident,
        "why": one.why,
        "state": "proposed",
        "state_zh": "尚未立为建议",
        "result": None,
        "ref": one.ref,
        "basis": one.trigger.basis,
    }


def _registers(house: House, told: Replayed, span: Span) -> list[View]:
    """How the calendar's counters stood at the end of the span."""
    entries = counted(assessment.entries(told))
    began, at = told.began or span.now, span.end - timedelta(seconds=1)
    seen = [entry for entry in entries if entry.at <= at]
    found = [one for counter in counters(house) for one in standings(counter, seen, at, began)]
    return [_as_register(counter_view(one)) for one in found]


def _as_register(view: View) -> View:
    kind, zh = view.pop("register"), view.pop("register_zh")
    return {"kind": kind or "other", "kind_zh": zh or "其他", **view}
