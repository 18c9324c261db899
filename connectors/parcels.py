"""A letter between installations, read: bounded, its shape checked, its words kept as they are.

`huiying schema parcel` prints the shape of what one body brings when an incident is handed on.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Final, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from connectors.ports import Refused
from models.core.levels import PAYLOAD, Kind, Purpose, ReferralState
from models.core.moment import parse_iso
from models.core.vocabulary import ClockState, Domain, EventType, EvidenceKind, Grade, OpinionKind, StartEvent

MOST: Final = 2 * 1024 * 1024
"""Bytes of one letter with its signature."""


class Unsigned(Refused):
    """Nobody whom we know signed this, or not just this, or not now: once the settings are mended it may go."""


def _printable(text: str) -> str:
    if "\0" in text:
        raise ValueError("NUL")
    return text


def _moment(text: str) -> str:
    """An ISO 8601 instant with its offset."""
    try:
        parsed = parse_iso(text)
    except (ValueError, OverflowError):
        raise ValueError("not a time") from None
    if parsed.tzinfo is None:
        raise ValueError("no offset")
    return text


Line = Annotated[str, StringConstraints(min_length=1, max_length=500), AfterValidator(_printable)]
Words = Annotated[str, StringConstraints(max_length=20_000), AfterValidator(_printable)]
Ident = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Number = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:-]{1,100}$")]
Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Time = Annotated[str, StringConstraints(max_length=40), AfterValidator(_moment)]
Count = Annotated[int, Field(ge=0, le=2**53 - 1)]


class _Paper(BaseModel):
    """A newer sender may say more than is known here: what is unknown is kept in the bytes, and not read."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Envelope(_Paper):
    """一封信；签名是对它的规范字节（RFC 8785）的 Ed25519。"""

    v: Annotated[int, Field(ge=1, le=1)]
    id: Number
    kind: Kind
    sender: Annotated[Ident, Field(alias="from")]
    receiver: Annotated[Ident, Field(alias="to")]
    sent_at: Time
    body: dict[str, Any]


class Party(_Paper):
    """移送方。"""

    id: Ident
    name: Line
    region: Words


class Part(_Paper):
    """定级的一个方面（event、heat、sensitivity、person）；不认识的方面不采用。"""

    part: Line
    grade: Grade | None
    reason: Words
    basis: Annotated[list[Line], Field(max_length=50)] = Field(default_factory=list)
    suggested: bool = False


class Subject(_Paper):
    """事件。"""

    id: Number
    ref: Line
    title: Line
    place: Words | None
    grade: Grade
    provisional: bool
    kind: OpinionKind | None
    event_type: EventType | None
    medium: Line | None
    domain: Domain | None
    stage: Line
    facts: dict[str, Any]
    grade_parts: Annotated[list[Part], Field(max_length=20)]
    reason: Words
    opened_at: Time
    signal_count: Count


class StatedTime(_Paper):
    """一个已知时间；时钟从它起算，移送后不变。"""

    event: StartEvent
    value: Time
    author: Line
    reason: Words
    recorded_at: Time


class Running(_Paper):
    """一个时钟及其状态。"""

    rule_id: Number
    name: Line
    playbook: Line
    version: Line
    state: ClockState
    start_event: StartEvent
    started_at: Time
    due_at: Time
    statutory: bool
    basis: Annotated[list[Words], Field(max_length=50)]
    evidence: Annotated[list[Words], Field(max_length=50)]
    reason: Words
    ended_at: Time | None
    ended_reason: Words | None


class Proof(_Paper):
    """一份凭据。"""

    kind: EvidenceKind
    url: Words | None
    publisher: Line
    published_at: Time
    seen_at: Time
    sha256: Hash
    reason: Words


class Approval(_Paper):
    """一道审核。"""

    step: Line
    name: Line
    at: Time


class Draft(_Paper):
    """一份稿件：只有标题、状态、哈希和审核，没有正文；日志里拟稿、改稿的内容也只有哈希。"""

    title: Line
    kind: Line
    state: Line
    version: Count
    sha256: Hash
    approvals: Annotated[list[Approval], Field(max_length=50)]


class Heard(_Paper):
    """一条线索。"""

    at: Time
    title: Words
    body: Words
    url: Words | None
    source: Words
    medium: Words


class Signals(_Paper):
    """线索：附上的和没有附上的条数。"""

    total: Count
    left_out: Count
    listed: Annotated[list[Heard], Field(max_length=200)]


class JournalLine(_Paper):
    """日志的一条：时间、时钟、定级、凭据、进展的内容原样；其余的、含联系方式或个人信息的，只附内容的哈希
    （payload 为空）。"""

    seq: Count
    at: Time
    kind: Line
    actor: Line
    reason: Words
    payload: Annotated[str, StringConstraints(max_length=PAYLOAD)] | None
    payload_sha256: Hash
    prev: Hash
    hash: Hash
    masked: bool


class Head(_Paper):
    """日志链的末端。"""

    seq: Count
    hash: Hash


class Journal(_Paper):
    """事件的日志和移送方日志链的末端。"""

    head: Head
    entries: Annotated[list[JournalLine], Field(max_length=1000)]
    left_out: Count


class Parcel(_Paper):
    """移送件：一起事件，连同它的时间、时钟、凭据和日志。"""

    shape: Annotated[int, Field(ge=1, le=1)]
    purpose: Purpose
    made_at: Time
    by: Line
    reason: Words
    sender: Party
    incident: Subject
    times: Annotated[list[StatedTime], Field(max_length=200)]
    clocks: Annotated[list[Running], Field(max_length=300)]
    evidence: Annotated[list[Proof], Field(max_length=300)]
    statements: Annotated[list[Draft], Field(max_length=100)]
    signals: Signals
    journal: Journal


class Receipt(_Paper):
    """对移送件的答复。"""

    referral: Number
    state: ReferralState
    at: Time
    by: Line
    reason: Words
    receipt: Line
    incident: Number | None
    ref: Line | None
    taken: Annotated[list[Number], Field(max_length=300)] = Field(default_factory=list)


class Answer(_Paper):
    """收信的系统对一封信的答复；对移送件还有它立的事件。"""

    incident: Number | None = None
    ref: Line | None = None


class ThereClock(_Paper):
    """对方一个时钟的现状。"""

    rule_id: Number
    name: Line
    state: ClockState
    due_at: Time
    ended_at: Time | None
    ended_reason: Words | None


class Progress(_Paper):
    """移送的事件在对方那里的现状。"""

    referral: Number
    at: Time
    ref: Line
    title: Line
    grade: Grade
    stage: Line
    closed_at: Time | None
    clocks: Annotated[list[ThereClock], Field(max_length=300)]


class Near(_Paper):
    """最近到期的一个时钟。"""

    ref: Line
    title: Words | None
    grade: Grade
    clock: Line
    state: ClockState
    due_at: Time


class Covered(_Paper):
    """下级系统自身是否看得见、叫得到人。"""

    ok: bool
    bad: Annotated[list[Words], Field(max_length=50)] = Field(default_factory=list)


class Summary(_Paper):
    """下级每分钟报一次的态势。"""

    at: Time
    site: Line
    version: Line
    grades: dict[Grade, Count]
    open: Count
    unacked: Count = 0
    clocks: dict[Line, Count]
    nearest: Annotated[list[Near], Field(max_length=20)]
    coverage: Covered
    journal: Head


BODIES: Final[dict[Kind, type[_Paper]]] = {
    Kind.PARCEL: Parcel,
    Kind.RECEIPT: Receipt,
    Kind.PROGRESS: Progress,
    Kind.SUMMARY: Summary,
}
M = TypeVar("M", bound=_Paper)


def document(raw: bytes) -> dict[str, Any]:
    """The JSON object of a request. Raises Refused for what is too large, nested beyond reason or none."""
    if len(raw) > MOST:
        raise Refused(f"信件有 {len(raw):,} 字节，最多 {MOST:,}；请少附线索(levels.signals)后再发")
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        raise Refused("信件不是 JSON；请核对发信的系统") from None
    if not isinstance(found, dict) or not isinstance(found.get("message"), dict):
        raise Refused('信件应是 {"message": {…}, "signature": "…"}；请核对发信的系统')
    return found


def envelope(message: Mapping[str, Any]) -> Envelope:
    return read(Envelope, message, "信件")


def body_of(kind: Kind, body: Mapping[str, Any]) -> _Paper:
    """What a letter brings, checked by its kind. Raises Refused."""
    return read(BODIES[kind], body, {"parcel": "移送件", "summary": "态势"}.get(kind.value, "信件"))


def read(model: type[M], given: Mapping[str, Any], called: str) -> M:
    """`given` in its shape. Raises Refused that names the first place that is wrong, not its words."""
    try:
        return model.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "整封"
        raise Refused(
            f"{called}的 {place[:120]} 不合格式；请核对两边系统的版本（huiying schema parcel）"
        ) from None


def schema() -> dict[str, Any]:
    """The JSON Schema of a parcel."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Parcel.model_json_schema()}
