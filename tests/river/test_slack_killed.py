"""A sender that is killed in the middle of a word to Slack: what it had said is not said again, what it had not
said is not lost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from support.processes import Process, huiying
from support.receiver import Answer
from support.river_site import Site, river
from support.slack import Workspace
from support.slack_site import by_slack
from support.waiting import until

ROOM = "C0ROOM"
HANGS = Answer(hang=True)


@pytest.fixture
def slack() -> Iterator[Workspace]:
    with Workspace() as workspace:
        yield workspace


@pytest.fixture
def site(tmp_path: Path, slack: Workspace) -> Iterator[Site]:
    prepare = by_slack(slack.api, ROOM, {"chen": "UCHEN"}, timeout_s=60)
    with river(tmp_path, f"sqlite:///{tmp_path}/site.db", prepare) as made:
        made.time.moment = datetime.now(UTC)  # the killed process lives in real time
        yield made


def test_a_sender_killed_while_slack_had_its_message_already_says_it_no_second_time(
    site: Site, slack: Workspace, tmp_path: Path
) -> None:
    """Slack takes the message, then the first reply, and answers neither; each time the sender is killed."""
    incident = site.desk.act("open", "", {"title": "化工园区爆燃", "grade": "IV"}, "zhou")["id"]
    sender = Process(huiying("worker", "deliver", "--site", str(site.house.site.directory)), tmp_path / "log")
    slack.fault("chat.postMessage", HANGS, HANGS, arrived=True)
    try:
        for said in (1, 2):
            sender.start()
            until(partial(told, slack, said), sender.words, alive=lambda: sender.alive)
            sender.kill()
        site.desk.act("update", incident, {"text": "消防已到场"}, "chen")
        sender.start()
        until(lambda: "消防已到场" in str(slack.rooms[ROOM]), sender.words, alive=lambda: sender.alive)
    finally:
        sender.kill()
    (message,) = slack.posts(ROOM)
    story = "\n".join(one["text"] for one in slack.thread(ROOM, message["ts"]))
    assert (story.count("化工园区爆燃"), story.count("消防已到场")) == (1, 1)


def told(slack: Workspace, count: int) -> bool:
    return len(slack.rooms.get(ROOM, [])) == count
