"""An incident from its alert to its end, all through Slack: an independent Slack on one side, the console's
real HTTP door on the other, the ledger checked at the end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from connectors.channels.slack import names
from flows.deliver import deliver
from flows.respond import respond
from flows.telling.slack_people import slacks
from flows.telling.slack_story import Teller
from support.console import served
from support.river_site import Site, river
from support.sites import TEAM
from support.slack import command, form, home_opened, press, sign
from support.slack_emulator import Emulator, emulator
from support.slack_site import by_slack, everybody, send
from support.waiting import until


@dataclass
class Office:
    site: Site
    slack: Emulator
    door: httpx.Client
    teller: Teller
    room: str

    def beat(self) -> None:
        self.site.time.moment += timedelta(seconds=20)
        respond(self.site.house)
        deliver(self.site.house)
        while self.teller.step():
            pass

    def card(self) -> dict[str, Any]:
        """The one message of the one incident."""
        (message,) = [one for one in self.slack.messages(self.room) if not one.get("thread_ts")]
        return message

    def incident(self, incident_id: str) -> dict[str, Any]:
        shown = self.site.desk.incident(incident_id)
        assert shown is not None
        return shown

    def kept(self, incident_id: str) -> str:
        """What a form keeps of where it was opened."""
        return json.dumps({"incident": incident_id, "place": self.room})

    def story(self) -> str:
        return "\n".join(str(one["text"]) for one in self.slack.replies(self.room, self.card()["ts"]))


@pytest.fixture
def office(tmp_path: Path, database_url: str) -> Iterator[Office]:
    with emulator(tmp_path, {who: name for who, name, _ in TEAM}, ["incidents"]) as slack:
        room = slack.rooms["incidents"]
        prepare = by_slack(slack.api, room, everybody(slack.users))
        with river(tmp_path, database_url, prepare) as site, served(site.desk) as url:
            (channel,) = slacks(site.house)
            with httpx.Client(base_url=url) as door:
                yield Office(site, slack, door, Teller(site.house, channel, gap_s=0.0), room)


def text(message: Any) -> str:
    return json.dumps(message, ensure_ascii=False)


def grade_form(office: Office, incident_id: str, grade: str, reason: str) -> dict[str, Any]:
    values = {"grade": {"selected_option": {"value": grade}}, "reason": {"value": reason}}
    return form(office.slack.users["li"], names.GRADE_FORM, office.kept(incident_id), values)


def proof_form(office: Office, incident_id: str, clock: str | None) -> dict[str, Any]:
    values: dict[str, Any] = {
        "clock": {"selected_option": {"value": clock} if clock else None},
        "url": {"value": "https://release.example/1"},
        "publisher": {"value": "临江发布"},
        "published_at": {"selected_date_time": int(office.site.time.now().timestamp())},
    }
    return form(office.slack.users["li"], names.PROOF_FORM, office.kept(incident_id), values)


def test_an_incident_goes_from_its_alert_to_its_end_through_slack_alone(office: Office) -> None:
    site, slack, door = office.site, office.slack, office.door
    chen, li = slack.users["chen"], slack.users["li"]
    incident = site.desk.act("open", "", {"title": "化工园区爆燃 <!channel>", "grade": "IV"}, "zhou")["id"]
    office.beat()

    # the alert is a direct message; the incident has one message in its room, and a thread
    alert = slack.letters(chen)[-1]
    value = alert["blocks"][-1]["elements"][0]["value"]
    assert alert["metadata"]["event_payload"]["alert_id"] == value
    first = office.card()
    assert "尚无人签收" in text(first["blocks"])
    assert "立案" in office.story() and "<!channel>" not in text(slack.messages(office.room))

    # acknowledged in the direct message; Slack times out and sends it again
    pressed = press(chen, names.ACK_ACTION, value, slack.room(chen), message=alert)
    assert [send(door, pressed).status_code for _ in range(2)] == [200, 200]
    until(lambda: office.incident(incident)["acked"])
    until(lambda: "已签收" in text(slack.letters(chen)))
    office.beat()
    second = office.card()
    assert second["ts"] == first["ts"]
    assert "陈值班" in text(second["blocks"]) and "尚无人签收" not in text(second["blocks"])
    assert office.story().count("陈值班 签收") == 1

    # taken and put off by another, from the incident's own message
    for action in (names.TAKE_ACTION, names.SNOOZE_ACTION):
        assert send(door, press(li, action, incident, office.room, message=second)).status_code == 200
    until(lambda: office.incident(incident)["snoozed"])
    until(lambda: office.incident(incident)["holder"] == "李主任")

    # forms: a grade with its reason; an evidence, refused in words where it says too little
    assert send(door, grade_form(office, incident, "III", "又有伤者")).content == b""
    assert office.incident(incident)["grade"] == "III"
    refused = send(door, proof_form(office, incident, None)).json()
    assert refused["response_action"] == "errors"
    assert "凭据种类" in refused["errors"]["clock"]
    for clock in [one["id"] for one in office.incident(incident)["clocks"] if not one["ended_at"]]:
        assert send(door, proof_form(office, incident, clock)).content == b""
    office.beat()
    assert {one["url"] for one in office.incident(incident)["evidence"]} == {"https://release.example/1"}
    assert "凭据" in office.story() and "较大" in text(office.card())

    # closed by the command; the message says so, and offers nothing but the page
    body = urlencode(command(li, f"close {incident} 已处置完毕")).encode()
    assert door.post("/hooks/slack/commands", content=body, headers=sign(body)).status_code == 200
    until(lambda: office.incident(incident)["closed_at"])
    office.beat()
    last = office.card()
    assert last["ts"] == first["ts"] and "已办结" in text(last["blocks"])
    assert [one["action_id"] for one in last["blocks"][-1]["elements"]] == [names.OPEN_ACTION]
    assert "已处置完毕" in office.story()
    assert site.verified()


def test_forms_and_the_app_home_are_taken_by_an_independent_slack(office: Office) -> None:
    site, slack, door = office.site, office.slack, office.door
    chen = slack.users["chen"]
    incident = site.desk.act("open", "", {"title": "化工园区爆燃", "grade": "II"}, "chen")["id"]
    for action in (names.GRADE_ACTION, names.PROOF_ACTION):
        trigger = slack.call("views.generateTriggerId", user_id=chen)["trigger_id"]
        send(door, press(chen, action, incident, office.room, trigger_id=trigger))
    body = text(home_opened(chen)).encode()
    assert door.post("/hooks/slack/events", content=body, headers=sign(body)).status_code == 200
    until(lambda: slack.inspected().count("舆-2026-0001 化工园区爆燃") == 2, slack.inspected)  # two forms
    until(lambda: "陈值班 · 我的事项" in slack.inspected(), slack.inspected)
