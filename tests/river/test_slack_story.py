"""An incident's message in its Slack room: one, changed in place, its story told once, whatever Slack does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.ports import Refused, Unreachable
from flows.deliver import deliver
from flows.respond import respond
from flows.telling.slack_duties import telling
from flows.telling.slack_people import slacks
from flows.telling.slack_story import LOOK_BACK, Teller
from models.ledger import duties
from support.receiver import Answer
from support.river_site import Site, river
from support.slack import Message, Workspace
from support.slack_site import by_slack

ROOM = "C0ROOM"
CUT = Answer(close=True)


@dataclass
class Office:
    site: Site
    slack: Workspace
    teller: Teller
    pauses: list[float] = field(default_factory=list)

    def open(self, title: str = "化工园区爆燃", grade: str = "II") -> str:
        return str(self.site.desk.act("open", "", {"title": title, "grade": grade}, "zhou")["id"])

    def tell(self) -> None:
        while self.teller.step():
            pass

    def later(self, **span: float) -> None:
        self.site.time.moment += timedelta(**span)

    def card(self) -> Message:
        (message,) = self.slack.posts(ROOM)
        return message

    def story(self) -> str:
        return "\n".join(str(one["text"]) for one in self.slack.thread(ROOM, self.card()["ts"]))


def words(message: Any) -> str:
    return json.dumps(message, ensure_ascii=False)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with Workspace() as slack:
        prepare = by_slack(slack.api, ROOM, {"chen": "UCHEN", "li": ROOM})
        with river(tmp_path, f"sqlite:///{tmp_path}/site.db", prepare) as site:
            (channel,) = slacks(site.house)
            made = Office(site, slack, Teller(site.house, channel, gap_s=0.0))
            made.teller.pause = made.pauses.append
            yield made


def test_the_message_is_changed_in_place_and_its_story_told_once(office: Office) -> None:
    incident = office.open()
    office.tell()
    first = dict(office.card())
    office.site.desk.act("ack", incident, {"reason": "正在核实"}, "chen")
    office.tell()
    office.tell()
    assert office.card()["ts"] == first["ts"]
    assert "陈值班" in words(office.card()["blocks"]) and "尚无人签收" not in words(office.card()["blocks"])
    assert office.story().count("正在核实") == 1
    assert len(office.slack.called("chat.update")) == 1


def test_what_changes_nothing_that_is_shown_is_no_call_of_slack(office: Office) -> None:
    office.open()
    office.tell()
    before = len(office.slack.calls)
    office.site.desk.act("open", "", {"title": "另一起", "grade": "IV"}, "zhou")
    office.tell()
    assert len(office.slack.posts(ROOM)) == 2
    assert not [args for name, args in office.slack.calls[before:] if name == "chat.update"]


@pytest.mark.parametrize("arrived", [True, False])
@pytest.mark.parametrize("number", [0, 1])
def test_a_lost_answer_doubles_nothing_and_loses_nothing(number: int, arrived: bool, office: Office) -> None:
    """The first call is the message, the second the first reply of its thread."""
    incident = office.open()
    if number:
        office.tell()
        office.site.desk.act("update", incident, {"text": "消防已到场"}, "chen")
    office.slack.fault("chat.postMessage", CUT, arrived=arrived)
    with pytest.raises(Unreachable, match="未见答复"):
        office.tell()
    office.later(seconds=60)
    office.tell()
    assert len(office.slack.posts(ROOM)) == 1
    assert office.story().count(" 立案 ") == 1
    assert office.story().count("消防已到场") == number
    tried = [args["metadata"]["event_payload"]["try"] for args in office.slack.called("chat.postMessage")]
    assert len(set(tried)) == len(tried)


def test_where_we_may_not_look_it_is_said_again_rather_than_not_at_all(office: Office) -> None:
    incident = office.open()
    office.tell()
    office.site.desk.act("update", incident, {"text": "消防已到场"}, "chen")
    office.slack.fault("chat.postMessage", CUT, arrived=True)
    with pytest.raises(Unreachable):
        office.tell()
    body = b'{"ok": false, "error": "missing_scope", "needed": "channels:history"}'
    office.slack.fault("conversations.replies", Answer(body=body))
    office.later(seconds=60)
    office.tell()
    assert office.story().count("消防已到场") == 2


def test_while_nobody_can_tell_whether_it_arrived_nothing_is_sent(office: Office) -> None:
    office.open()
    office.slack.fault("chat.postMessage", CUT, arrived=True)
    with pytest.raises(Unreachable):
        office.tell()
    office.slack.fault("conversations.history", Answer(status=503))
    office.later(seconds=60)
    with pytest.raises(Unreachable):
        office.tell()
    office.later(seconds=60)
    office.tell()
    assert len(office.slack.posts(ROOM)) == 1


def test_slack_is_left_alone_for_as_long_as_it_asks(office: Office) -> None:
    office.open()
    office.slack.fault("chat.postMessage", Answer(status=429, headers={"Retry-After": "45"}))
    with pytest.raises(Unreachable) as told:
        office.tell()
    assert told.value.retry_after == 45
    office.later(seconds=44)
    office.tell()
    assert office.slack.posts(ROOM) == []
    office.later(seconds=2)
    office.tell()
    assert len(office.slack.posts(ROOM)) == 1


def test_two_calls_in_a_room_are_a_second_apart(office: Office) -> None:
    office.teller.gap_s = 1.0
    office.open()
    office.tell()
    assert len(office.pauses) == 2  # the message, and its story
    assert 0.5 < office.pauses[-1] <= 1.0


def test_a_message_that_somebody_has_deleted_is_posted_anew(office: Office) -> None:
    incident = office.open()
    office.tell()
    office.slack.rooms[ROOM].clear()
    office.site.desk.act("ack", incident, {"reason": "正在核实"}, "chen")
    office.tell()
    assert "陈值班" in words(office.card()["blocks"])
    assert "正在核实" in office.story()


def test_blocks_that_slack_will_not_take_are_said_in_plain_text(office: Office) -> None:
    office.open()
    office.slack.fault("chat.postMessage", Answer(body=b'{"ok": false, "error": "invalid_blocks"}'))
    office.tell()
    assert "化工园区爆燃" in office.card()["text"] and "blocks" not in office.card()


def test_what_slack_refuses_is_named_on_the_board_and_alerts_go_out_all_the_same(office: Office) -> None:
    office.open()
    office.slack.fault("chat.postMessage", Answer(body=b'{"ok": false, "error": "not_in_channel"}'))
    with pytest.raises(Refused, match="not_in_channel"):
        office.tell()
    items = {one["name"]: one for one in office.site.desk.board()["coverage"]["items"]}
    assert items[telling("slack")]["state"] == "late"
    assert "not_in_channel" in items[telling("slack")]["detail"]
    respond(office.site.house)
    deliver(office.site.house)
    assert office.slack.posts("UCHEN")


def test_one_process_at_a_time_tells_a_room(office: Office) -> None:
    office.open()
    now = office.site.time.now()
    with office.site.house.store.write() as conn:
        assert duties.take(conn, telling("slack"), now, timedelta(minutes=1), "another process")
    office.tell()
    assert office.slack.calls == []
    office.later(minutes=2)
    office.tell()
    assert office.slack.posts(ROOM)


def test_a_new_room_begins_with_the_last_day_and_not_with_the_whole_past(office: Office) -> None:
    old = office.open("去年的事")
    office.site.time.moment += LOOK_BACK + timedelta(hours=1)
    office.open("今天的事")
    office.tell()
    assert "今天的事" in words(office.card())
    office.site.desk.act("update", old, {"text": "又有新情况"}, "chen")
    office.tell()
    assert len(office.slack.posts(ROOM)) == 2


def test_incidents_that_are_merged_both_say_so(office: Office) -> None:
    one, other = office.open("化工园区爆燃"), office.open("园区大火")
    office.tell()
    office.site.desk.act("merge", other, {"into": one, "reason": "同一事件"}, "zhou")
    office.tell()
    kept, gone = office.slack.posts(ROOM)
    assert f"已并入 舆-{one}" in words(gone["blocks"])
    for message in (kept, gone):
        assert any("并入" in reply["text"] for reply in office.slack.thread(ROOM, message["ts"]))


def test_what_comes_from_outside_wakes_nobody_and_links_nowhere(office: Office) -> None:
    hostile = "<!channel> <@U1> @here *粗* <https://x.example|点我>"
    incident = office.open(hostile)
    office.site.desk.act("update", incident, {"text": hostile}, "chen")
    office.tell()
    for message in office.slack.rooms[ROOM]:
        said = words(message)
        assert not any(bad in said for bad in ("<!", "<@", "<http", "@here", " *粗*"))
        assert (message["unfurl_links"], message["parse"]) == (False, "none")


def test_a_long_story_is_told_whole_in_as_many_replies_as_it_takes(office: Office) -> None:
    incident = office.open()
    for number in range(40):
        office.site.desk.act("update", incident, {"text": f"第{number:02}次核实。" + "现场情况" * 40}, "chen")
    office.tell()
    replies = office.slack.thread(ROOM, office.card()["ts"])
    assert len(replies) > 2
    assert all(len(one["text"]) <= 3000 for one in replies)
    assert all(office.story().count(f"第{number:02}次核实") == 1 for number in range(40))


def test_an_alert_to_the_room_itself_is_a_reply_that_the_whole_room_sees(office: Office) -> None:
    office.open()
    office.tell()
    office.later(hours=3)
    respond(office.site.house)
    deliver(office.site.house)
    (alert,) = [
        one
        for one in office.slack.thread(ROOM, office.card()["ts"])
        if "event_payload" in words(one) and one["metadata"]["event_type"] == "huiying_alert"
    ][:1]
    assert alert["reply_broadcast"] is True
    assert office.slack.posts("UCHEN")  # who has a message of their own gets it there


def test_numbers_of_persons_do_not_leave_with_a_card(office: Office) -> None:
    incident = office.open("居民张某 13812345678 反映停水")
    office.site.desk.act("update", incident, {"text": "身份证 11010519491231002X 已核"}, "chen")
    office.tell()
    said = words(office.slack.rooms[ROOM])
    assert "13812345678" not in said and "11010519491231002X" not in said
    assert "反映停水" in said


def test_what_many_entries_changed_is_one_change_of_the_message(office: Office) -> None:
    incident = office.open()
    office.tell()
    for number in range(5):
        office.site.desk.act("snooze", incident, {"minutes": "30"}, "chen")
        office.site.desk.act(
            "grade", incident, {"grade": ("I", "II")[number % 2], "reason": f"第 {number} 次"}, "zhou"
        )
    office.tell()
    assert len(office.slack.called("chat.update")) == 1
    assert all(f"第 {number} 次" in office.story() for number in range(5))
