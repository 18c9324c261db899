"""What comes in from Slack: only Slack is heard, only people of the roster act, and everything is done once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from connectors.channels.slack import names
from connectors.ports import Refused
from flows.telling.slack_acts import Clerk
from flows.telling.slack_follow import finish_left
from flows.telling.slack_people import slacks
from models.ledger import chat_asks
from support.console import served
from support.receiver import Answer
from support.river_site import Site, river
from support.slack import Workspace, as_form, command, form, home_opened, press, sign
from support.slack_site import by_slack, send
from support.waiting import until

PEOPLE = {"chen": "UCHEN", "li": "ULI"}


@dataclass
class Office:
    site: Site
    slack: Workspace
    door: httpx.Client
    incident: str

    def seen(self) -> dict[str, Any]:
        shown = self.site.desk.incident(self.incident)
        assert shown is not None
        return shown

    def clerk(self) -> Clerk:
        (channel,) = slacks(self.site.house)
        return Clerk(self.site.desk, channel)

    def acks(self) -> int:
        """How often it was acknowledged, by the journal."""
        return sum(one["kind"] == "acknowledged" for one in self.seen()["timeline"])


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with Workspace() as slack:
        prepare = by_slack(slack.api, "C0ROOM", PEOPLE, users={"UMAPPED": "zhao"})
        with river(tmp_path, f"sqlite:///{tmp_path}/site.db", prepare) as site, served(site.desk) as url:
            opened = site.desk.act("open", "", {"title": "化工园区爆燃", "grade": "II"}, "zhou")
            with httpx.Client(base_url=url) as door:
                yield Office(site, slack, door, opened["id"])


def post(office: Office, path: str, body: bytes, headers: dict[str, str]) -> httpx.Response:
    return office.door.post(f"/hooks/slack/{path}", content=body, headers=headers)


# ── is it Slack? ──────────────────────────────────────────────────────────────────────────────

BODY = as_form(press("UCHEN", names.ACK_ACTION, "2026-0001"))


UNSIGNED: list[tuple[dict[str, str | None], str]] = [
    ({"X-Slack-Request-Timestamp": "soon"}, "不是秒数"),
    ({"X-Slack-Request-Timestamp": "-5"}, "不是秒数"),
    ({"X-Slack-Request-Timestamp": "1e9"}, "不是秒数"),
    ({"X-Slack-Request-Timestamp": "9" * 400}, "不是秒数"),
    ({"X-Slack-Request-Timestamp": None}, "没有 Slack 的签名"),
    ({"X-Slack-Signature": None}, "没有 Slack 的签名"),
    ({"X-Slack-Signature": "v0="}, "签名不对"),
    ({"X-Slack-Signature": "v0=" + "0" * 64}, "签名不对"),
]


def test_a_request_that_slack_has_not_signed_is_401_and_does_nothing(office: Office) -> None:
    for change, words in UNSIGNED:
        headers = {name: value for name, value in (sign(BODY) | change).items() if value is not None}
        answer = post(office, "actions", BODY, headers)
        assert answer.status_code == 401, change
        assert words in answer.json()["error"], change
    assert office.acks() == 0


def test_a_signature_of_more_than_five_minutes_ago_or_ahead_is_401(office: Office) -> None:
    for minutes in (-6, 6):
        at = datetime.now(UTC) + timedelta(minutes=minutes)
        answer = post(office, "actions", BODY, sign(BODY, at))
        assert answer.status_code == 401, minutes
        assert "五分钟" in answer.json()["error"]


def test_a_signature_over_another_body_or_by_another_secret_is_401(office: Office) -> None:
    for headers in (sign(BODY + b" "), sign(BODY, secret="another")):
        assert post(office, "actions", BODY, headers).status_code == 401
    assert office.acks() == 0


def test_slack_is_answered_when_it_asks_whether_the_address_is_ours(office: Office) -> None:
    body = json.dumps({"type": "url_verification", "challenge": "3eZbrw1a"}).encode()
    answer = post(office, "events", body, sign(body))
    assert (answer.status_code, answer.json()) == (200, {"challenge": "3eZbrw1a"})
    assert post(office, "events", body, sign(b"")).status_code == 401


UNREADABLE = (b"", b"payload=", b"payload=[1]", b"payload={", b"\xff\xfe", b"payload=" + b"[" * 9000)


def test_what_cannot_be_read_is_refused_in_words(office: Office) -> None:
    for body in UNREADABLE:
        answer = post(office, "actions", body, sign(body))
        assert answer.status_code == 409, body[:40]
        assert "请核对" in answer.json()["error"]


def test_a_body_without_end_is_413(office: Office) -> None:
    body = b"payload=" + b"x" * 600_000
    assert post(office, "actions", body, sign(body)).status_code == 413


NOT_OURS: list[dict[str, Any]] = [
    {"type": "block_actions"},
    {"type": "block_actions", "actions": "all", "user": 7, "message": [], "channel": None},
    {"type": "block_actions", "actions": [{"action_id": names.OPEN_ACTION}], "user": {"id": "UCHEN"}},
    {"type": "view_submission", "view": {"callback_id": "another's", "state": {"values": {"a": {}}}}},
    {"type": "shortcut"},
    {},
]


def test_what_is_none_of_ours_is_taken_without_a_word(office: Office) -> None:
    for payload in NOT_OURS:
        answer = send(office.door, payload)
        assert (answer.status_code, answer.content) == (200, b""), payload
    assert office.slack.calls == []


# ── who acts ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("user", ["USTRANGER", ""])
def test_whom_the_roster_does_not_know_is_told_so_and_does_nothing(user: str, office: Office) -> None:
    clerk = office.clerk()
    _, key = clerk.receive(press(user, names.ACK_ACTION, office.incident))
    clerk.work(key)
    (told,) = office.slack.whispers
    assert told["user"] == user and "没有对应到值班表里的人" in told["text"]
    assert office.acks() == 0


def test_a_slack_user_that_the_settings_map_acts_as_that_person(office: Office) -> None:
    assert send(office.door, press("UMAPPED", names.ACK_ACTION, office.incident)).status_code == 200
    until(lambda: office.seen()["acked"])
    assert [one["person"] for one in office.seen()["acked"]] == ["zhao"]
    assert office.site.verified()


# ── once ──────────────────────────────────────────────────────────────────────────────────────


def test_what_slack_sends_again_is_done_once_whichever_process_gets_it(office: Office) -> None:
    pressed = press("UCHEN", names.ACK_ACTION, office.incident)
    one, other = office.clerk(), office.clerk()
    first, second = one.receive(pressed)[1], other.receive(pressed)[1]
    assert first and not second
    one.work(first)
    other.work(first)
    assert office.acks() == 1
    assert len(office.slack.whispers) == 1


def test_an_event_that_slack_sends_again_is_handled_once(office: Office) -> None:
    body = json.dumps(home_opened("UCHEN")).encode()
    for number in range(3):
        headers = sign(body) | ({"X-Slack-Retry-Num": str(number), "X-Slack-Retry-Reason": "http_timeout"})
        assert post(office, "events", body, headers).status_code == 200
    until(lambda: office.slack.homes.get("UCHEN"))
    assert len(office.slack.called("views.publish")) == 1


def test_the_same_button_pressed_twice_is_two_presses(office: Office) -> None:
    for _ in range(2):
        send(office.door, press("UCHEN", names.SNOOZE_ACTION, office.incident))
    until(lambda: sum(one["kind"] == "snoozed" for one in office.seen()["timeline"]) == 2)


def test_what_a_killed_process_had_taken_down_is_done_by_the_next(office: Office) -> None:
    clerk = office.clerk()
    _, key = clerk.receive(press("UCHEN", names.ACK_ACTION, office.incident))
    assert key and office.acks() == 0
    finish_left(office.clerk())
    assert office.acks() == 0  # its own process may still be at it
    office.site.time.moment += timedelta(seconds=30)
    finish_left(office.clerk())
    clerk.work(key)
    assert office.acks() == 1


def test_what_waited_too_long_is_not_done_any_more(office: Office) -> None:
    office.clerk().receive(press("UCHEN", names.ACK_ACTION, office.incident))
    office.site.time.moment += timedelta(minutes=11)
    finish_left(office.clerk())
    assert office.acks() == 0


def test_an_act_that_was_done_before_its_process_died_is_not_done_again(office: Office) -> None:
    clerk = office.clerk()
    _, key = clerk.receive(press("UCHEN", names.ACK_ACTION, office.incident))
    office.site.desk.act("ack", office.incident, {}, "chen", once=key)
    clerk.work(key)
    assert office.acks() == 1


def test_secrets_that_slack_sends_along_are_not_written_down(office: Office) -> None:
    _, key = office.clerk().receive(press("UCHEN", names.ACK_ACTION, office.incident))
    now = office.site.time.now()
    with office.site.house.store.write() as conn:
        row = chat_asks.claim(conn, key, now, now)
    assert row is not None and "token" not in row.body


# ── what is said ──────────────────────────────────────────────────────────────────────────────


def test_a_refusal_is_said_to_the_one_who_pressed_in_the_laws_own_words(office: Office) -> None:
    office.site.desk.act("waive", office.incident, {"clock": "acknowledge", "reason": "演练"}, "zhou")
    send(office.door, press("UCHEN", names.ACK_ACTION, "2026-0999"))
    told = until(lambda: office.slack.whispers)[0]["text"]
    assert "没有执行" in told and "请打开页面" in told


def test_an_answer_goes_to_the_address_that_came_with_the_press(office: Office) -> None:
    pressed = press("UCHEN", names.ACK_ACTION, office.incident, response_url=f"{office.slack.url}/answer/1")
    send(office.door, pressed)
    (answer,) = until(lambda: office.slack.answers)
    assert "已签收" in answer["text"] and answer["replace_original"] is False
    assert office.slack.whispers == []


def test_no_answer_goes_to_an_address_that_is_not_slacks(office: Office) -> None:
    elsewhere = office.site.receiver.url
    send(office.door, press("UCHEN", names.ACK_ACTION, office.incident, response_url=f"{elsewhere}/steal"))
    assert until(lambda: office.slack.whispers)
    assert office.site.receiver.requests == []


def test_the_command_lists_acts_and_helps(office: Office) -> None:
    def say(text: str) -> str:
        office.slack.answers.clear()
        sent = urlencode(command("UCHEN", text, f"{office.slack.url}/answer/1")).encode()
        assert post(office, "commands", sent, sign(sent)).content == b""
        return str(until(lambda: office.slack.answers)[0]["text"])

    assert "化工园区爆燃" in say("board") and "1 起" in say("board")
    assert "0 起" in say("mine")
    assert "已签收" in say(f"ack {office.incident}")
    assert "1 起" in say("")
    assert "已记进展" in say(f"note {office.incident} 消防已到场")
    assert "请打开页面" in say("ack 2026-9999")
    assert "&lt;!channel&gt;" in say(f"snooze {office.incident} <!channel>")
    assert all("/huiying ack" in say(odd) for odd in ("help", "ack", "dance 1"))
    assert any("消防已到场" in one["text"] for one in office.seen()["timeline"])


def test_the_app_home_shows_what_waits_for_the_one_who_opens_it_and_acts(office: Office) -> None:
    office.site.desk.act("ack", office.incident, {}, "chen")
    body = json.dumps(home_opened("UCHEN")).encode()
    assert post(office, "events", body, sign(body)).status_code == 200
    shown = until(lambda: office.slack.homes.get("UCHEN"))
    assert "化工园区爆燃" in json.dumps(shown, ensure_ascii=False)
    body = json.dumps(home_opened("USTRANGER")).encode()
    post(office, "events", body, sign(body))
    assert "没有对应到值班表里的人" in json.dumps(
        until(lambda: office.slack.homes.get("USTRANGER")), ensure_ascii=False
    )
    office.slack.homes.clear()
    send(office.door, press("UCHEN", names.TAKE_ACTION, office.incident, view={"type": "home"}))
    assert until(lambda: office.slack.homes.get("UCHEN"))
    assert office.seen()["holder"] == "陈值班"


def test_buttons_open_forms_that_offer_the_running_clocks_and_keep_where_they_were_opened(
    office: Office,
) -> None:
    for action in (names.GRADE_ACTION, names.PROOF_ACTION):
        send(office.door, press("UCHEN", action, office.incident, message={"ts": "17.1", "blocks": []}))
    grade, proof = sorted(
        until(lambda: office.slack.forms[1:] and office.slack.forms),
        key=lambda one: len(
            one["view"]["blocks"] if isinstance(one["view"], dict) else json.loads(one["view"])["blocks"]
        ),
    )
    views = [
        one["view"] if isinstance(one["view"], dict) else json.loads(one["view"]) for one in (grade, proof)
    ]
    assert [view["callback_id"] for view in views] == [names.GRADE_FORM, names.PROOF_FORM]
    assert json.loads(views[1]["private_metadata"]) == {
        "incident": office.incident,
        "place": "C0ROOM",
        "thread": "17.1",
    }
    asked = {block["block_id"]: block["element"] for block in views[1]["blocks"] if block["type"] == "input"}
    running = {one["id"] for one in office.seen()["clocks"] if not one["ended_at"]}
    assert {option["value"] for option in asked["clock"]["options"]} == running
    assert asked["file"]["type"] == "file_input"


def test_a_form_that_slack_will_not_open_is_told_with_the_way_out(office: Office) -> None:
    office.slack.fault("views.open", Answer(body=b'{"ok": false, "error": "expired_trigger_id"}'))
    send(office.door, press("UCHEN", names.GRADE_ACTION, office.incident))
    told = until(lambda: office.slack.whispers)[0]["text"]
    assert "expired_trigger_id" in told and "再按一次" in told


def evidence(office: Office, file: str, name: str = "通报.png") -> dict[str, Any]:
    values = {
        "kind": {"selected_option": {"value": "published_statement"}},
        "publisher": {"value": "临江发布"},
        "file": {"files": [{"name": name, "url_private_download": file}]},
    }
    return form(
        "UCHEN", names.PROOF_FORM, json.dumps({"incident": office.incident, "place": "C0ROOM"}), values
    )


PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40 + b"\0\0\0\0IEND\xaeB`\x82"


def test_a_file_from_a_form_is_fetched_with_the_bots_own_token_and_kept_as_proof(office: Office) -> None:
    office.slack.files["/files/1"] = PNG
    assert send(office.door, evidence(office, f"{office.slack.url}/files/1")).content == b""
    (proof,) = office.seen()["evidence"]
    assert proof["file"]["bytes"] == len(PNG)
    (fetched,) = [one for one in office.slack.requests if one.path == "/files/1"]
    assert fetched.headers["authorization"].startswith("Bearer xoxb-")


def test_a_file_elsewhere_is_not_fetched_and_no_token_leaves(office: Office) -> None:
    refused = send(office.door, evidence(office, f"{office.site.receiver.url}/files/1")).json()
    assert "不是 Slack 的" in next(iter(refused["errors"].values()))
    assert office.site.receiver.requests == [] and office.seen()["evidence"] == []


def test_the_bots_token_follows_no_redirect(office: Office) -> None:
    elsewhere = f"{office.site.receiver.url}/files/1"
    office.slack.files["/files/1"] = Answer(status=302, headers={"Location": elsewhere})
    refused = send(office.door, evidence(office, f"{office.slack.url}/files/1")).json()
    assert "请在页面上附文件" in next(iter(refused["errors"].values()))
    assert office.site.receiver.requests == []


def test_a_form_whose_work_takes_too_long_is_closed_and_its_refusal_said_later(office: Office) -> None:
    clerk = office.clerk()
    clerk.form_s = 0.0
    kept = json.dumps({"incident": office.incident, "place": "C0ROOM"})
    answer, key = clerk.receive(
        form("UCHEN", names.GRADE_FORM, kept, {"grade": {"value": "V"}, "reason": {"value": "x"}})
    )
    assert (answer, key) == ({}, "")
    assert "不存在" in until(lambda: office.slack.whispers)[0]["text"]


def test_a_form_may_be_sent_again_after_its_refusal(office: Office) -> None:
    kept = json.dumps({"incident": office.incident, "place": "C0ROOM"})
    wrong = {"grade": {"value": "V"}, "reason": {"value": "又有伤者"}}
    for values in (wrong, wrong, {**wrong, "grade": {"value": "I"}}):
        answer = send(office.door, form("UCHEN", names.GRADE_FORM, kept, values))
        assert bool(answer.content) == (values["grade"]["value"] == "V")
    assert office.seen()["grade"] == "I"


def test_settings_that_map_users_wrongly_are_refused(office: Office) -> None:
    from connectors.channels import build

    with pytest.raises(Refused, match="users"):
        build({"id": "a", "type": "slack", "token": "$t", "users": ["U1"]}, lambda _: "xoxb-1")
