"""Slack's own: what it says no with, and what an alert looks like there."""

from __future__ import annotations

import json
from typing import Any

import pytest

from connectors.channels import build
from connectors.channels.slack import ACK_ACTION, escape, fit
from connectors.channels.view import CUT_MARK
from connectors.ports import Outcome
from support.kits import KITS, SECRETS, Make, message, several
from support.receiver import Receiver


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


@pytest.mark.parametrize(("count", "left"), [(3, ""), (100, "见页面")])
def test_slack_lists_the_other_alerts_of_a_message_within_its_limits(
    count: int, left: str, receiver: Receiver
) -> None:
    receiver.answer(body=KITS[1].yes)
    build(KITS[1].settings(receiver.url), SECRETS.__getitem__).send(several(count))
    sent = receiver.requests[-1].json()
    (listed,) = [b["text"]["text"] for b in sent["blocks"] if "另有" in json.dumps(b, ensure_ascii=False)]
    assert f"另有 {count - 1} 条" in listed
    assert "舆-2026-0100 首次发布 50%" in listed
    assert left in listed.splitlines()[-1]
    assert len(listed) <= 3000
    assert f"（另 {count - 1} 条）" in sent["text"]
