"""上下级: what governments' installations say to one another, and how what arrived is judged.

A letter is `{v, id, kind, from, to, sent_at, body}`; its Ed25519 signature stands beside it, over the letter's
canonical bytes (RFC 8785). `id` is the same on every try, `sent_at` is of each try. Signing is not done here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from models.core.moment import iso, parse_iso

SHAPE: Final = 1
FRESH: Final = timedelta(minutes=10)
"""How far a letter's `sent_at` may stand off our own time."""
PAYLOAD: Final = 262_144
"""The longest payload of one journal entry that a parcel holds verbatim."""
EVERY: Final = timedelta(minutes=1)
"""How often a lower one tells the upper how it stands."""
Letter = dict[str, Any]


class Relation(StrEnum):
    """关系: what a neighbour is to us."""

    UPPER = "upper"  # 上级
    LOWER = "lower"  # 下级
    PEER = "peer"  # 平级

    @property
    def zh(self) -> str:
        return {"upper": "上级", "lower": "下级", "peer": "平级"}[self.value]


class Purpose(StrEnum):
    """用途: to be taken over, or to be known of."""

    TRANSFER = "transfer"  # 移交
    INFORM = "inform"  # 抄报 upwards, 通报 elsewhere

    @property
    def zh(self) -> str:
        return {"transfer": "移交", "inform": "通报"}[self.value]


class Way(StrEnum):
    """收发: which way a referral went."""

    OUT = "out"
    IN = "in"


class ReferralState(StrEnum):
    """移送: how a referral stands, the sender's words first, then those of both, then the receiver's."""

    SENT = "sent"  # 待送达
    DELIVERED = "delivered"  # 已送达, the receiver's signature says so
    REFUSED = "refused"  # their installation would not take it
    ACCEPTED = "accepted"  # 已接收
    RETURNED = "returned"  # 已退回
    NOTED = "noted"  # 已阅 (of what was for information)
    WAITING = "waiting"  # 待接收

    @property
    def zh(self) -> str:
        return {
            "sent": "待送达",
            "delivered": "已送达，待接收",
            "refused": "对方系统拒收",
            "accepted": "已接收",
            "returned": "已退回",
            "noted": "已阅",
            "waiting": "待接收",
        }[self.value]


UNANSWERED: Final = (ReferralState.SENT.value, ReferralState.DELIVERED.value)
"""Of our own: nobody there has said anything yet."""
HELD: Final = (*UNANSWERED, ReferralState.ACCEPTED.value)
"""Of our own: it is on its way to, or in, somebody else's hands."""


class Kind(StrEnum):
    """What a letter brings."""

    PARCEL = "parcel"  # an incident, to be taken over or to be known
    RECEIPT = "receipt"  # what people there said to it
    PROGRESS = "progress"  # how it stands there
    SUMMARY = "summary"  # how a lower installation stands as a whole
    ANSWER = "answer"  # of the receiving installation: it is in our database


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another installation as the ledger knows it."""

    id: str
    name: str
    relation: str  # Relation

    @property
    def actor(self) -> str:
        """Whose name stands in the journal for what its letters did here."""
        return f"neighbour:{self.id}"


def called(purpose: str, relation: str) -> str:
    """移交; of what is for information: 抄报 to an upper level, 通报 to others."""
    upwards = purpose == Purpose.INFORM.value and relation == Relation.UPPER.value
    return "抄报" if upwards else Purpose(purpose).zh


def mirrored(relation: str) -> str:
    """What we are to whoever is this to us."""
    return {"upper": "lower", "lower": "upper"}.get(relation, relation)


def letter(
    letter_id: str, kind: Kind, sender: str, receiver: str, at: datetime, body: Mapping[str, Any]
) -> Letter:
    """A letter ready to be signed."""
    return {
        "v": SHAPE,
        "id": letter_id,
        "kind": kind.value,
        "from": sender,
        "to": receiver,
        "sent_at": iso(at),
        "body": dict(body),
    }


def misdirected(found: Letter, ours: str) -> str | None:
    """Why a letter is not for us; None when it is."""
    if found["to"] == ours:
        return None
    return f"这封信写给 {found['to'][:40]}，本系统是 {ours}；请核对 site.yaml 的 neighbours 里的 id"


def stale(found: Letter, now: datetime) -> str | None:
    """Why a letter's time is not believed; None when it is."""
    apart = abs(now - parse_iso(found["sent_at"]))
    if apart <= FRESH:
        return None
    return f"这封信写于 {found['sent_at']}，与本系统时间相差超过 {FRESH.seconds // 60} 分钟；请校对两边的时钟后再发"


def ahead(moments: Iterable[datetime], now: datetime, skew: timedelta) -> datetime | None:
    """The latest of these that lies ahead by more than `skew`, yet by no more than two clocks may stand apart: waiting
    makes it true. What lies farther ahead is wrong, and no waiting helps."""
    return max((moment for moment in moments if skew < moment - now <= FRESH), default=None)


def taken_over(offered: Iterable[Mapping[str, Any]], ours: Iterable[str], only: Iterable[str]) -> list[str]:
    """The rules of a parcel's running clocks that run here too; of these `only` those, where any is named."""
    here, wanted = frozenset(ours), frozenset(only)
    running = (clock["rule_id"] for clock in offered if clock["ended_at"] is None)
    return list(dict.fromkeys(rule for rule in running if rule in here and (not wanted or rule in wanted)))


def silent_since(heard_at: datetime | None, now: datetime, patience: timedelta) -> bool:
    """Whether a lower one has said nothing for too long: silence is never calm (law 12)."""
    return heard_at is None or now - heard_at > patience


def worst_first(row: Mapping[str, Any]) -> tuple[int, int, int, str]:
    """The order of the upper level's board: what is silent, then what is breached, then what is at risk."""
    counts: Mapping[str, int] = row.get("clocks") or {}
    return (
        0 if row["silent"] else 1,
        -counts.get("breached", 0),
        -counts.get("at_risk", 0),
        str(row["name"]),
    )
