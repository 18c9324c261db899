"""What playbook authors see and do: the list, one playbook with its versions, a draft tried out, its way
into force. Trying saves nothing and sends nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from connectors.console.desk import Refusal, Unknown, View
from flows.wiring import UNNAMED, House
from models.core.clock import said
from models.core.moment import clock_face, iso, local, parse_stated
from models.core.vocabulary import BookState, EventType, Grade, OpinionKind
from models.ledger import books
from models.ledger.books import Draft
from models.ledger.store import Row
from playbooks.book import Library, Playbook
from playbooks.checked import first_words
from playbooks.diff import Difference, difference, samples
from playbooks.gantt import gantt, special_days
from playbooks.problem import Problem, did_you_mean, errors
from playbooks.scene import CastSource, GivenSource, scene_of
from playbooks.shelf import HOME
from playbooks.simulate import EVERYBODY, Line, Rehearsal, moments, rehearse
from playbooks.versions import UNNAMED as UNWRITTEN
from playbooks.versions import Examined, chain_of, examine, own_of

MOST_LINES, MOST_MOVED = 60, 40
"""How much of a rehearsal and of a difference a page shows; the commands show all."""
MOST_PLAYED, LONGEST = 3_000, timedelta(days=30)
"""How much is rehearsed for a page while its text is typed; huiying simulate plays to the end."""
START = "02:13"
Params = Mapping[str, str]


# ── seeing ────────────────────────────────────────────────────────────────────────────────────


def overview(house: House, versions: Sequence[Row[Any]]) -> list[View]:
    """Every playbook in force, and those that are only drafts or files so far."""
    waiting = [row for row in versions if row.state == BookState.DRAFT.value]
    shown = [_book(house, book, waiting) for book in house.library.playbooks]
    known = {book["id"] for book in shown}
    drafts = {row.playbook: row.name for row in versions} | _files(house)
    return [*shown, *(_unborn(name, title, waiting) for name, title in drafts.items() if name not in known)]


def _files(house: House) -> dict[str, str]:
    """Where review is asked for, a file alone is no more than a draft that nobody has handed in."""
    if not house.site.review:
        return {}
    return {draft.playbook.id: draft.playbook.name for draft in own_of(house.site.directory)}


def _book(house: House, book: Playbook, waiting: Sequence[Row[Any]]) -> View:
    return {
        "id": book.id,
        "name": book.name,
        "version": book.version,
        "trigger": book.trigger.text,
        "live": True,
        "shipped": _shipped(book),
        "waiting": sum(row.playbook == book.id for row in waiting),
        "clocks": [
            {
                "id": clock.rule.id,
                "name": clock.rule.name,
                "amount_zh": said(clock.rule.amount),
                "start_zh": clock.rule.start.zh,
                "statutory": clock.rule.statutory,
                "basis": [str(basis) for basis in clock.rule.basis],
                "steps": [f"{step.key} → 第 {step.rung} 级" for step in clock.rule.steps],
                "evidence_zh": [kind.zh for kind in sorted(clock.rule.evidence)],
            }
            for clock in book.clocks
        ],
    }


def _unborn(playbook: str, name: str, waiting: Sequence[Row[Any]]) -> View:
    drafts = sum(row.playbook == playbook for row in waiting)
    return {
        "id": playbook,
        "name": name,
        "version": "",
        "trigger": "",
        "live": False,
        "shipped": False,
        "waiting": drafts,
        "clocks": [],
    }


def _shipped(book: Playbook) -> bool:
    return HOME in Path(book.source).resolve().parents


def one(
    house: House, playbook_id: str, versions: Sequence[Row[Any]], held: Mapping[str, list[str]]
) -> View | None:
    """One playbook whole: what is in force, every version, the text to begin from."""
    mine = [row for row in versions if row.playbook == playbook_id]
    book = next((each for each in overview(house, versions) if each["id"] == playbook_id), None)
    if book is None and not mine:
        return None
    view = book or _unborn(playbook_id, mine[0].name, [])
    now = {row.playbook: row.id for row in reversed(_begun(house, mine))}
    text, what = _source(house, playbook_id, mine)
    in_use = {version: sorted(ids) for version, ids in held.items()}
    return {
        **view,
        "review": house.site.review,
        "source": text,
        "source_zh": what,
        "given": suggested(house, _examined(house, text).playbook),
        "versions": [_version(house, row, now.get(playbook_id) == row.id) for row in mine],
        "held": [{"version": version, "incidents": ids} for version, ids in in_use.items()],
    }


def _begun(house: House, rows: Sequence[Row[Any]]) -> list[Row[Any]]:
    """The reviewed ones that have begun, newest beginning first."""
    begun = [row for row in rows if row.active_from is not None and row.active_from <= house.time.now()]
    return sorted(begun, key=lambda row: (row.active_from, row.reviewed_at), reverse=True)


def _version(house: House, row: Row[Any], current: bool) -> View:
    names = house.names
    return {
        "id": row.id,
        "version": row.version,
        "state": row.state,
        "state_zh": BookState(row.state).zh,
        "current": current,
        "empty": not row.content,
        "content": row.content,
        "author": names.get(row.author, row.author),
        "author_id": row.author,
        "submitted_at": iso(row.submitted_at),
        "reason": row.reason,
        "reviewer": names.get(row.reviewer, row.reviewer) if row.reviewer else None,
        "reviewed_at": iso(row.reviewed_at) if row.reviewed_at else None,
        "opinion": row.opinion,
        "active_from": iso(row.active_from) if row.active_from else None,
    }


def _source(house: House, playbook_id: str, mine: Sequence[Row[Any]]) -> tuple[str, str]:
    """The text to begin from, and what it is: the one in force as its author wrote it; where there is none
    the newest draft, the site's file, or the text that was taken out of use."""
    book, files = house.library.get(playbook_id), _written(house, playbook_id)
    if not house.site.review:
        return (files[0], "条文") if files else (_shipped_text(book), "条文")
    begun = _begun(house, mine)
    if begun and begun[0].content:
        return str(begun[0].content), "现行条文"
    if book is not None and (begun or not mine) and (text := _shipped_text(book)):
        return text, "现行条文（内置）"
    texts = [(row.content, _of_version(row)) for row in mine if row.content]
    return next(iter([*texts, *((text, "站点文件的条文，未生效") for text in files)]), ("", "条文"))


def _of_version(row: Row[Any]) -> str:
    in_use = row.state == BookState.REVIEWED.value
    return "已停用的条文，未生效" if in_use else f"{BookState(row.state).zh}草案的条文，未生效"


def _written(house: House, playbook_id: str) -> list[str]:
    """What the site's own folder says of it."""
    own = [each for each in own_of(house.site.directory) if each.playbook.id == playbook_id]
    return [Path(each.document.file).read_text(encoding="utf-8-sig") for each in own]


def _shipped_text(book: Playbook | None) -> str:
    path = Path(book.source) if book is not None else None
    return path.read_text(encoding="utf-8-sig") if path is not None and path.is_file() else ""


def suggested(house: House, book: Playbook | None) -> View:
    """A night in which this playbook speaks: the first sample that its trigger holds for."""
    nights = [scene.situation for _, scene in samples()]
    fits = [night for night in nights if book is not None and book.matches(night)]
    night = (fits or nights)[0]
    start = f"{local(house.time.now()):%Y-%m-%d}T{START}"
    return {
        "start": start,
        "grade": night.grade.value,
        "kind": night.kind.value if night.kind else "",
        "event_type": night.event_type.value if night.event_type else "",
        "answers": "",
        "hours": "48",
        "kinds": [{"value": each.value, "zh": each.zh} for each in OpinionKind],
        "event_types": [{"value": each.value, "zh": each.zh} for each in EventType],
        "grades": [each.value for each in Grade],
    }


# ── trying ────────────────────────────────────────────────────────────────────────────────────


def attempt(house: House, playbook_id: str, text: str, params: Params) -> View:
    """Lint, picture, lines and difference of a text that is nowhere saved."""
    found = _examined(house, text)
    shown: View = {
        "problems": [_problem(text, problem) for problem in found.problems],
        "ok": not errors(found.problems),
        "version": found.playbook.version if found.playbook else "",
        "svg": "",
        "lines": [],
        "more": 0,
        "silent": [],
        "asked": "",
        "diff": None,
    }
    if found.playbook is None or found.library is None:
        return shown
    if found.playbook.id != playbook_id:
        shown["asked"] = f"标识 {found.playbook.id} 与本页的 {playbook_id} 不同：送审后是另一份预案"
    return shown | _played(house, found.playbook, found.library, params) | _differs(house, found.library)


def _examined(house: House, text: str) -> Examined:
    """Beside the playbooks that are in force, so that what is compared differs by this text alone."""
    chain = chain_of(house.site.directory, house.site.profile)
    return examine(text, chain, house.rules_for.own())


def _problem(text: str, problem: Problem) -> View:
    """A problem of another file (the profile, a playbook beside it) is told with that file's name."""
    lines = text.splitlines() if problem.file == UNWRITTEN else []
    where = "" if problem.file == UNWRITTEN else f"{Path(problem.file).name}："
    return {
        "line": problem.line,
        "column": problem.column,
        "message": where + problem.message,
        "hint": problem.hint,
        "warning": problem.warning,
        "text": lines[problem.line - 1][:120] if 0 < problem.line <= len(lines) else "",
    }


def _played(house: House, book: Playbook, library: Library, params: Params) -> View:
    try:
        given = GivenSource.model_validate(_given(params))
    except ValidationError as error:
        return {"asked": f"推演的条件看不懂：{first_words(GivenSource, error)}"}
    if given.lasts > LONGEST:
        return {"asked": f"推演最长 {LONGEST.days} 天；更长的用 huiying simulate"}
    people = {EVERYBODY: params["answers"]} if params.get("answers") else {}
    try:
        cast = CastSource.model_validate({"people": people})
    except ValidationError as error:
        return {"asked": f"签收快慢看不懂：{first_words(CastSource, error)}"}
    scene, roster = scene_of(given, cast, book.id), house.site.roster
    found = rehearse(scene, library, roster, house.calendar, MOST_PLAYED)
    shown = [_line(line) for _, lines in moments(found.lines) for line in lines]
    return {
        "svg": gantt(found, special_days(found, house.calendar), f"{book.name} {book.version}")
        if found.spans
        else "",
        "lines": shown[:MOST_LINES],
        "more": max(0, len(shown) - MOST_LINES),
        "silent": list(found.silent),
        **_remark(found),
    }


def _remark(found: Rehearsal) -> View:
    if found.cut:
        until = clock_face(found.scene.until)
        words = f"提醒超过 {MOST_PLAYED} 条，只推演到 {until}：推演短些，或用 huiying simulate 看全部"
        return {"asked": words}
    if found.spans or found.silent:
        return {}
    return {"asked": "这一情形下该预案没有适用的时钟：换一个级别或类别"}


def _given(params: Params) -> dict[str, Any]:
    hours = params.get("hours", "48").strip().removesuffix("小时")
    return {
        "grade": params.get("grade") or "II",
        "start": params.get("start") or None,
        "kind": params.get("kind") or None,
        "event_type": params.get("event_type") or None,
        "lasts": f"PT{hours}H",
    }


def _line(line: Line) -> View:
    return {
        "at": iso(line.at),
        "clock": line.clock_name,
        "step": line.step,
        "told": "、".join(f"{told.name}({told.channel})" for told in line.told) or "无人可达",
        "quiet": list(line.quiet),
    }


def _differs(house: House, library: Library) -> View:
    found = difference(house.library, library, house.site.roster, house.calendar)
    return {"diff": _difference(found)}


def _difference(found: Difference) -> View:
    return {
        "same": not found,
        "changes": [{"words": c.words, "laxer": c.laxer, "statutory": c.statutory} for c in found.changes],
        "moved": [moved.words for moved in found.moved[:MOST_MOVED]],
        "more": max(0, len(found.moved) - MOST_MOVED),
    }


# ── doing ─────────────────────────────────────────────────────────────────────────────────────


def act(house: House, name: str, playbook_id: str, params: Params, by: str) -> View:
    """submit {content, reason}, approve {version, reason, active_from?}, return {version, reason}, withdraw
    {version, reason}, rollback {version?, reason}. Raises Refusal, Unknown, LedgerError."""
    if name not in ACTS:
        raise Unknown(f"预案没有这个操作: {name}{did_you_mean(name, list(ACTS))}")
    if not house.site.review:
        raise Refusal(
            "本站点没有启用审批：playbooks/ 里的文件改好后重启即生效；"
            "要两人审批，在 site.yaml 写 playbooks: {review: true}"
        )
    if by == UNNAMED:
        raise Refusal("预案的送审和审定须署名；请写 --by 人员标识")
    if name == "submit":
        return _submit(house, params, by)
    if name == "rollback":
        return _roll_back(house, playbook_id, params, by)
    return _settle(house, ACTS[name], playbook_id, params, by)


ACTS: dict[str, BookState | None] = {
    "submit": None,
    "approve": BookState.REVIEWED,
    "return": BookState.RETURNED,
    "withdraw": BookState.WITHDRAWN,
    "rollback": None,
}
"""What people do to a playbook, and the state that a draft is in afterwards."""


def _submit(house: House, params: Params, by: str) -> View:
    text = params.get("content", "")
    draft = checked_draft(house, text)
    with house.store.write() as conn:
        number = books.submit(conn, house.time.now(), draft, by, params.get("reason", ""))
    return {
        "id": number,
        "playbook": draft.playbook,
        "version": draft.version,
        "said": "已送审，请另一个人审定",
    }


def checked_draft(house: House, text: str) -> Draft:
    """The draft when it may come into force as it is. Raises Refusal with everything that is wrong."""
    found = _examined(house, text)
    wrong = errors(found.problems)
    if wrong or found.playbook is None:
        raise Refusal("草案有错，没有送审：\n" + "\n".join(str(problem) for problem in wrong))
    return Draft(found.playbook.id, found.playbook.name, found.playbook.version, text)


def _settle(house: House, state: BookState | None, playbook_id: str, params: Params, by: str) -> View:
    assert state is not None
    since = _since(params.get("active_from", ""))
    number = params.get("version", "")
    text = _kept(house, number, playbook_id)
    if state is BookState.REVIEWED:
        checked_draft(house, text)  # the law may have changed since
    with house.store.write() as conn:
        row = books.settle(conn, house.time.now(), number, state, by, params.get("reason", ""), since)
    begins = f"，自 {iso(since)} 起生效" if since else "，现在起生效"
    said_now = f"{state.zh}{begins if state is BookState.REVIEWED else ''}"
    return {"id": row.id, "playbook": row.playbook, "version": row.version, "said": said_now}


def _kept(house: House, number: str, playbook_id: str) -> str:
    """The text of a version, which nothing changes. Raises Refusal for one of another playbook."""
    with house.store.read() as conn:
        row = books.find(conn, number)
    if row.playbook != playbook_id:
        raise Refusal(
            f"版本 {row.id} 是预案 {row.playbook} 的，不是 {playbook_id} 的；请到它自己的那一页处理"
        )
    return str(row.content)


def _since(text: str) -> datetime | None:
    try:
        return parse_stated(text) if text.strip() else None
    except ValueError:
        raise Refusal(f"“{text[:40]}” 不是时间；生效时间写成 2026-11-21T08:00，现在生效就不写") from None


def _roll_back(house: House, playbook_id: str, params: Params, by: str) -> View:
    wanted = params.get("version", "").strip()
    number = None if wanted in ("", "none") else wanted
    if number is not None:
        checked_draft(house, _kept(house, number, playbook_id))
    with house.store.write() as conn:
        made = books.roll_back(conn, house.time.now(), playbook_id, number, by, params.get("reason", ""))
    return {"id": made, "playbook": playbook_id, "version": wanted, "said": "已回退，新立案的按它设钟"}
