"""Triage: unjudged signals → verdicts → incidents with clocks. Read, decide, append.

Reading (flows/judging/slices.py) is done by any number of workers; sorting remembers, so one does it: the
process that holds the lease of `triage`. Its sorter catches up with what others judged before it decides,
and every transaction proves that nobody judged meanwhile; if a commit fails the sorter is thrown away and
rebuilt from the ledger.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, dataclass
from datetime import datetime, timedelta
from typing import Any

from flows.holders import ME, is_dead
from flows.judging import planning
from flows.judging.slices import LEASE, Coming, Read, read_for_others
from flows.judging.sorting import TICKETS, Cluster, Sorter, Verdict, shown_title, whereabouts
from flows.judging.stored import key_of, time_of
from flows.wiring import House
from models.core.cluster import gist
from models.core.concern import FLAG_AT
from models.core.facts import UNITS, ZH, Facts
from models.core.grade import Graded, GradePart, grade
from models.core.moment import clock_face, iso
from models.core.personal import mask_personal
from models.core.places import Place
from models.core.situation import Situation
from models.core.text import canonical
from models.core.topics import Filing
from models.core.vocabulary import Grade, Medium, OpinionKind, StartEvent
from models.core.when import When
from models.ledger import acts, duties, incidents, judgements, signals, slices
from models.ledger.entry import Entry
from models.ledger.journal import append, newest_of
from models.ledger.store import Connection, LedgerError, Row

TRIAGE = "triage"
SPLIT = "incident_split"
TRIES = 3
"""How often a batch is decided anew because others were quicker."""
HISTORY = timedelta(days=30)
"""A signal published longer ago is judged and kept, but opens no clock: it is history, not news."""
RELOAD_MOST = 50_000
RELOAD_PIECE = 2_000
SPANS_MOST = 40  # of one text: a page of figures does not fill the ledger


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


def triage(house: House) -> Done:
    """Sort everything that waits, one transaction a batch; while one is written the next is read. Nothing
    where another process sorts: one sorts at a time."""
    with house.sorting:
        had = _is_mine(house)
        if not hold(house):
            return Done()
        try:
            return _sort_all(house)
        finally:
            if not had:
                let_go(house)


def look(house: House, each: Callable[[Done], bool] = lambda _: True) -> Done:
    """One look of a worker that stands ready: sort what waits and keep the lease for the next look, or read
    a slice for whoever sorts. Where nothing waits it costs one question. `each` is told of every batch and
    answers whether to go on."""
    with house.store.read() as conn:
        if signals.first_waiting(conn) is None:
            return Done()
    with house.sorting:
        if _is_mine(house) or hold(house):
            return _sort_all(house, each)
    return Done(read=read_for_others(house))


def note_good(house: House, next_at: datetime, done: Done) -> None:
    """Say that triage is well, if it is we who sort or if nobody does."""
    with house.store.write() as conn:
        if _renew(conn, house):
            duties.good(conn, TRIAGE, house.time.now(), next_at, ME, f"{done}{_forgotten(house)}")


def _forgotten(house: House) -> str:
    """That the window did not fit into memory, where it did not."""
    index = house.sorter.index if house.sorter else None
    if index is None or index.shed_to is None:
        return ""
    until = clock_face(index.shed_to)
    return f"；归并已记满 {len(index)} 条，{until} 以前无人呼应的线索不再参与归并（site.yaml 的 clustering.remember）"


def _sort_all(house: House, each: Callable[[Done], bool] = lambda _: True) -> Done:
    total, coming = Done(), Coming(house)
    with ThreadPoolExecutor(1, thread_name_prefix="read-ahead") as ahead:
        upto, next_one = 0, ahead.submit(coming.after, 0)
        while (batch := next_one.result()).rows:
            upto = batch.rows[-1].id
            next_one = ahead.submit(coming.after, upto)
            done = _decide(house, batch)
            total += done
            if not each(done):
                break
    return total


def _decide(house: House, batch: Read) -> Done:
    """Where each belongs is decided and written in one transaction, which holds only while nobody else has
    judged or taken a group apart since the sorter looked: it decides anew then."""
    for _ in range(TRIES):
        try:
            sorter = _sorter(house)
            batch = _still_waiting(house, batch)
            if not batch.rows:
                return Done()
            verdicts = sorter.sort(batch.readings)
            with house.store.write() as conn:
                _fence(conn, house)
                done = _append(conn, house, sorter, batch.rows, verdicts)
                planning.note(conn, batch.readings, [row.id for row in batch.rows], house.time.now())
            house.sorted_to = batch.rows[-1].id
            return done
        except Overtaken:
            house.sorter = None
        except BaseException:
            house.sorter = None  # its memory is ahead of the ledger now: build it anew
            raise
    raise Lost("研判被反复打断；几秒后自动再试")


def _still_waiting(house: House, batch: Read) -> Read:
    """The batch without what others judged since it was read; mostly all of it lies behind their last."""
    if batch.rows[0].id > house.sorted_to:
        return batch
    with house.store.read() as conn:
        waiting = {row.id for row in signals.between(conn, batch.rows[0].id, batch.rows[-1].id)}
    both = [(row, one) for row, one in zip(batch.rows, batch.readings, strict=True) if row.id in waiting]
    return Read([row for row, _ in both], [one for _, one in both])


# ── who sorts ─────────────────────────────────────────────────────────────────────────────────


class Overtaken(Exception):
    """The ledger has moved on since the sorter looked."""


class Lost(LedgerError):
    """Another process sorts now; what we had decided is not written."""


def hold(house: House) -> bool:
    """Take or keep the lease of the one that sorts; from a dead process of this machine at once."""
    with house.store.write() as conn:
        before = duties.holder(conn, TRIAGE)
        if before is not None and before != ME and is_dead(before):
            duties.release_one(conn, TRIAGE, before)
        return _renew(conn, house)


def _renew(conn: Connection, house: House) -> bool:
    now = house.time.now()
    return duties.hold(conn, TRIAGE, now, now + LEASE * house.time.speed, ME)


def let_go(house: House) -> None:
    with house.store.write() as conn:
        duties.release_one(conn, TRIAGE, ME)


def _is_mine(house: House) -> bool:
    """As far as can be seen without the lock; what is written asks again."""
    with house.store.read() as conn:
        return duties.holder(conn, TRIAGE) == ME


def _fence(conn: Connection, house: House) -> None:
    """Asked under the write lock, so it stays true until the end of the transaction."""
    if not _renew(conn, house):
        raise Lost("研判已由另一进程接手；本批不落库")
    if (judgements.newest(conn), newest_of(conn, SPLIT)) != (house.sorted_to, house.sorted_for):
        raise Overtaken


# ── the sorter's memory ───────────────────────────────────────────────────────────────────────


def _sorter(house: House) -> Sorter:
    """The process's sorter, caught up with whatever other processes have judged; a new one after a person
    took a group apart, which the old one still remembers whole."""
    with house.store.read() as conn:
        newest, parted = judgements.newest(conn), newest_of(conn, SPLIT)
    if house.sorter is None or parted != house.sorted_for:
        said = house.site.clustering
        window = timedelta(hours=said.window_hours)
        house.sorter = Sorter(house.judge, window, house.site.grading, said.remember)
        house.sorted_to, house.sorted_for = 0, parted
    if newest != house.sorted_to:
        _catch_up(house, house.sorter, newest)
    return house.sorter


def _catch_up(house: House, sorter: Sorter, newest: int) -> None:
    """Read piece by piece, the lease renewed between: a long past is no reason to lose it."""
    oldest = house.time.now() - sorter.window
    with house.store.read() as conn:
        begin = judgements.reload_from(conn, house.sorted_to, RELOAD_MOST)
    while begin < newest:
        with house.store.read() as conn:
            rows = judgements.judged_since(conn, begin, oldest, RELOAD_PIECE)
        for row in rows:
            _remember(sorter, row)
        begin = rows[-1].id if rows else newest
        with house.store.write() as conn:
            _renew(conn, house)
    house.sorted_to = newest


def _remember(sorter: Sorter, row: Row[Any]) -> None:
    at = time_of(row)
    cluster = sorter.clusters.setdefault(row.cluster, Cluster(row.cluster, shown_title(row), at, at))
    words = gist(canonical(row.title), canonical(row.body))
    sorter.index.add_gist(row.cluster, key_of(row), words, at, _whereabouts(row))
    counts = {name: value for name, value in row.facts.items() if name in ZH}
    parts = [_part(part) for part in row.grade_parts]
    cluster.take(Facts(**counts), parts, Medium(row.medium), at, row.rumour)
    cluster.flagged = cluster.flagged or row.was_flagged


def _whereabouts(row: Row[Any]) -> str | None:
    found = (row.details or {}).get("place")
    named = ("province", "city", "county", "sure")
    return whereabouts(Place(**{name: found[name] for name in named}) if found else None, row.place)


def part_row(part: GradePart) -> dict[str, Any]:
    return {
        "part": part.part,
        "grade": part.grade.value,
        "reason": part.reason,
        "basis": list(part.basis),
        "suggested": part.suggested,
    }


def _part(row: Mapping[str, Any]) -> GradePart:
    return GradePart(row["part"], Grade(row["grade"]), row["reason"], tuple(row["basis"]), row["suggested"])


# ── deciding and appending ────────────────────────────────────────────────────────────────────


def _append(
    conn: Connection, house: House, sorter: Sorter, rows: Sequence[Row[Any]], verdicts: Sequence[Verdict]
) -> Done:
    now = house.time.now()
    homes = judgements.homes(conn, {verdict.cluster for verdict in verdicts})
    done = Done(judged=len(rows))
    judged: dict[int, dict[str, Any]] = {}
    copies = signals.originals(conn, rows)
    for row, verdict in zip(rows, verdicts, strict=True):
        cluster = sorter.clusters[verdict.cluster]
        home = homes.get(verdict.cluster)
        if home is None and verdict.flagged and _is_news(row, now):
            home = _open(conn, house, row, verdict, cluster, now)
            homes[verdict.cluster] = home
            done.opened += 1
        elif home is not None:
            done.linked += 1
        judged[row.id] = _judgement_row(row, verdict, home, now) | {"copy_of": copies.get(row.id)}
    _link_earlier(conn, now, homes, judged)
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


def facts_row(facts: Facts) -> dict[str, Any]:
    """The stated counts with the words they were read from, for the incident page."""
    return {
        name: {
            "value": getattr(facts, name),
            "unit": UNITS.get(name, "人"),
            "text": f"{zh}: “{mask_personal(facts.why(name))}”",
        }
        for name, zh in ZH.items()
        if getattr(facts, name) is not None
    }


def _judgement_row(row: Row[Any], verdict: Verdict, home: str | None, now: datetime) -> dict[str, Any]:
    judged = verdict.judgement
    facts = {name: getattr(verdict.facts, name) for name in ZH}
    return {
        "signal_id": row.id,
        "at": iso(now),
        "sentiment": judged.sentiment,
        "sentiment_score": judged.sentiment_score,
        "topic": judged.topic,
        "topic_margin": judged.topic_margin,
        "kind": verdict.kind.value if verdict.kind else None,
        "rumour": judged.rumour,
        "concern": verdict.concern,
        "flagged": verdict.flagged,
        "grade": verdict.graded.grade.value,
        "event_type": verdict.event.value if verdict.event else None,
        "facts": {name: value for name, value in facts.items() if value is not None},
        "grade_parts": [part_row(part) for part in verdict.graded.parts],
        "reasons": [mask_personal(reason) for reason in verdict.reasons],
        "versions": dict(judged.versions),
        "cluster": verdict.cluster,
        "incident_id": home,
        "details": details(verdict),
        "link_score": verdict.link.score if verdict.link else None,
        "link_reason": mask_personal(verdict.link.reason) if verdict.link else None,
    }


def details(verdict: Verdict) -> dict[str, Any]:
    """What was read beside the counts, with its words: kind of event, place, time, spans of the facts, and
    where it stands in the site's own topics.

    Spans count characters of the canonical text. Empty where nothing was read.
    """
    sub, place, told = verdict.subtype, verdict.place, verdict.occurred
    spans = [
        {"kind": f.kind, "value": f.value, "start": f.start, "end": f.end, "words": mask_personal(f.words)}
        for f in verdict.facts.evidence[:SPANS_MOST]
    ]
    return {
        **({"event_subtype": sub.kind.value, "event_reason": sub.reason} if sub else {}),
        **({"place": place_row(place)} if place else {}),
        **({"occurred": when_row(told)} if told else {}),
        **({"spans": spans} if spans else {}),
        **({"topics": filed_rows(verdict.filing)} if verdict.filing else {}),
    }


def filed_rows(filing: Filing) -> list[dict[str, Any]]:
    """Second and third level in the site's own tree; empty where its words say nothing."""
    return [
        {
            "label": one.label, "score": one.score, "level": one.level, "path": list(one.path),
            "unsure": one.unsure,
        }
        for one in filing.placed
    ]  # fmt: skip


def place_row(place: Place) -> dict[str, Any]:
    return {
        "province": place.province, "city": place.city, "county": place.county, "name": place.zh,
        "start": place.start, "end": place.end, "sure": place.sure,
    }  # fmt: skip


def when_row(told: When) -> dict[str, Any]:
    return {
        "earliest": iso(told.earliest), "latest": iso(told.latest), "words": mask_personal(told.words),
        "start": told.start, "end": told.end, "sure": told.sure,
    }  # fmt: skip


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
    best = {part["part"]: _part(part) for part in kept if part.get("grade") and part["part"] != "person"}
    for name, part in cluster.parts.items():
        if name not in best or part.grade > best[name].grade:
            best[name] = part
    return list(best.values())
