"""What a province (support/province.py) did, after the fact: the laws, counted over every row, and how late
steps were. Every count of `broken` must be 0.
"""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from support.figures import percentile, shown
from support.processes import environ, huiying
from support.province import Outage, Province
from support.truth import look, wrong
from support.voices import names_of
from support.witness import Taken, as_log

VERIFY_S = 3600.0
AFTERWARDS_S = 10.0
"""So long after the database is back its steps are counted with those of the outage: all that had piled up
comes first."""
PLACE = re.compile(r"(\S{4}县)")

Timed = tuple[float, float]
"""When a step could first be raised and when it was there for all to see, in seconds since 1970."""


def inquest(province: Province, produced: int, until: datetime, times: Mapping[int, float]) -> dict[str, Any]:
    """Everything, as plain values: `broken` (all must be 0), `figures`, `lateness`, `verify`."""
    log = province.witness.log()
    truth = look(province.store, as_log(log), until)
    told = told_of(province)
    signals = of_signals(province, produced)
    late = lateness(list(timed(province)), province.outages)
    checked = verified(province.site)
    broken = {
        **wrong(truth), **signals["broken"], **of_matters(told, len(times)),
        "steps_early": early(province), "verify": 0 if checked["ok"] else 1,
    }  # fmt: skip
    return {
        "broken": {name: count for name, count in broken.items() if count},
        "figures": {
            **signals["figures"], "clocks": truth.clocks, "steps raised": truth.steps_raised,
            "steps caught up": truth.steps_caught_up, "alerts": truth.alerts, "accepted": truth.accepted,
            "withdrawn": truth.withdrawn, "sent more than once": truth.taken_twice,
            "grave matters": len(times), "voices of them": len(told),
        },
        "lateness": late,
        "signal to alert": to_alert(log, times),
        "verify": checked,
        "told of matters that are not one incident each": apart(province, told),
    }  # fmt: skip


# ── signals ───────────────────────────────────────────────────────────────────────────────────


def of_signals(province: Province, produced: int) -> dict[str, dict[str, int]]:
    [row] = province.rows(
        "SELECT count(*) AS kept, count(DISTINCT uid) AS apart,"
        " (SELECT count(*) FROM judgement) AS judged,"
        " (SELECT count(DISTINCT signal_id) FROM judgement) AS judged_apart,"
        " count(*) FILTER (WHERE triaged_at IS NULL) AS waiting FROM signal"
    )
    [incidents] = province.rows("SELECT count(*) AS n FROM incident")
    return {
        "broken": {
            "signals_lost": produced - row.apart, "signals_doubled": row.kept - row.apart,
            "signals_not_judged": row.apart - row.judged_apart + row.waiting,
            "signals_judged_twice": row.judged - row.judged_apart,
        },
        "figures": {"signals": row.kept, "judged": row.judged, "incidents": incidents.n},
    }  # fmt: skip


def told_of(province: Province) -> list[tuple[str, str | None]]:
    """(county, incident) of every signal that tells of a grave matter; no everyday one names a county."""
    rows = province.rows(
        "SELECT s.title, j.incident_id FROM signal s LEFT JOIN judgement j ON j.signal_id = s.id"
        " WHERE s.title LIKE '%县%'"
    )
    counties = _counties(province)
    found = ((next((c for c in PLACE.findall(row.title) if c in counties), ""), row) for row in rows)
    return [(county, row.incident_id) for county, row in found]


def _counties(province: Province) -> set[str]:
    [row] = province.rows("SELECT count(*) AS n FROM signal")
    return {names_of(matter)[0] for matter in province.stream.matters(row.n)}


def apart(province: Province, told: Iterable[tuple[str, str | None]], most: int = 40) -> list[str]:
    """How it came that a matter is in two incidents or an incident in two matters: its signals, one a line."""
    homes, matters_of = defaultdict[str, set[str | None]](set), defaultdict[str, set[str]](set)
    for county, incident in told:
        homes[county].add(incident)
        if incident is not None:
            matters_of[incident].add(county)
    wrong = {county for county, found in homes.items() if len(found) > 1}
    wrong |= {county for found in matters_of.values() if len(found) > 1 for county in found}
    rows = province.rows(
        "SELECT s.id, s.seen_at, s.title, j.cluster, j.flagged, j.incident_id, j.link_reason FROM signal s"
        " LEFT JOIN judgement j ON j.signal_id = s.id WHERE s.title LIKE '%县%' ORDER BY s.id"
    )
    lines = (" ".join(map(str, row)) for row in rows if wrong and wrong & set(PLACE.findall(row.title)))
    return list(islice(lines, most))


def of_matters(told: Iterable[tuple[str, str | None]], matters: int) -> dict[str, int]:
    """A matter is one incident, and an incident one matter."""
    homes, matters_of = defaultdict[str, set[str | None]](set), defaultdict[str, set[str]](set)
    for county, incident in told:
        homes[county].add(incident)
        if incident is not None:
            matters_of[incident].add(county)
    return {
        "matters_missing": matters - len(homes.keys() - {""}),
        "voices_without_incident": sum(None in found for found in homes.values()),
        "incidents_split": sum(len(found - {None}) > 1 for found in homes.values()),
        "matters_in_one_incident": sum(len(found) > 1 for found in matters_of.values()),
    }


# ── steps ─────────────────────────────────────────────────────────────────────────────────────


def early(province: Province) -> int:
    [row] = province.rows("SELECT count(*) AS n FROM step WHERE raised_at < due_at")
    return int(row.n)


def timed(province: Province) -> Iterable[Timed]:
    """Every step that spoke: when it fell due (or its clock was set, if that was later), and when its
    transaction was committed."""
    for row in province.rows(
        "SELECT extract(epoch FROM greatest(s.due_at, c.created_at))::float8 AS due,"
        " extract(epoch FROM coalesce(pg_xact_commit_timestamp(s.xmin), s.raised_at))::float8 AS there"
        " FROM step s JOIN clock c ON c.id = s.clock_id WHERE NOT s.skipped"
    ):
        yield row.due, row.there


def lateness(steps: Sequence[Timed], outages: Sequence[Outage]) -> dict[str, dict[str, float]]:
    """Seconds from due to committed: those due while the database was away apart from all others."""
    away = [(one.since, one.until + AFTERWARDS_S) for one in outages if one.what == "database"]
    apart = [any(low <= due <= high for low, high in away) for due, _ in steps]
    late = [there - due for due, there in steps]
    calm = [value for value, out in zip(late, apart, strict=True) if not out]
    down = [value for value, out in zip(late, apart, strict=True) if out]
    return {"database there": _spread(calm), "database away": _spread(down)}


def _spread(values: Sequence[float]) -> dict[str, float]:
    if not values:
        return {"steps": 0}
    shares = {"p50": 0.5, "p99": 0.99, "worst": 1.0}
    return {"steps": len(values)} | {name: round(percentile(values, s), 3) for name, s in shares.items()}


def to_alert(log: Mapping[str, Taken], times: Mapping[int, float]) -> dict[str, float]:
    """Seconds from a matter's first voice in Kafka to its first alert taken by the receiver."""
    return _spread([first - times[matter] for matter, first in first_alerts(log, times).items()])


def first_alerts(log: Mapping[str, Taken], times: Mapping[int, float]) -> dict[int, float]:
    """matter → when its first alert was taken."""
    by_county = {names_of(matter)[0]: matter for matter in times}
    found: dict[int, float] = {}
    for taken in log.values():
        county = next((c for c in PLACE.findall(taken.title) if c in by_county), None)
        if county is not None:
            matter = by_county[county]
            found[matter] = min(taken.at, found.get(matter, taken.at))
    return found


# ── the journal ───────────────────────────────────────────────────────────────────────────────


def verified(site: Path) -> dict[str, Any]:
    """`huiying verify` as its users run it, however long it takes."""
    line, began = huiying("verify", "--site", str(site), "--json"), time.monotonic()
    done = subprocess.run(line, env=environ(), capture_output=True, text=True, timeout=VERIFY_S, check=False)
    if done.returncode not in (0, 1) or not done.stdout:
        return {"ok": False, "findings": [done.stderr[-800:]], "entries": 0, "s": 0.0}
    found = json.loads(done.stdout)
    return {
        "ok": found["ok"], "findings": found["findings"], "entries": found["entries"],
        "s": round(time.monotonic() - began, 1),
    }  # fmt: skip


# ── in words ──────────────────────────────────────────────────────────────────────────────────


def in_words(found: Mapping[str, Any]) -> str:
    """The report as people read it."""
    lines = ["THE LAWS " + ("hold" if not found["broken"] else f"ARE BROKEN: {found['broken']}"), ""]
    for title, values in found.items():
        if title != "broken":
            lines += [title, *_lines(values), ""]
    return "\n".join(lines)


def _lines(values: Any) -> list[str]:
    if isinstance(values, Mapping):
        return [f"  {name:<28} {_short(value)}" for name, value in values.items()]
    return [f"  {_short(value)}" for value in values]


def _short(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {shown(each)}" for name, each in value.items())
    return shown(value)


def tally(answers: Iterable[int]) -> dict[str, int]:
    """Answers of the console by their status; 0: none came."""
    return {str(status): count for status, count in sorted(Counter(answers).items())}
