"""What the contract suite must know of each channel, one alert to send, and what builds a channel."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from connectors.ports import Channel, Message
from support.receiver import Answer, Request
from support.rendered import (
    Rendered,
    as_json,
    content_size,
    dingtalk,
    feishu,
    feishu_app,
    said_2xx,
    said_code_zero,
    said_zero,
    slack,
    slack_yes,
    text_message,
    wecom,
    wecom_app,
    wecom_content,
    whole_body,
)

Make = Callable[..., Channel]
NOON = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
SECRETS = {
    "${HOOK}": "whsec_aHVpeWluZy1yZWhlYXJzYWwtaG9vay1rZXk=",
    "${SLACK}": "xoxb-rehearsal-0000-not-a-real-token",
    "${ROBOT}": "SECrehearsal0000notarealkey",
    "${APP}": "rehearsal-app-secret-0000",
}
TOKEN = "rehearsal-robot-token-0000"
"""Stands in a robot's address, which is a secret as a whole."""
OURS = {"http://b.example/incidents/1", "https://b.example/a/token"}
"""Where the links of a message may lead."""


AES_KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY"
"""43 characters, as WeCom's EncodingAESKey."""
TICKET = "rehearsal-access-token-0000"
"""What an app is let in with for two hours."""


def tickets(request: Request) -> Answer | None:
    """The doors of Feishu and WeCom at which an app gets its access token; None at any other."""
    if request.path.startswith("/open-apis/auth/"):
        told: dict[str, Any] = {"code": 0, "msg": "ok", "tenant_access_token": TICKET, "expire": 7200}
    elif request.path.startswith("/cgi-bin/gettoken"):
        told = {"errcode": 0, "errmsg": "ok", "access_token": TICKET, "expires_in": 7200}
    else:
        return None
    return Answer(body=json.dumps(told).encode())


def secret_of(reference: str) -> str:
    """A reference → its secret; a text that is none comes back as it is, as a site's secrets do."""
    return SECRETS[reference] if reference.startswith("${") else reference


@dataclass(frozen=True)
class Kit:
    """What the contract must know of one HTTP channel."""

    type: str
    settings: Callable[[str], dict[str, Any]]  # from the server's address
    yes: bytes
    secret: str
    refusals: dict[str, Answer] = field(default_factory=dict)  # lasting no, by name
    passing: dict[str, Answer] = field(default_factory=dict)  # passing no, by name
    said_yes: Callable[[int, bytes], bool] = said_2xx  # is this answer the platform's own yes?
    rendered: Callable[[Request], Rendered] = as_json
    calls: tuple[str, str] = ("wang", "")  # an address, and who is called by it
    limit: int = 10**9  # bytes of one request, as the platform counts them
    weight: Callable[[Request], int] = whole_body
    splits: bool = False  # a long text goes in numbered parts
    name: str = ""

    def no(self) -> list[Answer]:
        """Every no that is known of the platform."""
        return [*self.refusals.values(), *self.passing.values()]


KITS = [
    Kit(
        "webhook",
        lambda url: {
            "id": "hook",
            "type": "webhook",
            "url": f"{url}/alerts?key={TOKEN}",
            "secret": "${HOOK}",
        },
        b'{"got": true}',
        SECRETS["${HOOK}"],
        refusals={
            "unauthorised": Answer(status=401),
            "gone": Answer(status=410, body="没有这个地址".encode()),
            "moved": Answer(status=307, headers={"Location": "/elsewhere"}),
        },
        passing={"request timeout": Answer(status=408)},
    ),
    Kit(
        "slack",
        lambda url: {"id": "slack", "type": "slack", "base_url": f"{url}/api/", "token": "${SLACK}"},
        b'{"ok": true, "channel": "C1", "ts": "1795233180.000100"}',
        SECRETS["${SLACK}"],
        refusals={
            "invalid_auth inside a 200": Answer(body=b'{"ok": false, "error": "invalid_auth"}'),
            "channel_not_found inside a 200": Answer(body=b'{"ok": false, "error": "channel_not_found"}'),
        },
        passing={
            "ratelimited inside a 200": Answer(body=b'{"ok": false, "error": "ratelimited"}'),
            "a page instead of JSON with a 502": Answer(status=502, body=b"<html>bad gateway</html>"),
        },
        said_yes=slack_yes,
        rendered=slack,
    ),
    Kit(
        "dingtalk",
        lambda url: {
            "id": "dingtalk",
            "type": "dingtalk",
            "robot": f"{url}/robot/send?access_token={TOKEN}",
            "secret": "${ROBOT}",
        },
        b'{"errcode": 0, "errmsg": "ok"}',
        TOKEN,
        refusals={
            "sign not match inside a 200": Answer(body=b'{"errcode": 310000, "errmsg": "sign not match"}'),
            "no such token inside a 200": Answer(body=b'{"errcode": 300001, "errmsg": "token is not exist"}'),
            "an unheard-of no inside a 200": Answer(body=b'{"errcode": 987654, "errmsg": "no"}'),
        },
        passing={
            "too fast inside a 200": Answer(
                body=b'{"errcode": 130101, "errmsg": "send too fast, exceed 20 times per minute"}'
            ),
            "busy inside a 200": Answer(body=b'{"errcode": -1, "errmsg": "busy"}'),
        },
        said_yes=said_zero("errcode"),
        rendered=dingtalk,
        calls=("@13800000000", "13800000000"),
        limit=20_000,
        splits=True,
    ),
    Kit(
        "wecom",
        lambda url: {"id": "wecom", "type": "wecom", "robot": f"{url}/cgi-bin/webhook/send?key={TOKEN}"},
        b'{"errcode": 0, "errmsg": "ok"}',
        TOKEN,
        refusals={
            "no such key inside a 200": Answer(body=b'{"errcode": 93000, "errmsg": "invalid webhook url"}'),
            "too long inside a 200": Answer(
                body=b'{"errcode": 40058, "errmsg": "markdown.content exceed max length 4096"}'
            ),
        },
        passing={
            "too often inside a 200": Answer(body=b'{"errcode": 45009, "errmsg": "api freq out of limit"}'),
            "busy inside a 200": Answer(body=b'{"errcode": -1, "errmsg": "system busy"}'),
        },
        said_yes=said_zero("errcode"),
        rendered=wecom,
        calls=("userid:wang", "wang"),
        limit=4096,
        weight=wecom_content,
        splits=True,
    ),
    Kit(
        "wecom",
        lambda url: {"id": "wecom", "type": "wecom", "robot": f"{url}/cgi-bin/webhook/send?key={TOKEN}"},
        b'{"errcode": 0, "errmsg": "ok"}',
        TOKEN,
        said_yes=said_zero("errcode"),
        rendered=wecom,
        calls=("@13800000000", "13800000000"),
        limit=2048,
        weight=wecom_content,
        splits=True,
        name="wecom by telephone number",
    ),
    Kit(
        "feishu",
        lambda url: {
            "id": "feishu",
            "type": "feishu",
            "robot": f"{url}/open-apis/bot/v2/hook/{TOKEN}",
            "secret": "${ROBOT}",
        },
        b'{"code": 0, "msg": "success", "data": {}, "StatusCode": 0, "StatusMessage": "success"}',
        TOKEN,
        refusals={
            "sign match fail inside a 200": Answer(body=b'{"code": 19021, "msg": "sign match fail"}'),
            "bad request inside a 200": Answer(body=b'{"code": 9499, "msg": "Bad Request", "data": {}}'),
            "an old no inside a 200": Answer(body=b'{"StatusCode": 19001, "StatusMessage": "invalid"}'),
            "two codes that disagree inside a 200": Answer(body=b'{"code": 19024, "StatusCode": 0}'),
        },
        passing={
            "frequency limited inside a 200": Answer(
                body=b'{"code": 11232, "msg": "frequency limited psm[lark.oapi.app_platform_runtime]"}'
            ),
            "too many requests inside a 200": Answer(body=b'{"code": 9499, "msg": "too many request"}'),
        },
        said_yes=said_zero("code", "StatusCode"),
        rendered=feishu,
        calls=("openid:ou_1f2e3d", "ou_1f2e3d"),
        limit=20_000,
        splits=True,
    ),
    Kit(
        "sms",
        lambda url: {
            "id": "sms",
            "type": "sms",
            "profile": "http",
            "url": f"{url}/sms/send",
            "body": {"to": "{phone}", "content": "{text}", "why": "{why}"},
            "sign": "hmac",
            "secret": "${ROBOT}",
            "success": {"path": "code", "equals": ["0"]},
            "passing": {"equals": ["1013"]},
        },
        b'{"code": 0, "msg": "ok"}',
        SECRETS["${ROBOT}"],
        refusals={"no such user inside a 200": Answer(body=b'{"code": 1002, "msg": "wrong account"}')},
        passing={"too many inside a 200": Answer(body=b'{"code": "1013", "msg": "too many"}')},
        said_yes=said_code_zero,
        rendered=text_message,
        calls=("13800000000", ""),
    ),
    Kit(
        "feishu_app",
        lambda url: {
            "id": "lark",
            "type": "feishu_app",
            "app_id": "cli_1",
            "secret": "${APP}",
            "base_url": url,
        },
        b'{"code": 0, "msg": "success", "data": {"message_id": "om_1"}}',
        TICKET,
        refusals={
            "no such person, with a 400": Answer(
                status=400, body=b'{"code": 99992351, "msg": "not a valid id"}'
            ),
            "not within its reach inside a 200": Answer(body=b'{"code": 230013, "msg": "no availability"}'),
        },
        passing={
            "too often, with a 400": Answer(status=400, body=b'{"code": 99991400, "msg": "frequency limit"}'),
            "a token that has ended, with a 400": Answer(
                status=400, body=b'{"code": 99991663, "msg": "token"}'
            ),
        },
        said_yes=said_zero("code"),
        rendered=feishu_app,
        calls=("openid:ou_1f2e3d", ""),
        limit=30_000,
        weight=content_size,
        splits=True,
    ),
    Kit(
        "feishu_app",
        lambda url: {
            "id": "lark",
            "type": "feishu_app",
            "app_id": "cli_1",
            "secret": "${APP}",
            "token": "${ROBOT}",
            "encrypt_key": "${ROBOT}",
            "base_url": url,
        },
        b'{"code": 0, "msg": "success", "data": {"message_id": "om_1"}}',
        TICKET,
        said_yes=said_zero("code"),
        rendered=feishu_app,
        calls=("userid:7ab2c", ""),
        limit=30_000,
        weight=content_size,
        splits=True,
        name="feishu_app with buttons that come back",
    ),
    Kit(
        "wecom_app",
        lambda url: {
            "id": "wx",
            "type": "wecom_app",
            "app_id": "ww1",
            "agent_id": 1000002,
            "secret": "${APP}",
            "base_url": url,
        },
        b'{"errcode": 0, "errmsg": "ok", "invaliduser": "", "msgid": "m1"}',
        TICKET,
        refusals={
            "nobody of that name inside a yes": Answer(
                body=b'{"errcode": 0, "errmsg": "ok", "invaliduser": "wang"}'
            ),
            "not allowed inside a 200": Answer(
                body=b'{"errcode": 60020, "errmsg": "not allow to access from your ip"}'
            ),
        },
        passing={
            "a token that has ended inside a 200": Answer(body=b'{"errcode": 42001, "errmsg": "expired"}'),
            "busy inside a 200": Answer(body=b'{"errcode": -1, "errmsg": "system busy"}'),
        },
        said_yes=said_zero("errcode"),
        rendered=wecom_app,
        calls=("userid:wang", ""),
        limit=4096,
        weight=content_size,
        splits=True,
    ),
    Kit(
        "wecom_app",
        lambda url: {
            "id": "wx",
            "type": "wecom_app",
            "app_id": "ww1",
            "agent_id": 1000002,
            "secret": "${APP}",
            "token": "${ROBOT}",
            "encrypt_key": AES_KEY,
            "base_url": url,
        },
        b'{"errcode": 0, "errmsg": "ok", "msgid": "m1", "response_code": "r1"}',
        TICKET,
        said_yes=said_zero("errcode"),
        rendered=wecom_app,
        calls=("userid:wang", ""),
        limit=4096,
        weight=content_size,
        name="wecom_app with buttons that come back",
    ),
]


def kit(type_: str) -> Kit:
    """The kit of a channel, by its type."""
    return next(one for one in KITS if one.type == type_)


def message(address: str = "wang", **changes: Any) -> Message:
    payload: dict[str, Any] = {
        "alert_id": "al-7",
        "ref": "舆-2026-0012 首次发布 75%",
        "attempt": 1,
        "reason": "死亡 10 人，达到重大事故标准",
        "incident": {
            "id": "舆-2026-0012",
            "title": "化工园区爆燃",
            "grade": "II",
            "url": "http://b.example/incidents/1",
        },
        "clock": {
            "id": "first_statement",
            "state": "at_risk",
            "started_at": "2026-11-21T02:10:00+08:00",
            "due_at": "2026-11-21T07:10:00+08:00",
            "basis": ["国办发〔2016〕80号"],
        },
        "step": {"key": "75%", "due_at": "2026-11-21T05:55:00+08:00", "rung": 2},
        "recipient": {"person": "wang", "name": "王带班", "unit": "市政府办公室"},
        "raised_at": "2026-11-21T05:55:00+08:00",
        "sent_at": "2026-11-21T05:55:01+08:00",
        "late_by_s": 0.4,
    }
    return Message("al-7", payload["ref"], address, "化工园区爆燃", "死亡 10 人", {**payload, **changes})


def several(count: int) -> Message:
    """A message that carries `count` alerts for one person."""
    one = message().payload
    others = [
        one
        | {
            "alert_id": f"al-{n}",
            "ref": f"舆-2026-{n:04} 首次发布 50%",
            "incident": {"id": str(n), "title": f"事件{n}"},
        }
        for n in range(100, 99 + count)
    ]
    return message(also=others)
