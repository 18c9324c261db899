"""Slack's own: what it says no with, and what an alert looks like there."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from connectors.channels import build
from connectors.channels.slack import ACK_ACTION, Slack, escape, fit
from connectors.channels.slack.alerts import taken
from connectors.channels.slack.live import Live
from connectors.channels.slack.names import OPEN_ACTION, PROOF_ACTION, SNOOZE_ACTION, TAKE_ACTION
from connectors.channels.slack.words import numbered
from connectors.channels.view import CUT_MARK
from connectors.ports import Outcome
from support.kits import KITS, SECRETS, Make, message, several
from support.receiver import Answer, Receiver
from support.slack import Workspace


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
    button, *others = sent["blocks"][-1]["elements"]
    assert kinds == ["header", "section", "section", "context", "actions"]
    assert all(
        part in words for part in ("橙 · II 级 重大", "死亡 10 人", "11-21 07:10", "第 2 级", "舆-2026-0012")
    )
    assert (button["action_id"], button["value"], button["text"]["text"]) == (ACK_ACTION, "al-7", "签收")
    assert [one["action_id"] for one in others] == [TAKE_ACTION, SNOOZE_ACTION, PROOF_ACTION, OPEN_ACTION]
    assert {one["value"] for one in others[:-1]} == {"al-7"}
    assert others[-1]["url"] == "http://b.example/incidents/1"
    assert sent["metadata"]["event_payload"] == {"ref": "舆-2026-0012 首次发布 75%", "alert_id": "al-7"}
    assert receiver.requests[-1].path == "/api/chat.postMessage"


def test_an_alert_whose_incident_s_message_is_gone_stands_in_the_room_by_itself(receiver: Receiver) -> None:
    gone = Answer(body=b'{"ok": false, "error": "thread_not_found"}')
    receiver.reply = lambda request: gone if request.json().get("thread_ts") else Answer(body=KITS[1].yes)
    done = build(KITS[1].settings(receiver.url), SECRETS.__getitem__).send(replace(message(), thread="17.1"))
    assert done.outcome is Outcome.ACCEPTED
    first, alone = (request.json() for request in receiver.requests)
    assert (first["thread_ts"], "reply_broadcast" in alone) == ("17.1", False)


def test_an_alert_that_slack_will_not_take_at_all_is_refused_in_a_thread_too(receiver: Receiver) -> None:
    receiver.answer(body=b'{"ok": false, "error": "channel_not_found"}')
    done = build(KITS[1].settings(receiver.url), SECRETS.__getitem__).send(replace(message(), thread="17.1"))
    assert done.outcome is Outcome.REFUSED and "channel_not_found" in done.reason


def test_mentions_in_outside_text_wake_nobody(receiver: Receiver) -> None:
    hostile = "<!channel> <@U1> @here @HERE @channel@everyone <http://x.example|点我> & 完"
    sent = slack_post(receiver, reason=hostile, incident={"id": "1", "title": hostile, "grade": "I"})
    for words in (sent["text"], json.dumps(sent["blocks"], ensure_ascii=False)):
        assert "<!" not in words and "<@" not in words and "<http" not in words
        assert not any(mention in words.lower() for mention in ("@here", "@channel", "@everyone"))
    assert "&amp; 完" in sent["text"]


def test_long_text_for_slack_is_split_and_numbered_and_what_is_too_much_is_cut_with_a_mark(
    receiver: Receiver,
) -> None:
    title = {"id": "1", "title": "题" * 900, "grade": "II"}
    for why, count in (("第一句。" * 1500, 3), ("&<长>" * 4000, 4)):
        sent = slack_post(receiver, reason=why, incident=title)
        header, *rest = sent["blocks"]
        parts = [one["text"]["text"] for one in rest if one["type"] == "section" and "text" in one]
        assert len(header["text"]["text"]) <= 150 and header["text"]["text"].endswith(CUT_MARK)
        assert [part for n, part in enumerate(parts, 1) if f"（{n}/{count}）" not in part] == []
        assert len(parts) == count and all(len(part) <= 3000 for part in parts)
        assert parts[-1].endswith(CUT_MARK) == (count == 4)
        assert len(sent["text"]) <= 4000
    whole = "".join(re.sub(r"（[0-9]/[0-9]）", "", part) for part in numbered("第一句。" * 1500))
    assert whole == "第一句。" * 1500


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
    assert OPEN_ACTION not in [button["action_id"] for button in sent["blocks"][-1]["elements"]]


def test_what_is_about_no_incident_offers_nothing_but_the_page(receiver: Receiver) -> None:
    sent = slack_post(receiver, incident=None, url="http://b.example/")
    assert [button["action_id"] for button in sent["blocks"][-1]["elements"]] == [OPEN_ACTION]


@pytest.mark.parametrize(("count", "left"), [(3, ""), (100, "见页面")])
def test_slack_lists_the_other_alerts_of_a_message_within_its_limits(
    count: int, left: str, receiver: Receiver
) -> None:
    receiver.answer(body=KITS[1].yes)
    build(KITS[1].settings(receiver.url), SECRETS.__getitem__).send(several(count))
    sent = receiver.requests[-1].json()
    (listed,) = [b["text"]["text"] for b in sent["blocks"] if "另有" in json.dumps(b, ensure_ascii=False)]
    assert f"另有 {count - 1} 条" in listed
    assert "只指最急的一条 舆-2026-0012" in json.dumps(sent["blocks"], ensure_ascii=False)
    assert "舆-2026-0100 首次发布 50%" in listed
    assert left in listed.splitlines()[-1]
    assert len(listed) <= 3000
    assert f"（另 {count - 1} 条）" in sent["text"]


# ── sent again ────────────────────────────────────────────────────────────────────────────────

CUT = Answer(close=True)
NO = b'{"ok": false, "error": "missing_scope", "needed": "im:history"}'


@pytest.fixture
def slack() -> Iterator[Workspace]:
    with Workspace() as workspace:
        yield workspace


def to(slack: Workspace) -> Slack:
    return build(
        {"id": "slack", "type": "slack", "base_url": slack.api, "token": "${SLACK}"}, SECRETS.__getitem__
    )  # type: ignore[return-value]


@pytest.mark.parametrize("address", ["UCHEN", "C0ROOM"])
@pytest.mark.parametrize("arrived", [True, False])
def test_an_alert_whose_answer_was_lost_is_there_once(arrived: bool, address: str, slack: Workspace) -> None:
    channel, alert = to(slack), replace(message(attempt=2), address=address)
    slack.fault("chat.postMessage", CUT, arrived=arrived)
    assert channel.send(alert).outcome is Outcome.UNKNOWN
    done = channel.send(alert)
    assert done.outcome is Outcome.ACCEPTED
    assert done.receipt == slack.posts(address)[0]["ts"]
    assert len(slack.posts(address)) == 1
    assert ("未重发" in done.reason) == arrived


def test_an_alert_is_sent_again_where_slack_does_not_let_us_look(slack: Workspace) -> None:
    channel = to(slack)
    for fault in ("conversations.open", "conversations.history"):
        slack.rooms.clear()
        slack.fault("chat.postMessage", CUT, arrived=True)
        slack.fault(fault, Answer(body=NO))
        alert = replace(message(), address="UCHEN", alert_id=fault)
        assert [channel.send(alert).outcome for _ in range(2)] == [Outcome.UNKNOWN, Outcome.ACCEPTED]
        assert len(slack.posts("UCHEN")) == 2


def test_while_slack_cannot_say_whether_it_arrived_the_alert_waits(slack: Workspace) -> None:
    channel, alert = to(slack), replace(message(), address="C0ROOM")
    slack.fault("chat.postMessage", CUT, arrived=True)
    slack.fault("conversations.history", Answer(status=429, headers={"Retry-After": "7"}), Answer(status=500))
    said = [channel.send(alert) for _ in range(4)]
    assert [one.outcome for one in said] == [Outcome.UNKNOWN, Outcome.RETRY, Outcome.RETRY, Outcome.ACCEPTED]
    assert said[1].retry_after == 7
    assert len(slack.posts("C0ROOM")) == 1


def test_alerts_that_came_along_only_now_are_not_taken_for_sent(slack: Workspace) -> None:
    """The lost message held one alert; the next holds another too, which nobody has been told."""
    channel = to(slack)
    slack.fault("chat.postMessage", CUT, arrived=True)
    channel.send(replace(message(), address="C0ROOM"))
    channel.send(replace(several(2), address="C0ROOM"))
    assert len(slack.posts("C0ROOM")) == 2


def test_an_alert_that_somebody_took_keeps_its_words_and_loses_the_button(slack: Workspace) -> None:
    to(slack).send(replace(message(), address="C0ROOM"))
    (sent,) = slack.posts("C0ROOM")
    shown = taken(taken(sent["blocks"], "11-21 06:00 <!here> 已签收"), "11-21 06:01 陈值班 已接手")
    words = json.dumps(shown, ensure_ascii=False)
    assert ACK_ACTION not in words and TAKE_ACTION in words and "死亡 10 人" in words
    assert "陈值班 已接手" in words and "已签收" not in words


class Forgetful:
    """A client of Socket Mode whose reading thread begins a session just as it is told to stop: slack_sdk
    then waits for it without an end, unless it is told again."""

    def __init__(self) -> None:
        self.current_session_state = SimpleNamespace(terminated=False)
        self.reading, self.closed = threading.Event(), threading.Event()

    def close(self) -> None:
        self.current_session_state.terminated = True
        self.current_session_state.terminated = False  # the session has begun
        self.reading.set()
        while not self.current_session_state.terminated:
            time.sleep(0.01)
        self.closed.set()


def test_a_line_that_forgets_to_end_is_told_again() -> None:
    client: Any = Forgetful()
    line = Live(Any, Any, client)  # type: ignore[arg-type]  # neither is asked when it closes
    line.close()
    assert client.reading.is_set()
    assert client.closed.wait(30)
    assert not line.is_open()
