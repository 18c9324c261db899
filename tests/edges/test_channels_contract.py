"""One contract for every channel: what the other side does becomes one honest outcome.

A channel joins by one entry in `KITS` (tests/support/kits.py). Every answer comes from a real HTTP server
on loopback.
"""

from __future__ import annotations

import json
import logging
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.channels import TYPES
from connectors.channels.view import CUT_MARK
from connectors.ports import Channel, Message, Outcome
from support.kits import AES_KEY, KITS, OURS, SECRETS, TOKEN, Kit, Make, message
from support.ports import free_port
from support.receiver import Answer, Receiver

every = pytest.mark.parametrize("kit", KITS, ids=lambda kit: kit.name or kit.type)
splitting = pytest.mark.parametrize(
    "kit", [kit for kit in KITS if kit.splits], ids=lambda kit: kit.name or kit.type
)


def told(kit: Kit, **changes: Any) -> Message:
    """An alert to somebody whom the channel can call."""
    return message(kit.calls[0], **changes)


def cases(name: str) -> pytest.MarkDecorator:
    found = [(kit, key, answer) for kit in KITS for key, answer in getattr(kit, name).items()]
    return pytest.mark.parametrize(
        ("kit", "answer"), [pytest.param(k, a, id=f"{k.type}: {n}") for k, n, a in found]
    )


def test_no_channel_escapes_the_contract() -> None:
    apart = {
        TYPES["terminal"],
        TYPES["mail"],
    }  # no HTTP: test_channel_terminal, test_channel_mail hold them to it
    assert {TYPES[kit.type] for kit in KITS} | apart == set(TYPES.values())


@every
def test_a_message_that_is_taken_is_accepted_and_arrives_once(
    kit: Kit, receiver: Receiver, channel: Make
) -> None:
    receiver.answer(body=kit.yes)
    delivery = channel(kit, receiver.url).send(told(kit))
    assert delivery.outcome is Outcome.ACCEPTED
    assert len(receiver.requests) == 1
    assert "舆-2026-0012 首次发布 75%" in json.dumps(receiver.requests[0].json(), ensure_ascii=False)


@cases("refusals")
def test_a_lasting_no_is_refused_with_its_words(
    kit: Kit, answer: Answer, receiver: Receiver, channel: Make
) -> None:
    receiver.then(answer)
    delivery = channel(kit, receiver.url).send(told(kit))
    assert delivery.outcome is Outcome.REFUSED
    assert str(answer.status) in delivery.reason
    assert len(receiver.requests) == 1


@cases("passing")
def test_a_passing_no_asks_for_another_try(
    kit: Kit, answer: Answer, receiver: Receiver, channel: Make
) -> None:
    receiver.then(answer)
    assert channel(kit, receiver.url).send(told(kit)).outcome is Outcome.RETRY
    assert len(receiver.requests) == 1


@every
@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_server_in_trouble_is_tried_again(kit: Kit, status: int, receiver: Receiver, channel: Make) -> None:
    receiver.answer(status=status, body=b'{"ok": false}')
    delivery = channel(kit, receiver.url).send(told(kit))
    assert delivery.outcome is Outcome.RETRY
    assert str(status) in delivery.reason
    assert len(receiver.requests) == 1, "the channel itself never retries: the outbox does"


@every
def test_a_429_is_tried_again_after_the_time_asked_for(kit: Kit, receiver: Receiver, channel: Make) -> None:
    receiver.answer(status=429, headers={"Retry-After": "17"}, body=b'{"ok": false, "error": "ratelimited"}')
    delivery = channel(kit, receiver.url).send(told(kit))
    assert (delivery.outcome, delivery.retry_after) == (Outcome.RETRY, 17.0)


@every
def test_a_429_without_a_readable_wish_is_tried_again_without_one(
    kit: Kit, receiver: Receiver, channel: Make
) -> None:
    receiver.answer(status=429, headers={"Retry-After": "soon"}, body=b"{}")
    delivery = channel(kit, receiver.url).send(told(kit))
    assert (delivery.outcome, delivery.retry_after) == (Outcome.RETRY, None)


@every
def test_an_answer_that_never_comes_is_unknown(kit: Kit, receiver: Receiver, channel: Make) -> None:
    receiver.answer(hang=True)
    delivery = channel(kit, receiver.url, timeout_s=0.2).send(told(kit))
    assert delivery.outcome is Outcome.UNKNOWN
    assert len(receiver.requests) == 1


@every
def test_a_connection_closed_after_sending_is_unknown(kit: Kit, receiver: Receiver, channel: Make) -> None:
    receiver.answer(close=True)
    delivery = channel(kit, receiver.url).send(told(kit))
    assert delivery.outcome is Outcome.UNKNOWN
    assert len(receiver.requests) == 1


@every
def test_a_refused_connection_is_tried_again(kit: Kit, channel: Make) -> None:
    delivery = channel(kit, f"http://127.0.0.1:{free_port()}").send(told(kit))
    assert delivery.outcome is Outcome.RETRY
    assert "未能连接" in delivery.reason


@every
def test_a_name_that_does_not_resolve_is_tried_again(kit: Kit, channel: Make) -> None:
    delivery = channel(kit, "http://nobody.invalid").send(told(kit))
    assert delivery.outcome is Outcome.RETRY


@every
def test_a_refusal_of_one_message_does_not_spoil_the_next(
    kit: Kit, receiver: Receiver, channel: Make
) -> None:
    receiver.then(Answer(status=500), Answer(close=True), Answer(status=401))
    receiver.answer(body=kit.yes)
    one = channel(kit, receiver.url)
    assert [one.send(told(kit)).outcome for _ in range(4)][-1] is Outcome.ACCEPTED


@every
def test_a_resend_carries_the_same_reference(kit: Kit, receiver: Receiver, channel: Make) -> None:
    receiver.then(Answer(close=True))
    receiver.answer(body=kit.yes)
    one = channel(kit, receiver.url)
    one.send(told(kit))
    one.send(told(kit, attempt=2))
    first, *_, second = receiver.requests  # between them a channel may ask whether the first arrived
    assert all(told(kit).ref in kit.rendered(request).words for request in (first, second))
    assert first.headers.get("webhook-id") == second.headers.get("webhook-id")
    assert first.json().get("metadata") == second.json().get("metadata")


@every
def test_many_threads_send_through_one_channel(kit: Kit, receiver: Receiver, channel: Make) -> None:
    receiver.answer(body=kit.yes)
    one = channel(kit, receiver.url)
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda _: one.send(told(kit)).outcome, range(64)))
    assert outcomes == [Outcome.ACCEPTED] * 64
    assert len(receiver.requests) == 64


@every
def test_secrets_are_in_no_log_no_repr_and_no_reason(
    kit: Kit, receiver: Receiver, caplog: pytest.LogCaptureFixture, channel: Make
) -> None:
    caplog.set_level(logging.DEBUG)
    one = channel(kit, receiver.url)
    done = []
    for answer in (
        Answer(body=kit.yes),
        Answer(status=401),
        Answer(status=500),
        Answer(close=True),
        *kit.no(),
    ):
        receiver.then(answer)
        done.append(one.send(told(kit)))
    done.append(channel(kit, f"http://127.0.0.1:{free_port()}").send(told(kit)))
    everything = "\n".join([caplog.text, repr(one), str(one), *map(repr, done)])
    for secret in (kit.secret, TOKEN, AES_KEY, *SECRETS.values()):
        assert secret not in everything
        assert secret.removeprefix("whsec_") not in everything
    assert caplog.records, "the log was really on"


@every
def test_lone_surrogates_and_nul_do_no_harm(kit: Kit, receiver: Receiver, channel: Make) -> None:
    receiver.answer(body=kit.yes)
    delivery = channel(kit, receiver.url).send(told(kit, reason="坏字\ud800和\x00零"))
    assert delivery.outcome is Outcome.ACCEPTED


# ── no path to a yes but the platform's own ───────────────────────────────────────────────────────


@every
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>ok</html>",
        b"[0]",
        b'"ok"',
        b"0",
        b"null",
        b'{"errcode": "0", "code": "0"}',
        b'{"ok": 1}',
        b'{"ok": "true"}',
    ],
)
def test_an_answer_that_says_nothing_clear_is_unknown(
    kit: Kit, body: bytes, receiver: Receiver, channel: Make
) -> None:
    receiver.answer(body=body)
    wanted = Outcome.ACCEPTED if kit.said_yes(200, body) else Outcome.UNKNOWN
    assert channel(kit, receiver.url).send(told(kit)).outcome is wanted


@every
def test_a_truncated_answer_counts_for_what_came_of_it(kit: Kit, receiver: Receiver, channel: Make) -> None:
    receiver.answer(body=kit.yes, truncate=True)
    half = kit.yes[: len(kit.yes) // 2]
    wanted = Outcome.ACCEPTED if kit.said_yes(200, half) else Outcome.UNKNOWN
    assert channel(kit, receiver.url).send(told(kit)).outcome is wanted


_CODES: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from(
        [0, -0.0, 0.5, 1, -1, "0", "", "ok", None, True, False, [], {}, [0], 310000, 45009, 11232]
    ),
    st.integers(),
)
_NAMES = st.sampled_from(["errcode", "code", "StatusCode", "ok", "error", "errmsg", "msg", "status", "data"])
_BODIES = st.one_of(
    st.dictionaries(_NAMES, _CODES, max_size=4).map(lambda told: json.dumps(told).encode()),
    st.binary(max_size=40),
    st.sampled_from([b"[[[[", b"{" * 5000, b'{"errcode": 0', b"\xff\xfe", b'{"errcode": 1, "errcode": 0}']),
)


@every
def test_nothing_is_accepted_without_the_platform_s_own_yes(
    kit: Kit, receiver: Receiver, channel: Make
) -> None:
    one = channel(kit, receiver.url)
    _nothing_but_a_yes(one, kit, receiver)


def _nothing_but_a_yes(one: Channel, kit: Kit, receiver: Receiver) -> None:
    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(status=st.sampled_from([200, 200, 200, 201, 202, 301, 400, 403, 404, 429, 500]), body=_BODIES)
    def holds(status: int, body: bytes) -> None:
        receiver.answer(status=status, body=body)
        done = one.send(told(kit))
        assert done.reason
        if done.outcome is Outcome.ACCEPTED:
            assert kit.said_yes(status, body)

    holds()


# ── words ─────────────────────────────────────────────────────────────────────────────────────────

HOSTILE = (
    "@all @所有人 @here @channel @everyone <@all> <@U1> <!channel> <!everyone> "
    '<at id=all></at> <at user_id="all">所有人</at> [点我](https://evil.example/a) <https://evil.example/b|点我> '
    "![图](https://evil.example/c.png) https://evil.example/d <a href='https://evil.example/e'>点</a> "
    '<font color="warning">红</font> # 标题 **粗** `码` > 引 | 表 | ~~删~~ <img src=x onerror=alert(1)> @13900000000'
)


@every
def test_outside_text_links_nowhere_and_calls_nobody(kit: Kit, receiver: Receiver, channel: Make) -> None:
    receiver.answer(body=kit.yes)
    hostile = {"id": "1", "title": HOSTILE, "grade": "I", "url": "http://b.example/incidents/1"}
    person = {"person": "wang", "name": HOSTILE, "unit": HOSTILE}
    body = told(kit, reason=HOSTILE, incident=hostile, recipient=person, ack_url="https://b.example/a/token")
    channel(kit, receiver.url).send(body)
    for request in receiver.requests:
        seen = kit.rendered(request)
        assert seen.links <= OURS
        assert seen.called <= {kit.calls[1]}


@every
def test_the_words_of_hostile_text_stay_readable(kit: Kit, receiver: Receiver, channel: Make) -> None:
    receiver.answer(body=kit.yes)
    channel(kit, receiver.url).send(told(kit, reason=f"{HOSTILE} 完"))
    words = "".join(kit.rendered(request).words for request in receiver.requests)
    assert all(word in words for word in ("点我", "标题", "粗", "完"))


@every
def test_whoever_the_address_names_is_really_called(kit: Kit, receiver: Receiver, channel: Make) -> None:
    receiver.answer(body=kit.yes)
    channel(kit, receiver.url).send(told(kit, reason="很长" * 9000))
    first, *rest = (kit.rendered(request).called for request in receiver.requests)
    assert first == ({kit.calls[1]} if kit.calls[1] else set())
    assert not any(rest), "nobody is rung twice for one alert"


LONG = "".join(f"第{n}句，" for n in range(1, 1200))


@every
def test_a_long_text_is_whole_or_says_that_it_is_cut(kit: Kit, receiver: Receiver, channel: Make) -> None:
    receiver.answer(body=kit.yes)
    done = channel(kit, receiver.url).send(told(kit, reason=LONG))
    assert done.outcome is Outcome.ACCEPTED
    words = "".join(kit.rendered(request).words for request in receiver.requests)
    assert "第1199句" in words or CUT_MARK in words
    assert all(kit.weight(request) <= kit.limit for request in receiver.requests)


@splitting
@pytest.mark.parametrize("letter", ["长", "a", '"', "\\", "😀", "é", "👍🏽", "&"])
def test_a_long_text_goes_in_numbered_parts_that_lose_nothing(
    kit: Kit, letter: str, receiver: Receiver, channel: Make
) -> None:
    shown = letter.translate(str.maketrans("\\", "＼"))
    count = min(kit.limit // len(shown.encode()) * 2, 19_800)
    receiver.answer(body=kit.yes)
    one = channel(kit, receiver.url)
    one.send(told(kit, reason="完"))
    without = kit.rendered(receiver.requests.pop()).words.count(shown)
    assert one.send(told(kit, reason=letter * count)).outcome is Outcome.ACCEPTED
    words = [kit.rendered(request).words for request in receiver.requests]
    assert len(words) <= 5
    assert len(words) > 1 or count * len(shown.encode()) < kit.limit
    marks = [numbers(said) for said in words] if len(words) > 1 else []
    assert marks == [f"{n}/{len(words)}" for n in range(1, len(marks) + 1)]
    assert all("舆-2026-0012 首次发布 75%" in said for said in words), "each part names the alert"
    assert all(kit.weight(request) <= kit.limit for request in receiver.requests)
    assert sum(said.count(shown) for said in words) == count + without
    assert not any(clings(body_of(said)[0]) for said in words if marks)


def numbers(words: str) -> str:
    (found,) = re.findall(r"（(\d/\d)）", words)
    return str(found)


def body_of(words: str) -> str:
    return words.partition("）")[2].lstrip("\n")


def clings(letter: str) -> bool:
    return letter in "\u0301\U0001f3fd"


@splitting
def test_a_text_beyond_all_parts_says_that_it_is_cut(kit: Kit, receiver: Receiver, channel: Make) -> None:
    receiver.answer(body=kit.yes)
    channel(kit, receiver.url).send(told(kit, reason="尾" * 200_000))
    assert len(receiver.requests) <= 5
    assert CUT_MARK in kit.rendered(receiver.requests[-1]).words


@splitting
@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (Answer(status=500), Outcome.RETRY),
        (Answer(close=True), Outcome.UNKNOWN),
        (Answer(status=403), Outcome.REFUSED),
    ],
    ids=["trouble", "no answer", "refused"],
)
def test_a_message_whose_second_part_is_not_taken_is_not_accepted(
    kit: Kit, answer: Answer, outcome: Outcome, receiver: Receiver, channel: Make
) -> None:
    receiver.then(Answer(body=kit.yes), answer)
    receiver.answer(body=kit.yes)
    one = channel(kit, receiver.url)
    done = one.send(told(kit, reason=LONG * 2))
    assert done.outcome is outcome
    assert "前 1 条已送到" in done.reason and len(receiver.requests) == 2


@splitting
def test_a_resend_sends_all_parts_again_and_each_says_so(kit: Kit, receiver: Receiver, channel: Make) -> None:
    receiver.then(Answer(body=kit.yes), Answer(status=500))
    receiver.answer(body=kit.yes)
    one = channel(kit, receiver.url)
    one.send(told(kit, reason=LONG * 2))
    receiver.requests.clear()
    assert one.send(told(kit, reason=LONG * 2, attempt=2)).outcome is Outcome.ACCEPTED
    words = [kit.rendered(request).words for request in receiver.requests]
    assert numbers(words[0]).startswith("1/")
    assert all("重发" in one and "舆-2026-0012 首次发布 75%" in one for one in words)


@splitting
def test_a_kept_open_connection_carries_them_all(kit: Kit, receiver: Receiver, channel: Make) -> None:
    receiver.answer(body=kit.yes)
    one = channel(kit, receiver.url)
    for _ in range(5):
        one.send(told(kit))
    assert len({request.connection for request in receiver.requests}) == 1
