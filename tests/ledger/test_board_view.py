"""The board by SQL says the same as the whole of it cut by hand, on both engines; and what trends read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, update

from models.core.boards import EVERYTHING, NO_KIND, UNGIVEN, Standing, Wanted
from models.core.moment import parse_iso
from models.core.vocabulary import ClockState, Grade
from models.ledger import board_view, trends, views
from models.ledger.board_view import CLOCK, INCIDENT, PARTY
from models.ledger.store import Store
from support.full_board import fill, name

NOW = parse_iso("2026-11-22T15:00+08:00")
SOME = 120
OPEN = {"running", "at_risk", "breached"}
View = dict[str, Any]


@pytest.fixture
def full(store: Store) -> Store:
    """120 open incidents; one of them closed since, one without clocks, one given to a second unit, one nameless."""
    fill(store, NOW, SOME)
    with store.write() as conn:
        conn.execute(update(INCIDENT).where(INCIDENT.c.id == name(1)).values(closed_at=NOW))
        conn.execute(CLOCK.delete().where(CLOCK.c.incident_id == name(2)))
        conn.execute(
            update(INCIDENT).where(INCIDENT.c.id == name(3)).values(kind=None, title="100% 停水_通报")
        )
        conn.execute(
            update(CLOCK)
            .where(CLOCK.c.incident_id == name(1))
            .values(state=ClockState.WAIVED.value, ended_at=NOW)
        )
        conn.execute(insert(PARTY).values(_asked(name(4), "水务局")))
    return store


def _asked(incident: str, unit: str) -> View:
    row = {"id": f"p-{incident}", "incident_id": incident, "unit": unit, "role": "co", "state": "asked"}
    return row | {"asked_at": NOW, "asked_by": "li", "reason": "会商", "first": False}


def whole(store: Store) -> list[View]:
    with store.read() as conn:
        return views.board(conn, NOW, {})


def shown(store: Store, wanted: Wanted) -> list[str]:
    with store.read() as conn:
        return [one["id"] for one in board_view.window(conn, wanted, NOW, {})]


def found(store: Store, wanted: Wanted) -> int:
    with store.read() as conn:
        return board_view.found(conn, wanted, NOW)


def states(incident: View) -> set[str]:
    return {clock["state"] for clock in incident["clocks"]}


def test_a_stretch_is_the_whole_board_cut_at_the_same_places(full: Store) -> None:
    everything = whole(full)
    with full.read() as conn:
        assert board_view.window(conn, EVERYTHING, NOW, {}) == everything
        cut = board_view.window(conn, Wanted(offset=50, limit=40), NOW, {})
    assert cut == everything[50:90]
    assert shown(full, Wanted(offset=SOME, limit=40)) == []


def test_the_counts_are_those_of_the_whole_board(full: Store) -> None:
    with full.read() as conn:
        assert board_view.counts(conn, EVERYTHING, NOW) == views.counts(whole(full))


FILTERS: dict[str, tuple[Wanted, Callable[[View], bool]]] = {
    "overdue": (Wanted(standings=frozenset({Standing.BREACHED})), lambda i: "breached" in states(i)),
    "at risk": (Wanted(standings=frozenset({Standing.AT_RISK})), lambda i: "at_risk" in states(i)),
    "in time": (Wanted(standings=frozenset({Standing.RUNNING})), lambda i: "running" in states(i)),
    "not acknowledged": (Wanted(standings=frozenset({Standing.UNACKED})), lambda i: not i["acked"]),
    "without a clock": (Wanted(standings=frozenset({Standing.UNTIMED})), lambda i: not states(i) & OPEN),
    "two states": (
        Wanted(standings=frozenset({Standing.UNTIMED, Standing.RUNNING})),
        lambda i: "running" in states(i) or not states(i) & OPEN,
    ),
    "grades": (Wanted(grades=frozenset({Grade.I, Grade.III})), lambda i: i["grade"] in ("I", "III")),
    "a kind": (Wanted(kinds=frozenset({"hardship"})), lambda i: i["kind"] == "hardship"),
    "no kind": (
        Wanted(kinds=frozenset({NO_KIND, "false_info"})),
        lambda i: i["kind"] in (None, "false_info"),
    ),
    "a unit": (Wanted(unit="office"), lambda i: i["owner"] == "office"),
    "not given": (Wanted(unit=UNGIVEN), lambda i: i["owner"] is None),
    "words": (Wanted(text="望江 夜间"), lambda i: "望江" in i["title"] and "夜间" in i["title"]),
    "a number": (Wanted(text="2026-0077"), lambda i: i["ref"] == "舆-2026-0077"),
    "marks of SQL": (Wanted(text="100% _"), lambda i: i["title"].startswith("100%")),
    "all at once": (
        Wanted(unit="office", text="江东", standings=frozenset({Standing.BREACHED})),
        lambda i: i["owner"] == "office" and "江东" in i["title"] and "breached" in states(i),
    ),
}


def test_each_filter_finds_what_a_hand_would_pick(full: Store) -> None:
    everything = whole(full)
    for case, (wanted, picks) in FILTERS.items():  # one filled database for them all
        picked = [one["id"] for one in everything if picks(one)]
        assert picked, case
        assert shown(full, wanted) == picked, case
        assert found(full, wanted) == len(picked), case
        assert shown(full, replace(wanted, limit=2)) == picked[:2], case


def test_an_account_of_a_unit_sees_what_the_unit_leads_or_was_asked_for(full: Store) -> None:
    water = Wanted(units=frozenset({"水务局"}))
    assert shown(full, water) == [name(4)]
    open_to_all = shown(full, Wanted(units=frozenset({"水务局", UNGIVEN})))
    assert set(open_to_all) == {name(4)} | {one["id"] for one in whole(full) if one["owner"] is None}
    with full.read() as conn:
        assert board_view.counts(conn, water, NOW)["open"] == 1
        clocks = [c for one in whole(full) if one["id"] == name(4) for c in one["clocks"]]
        assert board_view.counts(conn, water, NOW)["breached"] == [c["state"] for c in clocks].count(
            "breached"
        )


def test_a_filter_never_shows_more_than_the_account_may_see(full: Store) -> None:
    wanted = Wanted(units=frozenset({"水务局"}), unit="应急管理局")
    assert shown(full, wanted) == []
    assert shown(full, Wanted(units=frozenset())) == []


def test_the_numbers_count_from_each_start_and_an_acknowledgement_is_no_answer(full: Store) -> None:
    starts = {"hour": NOW - timedelta(hours=1), "always": NOW - timedelta(days=30)}
    with full.read() as conn:
        hour, always = trends.since(conn, starts, NOW)
    assert always["opened"] == SOME
    assert 0 < hour["opened"] < SOME
    assert always["ack_s"] == 9 * 60
    assert always["on_time"] == 0
    late = sum(
        c["id"] != "acknowledge" for one in whole(full) for c in one["clocks"] if c["state"] == "breached"
    )
    assert always["late"] == late


def test_trends_read_what_fell_due_and_who_was_noticed_when(full: Store) -> None:
    span = (NOW - timedelta(days=30), NOW + timedelta(days=3))
    with full.read() as conn:
        ended = trends.ended(conn, *span, NOW, None, str)
        noticed = trends.noticed(conn, *span, None, str)
        theirs = trends.ended(conn, *span, NOW, frozenset({"office"}), str)
    due = [c for one in whole(full) for c in one["clocks"] if c["state"] in ("breached", "met")]
    waived = 3
    assert len(ended) == len(due) + waived
    assert {one.after_s for one in noticed} == {None, 540.0}
    assert theirs
    assert {one.unit for one in theirs} == {"office"}
