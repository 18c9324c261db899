"""How precise is the match of our own publications with open incidents? On real texts, by one command.

Two sets: trending titles and the official titles that answered them (`official_links_to_2025-08`), and
citizens' messages with the replies of their government (`reply_a4_to2018`). Each publication stands
among all incidents that were open when it came out. Half of the publications fit the figures of
`core.answers`, the other half measures them; both halves see each other's incidents.

Three questions: does it find its own incident; does it leave the others alone when its own is not
there at all; and does it stay off the likest other events of five years, moved to its own day?
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
from rapidfuzz import fuzz
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from models.classify.corpora import rows_of
from models.core.answers import Answer, Measures, OpenIncident, Publication, Rarity, answers, measure
from models.core.moment import CST

Report = dict[str, Any]
_TITLES_OPEN: Final = timedelta(days=4)
_REPLIES_OPEN: Final = timedelta(days=365)
_ONE_EVENT: Final = timedelta(days=14)
_OTHER_STORY: Final = timedelta(days=90)  # nearer, it may be the same story told on
_LIKEST: Final = 25
_USER = re.compile(r"UU\d+")
_PLACE_CODE = re.compile(r"([A-Z])(\d{0,2})(?=[省市区县州])")
_SIGNS: Final = "甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未申酉戌亥乾坤艮兑坎离震巽" * 4


@dataclass(frozen=True, slots=True)
class Case:
    """A publication with the incidents that were open: its own, and the others."""

    item: Publication
    own: OpenIncident
    others: tuple[OpenIncident, ...]
    moved: tuple[OpenIncident, ...] = field(default=())  # the likest of all years, as if of its day


def report(data_dir: Path, rarity: Rarity) -> Report:
    """Precision and recall at the two thresholds, on the half that fitted nothing."""
    return {
        "titles": _scores(titles(data_dir)[1::2], rarity),
        "replies": _scores(replies(data_dir)[1::2], rarity),
    }


def fitted(data_dir: Path, rarity: Rarity) -> Report:
    """The figures of `core.answers`, from the other half of both sets."""
    rows = [row for part in (titles, replies) for row in _pairs(part(data_dir)[::2], rarity)]
    model = LogisticRegression(max_iter=3000, C=10).fit(
        np.array([[getattr(of, name) for name in Measures.__slots__] for of, _ in rows]),
        np.array([right for _, right in rows]),
    )
    weights = dict(zip(Measures.__slots__, (round(float(w), 2) for w in model.coef_[0]), strict=True))
    return {"bias": round(float(model.intercept_[0]), 2), **weights}


def _pairs(cases: Sequence[Case], rarity: Rarity) -> Iterator[tuple[Measures, bool]]:
    for case in cases:
        for incident in (case.own, *case.others):
            yield measure(case.item, incident.title, incident.reports, rarity), incident is case.own


def _scores(cases: Sequence[Case], rarity: Rarity) -> Report:
    """Each threshold: found = its own incident among the answers; precision counts every answer."""
    with_own = [(case, answers(case.item, (case.own, *case.others), rarity)) for case in cases]
    without = [answers(case.item, case.others, rarity) for case in cases]
    moved = [answers(case.item, case.moved, rarity) for case in cases if case.moved]
    return {
        "publications": len(cases),
        "open_incidents_mean": round(float(np.mean([len(case.others) + 1 for case in cases])), 1),
        "propose": _at(with_own, without, moved, lambda _: True),
        "auto": _at(with_own, without, moved, lambda answer: answer.sure),
    }


def _at(
    with_own: Sequence[tuple[Case, list[Answer]]],
    without: Sequence[list[Answer]],
    moved: Sequence[list[Answer]],
    counts: Callable[[Answer], bool],
) -> Report:
    right = sum(counts(a) and a.incident_id == case.own.id for case, found in with_own for a in found)
    wrong = sum(counts(a) and a.incident_id != case.own.id for case, found in with_own for a in found)
    made = {
        "precision": _share(right, right + wrong),
        "recall": _share(right, len(with_own)),
        "right": right,
        "wrong": wrong,
        "wrong_when_its_own_is_absent": _touched(without, counts),
    }
    return made | ({"wrong_among_likest_of_five_years": _touched(moved, counts)} if moved else {})


def _touched(found: Iterable[list[Answer]], counts: Callable[[Answer], bool]) -> int:
    """Publications that would have been laid to an incident that is not theirs."""
    return sum(any(counts(answer) for answer in one) for one in found)


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0


# ── trending titles and official titles ──────────────────────────────────────────────────────────


def titles(data_dir: Path) -> list[Case]:
    """Titles alone: what a feed without texts, or a column page, gives."""
    rows = list(rows_of(data_dir, "official_links_to_2025-08"))
    incidents = [
        OpenIncident(str(n), row["first_title"], _at_cst(row["first_seen"])) for n, row in enumerate(rows)
    ]
    events = _events(rows)
    alike = _likeness([row["official_title"] for row in rows], [row["first_title"] for row in rows])
    made = []
    for n, row in enumerate(rows):
        at = _at_cst(row["official_seen"])
        foreign = [k for k in range(len(rows)) if events[k] != events[n]]
        far = [k for k in foreign if abs(incidents[k].started_at - at) > _OTHER_STORY]
        others = [k for k in foreign if at - _TITLES_OPEN < incidents[k].started_at <= at]
        likest = sorted(far, key=lambda k: -alike[n, k])[:_LIKEST]
        moved = [OpenIncident(incidents[k].id, incidents[k].title, at - timedelta(hours=1)) for k in likest]
        item = Publication(row["official_title"], "", at)
        made.append(Case(item, incidents[n], tuple(incidents[k] for k in others), tuple(moved)))
    return made


def _at_cst(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=CST)


def _likeness(a: Sequence[str], b: Sequence[str]) -> Any:
    table = TfidfVectorizer(analyzer="char", ngram_range=(2, 3)).fit([*a, *b])
    return (table.transform(a) @ table.transform(b).T).toarray()


def _events(rows: Sequence[dict[str, Any]]) -> list[int]:
    """Rows of one event get one number (one event may trend under several titles): by plain likeness
    of titles within two weeks, not by what is being measured."""
    parent = list(range(len(rows)))
    both = [f"{row['first_title']} {row['official_title']}" for row in rows]
    alike = _likeness(both, both)
    at = [_at_cst(row["official_seen"]) for row in rows]
    for n in range(len(rows)):
        for k in range(n):
            if abs(at[n] - at[k]) < _ONE_EVENT and (alike[n, k] > 0.3 or _one_event(rows[n], rows[k])):
                parent[_root(parent, n)] = _root(parent, k)
    return [_root(parent, n) for n in range(len(rows))]


def _one_event(a: dict[str, Any], b: dict[str, Any]) -> bool:
    pairs = ((a["first_title"], b["first_title"]), (a["official_title"], b["first_title"]))
    return any(fuzz.partial_ratio(x, y) > 75 for x, y in pairs) or (
        fuzz.partial_ratio(b["official_title"], a["first_title"]) > 75
    )


def _root(parent: list[int], place: int) -> int:
    while parent[place] != place:
        place = parent[place]
    return place


# ── messages and replies ─────────────────────────────────────────────────────────────────────────


def replies(data_dir: Path) -> list[Case]:
    """Whole texts: a reply among all messages that waited on that day. Replies that say the same to
    several messages count for each; place names are hidden in this set (A市, M2县)."""
    rows = [_message(n, row) for n, row in enumerate(rows_of(data_dir, "reply_a4_to2018"))]
    made = []
    for own, item in rows:
        assert item.published_at is not None
        others = [
            one
            for one, reply in rows
            if one is not own and _waits(one, reply, item.published_at) and not _same_reply(reply, item)
        ]
        made.append(Case(item, own, tuple(others)))
    return made


def _message(number: int, row: dict[str, Any]) -> tuple[OpenIncident, Publication]:
    title, body, reply = (_unmasked(row[name]) for name in ("title", "body", "reply"))
    incident = OpenIncident(str(number), title, _at_cst(row["time"]), reports=f"{title} {body}")
    return incident, Publication("", reply, _at_cst(row["reply_time"]))


def _unmasked(text: str) -> str:
    """Hidden places get a name again, one for each code, as real texts have: M2县 → 未丑县."""
    return _PLACE_CODE.sub(
        lambda code: _SIGNS[ord(code[1]) - 65] + _SIGNS[int(code[2] or 0)], _USER.sub("", text)
    )


def _waits(one: OpenIncident, reply: Publication, at: datetime) -> bool:
    assert reply.published_at is not None
    return at - _REPLIES_OPEN < one.started_at <= at <= reply.published_at + timedelta(days=1)


def _same_reply(a: Publication, b: Publication) -> bool:
    return fuzz.ratio(a.body[40:], b.body[40:]) > 70
