"""The apps of Feishu and WeCom: the access token they share, and what is theirs in a message."""

from __future__ import annotations

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from connectors.ports import Outcome, Refused
from support.kits import AES_KEY, KITS, TICKET, Kit, Make, kit, message, tickets
from support.receiver import Answer, Receiver, Request

APPS = [kit("feishu_app"), kit("wecom_app")]
each = pytest.mark.parametrize("app", APPS, ids=lambda one: one.type)
HEARING = [one for one in KITS if one.name.endswith("buttons that come back")]
TICKETS_BY = {
    "feishu_app": "POST /open-apis/auth/v3/tenant_access_token/internal",
    "wecom_app": "GET /cgi-bin/gettoken",
}
ENDED = {
    "feishu_app": Answer(status=400, body=b'{"code": 99991663, "msg": "token"}'),
    "wecom_app": Answer(body=b'{"errcode": 42001, "errmsg": "access_token expired"}'),
}


class Counting:
    """The doors of the access tokens; counts who came, and may answer otherwise."""

    def __init__(self, otherwise: Answer | None = None) -> None:
        self.asked: Counter[str] = Counter()
        self.otherwise = otherwise

    def __call__(self, request: Request) -> Answer | None:
        given = tickets(request)
        if given is not None:
            self.asked[f"{request.method} {request.path.split('?')[0]}"] += 1
        return given and (self.otherwise or given)


@each
def test_many_threads_fetch_one_access_token(app: Kit, receiver: Receiver, channel: Make) -> None:
    receiver.aside = counting = Counting()
    receiver.answer(body=app.yes)
    one = channel(app, receiver.url)
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda _: one.send(message(app.calls[0])).outcome, range(32)))
    assert set(done) == {Outcome.ACCEPTED}
    assert counting.asked == {TICKETS_BY[app.type]: 1}


@each
def test_an_access_token_that_is_taken_no_longer_is_fetched_anew(
    app: Kit, receiver: Receiver, channel: Make
) -> None:
    receiver.aside = counting = Counting()
    receiver.then(Answer(body=app.yes), ENDED[app.type])
    receiver.answer(body=app.yes)
    one = channel(app, receiver.url)
    outcomes = [one.send(message(app.calls[0])).outcome for _ in range(3)]
    assert outcomes == [Outcome.ACCEPTED, Outcome.RETRY, Outcome.ACCEPTED]
    assert counting.asked.total() == 2


@each
@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (Answer(status=500), Outcome.RETRY),
        (Answer(close=True), Outcome.RETRY),
        (Answer(body=b'{"code": 0, "errcode": 0}'), Outcome.RETRY),
        (Answer(body=b"<html>"), Outcome.RETRY),
        (Answer(body=b'{"code": 10014, "errcode": 40001, "msg": "secret"}'), Outcome.REFUSED),
    ],
    ids=["trouble", "no answer", "no token", "a page", "a wrong secret"],
)
def test_without_an_access_token_nothing_is_sent_and_nothing_is_unknown(
    app: Kit, answer: Answer, outcome: Outcome, receiver: Receiver, channel: Make
) -> None:
    receiver.aside = Counting(answer)
    receiver.answer(body=app.yes)
    done = channel(app, receiver.url).send(message(app.calls[0]))
    assert done.outcome is outcome
    assert receiver.requests == []
    assert "取令牌" in done.reason or "未见答复" in done.reason


@each
def test_an_answer_that_holds_a_token_is_never_quoted(app: Kit, receiver: Receiver, channel: Make) -> None:
    receiver.aside = Counting(
        Answer(body=json.dumps({"access_token": TICKET, "tenant_access_token": TICKET}).encode())
    )
    assert TICKET not in channel(app, receiver.url).send(message(app.calls[0])).reason


@each
@pytest.mark.parametrize("address", ["group", "wang", "@13800000000", "userid:all"])
def test_an_app_without_a_person_refuses_so_that_the_next_contact_is_tried(
    app: Kit, address: str, receiver: Receiver, channel: Make
) -> None:
    done = channel(app, receiver.url).send(message(address))
    assert done.outcome is Outcome.REFUSED and "roster.yaml" in done.reason
    assert receiver.requests == []


def test_feishu_s_resend_bears_the_same_name_so_that_it_is_one_message(
    receiver: Receiver, channel: Make
) -> None:
    app = APPS[0]
    receiver.then(Answer(close=True))
    receiver.answer(body=app.yes)
    one = channel(app, receiver.url)
    assert one.send(message(app.calls[0])).outcome is Outcome.UNKNOWN
    done = one.send(message(app.calls[0], attempt=2))
    names = [request.json()["uuid"] for request in receiver.requests]
    assert names[0] == names[1] and len(names[0]) <= 50
    assert done.receipt == "om_1"


def test_feishu_is_told_by_which_name_the_person_is_known(receiver: Receiver, channel: Make) -> None:
    receiver.answer(body=APPS[0].yes)
    one = channel(APPS[0], receiver.url)
    for address in ("openid:ou_1", "userid:7ab2c"):
        one.send(message(address))
    assert [request.path.split("=")[-1] for request in receiver.requests] == ["open_id", "user_id"]
    assert [request.json()["receive_id"] for request in receiver.requests] == ["ou_1", "7ab2c"]
    assert receiver.requests[0].headers["authorization"] == f"Bearer {TICKET}"


@pytest.mark.parametrize("app", HEARING, ids=lambda one: one.type)
def test_only_what_is_about_a_clock_can_be_pressed(app: Kit, receiver: Receiver, channel: Make) -> None:
    receiver.answer(body=app.yes)
    one = channel(app, receiver.url)
    alert = message(app.calls[0])
    one.send(alert)
    notice = {key: value for key, value in alert.payload.items() if key not in ("clock", "step")}
    one.send(replace(alert, payload=notice))
    first, *_, last = (request.body.decode() for request in receiver.requests)
    assert "接手" in first and "接手" not in last


def test_wecom_s_card_has_a_task_of_its_own_on_each_resend(receiver: Receiver, channel: Make) -> None:
    app = next(one for one in HEARING if one.type == "wecom_app")
    receiver.answer(body=app.yes)
    one = channel(app, receiver.url)
    for attempt in (1, 2):
        one.send(message(app.calls[0], attempt=attempt, alert_id="舆/1 七"))
    cards = [request.json()["template_card"] for request in receiver.requests if b"task_id" in request.body]
    assert len({card["task_id"] for card in cards}) == 2
    assert all(card["task_id"].isascii() and " " not in card["task_id"] for card in cards)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"token": None}, "belong together"),
        ({"encrypt_key": AES_KEY[:-1]}, "43 characters"),
        ({"encrypt_key": "没有钥匙"}, "43 characters"),
        ({"agent_id": "7"}, "agent_id"),
        ({"app_id": ""}, "app_id"),
    ],
)
def test_wrong_settings_of_an_app_are_refused_without_repeating_a_secret(
    changes: dict[str, Any], words: str, channel: Make
) -> None:
    app = next(one for one in HEARING if one.type == "wecom_app")
    with pytest.raises(Refused) as refusal:
        channel(app, "http://127.0.0.1:9", **changes)
    assert words in str(refusal.value)
    assert AES_KEY[:-1] not in str(refusal.value)
