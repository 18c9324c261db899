"""Told by mail on a whole site: a letter with a link that acknowledges, and the next contact where mail is refused."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from flows.deliver import deliver
from flows.office import doctor
from flows.respond import respond
from flows.telling.reach import reach
from flows.wiring import House
from models.ledger.reaching import newest
from support import certificates
from support.console import served
from support.receiver import Receiver
from support.river_site import HandTime, Site
from support.sites import ENVIRON, write_site
from support.smtp import PASSWORD, USER, Post
from support.web import Web

PUBLIC = "https://huiying.example.gov.cn"


@pytest.fixture
def post(tmp_path: Path) -> Iterator[Post]:
    (tmp_path / "site").mkdir()
    _, keystore = certificates.make(tmp_path / "site")  # with the authority's ca.pem beside the settings
    with Post(keystore) as running:
        yield running


@pytest.fixture
def mailed(tmp_path: Path, post: Post) -> Iterator[Site]:
    """Everybody is told by mail first, then by a webhook."""
    mail = {
        "id": "mail", "type": "mail", "host": "127.0.0.1", "port": post.port, "sender": "huiying@linjiang.gov.cn",
        "username": USER, "password": "${MAIL}", "ca": "file:ca.pem", "per_minute": 1000,
    }  # fmt: skip
    with Receiver() as receiver, Web() as web:
        made = write_site(tmp_path / "site", receiver.url, site={"console": {"public_url": PUBLIC}})
        hook = json.loads((made / "channels.yaml").read_text())["channels"]
        (made / "channels.yaml").write_text(json.dumps({"channels": [mail, *hook]}))
        roster = json.loads((made / "roster.yaml").read_text())
        for person in roster["people"]:
            by_mail = {"channel": "mail", "address": f"{person['id']}@linjiang.gov.cn"}
            person["contacts"] = [by_mail, *person["contacts"]]
        (made / "roster.yaml").write_text(json.dumps(roster))
        with House.open(made, ENVIRON | {"MAIL": PASSWORD}) as house:
            house.time = time = HandTime()
            yield Site(house, time, web, receiver)


def opened(site: Site) -> dict[str, Any]:
    made = site.desk.act("open", "", {"title": "化工园区火灾", "grade": "II"}, "li")
    respond(site.house)
    deliver(site.house)
    return made


def test_a_letter_tells_and_its_link_acknowledges_at_one_press(mailed: Site, post: Post) -> None:
    incident = opened(mailed)
    (letter,) = [one for one in post.letters if one.recipients == ["chen@linjiang.gov.cn"]]
    assert f"舆-{incident['id']}" in letter.letter["Subject"]
    link = re.search(rf"{PUBLIC}(/a/[\w-]+)", letter.part("plain"))
    assert link is not None
    with served(mailed.desk) as url, httpx.Client(base_url=url) as phone:
        assert "化工园区火灾" in phone.get(link[1]).text
        assert phone.post(link[1]).status_code == 303
    (shown,) = mailed.desk.board()["incidents"]
    assert [one["person"] for one in shown["acked"]] == ["chen"]
    assert mailed.verified()


def test_whoever_refuses_the_letter_is_told_by_the_next_contact(mailed: Site, post: Post) -> None:
    post.keeper.refused["chen@linjiang.gov.cn"] = "550 5.1.1 查无此人"
    opened(mailed)
    deliver(mailed.house)
    assert [body["recipient"]["person"] for body in mailed.bodies()] == ["chen"]
    with mailed.house.store.read() as conn:
        (alert,) = newest(conn, "chen")
    assert (alert.state, alert.contact, alert.refused) == ("accepted", 1, [0])
    shown = mailed.desk.preferences.of("chen")["contacts"]
    assert [(one["ok"], one["state_zh"]) for one in shown] == [
        (False, "被拒收，已换下一个"),
        (True, "已送达渠道"),
    ]


def test_a_server_that_is_away_for_a_while_gets_the_same_letter_later(mailed: Site, post: Post) -> None:
    post.keeper.refused["chen@linjiang.gov.cn"] = "451 4.7.1 come back"
    opened(mailed)
    assert post.letters == []
    del post.keeper.refused["chen@linjiang.gov.cn"]
    for _ in range(3):
        mailed.time.moment = mailed.time.moment.replace(minute=mailed.time.moment.minute + 1)
        deliver(mailed.house)
    (letter,) = [one for one in post.letters if one.recipients == ["chen@linjiang.gov.cn"]]
    assert "第 2 次发送" in letter.part("plain")


def test_the_team_is_asked_by_mail_too_whether_it_is_there(mailed: Site, post: Post) -> None:
    mailed.desk.preferences.test("chen", 1, "chen")
    deliver(mailed.house)
    assert reach(mailed.house) == "联络测试未启用"
    (letter,) = post.letters
    assert "您自己发的测试" in letter.letter["Subject"]
    assert mailed.desk.preferences.of("chen")["contacts"][0]["ok"] is True


def test_the_doctor_greets_the_server_and_names_what_is_wrong(mailed: Site, post: Post) -> None:
    assert [(one["what"], one["ok"]) for one in doctor._mail(mailed.house)] == [("邮件服务器 mail", True)]
    assert list(doctor._links(mailed.house)) == []
    mailed.house.channels["mail"].password = "wrong"  # type: ignore[attr-defined]
    (found,) = doctor._mail(mailed.house)
    assert (found["ok"], "授权码" in found["detail"]) == (False, True)
    assert post.letters == []


@pytest.mark.parametrize(("url", "words"), [("", "没有签收链接"), ("http://10.0.0.8:8787", "不加密")])
def test_the_doctor_says_when_messages_would_lack_a_safe_link(mailed: Site, url: str, words: str) -> None:
    console = mailed.house.site.console.model_copy(update={"public_url": url or None})
    mailed.house.site = replace(mailed.house.site, console=console)
    (found,) = doctor._links(mailed.house)
    assert (found["warning"], words in found["detail"]) == (True, True)
