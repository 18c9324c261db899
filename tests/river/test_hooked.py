"""What other systems are told over HTTP: signed, in order, at least once, and never silently not."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from standardwebhooks import Webhook as Verifier

from connectors.broker import schema
from flows.office.desk import Desk
from flows.telling import hooked
from flows.telling.hooked import Teller
from flows.wiring import House
from models.ledger import announced, journal
from models.ledger.announced import Announcement
from playbooks.problem import Problems
from playbooks.site import load_site
from support.receiver import Answer, Receiver
from support.sites import ENVIRON, write_site
from support.waiting import until

KEY = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
NOBODY = "http://127.0.0.1:9"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


def opened(tmp_path: Path, database: str, *hooks: dict[str, Any]) -> House:
    given = [{"secret": "${HUIYING_OUT}", **hook} for hook in hooks]
    directory = write_site(tmp_path / "site", NOBODY, database=database, site={"hooks": given})
    return House.open(directory, ENVIRON | {"HUIYING_OUT": KEY})


@pytest.fixture
def house(tmp_path: Path, database_url: str, receiver: Receiver) -> Iterator[House]:
    with opened(tmp_path, database_url, {"id": "gis", "url": f"{receiver.url}/in"}) as site:
        yield site


def life(house: House, title: str = "望江路塌陷") -> str:
    desk = Desk(house)
    incident = str(
        desk.act("open", "", {"title": title, "grade": "II", "reason": "来电 13800138000"}, "chen")["id"]
    )
    desk.act("grade", incident, {"grade": "I", "reason": "核实死亡三人"}, "li")
    return incident


@contextmanager
def telling(house: House, number: int = 0) -> Iterator[Teller]:
    made = Teller(house, house.site.hooks[number])
    made.step()  # from its first round on a receiver is told
    try:
        yield made
    finally:
        made.let_go()


def all_told(house: House) -> list[Announcement]:
    with house.store.read() as conn:
        return announced.after(conn, 0, 10_000)[0]


def told(receiver: Receiver) -> list[dict[str, Any]]:
    return [request.json() for request in receiver.requests]


def item(house: House) -> dict[str, Any]:
    shown = {one["name"]: one for one in Desk(house).board()["coverage"]["items"]}
    found: dict[str, Any] = shown["hook:gis"]
    return found


def test_each_change_arrives_signed_in_order_and_in_the_shape_that_kafka_gets(
    house: House, receiver: Receiver
) -> None:
    with telling(house) as at_work:
        life(house)
        at_work.step()
    due = all_told(house)
    assert [message["data"]["seq"] for message in told(receiver)] == [one.seq for one in due]
    for request in receiver.requests:
        body = Verifier(KEY).verify(request.body, request.headers)
        assert body["type"] == body["data"]["event"]
        jsonschema.validate(body["data"], schema("result"))
    assert "13800138000" not in json.dumps(told(receiver), ensure_ascii=False)
    ids = [request.headers["webhook-id"] for request in receiver.requests]
    assert len(set(ids)) == len(ids)
    assert item(house)["state"] == "ok"


def test_a_receiver_is_told_of_what_happens_from_its_first_day_on(house: House, receiver: Receiver) -> None:
    life(house, "从前的事")
    with telling(house) as at_work:
        at_work.step()
        assert receiver.requests == []
        life(house, "今天的事")
        at_work.step()
    assert "今天的事" in json.dumps(told(receiver), ensure_ascii=False)
    assert "从前的事" not in json.dumps(told(receiver), ensure_ascii=False)


@pytest.mark.parametrize(
    "said", [Answer(status=500), Answer(status=404), Answer(close=True), Answer(truncate=True, status=503)]
)
def test_what_is_not_taken_is_kept_shown_and_sent_again_under_the_same_id(
    house: House, receiver: Receiver, said: Answer
) -> None:
    with telling(house) as at_work:
        life(house)
        receiver.then(said)
        at_work.step()
        assert len(receiver.requests) == 1, "nothing overtakes what was not taken"
        shown = item(house)
        assert shown["state"] == "late"
        assert "已试 1 次" in shown["detail"]
        assert not at_work.step(), "it is not asked again at once"
        pause_is_over(house)
        at_work.step()
    assert receiver.requests[0].headers["webhook-id"] == receiver.requests[1].headers["webhook-id"]
    assert [message["data"]["seq"] for message in told(receiver)[1:]] == [one.seq for one in all_told(house)]
    assert item(house)["state"] == "ok"


def pause_is_over(house: House) -> None:
    """As if the time had come at which the receiver is asked again."""
    hook = house.site.hooks[0]
    with house.store.write() as conn:
        known = hooked.standing(conn, hook)
        assert known is not None and known.next_at is not None
        assert known.next_at > house.time.now()
        hooked.keep(conn, hook, replace(known, next_at=None))


def test_who_takes_over_goes_on_where_the_mark_stands(house: House, receiver: Receiver) -> None:
    with telling(house) as first:
        life(house)
        half = len(all_told(house)) // 2
        receiver.then(*[Answer()] * half, Answer(status=500))
        first.step()
    pause_is_over(house)
    with telling(house):
        seqs = [message["data"]["seq"] for message in told(receiver)]
    assert len(seqs) == len(all_told(house)) + 1, "only what failed came twice"
    assert list(dict.fromkeys(seqs)) == [one.seq for one in all_told(house)]


def test_only_what_was_asked_for_is_sent(tmp_path: Path, receiver: Receiver) -> None:
    url = f"sqlite:///{tmp_path / 'asked.sqlite'}"
    hook = {"id": "gis", "url": f"{receiver.url}/in", "events": ["grade_confirmed"]}
    with opened(tmp_path, url, hook) as house:
        with telling(house) as at_work:
            life(house)
            at_work.step()
        assert [message["type"] for message in told(receiver)] == ["grade_confirmed"]
        with house.store.read() as conn:
            known = hooked.standing(conn, at_work.hook)
            assert known is not None and known.upto == journal.length(conn)[0]


def test_an_event_that_does_not_exist_is_pointed_out(tmp_path: Path, receiver: Receiver) -> None:
    hook = {"id": "gis", "url": receiver.url, "events": ["incident_opend"]}
    with opened(tmp_path, f"sqlite:///{tmp_path / 'odd.sqlite'}", hook) as house:
        assert "没有这种事件: incident_opend" in item(house)["detail"]


def test_a_receiver_that_never_answers_holds_up_no_other(tmp_path: Path, receiver: Receiver) -> None:
    with Receiver() as hanging:
        hanging.answer(hang=True)
        hooks = ({"id": "slow", "url": hanging.url, "timeout_s": 60}, {"id": "gis", "url": receiver.url})
        with opened(tmp_path, f"sqlite:///{tmp_path / 'two.sqlite'}", *hooks) as house:
            for number in (0, 1):
                with telling(house, number):
                    pass
            life(house)
            stopped = threading.Event()
            threads = [
                threading.Thread(target=hooked.follow_hook, args=(house, hook, stopped), daemon=True)
                for hook in house.site.hooks
            ]
            for thread in threads:
                thread.start()
            until(lambda: len(receiver.requests) == len(all_told(house)))
            life(house, "又一件")  # the ledger is free all the while
            until(lambda: len(receiver.requests) == len(all_told(house)))
            stopped.set()
            hanging.closing.set()
            for thread in threads:
                thread.join(70)
            assert not any(thread.is_alive() for thread in threads)


def test_two_receivers_need_two_ids(tmp_path: Path) -> None:
    hook = {"id": "gis", "url": NOBODY, "secret": "${HUIYING_OUT}"}
    directory = write_site(tmp_path / "site", NOBODY, site={"hooks": [hook, hook]})
    with pytest.raises(Problems, match="两个 gis"):
        load_site(directory, ENVIRON)
