"""Verdicts → incidents, links and grades, within the transaction of whoever sorts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import datetime, timedelta
from typing import Any

from flows.judging.rows import facts_row, judgement_row, part_of, part_row
from flows.judging.sorting import TICKETS, Cluster, Sorter, Verdict, shown_title
from flows.judging.stored import time_of
from flows.wiring import House
from models.core.concern import FLAG_AT
from models.core.grade import Graded, GradePart, grade
from models.core.moment import clock_face, iso
from models.core.personal import mask_personal
from models.core.situation import Situation
from models.core.vocabulary import Grade, Medium, OpinionKind, StartEvent
from models.ledger import acts, incidents, judgements, signals, slices
from models.ledger.entry import Entry
from models.ledger.journal import append
from models.ledger.store import Connection, Row

HISTORY = timedelta(days=30)
"""A signal published longer ago is judged and kept, but opens no clock: it is history, not news."""


@dataclass
class Done:
    """What a round of triage did."""

    judged: int = 0
    opened: int = 0
    linked: int = 0
    regraded: int = 0
    read: int = 0  # for another process, which sorts

    def __add__(self, other: Done) -> Done:
        return Done(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))

    def __str__(self) -> str:
        beside = f"，代读 {self.read}" if self.read else ""
        return f"研判 {self.judged}，立案 {self.opened}，归并 {self.linked}，改级 {self.regraded}{beside}"


def append_verdicts(
    conn: Connection, house: House, sorter: Sorter, rows: Sequence[Row[Any]], verdicts: Sequence[Verdict]
) -> Done:
    """Open, link, judge, raise; the batch leaves what waits."""
    now = house.time.now()
    homes = judgements.homes(conn, {verdict.cluster for verdict in verdicts})
    done = Done(judged=len(rows))
    judged: dict[int, dict[str, Any]] = {}
    fresh: set[str] = set()
    copies = signals.originals(conn, rows)
    for row, verdict in zip(rows, verdicts, strict=True):
        cluster = sorter.clusters[verdict.cluster]
        home = homes.get(verdict.cluster)
        if home is None and verdict.flagged and _is_news(row, now):
            home = _open(conn, house, row, verdict, cluster, now)
            homes[verdict.cluster] = home
            fresh.add(verdict.cluster)
            done.opened += 1
        elif home is not None:
            done.linked += 1
        judged[row.id] = judgement_row(row, verdict, home, now) | {"copy_of": copies.get(row.id)}
    _link_earlier(conn, now, homes, judged)
    _take_back(conn, now, {cluster: homes[cluster] for cluster in fresh})
    append(conn, now, [Entry("signals_judged", {"insert": {"judgement": list(judged.values())}}, "huiying")])
    _count(conn, now, judged.values(), rows)
    _spread(conn, house, rows, judged, now)
    done.regraded = _regrade(conn, house, sorter, homes, now)
    signals.mark_triaged(conn, rows, now)
    slices.drop(conn, rows[-1].id)
    return done


def _is_news(row: Row[Any], now: datetime) -> bool:
    """May this signal open an incident? Not history, and not what we published ourselves."""
    return now - time_of(row) <= HISTORY and row.medium != Medium.OFFICIAL.value


def _open(
    conn: Connection, house: House, row: Row[Any], verdict: Verdict, cluster: Cluster, now: datetime
) -> str:
    graded = _floored(house, row, verdict, cluster.graded())
    opening = acts.Opening(
        title=cluster.title if verdict.concern <= FLAG_AT else shown_title(row),
        grade=graded.grade,
        times=_times(row, cluster, now) | _told_time(row, verdict, now),
        by="huiying",
        reason=mask_personal("；".join(verdict.reasons[:4])),
        grade_parts=[part_row(part) for part in graded.parts],
        kind=verdict.kind,
        event_type=verdict.event,
        medium=row.medium,
        place=_place(row, verdict),
        facts=facts_row(cluster.facts),
        why=_why_times(row, verdict, now),
    )
    return acts.open_incident(conn, now, opening, house.rules_for)


def _floored(house: House, row: Row[Any], verdict: Verdict, graded: Graded) -> Graded:
    """The grade, raised to what a playbook asks for at least (`grades`); a person confirms it like any other."""
    situation = Situation(
        graded.grade,
        graded.part("event"),
        graded.part("heat"),
        graded.part("sensitivity"),
        verdict.event,
        verdict.kind,
        medium=row.medium,
    )
    asked = house.library.floor(situation)
    if asked is None or asked[1].at_least <= graded.grade:
        return graded
    book, rule = asked
    least = rule.at_least
    reason = f"不低于{least.zh}({least}):预案“{book.name}”的定级规则{'(建议)' if rule.proposal else ''}"
    facts = tuple(basis.fact for basis in rule.basis if basis.fact)
    kept = [part for part in graded.parts if part.part != "sensitivity"]
    return grade([*kept, GradePart("sensitivity", least, reason, facts, bool(rule.proposal))])


def _times(row: Row[Any], cluster: Cluster, now: datetime) -> dict[StartEvent, datetime]:
    """Discovery is now; the first public word and the receipt are as early as we know them."""
    times = {StartEvent.DISCOVERY: now}
    said = min(time_of(row), cluster.first_at, now)
    times[StartEvent.RECEIPT if Medium(row.medium) in TICKETS else StartEvent.FIRST_PUBLIC] = said
    if row.occurred_at is not None and row.occurred_at <= now:
        times[StartEvent.OCCURRENCE] = row.occurred_at
    return times


def _told_time(row: Row[Any], verdict: Verdict, now: datetime) -> dict[StartEvent, datetime]:
    """When the text says it happened: the earliest of a sound interval (law 7, strict), where the source
    gives no time of its own. A person corrects it like any other."""
    told = verdict.occurred
    if row.occurred_at is not None or told is None or not told.sure or told.earliest > now:
        return {}
    return {StartEvent.OCCURRENCE: told.earliest}


def _why_times(row: Row[Any], verdict: Verdict, now: datetime) -> dict[StartEvent, str]:
    told = verdict.occurred
    if told is None or not _told_time(row, verdict, now):
        return {}
    span = f"{clock_face(told.earliest)} 至 {clock_face(told.latest)}"
    words = mask_personal(told.words)
    return {StartEvent.OCCURRENCE: f"据“{words}”推算在 {span}，从严取最早，请核对"}


def _place(row: Row[Any], verdict: Verdict) -> str | None:
    """As the source states it, else as the text does, where that is sure."""
    if row.place:
        return mask_personal(row.place)
    return verdict.place.zh if verdict.place and verdict.place.sure else None


def _link_earlier(
    conn: Connection, now: datetime, homes: Mapping[str, str], judged: dict[int, dict[str, Any]]
) -> None:
    """When a cluster becomes an incident, its earlier signals go with it."""
    for row in judged.values():
        if row["incident_id"] is None:
            row["incident_id"] = homes.get(row["cluster"])
    waiting = judgements.homeless(conn, homes)
    moved = [{"signal_id": signal, "incident_id": homes[cluster]} for signal, cluster in waiting]
    if moved:
        grown = Counter(homes[cluster] for _, cluster in waiting)
        payload = {"update": {"judgement": moved, "incident": _grown(conn, grown)}}
        append(conn, now, [Entry("signals_linked", payload, "huiying", "同一事件的先前线索")])


def _take_back(conn: Connection, now: datetime, opened: Mapping[str, str]) -> None:
    """What a burst had taken in passing goes with the incident that it turns out to be."""
    taken = judgements.taken_in_passing(conn, opened) if opened else []
    if not taken:
        return
    moved = [
        {"signal_id": signal, "incident_id": opened[cluster], "link_reason": None}
        for signal, cluster, _ in taken
    ]
    grown = Counter(opened[cluster] for _, cluster, _ in taken)
    grown.subtract(Counter(burst for _, _, burst in taken))
    payload = {"update": {"judgement": moved, "incident": _grown(conn, grown)}}
    append(conn, now, [Entry("signals_linked", payload, "huiying", "曾随突增归并，现单独立案")])


def _grown(conn: Connection, grown: Mapping[str, int]) -> list[dict[str, Any]]:
    about = incidents.by_ids(conn, grown)
    return [{"id": name, "signal_count": about[name].signal_count + more} for name, more in grown.items()]


def _count(
    conn: Connection, now: datetime, judged: Iterable[Mapping[str, Any]], rows: Sequence[Row[Any]]
) -> None:
    """Each incident's number of signals and the time of its last one."""
    said = {row.id: time_of(row) for row in rows}
    grown: Counter[str] = Counter()
    last: dict[str, datetime] = {}
    for row in judged:
        home = row["incident_id"]
        if home:
            grown[home] += 1
            last[home] = max(last.get(home, said[row["signal_id"]]), said[row["signal_id"]])
    if grown:
        changes = [change | {"last_signal_at": iso(last[change["id"]])} for change in _grown(conn, grown)]
        append(conn, now, [Entry("signals_counted", {"update": {"incident": changes}}, "huiying")])


def _spread(
    conn: Connection,
    house: House,
    rows: Sequence[Row[Any]],
    judged: Mapping[int, Mapping[str, Any]],
    now: datetime,
) -> None:
    """The first public word on an emergency that had not spread: its armed clocks run from now on."""
    told = [row for row in rows if judged[row.id]["incident_id"] and _is_public(row)]
    homes = incidents.by_ids(conn, {judged[row.id]["incident_id"] for row in told})
    for row in sorted(told, key=time_of):
        home = judged[row.id]["incident_id"]
        if homes[home].kind == OpinionKind.NOT_YET_SPREAD.value:
            why = f"出现公开信息: {shown_title(row)}"
            acts.learn_time(conn, now, home, StartEvent.FIRST_PUBLIC, time_of(row), why, house.rules_for)


def _is_public(row: Row[Any]) -> bool:
    """Said in public by others: no ticket, and not what we published ourselves."""
    return Medium(row.medium) not in TICKETS and row.medium != Medium.OFFICIAL.value


def _regrade(conn: Connection, house: House, sorter: Sorter, homes: Mapping[str, str], now: datetime) -> int:
    """Raise a provisional grade when the signals say so; against a person's grade only propose."""
    changed = 0
    about = incidents.by_ids(conn, set(homes.values()))
    for cluster_key, home in homes.items():
        row, cluster = about[home], sorter.clusters[cluster_key]
        parts = _merged(row.grade_parts, cluster)
        graded = grade(parts)
        if graded.grade <= Grade(row.grade):
            continue
        why = "；".join(graded.reasons[:2])
        if row.provisional:
            acts.set_grade(
                conn, now, home, graded.grade, "huiying", why, house.rules_for,
                provisional=True, parts=[part_row(part) for part in parts], facts=facts_row(cluster.facts),
            )  # fmt: skip
            about[home] = incidents.get(conn, home)  # another cluster of this batch may share the home
            changed += 1
        elif not incidents.proposed(conn, home, graded.grade):
            acts.propose_grade(conn, now, home, graded.grade, why)
    return changed


def _merged(kept: Sequence[Mapping[str, Any]], cluster: Cluster) -> list[GradePart]:
    """The gravest of each part, of what the incident has and what its cluster now says."""
    best = {part["part"]: part_of(part) for part in kept if part.get("grade") and part["part"] != "person"}
    for name, part in cluster.parts.items():
        if name not in best or part.grade > best[name].grade:
            best[name] = part
    return list(best.values())
