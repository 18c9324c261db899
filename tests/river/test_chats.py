"""An officer takes an alert by the button of a card in Feishu or WeCom: over the real door, into the ledger.

The platforms are stood in for by what their documents say, written here apart from the adapters.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from flows.deliver import deliver
from flows.office.desk import Desk
from flows.respond import respond
from flows.wiring import House
from models.ledger import journal
from models.ledger.verify import verify
from support.console import served
from support.receiver import Answer, Receiver, Request
from support.river_site import HandTime
from support.sites import ENVIRON, write_site
from support.waiting import until

CORP, TOKEN, ENCRYPT = "ww0123456789abcdef", "rehearsalToken", "rehearsal encrypt key"
AES_KEY = base64.b64encode(b"0123456789abcdef0123456789abcdef").decode().rstrip("=")
SECRETS = {"APP_SECRET": "rehearsal-app-secret", "CALL_TOKEN": TOKEN, "LARK_KEY": ENCRYPT, "WX_KEY": AES_KEY}
APPS: list[dict[str, Any]] = [
    {
        "id": "lark",
        "type": "feishu_app",
        "app_id": "cli_1",
        "secret": "${APP_SECRET}",
        "token": "${CALL_TOKEN}",
        "encrypt_key": "${LARK_KEY}",
    },
    {
        "id": "wx",
        "type": "wecom_app",
        "app_id": CORP,
        "agent_id": 1000002,
        "secret": "${APP_SECRET}",
        "token": "${CALL_TOKEN}",
        "encrypt_key": "${WX_KEY}",
    },
]


def platform(request: Request) -> Answer:
    """Feishu's and WeCom's API, as far as an alert needs them."""
    if "tenant_access_token" in request.path:
        return Answer(body=b'{"code": 0, "msg": "ok", "tenant_access_token": "t-1", "expire": 7200}')
    if "gettoken" in request.path:
        return Answer(body=b'{"errcode": 0, "errmsg": "ok", "access_token": "a-1", "expires_in": 7200}')
    if "open-apis/im" in request.path:
        return Answer(body=b'{"code": 0, "msg": "success", "data": {"message_id": "om_1"}}')
    return Answer(body=b'{"errcode": 0, "errmsg": "ok", "msgid": "m1", "response_code": "r1"}')


@dataclass
class Office:
    house: House
    time: HandTime
    door: httpx.Client
    api: Receiver

    def alerted(self, title: str = "化工园区火灾") -> str:
        incident = str(self.desk.act("open", "", {"title": title, "grade": "II"}, "li")["id"])
        respond(self.house)
        deliver(self.house)
        return incident

    @property
    def desk(self) -> Desk:
        return Desk(self.house)

    def acked(self, incident: str) -> list[str]:
        shown = self.desk.incident(incident)
        assert shown is not None
        return [one["person"] for one in shown["acked"]]

    def cards(self, part: str) -> list[dict[str, Any]]:
        return [request.json() for request in self.api.requests if part in request.path and request.body]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with opened(tmp_path) as made:
        yield made


@contextmanager
def opened(folder: Path, **site: Any) -> Iterator[Office]:
    with ExitStack() as stack:
        api, hook = stack.enter_context(Receiver()), stack.enter_context(Receiver())
        api.reply = platform
        directory = write_site(folder / "site", hook.url, site=site)
        _more(directory, api.url)
        house = stack.enter_context(House.open(directory, ENVIRON | SECRETS))
        house.time = time = HandTime()
        url = stack.enter_context(served(Desk(house)))
        door = stack.enter_context(httpx.Client(base_url=url))
        yield Office(house, time, door, api)


def _more(directory: Path, api: str) -> None:
    """chen is reached in Feishu, li in WeCom, before the webhook."""
    channels = json.loads((directory / "channels.yaml").read_text(encoding="utf-8"))
    channels["channels"] += [app | {"base_url": api} for app in APPS]
    roster = json.loads((directory / "roster.yaml").read_text(encoding="utf-8"))
    ways = {"chen": ("lark", "openid:ou_chen"), "li": ("wx", "userid:li")}
    for person in roster["people"]:
        if person["id"] in ways:
            channel, address = ways[person["id"]]
            person["contacts"].insert(0, {"channel": channel, "address": address})
    for stem, content in (("channels", channels), ("roster", roster)):
        (directory / f"{stem}.yaml").write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")


# ── Feishu ────────────────────────────────────────────────────────────────────────────────────────


def sealed(key: bytes, vector: bytes, plain: bytes, block: int) -> bytes:
    pad = block - len(plain) % block
    closing = Cipher(AES(key), CBC(vector)).encryptor()
    return closing.update(plain + bytes([pad]) * pad) + closing.finalize()


def lark(office: Office, told: dict[str, Any], **changes: Any) -> httpx.Response:
    """A push as Feishu makes it; `changes`: stamp, key (of the signature), signed, body."""
    vector = bytes(range(16))
    box = vector + sealed(hashlib.sha256(ENCRYPT.encode()).digest(), vector, json.dumps(told).encode(), 16)
    body = changes.get("body") or json.dumps({"encrypt": base64.b64encode(box).decode()}).encode()
    stamp = changes.get("stamp", str(int(datetime.now(UTC).timestamp())))
    mark = hashlib.sha256(f"{stamp}nonce{changes.get('key', ENCRYPT)}".encode() + body).hexdigest()
    signed = {"X-Lark-Request-Timestamp": stamp, "X-Lark-Request-Nonce": "nonce", "X-Lark-Signature": mark}
    headers = signed if changes.get("signed", True) else {}
    return office.door.post(f"/hooks/feishu/{changes.get('channel', 'lark')}", content=body, headers=headers)


def pressed(
    value: dict[str, str], who: str = "ou_chen", event: str = "ev-1", token: str = TOKEN
) -> dict[str, Any]:
    return {
        "schema": "2.0",
        "header": {"event_id": event, "token": token, "event_type": "card.action.trigger", "app_id": "cli_1"},
        "event": {"operator": {"open_id": who}, "action": {"value": value, "tag": "button"}},
    }


def buttons(office: Office) -> list[dict[str, Any]]:
    """Of the newest card that Feishu was sent."""
    card = json.loads(office.cards("open-apis/im")[-1]["content"])
    return [one for part in card["elements"] if part["tag"] == "action" for one in part["actions"]]


def test_a_press_in_feishu_acknowledges_as_the_person_whose_contact_it_is(office: Office) -> None:
    incident = office.alerted()
    ack = buttons(office)[0]["value"]
    answer = lark(office, pressed(ack))
    assert answer.status_code == 200
    assert answer.json()["toast"]["type"] == "success"
    assert "已签收" in answer.json()["toast"]["content"]
    became = json.dumps(answer.json()["card"]["data"], ensure_ascii=False)
    assert "陈值班 已签收" in became and "期限 11-21" in became and "稍后" not in became
    assert office.acked(incident) == ["chen"]
    assert verify(office.house.store, office.time.now())["ok"]


def test_a_press_on_a_card_of_several_alerts_leaves_the_others_standing(office: Office) -> None:
    """The card would become one that tells of the first alone; whoever pressed it would forget the rest."""
    first = str(office.desk.act("open", "", {"title": "停水", "grade": "II"}, "li")["id"])
    both = [first, office.alerted("化工园区火灾")]
    card = office.cards("open-apis/im")[-1]["content"]
    assert "停水" in card and "化工园区火灾" in card and "按钮只指最急的一条" in card
    answer = lark(office, pressed(buttons(office)[0]["value"])).json()
    assert answer["toast"]["type"] == "success" and "card" not in answer
    assert sorted(office.acked(incident) for incident in both) == [[], ["chen"]]


def test_the_same_press_told_twice_is_done_once(office: Office) -> None:
    office.alerted()
    ack = buttons(office)[0]["value"]
    before = _entries(office)
    assert [lark(office, pressed(ack)).json()["toast"]["type"] for _ in range(3)] == ["success"] * 3
    assert _entries(office) - before == 1


def _entries(office: Office) -> int:
    with office.house.store.read() as conn:
        return journal.length(conn)[0]


def test_the_other_buttons_take_it_and_put_it_off(office: Office) -> None:
    incident = office.alerted()
    ways = {one["value"]["act"]: one["value"] for one in buttons(office) if "value" in one}
    assert set(ways) == {"ack", "take", "snooze"}
    said = lark(office, pressed(ways["snooze"], event="ev-1")).json()["toast"]["content"]
    assert "前不再重复提醒" in said
    assert lark(office, pressed(ways["take"], event="ev-2")).json()["toast"]["type"] == "success"
    shown = office.desk.incident(incident)
    assert shown is not None and shown["snoozed"][0]["person"] == "chen"


def test_a_stranger_in_feishu_is_told_so_and_nothing_is_done(office: Office) -> None:
    incident = office.alerted()
    answer = lark(office, pressed(buttons(office)[0]["value"], who="ou_stranger"))
    assert (
        answer.json()["toast"]["type"] == "error"
        and "没有登记在值班表里" in answer.json()["toast"]["content"]
    )
    assert office.acked(incident) == []


def test_where_accounts_are_on_a_press_needs_one_that_may(tmp_path: Path) -> None:
    with opened(tmp_path, access={"mode": "accounts"}) as office:
        incident = office.alerted()
        toast = lark(office, pressed(buttons(office)[0]["value"])).json()["toast"]
        assert toast["type"] == "error" and "还没有账号" in toast["content"]
        assert office.acked(incident) == []


def test_a_button_that_is_none_of_ours_does_nothing(office: Office) -> None:
    incident = office.alerted()
    strange: tuple[dict[str, str], ...] = (
        {},
        {"act": "close", "about": "x"},
        {"act": "ack"},
        {"act": "ack", "about": "nothing"},
    )
    kinds = [lark(office, pressed(value)).json()["toast"]["type"] for value in strange]
    assert kinds == ["error"] * len(strange)
    assert office.acked(incident) == []


def test_feishu_s_question_whether_we_are_there_is_answered(office: Office) -> None:
    asked = {"type": "url_verification", "challenge": "c-1", "token": TOKEN}
    assert lark(office, asked, signed=False).json() == {"challenge": "c-1"}
    assert lark(office, {**asked, "token": "guess"}, signed=False).status_code == 401


FORGED: list[dict[str, Any]] = [
    {"key": "a guess"},
    {"stamp": "1600000000"},
    {"stamp": "soon"},
    {"stamp": "-5"},
    {"signed": False},
    {"body": b"{}"},
    {"body": b"not json"},
    {"body": b'{"encrypt": "AAAA"}'},
    {"body": b'{"encrypt": 1}'},
]


def test_what_feishu_has_not_signed_now_is_401_and_does_nothing(office: Office) -> None:
    incident = office.alerted()
    ack = pressed(buttons(office)[0]["value"])
    assert [lark(office, ack, **changes).status_code for changes in FORGED] == [401] * len(FORGED)
    assert office.acked(incident) == []


def test_a_wrong_token_inside_is_401_and_an_unknown_channel_404(office: Office) -> None:
    office.alerted()
    ack = buttons(office)[0]["value"]
    assert lark(office, pressed(ack, token="guess")).status_code == 401
    assert lark(office, pressed(ack), channel="hook").status_code == 404


# ── WeCom ─────────────────────────────────────────────────────────────────────────────────────────


def cipher_of(words: str, corp: str = CORP) -> str:
    key = base64.b64decode(AES_KEY + "=")
    said = words.encode()
    plain = b"sixteen bytes..." + len(said).to_bytes(4, "big") + said + corp.encode()
    return base64.b64encode(sealed(key, key[:16], plain, 32)).decode()


def query_of(cipher: str, token: str = TOKEN, stamp: str = "") -> dict[str, str]:
    stamp = stamp or str(int(datetime.now(UTC).timestamp()))
    joined = "".join(sorted((token, stamp, "n0", cipher)))
    mark = hashlib.sha1(joined.encode(), usedforsecurity=False).hexdigest()
    return {"msg_signature": mark, "timestamp": stamp, "nonce": "n0"}


def event(key: str, who: str = "li", at: int = 1_795_233_600) -> str:
    return (
        f"<xml><ToUserName><![CDATA[{CORP}]]></ToUserName><FromUserName><![CDATA[{who}]]></FromUserName>"
        f"<CreateTime>{at}</CreateTime><MsgType><![CDATA[event]]></MsgType>"
        f"<Event><![CDATA[template_card_event]]></Event><EventKey><![CDATA[{key}]]></EventKey>"
        "<TaskId><![CDATA[t1]]></TaskId><CardType><![CDATA[button_interaction]]></CardType>"
        "<ResponseCode><![CDATA[r1]]></ResponseCode><AgentID>1000002</AgentID></xml>"
    )


def wecom(office: Office, words: str, corp: str = CORP, **query: str) -> httpx.Response:
    cipher = cipher_of(words, corp)
    body = f"<xml><ToUserName><![CDATA[{corp}]]></ToUserName><Encrypt><![CDATA[{cipher}]]></Encrypt></xml>"
    return office.door.post("/hooks/wecom/wx", params=query_of(cipher, **query), content=body.encode())


def unsealed(answer: str) -> str:
    """The answer as WeCom reads it, its signature verified."""
    found = dict(re.findall(r"<(\w+)>(?:<!\[CDATA\[)?([^<\]]*)(?:\]\]>)?</\1>", answer))
    assert query_of(found["Encrypt"], stamp=found["TimeStamp"])  # the shape of a signature
    joined = "".join(sorted((TOKEN, found["TimeStamp"], found["Nonce"], found["Encrypt"])))
    assert hashlib.sha1(joined.encode(), usedforsecurity=False).hexdigest() == found["MsgSignature"]
    key = base64.b64decode(AES_KEY + "=")
    opening = Cipher(AES(key), CBC(key[:16])).decryptor()
    plain = opening.update(base64.b64decode(found["Encrypt"])) + opening.finalize()
    return plain[20 : 20 + int.from_bytes(plain[16:20], "big")].decode()


def card_keys(office: Office) -> dict[str, str]:
    card = next(one["template_card"] for one in office.cards("message/send") if "template_card" in one)
    return {one["key"].split(":")[0]: one["key"] for one in card["button_list"]}


def alerted_li(office: Office) -> str:
    """li is of the second rung: told when the first is late."""
    incident = office.alerted()
    office.time.moment = office.time.moment.replace(hour=4)
    respond(office.house)
    deliver(office.house)
    return incident


def test_wecom_tells_a_name_in_whatever_case(office: Office) -> None:
    incident = alerted_li(office)
    wecom(office, event(card_keys(office)["ack"], who="Li"))
    assert office.acked(incident) == ["li"]


def test_a_press_in_wecom_acknowledges_and_renames_the_button(office: Office) -> None:
    incident = alerted_li(office)
    answer = wecom(office, event(card_keys(office)["ack"]))
    assert answer.status_code == 200
    inner = unsealed(answer.text)
    assert "<MsgType><![CDATA[update_button]]></MsgType>" in inner
    assert "<ReplaceName><![CDATA[已签收]]></ReplaceName>" in inner
    assert "li" in office.acked(incident)
    assert verify(office.house.store, office.time.now())["ok"]


def test_what_is_put_off_in_wecom_keeps_its_buttons_and_is_told_in_a_message(office: Office) -> None:
    alerted_li(office)
    before = len(office.cards("message/send"))
    assert wecom(office, event(card_keys(office)["snooze"])).text == ""
    (said,) = until(lambda: office.cards("message/send")[before:])
    assert said["touser"] == "li" and "前不再重复提醒" in said["text"]["content"]


def test_wecom_s_three_tries_are_one_act(office: Office) -> None:
    alerted_li(office)
    before = _entries(office)
    key = card_keys(office)["ack"]
    assert [wecom(office, event(key)).status_code for _ in range(3)] == [200] * 3
    assert _entries(office) - before == 1


def test_a_stranger_in_wecom_is_told_so_in_a_message(office: Office) -> None:
    incident = alerted_li(office)
    before = len(office.cards("message/send"))
    assert wecom(office, event(card_keys(office)["ack"], who="stranger")).text == ""
    (said,) = until(lambda: office.cards("message/send")[before:])
    assert (said["touser"], said["msgtype"]) == ("stranger", "text")
    assert "没有登记在值班表里" in said["text"]["content"]
    assert office.acked(incident) == []


def test_wecom_s_question_whether_we_are_there_is_answered(office: Office) -> None:
    cipher = cipher_of("echo-1")
    answer = office.door.get("/hooks/wecom/wx", params=query_of(cipher) | {"echostr": cipher})
    assert (answer.status_code, answer.text) == (200, "echo-1")
    wrong = office.door.get("/hooks/wecom/wx", params=query_of(cipher, token="guess") | {"echostr": cipher})
    assert wrong.status_code == 401


def test_what_wecom_has_not_signed_now_or_for_us_is_401(office: Office) -> None:
    incident = alerted_li(office)
    ack = event(card_keys(office)["ack"])
    forged = ({"token": "guess"}, {"stamp": "1600000000"}, {"stamp": "soon"}, {"corp": "wwother"})
    assert [wecom(office, ack, **query).status_code for query in forged] == [401] * len(forged)
    assert "li" not in office.acked(incident)


def test_a_body_without_a_cipher_is_401(office: Office) -> None:
    bodies = (b"", b"<xml></xml>", b"<!DOCTYPE x [<!ENTITY a 'b'>]><xml>&a;</xml>")
    door, query = office.door, query_of("x")
    codes = [door.post("/hooks/wecom/wx", params=query, content=body).status_code for body in bodies]
    assert codes == [401] * len(bodies)


def test_an_event_that_is_about_no_button_is_taken_and_passed_over(office: Office) -> None:
    entered = "<xml><FromUserName><![CDATA[li]]></FromUserName><Event><![CDATA[enter_agent]]></Event></xml>"
    answer = wecom(office, entered)
    assert (answer.status_code, answer.text) == (200, "")


def test_a_body_without_end_is_refused_at_either_door(office: Office) -> None:
    huge = b"x" * 300_000
    for path in ("/hooks/feishu/lark", "/hooks/wecom/wx"):
        assert office.door.post(path, params=query_of("x"), content=huge).status_code == 413
