"""An incident as one message that changes with it, and its story as replies to that message.

What is shown never says how much time is left: a message that nobody touches must stay true.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from connectors.channels.slack import names
from connectors.channels.slack.alerts import acting, quiet
from connectors.channels.slack.words import (
    FIELD,
    HEADER,
    SECTION,
    TEXT,
    button,
    context,
    fit,
    link,
    markdown,
    plain_text,
    section,
)
from connectors.channels.view import plain
from models.core.moment import clock_face, deadline_face, parse_iso

Incident = Mapping[str, Any]
CLOCKS = 12
"""Clocks shown by name; the rest are counted and are on the page."""
LINE = 1200
"""Characters of one line of the story, escaped."""


def card(incident: Incident, url: str) -> dict[str, Any]:
    """text and blocks of an incident's message; `incident` as the desk's INCIDENT, `url` its page."""
    return {"text": fit(_summary(incident), TEXT), "blocks": blocks(incident, url), **quiet()}


def face(shown: Mapping[str, Any]) -> str:
    """A mark of what is shown: the same card has the same."""
    return hashlib.sha256(json.dumps(shown, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def _summary(incident: Incident) -> str:
    return plain(f"{_badge(incident)} {incident['title']} {incident['ref']} {_state(incident)}")


def _badge(incident: Incident) -> str:
    provisional = "暂定 " if incident.get("provisional") else ""
    return f"{incident['colour']} · {provisional}{incident['grade']} 级 {incident['grade_zh']}"


def _state(incident: Incident) -> str:
    if incident.get("merged_into"):
        return f"已并入 舆-{incident['merged_into']}"
    if incident.get("closed_at"):
        return f"已办结 {clock_face(parse_iso(str(incident['closed_at'])))}"
    return str(incident["stage_zh"])


def is_open(incident: Incident) -> bool:
    return not incident.get("closed_at") and not incident.get("merged_into")


def blocks(incident: Incident, url: str) -> list[dict[str, Any]]:
    kept: list[dict[str, Any]] = [
        {"type": "header", "text": plain_text(f"【{_badge(incident)}】{incident['title']}", HEADER)},
        {"type": "section", "fields": _fields(incident)},
    ]
    if incident["clocks"]:
        kept.append(section(_clocks(incident["clocks"])))
    kept.append(context(fit(f"{incident['ref']} · {plain(incident['reason'], 200)}", 600)))
    return [*kept, {"type": "actions", "elements": _buttons(incident, url)}]


def _fields(incident: Incident) -> list[dict[str, Any]]:
    said = {
        "状态": _state(incident),
        "牵头": incident.get("owner") or "未定",
        "经办": incident.get("holder") or "无人接手",
        "签收": "、".join(one["name"] for one in incident["acked"]) or "尚无人签收",
    }
    return [markdown(f"*{label}*\n{fit(plain(words), FIELD - 20)}") for label, words in said.items()]


def _clocks(clocks: Sequence[Mapping[str, Any]]) -> str:
    lines = [_clock(clock) for clock in clocks[:CLOCKS]]
    rest = len(clocks) - len(lines)
    return fitted([*lines, *([f"还有 {rest} 个时钟，见页面"] if rest else [])])


def _clock(clock: Mapping[str, Any]) -> str:
    """首次发布 · 临期 · 时限 11-21 07:10 · 下一步 05:55 报 75%."""
    due = f"时限 {deadline_face(parse_iso(str(clock['due_at'])))}"
    step = clock.get("next_step")
    next_at = f"下一步 {clock_face(parse_iso(str(step['due_at'])))}" if step else ""
    ended = clock_face(parse_iso(str(clock["ended_at"]))) if clock.get("ended_at") else ""
    parts = (plain(clock["name"], 60), clock["state_zh"], due, f"停于 {ended}" if ended else next_at)
    return "• " + fit(" · ".join(part for part in parts if part), 300)


def fitted(lines: Sequence[str]) -> str:
    """Escaped lines as one text within a section; what does not fit is counted."""
    kept: list[str] = []
    used = 0
    for line in lines:
        used += len(line) + 1
        if used > SECTION - 40:
            return "\n".join([*kept, f"还有 {len(lines) - len(kept)} 行，见页面"])
        kept.append(line)
    return "\n".join(kept)


def _buttons(incident: Incident, url: str) -> list[dict[str, Any]]:
    look = link("打开页面", names.OPEN_ACTION, url)
    if not is_open(incident):
        return [look]
    value = str(incident["id"])
    return [*acting(value), button("定级", names.GRADE_ACTION, value), look]


def story(lines: Sequence[str]) -> dict[str, Any]:
    """What has happened, a line each, as one reply."""
    words = "\n".join(_told(line) for line in lines)
    return {"text": words, "blocks": [section(words)], **quiet()}


def _told(line: str) -> str:
    return fit(plain(line), LINE)


def packed(lines: Sequence[str]) -> list[int]:
    """How many of the lines go into each reply, so that each is whole and none is left out."""
    sizes: list[int] = []
    used = SECTION
    for line in lines:
        size = len(_told(line)) + 1
        if used + size > SECTION - 20:
            sizes.append(0)
            used = 0
        sizes[-1] += 1
        used += size
    return sizes
