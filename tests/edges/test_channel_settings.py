"""The words of an alert, and settings of channels that are wrong."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.channels import build, build_all, limit
from connectors.channels.view import CUT_MARK, cut, plain, view
from connectors.ports import Outcome, Refused
from models.core.pacing import Limit
from support.kits import SECRETS, message


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


@pytest.mark.parametrize(
    ("settings", "per_minute", "together"),
    [
        ({"type": "webhook"}, None, 1),
        ({"type": "webhook", "per_minute": 30}, 30, None),
        ({"type": "webhook", "together": 20}, None, 20),
        ({"type": "dingtalk"}, 20, None),
        ({"type": "feishu"}, 100, None),
        ({"type": "webhook", "per_minute": 30, "together": 1}, 30, 1),
    ],
)
def test_a_channel_bears_what_its_platform_states_or_the_site_says(
    settings: dict[str, Any], per_minute: int | None, together: int | None
) -> None:
    assert limit({"id": "a"} | settings) == Limit(per_minute, together)
