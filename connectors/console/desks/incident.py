"""What an incident's own page asks beyond the incident itself; `flows.office.incident_seen` answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

View = dict[str, Any]


class IncidentDesk(Protocol):
    """SIGNAL: id, at, seen_at, title, body, url, source, source_name, medium, medium_zh, sentiment, sentiment_zh,
    topic, filed, kind, kind_zh, rumour (0..1), rumoured, plans [str], link_score, link_reason, copy_of, marks {title
    [MARK], body [MARK]}, corrected [{label, label_zh, was, was_zh, now, now_zh, by, at, reason}].

    MARK: start, end (characters of the shown text), kind (fact|past|plan|sensitive|harm|event|time), kind_zh, why.
    SHARE: name, count, negative, first_at, first_id, first_source, last_at."""

    def face(self, incident_id: str) -> View:
        """INCIDENT as `Desk.incident` gives it, without timeline and signals_list. Raises Unknown."""
        ...

    def overview(self, incident_id: str) -> View:
        """grade_why {confirmed {by, at, reason, grade} | None, proposed {grade, grade_zh, at, reason} | None, parts
        [{key, part, grade, grade_zh, reason, basis [fact id], suggested, leads}], table {name, document, levels
        [{grade, grade_zh, fact, rows [{words, have, reached}]}]} | None}, told [{person, name, unit, times, first_at,
        last_at, channel, state, state_zh, error, acked_at}], parties [{unit, unit_name, role_zh, state_zh, …}],
        statements [{id, title, kind_zh, state, state_zh, version, waiting […], released_at}], referrals [REFERRAL]
        (`desks.levels`). Raises Unknown."""
        ...

    def picture(self, incident_id: str) -> View:
        """How it spread, from all its signals: heard {total, negative, first SHARE's signal | None}, curve (as the
        page of moods has it), spread {media, sources, places: [SHARE]}. Raises Unknown."""
        ...

    def similar(self, incident_id: str) -> View:
        """similar [{score (0..1), reasons [str], id, ref, title, grade, grade_zh, colour, provisional, closed,
        opened_at, closed_at, owner, statements, first_statement {kind_zh, publisher, at, url, after_s} | None,
        met, late, breached, waived, took_s}], compared: with how many. Raises Unknown."""
        ...

    def signals(self, incident_id: str, params: Mapping[str, str]) -> View:
        """The newest signals that are wanted: signals [SIGNAL], total, below (of the next page) | None, all (in the
        incident), choices {medium, sentiment: [[value, zh, count]]}, wanted {medium, sentiment, text, rumour, below}.
        params: medium?, sentiment?, text?, rumour?, below?. Raises Unknown, Refusal."""
        ...

    def signal(self, incident_id: str, number: int) -> View:
        """One SIGNAL and: text whole, facts, parts of its grade, reasons [str], versions, labels [{label, label_zh,
        now, values [[value, zh]]}]. Raises Unknown."""
        ...

    def story(self, incident_id: str, params: Mapping[str, str]) -> View:
        """One line of time, newest first: lines [{at, group, group_zh, kind, kind_zh, text, actor, reason}], before
        (where the next page begins) | None, groups [[group, zh]], show [group]. params: show? (groups with commas),
        before?. Raises Unknown, Refusal."""
        ...

    def label(self, incident_id: str, params: Mapping[str, str], by: str) -> View:
        """Correct a label: {label, value, signal? (numbers with commas; none: all of the incident, and for `kind` the
        incident's own), reason?}. The answer has `said` and changed. Raises Unknown, Refusal."""
        ...
