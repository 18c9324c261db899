"""An incident's page: why the grade, who was told, how it spread, its signals with their words marked, what was
alike before. Implements `connectors.console.desks.incident.IncidentDesk`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.console.desk import Refusal, Unknown, View
from flows.office import tasking
from flows.office.handling import Desk
from flows.office.levels import Levels
from flows.office.plainly import in_words, reachable
from flows.wiring import House
from models.core import bounds, labels, marks, mood, spread
from models.core.grade import PART_ZH
from models.core.labels import Label
from models.core.marks import Mark
from models.core.moment import iso, local
from models.core.mood import Voice
from models.core.personal import mask_said
from models.core.resembling import resembling
from models.core.spread import Heard, Share
from models.core.topics import TOPIC
from models.core.vocabulary import EventType, EvidenceKind, Grade, Medium, OpinionKind
from models.ledger import (
    alike,
    graded,
    heard,
    incidents,
    moods,
    parties,
    retired,
    statement_views,
    story,
    told,
)
from models.ledger import labels as kept
from models.ledger.heard import Wanted
from models.ledger.store import Connection, Row
from models.ledger.views import SENTIMENT_ZH

SHORT = 400
"""Characters of a signal's body in a list; the whole stands on its own page."""
_MOST_PLACES = 40


class IncidentSeen:
    """The desk's room for one incident's page."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    @property
    def _house(self) -> House:
        return self._desk.house

    # ── seeing ────────────────────────────────────────────────────────────────────────────────

    def face(self, incident_id: str) -> View:
        """The incident without what its page asks for in slices. Raises Unknown."""
        with in_words():
            return self._desk.face(incident_id)

    def overview(self, incident_id: str) -> View:
        """Why the grade, who was told, who has a part, the drafts. Raises Unknown."""
        house, now = self._house, self._desk.now()
        with in_words(), reachable(), house.store.read() as conn:
            row = incidents.get(conn, incident_id)
            named = parties.view(conn, row.id, house.names, lambda unit: tasking.unit_name(house, unit))
            drafts = statement_views.overview(conn, row.id, now, house.names)
            return {
                "grade_why": _why(row, house) | graded.said(conn, row.id, house.names),
                "told": told.people(conn, row.id, house.called),
                "parties": named["parties"],
                "statements": drafts["statements"],
                "referrals": Levels(self._desk).of_incident(conn, row.id),
            }

    def picture(self, incident_id: str) -> View:
        """The curve and the spread, from all signals but our own publications. Raises Unknown."""
        now = self._desk.now()
        with in_words(), reachable(), self._house.store.read() as conn:
            found = incidents.get(conn, incident_id).id
            signals = heard.heard(conn, found, self._house.source_names)
            spoken = moods.spoken(conn, found)
        voices = [Voice(one.at, one.negative, one.topic, one.medium) for one in signals]
        first = spread.first_of(signals)
        return {
            "heard": {
                "total": len(signals),
                "negative": sum(one.negative for one in signals),
                "first": _first(first) if first else None,
            },
            "curve": mood.curve(
                voices, [(row.published_at, EvidenceKind(row.kind).zh) for row in spoken], now
            ),
            "spread": {
                "media": _shares(spread.order(spread.shares(signals, lambda one: one.medium))),
                "sources": _shares(spread.shares(signals, lambda one: one.source)),
                "places": _shares(spread.shares(signals, lambda one: one.place)),
            },
        }

    def similar(self, incident_id: str) -> View:
        """Past incidents like it, and how they were answered. Raises Unknown."""
        with in_words(), reachable(), self._house.store.read() as conn:
            row = incidents.get(conn, incident_id)
            others = alike.others(conn, row.id)
            found = resembling(alike.trace(row), others)
            known = alike.answered(conn, [one.id for one in found], self._house.called)
        shown = [{"score": one.score, "reasons": list(one.reasons), **known[one.id]} for one in found]
        return {"similar": shown, "compared": len(others)}

    def signals(self, incident_id: str, params: Mapping[str, str]) -> View:
        """One page of the signals that are wanted. Raises Unknown, Refusal."""
        wanted = _wanted(params)
        with in_words(), reachable(), self._house.store.read() as conn:
            row = incidents.get(conn, incident_id)
            found = heard.page(conn, row.id, wanted)
            asked = any((wanted.medium, wanted.sentiment, wanted.text, wanted.rumour))
            shown = self._signals(conn, found[: heard.PAGE], SHORT)
            return {
                "signals": shown,
                "total": heard.count(conn, row.id, wanted) if asked else row.signal_count,
                "all": row.signal_count,
                "below": found[heard.PAGE - 1].id if len(found) > heard.PAGE else None,
                "choices": _choices(heard.choices(conn, row.id)),
                "archived": retired.of(conn, row),
                "wanted": {
                    "medium": wanted.medium,
                    "sentiment": wanted.sentiment,
                    "text": wanted.text,
                    "rumour": wanted.rumour,
                    "below": wanted.below,
                },
            }

    def _signals(self, conn: Connection, rows: Sequence[Row[Any]], short: int | None) -> list[View]:
        corrected = kept.of_signals(conn, [row.id for row in rows], self._house.names)
        names = self._house.source_names
        return [_signal(row, names, corrected.get(row.id, []), short) for row in rows]

    def signal(self, incident_id: str, number: int) -> View:
        """One signal whole, with what was judged of it and what may be corrected. Raises Unknown."""
        with in_words(), reachable(), self._house.store.read() as conn:
            found = incidents.get(conn, incident_id).id
            row = heard.one(conn, found, number)
            if row is None and (file := retired.file_of(conn, found, number)):
                raise Unknown(f"线索 {number} 已归档：{file}；请运维人员用 huiying archive read 取出")
            if row is None:
                raise Unknown(f"这起事件没有编号为 {number} 的线索；它可能已拆出或并走，请回到事件页")
            (shown,) = self._signals(conn, [row], None)
        return shown | {
            "incident_id": found,
            "facts": row.facts,
            "reasons": row.reasons,
            "versions": row.versions,
            "judged_at": iso(row.judged_at),
            "labels": [_label(label, row) for label in Label],
        }

    def story(self, incident_id: str, params: Mapping[str, str]) -> View:
        """Signals and acts on one line of time. Raises Unknown, Refusal."""
        show = [group for group in params.get("show", "").replace("，", ",").split(",") if group]
        wrong = next((group for group in show if group not in story.GROUPS), None)
        before = story.place(params["before"]) if params.get("before") else None
        if wrong or (params.get("before") and before is None):
            known = "、".join(f"{key}({zh})" for key, zh in story.GROUPS.items())
            raise Refusal(
                f"“{(wrong or params['before'])[:30]}” 认不出；show 可用 {known}，before 照上一页给的填"
            )
        with in_words(), reachable(), self._house.store.read() as conn:
            found = incidents.get(conn, incident_id).id
            lines, following = story.read(conn, found, show, before, self._house.called)
        names = self._house.source_names
        return {
            "lines": [line | {"actor": names.get(line["actor"], line["actor"])} for line in lines],
            "before": str(following) if following else None,
            "groups": [[key, zh] for key, zh in story.GROUPS.items()],
            "show": show,
        }

    # ── doing ─────────────────────────────────────────────────────────────────────────────────

    def label(self, incident_id: str, params: Mapping[str, str], by: str) -> View:
        """Correct a label of some signals, of all, or the incident's own kind. Raises Unknown, Refusal."""
        if by not in self._house.names or by == "huiying":
            raise Unknown(f"值班表里没有 {by}；请写 roster.yaml 中的人员标识")
        label = _known_label(params.get("label", ""))
        value, reason = params.get("value", ""), params.get("reason", "")
        if label is Label.KIND and not params.get("signal"):
            return self._kind(incident_id, value, by, reason)
        numbers = _numbers(params.get("signal", ""))
        with in_words(), self._desk.writing() as conn:
            found = incidents.get(conn, incident_id).id
            chosen = numbers or kept.all_of(conn, found)
            changed = kept.relabel(conn, self._desk.now(), found, chosen, label, value, by, reason)
        said = f"{changed} 条线索的{label.zh}已更正为“{labels.shown(label, value)}”"
        return {"id": found, "changed": changed, "said": said}

    def _kind(self, incident_id: str, value: str, by: str, reason: str) -> View:
        with in_words(), self._desk.writing() as conn:
            found = incidents.get(conn, incident_id).id
            rules = self._house.rules_for
            kept.correct_kind(conn, self._desk.now(), found, value, by, reason or "更正类别", rules)
        return {"id": found, "changed": 1, "said": f"事件类别已更正为“{OpinionKind(value).zh}”"}


# ── why the grade ─────────────────────────────────────────────────────────────────────────────


def _why(row: Row[Any], house: House) -> View:
    parts = [_part(part, row.grade) for part in row.grade_parts]
    counts = {
        name: fact["value"] for name, fact in (row.facts or {}).items() if fact.get("value") is not None
    }
    return {"parts": parts, "table": _table(row, counts, house)}


def _part(part: Mapping[str, Any], grade: str) -> View:
    known = part.get("grade")
    return {
        "key": part["part"],
        "part": PART_ZH.get(part["part"], "人工"),
        "grade": known,
        "grade_zh": Grade(known).zh if known else None,
        "reason": part["reason"],
        "basis": part.get("basis") or [],
        "suggested": bool(part.get("suggested")),
        "leads": known == grade,
    }


def _table(row: Row[Any], counts: Mapping[str, float], house: House) -> View | None:
    """The bounds of the text that applies; None where no emergency and no count is told."""
    if not counts and not row.event_type:
        return None
    cited = [fact for part in row.grade_parts if part["part"] == "event" for fact in part.get("basis") or ()]
    kind = EventType(row.event_type) if row.event_type else None
    table = bounds.applying(cited, kind, house.site.grading)
    return {"name": table.name, "document": table.document, "levels": bounds.bounds(table, counts)}


# ── signals ───────────────────────────────────────────────────────────────────────────────────


def _signal(row: Row[Any], names: Mapping[str, str], corrected: list[View], short: int | None) -> View:
    title = mask_said(row.title, row.medium, row.author)
    body = mask_said(row.body, row.medium, row.author)
    cut = body if short is None or len(body) <= short else body[:short] + "…"
    first, second = _marked(row, title, cut)
    return {
        "id": row.id,
        "at": iso(heard.said_at(row)),
        "seen_at": iso(row.seen_at),
        "title": title,
        "body": cut,
        "url": row.url,
        "source": row.source_id,
        "source_name": names.get(row.source_id, row.source_id),
        "medium": row.medium,
        "medium_zh": Medium(row.medium).zh,
        "sentiment": row.sentiment,
        "sentiment_zh": SENTIMENT_ZH.get(row.sentiment, "待研判"),
        "topic": row.topic,
        "filed": next((reason for reason in row.reasons if reason.startswith(TOPIC)), None),
        "kind": row.kind,
        "kind_zh": OpinionKind(row.kind).zh if row.kind else None,
        "rumour": row.rumour,
        "rumoured": labels.read(Label.RUMOUR, row.rumour) == "yes",
        "plans": [reason for reason in row.reasons if marks.plan_of(reason)],
        "link_score": row.link_score,
        "link_reason": f"与线索 {row.copy_of} 文字相同(转载)" if row.copy_of else row.link_reason,
        "copy_of": row.copy_of,
        "marks": {"title": [_mark(one) for one in first], "body": [_mark(one) for one in second]},
        "corrected": corrected,
    }


def _marked(row: Row[Any], title: str, body: str) -> tuple[list[Mark], list[Mark]]:
    """The marks of title and body, which were read as one text."""
    plans = tuple(plan for reason in row.reasons if (plan := marks.plan_of(reason)))
    when = ((row.details or {}).get("occurred") or {}).get("words", "")
    found = marks.marks(f"{title}\n{body}", local(heard.said_at(row)).date(), plans, when)
    return marks.split(found, len(title))


def _mark(mark: Mark) -> View:
    return {
        "start": mark.start,
        "end": mark.end,
        "kind": mark.kind.value,
        "kind_zh": mark.kind.zh,
        "why": mark.why,
    }


def _label(label: Label, row: Row[Any]) -> View:
    return {
        "label": label.value,
        "label_zh": label.zh,
        "now": labels.read(label, row._mapping[label.value]),
        "values": [[value, zh] for value, zh in labels.VALUES[label].items()],
    }


def _choices(found: Mapping[str, list[tuple[str, int]]]) -> View:
    media = [[value, Medium(value).zh, count] for value, count in found["medium"]]
    return {
        "medium": media,
        "sentiment": [[value, SENTIMENT_ZH.get(value, value), count] for value, count in found["sentiment"]],
    }


def _wanted(params: Mapping[str, str]) -> Wanted:
    """What is asked for, as typed. Raises Refusal."""
    below, medium, sentiment = (params.get(name, "").strip() for name in ("below", "medium", "sentiment"))
    if below and not (below.isdecimal() and len(below) <= 18):
        raise Refusal(f"“{below[:20]}” 不是线索编号；below 照上一页给的填")
    if medium and medium not in list(Medium):
        raise Refusal(f"没有渠道 “{medium[:20]}”；可用 {'、'.join(Medium)}")
    if sentiment and sentiment not in SENTIMENT_ZH:
        raise Refusal(f"没有情感 “{sentiment[:20]}”；可用 {'、'.join(SENTIMENT_ZH)}")
    text = params.get("text", "").strip()[:100]
    return Wanted(medium, sentiment, text, bool(params.get("rumour")), int(below) if below else None)


def _known_label(text: str) -> Label:
    if text not in list(Label):
        raise Refusal(f"没有标签 “{text[:20]}”；可用 {'、'.join(f'{one}({one.zh})' for one in Label)}")
    return Label(text)


def _numbers(text: str) -> list[int]:
    """Signal numbers with commas. Raises Refusal."""
    parts = [part.strip() for part in text.replace("，", ",").split(",") if part.strip()]
    wrong = next((part for part in parts if not part.isdecimal() or len(part) > 18), None)
    if wrong is not None:
        raise Refusal(f"“{wrong[:40]}” 不是线索编号；写成逗号分隔的数字，如 12,15")
    return [int(part) for part in parts]


# ── the spread ────────────────────────────────────────────────────────────────────────────────


def _first(one: Heard) -> View:
    return {"id": one.id, "at": iso(one.at), "source": one.source, "medium": one.medium, "place": one.place}


def _shares(found: Sequence[Share]) -> list[View]:
    return [
        {
            "name": share.name,
            "count": share.count,
            "negative": share.negative,
            "first_at": iso(share.first_at),
            "first_id": share.first.id,
            "first_source": share.first.source,
            "last_at": iso(share.last_at),
        }
        for share in found[:_MOST_PLACES]
    ]
