"""What one alert looks like in Slack: Block Kit with the level, why, until when, and buttons."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.channels.slack import names
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
    numbered,
    plain_text,
    section,
)
from connectors.channels.view import View, view
from connectors.ports import Message


def post(message: Message) -> dict[str, Any]:
    """The arguments of chat.postMessage."""
    seen = view(message)
    return {
        "channel": message.address,
        "text": fit(_summary(seen), TEXT),
        "blocks": blocks(seen, message.alert_id, _is_of_incident(message)),
        "metadata": {"event_type": names.ALERT_EVENT, "event_payload": _marks(message)},
        **quiet(),
        **_thread(message),
    }


def quiet() -> dict[str, Any]:
    """Nothing in a text becomes a link, a mention or a preview."""
    return {"unfurl_links": False, "unfurl_media": False, "parse": "none", "link_names": False}


def _thread(message: Message) -> dict[str, Any]:
    """In the incident's own channel an alert is part of its story, and shown to the channel too."""
    return {"thread_ts": message.thread, "reply_broadcast": True} if message.thread else {}


def _marks(message: Message) -> dict[str, Any]:
    """By what the message is known again; `alerts`: all of them, where it holds several."""
    marks: dict[str, Any] = {"ref": message.ref, "alert_id": message.alert_id}
    ids = alert_ids(message)
    return marks | ({"alerts": ids} if len(ids) > 1 else {})


def alert_ids(message: Message) -> list[str]:
    """Every alert that the message holds, its own first."""
    also = message.payload.get("also")
    others = [one for one in also if isinstance(one, Mapping)] if isinstance(also, list) else []
    return [message.alert_id, *(str(one["alert_id"]) for one in others if one.get("alert_id"))]


def _is_of_incident(message: Message) -> bool:
    incident = message.payload.get("incident")
    return isinstance(incident, Mapping) and bool(incident.get("id"))


def _summary(seen: View) -> str:
    """For the notification on a locked phone."""
    more = f"（另 {len(seen.also)} 条）" if seen.also else ""
    return f"{seen.badge} {seen.title} {seen.ref} {seen.due} {seen.left}{more}".strip()


def blocks(seen: View, alert_id: str, of_incident: bool = True) -> list[dict[str, Any]]:
    """Header with the level, why, due and rung, the reference, and the buttons."""
    head = " ".join(filter(None, (f"【{seen.badge}】" if seen.badge else "", seen.title)))
    kept: list[dict[str, Any]] = [{"type": "header", "text": plain_text(head or "提醒", HEADER)}]
    kept += [
        section(f"*缘由* {part}" if number == 0 else part)
        for number, part in enumerate(numbered(seen.why, SECTION - 10))
    ]
    if named := fields(seen):
        kept.append({"type": "section", "fields": named})
    if seen.also:
        kept.append(section(others(seen)))
        kept.append(context(fit(f"下面的按钮只指最急的一条 {seen.ref}；其余请打开页面处理", 300)))
    again = f" · 第 {seen.attempt} 次发送，同一提醒" if seen.attempt > 1 else ""
    kept.append(context(fit(seen.ref or alert_id, 300) + again))
    elements = buttons(seen, alert_id, of_incident)
    return [*kept, {"type": "actions", "elements": elements}] if elements else kept


def fields(seen: View) -> list[dict[str, Any]]:
    """At most ten, by Slack's rule; only those that say something."""
    said = {
        "期限": seen.due,
        "剩余": " ".join(filter(None, (seen.left, seen.state))),
        "送": " ".join(filter(None, (seen.who, seen.rung))),
        "依据": seen.basis,
    }
    return [markdown(f"*{label}*\n{fit(words, FIELD - 20)}") for label, words in said.items() if words]


def others(seen: View) -> str:
    """The other alerts of the message, a line each; what does not fit is counted."""
    lines, shown, used = [f"*另有 {len(seen.also)} 条*"], 0, 40
    for other in seen.also:
        line = f"• {fit(other, 300)}"
        used += len(line) + 1
        if used > SECTION - 40:
            break
        lines.append(line)
        shown += 1
    left = len(seen.also) - shown
    return "\n".join([*lines, *([f"还有 {left} 条，见页面"] if left else [])])


def buttons(seen: View, value: str, of_incident: bool = True) -> list[dict[str, Any]]:
    """What can be done at once; of what is about no incident only the page can be opened."""
    made = acting(value) if of_incident else []
    return [*made, link("打开页面", names.OPEN_ACTION, seen.url)] if seen.url else made


def acting(value: str) -> list[dict[str, Any]]:
    """`value`: the alert or the incident that the buttons are about."""
    return [
        button("签收", names.ACK_ACTION, value, "primary"),
        button("接手", names.TAKE_ACTION, value),
        button(f"{names.SNOOZE_MINUTES} 分钟后提醒", names.SNOOZE_ACTION, value),
        button("加凭据", names.PROOF_ACTION, value),
    ]


def taken(shown: list[dict[str, Any]], words: str) -> list[dict[str, Any]]:
    """An alert's blocks once somebody has taken it: the same, with who and when instead of the button."""
    kept = [_without_ack(block) for block in shown if block.get("block_id") != "huiying_taken"]
    done = context(fit(words, 300)) | {"block_id": "huiying_taken"}
    return [*(block for block in kept if block.get("elements") != []), done]


def _without_ack(block: dict[str, Any]) -> dict[str, Any]:
    if block.get("type") != "actions":
        return block
    left = [one for one in block.get("elements", []) if one.get("action_id") != names.ACK_ACTION]
    return block | {"elements": left}
