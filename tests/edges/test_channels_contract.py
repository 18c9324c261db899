"""One contract for every channel: what the other side does becomes one honest outcome.

A channel joins by one entry in `KITS`. Every answer comes from a real HTTP server on loopback.
"""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from standardwebhooks import Webhook as Verifier

from connectors.channels import build, build_all
from connectors.channels.settings import Secrets
from connectors.channels.slack import ACK_ACTION, escape, fit
from connectors.channels.terminal import Terminal
from connectors.channels.view import CUT_MARK, cut, plain, view
from connectors.channels.webhook import Webhook, retry_after
from connectors.ports import Channel, Message, Outcome, Refused
from support.receiver import Answer, Receiver, free_port

NOON = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
SECRETS = {
    "${HOOK}": "whsec_aHVpeWluZy1yZWhlYXJzYWwtaG9vay1rZXk=",
    "${SLACK}": "xoxb-rehearsal-0000-not-a-real-token",
}


@dataclass(frozen=True)
class Kit:
    """What the contract must know of one HTTP channel."""

    type: str
    settings: Callable[[str], dict[str, Any]]  # from the server's address
    yes: bytes
    secret: str
    refusals: dict[str, Answer] = field(default_factory=dict)  # lasting no, by name
    passing: dict[str, Answer] = field(default_factory=dict)  # passing no, by name


KITS = [
    Kit(
        "webhook",
        lambda url: {"id": "hook", "type": "webhook", "url": f"{url}/alerts", "secret": "${HOOK}"},
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
    ),
]


def message(**changes: Any) -> Message:
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
    return Message("al-7", payload["ref"], "wang", "化工园区爆燃", "死亡 10 人", {**payload, **changes})


Make = Callable[..., Channel]


@pytest.fixture
def channel() -> Iterator[Make]:
    """Builds a channel against a server, and closes its kept-open connections afterwards."""
    with ExitStack() as closing:

        def make(kit: Kit, url: str, secrets: Secrets = SECRETS.__getitem__, **settings: Any) -> Channel:
            now = settings.pop("now", lambda: NOON)
            made = build({**kit.settings(url), **settings}, secrets, now)
            if isinstance(made, Webhook):
                closing.callback(made.close)
            return made

        yield make


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        yield server


every = pytest.mark.parametrize("kit", KITS, ids=lambda kit: kit.type)


def cases(name: str) -> pytest.MarkDecorator:
    found = [(kit, key, answer) for kit in KITS for key, answer in getattr(kit, name).items()]
    return pytest.mark.parametrize(
        ("kit", "answer"), [pytest.param(k, a, id=f"{k.type}: {n}") for k, n, a in found]
    )


# --- the contract over HTTP ----------------------------------------------------------------------


@every
def test_a_message_that_is_taken_is_accepted_and_arrives_once(
    kit: Kit, receiver: Receiver, channel: Make
) -> None:
    receiver.answer(body=kit.yes)
    delivery = channel(kit, receiver.url).send(message())
    assert delivery.outcome is Outcome.ACCEPTED
    assert len(receiver.requests) == 1
    assert "舆-2026-0012 首次发布 75%" in json.dumps(receiver.requests[0].json(), ensure_ascii=False)


@cases("refusals")
def test_a_lasting_no_is_refused_with_its_words(
    kit: Kit, answer: Answer, receiver: Receiver, channel: Make
) -> None:
    receiver.then(answer)
    delivery = channel(kit, receiver.url).send(message())
    assert delivery.outcome is Outcome.REFUSED
    assert str(answer.status) in delivery.reason
    assert len(receiver.requests) == 1


@cases("passing")
def test_a_passing_no_asks_for_another_try(
    kit: Kit, answer: Answer, receiver: Receiver, channel: Make
) -> None:
    receiver.then(answer)
    assert channel(kit, receiver.url).send(message()).outcome is Outcome.RETRY
    assert len(receiver.requests) == 1


@every
@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_server_in_trouble_is_tried_again(kit: Kit, status: int, receiver: Receiver, channel: Make) -> None:
    receiver.answer(status=status, body=b'{"ok": false}')
    delivery = channel(kit, receiver.url).send(message())
    assert delivery.outcome is Outcome.RETRY
    assert str(status) in delivery.reason
    assert len(receiver.requests) == 1, "the channel itself never retries: the outbox does"


@every
def test_a_429_is_tried_again_after_the_time_asked_for(kit: Kit, receiver: Receiver, channel: Make) -> None:
    receiver.answer(status=429, headers={"Retry-After": "17"}, body=b'{"ok": false, "error": "ratelimited"}')
    delivery = channel(kit, receiver.url).send(message())
    assert (delivery.outcome, delivery.retry_after) == (Outcome.RETRY, 17.0)


@every
def test_a_429_without_a_readable_wish_is_tried_again_without_one(
    kit: Kit, receiver: Receiver, channel: Make
) -> None:
    receiver.answer(status=429, headers={"Retry-After": "soon"}, body=b"{}")
    delivery = channel(kit, receiver.url).send(message())
    assert (delivery.outcome, delivery.retry_after) == (Outcome.RETRY, None)


@every
def test_an_answer_that_never_comes_is_unknown(kit: Kit, receiver: Receiver, channel: Make) -> None:
    receiver.answer(hang=True)
    delivery = channel(kit, receiver.url, timeout_s=0.2).send(message())
    assert delivery.outcome is Outcome.UNKNOWN
    assert len(receiver.requests) == 1


@every
def test_a_connection_closed_after_sending_is_unknown(kit: Kit, receiver: Receiver, channel: Make) -> None:
    receiver.answer(close=True)
    delivery = channel(kit, receiver.url).send(message())
    assert delivery.outcome is Outcome.UNKNOWN
    assert len(receiver.requests) == 1


@every
def test_a_refused_connection_is_tried_again(kit: Kit, channel: Make) -> None:
    delivery = channel(kit, f"http://127.0.0.1:{free_port()}").send(message())
    assert delivery.outcome is Outcome.RETRY
    assert "未能连接" in delivery.reason


@every
def test_a_name_that_does_not_resolve_is_tried_again(kit: Kit, channel: Make) -> None:
    delivery = channel(kit, "http://nobody.invalid").send(message())
    assert delivery.outcome is Outcome.RETRY


@every
def test_a_refusal_of_one_message_does_not_spoil_the_next(
    kit: Kit, receiver: Receiver, channel: Make
) -> None:
    receiver.then(Answer(status=500), Answer(close=True), Answer(status=401))
    receiver.answer(body=kit.yes)
    one = channel(kit, receiver.url)
    assert [one.send(message()).outcome for _ in range(4)][-1] is Outcome.ACCEPTED


@every
def test_a_resend_carries_the_same_reference(kit: Kit, receiver: Receiver, channel: Make) -> None:
    receiver.then(Answer(close=True))
    receiver.answer(body=kit.yes)
    one = channel(kit, receiver.url)
    one.send(message())
    one.send(message(attempt=2))
    first, second = receiver.requests
    assert "al-7" in first.body.decode() and "al-7" in second.body.decode()
    assert first.headers.get("webhook-id") == second.headers.get("webhook-id")
    assert first.json().get("metadata") == second.json().get("metadata")


@every
def test_many_threads_send_through_one_channel(kit: Kit, receiver: Receiver, channel: Make) -> None:
    receiver.answer(body=kit.yes)
    one = channel(kit, receiver.url)
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda _: one.send(message()).outcome, range(64)))
    assert outcomes == [Outcome.ACCEPTED] * 64
    assert len(receiver.requests) == 64


@every
def test_secrets_are_in_no_log_no_repr_and_no_reason(
    kit: Kit, receiver: Receiver, caplog: pytest.LogCaptureFixture, channel: Make
) -> None:
    caplog.set_level(logging.DEBUG)
    one = channel(kit, receiver.url)
    reasons = []
    for answer in (Answer(body=kit.yes), Answer(status=401), Answer(status=500), Answer(close=True)):
        receiver.then(answer)
        reasons.append(one.send(message()).reason)
    told = "\n".join([caplog.text, repr(one), str(one), *reasons])
    assert kit.secret not in told
    assert kit.secret.removeprefix("whsec_") not in told
    assert "127.0.0.1" in caplog.text, "the log was really on"


@every
def test_lone_surrogates_and_nul_do_no_harm(kit: Kit, receiver: Receiver, channel: Make) -> None:
    receiver.answer(body=kit.yes)
    delivery = channel(kit, receiver.url).send(message(reason="坏字\ud800和\x00零"))
    assert delivery.outcome is Outcome.ACCEPTED


# --- the webhook's own --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("secret", "key"),
    [
        (SECRETS["${HOOK}"], SECRETS["${HOOK}"]),
        ("a plain phrase!", b"a plain phrase!"),
        ("plainphrase", "plainphrase"),
        ("plainphrase", b"plainphrase"),
        ("汉字口令", "汉字口令".encode()),
    ],
)
def test_the_signature_verifies_with_the_standard_library_of_the_specification(
    secret: str, key: str | bytes, receiver: Receiver, channel: Make
) -> None:
    one = channel(KITS[0], receiver.url, secrets=lambda _: secret, now=lambda: datetime.now(UTC))
    one.send(message(reason="死亡 3 人"))
    request = receiver.requests[0]
    told = Verifier(key).verify(request.body, request.headers)
    assert told["reason"] == "死亡 3 人"
    assert request.headers["webhook-id"] == "al-7"


def test_the_body_is_the_payload_as_utf8_json(receiver: Receiver, channel: Make) -> None:
    channel(KITS[0], receiver.url).send(message())
    request = receiver.requests[0]
    assert request.json() == message().payload
    assert "死亡 10 人".encode() in request.body
    assert request.headers["content-type"].startswith("application/json")


def test_without_a_wall_clock_the_message_s_own_time_is_signed(receiver: Receiver, channel: Make) -> None:
    channel(KITS[0], receiver.url, now=None).send(message())
    sent = datetime.fromisoformat("2026-11-21T05:55:01+08:00")
    assert receiver.requests[0].headers["webhook-timestamp"] == str(int(sent.timestamp()))


def test_the_webhook_keeps_its_connection_open(receiver: Receiver, channel: Make) -> None:
    one = channel(KITS[0], receiver.url)
    for _ in range(5):
        one.send(message())
    assert len({request.connection for request in receiver.requests}) == 1


def test_a_truncated_answer_after_a_202_is_still_accepted(receiver: Receiver, channel: Make) -> None:
    receiver.answer(status=202, body=b"x" * 400, truncate=True)
    assert channel(KITS[0], receiver.url).send(message()).outcome is Outcome.ACCEPTED


def test_retry_after_as_a_date_is_measured_by_the_server_s_own_clock() -> None:
    headers = {"Retry-After": "Sat, 21 Nov 2026 04:01:30 GMT", "Date": "Sat, 21 Nov 2026 04:00:30 GMT"}
    assert retry_after(headers, now=NOON) == 60.0
    assert retry_after({"retry-after": headers["Retry-After"]}, now=NOON) == 90.0
    assert retry_after({"retry-after": headers["Retry-After"]}, now=None) is None
    assert retry_after({"retry-after": "Fri, 20 Nov 2026 04:00:00 GMT"}, now=NOON) == 0.0


# --- Slack's own --------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [b'{"ok": tr', b"", b"[1, 2]", b'{"ok": false, "error": "fatal_error"}'])
def test_an_answer_from_slack_that_does_not_say_no_clearly_is_unknown(
    body: bytes, receiver: Receiver, channel: Make
) -> None:
    receiver.answer(body=body)
    assert channel(KITS[1], receiver.url).send(message()).outcome is Outcome.UNKNOWN


def test_a_truncated_answer_from_slack_is_unknown(receiver: Receiver, channel: Make) -> None:
    receiver.answer(body=KITS[1].yes, truncate=True)
    assert channel(KITS[1], receiver.url).send(message()).outcome is Outcome.UNKNOWN


def slack_post(receiver: Receiver, **changes: Any) -> dict[str, Any]:
    receiver.answer(body=KITS[1].yes)
    build(KITS[1].settings(receiver.url), SECRETS.__getitem__).send(message(**changes))
    sent: dict[str, Any] = receiver.requests[-1].json()
    return sent


def test_slack_gets_level_why_due_reference_and_the_button_to_take_it(receiver: Receiver) -> None:
    sent = slack_post(receiver)
    kinds = [block["type"] for block in sent["blocks"]]
    words = json.dumps(sent["blocks"], ensure_ascii=False)
    button = sent["blocks"][-1]["elements"][0]
    assert kinds == ["header", "section", "section", "context", "actions"]
    assert all(
        part in words for part in ("橙 · II 级 重大", "死亡 10 人", "11-21 07:10", "第 2 级", "舆-2026-0012")
    )
    assert (button["action_id"], button["value"], button["text"]["text"]) == (ACK_ACTION, "al-7", "签收")
    assert sent["blocks"][-1]["elements"][1]["url"] == "http://b.example/incidents/1"
    assert sent["metadata"]["event_payload"] == {"ref": "舆-2026-0012 首次发布 75%", "alert_id": "al-7"}
    assert receiver.requests[-1].path == "/api/chat.postMessage"


def test_mentions_in_outside_text_wake_nobody(receiver: Receiver) -> None:
    hostile = "<!channel> <@U1> @here @HERE @channel@everyone <http://x.example|点我> & 完"
    sent = slack_post(receiver, reason=hostile, incident={"id": "1", "title": hostile, "grade": "I"})
    for words in (sent["text"], json.dumps(sent["blocks"], ensure_ascii=False)):
        assert "<!" not in words and "<@" not in words and "<http" not in words
        assert not any(mention in words.lower() for mention in ("@here", "@channel", "@everyone"))
    assert "&amp; 完" in sent["text"]


def test_long_text_for_slack_is_cut_with_a_mark_and_within_the_limits(receiver: Receiver) -> None:
    sent = slack_post(
        receiver, reason="&<长>" * 4000, incident={"id": "1", "title": "题" * 900, "grade": "II"}
    )
    header, why, *_ = sent["blocks"]
    assert len(header["text"]["text"]) <= 150 and header["text"]["text"].endswith(CUT_MARK)
    assert len(why["text"]["text"]) <= 3000 and why["text"]["text"].endswith(CUT_MARK)
    assert len(sent["text"]) <= 4000


@pytest.mark.parametrize("limit", [20, 50, 151])
def test_a_cut_never_splits_an_escape(limit: int) -> None:
    kept = fit("&" * 200, limit)
    assert len(kept) <= limit
    assert kept.removesuffix(CUT_MARK).replace("&amp;", "") == ""


def test_escaping_leaves_an_ordinary_address_readable() -> None:
    assert escape("写信到 desk@office.example") == "写信到 desk@office.example"


def test_no_button_leads_anywhere_but_to_a_web_page(receiver: Receiver) -> None:
    sent = slack_post(
        receiver, incident={"id": "1", "title": "t", "grade": "II", "url": "javascript:alert(1)"}
    )
    assert [button["action_id"] for button in sent["blocks"][-1]["elements"]] == [ACK_ACTION]


# --- the terminal -------------------------------------------------------------------------------


def on_terminal(**changes: Any) -> str:
    stream = io.StringIO()
    assert Terminal("term", stream).send(message(**changes)).outcome is Outcome.ACCEPTED
    return stream.getvalue()


def test_the_terminal_says_who_level_why_due_and_how_to_take_it() -> None:
    told = on_terminal()
    for part in (
        "橙 · II 级 重大",
        "化工园区爆燃",
        "王带班（市政府办公室）",
        "第 2 级",
        "死亡 10 人，达到重大事故标准",
        "11-21 07:10 前，还剩 1 小时 14 分（临期）",
        "国办发〔2016〕80号",
        "huiying ack 舆-2026-0012 --by wang",
        "http://b.example/incidents/1",
    ):
        assert part in told


def test_a_late_alert_and_a_resend_say_so() -> None:
    told = on_terminal(late_by_s=720, attempt=3)
    assert "本提醒晚发 12 分" in told and "第 3 次发送" in told
    assert "说明" not in on_terminal()


def test_an_overdue_clock_is_called_overdue() -> None:
    assert "已逾期 2 小时 10 分" in on_terminal(sent_at="2026-11-21T09:20:00+08:00")


def test_outside_text_cannot_move_the_cursor_or_turn_a_line_round() -> None:
    told = on_terminal(reason="a\x1b[2Jb\u202ec\r\nd\x07", recipient={"person": "\x1b]0;x\x07"})
    assert not any(sign in told for sign in ("\x1b", "\u202e", "\r", "\x07"))


def test_no_line_is_wider_than_the_terminal() -> None:
    told = on_terminal(reason="供水异味" * 60 + " end " + "word " * 30)
    wide = [sum(2 if ord(letter) > 0x2E80 else 1 for letter in line) for line in told.splitlines()]
    assert max(wide) <= 78


def test_an_alert_with_nothing_but_words_still_reads_well() -> None:
    stream = io.StringIO()
    Terminal("term", stream).send(
        Message("al-8", "告警 1", "chen", "来源静默", "临江新闻网 3 小时无更新", {})
    )
    assert "来源静默" in stream.getvalue() and "临江新闻网 3 小时无更新" in stream.getvalue()


def test_a_terminal_that_knows_no_chinese_gets_question_marks_not_an_error() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    assert Terminal("term", stream).send(message()).outcome is Outcome.ACCEPTED
    assert b"huiying ack" in raw.getvalue()


def test_a_closed_terminal_is_a_passing_no_and_check_says_so() -> None:
    stream = io.StringIO()
    stream.close()
    closed = Terminal("term", stream)
    assert closed.send(message()).outcome is Outcome.RETRY
    assert "closed" in str(closed.check())


def test_blocks_from_many_threads_never_mix() -> None:
    stream = io.StringIO()
    one = Terminal("term", stream)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: one.send(message(reason=f"第{n}条")), range(40)))
    blocks = stream.getvalue().strip("\n").split("\n\n")
    assert len(blocks) == 40 and all(block.count("缘由") == 1 for block in blocks)


# --- the words and the registry -----------------------------------------------------------------


def test_plain_text_is_one_line_without_unseen_marks() -> None:
    assert plain(" 一\u200b二\n\n三\t 四\ufeff") == "一二 三 四"
    assert plain("字" * 30_000, 50) == "字" * (50 - len(CUT_MARK)) + CUT_MARK
    assert cut("短", 10) == "短"


def test_odd_payloads_become_a_view_without_an_error() -> None:
    seen = view(message(incident="text", clock={"due_at": "tomorrow", "state": "?"}, step=None, recipient=[]))
    assert (seen.due, seen.left, seen.state, seen.badge) == ("", "", "", "")
    assert seen.who == "wang"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"id": "a", "type": "webhok", "url": "http://h"}, "did you mean 'webhook'"),
        ({"id": "a", "type": "pigeon"}, "there are: terminal, webhook, slack"),
        ({"type": "webhook"}, "'id' is missing"),
        ({"id": "a", "type": "webhook", "secret": "${HOOK}"}, "'url' is missing"),
        ({"id": "a", "type": "webhook", "url": "http://h/"}, "'secret' is missing"),
        (
            {"id": "a", "type": "webhook", "url": "file:///etc/passwd", "secret": "${HOOK}"},
            "not a web address",
        ),
        ({"id": "a", "type": "webhook", "url": "http://h:port/", "secret": "${HOOK}"}, "not a web address"),
        ({"id": "a", "type": "webhook", "url": "http://u:p@h/", "secret": "${HOOK}"}, "holds a password"),
        (
            {"id": "a", "type": "webhook", "url": "http://h/", "secret": "${HOOK}", "timeout_s": 0},
            "timeout_s",
        ),
        ({"id": "a", "type": "slack"}, "'token' is missing"),
        ({"id": "a", "type": "terminal", "stream": "paper"}, "stderr or stdout"),
    ],
)
def test_wrong_settings_are_refused_with_the_place_and_the_way_out(
    settings: dict[str, Any], words: str
) -> None:
    with pytest.raises(Refused, match=r"channels\.yaml") as refusal:
        build(settings, SECRETS.__getitem__)
    assert words in str(refusal.value)


def test_a_whsec_secret_that_is_not_base64_is_refused_without_repeating_it() -> None:
    settings = {"id": "a", "type": "webhook", "url": "http://h/", "secret": "$x"}
    with pytest.raises(Refused, match="not base64") as refusal:
        build(settings, lambda _: "whsec_?")
    assert "whsec_?" not in str(refusal.value)


def test_one_wrong_channel_leaves_the_others_working_and_refuses_aloud() -> None:
    every_one = build_all(
        [
            {"id": "term", "type": "terminal"},
            {"id": "hook", "type": "webhook", "url": "http://h/", "secret": "$no"},
        ],
        SECRETS.__getitem__,
    )
    assert every_one["term"].check() is None
    assert "secret could not be read" in str(every_one["hook"].check())
    assert every_one["hook"].send(message()).outcome is Outcome.REFUSED
