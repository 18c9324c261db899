"""Text messages and calls: the makers' signatures by their own published examples, their noes inside a 200,
and a telephone number that stands nowhere whole."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.channels import signing
from connectors.channels.gateway import TEXT, sentence, variable
from connectors.channels.view import CUT_MARK, view
from connectors.ports import Outcome, Refused
from models.core.addressing import mask, telephone
from support.gateways import KEY, KEY_ID, MAKERS, PHONE
from support.kits import Kit, Make, kit, message
from support.ports import free_port
from support.receiver import Answer, Receiver, Request

every = pytest.mark.parametrize("kit", MAKERS, ids=lambda kit: kit.name)
aliyun_sms, aliyun_voice, tencent_sms, tencent_voice = MAKERS


def told(**changes: Any) -> Any:
    return message(PHONE, **changes)


def cases(name: str) -> pytest.MarkDecorator:
    found = [(one, key, answer) for one in MAKERS for key, answer in getattr(one, name).items()]
    return pytest.mark.parametrize(
        ("kit", "answer"), [pytest.param(k, a, id=f"{k.name}: {n}") for k, n, a in found]
    )


def query(request: Request) -> dict[str, str]:
    return {key: values[0] for key, values in parse_qs(urlsplit(request.path).query).items()}


# ── signatures, by the makers' own examples ──


def test_acs3_signs_as_alibaba_clouds_own_example_does() -> None:
    """https://help.aliyun.com/zh/sdk/product-overview/v3-request-structure-and-signature, "固定参数示例"."""
    asked = {"ImageId": "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd", "RegionId": "cn-shanghai"}
    headers = signing.acs3(
        "YourAccessKeyId", "YourAccessKeySecret", "ecs.cn-shanghai.aliyuncs.com", "RunInstances", "2014-05-26",
        signing.canonical(asked), datetime(2023, 10, 26, 10, 22, 32, tzinfo=UTC),
        "3156853299f313e23d1673dc12e1703d",
    )  # fmt: skip
    assert headers["Authorization"] == (
        "ACS3-HMAC-SHA256 Credential=YourAccessKeyId,"
        "SignedHeaders=host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version,"
        "Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
    )


def test_tc3_signs_as_tencent_clouds_own_example_does() -> None:
    """https://www.tencentcloud.com/document/product/267/37447, the example of DescribeInstances."""
    content = rb'{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}'
    headers = signing.tc3(
        "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE", "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE", "cvm.tencentcloudapi.com",
        "cvm", content, datetime.fromtimestamp(1551113065, tz=UTC),
    )  # fmt: skip
    assert headers["Authorization"] == (
        "TC3-HMAC-SHA256 Credential=AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE/2019-02-25/cvm/tc3_request, "
        "SignedHeaders=content-type;host, "
        "Signature=72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168"
    )


def test_a_query_is_encoded_after_rfc_3986() -> None:
    assert signing.canonical({"b": "中 *~/", "a": "1+1"}) == "a=1%2B1&b=%E4%B8%AD%20%2A~%2F"


# ── what goes out ──


def test_alibaba_cloud_is_asked_for_a_message_of_an_approved_template(
    receiver: Receiver, channel: Make
) -> None:
    receiver.answer(body=aliyun_sms.yes)
    done = channel(aliyun_sms, receiver.url).send(told())
    assert (done.outcome, done.receipt) == (Outcome.ACCEPTED, "9001")
    (request,) = receiver.requests
    asked = query(request)
    assert asked | {"TemplateParam": ""} == {
        "PhoneNumbers": PHONE, "SignName": "临江市政府", "TemplateCode": "SMS_1", "OutId": "al-7",
        "TemplateParam": "",
    }  # fmt: skip
    assert json.loads(asked["TemplateParam"]) == {
        "title": "化工园区爆燃",
        "due": "11-21 07:10",
        "ref": "舆-2026-0012 首次发布 75%",
    }
    head = request.headers
    assert (head["x-acs-action"], head["x-acs-version"]) == ("SendSms", "2017-05-25")
    assert (head["x-acs-date"], head["host"]) == ("2026-11-21T04:00:00Z", urlsplit(receiver.url).netloc)
    again = signing.acs3(
        KEY_ID, KEY, head["host"], "SendSms", "2017-05-25", urlsplit(request.path).query,
        datetime(2026, 11, 21, 4, tzinfo=UTC), head["x-acs-signature-nonce"],
    )  # fmt: skip
    assert head["authorization"] == again["Authorization"], "what was signed is what went over the wire"


def test_no_two_requests_bear_the_same_nonce(receiver: Receiver, channel: Make) -> None:
    receiver.answer(body=aliyun_sms.yes)
    one = channel(aliyun_sms, receiver.url)
    one.send(told())
    one.send(told(attempt=2))
    first, second = (request.headers["x-acs-signature-nonce"] for request in receiver.requests)
    assert first != second


def test_alibaba_cloud_is_asked_for_a_call(receiver: Receiver, channel: Make) -> None:
    receiver.answer(body=aliyun_voice.yes)
    done = channel(aliyun_voice, receiver.url).send(told())
    assert (done.outcome, done.receipt) == (Outcome.ACCEPTED, "1^2")
    asked = query(receiver.requests[0])
    assert receiver.requests[0].headers["x-acs-action"] == "SingleCallByTts"
    assert (asked["CalledNumber"], asked["CalledShowNumber"], asked["TtsCode"]) == (
        PHONE,
        "05710000",
        "SMS_1",
    )
    assert json.loads(asked["TtsParam"])["title"] == "化工园区爆燃"


def test_tencent_cloud_is_asked_for_a_message(receiver: Receiver, channel: Make) -> None:
    receiver.answer(body=tencent_sms.yes)
    done = channel(tencent_sms, receiver.url, param_chars=40).send(told())
    assert (done.outcome, done.receipt) == (Outcome.ACCEPTED, "5000:1")
    (request,) = receiver.requests
    assert request.json() == {
        "PhoneNumberSet": [f"+86{PHONE}"], "SmsSdkAppId": "1400006666", "SignName": "临江市政府",
        "TemplateId": "SMS_1", "SessionContext": "al-7",
        "TemplateParamSet": ["化工园区爆燃", "11-21 07:10", "舆-2026-0012 首次发布 75%"],
    }  # fmt: skip
    head = request.headers
    asked = (head["x-tc-action"], head["x-tc-version"], head["x-tc-region"], head["x-tc-timestamp"])
    assert asked == ("SendSms", "2021-01-11", "ap-guangzhou", "1795233600")
    assert "/2026-11-21/sms/tc3_request" in head["authorization"]


def test_tencent_cloud_is_asked_for_a_call(receiver: Receiver, channel: Make) -> None:
    receiver.answer(body=tencent_voice.yes)
    assert channel(tencent_voice, receiver.url).send(told()).receipt == "c-1"
    asked = receiver.requests[0].json()
    assert (asked["CalledNumber"], asked["VoiceSdkAppid"]) == (f"+86{PHONE}", "1400006666")
    assert receiver.requests[0].headers["x-tc-action"] == "SendTtsVoice"


def test_a_variable_that_is_too_long_is_cut_with_a_mark_and_never_empty(
    receiver: Receiver, channel: Make
) -> None:
    receiver.answer(body=tencent_sms.yes)
    incident = {"id": "1", "title": "很长的标题" * 9, "grade": "I"}
    channel(tencent_sms, receiver.url).send(told(incident=incident, clock={}))
    title, due, ref = receiver.requests[0].json()["TemplateParamSet"]
    assert (len(title), title[-1], due, ref) == (12, "…", "无", "舆-2026-0012…")


@given(st.text(max_size=80), st.integers(2, 40))
def test_no_variable_is_longer_than_its_template_bears_or_empty(words: str, most: int) -> None:
    made = variable(words, most)
    assert 0 < len(made) <= most
    assert not set(made) & set("【】\n")


# ── any other gateway ──


def other(receiver: Receiver, channel: Make, **changes: Any) -> Any:
    """A gateway of the site's own, which says what it wants itself."""
    known = kit("sms")
    return channel(replace(known, settings=lambda url: known.settings(url) | changes), receiver.url)


def test_any_other_gateway_is_spoken_to_as_the_site_says(receiver: Receiver, channel: Make) -> None:
    receiver.answer(body=b'{"result": {"list": [{"state": true}]}}')
    one = other(
        receiver, channel, url=f"{receiver.url}/send/{{phone}}?k={{ref}}",
        headers={"X-App": "${ROBOT}"}, body={"to": ["{phone}"], "n": 1, "say": "“{title}” {name}"},
        success={"path": "result.list.0.state", "equals": [True]},
    )  # fmt: skip
    assert one.send(told()).outcome is Outcome.ACCEPTED
    (request,) = receiver.requests
    assert (request.method, urlsplit(request.path).path) == ("POST", f"/send/{PHONE}")
    assert query(request) == {"k": "舆-2026-0012 首次发布 75%"}
    assert request.json() == {"to": [PHONE], "n": 1, "say": "“化工园区爆燃” 王带班"}
    assert request.headers["x-app"] == "SECrehearsal0000notarealkey"


def test_a_gateway_may_be_asked_by_an_address_alone(receiver: Receiver, channel: Make) -> None:
    receiver.answer(body=b"OK: 7001")
    one = other(
        receiver, channel, url=f"{receiver.url}/send?to={{phone}}&text={{title}}", method="GET",
        success={"starts": ["OK:"]},
    )  # fmt: skip
    evil = {"id": "1", "title": "a&to=13900000000#?", "grade": "I"}
    assert one.send(told(incident=evil)).outcome is Outcome.ACCEPTED
    (request,) = receiver.requests
    assert (request.method, request.body) == ("GET", b"")
    assert query(request) == {"to": PHONE, "text": "a&to=13900000000#?"}


def test_a_form_is_a_form_and_words_stay_within_their_field(receiver: Receiver, channel: Make) -> None:
    receiver.answer(body=b"0,accepted")
    one = other(
        receiver, channel, body={"to": "{phone}", "say": "{title}"}, form=True,
        success={"starts": ["0,"]},
    )  # fmt: skip
    evil = {"id": "1", "title": "a&to=13900000000%26", "grade": "I"}
    assert one.send(told(incident=evil)).outcome is Outcome.ACCEPTED
    assert parse_qs(receiver.requests[0].body.decode()) == {"to": [PHONE], "say": ["a&to=13900000000%26"]}


def test_words_cannot_leave_their_place_in_a_json_body(receiver: Receiver, channel: Make) -> None:
    receiver.answer(body=b'{"code": "0"}')
    evil = {"id": "1", "title": '","to":"13900000000","x":"{phone}{link}', "grade": "I"}
    other(receiver, channel, body={"to": "{phone}", "say": "{title}"}).send(told(incident=evil))
    assert receiver.requests[0].json() == {"to": PHONE, "say": '","to":"13900000000","x":"{phone}{link}'}


@pytest.mark.parametrize("sign", ["bearer", "hmac"])
def test_a_gateway_may_ask_for_a_signature(sign: str, receiver: Receiver, channel: Make) -> None:
    receiver.answer(body=b'{"code": "0"}')
    other(receiver, channel, sign=sign).send(told())
    (request,) = receiver.requests
    if sign == "bearer":
        assert request.headers["authorization"] == "Bearer SECrehearsal0000notarealkey"
    else:
        said = request.headers["x-timestamp"].encode() + b"." + request.body
        key = b"SECrehearsal0000notarealkey"
        assert request.headers["x-signature"] == hmac.new(key, said, hashlib.sha256).hexdigest()


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"profile": "baidu"}, "profile"),
        ({"success": None}, "success"),
        ({"success": {"path": "code"}}, "success"),
        ({"body": {"x": "{number}"}}, "number"),
        ({"url": "ftp://x"}, "web address"),
        ({"method": "DELETE"}, "method"),
        ({"sign": "md5"}, "sign"),
    ],
)
def test_wrong_settings_say_what_to_mend(
    wrong: dict[str, Any], words: str, receiver: Receiver, channel: Make
) -> None:
    with pytest.raises(Refused, match=words):
        other(receiver, channel, **wrong)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"params": {"a": "{link}"}}, "address"),
        ({"params": {"a": "{nothing}"}}, "nothing"),
        ({"template": ""}, "template"),
        ({"sign_name": ""}, "sign_name"),
    ],
)
def test_a_template_that_would_be_refused_is_refused_here(
    wrong: dict[str, Any], words: str, receiver: Receiver, channel: Make
) -> None:
    with pytest.raises(Refused, match=words):
        channel(aliyun_sms, receiver.url, **wrong)


# ── what the other side does ──


@cases("refusals")
def test_a_lasting_no_is_refused_with_its_code(
    kit: Kit, answer: Answer, receiver: Receiver, channel: Make
) -> None:
    receiver.then(answer)
    done = channel(kit, receiver.url).send(told())
    assert done.outcome is Outcome.REFUSED
    assert str(answer.status) in done.reason
    assert PHONE not in done.reason


def test_a_no_says_what_to_look_at(receiver: Receiver, channel: Make) -> None:
    receiver.then(*aliyun_sms.refusals.values())
    one = channel(aliyun_sms, receiver.url)
    said = [one.send(told()).reason for _ in aliyun_sms.refusals]
    for words, reason in zip(
        ("sign_name", "请充值", "secret 和本机时间", "SOMETHING_NEW"), said, strict=True
    ):
        assert words in reason


@cases("passing")
def test_a_passing_no_asks_for_another_try(
    kit: Kit, answer: Answer, receiver: Receiver, channel: Make
) -> None:
    receiver.then(answer)
    assert channel(kit, receiver.url).send(told()).outcome is Outcome.RETRY


@every
@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (Answer(status=503), Outcome.RETRY),
        (Answer(status=429), Outcome.RETRY),
        (Answer(status=403), Outcome.REFUSED),
        (Answer(body=b"<html>ok</html>"), Outcome.UNKNOWN),
        (Answer(body=b"{}"), Outcome.UNKNOWN),
        (Answer(body=b""), Outcome.UNKNOWN),
        (Answer(close=True), Outcome.UNKNOWN),
        (Answer(hang=True), Outcome.UNKNOWN),
    ],
    ids=str,
)
def test_every_other_answer_is_what_it_is(
    kit: Kit, answer: Answer, outcome: Outcome, receiver: Receiver, channel: Make
) -> None:
    receiver.then(answer)
    assert channel(kit, receiver.url, timeout_s=0.2).send(told()).outcome is outcome


@every
def test_half_a_yes_is_no_yes(kit: Kit, receiver: Receiver, channel: Make) -> None:
    receiver.answer(body=kit.yes, truncate=True)
    assert channel(kit, receiver.url).send(told()).outcome is Outcome.UNKNOWN


@every
def test_nobody_there_is_tried_again(kit: Kit, channel: Make) -> None:
    assert channel(kit, f"http://127.0.0.1:{free_port()}").send(told()).outcome is Outcome.RETRY


_JSON: st.SearchStrategy[Any] = st.recursive(
    st.sampled_from(["OK", "Ok", "ok", "", 0, 1, None, True, False, "c-1", " "]),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2),
        st.dictionaries(
            st.sampled_from(["Code", "Response", "SendStatusSet", "SendStatus", "CallId", "Error"]),
            inner,
            max_size=3,
        ),
    ),
    max_leaves=8,
)


@every
def test_nothing_is_accepted_without_the_makers_own_yes(kit: Kit, receiver: Receiver, channel: Make) -> None:
    one = channel(kit, receiver.url)

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(status=st.sampled_from([200, 200, 201, 301, 400, 429, 500]), told_=_JSON)
    def holds(status: int, told_: Any) -> None:
        body = json.dumps(told_).encode()
        receiver.answer(status=status, body=body)
        done = one.send(told())
        assert done.outcome is not Outcome.ACCEPTED or kit.said_yes(status, body)

    holds()


# ── numbers and secrets ──


@every
def test_keys_and_numbers_are_in_no_log_no_repr_and_no_reason(
    kit: Kit, receiver: Receiver, caplog: pytest.LogCaptureFixture, channel: Make
) -> None:
    caplog.set_level(logging.DEBUG)
    one = channel(kit, receiver.url)
    reasons = []
    for answer in (Answer(body=kit.yes), *kit.refusals.values(), *kit.passing.values(), Answer(close=True)):
        receiver.then(answer)
        reasons.append(one.send(told()).reason)
    seen = "\n".join([caplog.text, repr(one), str(one), *reasons])
    assert "127.0.0.1" in caplog.text, "the log was really on"
    assert KEY not in seen
    assert PHONE not in seen
    assert mask(PHONE) == "138****1234"


@pytest.mark.parametrize(
    ("address", "found"),
    [("13800001234", "13800001234"), ("+86 138-0000-1234", "13800001234"), ("008613800001234", "13800001234"),
     ("+85212345678", "+85212345678"), ("(0571) 8888 0000", "057188880000")],
)  # fmt: skip
def test_a_number_is_read_however_people_write_it(address: str, found: str) -> None:
    assert telephone(address) == found


@pytest.mark.parametrize("address", ["", "wang", "１３８００００１２３４", "138,139", "13800001234\n1", "+"])
def test_what_is_no_number_is_refused_before_it_costs_anything(
    address: str, receiver: Receiver, channel: Make
) -> None:
    done = channel(aliyun_sms, receiver.url).send(message(address))
    assert done.outcome is Outcome.REFUSED
    assert "电话号码" in done.reason
    assert receiver.requests == []


# ── the sentence ──


def test_a_sentence_says_what_is_due_and_where_to_acknowledge() -> None:
    said = sentence(view(told(ack_url="https://b.example/a/token")))
    assert said == (
        "[橙 · II 级 重大]化工园区爆燃。11-21 07:10 前，还剩 1 小时 14 分。"
        "舆-2026-0012 首次发布 75%。签收 https://b.example/a/token"
    )


@given(st.text(max_size=500), st.integers(1, 3))
def test_a_sentence_is_never_too_long_and_keeps_the_reference_and_the_link(title: str, attempt: int) -> None:
    incident = {"id": "1", "title": title, "grade": "I", "url": "http://b.example/incidents/1"}
    said = sentence(view(told(incident=incident, attempt=attempt, ack_url="https://b.example/a/token")))
    assert len(said) <= TEXT + len(CUT_MARK)
    assert "舆-2026-0012 首次发布 75%" in said
    assert said.endswith("签收 https://b.example/a/token")
    assert ("重发" in said) == (attempt > 1)
