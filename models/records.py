"""The tables. Two kinds live here:

* **truth**, which the journal can rebuild: incident, incidenttime, clock, step, alert, ack, evidence,
  proposal, capture, judgement, handover, playbookversion, frozenplaybook, incidentplaybook, and those of
  the response work: party, task, product, statement, statementtext, signature, release, meeting, dossier,
  registerentry, relabel, linkuse, preference, referral, archive (`TRUTH` lists them in the order of their making);
* **working state**, which a restart may lose or remake: source, recheck, duty, pace, setting, deadletter,
  sealed, planhit, pulse, surge, doneonce, chatpost, chatask, process, measure, readingslice;
  and what must not stand in a journal: account, accountsession, apitoken, signin.

`signal` stands between: its texts are kept once, here, so that personal data can be erased later; the
journal seals every one of them by its hash. `seen` remembers their uids when they have left. On PostgreSQL
`signal` and `journal` are in parts, one for each month (`models/ledger/partitions.py`).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, SQLModel

from models.core.moment import local


class Moment(TypeDecorator[datetime]):
    """An instant: kept in UTC, read in +08:00, refused when it has no offset.

    SQLite has no time zones, so there the UTC wall time is what is stored.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return local(value if value.tzinfo else value.replace(tzinfo=UTC))


BigKey = BigInteger().with_variant(Integer, "sqlite")


def _moment(*, nullable: bool = True, index: bool = False) -> Any:
    return Field(default=None, sa_column=Column(Moment, nullable=nullable, index=index))


def _json() -> Any:
    return Field(default=None, sa_column=Column(JSON, nullable=False))


def _text(*, nullable: bool = False) -> Any:
    return Field(default=None, sa_column=Column(Text, nullable=nullable))


# ── what comes in ─────────────────────────────────────────────────────────────────────────────


class Signal(SQLModel, table=True):
    """One post, call, notice or letter, exactly once however often it is seen (`uid`)."""

    __table_args__ = (
        Index(
            "ix_signal_pending",
            "id",
            sqlite_where=text("triaged_at IS NULL"),
            postgresql_where=text("triaged_at IS NULL"),
        ),
    )
    id: int | None = Field(default=None, sa_column=Column(BigKey, primary_key=True, autoincrement=True))
    uid: str = Field(unique=True, max_length=32)
    source_id: str = Field(index=True)
    medium: str
    title: str = _text()
    body: str = _text()
    url: str | None = _text(nullable=True)
    author: str | None = _text(nullable=True)
    place: str | None = _text(nullable=True)
    metrics: dict[str, int] = _json()
    published_at: datetime | None = _moment()
    occurred_at: datetime | None = _moment()
    seen_at: datetime = _moment(nullable=False, index=True)
    fingerprint: str = Field(index=True)
    digest: str
    triaged_at: datetime | None = _moment()


class Seen(SQLModel, table=True):
    """A uid that has come in, for ever: an old post that is read again after its text has left is no new one.

    One that an older release stored is here at the latest when its text leaves.
    """

    __table_args__ = {"sqlite_with_rowid": False}
    uid: str = Field(sa_column=Column(Uuid(as_uuid=False), primary_key=True))
    at: datetime = _moment(nullable=False)


class Judgement(SQLModel, table=True):
    """What the machine made of a signal, with its reasons and the versions that judged."""

    __table_args__ = (
        Index(
            "ix_judgement_home",
            "cluster",
            "signal_id",
            sqlite_where=text("incident_id IS NOT NULL"),
            postgresql_where=text("incident_id IS NOT NULL"),
        ),
        Index(
            "ix_judgement_homeless",
            "cluster",
            sqlite_where=text("incident_id IS NULL"),
            postgresql_where=text("incident_id IS NULL"),
        ),
    )
    signal_id: int = Field(sa_column=Column(BigKey, primary_key=True, autoincrement=False))
    at: datetime = _moment(nullable=False)
    sentiment: str
    sentiment_score: float
    topic: str
    topic_margin: float
    kind: str | None = None
    rumour: float
    concern: float
    flagged: bool
    grade: str
    event_type: str | None = None
    facts: dict[str, Any] = _json()
    grade_parts: list[dict[str, Any]] = _json()
    reasons: list[str] = _json()
    versions: dict[str, str] = _json()
    cluster: str
    incident_id: str | None = Field(default=None, index=True)
    link_score: float | None = None
    link_reason: str | None = _text(nullable=True)
    copy_of: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    # kind below the type, place, time of the event, spans; empty in rows of the first release
    details: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))


# ── what is held against the clock ────────────────────────────────────────────────────────────


class Incident(SQLModel, table=True):
    """舆情事件: signals that belong together, its grade with reasons, its stage."""

    __table_args__ = (
        Index(
            "ix_incident_open",
            "id",
            "grade",
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
        Index(
            "ix_incident_closed",
            "closed_at",
            sqlite_where=text("closed_at IS NOT NULL"),
            postgresql_where=text("closed_at IS NOT NULL"),
        ),
    )
    id: str = Field(primary_key=True)
    ref: str = Field(unique=True)
    title: str = _text()
    place: str | None = None
    grade: str
    provisional: bool = True
    grade_parts: list[dict[str, Any]] = _json()
    kind: str | None = None
    event_type: str | None = None
    medium: str | None = None  # by which door its first signal came
    domain: str | None = None  # which body of law it falls under, named by a person
    stage: str
    owner: str | None = None
    facts: dict[str, Any] = _json()
    reason: str = _text()
    opened_by: str
    opened_at: datetime = _moment(nullable=False, index=True)
    closed_at: datetime | None = _moment()
    signal_count: int = 0
    last_signal_at: datetime | None = _moment()
    merged_into: str | None = None
    holder: str | None = None  # who took it 接手; None: whoever acknowledged last


class IncidentTime(SQLModel, table=True):
    """One known time of an incident; a correction is a new row, the newest counts (law 7)."""

    id: str = Field(primary_key=True)
    incident_id: str = Field(index=True)
    event: str
    value: datetime = _moment(nullable=False)
    author: str
    reason: str = _text()
    recorded_at: datetime = _moment(nullable=False)


class Clock(SQLModel, table=True):
    """A limit that runs: a row, not a sleep (law 1). `next_step_at` is what the sweep asks for."""

    __table_args__ = (
        Index(
            "ix_clock_due",
            "next_step_at",
            sqlite_where=text("next_step_at IS NOT NULL"),
            postgresql_where=text("next_step_at IS NOT NULL"),
        ),
        # the board asks which incident presses most: from this index alone, of the open clocks alone
        Index(
            "ix_clock_open",
            "incident_id",
            "due_at",
            "state",
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index("ix_clock_ended", "ended_at"),
    )
    id: str = Field(primary_key=True)
    incident_id: str = Field(index=True)
    rule_id: str
    name: str
    playbook: str
    version: str
    state: str = Field(index=True)
    start_event: str
    started_at: datetime = _moment(nullable=False)
    due_at: datetime = _moment(nullable=False)
    reason: str = _text()
    basis: list[str] = _json()
    evidence: list[str] = _json()
    steps: list[dict[str, Any]] = _json()
    repeat_s: int | None = None
    repeat_rung: int = 4
    ack_valid_s: int = 7200
    statutory: bool = False
    last_key: str | None = None
    next_key: str | None = None
    next_step_at: datetime | None = _moment()
    created_at: datetime = _moment(nullable=False)
    ended_at: datetime | None = _moment()
    ended_reason: str | None = _text(nullable=True)
    evidence_id: str | None = None
    # of a limit that the work itself set (models/ledger/limits.py): "review.…", "promise.…"; no playbook replans it
    subject: str | None = Field(default=None, index=True)
    # whom it is about: they stand on its first rung
    people: list[str] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))


class Step(SQLModel, table=True):
    """One escalation step, raised exactly once (the key is unique), or skipped by catch-up."""

    clock_id: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    incident_id: str = Field(index=True)
    rung: int
    due_at: datetime = _moment(nullable=False)
    raised_at: datetime = _moment(nullable=False)
    late_ms: int = Field(sa_column=Column(BigInteger, nullable=False))
    skipped: bool = False
    reason: str = _text()


class Alert(SQLModel, table=True):
    """The outbox: one message to one person about one step, until a channel has accepted it.

    A notice (`kind` notice or test) is about no clock: its `clock_id` is "notice:TOPIC", its `step_key`
    the occasion, and it brings its own `title`.
    """

    __table_args__ = (
        UniqueConstraint("clock_id", "step_key", "person_id", name="uq_alert_once"),
        Index(
            "ix_alert_queue",
            "next_try_at",
            sqlite_where=text("next_try_at IS NOT NULL"),
            postgresql_where=text("next_try_at IS NOT NULL"),
        ),
        # what the auditor and the board ask each minute: of the few that nobody has taken, never of all
        Index(
            "ix_alert_untaken",
            "state",
            "raised_at",
            sqlite_where=text("state IN ('queued', 'dead')"),
            postgresql_where=text("state IN ('queued', 'dead')"),
        ),
    )
    id: str = Field(primary_key=True)
    incident_id: str | None = Field(default=None, index=True)
    clock_id: str
    step_key: str
    kind: str | None = None  # None, in rows of the first release: a step
    title: str | None = _text(nullable=True)
    rung: int
    person_id: str = Field(index=True)
    person_name: str
    unit: str
    contacts: list[list[str]] = _json()
    contact: int = 0
    contact_tries: int = 0
    refused: list[int] = _json()
    ref: str = _text()
    reason: str = _text()
    state: str
    raised_at: datetime = _moment(nullable=False, index=True)
    attempts: int = 0
    next_try_at: datetime | None = _moment()
    leased_by: str | None = None  # working state: a lease is not a truth
    leased_until: datetime | None = _moment()
    bundle: str | None = None  # working state: the message it has been in, named by its first alert
    sent_at: datetime | None = _moment()
    accepted_at: datetime | None = _moment()
    receipt: str | None = _text(nullable=True)
    delivered_at: datetime | None = _moment()  # where the channel tells
    read_at: datetime | None = _moment()
    last_error: str | None = _text(nullable=True)
    tried: list[str] | None = Field(default=None, sa_column=Column(JSON, nullable=True))  # channels
    not_before: datetime | None = _moment()  # a notice that waits for the end of its person's quiet hours


class Ack(SQLModel, table=True):
    """签收: a person has taken notice. It stops repeats to them, never a clock.

    With `until` it is a snooze 稍后提醒: repeats stay away until then, and nothing is acknowledged.
    """

    id: str = Field(primary_key=True)
    incident_id: str = Field(index=True)
    person_id: str
    at: datetime = _moment(nullable=False)
    until: datetime | None = _moment()
    reason: str = _text()


class DoneOnce(SQLModel, table=True):
    """An act that came with a key of its sender's (Idempotency-Key): the same key is the same act, done once."""

    key: str = Field(primary_key=True)
    person: str
    act: str
    target: str  # what was acted on, as the sender named it
    incident_id: str
    at: datetime = _moment(nullable=False, index=True)


class Handover(SQLModel, table=True):
    """交接: what one shift left to the next, and who took it over when."""

    id: str = Field(primary_key=True)
    rung: int
    from_people: list[str] = _json()
    to_people: list[str] = _json()
    at: datetime = _moment(nullable=False)
    summary: dict[str, Any] = _json()
    note: str = _text()
    accepted_at: datetime | None = _moment()
    accepted_by: str | None = None


class Evidence(SQLModel, table=True):
    """止算凭据: what was published, by whom, when by the platform and when we saw it (law 8)."""

    id: str = Field(primary_key=True)
    incident_id: str = Field(index=True)
    kind: str
    url: str | None = _text(nullable=True)
    publisher: str
    published_at: datetime = _moment(nullable=False)
    seen_at: datetime = _moment(nullable=False)
    sha256: str
    by: str
    reason: str = _text()
    standing: str | None = None  # None: it stands; "retracted": withdrawn, gone or changed


class Proposal(SQLModel, table=True):
    """A publication of ours that seems to answer an incident: a person accepts it or not (law 14).

    The pair of incident and `item` is proposed once for ever; what was rejected stays rejected.
    """

    __table_args__ = (UniqueConstraint("incident_id", "item", name="uq_proposal_once"),)
    id: str = Field(primary_key=True)
    incident_id: str = Field(index=True)
    item: str  # what is the same publication: a hash of its address
    source_id: str
    url: str | None = _text(nullable=True)
    title: str = _text()
    publisher: str
    account: str | None = _text(nullable=True)  # filing number and certified name, as registered
    kind: str
    published_at: datetime = _moment(nullable=False)
    seen_at: datetime = _moment(nullable=False)
    sha256: str
    score: float
    sure: bool
    reasons: list[str] = _json()
    state: str = Field(index=True)
    decided_at: datetime | None = _moment()
    decided_by: str | None = None
    decision: str | None = _text(nullable=True)
    evidence_id: str | None = None


class Capture(SQLModel, table=True):
    """How the page of an evidence was found: taken, edited, changed, gone or back, with its hashes."""

    id: str = Field(primary_key=True)
    evidence_id: str = Field(index=True)
    incident_id: str = Field(index=True)
    at: datetime = _moment(nullable=False)
    outcome: str
    status: int
    page_sha256: str | None = None  # of the body as it came
    text_sha256: str | None = None  # of its main text
    warc_sha256: str | None = None  # of the record kept in `snapshot`
    note: str = _text()


class PlaybookVersion(SQLModel, table=True):
    """预案版本: one draft of a site's own playbook as its author wrote it, and a second person's word on it.

    Without content it takes the site's own playbook out of use. In force is the newest reviewed one.
    """

    id: str = Field(primary_key=True)
    playbook: str = Field(index=True)
    name: str = _text()
    version: str  # of the content, as clocks name it
    content: str = _text()
    state: str = Field(index=True)
    author: str
    submitted_at: datetime = _moment(nullable=False)
    reason: str = _text()
    reviewer: str | None = None
    reviewed_at: datetime | None = _moment()
    opinion: str | None = _text(nullable=True)
    active_from: datetime | None = _moment()


class FrozenPlaybook(SQLModel, table=True):
    """A playbook's content by which clocks were planned, kept under its hash."""

    version: str = Field(primary_key=True)
    playbook: str
    content: str = _text()  # JSON, whole: no rule of later is needed to read it


class IncidentPlaybook(SQLModel, table=True):
    """Which version of a playbook an incident's clocks are planned by; the newest row of each counts."""

    id: str = Field(primary_key=True)
    incident_id: str = Field(index=True)
    playbook: str
    version: str
    at: datetime = _moment(nullable=False)
    by: str
    reason: str = _text()


# ── the response work ─────────────────────────────────────────────────────────────────────────


class Party(SQLModel, table=True):
    """责任单位: one unit's part in an incident, and what it said to it. A part handed over is a new row."""

    id: str = Field(primary_key=True)
    incident_id: str = Field(index=True)
    unit: str
    role: str  # PartyRole
    state: str  # PartyState
    asked_at: datetime = _moment(nullable=False)
    asked_by: str
    reason: str = _text()  # the rule by which it is theirs
    answer_by: datetime | None = _moment()
    answered_at: datetime | None = _moment()
    answered_by: str | None = None
    answer: str | None = _text(nullable=True)
    first: bool = False  # 首问: whom the matter reached first
    handed_to: str | None = None  # the row that took its place


class Task(SQLModel, table=True):
    """任务: one thing to do, of an incident or of a year's list; `key` makes it once in its incident."""

    __table_args__ = (UniqueConstraint("incident_id", "key", name="uq_task_once"),)
    id: str = Field(primary_key=True)
    incident_id: str | None = Field(default=None, index=True)
    key: str
    name: str = _text()
    unit: str | None = None
    person: str | None = None
    source: str  # the playbook, or who set it
    basis: list[str] = _json()
    evidence: str | None = None  # EvidenceKind that must be on the incident before it is done
    must: bool = False  # the incident does not close before it is done or struck off
    party: str | None = None  # whom it tells, for a notification
    state: str = Field(index=True)  # TaskState
    due_at: datetime | None = _moment(index=True)
    created_at: datetime = _moment(nullable=False)
    created_by: str
    reason: str = _text()
    done_at: datetime | None = _moment()
    done_by: str | None = None
    result: str | None = _text(nullable=True)


class Product(SQLModel, table=True):
    """阶段成果: what a stage left behind: a summary, minutes, an assessment, the shared wording, lessons."""

    id: str = Field(primary_key=True)
    incident_id: str = Field(index=True)
    kind: str  # ProductKind
    text: str = _text()
    data: dict[str, Any] = _json()
    at: datetime = _moment(nullable=False)
    by: str


class Statement(SQLModel, table=True):
    """稿件: what is to be told the public, from draft to release; `version` is its newest text."""

    id: str = Field(primary_key=True)
    incident_id: str = Field(index=True)
    kind: str  # EvidenceKind that it becomes when it is released
    title: str = _text()
    unit: str
    author: str
    state: str = Field(index=True)  # StatementState
    version: int
    sha256: str  # of the newest text, title and all
    disclosure: str | None = None  # Disclosure
    disclosure_reason: str | None = _text(nullable=True)
    audience: str | None = _text(nullable=True)  # where only some are told (S-058)
    outlets: list[str] = _json()
    chain: list[dict[str, Any]] = _json()  # the review as it was asked for: [{key, name, by, person, due_at}]
    created_at: datetime = _moment(nullable=False)
    submitted_at: datetime | None = _moment()
    approved_at: datetime | None = _moment()
    approved_sha256: str | None = None
    released_at: datetime | None = _moment()
    replaces: str | None = None  # the statement that was retracted for it
    emergency: str | None = _text(nullable=True)  # why two signatures had to do
    facts_by: str | None = None  # who answers for numbers that differ from the incident's
    facts_reason: str | None = _text(nullable=True)  # and how they were verified


class StatementText(SQLModel, table=True):
    """One version of a statement's text, kept as it was."""

    __tablename__ = "statementtext"
    statement_id: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    title: str = _text()
    text: str = _text()
    attributes: dict[str, Any] = _json()  # what else the hash is of
    sha256: str
    by: str
    at: datetime = _moment(nullable=False)
    reason: str = _text()


class Signature(SQLModel, table=True):
    """One reviewer's word on one text: which step, which hash, passed or refused, and why."""

    __table_args__ = (UniqueConstraint("statement_id", "version", "step", name="uq_signature_once"),)
    id: str = Field(primary_key=True)
    statement_id: str = Field(index=True)
    version: int
    step: str  # a key of the chain
    sha256: str  # what was signed
    person: str
    verdict: str  # Verdict
    opinion: str = _text()
    at: datetime = _moment(nullable=False)


class Release(SQLModel, table=True):
    """发布: one approved text on one outlet, and what was found there of it."""

    id: str = Field(primary_key=True)
    statement_id: str = Field(index=True)
    incident_id: str = Field(index=True)
    version: int
    sha256: str
    outlet: str  # Outlet
    at: datetime = _moment(nullable=False)
    by: str
    url: str | None = _text(nullable=True)
    evidence_id: str | None = None
    compared_at: datetime | None = _moment()
    same: bool | None = None
    difference: str | None = _text(nullable=True)


class Meeting(SQLModel, table=True):
    """新闻发布会 and its like: booked, announced, held; who spoke; what was asked and answered."""

    id: str = Field(primary_key=True)
    incident_id: str = Field(index=True)
    kind: str  # MeetingKind
    state: str  # MeetingState
    place: str = _text()
    starts_at: datetime = _moment(nullable=False)
    speaker: str | None = None
    speaker_post: str | None = _text(nullable=True)
    principal: bool = False  # 第一新闻发言人: is the speaker the principal (S-012, S-013)
    notice: str | None = _text(nullable=True)
    questions: list[dict[str, str]] = _json()  # [{ask, answer, by}]
    transcript: str | None = _text(nullable=True)
    held_at: datetime | None = _moment()
    booked_at: datetime = _moment(nullable=False)
    booked_by: str
    evidence_id: str | None = None


class Dossier(SQLModel, table=True):
    """证据包: what was gathered of a rumour, to whom it was handed over, and the receipt (S-035, N-006)."""

    id: str = Field(primary_key=True)
    incident_id: str = Field(index=True)
    sha256: str  # of the zip in `snapshot`
    manifest: dict[str, Any] = _json()
    made_at: datetime = _moment(nullable=False)
    made_by: str
    receiver: str | None = None
    handed_at: datetime | None = _moment()
    handed_by: str | None = None
    receipt: str | None = None  # the receipt's number: once for ever
    receipt_at: datetime | None = _moment()
    evidence_id: str | None = None
    follow_up: list[dict[str, str]] = _json()  # [{at, by, text}]


class RegisterEntry(SQLModel, table=True):
    """台账: one counted or watched matter of a year: a training, a request, a finding, an account."""

    __tablename__ = "registerentry"
    id: str = Field(primary_key=True)
    kind: str = Field(index=True)  # Register
    title: str = _text()
    unit: str | None = Field(default=None, index=True)
    happened_at: datetime = _moment(nullable=False, index=True)
    due_at: datetime | None = _moment(index=True)
    done_at: datetime | None = _moment()
    result: str | None = _text(nullable=True)
    incident_id: str | None = Field(default=None, index=True)
    details: dict[str, Any] = _json()
    recorded_at: datetime = _moment(nullable=False)
    recorded_by: str
    reason: str = _text()
    cancelled_at: datetime | None = _moment()


class LinkUse(SQLModel, table=True):
    """A one-use link 一次性链接 of an alert's message, used: the same act is not done by it again."""

    __tablename__ = "linkuse"
    alert_id: str = Field(primary_key=True)
    act: str = Field(primary_key=True)
    person_id: str
    at: datetime = _moment(nullable=False)


class Referral(SQLModel, table=True):
    """移送: an incident handed to, or by, another installation, with the parcel as it was signed."""

    id: str = Field(primary_key=True)
    way: str  # Way
    neighbour: str = Field(index=True)
    purpose: str  # Purpose
    state: str  # ReferralState
    incident_id: str | None = Field(default=None, index=True)  # ours; empty: come for information alone
    title: str = _text()
    their_incident: str | None = None
    their_ref: str | None = None
    at: datetime = _moment(nullable=False)  # written here, or received here
    by: str
    reason: str = _text()
    sha256: str  # of the parcel's canonical bytes
    parcel: str = _text()
    delivered_at: datetime | None = _moment()
    decided_at: datetime | None = _moment()
    decided_by: str | None = None
    decision: str | None = _text(nullable=True)
    receipt: str | None = None
    taken: list[str] = _json()  # rules whose clocks run there
    answered_at: datetime | None = _moment()  # the sender has our receipt
    progress: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    progress_at: datetime | None = _moment()


class Archive(SQLModel, table=True):
    """归档: a month, or what could leave of it, in a file; the rows are no longer in their table."""

    file: str = Field(primary_key=True)  # its name in the archive's folder
    kind: str  # signal | journal
    month: str = Field(index=True)  # 2026-11, in Beijing
    rows: int
    first: int = Field(sa_column=Column(BigInteger, nullable=False))  # the smallest number in it
    last: int = Field(sa_column=Column(BigInteger, nullable=False))
    first_at: datetime = _moment(nullable=False)
    last_at: datetime = _moment(nullable=False)
    prev: str | None = None  # of a journal: what its first entry follows
    head: str | None = None  # of a journal: the hash of its last entry
    sha256: str  # of the file
    size: int = Field(sa_column=Column(BigInteger, nullable=False))  # bytes
    made_at: datetime = _moment(nullable=False)
    forgotten_at: datetime | None = _moment()  # its texts were deleted for good, the file with them


class Preference(SQLModel, table=True):
    """What a person wishes of our messages: which channel first, and when low notices are to wait."""

    person_id: str = Field(primary_key=True)
    channels: dict[str, list[str]] = _json()  # urgency → channels, the first wish first
    quiet_from: str | None = None  # 22:00, in Beijing; None: no quiet hours
    quiet_to: str | None = None
    at: datetime = _moment(nullable=False)


class Relabel(SQLModel, table=True):
    """更正标签: what a person made of one of a signal's labels, and what it was before (law 14)."""

    id: str = Field(primary_key=True)
    signal_id: int = Field(sa_column=Column(BigKey, index=True, nullable=False))
    incident_id: str = Field(index=True)
    label: str  # Label
    was: str | None = None
    now: str
    by: str
    at: datetime = _moment(nullable=False)
    reason: str = _text()


class Snapshot(SQLModel, table=True):
    """The bytes an evidence's SHA-256 was taken of."""

    sha256: str = Field(primary_key=True)
    content: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    media_type: str


class JournalEntry(SQLModel, table=True):
    """Append-only and hash-chained: `hash = SHA-256(prev ‖ JCS(entry without hash))` (law 11)."""

    __tablename__ = "journal"
    __table_args__ = (
        Index(
            "ix_journal_person",  # what people did, for the auditor; the machine's own entries cost it nothing
            "actor",
            "seq",
            sqlite_where=text("actor <> 'huiying'"),
            postgresql_where=text("actor <> 'huiying'"),
        ),
        Index("ix_journal_at", "at"),
    )
    seq: int = Field(sa_column=Column(BigKey, primary_key=True, autoincrement=False))
    at: datetime = _moment(nullable=False)
    kind: str = Field(index=True)
    incident_id: str | None = Field(default=None, index=True)
    actor: str
    reason: str = _text()
    payload: str = _text()
    prev: str
    hash: str


# ── working state ─────────────────────────────────────────────────────────────────────────────


class Source(SQLModel, table=True):
    """A place we read: how far we are, when it was last good, since when it fails."""

    id: str = Field(primary_key=True)
    kind: str
    name: str
    url: str = _text()
    state: dict[str, Any] = _json()
    due_at: datetime | None = _moment()
    last_tried_at: datetime | None = _moment()
    last_good_at: datetime | None = _moment()
    failing_since: datetime | None = _moment()
    error: str | None = _text(nullable=True)
    errors: int = 0


class Recheck(SQLModel, table=True):
    """When the page of an evidence is looked at next, and what was doubtful the last time."""

    evidence_id: str = Field(primary_key=True)
    due_at: datetime | None = _moment(index=True)
    round: int = 0
    doubt: str | None = None  # gone or changed, seen once and to be confirmed
    doubted_at: datetime | None = _moment()
    told: str | None = None  # the text's hash of which people were told last
    last_at: datetime | None = _moment()
    last_word: str | None = _text(nullable=True)


class DeadLetter(SQLModel, table=True):
    """What could not become a signal, whole, with place and reason: nothing is lost."""

    id: int | None = Field(default=None, sa_column=Column(BigKey, primary_key=True, autoincrement=True))
    uid: str = Field(unique=True, max_length=32)
    source_id: str = Field(index=True)
    place: str = _text()
    reason: str = _text()
    raw: str = _text()
    at: datetime = _moment(nullable=False)
    # what follows is empty in rows of the first release
    fields: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    state: str | None = None  # None: waits; else replayed | dropped
    settled_at: datetime | None = _moment()
    settled_by: str | None = None
    note: str | None = _text(nullable=True)
    signal_uid: str | None = None


class Sealed(SQLModel, table=True):
    """An original with personal data in it, encrypted; the row that is shown holds the masked words."""

    uid: str = Field(primary_key=True)  # a signal's uid, or "dead:" and a dead letter's
    key_id: str
    box: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    at: datetime = _moment(nullable=False)


class ReadingSlice(SQLModel, table=True):
    """Waiting signals that one reader has claimed, and its readings of them once they lie there for the sorter."""

    first_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    last_id: int = Field(sa_column=Column(BigInteger, nullable=False))
    leased_by: str | None = None
    leased_until: datetime | None = _moment()
    version: str  # of code, weights and settings that read; another's readings are read anew
    body: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))


class Duty(SQLModel, table=True):
    """A recurring piece of work: who holds it, when it is due, when it was last good."""

    name: str = Field(primary_key=True)
    due_at: datetime | None = _moment()
    leased_until: datetime | None = _moment()
    leased_by: str | None = None
    last_good_at: datetime | None = _moment()
    by: str | None = None
    runs: int = 0
    error: str | None = _text(nullable=True)
    failing_since: datetime | None = _moment()
    detail: str | None = _text(nullable=True)


class Process(SQLModel, table=True):
    """What a process last said of itself. One that ends in order takes its row away; one that vanished
    leaves it, until somebody has seen it or a day has passed."""

    id: str = Field(primary_key=True)  # host:pid:birth:mark, as it holds leases
    host: str
    pid: int
    kind: str  # run | worker | console | serve
    duties: list[str] = _json()
    version: str
    schema_version: str
    started_at: datetime = _moment(nullable=False)
    beat_at: datetime = _moment(nullable=False)
    # of its machine's clock against the database's; None where the database has none of its own
    offset_ms: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    memory: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))  # bytes resident
    pool_used: int | None = None
    pool_size: int | None = None
    disks: dict[str, int] = _json()  # folder → bytes left
    reach: dict[str, str] = _json()  # prefect, kafka → what is wrong from there; "" when nothing is


class Measure(SQLModel, table=True):
    """A histogram counted from the journal as it grows: the metrics read it, whatever else is archived."""

    name: str = Field(primary_key=True)
    label: str = Field(primary_key=True)
    counts: list[int] = _json()  # by bucket, not added up; the last is what exceeds every bound
    total: float = 0.0


class Pace(SQLModel, table=True):
    """How often a channel was used of late, shared by every sender: what its rate limit asks."""

    channel: str = Field(primary_key=True)
    used: list[str] = _json()  # the moments of the last minute, ISO 8601
    paused_until: datetime | None = _moment()  # the channel asked for it (Retry-After)


class PlanHit(SQLModel, table=True):
    """A signal fired a keyword plan 监测方案; `told_at` is empty while its owner has not been told.

    Working state: what fired stands in the judgement's reasons, who was told in the alerts.
    """

    __table_args__ = (
        Index(
            "ix_planhit_untold",
            "plan_id",
            sqlite_where=text("told_at IS NULL"),
            postgresql_where=text("told_at IS NULL"),
        ),
    )
    plan_id: str = Field(primary_key=True)
    signal_id: int = Field(sa_column=Column(BigKey, primary_key=True, autoincrement=False))
    at: datetime = _moment(nullable=False, index=True)
    words: str = _text()
    told_at: datetime | None = _moment()


class Pulse(SQLModel, table=True):
    """How many signals of a source, medium, place and topic were said in an hour: what is usual."""

    hour: datetime = Field(sa_column=Column(Moment, primary_key=True))
    source_id: str = Field(primary_key=True)
    medium: str = Field(primary_key=True)
    place: str = Field(primary_key=True)
    topic: str = Field(primary_key=True)
    signals: int


class Surge(SQLModel, table=True):
    """A burst 突增 that has been told: of which rule and group, how large then, which incident it opened."""

    rule_id: str = Field(primary_key=True)
    group: str = Field(primary_key=True)
    began_at: datetime = _moment(nullable=False)
    last_at: datetime = _moment(nullable=False)
    told: int
    incident_id: str


class Account(SQLModel, table=True):
    """账号: who signs in. Never deleted: what it did stays its own. Its secrets stay out of the journal."""

    __table_args__ = (UniqueConstraint("issuer", "subject", name="uq_account_identity"),)
    id: str = Field(primary_key=True)  # what is typed at the sign-in
    name: str
    person: str | None = Field(default=None, index=True)  # in the roster; empty: not on it
    roles: list[str] = _json()
    units: list[str] = _json()  # sees only their incidents; empty: everything
    password: str | None = _text(nullable=True)  # argon2id, with its parameters; empty: by OIDC alone
    must_change: bool = False
    totp: str | None = _text(nullable=True)  # base32, or sealed with the site's key
    totp_step: int | None = Field(
        default=None, sa_column=Column(BigInteger, nullable=True)
    )  # the last that was used
    recovery: list[str] = _json()  # hashes of the codes that are left
    issuer: str | None = None
    subject: str | None = None
    failures: int = 0
    locked_until: datetime | None = _moment()
    made_at: datetime = _moment(nullable=False)
    disabled_at: datetime | None = _moment()


class AccountSession(SQLModel, table=True):
    """A sign-in that lasts: the browser holds 256 random bits, we their hash."""

    __tablename__ = "accountsession"
    id: str = Field(primary_key=True)  # SHA-256
    account: str = Field(index=True)
    stage: str
    method: str  # password | oidc
    made_at: datetime = _moment(nullable=False)
    seen_at: datetime = _moment(nullable=False)  # to the minute
    ends_at: datetime = _moment(nullable=False, index=True)
    confirmed_at: datetime | None = _moment()
    address: str
    agent: str
    pending: str | None = _text(nullable=True)  # a second factor that is being set up
    ended_at: datetime | None = _moment()


class ApiToken(SQLModel, table=True):
    """A program's key: shown once, kept as its hash, never more than its owner may."""

    __tablename__ = "apitoken"
    id: str = Field(primary_key=True)
    hash: str = Field(unique=True)  # SHA-256
    account: str = Field(index=True)
    name: str
    roles: list[str] = _json()
    made_at: datetime = _moment(nullable=False)
    ends_at: datetime = _moment(nullable=False)
    used_at: datetime | None = _moment()  # to the minute
    ended_at: datetime | None = _moment()


class SignIn(SQLModel, table=True):
    """Who tried to sign in, from where, and what came of it; for the audit. A name that is no account's is
    not kept: people type passwords into the wrong field."""

    __tablename__ = "signin"
    id: int | None = Field(default=None, sa_column=Column(BigKey, primary_key=True, autoincrement=True))
    at: datetime = _moment(nullable=False, index=True)
    account: str | None = Field(default=None, index=True)
    method: str
    ok: bool
    why: str
    address: str
    agent: str


class ChatPost(SQLModel, table=True):
    """An incident's message in a chat's room: where it stands, what it shows, how far its thread tells.

    Working state: what is lost of it is found again in the chat by `trying`, or said once more.
    """

    way: str = Field(primary_key=True)  # the channel of the site
    incident_id: str = Field(primary_key=True)
    place: str  # the chat's own name of the room
    ts: str | None = None  # the message; None while it has not been posted
    face: str | None = None  # a mark of what it shows
    told: int = Field(
        sa_column=Column(BigInteger, nullable=False)
    )  # the journal's number its thread has reached
    last_ts: str | None = None  # the newest reply
    trying: str | None = None  # what is being sent: a mark that goes along with it
    trying_to: int | None = Field(
        default=None, sa_column=Column(BigInteger, nullable=True)
    )  # a reply's reach
    at: datetime = _moment(nullable=False)


class ChatAsk(SQLModel, table=True):
    """What somebody did in a chat, taken down before it is answered: the same `key` is taken once."""

    key: str = Field(primary_key=True)
    way: str
    body: dict[str, Any] = _json()
    at: datetime = _moment(nullable=False, index=True)
    leased_until: datetime | None = _moment()
    done_at: datetime | None = _moment()
    said: str | None = _text(nullable=True)


class LowerBoard(SQLModel, table=True):
    """What a lower installation said last of how it stands; working state, said anew each minute."""

    __tablename__ = "lowerboard"
    neighbour: str = Field(primary_key=True)
    at: datetime = _moment(nullable=False)  # by their time
    heard_at: datetime = _moment(nullable=False)  # by ours
    body: dict[str, Any] = _json()


class Setting(SQLModel, table=True):
    """A small named value: the demonstration clock's anchor, the chain's last verification."""

    key: str = Field(primary_key=True)
    value: dict[str, Any] = _json()


TRUTH: tuple[type[SQLModel], ...] = (
    Incident,
    IncidentTime,
    Clock,
    Step,
    Alert,
    Ack,
    Evidence,
    Proposal,
    Capture,
    Judgement,
    Handover,
    PlaybookVersion,
    FrozenPlaybook,
    IncidentPlaybook,
    Party,
    Task,
    Product,
    Statement,
    StatementText,
    Signature,
    Release,
    Meeting,
    Dossier,
    RegisterEntry,
    Relabel,
    LinkUse,
    Preference,
    Referral,
    Archive,
)
"""What the journal rebuilds, and `huiying verify` compares."""

VOLATILE = frozenset({"leased_by", "leased_until", "bundle"})
"""Columns of the tables of truth that are working state and so are not compared."""
