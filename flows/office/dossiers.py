"""Evidence packages of a rumour as people make them and hand them over."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from connectors import warc
from connectors.console.desk import Refusal, Unknown, View
from connectors.uploads import ending
from connectors.watch import Sight
from flows.collecting import privacy
from flows.office import asked
from flows.office.asked import Params
from flows.office.handling import Desk
from flows.office.plainly import in_words, reachable
from flows.watching import posts_seen
from models.core import dossier
from models.core.moment import iso
from models.core.personal import mask_name, mask_personal, mask_said
from models.core.vocabulary import PageState
from models.ledger import captures, dossiers, incidents, journal
from models.ledger.store import Connection, Row
from playbooks.problem import did_you_mean

RECEIVERS = ("市公安局网安支队", "市委网信办")
"""Whom the form proposes (N-006: 公安机关、网络监管部门)."""


class Dossiers:
    """The desk's room for dossiers. Implements `connectors.console.desks.dossiers.DossiersDesk`."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def overview(self, incident_id: str) -> View:
        """The incident's dossiers. Raises Unknown."""
        with in_words(), reachable(), self._desk.house.store.read() as conn:
            return self._view(conn, incidents.get(conn, incident_id).id)

    def content(self, dossier_id: str) -> tuple[bytes, str]:
        """The archive's bytes and a name for the file. Raises Unknown, and Refusal for one with personal data:
        a page is open to whoever reaches it."""
        with in_words(), reachable(), self._desk.house.store.read() as conn:
            row = dossiers.find(conn, dossier_id)
            if dossiers.personal(row.manifest):
                raise Refusal(
                    f"证据包 {row.id} 含个人信息，页面上不提供；请在服务器上用 huiying dossier save "
                    f"{row.id} -o 文件 --by 人员标识 --reason 理由 取出，取出留痕"
                )
            return self._kept(conn, row)

    def take(self, dossier_id: str, by: str, reason: str) -> tuple[bytes, str]:
        """The same for any archive; who took one with personal data, and why, is journalled first."""
        with in_words(), self._desk.writing() as conn:
            row = dossiers.find(conn, dossier_id)
            if dossiers.personal(row.manifest):
                dossiers.taken(conn, self._desk.now(), row.id, by, reason)
            return self._kept(conn, row)

    @staticmethod
    def _kept(conn: Connection, row: Row[Any]) -> tuple[bytes, str]:
        kept = captures.snapshot(conn, row.sha256)
        if kept is None:
            raise Unknown(f"证据包 {row.id} 的内容不在库中；请从备份恢复")
        return kept[0], f"dossier-{row.incident_id}-{row.id}.zip"

    def act(self, name: str, incident_id: str, params: Params, by: str) -> View:
        """make, hand, receipt, follow. Raises Refusal and Unknown."""
        act = ACTS.get(name)
        if act is None:
            raise Unknown(f"证据包没有这个操作: {name[:40]}{did_you_mean(name, list(ACTS))}")
        with in_words():
            said, acted_on = act(self, incident_id, params, by)
        return self.overview(incident_id) | {"said": said, "dossier": acted_on}

    # ── acts: each gives the sentence that it ends in, and the dossier that it was done to ────────

    def make(self, incident_id: str, params: Params, by: str) -> tuple[str, str]:
        """Gathered and packed before the write begins, so that a large package holds no lock."""
        now, reason = self._desk.now(), params.get("reason") or "涉嫌违法，固定证据"
        numbers = asked.numbers(params, "signals", "线索编号")
        with reachable(), self._desk.house.store.read() as conn:
            found = incidents.get(conn, incident_id).id
            rows = dossiers.posts(conn, found, numbers)
        pages = (
            posts_seen.seen(self._desk.house.guard, [r.url for r in rows], now) if params.get("look") else {}
        )
        with reachable(), self._desk.house.store.read() as conn:
            files, about = self._gathered(conn, found, rows, pages)
        about |= {"made_at": iso(now), "made_by": self._desk.house.names[by], "reason": reason}
        manifest = dossier.manifest_of(files, about)
        content = dossier.packed(files, manifest)
        with self._desk.writing() as conn:
            made = dossiers.make(conn, now, found, content, manifest, by, reason)
        looked = f"、看过网页 {len(pages)} 个" if params.get("look") else ""
        return f"证据包 {made} 已做成，线索 {about['posts']} 条、文件 {len(files)} 个{looked}", made

    def _gathered(
        self, conn: Connection, incident_id: str, rows: Sequence[Row[Any]], pages: Mapping[str, Sight]
    ) -> tuple[dict[str, bytes], dict[str, Any]]:
        """The files, and what the manifest says of them as a whole. A page or a file as it was found names people:
        where they are masked, only what its bytes are goes in."""
        posts = [
            {**post, **_page(pages.get(row.url or ""))}
            for post, row in zip(self._posts(conn, rows), rows, strict=True)
        ]
        texts = {f"{post['number']:04d}.txt": _text(post) for post in posts}
        kept = dossiers.snapshots(conn, incident_id)
        full = self._authors == "full"
        if full:
            records = [sight.warc for sight in pages.values() if sight.warc]
            kept |= {dossier.sha256(record): (record, warc.MEDIA_TYPE) for record in records}
        named = {f"{sha}{ending(media)}": content for sha, (content, media) in kept.items() if full}
        listed = [_kept_as(sha, content, media) for sha, (content, media) in kept.items()]
        row, (entries, head) = incidents.get(conn, incident_id), journal.length(conn)
        return dossier.files_of(posts, texts, named, listed), {
            "incident": row.ref,
            "title": row.title if full else mask_personal(row.title),
            "site": self._desk.house.site.name,
            "posts": len(posts),
            "authors": self._authors,
            "journal_entries": entries,
            "journal_head": head,
        }

    def _posts(self, conn: Connection, rows: Sequence[Row[Any]]) -> list[dict[str, Any]]:
        """The posts as this site's rule lets them out: masked, or whole with what was sealed opened."""
        full = self._authors == "full"
        opened = privacy.originals(self._desk.house, conn, rows) if full else {}
        return [_post(number, row, full, opened.get(row.uid)) for number, row in enumerate(rows, 1)]

    def hand(self, incident_id: str, params: Params, by: str) -> tuple[str, str]:
        now, receiver = self._desk.now(), asked.needed(params, "to", "接收单位")
        reason = asked.needed(params, "reason", "移交事由")
        with self._desk.writing() as conn:
            row = self._meant(conn, incident_id, params)
            form = self._form(conn, row, receiver, reason, now)
            dossiers.hand(conn, now, row.id, receiver, form, by, reason)
        return f"已登记移交{receiver}；打印移交单，取得回执后登记回执编号", row.id

    def receipt(self, incident_id: str, params: Params, by: str) -> tuple[str, str]:
        now = self._desk.now()
        number = asked.needed(params, "number", "回执编号")
        received_at = asked.moment_or(params, "received_at", "回执时间", now)
        reason, rules = params.get("reason", ""), self._desk.house.rules_for
        with self._desk.writing() as conn:
            row = self._meant(conn, incident_id, params)
            stopped = dossiers.receipt(conn, now, row.id, number, received_at, by, reason, rules)
        return f"已登记回执；{asked.stopped(stopped)}", row.id

    def follow(self, incident_id: str, params: Params, by: str) -> tuple[str, str]:
        text = asked.needed(params, "text", "后续内容")
        with self._desk.writing() as conn:
            row = self._meant(conn, incident_id, params)
            dossiers.follow(conn, self._desk.now(), row.id, text, by)
        return "后续已记下", row.id

    # ── what they need ────────────────────────────────────────────────────────────────────────

    @property
    def _authors(self) -> str:
        return self._desk.house.site.dossiers.authors

    def _meant(self, conn: Connection, incident_id: str, params: Params) -> Row[Any]:
        """The dossier that is named, which must be the incident's own."""
        row = dossiers.find(conn, params.get("dossier", ""))
        if row.incident_id != incidents.get(conn, incident_id).id:
            raise Refusal(f"证据包 {row.id} 属于 舆-{row.incident_id}；请到那个事件上操作")
        return row

    def _form(self, conn: Connection, row: Row[Any], receiver: str, reason: str, at: datetime) -> str:
        incident = incidents.get(conn, row.incident_id)
        return dossier.form(
            self._desk.house.site.name, incident.ref, mask_personal(incident.title), receiver, row.sha256, row.manifest,
            reason, at,
        )  # fmt: skip

    def _view(self, conn: Connection, incident_id: str) -> View:
        rows = dossiers.of_incident(conn, incident_id)
        shown = [dossiers.view(conn, row, self._desk.house.names) for row in rows]
        forms = dossiers.forms(conn, incident_id)
        return {
            "incident_id": incident_id,
            "now": iso(self._desk.now()),
            "dossiers": [one | {"form": forms.get(one["id"])} for one in shown],
            "receivers": list(RECEIVERS),
            "authors": self._authors,
            "basis": list(dossier.BASIS),
        }


def _post(number: int, row: Row[Any], full: bool, opened: Mapping[str, Any] | None) -> dict[str, Any]:
    """The address stays whole either way: without it there is nothing to look into."""
    post = dossiers.post_of(number, row)
    if full:
        words = {name: opened[name] for name in ("title", "body", "author")} if opened else {}
        return post | words
    return post | {
        "title": mask_said(row.title, row.medium, row.author),
        "body": mask_said(row.body, row.medium, row.author),
        "author": mask_name(row.author),
    }


def _kept_as(sha256: str, content: bytes, media_type: str) -> dict[str, Any]:
    """What may be said of a page or a file without giving it away."""
    return {"sha256": sha256, "media_type": media_type, "bytes": len(content)}


def _page(sight: Sight | None) -> dict[str, Any]:
    """What the list says of a post's page; nothing where nobody looked."""
    if sight is None:
        return {}
    there = "还在" if sight.state is PageState.TAKEN else sight.state.zh
    return {"page": f"{there}：{sight.why}" if sight.why else there, "page_sha256": sight.page_sha256}


def _text(post: Mapping[str, Any]) -> str:
    """One post as a text file."""
    lines = [post["title"], f"发布者: {post['author'] or '未知'}", f"网址: {post['url'] or '无'}"]
    lines += [f"发布时间: {post['published_at'] or '未知'}", f"见到时间: {post['seen_at']}", "", post["body"]]
    return "\n".join(lines) + "\n"


ACTS: dict[str, Callable[[Dossiers, str, Params, str], tuple[str, str]]] = {
    "make": Dossiers.make,
    "hand": Dossiers.hand,
    "receipt": Dossiers.receipt,
    "follow": Dossiers.follow,
}
"""What people do with dossiers, by the name that the command line and the API use."""
