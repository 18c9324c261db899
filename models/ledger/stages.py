"""The five stages of an incident: moved by people, each leaving its product, each with its own limit (S-002)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Row, Table, select

from models.core.casework import ProductKind
from models.core.clock import Basis
from models.core.lifecycle import PRODUCT, Move, forbidden, owed
from models.core.moment import iso
from models.core.vocabulary import ClockState, EvidenceKind, Grade, Stage
from models.ledger import clocks, incidents, limits
from models.ledger.entry import Entry
from models.ledger.incidents import EVIDENCE, PUBLICATIONS, NotAllowed
from models.ledger.journal import append
from models.records import Product

PRODUCTS: Table = Product.__table__  # type: ignore[attr-defined]
SUBJECT = "stage."
LONGEST_TEXT = 20_000
ANSWERS = (*PUBLICATIONS, EvidenceKind.CLARIFICATION.value, EvidenceKind.INTERPRETATION.value)
"""What counts as an answer to the public when an incident goes on to 评估."""


@dataclass(frozen=True, slots=True)
class Mover:
    """Who moves it: the person, the highest rung they stand on (0: none), the ladder's top."""

    by: str
    rung: int
    top: int


def move(
    conn: Connection,
    at: datetime,
    incident_id: str,
    to: Stage,
    mover: Mover,
    reason: str,
    *,
    text: str = "",
    within: timedelta | None = None,
    people: Sequence[str] = (),
) -> None:
    """Move the incident into another stage. `text`: the product of the stage that it leaves, written on the
    way; `within`: how long the new stage may take, told to `people`."""
    row = incidents.still_open(incidents.get(conn, incident_id))
    here = Stage(row.stage)
    product = _product(row.id, PRODUCT.get(here), text, mover.by, at)
    refusal = forbidden(_move(conn, row, to, mover, reason, product))
    if refusal:
        raise NotAllowed(refusal)
    back = _move(conn, row, to, mover, reason, []).back
    ended = _leaving(conn, row, at, back)
    payload = {
        "from": here.value,
        "to": to.value,
        "back": back,
        "insert": {"product": product, "clock": _limit(conn, row.id, to, at, within, people)},
        "update": {"incident": [{"id": row.id, "stage": to.value}], "clock": ended},
    }
    append(conn, at, [Entry("stage_moved", payload, mover.by, reason, row.id)])


def _move(
    conn: Connection, row: Row[Any], to: Stage, mover: Mover, reason: str, product: Sequence[dict[str, Any]]
) -> Move:
    kinds = made(conn, row.id) | {ProductKind(each["kind"]) for each in product}
    urgent = Grade(row.grade) >= Grade.II
    return Move(Stage(row.stage), to, mover.rung, mover.top, reason, urgent, kinds, answered(conn, row.id))


def _leaving(conn: Connection, row: Row[Any], at: datetime, back: bool) -> list[dict[str, Any]]:
    state, why = (ClockState.SUPERSEDED, "退回上一阶段") if back else (None, "本阶段完成")
    return limits.ended(limits.live(conn, row.id, SUBJECT), state, at, why)


def _limit(
    conn: Connection,
    incident_id: str,
    stage: Stage,
    at: datetime,
    within: timedelta | None,
    people: Sequence[str],
) -> list[dict[str, Any]]:
    if within is None:
        return []
    limit = limits.Limit(
        subject=f"{SUBJECT}{stage.value}",
        name=f"{stage.zh}阶段",
        started_at=at,
        due_at=at + within,
        reason=f"转入{stage.zh}",
        people=tuple(people),
        basis=(Basis("黔财办〔2017〕14号", "(七)2", "S-002"),),
    )
    return limits.rows(conn, incident_id, [limit], at)


def write(
    conn: Connection, at: datetime, incident_id: str, kind: ProductKind, text: str, by: str, reason: str
) -> None:
    """Write a product of the work without moving; the newest of its kind counts."""
    row = incidents.get(conn, incident_id)
    if row.merged_into:
        raise NotAllowed(f"{row.ref} 已并入 舆-{row.merged_into}，请在该事件上操作")
    product = _product(row.id, kind, text, by, at)
    if not product:
        raise NotAllowed(f"{kind.zh}的内容不能为空；请写上(--text)")
    payload = {"product": kind.value, "insert": {"product": product}}
    append(conn, at, [Entry("product_kept", payload, by, reason or kind.zh, row.id)])


def _product(
    incident_id: str, kind: ProductKind | None, text: str, by: str, at: datetime
) -> list[dict[str, Any]]:
    said = text.strip()
    if not said:
        return []
    if kind is None:
        raise NotAllowed("回应阶段的成果是发布的内容，不另写文字；请用 stop 登记凭据")
    if len(said) > LONGEST_TEXT:
        raise NotAllowed(f"{kind.zh}有 {len(said)} 字，超过 {LONGEST_TEXT} 字；请只写要点")
    row: dict[str, Any] = {"id": uuid4().hex, "incident_id": incident_id, "kind": kind.value, "text": said}
    return [row | {"data": {}, "at": iso(at), "by": by}]


def made(conn: Connection, incident_id: str) -> frozenset[ProductKind]:
    query = select(PRODUCTS.c.kind).where(PRODUCTS.c.incident_id == incident_id)
    return frozenset(ProductKind(kind) for kind in conn.execute(query).scalars())


def answered(conn: Connection, incident_id: str) -> bool:
    """Something stands published, or no clock of the playbooks waits for it any more."""
    published = conn.execute(
        select(EVIDENCE.c.id).where(
            EVIDENCE.c.incident_id == incident_id,
            EVIDENCE.c.kind.in_(ANSWERS),
            EVIDENCE.c.standing.is_(None),
        )
    ).first()
    return published is not None or not [c for c in clocks.open_clocks(conn, incident_id) if not c.subject]


def view(conn: Connection, row: Row[Any], names: Mapping[str, str]) -> dict[str, Any]:
    """The stage, its products newest first, and what the stages gone through still owe."""
    kinds = [kind.value for kind in ProductKind]
    found = conn.execute(select(PRODUCTS).where(PRODUCTS.c.incident_id == row.id)).all()
    rows = sorted(found, key=lambda product: (product.at, kinds.index(product.kind)), reverse=True)
    here = Stage(row.stage)
    return {
        "here": here.value,
        "here_zh": here.zh,
        "products": [_shown(product, names) for product in rows],
        "owed": [kind.zh for kind in owed(here, made(conn, row.id))],
        "leaves": PRODUCT[here].zh if here in PRODUCT else None,
    }


def _shown(row: Row[Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {
        "kind": row.kind,
        "kind_zh": ProductKind(row.kind).zh,
        "text": row.text,
        "at": iso(row.at),
        "by": names.get(row.by, row.by),
    }
