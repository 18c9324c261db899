"""The chain of times from journal entries, and what was late in it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from models.core.aftermath import Told, chain, late
from models.core.moment import iso
from models.core.vocabulary import ClockState
from support.duty import HOUR, MIDNIGHT


def told(seq: int, hours: float, kind: str, **payload: Any) -> Told:
    return Told(seq, MIDNIGHT + hours * HOUR, kind, "chen", payload)


def clock(name: str, start: float, due: float, state: str = "running") -> dict[str, Any]:
    started, due_at = iso(MIDNIGHT + start * HOUR), iso(MIDNIGHT + due * HOUR)
    return {"id": name, "name": name, "started_at": started, "due_at": due_at, "state": state}


def words(*entries: Told) -> list[str]:
    return [link.moment.what for link in chain(entries)]


def test_the_times_stand_in_their_own_order_with_the_gap_to_the_one_before() -> None:
    time = {"event": "occurrence", "value": iso(MIDNIGHT), "author": "li"}
    opened = told(1, 1, "incident_opened", insert={"incidenttime": [time]})
    acked = told(2, 1.5, "acknowledged", insert={})
    found = [
        (link.moment.what, link.moment.by, link.moment.seq, link.gap_s) for link in chain([acked, opened])
    ]
    assert found == [("事件发生", "li", 1, None), ("立案", "chen", 1, 3600.0), ("签收", "chen", 2, 1800.0)]


def test_a_clock_shows_its_start_its_due_time_and_its_end() -> None:
    planned = told(1, 0, "clocks_planned", insert={"clock": [clock("首次发布", 0, 5)]})
    ended = told(
        2, 6, "evidence_added",
        update={"clock": [{"id": "首次发布", "state": "met_late", "ended_at": iso(MIDNIGHT + 6 * HOUR)}]},
    )  # fmt: skip
    assert words(planned, ended) == ["首次发布 起算", "首次发布 到期", "首次发布 逾期完成"]


def test_a_plan_that_was_replaced_is_left_out() -> None:
    planned = told(1, 0, "clocks_planned", insert={"clock": [clock("旧", 0, 5)]})
    dropped = told(
        2, 1, "clocks_superseded",
        update={"clock": [{"id": "旧", "state": "superseded", "ended_at": iso(MIDNIGHT + HOUR)}]},
    )  # fmt: skip
    assert words(planned, dropped) == []


def test_a_correction_stands_beside_what_it_corrects() -> None:
    first = {"event": "occurrence", "value": iso(MIDNIGHT), "author": "li"}
    second = {"event": "occurrence", "value": iso(MIDNIGHT - HOUR), "author": "chen"}
    opened = told(1, 1, "incident_opened", insert={"incidenttime": [first]})
    corrected = told(2, 2, "time_corrected", insert={"incidenttime": [second]})
    assert words(opened, corrected) == ["事件发生（更正）", "事件发生", "立案"]


def test_an_open_clock_is_late_until_now_and_a_met_one_until_its_proof() -> None:
    due, now = MIDNIGHT + 5 * HOUR, MIDNIGHT + 9 * HOUR
    open_ = late("c", "first", "首次发布", ClockState.AT_RISK, due, None, now)
    met = late("c", "first", "首次发布", ClockState.MET_LATE, due, due + timedelta(minutes=10), now)
    assert open_ is not None
    assert met is not None
    assert (open_.late_s, open_.open, met.late_s, met.open) == (4 * 3600, True, 600, False)


def test_what_was_in_time_waived_or_waiting_is_not_late() -> None:
    due, now = MIDNIGHT + 5 * HOUR, MIDNIGHT + 9 * HOUR
    for state in (ClockState.MET, ClockState.WAIVED, ClockState.ARMED, ClockState.SUPERSEDED):
        assert late("c", "first", "首次发布", state, due, now, now) is None
    assert late("c", "first", "首次发布", ClockState.RUNNING, due, None, due - HOUR) is None
