"""The port behind which everything the console shows and does lies; flows implements it.

The console knows no database: it asks a `Desk` and draws the answer. Every method is
synchronous and may be called from several threads at once. What comes back is JSON-ready:
plain dicts and lists, times as ISO 8601 with +08:00, lengths of time in seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Protocol

from connectors.console.desks.access import AccessDesk
from connectors.console.desks.aftermath import AftermathDesk
from connectors.console.desks.assessment import AssessmentDesk
from connectors.console.desks.auditing import AuditDesk
from connectors.console.desks.board import BoardDesk
from connectors.console.desks.chats import ChatsDesk
from connectors.console.desks.dossiers import DossiersDesk
from connectors.console.desks.dutylog import DutyLogDesk
from connectors.console.desks.files import FilesDesk
from connectors.console.desks.incident import IncidentDesk
from connectors.console.desks.levels import LevelsDesk
from connectors.console.desks.listing import ListingDesk
from connectors.console.desks.meetings import MeetingsDesk
from connectors.console.desks.mood import MoodDesk
from connectors.console.desks.onelinks import OneLinksDesk
from connectors.console.desks.phone import PhoneDesk
from connectors.console.desks.preferences import PreferencesDesk
from connectors.console.desks.registers import RegistersDesk
from connectors.console.desks.reports import ReportsDesk
from connectors.console.desks.slack import SlackDesk
from connectors.console.desks.statements import StatementsDesk
from connectors.console.desks.work import WorkDesk
from models.core.boards import EVERYTHING, Wanted

LARGEST: Final = 2**63 - 1
"""No row has a greater number: the database's own bound."""

View = dict[str, Any]
"""A JSON-ready answer; the methods of `Desk` give each one's shape."""

ACTS: Final = {
    "open": "立案",
    "ack": "签收",
    "take": "接手",
    "escalate": "升级",
    "snooze": "稍后提醒",
    "grade": "定级",
    "stop": "加凭据",
    "waive": "免除",
    "retract": "撤回凭据",
    "adopt": "采信",
    "dismiss": "不采信",
    "close": "办结",
    "update": "记录进展",
    "assign": "交办",
    "correct": "更正时间",
    "merge": "合并",
    "split": "拆分",
    "reopen": "重开",
    "move": "换预案版本",
}
"""The acts of people, by the same names as the command line."""


class Refusal(Exception):
    """A rule forbids the act. The message is shown to the person as it is (HTTP 409)."""


class Unknown(Exception):
    """No such incident, clock or person (HTTP 404). The message names what was asked for."""


class Unsigned(Exception):
    """What was pushed to us bears no signature that we know (HTTP 401). The message says what is wrong."""


class Unavailable(Exception):
    """What lies behind the desk cannot be reached (HTTP 503). The message names it and the way out."""


class Desk(Protocol):
    """What the console asks for.

    INCIDENT: id, ref, title, owner, merged_into, grade (I…IV), grade_zh, colour (红橙黄蓝), provisional, stage,
    stage_zh, kind, kind_zh, event_type_zh, opened_at, reason, signal_count, place,
    acked [{person, name, at}], snoozed [{person, name, until}], holder (a name or ""), clocks [CLOCK],
    proposals_waiting (a number).

    CLOCK: id (the rule), key (the row, unique), name, state, state_zh, start_event,
    start_event_zh, started_at, due_at, left_s (negative when past due), fraction, basis [str],
    reason, next_step {key, due_at, rung, role} | None,
    steps [{key, due_at, raised_at, late_by_s, skipped, rung}], met_at, evidence_url.

    PROPOSAL: id, incident_id, kind, kind_zh, url, title, publisher, account, published_at, seen_at,
    sha256, score (0..1), sure, reasons [str], state (pending|accepted|rejected|used|lapsed), state_zh,
    decided_at, decided_by, decision.

    ALERT: id, at, person, name, channel, ref, incident_id, title, step, state, state_zh,
    reason, attempts, accepted_at, delivered_at, read_at (None where the channel does not tell).
    """

    @property
    def access(self) -> AccessDesk: ...
    @property
    def registers(self) -> RegistersDesk: ...
    @property
    def assessment(self) -> AssessmentDesk: ...
    @property
    def aftermath(self) -> AftermathDesk: ...
    @property
    def meetings(self) -> MeetingsDesk: ...
    @property
    def boards(self) -> BoardDesk: ...
    @property
    def dossiers(self) -> DossiersDesk: ...
    @property
    def mood(self) -> MoodDesk: ...
    @property
    def onelinks(self) -> OneLinksDesk: ...
    @property
    def preferences(self) -> PreferencesDesk: ...
    @property
    def dutylog(self) -> DutyLogDesk: ...
    @property
    def about(self) -> IncidentDesk: ...
    @property
    def phone(self) -> PhoneDesk: ...
    @property
    def files(self) -> FilesDesk: ...
    @property
    def statements(self) -> StatementsDesk: ...
    @property
    def levels(self) -> LevelsDesk: ...
    @property
    def work(self) -> WorkDesk: ...
    @property
    def auditing(self) -> AuditDesk: ...
    @property
    def listing(self) -> ListingDesk: ...
    @property
    def reports(self) -> ReportsDesk: ...
    @property
    def slack(self) -> SlackDesk: ...
    @property
    def chats(self) -> ChatsDesk: ...

    def now(self) -> datetime:
        """The site's time, which a demonstration may run faster."""
        ...

    def revision(self) -> int:
        """A number that changes whenever anything shown has changed; cheap to ask."""
        ...

    def board(self, wanted: Wanted = EVERYTHING) -> View:
        """The open incidents that `wanted` asks for, the most pressing first: all, or a filtered stretch of them
        (`offset`, `limit`). `wanted.units` bounds what an account may see: incidents that one of these units leads
        or was asked for; with `models.core.boards.UNGIVEN` in it, also those that nobody was given; None: all.

        now, site, speed, revision, incidents [INCIDENT and owner_zh; its clocks with why_late [str]],
        recent_alerts [ALERT], found (how many fit the filter), offset, units [{id, name}] that lead one,
        coverage {ok, items [{name, label, state: ok|warn|late|down|off, last_good_at, detail, mend}]},
        signals {total, today, last [{at, title, medium_zh, source, sentiment, sentiment_zh,
        incident_id, incident_ref, flagged}]},
        counts {open, breached, at_risk, met, met_late, unacked} of all that may be seen, filtered or not; {} where
        single incidents are asked for by their ids with a limit."""
        ...

    def incident(self, incident_id: str) -> View | None:
        """INCIDENT and: grade_parts [{part, grade, reason}],
        times [{event, event_zh, value, by, reason, recorded_at}], facts [{name, value, text}],
        timeline [{seq, at, kind, kind_zh, text, actor, reason}],
        signals_list [{id, at, title, body, url, source, medium_zh, sentiment_zh, plans [str], link_score,
        link_reason, topic, filed}],
        evidence [{id, kind_zh, url, publisher, published_at, seen_at, sha256, by, standing,
        pages [{at, outcome, outcome_zh, status, page_sha256, text_sha256, warc_sha256, note}],
        looked {at, text, next_at} | None, file {media_type, bytes} | None}], proposals [PROPOSAL],
        alerts [ALERT]. None when there is no such incident."""
        ...

    def mine(self, person_id: str) -> View:
        """person {id, name, …}, waiting, total, left_off (numbers), incidents [INCIDENT] that this person holds or is
        asked for, what waits for them first, each with waits, taken, asleep (bool), told_at and
        above {rung, role, names} | None: whom 升级 would call."""
        ...

    def people(self) -> list[View]:
        """[{id, name, unit, role_zh, rung}], in the order of the ladder."""
        ...

    def sources(self) -> list[View]:
        """[{id, name, kind, url, state: ok|new|silent|failing|gap, error, last_good_at, every_s, every,
        due_at, lag_s, failing_since, errors, last_new_at, usual, gaps, last_gap_at, signals,
        dead_letters}]; `gap`: entries may have scrolled off unseen; `every` and `usual` in words"""
        ...

    def roster(self) -> View:
        """ladder [{rung, role_zh, people [{id, name, unit, channels [str], note}]}], and
        optionally at, owner [name], absences [{name, from, to, reason}], week [{rung, role_zh,
        turns [{from, to, people [name]}]}], overrides [{rung, people, from, to, reason}],
        sensitive [{name, rungs, from, to}], reach {at, words, checked_at, people [{name, ok, why}]}."""
        ...

    def handover(self) -> View:
        """at, waiting [id], handovers [{id, rung, role_zh, at, from [{id, name}], to [{id, name}], note,
        accepted_at, accepted_by, waiting, summary {written_at, late_s, open, more, incidents
        [{id, ref, title, grade, colour, owner, acked [name], clocks [{id, name, state, state_zh, due_at,
        left_s, next {key, due_at, role} | None}], progress [{at, by, text}]}], alerts [{ref, name,
        state, why}], sources [{name, why}]}}], newest first."""
        ...

    def playbooks(self) -> list[View]:
        """[{id, name, version, trigger?, live, shipped, waiting (drafts), clocks [{id, name, amount_zh, start_zh,
        statutory, basis [str], steps [str], evidence_zh [str]}]}]; `live` False: only a draft so far"""
        ...

    def playbook(self, playbook_id: str) -> View | None:
        """One of `playbooks` and: review (drafts need a second person), source (the text to begin from) and
        source_zh (what it is), given {start, grade, kind, event_type, answers, hours, kinds, event_types, grades},
        versions [{id, version, state, state_zh, current, empty, content, author, author_id, submitted_at, reason,
        reviewer, reviewed_at, opinion, active_from}], held [{version, incidents [id]}]."""
        ...

    def playbook_try(self, playbook_id: str, text: str, params: Mapping[str, str]) -> View:
        """What a text comes to, saved nowhere: ok, version, problems [{line, column, message, hint, warning,
        text}], svg, lines [{at, clock, step, told, quiet [str]}], more, silent [str], asked,
        diff {same, changes [{words, laxer, statutory}], moved [str], more} | None.
        params: start, grade, kind, event_type, answers (minutes), hours."""
        ...

    def playbook_act(self, name: str, playbook_id: str, params: Mapping[str, str], by: str) -> View:
        """submit {content, reason}, approve {version, reason, active_from?}, return {version, reason},
        withdraw {version, reason}, rollback {version?, reason}; the answer has `said`, id, playbook.
        Raises Refusal or Unknown."""
        ...

    def snapshot(self, sha256: str) -> tuple[bytes, str] | None:
        """What is kept as proof under that hash, and its media type."""
        ...

    def act(self, name: str, incident_id: str, params: dict[str, str], by: str, once: str = "") -> View:
        """Do what a person asks, at once and with the journal entry; `name` is a key of ACTS.

        params: open {title, grade, occurred_at?, kind?, place?, reason?} (incident_id ""; the
        answer has the new "id"), ack {reason?}, take {reason?},
        escalate {to?, reason?} (`to`: the rung that the page offered; the answer has told_rung, told_role),
        snooze {minutes?, reason?}, grade {grade, reason},
        stop {kind, url, publisher, published_at, clock?, reason?}, waive {clock, reason} where
        clock is a CLOCK's id, close {reason}, update {text}, assign {unit, co?, reason?},
        correct {event, value, reason}, merge {into, reason?}, split {signals, title, reason?},
        reopen {reason}, retract {evidence, reason},
        adopt {proposal, kind?, published_at?, reason?}, dismiss {proposal, reason},
        move {playbook?, reason}.
        Each takes waited_s?: seconds since the press, where a phone had no line. `once`, a key of the asker's:
        the same act with the same key changes nothing and is answered with `repeated`.
        Empty fields are left out. Raises Refusal or Unknown.
        """
        ...

    def hand(self, name: str, handover_id: str, params: dict[str, str], by: str) -> View:
        """Act on a hand-over: accept {note?}, note {text}. The answer is `handover`'s.
        Raises Refusal or Unknown."""
        ...

    def receipts(self, headers: Mapping[str, str], body: bytes) -> View:
        """Record what a channel pushes of its alerts: recorded, known. `headers` in lower case.
        Raises Unsigned, Unknown (no such alert), Refusal (cannot be read); then nothing is recorded."""
        ...

    def push(self, source: str, headers: Mapping[str, str], body: bytes) -> View:
        """Take in tickets that another system pushes: read, accepted, duplicate, rejected, reasons [str].
        Raises Unsigned, Unknown (no such source), Unavailable (its key is missing)."""
        ...

    def letters(self, source: str, after: int, settled: bool) -> View:
        """Dead letters of `source` ("" = of all) behind number `after`: sources [{id, name, waiting}],
        letters [LETTER], more. LETTER: id, source, place, reason, raw, row {column: cell}, columns
        {field: column}, at, state (open|replayed|dropped), state_zh, settled_at, settled_by, note;
        personal data is masked in all of it."""
        ...

    def letter(self, number: int) -> View | None:
        """One LETTER; None when there is none."""
        ...

    def letter_act(self, name: str, number: int | None, params: View, by: str) -> View:
        """mend {cells {column: text}} (and replay), replay {source?} (of all that wait when `number` is
        None), drop {reason}; the answer has `said`. Raises Refusal or Unknown."""
        ...

    def ready(self) -> tuple[bool, list[str]]:
        """Whether everything works, else what does not, one sentence each."""
        ...

    def metrics(self) -> str:
        """Prometheus text format 0.0.4."""
        ...
