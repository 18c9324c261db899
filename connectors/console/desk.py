"""The port behind which everything the console shows and does lies; flows implements it.

The console knows no database: it asks a `Desk` and draws the answer. Every method is
synchronous and may be called from several threads at once. What comes back is JSON-ready:
plain dicts and lists, times as ISO 8601 with +08:00, lengths of time in seconds.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, Protocol

View = dict[str, Any]
"""A JSON-ready answer; the methods of `Desk` give each one's shape."""

ACTS: Final = {
    "open": "立案",
    "ack": "签收",
    "grade": "定级",
    "stop": "加凭据",
    "waive": "免除",
    "close": "办结",
    "update": "记录进展",
    "assign": "交办",
    "correct": "更正时间",
    "merge": "合并",
    "split": "拆分",
    "reopen": "重开",
}
"""The acts of people, by the same names as the command line."""


class Refusal(Exception):
    """A rule forbids the act. The message is shown to the person as it is (HTTP 409)."""


class Unknown(Exception):
    """No such incident, clock or person (HTTP 404). The message names what was asked for."""


class Unavailable(Exception):
    """What lies behind the desk cannot be reached (HTTP 503). The message names it and the way out."""


class Desk(Protocol):
    """What the console asks for.

    INCIDENT: id, ref, title, owner, merged_into, grade (I…IV), grade_zh, colour (红橙黄蓝), provisional, stage,
    stage_zh, kind, kind_zh, event_type_zh, opened_at, reason, signal_count, place,
    acked [{person, name, at}], holder (a name or ""), clocks [CLOCK].

    CLOCK: id (the rule), key (the row, unique), name, state, state_zh, start_event,
    start_event_zh, started_at, due_at, left_s (negative when past due), fraction, basis [str],
    reason, next_step {key, due_at, rung, role} | None,
    steps [{key, due_at, raised_at, late_by_s, skipped, rung}], met_at, evidence_url.

    ALERT: id, at, person, name, channel, ref, incident_id, title, step, state, state_zh,
    reason, attempts.
    """

    def now(self) -> datetime:
        """The site's time, which a demonstration may run faster."""
        ...

    def revision(self) -> int:
        """A number that changes whenever anything shown has changed; cheap to ask."""
        ...

    def board(self) -> View:
        """now, site, speed, revision, incidents [INCIDENT], recent_alerts [ALERT],
        coverage {ok, items [{name, label, state: ok|late|down|off, last_good_at, detail, mend}]},
        signals {total, today, last [{at, title, medium_zh, source, sentiment, sentiment_zh,
        incident_id, incident_ref, flagged}]},
        counts {open, breached, at_risk, met, met_late, unacked}."""
        ...

    def incident(self, incident_id: str) -> View | None:
        """INCIDENT and: grade_parts [{part, grade, reason}],
        times [{event, event_zh, value, by, reason, recorded_at}], facts [{name, value, text}],
        timeline [{seq, at, kind, kind_zh, text, actor, reason}],
        signals_list [{id, at, title, body, url, source, medium_zh, sentiment_zh, link_score,
        link_reason}], evidence [{kind_zh, url, publisher, published_at, seen_at, sha256, by}],
        alerts [ALERT]. None when there is no such incident."""
        ...

    def mine(self, person_id: str) -> View:
        """person {id, name, …}, incidents [INCIDENT] that this person holds or is asked for."""
        ...

    def people(self) -> list[View]:
        """[{id, name, unit, role_zh, rung}], in the order of the ladder."""
        ...

    def sources(self) -> list[View]:
        """[{id, name, kind, url, state, last_good_at, error, signals, dead_letters}]"""
        ...

    def roster(self) -> View:
        """ladder [{rung, role_zh, people [{id, name, unit, channels [str], note}]}], and
        optionally at, until, absences [{name, from, to, reason}]."""
        ...

    def playbooks(self) -> list[View]:
        """[{id, name, version, trigger?, clocks [{id, name, amount_zh, start_zh, statutory,
        basis [str], steps [str], evidence_zh [str]}]}]"""
        ...

    def audit(self, limit: int, before_seq: int | None) -> View:
        """entries [{seq, at, kind, actor, incident_id, text, hash}] newest first,
        verified_at, ok (the chain of hashes held when last verified)."""
        ...

    def act(self, name: str, incident_id: str, params: dict[str, str], by: str) -> View:
        """Do what a person asks, at once and with the journal entry; `name` is a key of ACTS.

        params: open {title, grade, occurred_at?, kind?, place?, reason?} (incident_id ""; the
        answer has the new "id"), ack {reason?}, grade {grade, reason},
        stop {kind, url, publisher, published_at, clock?, reason?}, waive {clock, reason} where
        clock is a CLOCK's id, close {reason}, update {text}, assign {unit, reason?},
        correct {event, value, reason}, merge {into, reason?}, split {signals, title, reason?},
        reopen {reason}.
        Empty fields are left out. Raises Refusal or Unknown.
        """
        ...

    def ready(self) -> tuple[bool, list[str]]:
        """Whether everything works, else what does not, one sentence each."""
        ...

    def metrics(self) -> str:
        """Prometheus text format 0.0.4."""
        ...
