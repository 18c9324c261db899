"""Statements as people see and do them: drafts, 三审, release, comparison, the shared wording.

An act takes plain texts, goes to the ledger and answers with the statement, `said` being the one sentence of
what came of it. Whoever a change concerns is told in the same transaction.
"""

from __future__ import annotations

import asyncio
import io
import zipfile
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from connectors.console.desk import Refusal, Unknown, View
from connectors.watch import look
from flows.office import asked
from flows.office.asked import Params
from flows.office.handling import Desk
from flows.office.plainly import in_words, reachable
from flows.office.tasking import unit_name
from flows.watching.compared import settle, settle_text, unread
from flows.wiring import UNNAMED
from models.core import review
from models.core import statements as core
from models.core.casework import Disclosure, Outlet, StatementState, Verdict
from models.core.moment import iso
from models.core.outlets import package, page
from models.core.published import in_words as in_short
from models.core.review import Step
from models.core.statements import Content, Finding, Known
from models.core.vocabulary import EvidenceKind
from models.ledger import (
    books,
    incidents,
    notices,
    parties,
    releases,
    reviewing,
    statement_views,
    statements,
    wordings,
)
from models.ledger.incidents import NotAllowed
from models.ledger.notices import Notice
from models.ledger.releases import Published
from models.ledger.reviewing import Handed
from models.ledger.store import Connection, Row
from playbooks.problem import did_you_mean
from playbooks.schema import ReviewSource

TOPIC = "statement"
_DISCLOSURES: Mapping[str, Disclosure] = {
    "主动公开": Disclosure.PROACTIVE,
    "此件公开发布": Disclosure.PROACTIVE,
    "删减后公开": Disclosure.REDACTED,
    "依申请公开": Disclosure.ON_REQUEST,
    "不予公开": Disclosure.NONE,
    "不公开": Disclosure.NONE,
}
"""What playbooks call them (S-053 three, S-055 four)."""


class Statements:
    """The desk's room for statements. Implements `connectors.console.desks.statements.StatementsDesk`."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    # ── seeing ────────────────────────────────────────────────────────────────────────────────

    def overview(self, incident_id: str) -> View:
        """All statements of an incident and its shared wording. Raises Unknown."""
        with in_words(), reachable(), self._desk.house.store.read() as conn:
            row = incidents.get(conn, incident_id)
            shown = statement_views.overview(conn, row.id, self._now, self._names)
            given = self._given(self._review(conn, row), row.owner)
        return {"incident": self._desk.seen(row.id), **shown, "given": given}

    def one(self, statement_id: str) -> View:
        """One statement whole. Raises Unknown."""
        with in_words(), reachable(), self._desk.house.store.read() as conn:
            row = statements.get(conn, statement_id)
            shown = self._shown(conn, row)
        return {**shown, "incident": self._desk.seen(row.incident_id)}

    def _shown(self, conn: Connection, row: Row[Any]) -> View:
        incident = incidents.get(conn, row.incident_id)
        chain, made = self._review(conn, incident), statements.content(conn, row)
        ends = statements.until(conn, row.incident_id, made.kind, self._now)
        return statement_views.one(conn, row, self._now, self._names) | {
            "html": page(made.text),
            "findings": [
                _finding(one, made.text, row.facts_reason) for one in self._lint(conn, incident, made)
            ],
            "asked": [_asked(step, self._usual(step)) for step in _steps(chain)],
            "machine": [name for name in chain.checks if name in review.BY_MACHINE] if chain else [],
            "emergency_allowed": self._settings.emergency,
            "due_at": iso(ends) if ends else None,
            "given": self._given(chain, row.unit),
        }

    def _given(self, chain: ReviewSource | None, unit: str | None) -> View:
        return {
            "kinds": [{"value": kind.value, "zh": kind.zh} for kind in core.KINDS],
            "outlets": [{"value": outlet.value, "zh": outlet.zh} for outlet in Outlet],
            "disclosures": [{"value": one.value, "zh": one.zh} for one in _disclosures(chain)],
            "template": core.TEMPLATE,
            "unit": self._unit(unit),
        }

    def _unit(self, unit: str | None) -> str:
        """The name under which a unit publishes; nobody's incident is the site's own."""
        return unit_name(self._desk.house, unit) if unit else self._desk.house.site.name

    def package(self, statement_id: str) -> tuple[str, bytes]:
        """The approved text for every outlet as a zip. Raises Refusal and Unknown."""
        with in_words(), reachable(), self._desk.house.store.read() as conn:
            row = statements.get(conn, statement_id)
            wrong = review.release(StatementState(row.state), row.approved_sha256, row.sha256)
            if wrong:
                raise NotAllowed(wrong)
            made = statements.content(conn, row)
        files = package(made.title, made.text, self._publisher(made), made.outlets, self._settings.weibo)
        said = f"稿件 {row.id} 第 {row.version} 版\nSHA-256 {row.sha256}\n审定 {iso(row.approved_at)}\n"
        return f"{row.id}.zip", _zipped([*((file.name, file.content) for file in files), ("说明.txt", said)])

    # ── doing ─────────────────────────────────────────────────────────────────────────────────

    def draft(self, incident_id: str, params: Params, by: str) -> View:
        """A new draft of an incident. Raises Refusal and Unknown."""
        self._signed_in(by)
        with in_words(), self._desk.writing() as conn:
            row = incidents.get(conn, incident_id)
            made = self._content(params, _blank(self._unit(row.owner)))
            why = params.get("reason") or "拟稿"
            number = statements.draft(conn, self._now, row.id, made, by, why, params.get("replaces"))
        return self.one(number) | {"said": "已存稿，尚未送审"}

    def wording(self, incident_id: str, params: Params, by: str) -> View:
        """A new version of the shared wording, told to every unit that has a part. Raises Refusal and Unknown."""
        self._signed_in(by)
        with in_words(), self._desk.writing() as conn:
            row = incidents.get(conn, incident_id)
            text, why = asked.needed(params, "text", "口径"), params.get("reason") or "统一口径"
            number = wordings.share_wording(conn, self._now, row.id, text, by, why)
            units = {party.unit for party in parties.of(conn, row.id) if party.state in parties.LIVE}
            people = self._of_units(units)
            title = f"{row.ref} 口径第 {number} 版"
            self._tell(conn, row.id, f"wording {number}", title, core.hide(text)[:200], people)
        return self.overview(row.id) | {"said": f"已存口径第 {number} 版，告知 {len(units)} 个责任单位"}

    def _of_units(self, units: Collection[str]) -> list[str]:
        """The people of these units, named by their id or their name."""
        roster = self._desk.house.site.roster
        names = {unit.id: unit.name for unit in roster.units}
        return [one.id for one in roster.people if one.unit in units or names.get(one.unit) in units]

    def act(self, name: str, statement_id: str, params: Params, by: str) -> View:
        """edit, submit, sign, refuse, reassign, release, compare, withdraw, discard. Raises Refusal and Unknown."""
        act = ACTS.get(name)
        if act is None:
            raise Unknown(f"稿件没有这个操作: {name[:40]}{did_you_mean(name, list(ACTS))}")
        self._signed_in(by)
        with in_words(), reachable():
            with self._desk.house.store.read() as conn:
                found = statements.get(conn, statement_id).id
            said = act(self, found, params, by)
        return self.one(found) | {"said": said}

    def edit(self, statement_id: str, params: Params, by: str) -> str:
        with self._desk.writing() as conn:
            row = statements.get(conn, statement_id)
            _not_moved(row, params.get("sha256", ""))
            made = self._content(params, statements.content(conn, row))
            why = params.get("reason") or "修改"
            voided = statements.edit(conn, self._now, row.id, made, by, why)
            if voided:
                what = f"“{row.title}”改为第 {row.version + 1} 版"
                words = f"{what}，您对第 {row.version} 版的审核作废(S-052)；改后会重新送审"
                self._tell_of(conn, row, f"void {row.version}", "稿件有改动，审核作废", words, voided)
        names = "、".join(self._names.get(one, one) for one in voided)
        return f"已存为第 {row.version + 1} 版" + (f"；{names}的审核作废，须重新送审" if voided else "")

    def submit(self, statement_id: str, params: Params, by: str) -> str:
        """Read whole before the write begins, so that a long text holds no lock."""
        with self._desk.house.store.read() as conn:
            read = statements.get(conn, statement_id)
            handed = self._handed(conn, read, params)
        with self._desk.writing() as conn:
            row = statements.get(conn, statement_id)
            _not_moved(row, read.sha256)
            reviewing.submit(conn, self._now, row.id, handed, by, params.get("reason") or "送审")
            first = statements.reviewed(conn, statements.get(conn, row.id)).open
        names = "、".join(f"{step.name} {self._names[step.person]}" for step in first)
        return f"已送审，现在等 {names}" + ("；按应急两签" if handed.emergency else "")

    def _handed(self, conn: Connection, row: Row[Any], params: Params) -> Handed:
        """The chain with its people, and what the machine finds."""
        incident = incidents.get(conn, row.incident_id)
        source, emergency = self._review(conn, incident), self._urgent(params)
        wanted = _steps(source, emergency=bool(emergency))
        people = {step.key: self._reviewer(step, params, wanted) for step in wanted}
        chain, wrong = review.asked(wanted, people, statements.authors(conn, row), self._known)
        if wrong:
            raise NotAllowed(wrong)
        return Handed(
            chain,
            self._lint(conn, incident, statements.content(conn, row)),
            tuple(name for name in source.checks if name in review.BY_MACHINE) if source else (),
            emergency,
            params.get("facts_reason", ""),
        )

    def _urgent(self, params: Params) -> str:
        """Why two signatures are to do, "" for the whole chain. Raises Refusal where the site has none of it."""
        why = params.get("emergency", "").strip()
        if why and not self._settings.emergency:
            raise Refusal(
                "本站点没有启用应急两签，须完成三审(S-050)；要启用请在 site.yaml 写 statements: {emergency: true}"
            )
        return why

    def _reviewer(self, step: Step, params: Params, wanted: Iterable[Step]) -> str:
        """Whom the form names for this step, else the command's list, else the site's usual one."""
        given = params.get(f"person.{step.key}") or (params.get("secrecy") if step.beside else "")
        if given:
            return given
        listed = [
            one.strip() for one in params.get("reviewers", "").replace("，", ",").split(",") if one.strip()
        ]
        places = [one.key for one in wanted if not one.beside]
        if listed and not step.beside:
            if len(listed) != len(places):
                raise Refusal(
                    f"审核人(reviewers)写了 {len(listed)} 位，本稿要 {len(places)} 道；按顺序各写一位"
                )
            return listed[places.index(step.key)]
        return self._usual(step)

    def _usual(self, step: Step) -> str:
        """Who signs this step as a rule, by site.yaml; "" when nobody is named."""
        return next(iter(self._settings.reviewers.get(step.name, ())), "")

    def sign(self, statement_id: str, params: Params, by: str) -> str:
        return self._sign(statement_id, params, by, Verdict.PASSED)

    def refuse(self, statement_id: str, params: Params, by: str) -> str:
        return self._sign(statement_id, params, by, Verdict.REFUSED)

    def _sign(self, statement_id: str, params: Params, by: str, verdict: Verdict) -> str:
        with self._desk.writing() as conn:
            row = statements.get(conn, statement_id)
            digest, opinion = asked.needed(params, "sha256", "所签稿件的哈希"), params.get("reason", "")
            state = reviewing.sign(
                conn, self._now, row.id, params.get("step", ""), digest, verdict, by, opinion
            )
            said = f"{self._names[by]}: {opinion}" if opinion else self._names[by]
            if state is StatementState.RETURNED:
                words = f"“{row.title}”被退回，{said}；请修改后重新送审"
                self._tell_of(conn, row, f"returned {row.version}", "稿件退回修改", words, [row.author])
            if state is StatementState.APPROVED:
                words = f"“{row.title}”第 {row.version} 版已审定；请尽快在门户网站发布并登记"
                self._tell_of(conn, row, f"approved {row.version}", "稿件已审定", words, [row.author])
            waiting = statements.reviewed(conn, statements.get(conn, row.id)).open
        names = "、".join(f"{step.name} {self._names.get(step.person, step.person)}" for step in waiting)
        return f"{verdict.zh}，{state.zh}" + (f"；等 {names}" if state is StatementState.IN_REVIEW else "")

    def reassign(self, statement_id: str, params: Params, by: str) -> str:
        step, person = asked.needed(params, "step", "第几道"), asked.needed(params, "person", "换成谁")
        with self._desk.writing() as conn:
            why = params.get("reason", "")
            reviewing.reassign(conn, self._now, statement_id, step, person, by, why, self._known)
        return f"已改由 {self._names[person]} 审"

    def release(self, statement_id: str, params: Params, by: str) -> str:
        outlet = asked.choice(Outlet, params, "outlet", "发布渠道")
        said = Published(
            outlet,
            asked.moment_or(params, "published_at", "发布时间", self._now),
            params.get("url") or None,
            params.get("sha256", ""),
            params.get("document", ""),
        )
        with self._desk.writing() as conn:
            row = statements.get(conn, statement_id)
            publisher = self._publisher(statements.content(conn, row))
            done = releases.register(
                conn, self._now, row.id, said, by, params.get("reason", ""), publisher,
                self._desk.house.rules_for,
            )  # fmt: skip
        stopped = f"停止的时钟: {'、'.join(done.stopped) or '无'}"
        return "；".join([f"已登记{outlet.zh}发布", stopped, *done.warnings])

    def compare(self, statement_id: str, params: Params, by: str) -> str:
        """Every release with an address, or the one meant; with `text` the words of the page as given."""
        with self._desk.house.store.read() as conn:
            rows = [row for row in releases.of_statement(conn, statement_id) if _is_meant(row, params)]
        if not rows:
            raise Refusal("没有可比对的发布；请先登记带网址的发布(release)")
        if params.get("text"):
            if len(rows) != 1:
                raise Refusal(f"有 {len(rows)} 处发布；写明比对哪一处(release)")
            return _compared(rows[0], settle_text(self._desk.house, rows[0], params["text"], by))
        return "；".join(self._looked(row, by) for row in rows)

    def _looked(self, row: Row[Any], by: str) -> str:
        sight = asyncio.run(look(self._desk.house.guard, row.url, self._now))
        why = unread(self._desk.house, row, sight)
        if why:
            return f"{Outlet(row.outlet).zh}没有比对: {why}"
        return _compared(row, settle(self._desk.house, row, sight, by) or ())

    def withdraw(self, statement_id: str, params: Params, by: str) -> str:
        with self._desk.writing() as conn:
            why = params.get("reason", "")
            row, rules = statements.get(conn, statement_id), self._desk.house.rules_for
            freed = releases.withdraw(conn, self._now, statement_id, by, why, rules)
            self._tell_gone(conn, row, "撤回", by, why)
        return f"已撤回；重新计时: {'、'.join(freed) or '无'}。请在各渠道删除原文，另拟一份代替"

    def discard(self, statement_id: str, params: Params, by: str) -> str:
        with self._desk.writing() as conn:
            row, why = statements.get(conn, statement_id), params.get("reason", "")
            statements.discard(conn, self._now, row.id, by, why)
            self._tell_gone(conn, row, "作废", by, why)
        return "已作废"

    def _tell_gone(self, conn: Connection, row: Row[Any], what: str, by: str, why: str) -> None:
        """Its author and those who had signed hear it; `row`: the statement as it was before."""
        people = [one for one in statements.concerned(conn, row) if one != by]
        words = f"“{row.title}”第 {row.version} 版已由{self._names[by]}{what}：{why}"
        self._tell_of(conn, row, f"{what} {row.version}", f"稿件{what}", words, people)

    # ── what an act needs ─────────────────────────────────────────────────────────────────────

    @property
    def _now(self) -> datetime:
        return self._desk.now()

    @property
    def _names(self) -> Mapping[str, str]:
        return self._desk.house.names

    @property
    def _known(self) -> frozenset[str]:
        return frozenset(person.id for person in self._desk.house.site.roster.people)

    @property
    def _settings(self) -> Any:
        return self._desk.house.site.statements

    def _signed_in(self, by: str) -> None:
        """A statement is written and signed by people of the roster alone (law 5)."""
        if by == UNNAMED:
            raise Refusal("稿件的每一步都须署名；请写明是谁(--by)")
        if by not in self._known:
            raise Unknown(
                f"值班表里没有 {by}{did_you_mean(by, list(self._known))}；请写 roster.yaml 中的人员标识"
            )

    def _publisher(self, made: Content) -> str:
        return str(self._settings.publisher or made.unit)

    def _review(self, conn: Connection, row: Row[Any]) -> ReviewSource | None:
        """The chain by the playbooks that the incident is held to."""
        house = self._desk.house
        held = books.versions(conn, row.id)
        library = house.rules_for.library_of(held, lambda version: books.content(conn, version))
        return library.review(incidents.situation(row, incidents.known_times(conn, row.id), self._now))

    def _lint(self, conn: Connection, incident: Row[Any], made: Content) -> list[Finding]:
        shared = wordings.wordings(conn, incident.id)
        known = Known(
            facts=statements.facts(incident),
            disclosures=_disclosures(self._review(conn, incident)),
            wording=shared[0].text if shared else "",
            avoid=self._settings.avoided(),
        )
        return core.lint(made, known)

    def _content(self, params: Params, before: Content) -> Content:
        """What was there, with what is given; a field that is not named stays."""
        return Content(
            kind=asked.choice(EvidenceKind, params, "kind", "种类") if params.get("kind") else before.kind,
            title=params.get("title", before.title).strip(),
            text=params.get("text", before.text).replace("\r\n", "\n"),
            unit=params.get("unit", before.unit).strip() or before.unit,
            disclosure=asked.choice(Disclosure, params, "disclosure", "公开属性")
            if params.get("disclosure")
            else before.disclosure,
            disclosure_reason=params.get("disclosure_reason", before.disclosure_reason).strip(),
            audience=params.get("audience", before.audience).strip(),
            outlets=_outlets(params["outlets"]) if "outlets" in params else before.outlets,
        )

    def _tell_of(
        self, conn: Connection, row: Row[Any], occasion: str, title: str, words: str, people: Iterable[str]
    ) -> None:
        ref = incidents.get(conn, row.incident_id).ref
        self._tell(conn, row.incident_id, f"{row.id[:8]} {occasion}", f"{ref} {title}", words, people)

    def _tell(
        self, conn: Connection, incident_id: str, occasion: str, title: str, words: str, people: Iterable[str]
    ) -> None:
        found = [self._desk.house.site.roster.person(one) for one in people]
        known = tuple(person for person in found if person is not None)
        notices.tell(
            conn,
            self._now,
            [Notice(TOPIC, f"{incident_id} {occasion}", title, words, known, incident_id=incident_id)],
        )


ACTS: dict[str, Callable[[Statements, str, Params, str], str]] = {
    "edit": Statements.edit,
    "submit": Statements.submit,
    "sign": Statements.sign,
    "refuse": Statements.refuse,
    "reassign": Statements.reassign,
    "release": Statements.release,
    "compare": Statements.compare,
    "withdraw": Statements.withdraw,
    "discard": Statements.discard,
}


def _blank(unit: str) -> Content:
    return Content(EvidenceKind.STATEMENT, "", "", unit)


def _outlets(text: str) -> tuple[Outlet, ...]:
    """website，weibo → the outlets, in their own order. Raises Refusal."""
    given = [one.strip() for one in text.replace("，", ",").split(",") if one.strip()]
    wanted = {asked.choice(Outlet, {"outlets": one}, "outlets", "发布渠道") for one in given}
    return tuple(outlet for outlet in Outlet if outlet in wanted)


def _steps(source: ReviewSource | None, emergency: bool = False) -> tuple[Step, ...]:
    if source is None:
        return ()
    steps = [(step.name, step.by, float(step.share)) for step in source.steps]
    return review.chain_of(steps, source.checks, emergency)


def _disclosures(source: ReviewSource | None) -> tuple[Disclosure, ...]:
    """Those that the playbook names; all four where it names none."""
    named = {_DISCLOSURES[name] for name in source.disclosure if name in _DISCLOSURES} if source else set()
    return tuple(one for one in Disclosure if one in named) or tuple(Disclosure)


def _asked(step: Step, usual: str) -> View:
    return {"key": step.key, "name": step.name, "by": step.by, "person": usual, "share": step.share}


def _not_moved(row: Row[Any], sha256: str) -> None:
    """Raises Refusal when the text is no longer the one that was read; "" says nothing of it."""
    if sha256 and not row.sha256.startswith(sha256):
        raise Refusal(
            f"稿件在您打开以后已改为第 {row.version} 版，存了会盖掉别人的改动；请重看最新稿，把改动并进去再存"
        )


def _finding(one: Finding, text: str, answered: str | None) -> View:
    """`answered`: how numbers that differ were verified, for the reviewers to judge."""
    placed = one.start is not None
    return {
        "rule": one.rule,
        "words": one.words,
        "blocks": one.blocks and not (one.rule == "facts" and answered),
        "start": one.start,
        "end": one.end,
        "line": text.count("\n", 0, one.start) + 1 if placed else None,
        "quoted": text[one.start : one.end].strip()[:80] if placed else "",
        "basis": one.basis,
    }


def _is_meant(row: Row[Any], params: Params) -> bool:
    return bool(row.url) and row.id.startswith(params.get("release", ""))


def _compared(row: Row[Any], changes: tuple[Any, ...]) -> str:
    name = Outlet(row.outlet).zh
    return f"{name}与审定稿" + (f"不一致: {in_short(changes)}" if changes else "一致")


def _zipped(files: Iterable[tuple[str, str]]) -> bytes:
    """The same files make the same bytes: no clock is in them."""
    box = io.BytesIO()
    with zipfile.ZipFile(box, "w", zipfile.ZIP_DEFLATED) as made:
        for name, words in files:
            made.writestr(zipfile.ZipInfo(name), words)
    return box.getvalue()
