"""Cards, forms and the App Home keep Slack's limits whatever an incident holds, and Slack's own models take them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View

from connectors.channels.slack import cards, forms, home
from connectors.channels.slack.arriving import Door, arrived
from connectors.channels.slack.words import escape, numbered
from connectors.channels.view import CUT_MARK
from support.slack import form, press

NOW = datetime(2026, 11, 21, 2, 13, tzinfo=UTC)
HOSTILE = "<!channel> <@U1> @here *粗* `码` & <http://x.example|点> \u202e" + "长" * 4000


def clock(name: str, state: str = "运行中", ended: bool = False) -> dict[str, Any]:
    return {
        "id": "first_statement",
        "name": name,
        "state_zh": state,
        "due_at": "2026-11-21T07:10:00+08:00",
        "next_step": None if ended else {"key": "75%", "due_at": "2026-11-21T05:55:00+08:00", "rung": 2},
        "ended_at": "2026-11-21T06:00:00+08:00" if ended else None,
    }


def incident(words: str = "化工园区爆燃", clocks: int = 3, **more: Any) -> dict[str, Any]:
    made = {
        "id": "2026-0012",
        "ref": "舆-2026-0012",
        "title": words,
        "grade": "II",
        "grade_zh": "重大",
        "colour": "橙",
        "provisional": True,
        "stage_zh": "研判",
        "owner": words,
        "holder": None,
        "reason": words,
        "acked": [{"person": "chen", "name": words, "at": "2026-11-21T02:14:00+08:00"}],
        "clocks": [clock(words, ended=n % 2 == 1) for n in range(clocks)],
    }
    return made | more


def every(node: Any) -> Iterator[dict[str, Any]]:
    """Every object within."""
    if isinstance(node, dict):
        yield node
    for one in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from every(one)


def keeps_limits(blocks: Sequence[dict[str, Any]], most: int) -> None:
    """https://docs.slack.dev/reference/block-kit"""
    assert len(blocks) <= most
    for one in every(list(blocks)):
        kind, text = one.get("type"), one.get("text")
        if isinstance(text, dict):
            longest = {"header": 150, "button": 75, "section": 3000}.get(str(kind), 75)
            assert 0 < len(text["text"]) <= longest, one
        assert len(one.get("fields", ())) <= 10
        assert all(len(field["text"]) <= 2000 for field in one.get("fields", ()))
        assert kind != "actions" or 0 < len(one["elements"]) <= 25
        assert len(str(one.get("value", ""))) <= 2000
        assert "options" not in one or 0 < len(one["options"]) <= 100
    for block in Block.parse_all(list(blocks)):
        block.validate_json()


def harmless(shown: Any) -> None:
    said = json.dumps(shown, ensure_ascii=False)
    assert not any(bad in said.lower() for bad in ("<!", "<@", "<http", "@here", " *粗", "\u202e"))


@pytest.mark.parametrize("words", ["化工园区爆燃", HOSTILE, "", "\n\u200b"])
@pytest.mark.parametrize("clocks", [0, 3, 40])
def test_whatever_an_incident_holds_its_card_forms_and_home_keep_slacks_limits(
    words: str, clocks: int
) -> None:
    one = incident(words, clocks)
    card = cards.card(one, "https://h.example/incidents/2026-0012")
    keeps_limits(card["blocks"], 50)
    assert len(card["text"]) <= 4000
    where = {"place": "C0ROOM", "thread": "1.1"}
    views = [
        forms.grade_form(one, where),
        forms.proof_form(one, where, "临江发布", NOW),
        home.home("陈值班", [one] * 90, "https://h.example", "2026-11-21T02:13:00+08:00"),
        home.stranger(HOSTILE),
    ]
    for view in views:
        keeps_limits(view["blocks"], 100)
        View(**view).validate_json()
    assert all(
        len(view["title"]["text"]) <= 24 and len(view["private_metadata"]) <= 3000 for view in views[:2]
    )
    harmless([card, views])


def test_a_card_shows_what_holds_for_long_and_changes_only_with_it() -> None:
    one = cards.card(incident(), "https://h.example/i")
    again = cards.card(
        incident() | {"clocks": [c | {"left_s": 5.0} for c in incident()["clocks"]]}, "https://h.example/i"
    )
    assert cards.face(one) == cards.face(again)
    said = json.dumps(one, ensure_ascii=False)
    assert "还剩" not in said and "时限 11-21 07:10" in said
    assert cards.face(cards.card(incident(holder="陈值班"), "https://h.example/i")) != cards.face(one)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"closed_at": "2026-11-21T06:00:00+08:00"}, "已办结 11-21 06:00"),
        ({"merged_into": "2026-0001", "closed_at": "2026-11-21T06:00:00+08:00"}, "已并入 舆-2026-0001"),
    ],
)
def test_an_incident_that_is_over_says_so_and_offers_only_its_page(state: dict[str, str], words: str) -> None:
    card = cards.card(incident(**state), "https://h.example/i")
    assert words in json.dumps(card, ensure_ascii=False)
    assert [one.get("url") for one in card["blocks"][-1]["elements"]] == ["https://h.example/i"]


@given(st.text(alphabet="甲乙。；&<>@\n*`a here", max_size=600), st.integers(40, 200), st.integers(1, 9))
@settings(deadline=None)
def test_a_long_text_is_split_within_the_limit_and_cut_only_with_a_mark(
    words: str, limit: int, most: int
) -> None:
    parts = numbered(words, limit, most)
    assert len(parts) <= most and all(len(part) <= limit for part in parts)
    if len(parts) > 1:
        assert [part.split("）")[0] for part in parts] == [
            f"（{n}/{len(parts)}" for n in range(1, len(parts) + 1)
        ]
    if parts and CUT_MARK not in parts[-1]:
        bare = "".join(part if len(parts) == 1 else part.split("）", 1)[1] for part in parts)
        assert "".join(bare.split()) == "".join(escape(words).split())


@given(st.lists(st.text(alphabet="甲乙&<@ab ", min_size=1, max_size=1500), max_size=12))
@settings(deadline=None)
def test_a_story_is_packed_into_replies_that_each_fit_and_none_of_it_is_left_out(lines: list[str]) -> None:
    sizes = cards.packed(lines)
    assert sum(sizes) == len(lines) and 0 not in sizes
    start = 0
    for size in sizes:
        reply = cards.story(lines[start : start + size])
        assert len(reply["blocks"][0]["text"]["text"]) <= 3000
        start += size


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)
NAMES = st.sampled_from(
    ["user", "channel", "view", "message", "actions", "state", "values", "event", "container"]
)


@given(
    st.sampled_from(["block_actions", "view_submission", "event_callback", "", "shortcut"]),
    st.dictionaries(NAMES, JSON, max_size=5),
)
@settings(deadline=None)
def test_whatever_arrives_is_read_without_an_error_and_has_a_key(kind: str, rest: dict[str, Any]) -> None:
    one = arrived({"type": kind} | rest)
    assert 8 <= len(one.key) <= 100 and one.key.isascii()
    assert one.door in set(Door)


def test_the_same_payload_has_the_same_key_and_another_press_another() -> None:
    one, other = press("U1", "huiying_ack", "a"), press("U1", "huiying_ack", "a")
    assert arrived(one).key == arrived(json.loads(json.dumps(one))).key != arrived(other).key
    sent, again = (form("U1", "huiying_grade_form", "{}", {"grade": {"value": "I"}}) for _ in range(2))
    assert arrived(sent).key != arrived(again).key
