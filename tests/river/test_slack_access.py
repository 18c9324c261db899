"""With accounts on, the roles and units of a person's account hold in Slack as they do on the pages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest

from connectors.channels.slack import names
from models.core.vocabulary import AccountRole
from models.ledger import accounts
from models.ledger.accounts import NewAccount
from support.console import served
from support.river_site import Site, river
from support.slack import Workspace, command, home_opened, press, sign
from support.slack_site import by_slack, send
from support.waiting import until

PEOPLE = {"chen": "UCHEN", "li": "ULI", "zhao": "UZHAO"}


@pytest.fixture
def slack() -> Iterator[Workspace]:
    with Workspace() as workspace:
        yield workspace


@pytest.fixture
def site(tmp_path: Path, slack: Workspace) -> Iterator[Site]:
    """chen is an officer, li an auditor, zhao has no account; nobody but the bureau sees its incident."""

    def prepare(directory: Path) -> None:
        by_slack(slack.api, "C0ROOM", PEOPLE)(directory)
        site = json.loads((directory / "site.yaml").read_text(encoding="utf-8")) | {
            "access": {"mode": "accounts"}
        }
        (directory / "site.yaml").write_text(json.dumps(site), encoding="utf-8")

    with river(tmp_path, f"sqlite:///{tmp_path}/site.db", prepare) as made:
        now = made.time.now()
        with made.house.store.write() as conn:
            officer, auditor = AccountRole.OFFICER, AccountRole.AUDITOR
            accounts.add(
                conn, now, NewAccount("chen", "陈值班", "chen", [officer], ["office"]), "cli", "演练"
            )
            accounts.add(conn, now, NewAccount("li", "李主任", "li", [auditor]), "cli", "演练")
        yield made


@pytest.fixture
def door(site: Site) -> Iterator[httpx.Client]:
    with served(site.desk) as url, httpx.Client(base_url=url) as client:
        yield client


def opened(site: Site, title: str, unit: str) -> str:
    params = {"title": title, "grade": "IV", "owner": unit}
    return str(site.desk.act("open", "", params, "zhou")["id"])


def said(door: httpx.Client, slack: Workspace, user: str, text: str) -> str:
    slack.answers.clear()
    body = urlencode(command(user, text, f"{slack.url}/answer/1")).encode()
    assert door.post("/hooks/slack/commands", content=body, headers=sign(body)).status_code == 200
    return str(until(lambda: slack.answers)[0]["text"])


def test_the_same_roles_hold_in_slack_as_on_the_pages(
    site: Site, slack: Workspace, door: httpx.Client
) -> None:
    ours = opened(site, "本单位的事", "office")
    assert "已签收" in said(door, slack, "UCHEN", f"ack {ours}")
    assert "须有角色" in said(door, slack, "UCHEN", f"close {ours} 完")  # a leader's
    assert "须有角色" in said(door, slack, "ULI", f"ack {ours}")  # an auditor changes nothing
    assert "还没有账号" in said(door, slack, "UZHAO", f"ack {ours}")
    for user in ("ULI", "UZHAO"):
        send(door, press(user, names.GRADE_ACTION, ours))
    until(lambda: len(slack.whispers) == 2)
    assert slack.forms == []
    shown = site.desk.incident(ours)
    assert shown is not None and [one["person"] for one in shown["acked"]] == ["chen"]


def test_other_units_incidents_are_neither_listed_nor_touched(
    site: Site, slack: Workspace, door: httpx.Client
) -> None:
    ours, theirs = opened(site, "本单位的事", "office"), opened(site, "水务的事", "water")
    board = said(door, slack, "UCHEN", "board")
    assert "本单位的事" in board and "水务的事" not in board
    assert "水务的事" in said(door, slack, "ULI", "board")
    assert "不归您的单位" in said(door, slack, "UCHEN", f"ack {theirs}")
    assert "还没有账号" not in said(door, slack, "UCHEN", f"ack {ours}")
    for incident in (ours, theirs):
        site.desk.act("ack", incident, {}, "chen")  # both are in chen's hands by the ledger
    body = json.dumps(home_opened("UCHEN")).encode()
    door.post("/hooks/slack/events", content=body, headers=sign(body))
    home = json.dumps(until(lambda: slack.homes.get("UCHEN")), ensure_ascii=False)
    assert "本单位的事" in home and "水务的事" not in home
