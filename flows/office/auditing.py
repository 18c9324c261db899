"""The journal as auditors read it: filtered, in pages, with the chain's standing; and taken out as a file."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from connectors.console.desk import Refusal, View
from connectors.console.desks.auditing import FILTERS, Export
from flows.audit import last_verification
from flows.office.handling import Desk
from flows.office.plainly import in_words, reachable
from models.core.moment import iso, parse_stated
from models.core.personal import mask_personal
from models.core.text import harmless, storable
from models.ledger import auditing, journal
from models.ledger.auditing import Filter, Found
from models.ledger.store import Connection
from models.ledger.words import KINDS, acting, told

FORMS = {"csv": "text/csv; charset=utf-8", "jsonl": "application/x-ndjson"}
COLUMNS = {
    "seq": "序号", "at": "时间", "kind": "何事", "code": "类别", "actor": "何人", "actor_id": "人员标识",
    "incident_id": "事件", "text": "内容", "reason": "理由", "hash": "指纹",
}  # fmt: skip
_NAMED = {"kind": "类别", "actor": "人员", "incident": "事件", "from": "自", "to": "至", "text": "含"}
SIGNIN_FILTERS = ("account", "from", "to")
_METHODS = {"password": "密码", "code": "验证码", "oidc": "统一认证", "confirm": "再次确认", "token": "令牌"}
_WHYS = {
    "": "成功", "unknown": "没有这个账号", "disabled": "账号已停用", "locked": "账号暂时锁定", "password": "密码不对",
    "code": "验证码不对", "roles": "统一认证没有给角色",
}  # fmt: skip
"""How somebody came in, and why not, in words; by the codes of the records."""
_DAY = len("2026-11-21")
_NAME = 100
"""Characters of a file's name, so that every system keeps it whole."""


class Auditing:
    """The desk's room for the journal. Implements `connectors.console.desks.auditing.AuditDesk`."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def overview(self, asked: Mapping[str, str], limit: int, before: int | None) -> View:
        """A page of the journal. Raises Refusal."""
        said = _said(asked)
        with in_words(), reachable(), self._desk.house.store.read() as conn:
            found = auditing.found(conn, _filter(said), before, limit)
            return {
                "entries": [self._entry(row) for row in found.rows],
                "next": found.next,
                "looked_to": found.looked_to,
                "asked": said,
                **self._standing(conn),
                **self._choices(),
            }

    def _standing(self, conn: Connection) -> View:
        total, head = journal.length(conn)
        return {"total": total, "head": head, **last_verification(conn)}

    def _choices(self) -> View:
        """What the filters offer, by the words that people know."""
        kinds = sorted(KINDS.items(), key=lambda one: one[1])
        return {
            "kinds": [{"code": code, "zh": zh} for code, zh in kinds],
            "actors": [{"id": who, "name": name} for who, name in self._desk.house.names.items()],
        }

    def _entry(self, row: Found) -> View:
        names = self._desk.house.called
        return {
            "seq": row["seq"],
            "at": iso(row["at"]),
            "code": row["kind"],
            "kind": KINDS.get(row["kind"], row["kind"]),
            "actor": acting(row["actor"], names),
            "actor_id": row["actor"],
            "incident_id": row["incident_id"],
            "text": mask_personal(told(journal.as_entry(row), names)),
            "reason": mask_personal(row["reason"]),
            "hash": row["hash"],
        }

    def export(self, asked: Mapping[str, str], form: str, by: str, reason: str) -> Export:
        """What is taken out is written into the journal first, so that no file exists without its entry."""
        if form not in FORMS:
            raise Refusal(f"导出只有 {'、'.join(FORMS)}，没有“{form[:20]}”；请改选一种")
        said = _said(asked)
        with in_words(), reachable(), self._desk.house.store.read() as conn:
            wanted, (head, _) = _filter(said), journal.length(conn)
            rows = auditing.count(conn, wanted, head)  # a long look, which must hold no writer up
        now = self._desk.now()
        with in_words(), self._desk.writing() as conn:
            auditing.exported(conn, now, said, form, rows, by, storable(reason))
        entries = self._all(wanted, head)
        lines = _csv(entries) if form == "csv" else _jsonl(entries)
        return Export(_name(said, now, form), FORMS[form], lines)

    def signins(self, asked: Mapping[str, str], limit: int, before: int | None) -> View:
        """Sign-ins and refusals; none where there are no accounts. Raises Refusal."""
        said = {name: storable(asked[name].strip()) for name in SIGNIN_FILTERS if asked.get(name, "").strip()}
        with in_words(), reachable(), self._desk.house.store.read() as conn:
            wanted = _filter({name: value for name, value in said.items() if name != "account"})
            rows = auditing.signins(
                conn, said.get("account", ""), wanted.since, wanted.until, before, limit + 1
            )
        return {
            "signins": [self._signin(row) for row in rows[:limit]],
            "next": rows[limit - 1]["id"] if len(rows) > limit else None,
            "accounts": self._desk.house.site.access.mode == "accounts",
            "asked": said,
        }

    def _signin(self, row: Found) -> View:
        kept = {name: row[name] for name in ("id", "account", "method", "ok", "why", "address", "agent")}
        return kept | {
            "at": iso(row["at"]),
            "name": row["account"] or "没有这个账号",
            "method_zh": _METHODS.get(row["method"], row["method"]),
            "why_zh": _WHYS.get(row["why"], row["why"]),
        }

    def _all(self, wanted: Filter, head: int) -> Iterator[View]:
        """Every entry up to `head`, a slice in each transaction: a slow reader holds nothing up."""
        before = head + 1
        while True:
            with reachable(), self._desk.house.store.read() as conn:
                rows = auditing.below(conn, wanted, before)
            if not rows:
                return
            yield from (self._entry(row) for row in rows)
            before = rows[-1]["seq"]


def _said(asked: Mapping[str, str]) -> dict[str, str]:
    """The filters that say something, as they go into the journal and into the file's name."""
    said = {name: storable(asked[name].strip()) for name in FILTERS if asked.get(name, "").strip()}
    words = said.get("text", "")
    if mask_personal(words) != words:
        raise Refusal("检索词里有个人信息，没有检索：检索词会记入日志；请改用事件编号或别的词")
    return said


def _filter(said: Mapping[str, str]) -> Filter:
    since, until = said.get("from", ""), said.get("to", "")
    return Filter(
        kind=said.get("kind", ""),
        actor=said.get("actor", ""),
        incident_id=said.get("incident", "").removeprefix("舆-"),
        since=parse_stated(since) if since else None,
        until=_end(until) if until else None,
        words=said.get("text", ""),
    )


def _end(text: str) -> datetime:
    """A day is meant to its end, a minute to its end."""
    return parse_stated(text) + (timedelta(days=1) if len(text) <= _DAY else timedelta(minutes=1))


def _name(said: Mapping[str, str], now: datetime, form: str) -> str:
    """日志链_类别-签收_自-2026-11-01_20261122T0713.csv: a file says by itself what it leaves out."""
    parts = [f"{_NAMED[name]}-{KINDS.get(value, value)}" for name, value in said.items()]
    plain = "".join(c if c.isalnum() or c in "-_" else "-" for c in "_".join(["日志链", *parts]))
    return f"{plain[:_NAME]}_{now:%Y%m%dT%H%M%S}.{form}"


def _csv(entries: Iterator[View]) -> Iterator[bytes]:
    """UTF-8 with a mark, as Excel wants it; no cell computes."""
    yield b"\xef\xbb\xbf" + _line(COLUMNS.values())
    for entry in entries:
        yield _line(harmless(str(entry[name] or "")) for name in COLUMNS)


def _line(cells: Any) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer).writerow(cells)
    return buffer.getvalue().encode()


def _jsonl(entries: Iterator[View]) -> Iterator[bytes]:
    for entry in entries:
        yield json.dumps(entry, ensure_ascii=False).encode() + b"\n"
