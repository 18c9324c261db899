"""The forms (modals) that a button opens: a grade with its reason, an evidence; and what they hand back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from connectors.channels.slack import names
from connectors.channels.slack.words import BUTTON, context, fit, plain_text
from connectors.channels.view import plain
from models.core.moment import deadline_face, parse_iso
from models.core.vocabulary import EvidenceKind, Grade

View = dict[str, Any]
TITLE = 24
"""Characters of a form's title."""
MOST = 100
"""Options of a list, by Slack's rule."""


def grade_form(incident: Mapping[str, Any], where: Mapping[str, str]) -> View:
    """`where`: what the press told, kept so that the answer finds its way back."""
    grades = [_option(f"{one} 级 {one.zh}（{one.colour}）", one.value) for one in reversed(Grade)]
    chosen = next(one for one in grades if one["value"] == incident["grade"])
    level = {"type": "static_select", "action_id": "grade", "options": grades, "initial_option": chosen}
    why = {"type": "plain_text_input", "action_id": "reason", "multiline": True, "max_length": 1000}
    asked = [_input("grade", "级别", level), _input("reason", "定级理由", why, "会记入台账，日后可查")]
    return _form(names.GRADE_FORM, "定级", "定级", incident, where, asked)


def proof_form(incident: Mapping[str, Any], where: Mapping[str, str], publisher: str, now: datetime) -> View:
    """For the clocks that still run; the time is the site's own `now` until it is changed."""
    asked = [
        *_clock_list([clock for clock in incident["clocks"] if not clock.get("ended_at")]),
        _input("kind", "凭据种类", _select("kind", _kinds()), "不选则按所选时钟要求的第一种", optional=True),
        _input("url", "网址", {"type": "url_text_input", "action_id": "url"}, optional=True),
        _input("publisher", "发布单位", _line("publisher", publisher)),
        _input("published_at", "发布时间", _moment("published_at", now), "以平台显示的时间为准"),
        _input("file", "文件", _file(), "网页之外的凭据：图片、PDF、Word；最多 10 MB", optional=True),
        _input("reason", "说明", _line("reason", ""), optional=True),
    ]
    return _form(names.PROOF_FORM, "加凭据", "登记", incident, where, asked)


def _clock_list(running: Sequence[Mapping[str, Any]]) -> list[View]:
    """Only where something runs: Slack refuses an empty list."""
    options = [
        _option(f"{plain(c['name'], 40)} 时限 {deadline_face(parse_iso(str(c['due_at'])))}", c["id"])
        for c in running[:MOST]
    ]
    return [_input("clock", "停哪个时钟", _select("clock", options), optional=True)] if options else []


def _kinds() -> list[View]:
    return [_option(kind.zh, kind.value) for kind in EvidenceKind if kind is not EvidenceKind.ACKNOWLEDGEMENT]


def _option(words: str, value: object) -> View:
    return {"text": plain_text(words, BUTTON), "value": str(value)[:150]}


def _select(action: str, options: Sequence[View]) -> View:
    return {"type": "static_select", "action_id": action, "options": list(options)}


def _line(action: str, given: str) -> View:
    made = {"type": "plain_text_input", "action_id": action, "max_length": 500}
    return made | ({"initial_value": plain(given, 200)} if given else {})


def _moment(action: str, now: datetime) -> View:
    return {"type": "datetimepicker", "action_id": action, "initial_date_time": int(now.timestamp())}


def _file() -> View:
    return {"type": "file_input", "action_id": "file", "max_files": 1}


def _input(name: str, label: str, element: View, hint: str = "", optional: bool = False) -> View:
    made = {"type": "input", "block_id": name, "element": element, "optional": optional}
    made["label"] = plain_text(label, 2000)
    return made | ({"hint": plain_text(hint, 2000)} if hint else {})


def _form(
    callback: str,
    title: str,
    submit: str,
    incident: Mapping[str, Any],
    where: Mapping[str, str],
    asked: list[View],
) -> View:
    about = fit(f"{incident['ref']} {plain(incident['title'], 200)}", 1000)
    return {
        "type": "modal",
        "callback_id": callback,
        "title": plain_text(title, TITLE),
        "submit": plain_text(submit, TITLE),
        "close": plain_text("取消", TITLE),
        "private_metadata": json.dumps({"incident": incident["id"], **where}),
        "blocks": [context(about), *asked],
    }


def errors(said: str, shown: Sequence[str], field: str = "") -> View:
    """The answer that leaves a form open with a refusal under one of the fields that it has."""
    under = field if field in shown else shown[0]
    return {"response_action": "errors", "errors": {under: plain(said, 2000)}}
