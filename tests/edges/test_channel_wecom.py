"""WeCom's own: text calls a telephone number, Markdown a user id, a card is for what fits on it."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.ports import Outcome
from support.kits import Make, kit, message
from support.receiver import Answer, Receiver

WECOM = kit("wecom")


def posted(receiver: Receiver, channel: Make, address: str, **changes: Any) -> dict[str, Any]:
    receiver.answer(body=WECOM.yes)
    channel(WECOM, receiver.url).send(message(address, **changes))
    told: dict[str, Any] = receiver.requests[-1].json()
    return told


def test_a_telephone_number_is_called_by_text(receiver: Receiver, channel: Make) -> None:
    told = posted(receiver, channel, "@13800000000", ack_url="https://b.example/a/token")
    assert told["msgtype"] == "text"
    assert told["text"]["mentioned_mobile_list"] == ["13800000000"]
    assert "签收: https://b.example/a/token" in told["text"]["content"]


def test_a_user_id_is_called_by_markdown_with_links(receiver: Receiver, channel: Make) -> None:
    told = posted(receiver, channel, "userid:wang", ack_url="https://b.example/a/token")
    assert told["msgtype"] == "markdown"
    assert told["markdown"]["content"].startswith("<@wang>\n")
    assert "[签收](https://b.example/a/token)" in told["markdown"]["content"]


def test_an_alert_to_the_group_that_fits_is_a_card_with_links(receiver: Receiver, channel: Make) -> None:
    told = posted(receiver, channel, "group", ack_url="https://b.example/a/token")
    card = told["template_card"]
    assert (told["msgtype"], card["card_type"]) == ("template_card", "text_notice")
    assert card["main_title"] == {"title": "化工园区爆燃", "desc": "舆-2026-0012 首次发布 75%"}
    assert [one["title"] for one in card["jump_list"]] == ["签收", "打开页面"]
    assert card["card_action"] == {"type": 1, "url": "http://b.example/incidents/1"}
    assert {"keyname": "期限", "value": "11-21 07:10"} in card["horizontal_content_list"]


@pytest.mark.parametrize(
    "changes",
    [
        {"reason": "长" * 113},
        {"incident": {"id": "1", "title": "题" * 27, "grade": "II", "url": "http://b.example/"}},
        {"incident": {"id": "1", "title": "题", "grade": "II", "url": ""}},
    ],
    ids=["a long reason", "a long title", "no page"],
)
def test_what_a_card_would_shorten_without_a_word_is_no_card(
    changes: dict[str, Any], receiver: Receiver, channel: Make
) -> None:
    assert posted(receiver, channel, "group", **changes)["msgtype"] == "markdown"


def test_too_often_waits_a_minute(receiver: Receiver, channel: Make) -> None:
    receiver.then(Answer(body=b'{"errcode": 45009, "errmsg": "api freq out of limit"}'))
    done = channel(WECOM, receiver.url).send(message("group"))
    assert (done.outcome, done.retry_after) == (Outcome.RETRY, 60.0)


def test_a_robot_that_is_gone_says_what_to_mend(receiver: Receiver, channel: Make) -> None:
    receiver.answer(body=b'{"errcode": 93000, "errmsg": "invalid webhook url"}')
    done = channel(WECOM, receiver.url).send(message("group"))
    assert done.outcome is Outcome.REFUSED and "重新复制 Webhook 地址" in done.reason
