"""Socket Mode: an office that nobody can reach by HTTP acts over a line that it opened itself."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.channels.slack import names
from connectors.ports import Unreachable
from flows.processes.loop import ClockLoop
from flows.telling.slack_duties import line as duty
from flows.telling.slack_follow import LINE_LEASE, Keeper, follow_line
from flows.telling.slack_people import slacks
from support.receiver import Answer
from support.river_site import Site, river
from support.slack import APP_TOKEN, SIGNING, TOKEN, Line, Workspace, command, form, open_line, press
from support.slack_site import by_slack
from support.waiting import until


@dataclass
class Office:
    site: Site
    slack: Workspace
    line: Line
    incident: str

    def keeper(self, by: str = "one") -> Keeper:
        (channel,) = slacks(self.site.house)
        return Keeper(self.site.house, channel, by)

    def seen(self) -> dict[str, Any]:
        shown = self.site.desk.incident(self.incident)
        assert shown is not None
        return shown

    def coverage(self) -> dict[str, Any]:
        items = self.site.desk.board()["coverage"]["items"]
        return next(one for one in items if one["name"] == duty("slack"))


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with Workspace() as slack, open_line() as line:
        slack.socket_url = line.url
        prepare = by_slack(slack.api, "C0ROOM", {"chen": "UCHEN"}, app_token="file:slack-app")
        with river(tmp_path, f"sqlite:///{tmp_path}/site.db", prepare) as site:
            opened = site.desk.act("open", "", {"title": "化工园区爆燃", "grade": "II"}, "zhou")
            yield Office(site, slack, line, opened["id"])


@pytest.fixture
def kept(office: Office) -> Iterator[Keeper]:
    keeper = office.keeper()
    assert keeper.step()
    until(lambda: office.line.dialled)
    yield keeper
    keeper.let_go()


def test_a_press_over_the_line_is_answered_and_done_once_though_it_comes_twice(
    office: Office, kept: Keeper
) -> None:
    pressed = press("UCHEN", names.ACK_ACTION, office.incident)
    office.line.send("interactive", pressed, "e1")
    office.line.send("interactive", pressed, "e2")  # Slack saw no answer in time
    until(lambda: {one["envelope_id"] for one in office.line.acks} == {"e1", "e2"})
    until(lambda: office.seen()["acked"])
    until(lambda: office.slack.whispers)
    assert sum(one["kind"] == "acknowledged" for one in office.seen()["timeline"]) == 1
    (dialled,) = [one for one in office.slack.requests if one.path.endswith("apps.connections.open")]
    assert dialled.headers["authorization"] == f"Bearer {APP_TOKEN}"


def test_neither_tokens_nor_the_lines_ticket_are_logged_however_much_is_logged(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    keeper = office.keeper()
    assert keeper.step()
    until(lambda: office.line.dialled)
    answer_at = f"{office.slack.url}/answer/one-key"
    office.line.send(
        "interactive", press("UCHEN", names.ACK_ACTION, office.incident, response_url=answer_at), "e1"
    )
    until(lambda: office.slack.answers)
    keeper.let_go()
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith("websockets")]
    assert any("new session" in said for said in ours)
    for secret in (APP_TOKEN, TOKEN, SIGNING, "ticket=once", "one-key", "an old token", "化工园区"):
        assert not any(secret in said for said in ours), secret


def test_commands_and_forms_come_over_the_line_and_a_refusal_goes_back_in_the_answer(
    office: Office, kept: Keeper
) -> None:
    office.line.send("slash_commands", command("UCHEN", f"ack {office.incident}"), "e1")
    until(lambda: office.seen()["acked"])
    kept_form = f'{{"incident": "{office.incident}", "place": "C0ROOM"}}'
    wrong = {"grade": {"value": "V"}, "reason": {"value": "又有伤者"}}
    office.line.send("interactive", form("UCHEN", names.GRADE_FORM, kept_form, wrong), "e2")
    answers = until(lambda: [one for one in office.line.acks if one["envelope_id"] == "e2"])
    assert answers[0]["payload"]["response_action"] == "errors"


def test_the_line_is_opened_again_when_slack_hangs_up(office: Office, kept: Keeper) -> None:
    office.line.hang_up()

    def again() -> bool:
        kept.step()
        return len(office.line.dialled) > 1

    until(again)
    office.line.send("interactive", press("UCHEN", names.ACK_ACTION, office.incident), "e1")
    until(lambda: office.seen()["acked"])


def test_one_process_at_a_time_holds_the_line_and_another_takes_over_when_it_dies(
    office: Office, kept: Keeper
) -> None:
    other = office.keeper("other")
    assert not other.step()
    assert len(office.line.dialled) == 1
    kept.let_go()  # as a kill would: its lease stays
    assert not other.step()
    office.site.time.moment += LINE_LEASE + timedelta(seconds=1)
    assert other.step()
    until(lambda: len(office.line.dialled) == 2)
    assert not kept.step()
    other.close()  # as a stop does
    assert kept.step()


def test_a_line_that_cannot_be_opened_is_named_and_no_token_with_it(office: Office) -> None:
    body = b'{"ok": false, "error": "invalid_auth"}'
    office.slack.fault("apps.connections.open", *[Answer(body=body)] * 50)
    keeper = office.keeper()
    with pytest.raises(Unreachable, match="invalid_auth") as told:
        keeper.step()
    assert APP_TOKEN not in str(told.value)
    stopped = threading.Event()
    (channel,) = slacks(office.site.house)
    follower = threading.Thread(target=follow_line, args=(office.site.house, channel, stopped), daemon=True)
    office.site.time.moment += LINE_LEASE + timedelta(seconds=1)
    follower.start()
    until(lambda: "invalid_auth" in office.coverage()["detail"])
    stopped.set()
    follower.join(30)
    assert not follower.is_alive()
    assert APP_TOKEN not in office.coverage()["detail"]


def test_whoever_sends_alerts_also_tells_the_room_and_keeps_the_line(office: Office) -> None:
    loop = ClockLoop(office.site.house, ("deliver",))
    loop.start()
    try:
        until(lambda: office.line.dialled)
        until(lambda: office.slack.posts("C0ROOM"))
        until(lambda: office.coverage()["state"] == "ok")
    finally:
        loop.stop()
