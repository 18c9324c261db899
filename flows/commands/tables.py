"""Views as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from models.core.moment import clock_face, deadline_face, parse_iso, span
from models.ledger.retired import in_words

View = dict[str, Any]
MARKS = {
    "running": "·",
    "at_risk": "!",
    "breached": "✗",
    "met": "✓",
    "met_late": "✓迟",
    "waived": "○",
    "armed": "◌",
}


def incident_lines(shown: View) -> Iterator[str]:
    """One incident: a head line, then a line for each clock."""
    provisional = "暂定" if shown["provisional"] else "确认"
    who = (
        "、".join(f"{a['name']} {clock_face(parse_iso(a['at']))} 签收" for a in shown["acked"]) or "无人签收"
    )
    yield f"{shown['ref']}  {shown['grade']}级{shown['colour']}({provisional})  {shown['title']}"
    later = "".join(f"  {s['name']} {clock_face(parse_iso(s['until']))} 再提醒" for s in shown["snoozed"])
    yield f"    {shown['stage_zh']}  线索 {shown['signal_count']}  {who}{later}"
    for clock in shown["clocks"]:
        yield "    " + clock_line(clock)


def clock_line(clock: View) -> str:
    mark = MARKS.get(clock["state"], "?")
    due = deadline_face(parse_iso(clock["due_at"]))
    if clock["ended_at"]:
        return f"{mark} {clock['name']:<10} {clock['state_zh']}  {clock['ended_reason'] or ''}"
    left = clock["left_s"]
    time_left = f"还剩 {span(left)}" if left > 0 else f"超时 {span(left)}"
    step = clock["next_step"]
    following = f"  下一步 {step['key']} {clock_face(parse_iso(step['due_at']))}" if step else ""
    return f"{mark} {clock['name']:<10} {clock['state_zh']}  {time_left}  时限 {due}{following}"


def board_lines(board: View) -> Iterator[str]:
    """The whole board: coverage first, so that quiet is not taken for calm."""
    coverage = board["coverage"]
    bad = [item for item in coverage["items"] if item["state"] in ("late", "down")]
    yield f"{board['site']}  {clock_face(parse_iso(board['now']))}  " + (
        "一切正常" if coverage["ok"] else f"{len(bad)} 项异常"
    )
    for item in bad:
        yield f"  ✗ {item['label']}: {item['detail']}" + (f"  → {item['mend']}" if item["mend"] else "")
    yield ""
    for incident in board["incidents"]:
        yield from incident_lines(incident)
    if not board["incidents"]:
        yield "没有未结事件"


def proposal_lines(found: list[View]) -> Iterator[str]:
    """A head line for each proposal, then its reasons."""
    for one in found:
        yield f"{one['id'][:8]}  舆-{one['incident_id']}  {one['state_zh']}  把握 {one['score']:.0%}  {one['title']}"
        published = clock_face(parse_iso(one["published_at"]))
        yield f"    {one['kind_zh']}  {one['publisher']}  发布 {published}  {one['url'] or ''}"
        yield from (f"    · {reason}" for reason in one["reasons"])
    if not found:
        yield "没有待确认的凭据建议"


def whole_incident_lines(shown: View) -> Iterator[str]:
    """One incident with why, what happened, and the signals by the numbers that `split` asks for."""
    yield from incident_lines(shown)
    yield from (f"  定级 {part['part']}: {part['reason']}" for part in shown["grade_parts"])
    yield "  经过"
    yield from (
        f"    {clock_face(parse_iso(e['at']))}  {e['kind_zh']}  {e['text']}" for e in shown["timeline"]
    )
    yield "  线索"
    yield from (
        f"    #{s['id']}  {s['medium_zh']}  {s['title'] or s['body'][:40]}" for s in shown["signals_list"]
    )
    yield from (f"  归档 {line}" for line in in_words(shown["archived"]))
    waiting = [one for one in shown["proposals"] if one["state"] == "pending"]
    yield from (f"  凭据建议 {line}" for line in proposal_lines(waiting) if waiting)
    yield from (
        f"  凭据 {e['id'][:8]}  {e['kind_zh']}{'(已撤回)' if e['standing'] else ''}  {e['url']}  {e['publisher']}"
        for e in shown["evidence"]
    )
