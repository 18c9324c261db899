"""Hot-search titles: which are noticed, and how well, on five years of them.

`noticed` flags a title of a hot-search list that is of the kind that later gets an official answer;
`report` replays a year through the whole of triage and counts what an officer would have seen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from flows.judging.reading import Reading, read
from flows.judging.sorting import Sorter
from models.classify import attention
from models.classify.attention import Attention, Event, Title, chance
from models.classify.judge import Judge
from models.core.concern import FLAG_AT, Concern
from models.core.moment import CST, local
from models.core.signals import RawSignal
from models.core.vocabulary import Medium

BATCH = 2_000
WINDOW = timedelta(hours=72)
SHIPPED_PER_DAY = 9.0
"""What the shipped threshold aims at: 2025 brought an eighth more alerts than the year before, on which it was set."""
CONCERN = 3.0
"""What a whole concern (1.0) is worth beside the rank, in log-odds: chosen on 2024."""
ANSWERS = ("通报", "回应", "官方", "警方", "辟谣", "声明", "公告")
"""A title that brings the answer needs no alarm."""

Report = dict[str, Any]


def noticed(readings: Sequence[Reading], ranking: Attention) -> list[Reading]:
    """The same readings; a title of a hot-search list that ranks high is flagged, with its reason."""
    asked = [n for n, reading in enumerate(readings) if reading.signal.medium is Medium.HOT_SEARCH]
    ranks = ranking.scores([readings[n].title for n in asked]).tolist()
    total = {n: rank + CONCERN * readings[n].worry.score for n, rank in zip(asked, ranks, strict=True)}
    high = {n: score for n, score in total.items() if score >= ranking.threshold}
    return [_flagged(one, high[n]) if n in high else one for n, one in enumerate(readings)]


def _flagged(reading: Reading, score: float) -> Reading:
    if any(word in reading.title for word in ANSWERS):
        return reading
    why = f"热搜题目像是会有官方回应的一类(评分 {chance(score):.2f},由往年学得,须核实与本地是否有关)"
    worry = reading.worry
    return replace(reading, worry=Concern(max(worry.score, FLAG_AT), (*worry.reasons, why)))


def write(data_dir: Path, folder: Path) -> Path:
    """Learn from all years and save. The threshold is that of nine incidents a day, found on a last year
    that was not learned from, and carried over as a share of titles."""
    titles = attention.stream(data_dir)
    answered = attention.events(data_dir, titles)
    judge, end = Judge.load(), titles[-1].at
    begin = end - timedelta(days=365)
    unseen = _replayed(titles, judge, attention.fit(titles, answered, begin), begin, end)
    made = attention.fit(titles, answered, end)
    score = _replayed(titles, judge, made, begin, end).score
    bound = float(np.quantile(score, 1 - float((unseen.score >= _threshold(unseen, SHIPPED_PER_DAY)).mean())))
    return replace(made, threshold=bound).save(folder)


# ── how well ──────────────────────────────────────────────────────────────────────────────────


def report(data_dir: Path, until: datetime | None = None) -> Report:
    """Learned from the years before 2024, its threshold set on 2024 so that at most ten incidents a day
    are flagged, measured on 2025. Raises CorpusError. Some minutes."""
    titles = attention.stream(data_dir)
    answered = attention.events(data_dir, titles)
    learned, set_by = datetime(2024, 1, 1, tzinfo=CST), datetime(2025, 1, 1, tzinfo=CST)
    ranking = attention.fit(titles, answered, learned)
    judge = Judge.load()
    year = _replayed(titles, judge, ranking, learned, set_by)
    threshold = _threshold(year)
    later = attention.fit(titles, answered, set_by)
    test = _replayed(titles, judge, later, set_by, until or titles[-1].at + timedelta(days=1))
    # the same share of titles: a model of another year has another scale
    share = float((year.score >= threshold).mean())
    bound = float(np.quantile(test.score, 1 - share))
    return {
        "tuned_on_2024": _measured(year, answered, threshold),
        "measured_on_2025": _measured(test, answered, bound),
        "2025_by_alerts_a_day": {
            str(a_day): _measured(test, answered, _threshold(test, a_day))["events_flagged"]
            for a_day in (5, 10, 20, 40)
        },
        "2025_concern_alone": _measured(test, answered, float("inf")),
    }


@dataclass(frozen=True, slots=True)
class Replay:
    """A stretch of titles: place in the stream, incident, rank, and whether concern alone flags it."""

    titles: Sequence[Title]
    first: int
    cluster: list[str]
    score: Any
    worried: Any
    days: float


def _replayed(
    titles: Sequence[Title], judge: Judge, ranking: Attention, since: datetime, until: datetime
) -> Replay:
    """All titles of the stretch, read and grouped as triage does."""
    places = [n for n, title in enumerate(titles) if since <= title.at < until]
    sorter = Sorter(judge, WINDOW)
    clusters: list[str] = []
    worried: list[bool] = []
    concerned: list[float] = []
    for start in range(0, len(places), BATCH):
        part = [_item(n, titles[n]) for n in places[start : start + BATCH]]
        verdicts = sorter.sort(read(judge, part))
        clusters += [verdict.cluster for verdict in verdicts]
        worried += [verdict.flagged for verdict in verdicts]
        concerned += [verdict.concern for verdict in verdicts]
    score = ranking.scores([titles[n].text for n in places]) + CONCERN * np.array(concerned)
    score[[any(word in titles[n].text for word in ANSWERS) for n in places]] = -np.inf
    days = (until - since) / timedelta(days=1)
    return Replay(titles, places[0], clusters, score, np.array(worried), days)


def _item(n: int, title: Title) -> tuple[str, RawSignal, datetime]:
    return (
        str(n),
        RawSignal("hot", str(n), Medium.HOT_SEARCH, title.shown, "", published_at=title.at),
        title.at,
    )


def _alarms(replay: Replay, bound: float) -> dict[str, datetime]:
    """incident → when it was first flagged, by rank or by concern."""
    found: dict[str, datetime] = {}
    for k in np.nonzero((replay.score >= bound) | replay.worried)[0].tolist():
        found.setdefault(replay.cluster[k], replay.titles[replay.first + k].at)
    return found


def _threshold(replay: Replay, a_day: float = attention.PER_DAY) -> float:
    """The lowest rank that flags at most so many incidents a day; infinite where concern flags as many."""
    low, high = float(np.quantile(replay.score, 0.5)), float(replay.score.max()) + 1
    for _ in range(30):
        middle = (low + high) / 2
        if len(_alarms(replay, middle)) / replay.days > a_day:
            low = middle
        else:
            high = middle
    return high


def _measured(replay: Replay, answered: Iterable[Event], bound: float) -> Report:
    """Events whose first title began in the stretch: was one of their incidents flagged before the answer?"""
    alarms = _alarms(replay, bound)
    last = replay.first + len(replay.cluster)
    mine = [event for event in answered if any(replay.first <= n < last for n in event.members[:1])]
    leads = [lead for event in mine if (lead := _lead(replay, alarms, event)) is not None]
    low, high = _interval(len(leads), len(mine))
    return {
        "events": len(mine),
        "events_flagged": _round(len(leads) / max(1, len(mine))),
        "interval_95": [low, high],
        "alerts_a_day": _round(len(alarms) / replay.days),
        "most_alerts_in_a_day": max(_by_day(alarms).values(), default=0),
        "lead_hours_median": _round(median(leads)) if leads else None,
    }


def _by_day(alarms: dict[str, datetime]) -> Counter[str]:
    return Counter(f"{local(at):%Y-%m-%d}" for at in alarms.values())


def _lead(replay: Replay, alarms: dict[str, datetime], event: Event) -> float | None:
    """Hours between the first flag and the answer; None where there was none in time."""
    clusters = {
        replay.cluster[n - replay.first] for n in event.members if n - replay.first < len(replay.cluster)
    }
    times = [alarms[name] for name in clusters if name in alarms and alarms[name] < event.answered_at]
    return (event.answered_at - max(min(times), event.first_at)).total_seconds() / 3600 if times else None


def _interval(good: int, of: int) -> tuple[float, float]:
    """Wilson, 95 %."""
    if not of:
        return 0.0, 1.0
    share, z = good / of, 1.96
    middle = (share + z * z / (2 * of)) / (1 + z * z / of)
    half = z * ((share * (1 - share) / of + z * z / (4 * of * of)) ** 0.5) / (1 + z * z / of)
    return _round(middle - half), _round(middle + half)


def _round(value: float) -> float:
    return round(float(value), 3)
