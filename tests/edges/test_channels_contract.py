"""One contract for every channel: what the other side does becomes one honest outcome.

A channel joins by one entry in `KITS` (tests/support/kits.py). Every answer comes from a real HTTP server
on loopback.
"""

from __future__ import annotations

import json
import logging
from concurrent.futures import ThreadPoolExecutor

import pytest

from connectors.ports import Outcome
from support.kits import KITS, Kit, Make, message
from support.receiver import Answer, Receiver, free_port

every = pytest.mark.parametrize("kit", KITS, ids=lambda kit: kit.type)


def cases(name: str) -> pytest.MarkDecorator:
    found = [(kit, key, answer) for kit in KITS for key, answer in getattr(kit, name).items()]
    return pytest.mark.parametrize(
        ("kit", "answer"), [pytest.param(k, a, id=f"{k.type}: {n}") for k, n, a in found]
    )


@every
def test_a_message_that_is_taken_is_accepted_and_arrives_once(
    kit: Kit, receiver: Receiver, channel: Make
) -> None:
    receiver.answer(body=kit.yes)
    delivery = channel(kit, receiver.url).send(message())
    assert delivery.outcome is Outcome.ACCEPTED
    assert len(receiver.requests) == 1
    assert "舆-2026-0012 首次发布 75%" in json.dumps(receiver.requests[0].json(), ensure_ascii=False)


@cases("refusals")
def test_a_lasting_no_is_refused_with_its_words(
    kit: Kit, answer: Answer, receiver: Receiver, channel: Make
) -> None:
    receiver.then(answer)
    delivery = channel(kit, receiver.url).send(message())
    assert delivery.outcome is Outcome.REFUSED
    assert str(answer.status) in delivery.reason
    assert len(receiver.requests) == 1


@cases("passing")
def test_a_passing_no_asks_for_another_try(
    kit: Kit, answer: Answer, receiver: Receiver, channel: Make
) -> None:
    receiver.then(answer)
    assert channel(kit, receiver.url).send(message()).outcome is Outcome.RETRY
    assert len(receiver.requests) == 1


@every
@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_server_in_trouble_is_tried_again(kit: Kit, status: int, receiver: Receiver, channel: Make) -> None:
    receiver.answer(status=status, body=b'{"ok": false}')
    delivery = channel(kit, receiver.url).send(message())
    assert delivery.outcome is Outcome.RETRY
    assert str(status) in delivery.reason
    assert len(receiver.requests) == 1, "the channel itself never retries: the outbox does"


@every
def test_a_429_is_tried_again_after_the_time_asked_for(kit: Kit, receiver: Receiver, channel: Make) -> None:
    receiver.answer(status=429, headers={"Retry-After": "17"}, body=b'{"ok": false, "error": "ratelimited"}')
    delivery = channel(kit, receiver.url).send(message())
    assert (delivery.outcome, delivery.retry_after) == (Outcome.RETRY, 17.0)


@every
def test_a_429_without_a_readable_wish_is_tried_again_without_one(
    kit: Kit, receiver: Receiver, channel: Make
) -> None:
    receiver.answer(status=429, headers={"Retry-After": "soon"}, body=b"{}")
    delivery = channel(kit, receiver.url).send(message())
    assert (delivery.outcome, delivery.retry_after) == (Outcome.RETRY, None)


@every
def test_an_answer_that_never_comes_is_unknown(kit: Kit, receiver: Receiver, channel: Make) -> None:
    receiver.answer(hang=True)
    delivery = channel(kit, receiver.url, timeout_s=0.2).send(message())
    assert delivery.outcome is Outcome.UNKNOWN
    assert len(receiver.requests) == 1


@every
def test_a_connection_closed_after_sending_is_unknown(kit: Kit, receiver: Receiver, channel: Make) -> None:
    receiver.answer(close=True)
    delivery = channel(kit, receiver.url).send(message())
    assert delivery.outcome is Outcome.UNKNOWN
    assert len(receiver.requests) == 1


@every
def test_a_refused_connection_is_tried_again(kit: Kit, channel: Make) -> None:
    delivery = channel(kit, f"http://127.0.0.1:{free_port()}").send(message())
    assert delivery.outcome is Outcome.RETRY
    assert "未能连接" in delivery.reason


@every
def test_a_name_that_does_not_resolve_is_tried_again(kit: Kit, channel: Make) -> None:
    delivery = channel(kit, "http://nobody.invalid").send(message())
    assert delivery.outcome is Outcome.RETRY


@every
def test_a_refusal_of_one_message_does_not_spoil_the_next(
    kit: Kit, receiver: Receiver, channel: Make
) -> None:
    receiver.then(Answer(status=500), Answer(close=True), Answer(status=401))
    receiver.answer(body=kit.yes)
    one = channel(kit, receiver.url)
    assert [one.send(message()).outcome for _ in range(4)][-1] is Outcome.ACCEPTED


@every
def test_a_resend_carries_the_same_reference(kit: Kit, receiver: Receiver, channel: Make) -> None:
    receiver.then(Answer(close=True))
    receiver.answer(body=kit.yes)
    one = channel(kit, receiver.url)
    one.send(message())
    one.send(message(attempt=2))
    first, second = receiver.requests
    assert "al-7" in first.body.decode() and "al-7" in second.body.decode()
    assert first.headers.get("webhook-id") == second.headers.get("webhook-id")
    assert first.json().get("metadata") == second.json().get("metadata")


@every
def test_many_threads_send_through_one_channel(kit: Kit, receiver: Receiver, channel: Make) -> None:
    receiver.answer(body=kit.yes)
    one = channel(kit, receiver.url)
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda _: one.send(message()).outcome, range(64)))
    assert outcomes == [Outcome.ACCEPTED] * 64
    assert len(receiver.requests) == 64


@every
def test_secrets_are_in_no_log_no_repr_and_no_reason(
    kit: Kit, receiver: Receiver, caplog: pytest.LogCaptureFixture, channel: Make
) -> None:
    caplog.set_level(logging.DEBUG)
    one = channel(kit, receiver.url)
    reasons = []
    for answer in (Answer(body=kit.yes), Answer(status=401), Answer(status=500), Answer(close=True)):
        receiver.then(answer)
        reasons.append(one.send(message()).reason)
    told = "\n".join([caplog.text, repr(one), str(one), *reasons])
    assert kit.secret not in told
    assert kit.secret.removeprefix("whsec_") not in told
    assert "127.0.0.1" in caplog.text, "the log was really on"


@every
def test_lone_surrogates_and_nul_do_no_harm(kit: Kit, receiver: Receiver, channel: Make) -> None:
    receiver.answer(body=kit.yes)
    delivery = channel(kit, receiver.url).send(message(reason="坏字\ud800和\x00零"))
    assert delivery.outcome is Outcome.ACCEPTED
